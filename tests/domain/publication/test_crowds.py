"""What is counted for the public is remembered for a while, by each process for itself."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.access import Principal
from domain.publication import crowds
from domain.publication.crowds import KNOWN_FOR, LONG_KNOWN_FOR, Crowds, monday, span
from domain.publication.figures import Figure
from domain.publication.rows import FEWEST, WEEK, Detail, Kin
from domain.questions import AppealFilter
from domain.values import Coordinates
from tests.domain.organisations.town import NOON, town

RUNNING = monday(NOON.date())
OVER = RUNNING - WEEK
SECOND = timedelta(seconds=1)


@dataclass
class Asked:
    """Somebody's question."""

    at: datetime = NOON
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(3))


class Register:
    """Counts so many pits of each week, and remembers what was asked."""

    def __init__(self, count: int = 20) -> None:
        self.count = count
        self.groups: tuple[str, ...] = ("closed",)
        self.asked: list[Any] = []
        self.slow, self.inside, self.most = 0.0, 0, 0

    async def _takes_a_while(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(self.slow)
        self.inside -= 1

    async def kin(
        self, city: Any, begin: datetime, end: datetime, zone: str
    ) -> list[tuple[Kin, Coordinates | None, int]]:
        assert zone == town().city.zone
        week = town().city.local(begin).date()
        assert (begin, end) == span(week, town())
        self.asked.append(week)
        await self._takes_a_while()
        return [(pits(week), None, self.count)]

    async def by(
        self, principal: Principal, wanted: AppealFilter, dimension: str, zone: str, *,
        promises: bool,
    ) -> list[Figure]:  # fmt: skip
        self.asked.append((dimension, wanted, promises))
        await self._takes_a_while()
        count = self.count
        return [Figure(key, count, judged=count, kept=count) for key in self.groups]


def pits(week: date) -> Kin:
    return Kin("roads.surface.pit", "roads.surface", "roads", "left", week)


async def told(known: Crowds, week: date, at: datetime = NOON) -> Detail:
    ((detail, _),) = await known.details([pits(week)], Asked(at), town())
    return detail


async def figures(known: Crowds, *weeks: date, by: str = "status", **options: Any) -> Any:
    where = options.pop("where", {})
    options.setdefault("promises", False)
    return await known.published(weeks, by, where, Asked(**options.pop("asked", {})), town(),
                                 **options)  # fmt: skip


@pytest.mark.parametrize(("week", "long"), [(RUNNING, KNOWN_FOR), (OVER, LONG_KNOWN_FOR)])
async def test_classes_of_a_week_that_is_over_are_believed_for_longer(week: date, long: timedelta):
    register = Register()
    known = Crowds(register)
    for at in (NOON, NOON + long - SECOND):
        assert await told(known, week, at) is Detail.SERVICE
    assert register.asked == [week]
    await told(known, week, NOON + long)
    assert register.asked == [week, week]
    await told(known, week, NOON - SECOND)
    assert len(register.asked) == 3, "of before it was asked nothing is known"


async def test_each_week_that_is_not_known_is_counted_by_itself():
    register = Register()
    known = Crowds(register)
    await told(known, OVER)
    weeks = [OVER - WEEK, OVER, OVER - 2 * WEEK]
    table = await figures(known, *weeks, by="service")
    assert register.asked == [OVER, OVER - 2 * WEEK, OVER - WEEK]
    assert [(each.key, each.count) for each in table.groups] == [("roads.surface.pit", 60)]


async def test_one_process_knows_nothing_of_what_another_was_told():
    """Two registers of one city: a copy of the morning beside the register itself."""
    many, few = Crowds(Register(20)), Crowds(Register(FEWEST - 1))
    assert await told(many, OVER) is Detail.SERVICE
    assert await told(few, OVER) is Detail.NOTHING
    assert (await figures(many, OVER)).total == 20
    assert (await figures(few, OVER)).total is None


async def test_counts_are_believed_for_an_hour_and_conditions_reach_the_register():
    register = Register()
    known = Crowds(register)
    where = {"sphere": "roads", "district": "left"}
    for at in (NOON, NOON + LONG_KNOWN_FOR - SECOND):
        table = await figures(
            known, OVER, by="service", where=where, promises=True, asked={"at": at}
        )
        assert [each.count for each in table.groups] == [20]
    begin, end = span(OVER, town())
    wanted = AppealFilter(sphere="roads", district="left", registered_from=begin, registered_to=end)
    assert register.asked == [OVER, ("service", wanted, True)]
    await figures(
        known, OVER, by="service", where=where, promises=True, asked={"at": NOON + LONG_KNOWN_FOR}
    )
    assert len(register.asked) == 4


async def test_what_many_ask_at_once_is_counted_once():
    register = Register()
    known = Crowds(register)
    assert await asyncio.gather(*(told(known, OVER) for _ in range(9))) == [Detail.SERVICE] * 9
    tables = await asyncio.gather(*(figures(known, OVER) for _ in range(9)))
    assert {table.total for table in tables} == {20}
    assert len(register.asked) == 2


async def test_whoever_holds_all_their_own_turns_holds_up_nobody_else():
    register = Register()
    known = Crowds(register)
    busy = Asked()
    for _ in range(3):
        await busy.turns.acquire()
    waiting = asyncio.ensure_future(known.details([pits(OVER)], busy, town()))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await told(known, OVER) is Detail.SERVICE
    busy.turns.release()
    await waiting
    assert register.asked == [OVER]


@pytest.mark.parametrize("by", ["status", "sphere"])
async def test_one_document_stands_in_line_for_no_more_than_its_turns(by: str):
    """However many figures it asks for: all cities and all who work in them share that line."""
    register = Register()
    register.slow = 0.01
    known, one = Crowds(register), Asked()
    weeks = [OVER - n * WEEK for n in range(20)]
    await asyncio.gather(*(
        known.published([week], by, {}, one, town(), promises=False) for week in weeks
    ))  # fmt: skip
    assert (len(register.asked), register.most) == (20, 3)


async def test_so_many_weeks_and_counts_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(crowds, "KEPT", 2)
    register = Register()
    known = Crowds(register)
    weeks = [OVER - n * WEEK for n in range(3)]
    for ask in (told, figures):
        register.asked.clear()
        for week in [*weeks, weeks[-1]]:
            await ask(known, week)
        assert len(register.asked) == 3
        await ask(known, weeks[0])
        assert len(register.asked) == 4, "the oldest was let go"


async def test_a_service_that_residents_may_not_choose_is_counted_without_its_name():
    here = town()
    hidden = town(services=[replace(one, public=False) for one in here.catalogue.services])
    for city, key in ((here, "roads.surface.pit"), (hidden, None)):
        known = Crowds(Register())
        table = await known.published([OVER], "service", {}, Asked(), city, promises=False)
        assert [(each.key, each.count) for each in table.groups] == [(key, 20)]
        assert table.total == 20


async def test_tables_of_nothing_push_out_none_that_hold_something(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(crowds, "KEPT", 2)
    register = Register()
    known = Crowds(register)
    await figures(known, OVER)
    register.groups = ()
    for n in range(1, 9):
        assert (await figures(known, OVER - n * WEEK)).total is None
    assert (await figures(known, OVER)).total == 20


async def test_houses_are_counted_anew_when_the_register_of_addresses_is_another():
    known, here = Crowds(Register()), town()
    first = await known.of(here)
    assert await known.of(replace(here, version=here.version + 1)) is first
    assert await known.of(replace(here, buildings=dict(here.buildings))) is not first
