"""Appeals that were passed on in a circle are counted by circle and service."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.access import Principal, Role
from domain.organisations.findings import Finding, Lack, Severity
from domain.organisations.returns import FRESH, MOST, Returns, Trail, returns
from tests.domain.appeals.make import MONDAY
from tests.domain.organisations.town import FIRMS, ident, town

A, B, C, D = (ident(number) for number in (10, 11, 12, 13))


def told(*trails: Trail, days: int = 90) -> list[Finding]:
    return list(returns(trails, town(), days))


def test_a_circle_of_two_is_told_with_its_numbers():
    (found,) = told(*[Trail("lifts", (A, B, A))] * 3, Trail("lifts", (A, B)), days=30)
    assert (found.lack, found.severity) == (Lack.REDIRECT_CIRCLE, Severity.WARNING)
    assert found.subject == ("organisation", FIRMS[0].code)
    assert (found.organisations, found.services) == ((A, B), ("lifts",))
    assert found.facts == {"count": 3, "value": "30"}


def test_a_circle_is_the_same_wherever_it_was_entered_and_however_often_it_was_gone():
    (found,) = told(Trail("lifts", (A, B, A, B, A)), Trail("lifts", (B, A, B)))
    assert (found.organisations, found.facts["count"]) == ((A, B), 2)


def test_services_are_counted_apart():
    trails = [Trail(service, (A, B, A)) for service in ("lifts", "roads") for _ in range(2)]
    assert [each.services for each in told(*trails)] == [("lifts",), ("roads",)]
    assert told(Trail("lifts", (A, B, A)), Trail("roads", (A, B, A))) == []


def test_longer_circles_keep_their_direction():
    around, back = Trail("lifts", (C, D, A, B, C)), Trail("lifts", (D, C, B, A, D))
    assert [each.organisations for each in told(around, around)] == [(A, B, C, D)]
    assert told(around, back) == [], "one each"


@pytest.mark.parametrize("line", [(A, B, C), (A, A, B), (A,), ()], ids=str)
def test_who_never_comes_back_goes_in_no_circle(line):
    assert told(*[Trail("lifts", line)] * 5) == []


def test_a_circle_names_the_districts_in_which_it_was_gone():
    ways = [Trail("lifts", (A, B, A), district) for district in ("north", "centre", None)]
    (found,) = told(*ways)
    assert found.districts == ("centre", "north")


class Register:
    """Tells of one circle, and remembers who asked since when."""

    def __init__(self) -> None:
        self.asked: list[tuple[Principal, datetime]] = []

    async def of(self, principal: Principal, since: datetime) -> Iterable[Trail]:
        self.asked.append((principal, since))
        return [Trail("lifts", (A, B, A))] * 2


def somebody(role: Role = Role.INSPECTOR, **more: object) -> Principal:
    return replace(Principal(ident(1), role, town().city.id), **more)  # type: ignore[arg-type]


async def test_circles_are_read_once_for_all_who_see_the_same_and_anew_after_a_while():
    register = Register()
    kept = Returns(register.of)
    for person in (somebody(), somebody(Role.AUDITOR), somebody(Role.AKIM)):
        (found,) = await kept.of(person, town(), 30, MONDAY)
        assert found.organisations == (A, B)
    assert [since for _, since in register.asked] == [MONDAY - timedelta(days=30)]
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
        somebody(Role.ADMINISTRATOR, organisations=frozenset({A})),
        somebody(Role.ADMINISTRATOR, organisations=frozenset({A, B})),
        somebody(city=ident(2)),
    ]
    for person in people:
        await kept.of(person, town(), 30, MONDAY)
    assert [person for person, _ in register.asked] == people
    renamed = replace(town(), version=town().version + 1)
    await kept.of(somebody(), renamed, 30, MONDAY)
    assert len(register.asked) == len(people) + 1, "names may have changed"


async def test_however_much_is_asked_so_many_answers_are_kept():
    register = Register()
    kept = Returns(register.of)
    for days in range(1, MOST + 2):
        await kept.of(somebody(), town(), days, MONDAY)
    await kept.of(somebody(), town(), MOST + 1, MONDAY)
    assert len(register.asked) == MOST + 1
    await kept.of(somebody(), town(), 1, MONDAY)
    assert len(register.asked) == MOST + 2, "the oldest was let go"


def test_an_organisation_that_is_gone_is_named_by_its_id():
    (found,) = told(*[Trail("lifts", (ident(98), ident(99), ident(98)))] * 2)
    assert found.subject == ("organisation", str(ident(98)))
