"""Appeals that were passed on in a circle are counted by circle and service."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.access import Principal, Role
from domain.organisations.findings import Finding, Lack, Severity
from domain.organisations.returns import DAYS, FRESH, LONGEST, MOST, Returns, Trail, returns
from tests.domain.appeals.make import MONDAY
from tests.domain.organisations.town import FIRMS, ident, town

A, B, C, D = (ident(number) for number in (10, 11, 12, 13))


def way(
    service: str, *had: UUID, district: str | None = None, offered_at: datetime = MONDAY
) -> Trail:
    return Trail(service, had, offered_at, district)


def told(*trails: Trail, days: int = 90) -> list[Finding]:
    return list(returns(trails, town(), days))


def test_a_circle_of_two_is_told_with_its_numbers():
    (found,) = told(*[way("lifts", A, B, A)] * 3, way("lifts", A, B), days=30)
    assert (found.lack, found.severity) == (Lack.REDIRECT_CIRCLE, Severity.WARNING)
    assert found.subject == ("organisation", FIRMS[0].code)
    assert (found.organisations, found.services) == ((A, B), ("lifts",))
    assert found.facts == {"count": 3, "value": "30"}


def test_a_circle_is_the_same_wherever_it_was_entered_and_however_often_it_was_gone():
    (found,) = told(way("lifts", A, B, A, B, A), way("lifts", B, A, B))
    assert (found.organisations, found.facts["count"]) == ((A, B), 2)


def test_services_are_counted_apart():
    trails = [way(service, A, B, A) for service in ("lifts", "roads") for _ in range(2)]
    assert [each.services for each in told(*trails)] == [("lifts",), ("roads",)]
    assert told(way("lifts", A, B, A), way("roads", A, B, A)) == []


def test_longer_circles_keep_their_direction():
    around, back = way("lifts", C, D, A, B, C), way("lifts", D, C, B, A, D)
    assert [each.organisations for each in told(around, around)] == [(A, B, C, D)]
    assert told(around, back) == [], "one each"


@pytest.mark.parametrize("line", [(A, B, C), (A, A, B), (A,), ()], ids=str)
def test_who_never_comes_back_goes_in_no_circle(line):
    assert told(*[way("lifts", *line)] * 5) == []


def test_a_circle_names_the_districts_in_which_it_was_gone():
    ways = [way("lifts", A, B, A, district=name) for name in ("north", "centre", None)]
    (found,) = told(*ways)
    assert found.districts == ("centre", "north")


class Register:
    """Tells of one circle, or of what it is given, and remembers who asked since when."""

    def __init__(self, *trails: Trail) -> None:
        self.asked: list[tuple[Principal, datetime]] = []
        self.slow: UUID | None = None
        self.answers = asyncio.Event()
        self._trails = trails or (way("lifts", A, B, A),) * 2

    async def of(self, principal: Principal, since: datetime) -> Iterable[Trail]:
        self.asked.append((principal, since))
        if principal.city == self.slow:
            await self.answers.wait()
        return [each for each in self._trails if each.offered_at >= since]


def somebody(role: Role = Role.INSPECTOR, **more: object) -> Principal:
    return replace(Principal(ident(1), role, town().city.id), **more)  # type: ignore[arg-type]


async def test_circles_are_read_once_for_all_who_see_the_same_and_anew_after_a_while():
    register = Register()
    kept = Returns(register.of)
    for person in (somebody(), somebody(Role.AUDITOR), somebody(Role.AKIM)):
        (found,) = await kept.of(person, town(), 30, MONDAY)
        assert found.organisations == (A, B)
    assert [since for _, since in register.asked] == [MONDAY - timedelta(days=DAYS)]
    await kept.of(somebody(), town(), 30, MONDAY + FRESH - timedelta(seconds=1))
    assert len(register.asked) == 1
    await kept.of(somebody(), town(), 30, MONDAY + FRESH)
    assert len(register.asked) == 2
    assert await kept.of(somebody(), town(), 0, MONDAY) == ()
    assert len(register.asked) == 2


async def test_whoever_sees_other_appeals_is_told_of_their_own():
    register = Register()
    kept = Returns(register.of)
    people = [
        somebody(),
        somebody(Role.AKIM, district="north"),
        somebody(Role.AKIM, district="centre"),
        somebody(Role.AKIM, district="centre", districts=frozenset({"centre", "village"})),
        somebody(Role.ADMINISTRATOR, organisations=frozenset({A})),
        somebody(Role.ADMINISTRATOR, organisations=frozenset({A, B})),
        somebody(city=ident(2)),
    ]
    for person in people:
        await kept.of(person, town(), 30, MONDAY)
    assert [person for person, _ in register.asked] == people


async def test_circles_are_named_by_the_agreements_of_the_moment_without_another_read():
    register = Register()
    kept = Returns(register.of)
    firm = replace(town().organisations[A], code="renamed")
    renamed = replace(
        town(), version=town().version + 1, organisations={**town().organisations, A: firm}
    )
    for reference, code in ((town(), FIRMS[0].code), (renamed, "renamed")):
        (found,) = await kept.of(somebody(), reference, 30, MONDAY)
        assert found.subject == ("organisation", code)
    assert len(register.asked) == 1


async def test_whatever_number_of_days_is_asked_for_the_register_is_read_for_two():
    register = Register()
    kept = Returns(register.of)
    for days in range(LONGEST, 0, -1):
        (found,) = await kept.of(somebody(), town(), days, MONDAY)
        assert found.facts == {"count": 2, "value": str(days)}
    assert [MONDAY - since for _, since in register.asked] == [
        timedelta(days=LONGEST), timedelta(days=DAYS)
    ]  # fmt: skip


async def test_fewer_days_are_taken_from_what_was_read_of_more():
    ages = (1, 20, 30, 31, 90, 91, 365)
    register = Register(
        *(way("lifts", A, B, A, offered_at=MONDAY - timedelta(days=age)) for age in ages)
    )
    kept = Returns(register.of)
    for days in (1, 20, 29, 30, 31, 90, 91, 364, 365):
        fitting = sum(age <= days for age in ages)
        told = await kept.of(somebody(), town(), days, MONDAY)
        assert [each.facts["count"] for each in told] == ([fitting] if fitting > 1 else []), days
    (later,) = await kept.of(somebody(), town(), 30, MONDAY + timedelta(seconds=1))
    assert later.facts["count"] == 2, "what was offered thirty days and a second ago is none of it"


async def test_a_city_that_is_read_holds_up_no_other_and_nobody_who_was_answered():
    register, busy = Register(), somebody()
    kept = Returns(register.of)
    akim = somebody(Role.AKIM, district="north")
    await kept.of(akim, town(), 30, MONDAY)
    register.slow = busy.city
    waiting = [asyncio.create_task(kept.of(busy, town(), 30, MONDAY)) for _ in range(3)]
    waiting.append(asyncio.create_task(kept.of(somebody(Role.ADMINISTRATOR), town(), 1, MONDAY)))
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert await kept.of(somebody(city=ident(2)), town(), 30, MONDAY)
        assert await kept.of(akim, town(), 30, MONDAY)
    assert [who for who, _ in register.asked[1:]] == [busy, somebody(city=ident(2))], "one at once"
    register.answers.set()
    assert all(await asyncio.gather(*waiting))
    assert len(register.asked) == 4, "those who ask for the same wait for one answer"


async def test_so_many_answers_are_kept_of_each_city():
    register = Register()
    kept = Returns(register.of)
    other = somebody(city=ident(2))
    await kept.of(other, town(), 30, MONDAY)
    people = [somebody(Role.AKIM, district=f"d{number}") for number in range(MOST + 1)]
    for person in [*people, people[-1], other]:
        await kept.of(person, town(), 30, MONDAY)
    assert len(register.asked) == MOST + 2
    await kept.of(people[0], town(), 30, MONDAY)
    assert len(register.asked) == MOST + 3, "the oldest was let go"


def test_an_organisation_that_is_gone_is_named_by_its_id():
    (found,) = told(*[way("lifts", ident(98), ident(99), ident(98))] * 2)
    assert found.subject == ("organisation", str(ident(98)))
