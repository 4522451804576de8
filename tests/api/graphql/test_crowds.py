"""What is counted for the public is counted once, beside the loop, and remembered."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from api.bootstrap import House
from api.graphql import crowds
from api.graphql.context import Context
from api.graphql.crowds import classes_of, published
from api.graphql.remembering import Remembered
from domain.publication.figures import Figure
from domain.publication.places import Crowd
from domain.publication.rows import WEEK, Kin, Shared
from tests.support.appeals import register
from tests.support.city import KISHI

FULL = date(2026, 11, 16)
EMPTY = [date(2020, 1, 6) + n * WEEK for n in range(10)]


class Counting:
    """A register that has appeals of one week, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[date] = []
        self.tables = 0
        self.ended = 0
        self.goes_on = asyncio.Event()
        self.fails = False

    async def kin(self, city: Any, spans: Sequence[tuple[datetime, datetime]], zone: str) -> Any:
        weeks = [(begin + WEEK / 2).date() for begin, _ in spans]
        mondays = [crowds.monday(day) for day in weeks]
        self.asked += mondays
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.ended += 1
            raise
        if self.fails:
            raise OSError
        return [(Kin("a", "b", "c", None, FULL), None, 7)] if FULL in mondays else []

    async def by(self, principal: Any, wanted: Any, *_: Any, **__: Any) -> list[Figure]:
        self.tables += 1
        await self.goes_on.wait()
        return [Figure("closed", 7)] if wanted.registered_from.year == FULL.year else []


@pytest.fixture
def counting() -> Counting:
    crowds.forget()
    return Counting()


@pytest.fixture
def ask(counting: Counting, house: House) -> Callable[..., Any]:
    """Asks for the classes of weeks, each time as another request."""
    city = house.references.of(KISHI.id)

    def asked(*weeks: date) -> Any:
        asking = Context(_with(house, counting), None, "en", house.now(), "")
        return asyncio.ensure_future(classes_of(weeks, asking, city))

    return asked


def _with(house: House, figures: Any) -> Any:
    return SimpleNamespace(figures=figures, references=house.references)


async def test_a_week_is_counted_once_however_many_ask_for_it_at_a_time(
    counting: Counting, ask: Callable[..., Any]
):
    asking = [ask(FULL) for _ in range(5)] + [ask(FULL, *EMPTY[:2]), ask(*EMPTY[:3])]
    await asyncio.sleep(0.05)
    counting.goes_on.set()
    found = await asyncio.gather(*asking)
    assert sorted(counting.asked) == [*EMPTY[:3], FULL]
    assert all(each[FULL] is found[0][FULL] for each in found[:6])
    assert set(found[6]) == set(EMPTY[:3])
    await ask(FULL, *EMPTY[:3])
    assert len(counting.asked) == 4


async def test_whoever_leaves_takes_the_count_from_nobody_and_what_nobody_waits_for_ends(
    counting: Counting, ask: Callable[..., Any]
):
    first, second = ask(FULL), ask(FULL)
    await asyncio.sleep(0.05)
    first.cancel()
    await asyncio.sleep(0.05)
    assert counting.ended == 0
    second.cancel()
    await asyncio.sleep(0.05)
    third = ask(FULL)
    await asyncio.sleep(0.05)
    assert (counting.ended, counting.asked) == (1, [FULL, FULL])
    counting.goes_on.set()
    assert (await third)[FULL]


async def test_a_count_that_fails_is_made_anew_by_who_asks_then(
    counting: Counting, ask: Callable[..., Any]
):
    counting.fails = True
    counting.goes_on.set()
    told = await asyncio.gather(ask(FULL), ask(FULL, EMPTY[0]), return_exceptions=True)
    assert [type(each) for each in told] == [OSError, OSError]
    counting.fails = False
    assert (await ask(FULL))[FULL]


async def test_weeks_of_nothing_push_nothing_out(
    counting: Counting, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crowds, "_weeks", Remembered(2))
    counting.goes_on.set()
    await ask(FULL)
    for week in EMPTY:
        await ask(week)
    await ask(FULL, EMPTY[-1])
    assert counting.asked.count(FULL) == counting.asked.count(EMPTY[-1]) == 1
    # Nor are they kept for ever themselves.
    await ask(EMPTY[0])
    assert counting.asked.count(EMPTY[0]) == 2


async def test_what_was_asked_for_last_is_forgotten_last(counting: Counting):
    known: Remembered[str, str] = Remembered(2)
    counted: list[str] = []

    async def count(keys: Sequence[str]) -> dict[str, str]:
        counted.extend(keys)
        return {key: key for key in keys}

    at = datetime(2026, 11, 26)
    for key in ("a", "b", "a", "c", "a", "b"):
        await known.each([key], at, lambda _: at + WEEK, count)
    assert counted == ["a", "b", "c", "b"]


async def test_a_table_is_counted_once_and_not_pushed_out_by_tables_of_nothing(
    counting: Counting, house: House, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crowds, "_tables", Remembered(2))
    city = house.references.of(KISHI.id)

    async def asked(week: date) -> Any:
        asking = Context(_with(house, counting), None, "en", house.now(), "")
        return await published([week], "status", {}, asking, city, promises=False)

    asking = [asyncio.ensure_future(asked(FULL)) for _ in range(5)]
    await asyncio.sleep(0.05)
    counting.goes_on.set()
    assert {(await each).total for each in asking} == {5}
    assert counting.tables == 1
    for week in EMPTY:
        assert (await asked(week)).total is None
    await asked(FULL)
    assert counting.tables == 1 + len(EMPTY)


async def test_no_row_and_no_house_is_counted_on_the_loop(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """Of a large week there are as many rows as appeals, and of a city as many houses as it has."""
    await register(house)
    crowds.forget()
    monkeypatch.setattr(crowds, "_crowds", {})
    busy: list[tuple[str, bool]] = []

    def noted(kind: Any, name: str) -> None:
        work = getattr(kind, name)

        def note(*args: Any, **options: Any) -> Any:
            busy.append((kind.__name__, threading.current_thread() is threading.main_thread()))
            return work(*args, **options)

        monkeypatch.setattr(kind, name, note)

    noted(Crowd, "__init__")
    noted(Shared, "__init__")
    noted(Shared, "counted")
    noted(Kin, "__init__")
    city, at = house.references.of(KISHI.id), house.now()
    asking = Context(house, None, "en", at, "")
    week = crowds.monday(city.city.local(at).date())
    await published([week], "service", {}, asking, city, promises=False)
    assert {kind for kind, _ in busy} == {"Crowd", "Shared", "Kin"}
    assert not any(on_the_loop for _, on_the_loop in busy), busy
