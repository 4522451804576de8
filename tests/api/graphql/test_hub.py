"""The hub: one reader for all, nobody's slowness another's, no gap for who comes back."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from api.errors import RateLimited, TooSlow, Unauthenticated
from api.graphql import hub as hubs
from api.graphql.hub import Hub
from domain.access import Principal, Role
from domain.appeals.happenings import Happening, Place, Wanted
from domain.appeals.workflow import Status
from domain.errors import CursorLost, Unavailable
from domain.events import EventType
from domain.values import new_id

CITY = new_id()
INSPECTOR = Principal(new_id(), Role.INSPECTOR, CITY)
QUEUE = 300


@pytest.fixture(autouse=True)
def _short_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "QUEUE", QUEUE)


class Told:
    """The events of a city as the database would have them: told by transaction, then by id."""

    def __init__(self) -> None:
        self.events: list[Happening] = []
        self.standing = 1
        self.reads = 0
        self.away = False
        self.wake: Callable[[], None] = lambda: None

    def happen(
        self, number: str = "1", transaction: int | None = None, **changes: Any
    ) -> Happening:
        """One more event; what is below its transaction stands still from now on."""
        place = Place(self.standing if transaction is None else transaction, new_id())
        given: dict[str, Any] = {
            "place": place, "city": CITY, "appeal": new_id(), "number": number, "sequence": 1,
            "type": EventType.COMMENTED, "at": datetime(2026, 11, 28, tzinfo=UTC),
            "internal": False, "status": Status.ASSIGNED, "service": "roads",
            "organisation": None, "actor": "operator", "citizen": None, "district": None,
            "organisations": frozenset(),
        }  # fmt: skip
        event = Happening(**given | changes)
        self.events.append(event)
        self.events.sort(key=lambda each: each.place)
        self.standing = max(self.standing, place.transaction + 1)
        self.wake()
        return event

    async def floor(self) -> Place:
        self.reads += 1
        if self.away:
            raise Unavailable(what="database")
        return Place(self.standing)

    async def after(
        self, place: Place, floor: Place, limit: int, wanted: Wanted | None = None
    ) -> Sequence[Happening]:
        await asyncio.sleep(0)
        return [e for e in self.events if place < e.place < floor][:limit]

    async def holds(self, place: Place) -> bool:
        return any(event.place == place for event in self.events)

    async def listen(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        await asyncio.Event().wait()


async def sound() -> Principal:
    return INSPECTOR


ALL = Wanted(CITY)


class Follower:
    """Somebody who follows, and what they were told."""

    def __init__(self, hub: Hub, wanted: Wanted = ALL, after: Place | None = None, **rest: Any):
        self.told: list[Happening] = []
        self.refusal: Exception | None = None
        judge = rest.get("judge", sound)
        self._events = hub.follow(rest.get("principal", INSPECTOR), wanted, judge, after)
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        try:
            async with aclosing(self._events) as events:
                async for happening in events:
                    self.told.append(happening)
        except Exception as refusal:
            self.refusal = refusal

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(condition: Callable[[], bool], patience: float = 5.0) -> None:
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def hub(told: Told) -> Any:
    opened = Hub(told)
    yield opened
    await opened.close()


async def test_each_hears_what_they_follow_and_no_more(hub: Hub, told: Told):
    one, every = Follower(hub, Wanted(CITY, number="7")), Follower(hub)
    elsewhere = Follower(hub, Wanted(new_id()))
    await until(lambda: hub.subscribers == 3)
    told.happen("7")
    told.happen("8")
    await until(lambda: len(every.told) == 2)
    assert [each.number for each in one.told] == ["7"]
    assert elsewhere.told == []


async def test_who_catches_up_is_judged_before_each_entry(hub: Hub, told: Told):
    """A token that ends while they read what they missed ends that too."""
    start, left = told.happen().place, 3
    for _ in range(20):
        told.happen()

    async def fading() -> Principal:
        nonlocal left
        left -= 1
        if left < 0:
            raise Unauthenticated
        return INSPECTOR

    follower = Follower(hub, after=start, judge=fading)
    await until(lambda: follower.refusal is not None)
    assert isinstance(follower.refusal, Unauthenticated)
    assert len(follower.told) <= 3


async def test_who_comes_back_by_the_hundred_takes_few_connections(hub: Hub, told: Told):
    start = told.happen().place
    for _ in range(5):
        told.happen()
    reading, most, read = 0, 0, told.after

    async def counted(*asked: Any) -> Sequence[Happening]:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0.002)
        reading -= 1
        return await read(*asked)

    told.after = counted  # type: ignore[assignment, method-assign]
    followers = [Follower(hub, after=start) for _ in range(100)]
    await until(lambda: all(len(each.told) == 5 for each in followers))
    # One more: the reader of all.
    assert most <= hubs.CATCHING_UP + 1


async def test_who_comes_back_to_one_place_is_told_by_one_read(hub: Hub, told: Told):
    """The thousands of a line that broke had the same last entry."""
    start = told.happen().place
    missed = [told.happen() for _ in range(5)]
    reads, read = 0, told.after

    async def counted(*asked: Any) -> Sequence[Happening]:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.01)
        return await read(*asked)

    told.after = counted  # type: ignore[assignment, method-assign]
    narrow = Wanted(CITY, types=frozenset({EventType.ACCEPTED}))
    followers = [Follower(hub, after=start) for _ in range(90)]
    others = [Follower(hub, narrow, after=start) for _ in range(10)]
    await until(lambda: all(each.told == missed for each in followers))
    assert all(each.told == [] for each in others)
    # One for all who come back, one of the reader.
    assert reads <= 2


async def test_who_leaves_while_it_is_read_takes_nobodys_past_away(hub: Hub, told: Told):
    start = told.happen().place
    missed = [told.happen() for _ in range(5)]
    read, gate = told.after, asyncio.Event()

    async def held(*asked: Any) -> Sequence[Happening]:
        await gate.wait()
        return await read(*asked)

    told.after = held  # type: ignore[assignment, method-assign]
    first, second = Follower(hub, after=start), Follower(hub, after=start)
    await until(lambda: hub.subscribers == 2)
    await asyncio.sleep(0.01)
    await first.leave()
    gate.set()
    await until(lambda: second.told == missed)
    assert first.told == []


async def test_nothing_is_read_while_nobody_follows(hub: Hub, told: Told):
    await asyncio.sleep(0.05)
    assert told.reads == 0
    follower = Follower(hub)
    await until(lambda: hub.subscribers == 1)
    await follower.leave()
    await until(lambda: hub.subscribers == 0)
    told.happen()
    await asyncio.sleep(0.05)
    before = told.reads
    await asyncio.sleep(2 * hubs.SWEEP)
    assert told.reads == before


async def test_what_happened_before_is_not_told_to_who_asks_for_nothing_past(hub: Hub, told: Told):
    told.happen()
    follower = Follower(hub)
    await until(lambda: hub.subscribers == 1)
    later = told.happen()
    await until(lambda: bool(follower.told))
    assert follower.told == [later]


async def test_who_comes_back_hears_all_that_they_missed_once_and_in_order(hub: Hub, told: Told):
    first = told.happen()
    missed = [told.happen() for _ in range(1_200)]
    follower = Follower(hub, after=first.place)
    live: list[Happening] = []
    while len(follower.told) < 1_200 or len(live) < 50:
        live.append(told.happen())
        await asyncio.sleep(0)
    await until(lambda: len(follower.told) == len(missed) + len(live))
    assert follower.told == [*missed, *live]


async def test_a_place_that_another_process_reached_first_is_waited_for(hub: Hub, told: Told):
    other = Follower(hub)
    await until(lambda: hub.subscribers == 1)
    told.wake = lambda: None
    ahead = told.happen()
    follower = Follower(hub, after=ahead.place)
    await until(lambda: hub.subscribers == 2)
    later = told.happen()
    await until(lambda: len(other.told) == 2 and bool(follower.told))
    assert follower.told == [later]


async def test_the_floor_is_a_place_to_begin_from(hub: Hub, told: Told):
    """Whoever asked where they stand now, while the hub has not yet looked there."""
    other = Follower(hub)
    await until(lambda: hub.subscribers == 1)
    told.wake = lambda: None
    told.happen()
    follower = Follower(hub, after=await told.floor())
    await until(lambda: hub.subscribers == 2)
    later = told.happen()
    await until(lambda: len(other.told) == 2 and bool(follower.told))
    assert follower.told == [later]


async def test_a_place_that_nobody_reached_is_refused(hub: Hub, told: Told):
    """The copy of a register in a cluster whose transactions are counted anew."""
    there = told.happen(transaction=10**9)
    told.standing = 5
    follower = Follower(hub, after=there.place)
    await until(lambda: follower.refusal is not None)
    assert isinstance(follower.refusal, CursorLost)
    assert hub.subscribers == 0


async def test_a_place_that_a_restored_register_has_not_is_refused(hub: Hub, told: Told):
    lost = told.happen().place
    told.events.clear()
    told.standing = lost.transaction
    others = [told.happen(), told.happen()]
    assert others[0].place.transaction == lost.transaction
    follower = Follower(hub, after=lost)
    await until(lambda: follower.refusal is not None)
    assert isinstance(follower.refusal, CursorLost)
    assert follower.told == []


async def test_who_does_not_take_what_comes_is_let_go_by_name_and_nobody_else_feels_it(
    hub: Hub, told: Told, caplog: Any
):
    slow = hub.follow(INSPECTOR, ALL, sound)
    first = asyncio.ensure_future(anext(slow))
    quick = Follower(hub)
    await until(lambda: hub.subscribers == 2)
    told.happen()
    await first
    for _ in range(QUEUE + 50):
        told.happen()
    await until(lambda: len(quick.told) == QUEUE + 51)
    # What waited is let go with them: they go on from the last cursor.
    with pytest.raises(TooSlow) as refused:
        await anext(slow)
    assert refused.value.params["kept"] == QUEUE
    assert hub.subscribers == 1
    more = told.happen()
    await until(lambda: quick.told[-1] == more)


async def test_what_waits_for_one_subscriber_is_bounded(hub: Hub, told: Told):
    slow = hub.follow(INSPECTOR, ALL, sound)
    first = asyncio.ensure_future(anext(slow))
    await until(lambda: hub.subscribers == 1)
    told.happen()
    await first
    for _ in range(2 * QUEUE):
        told.happen()
    [subscriber] = hub._subscribers
    await until(lambda: subscriber.ended is not None)
    assert len(subscriber.waiting) <= QUEUE
    await slow.aclose()


async def test_who_may_no_more_hears_nothing_of_what_happens_next(hub: Hub, told: Told):
    sound_now = True

    async def judge() -> Principal:
        if not sound_now:
            raise Unauthenticated(error="invalid_token")
        return INSPECTOR

    follower = Follower(hub, judge=judge)
    await until(lambda: hub.subscribers == 1)
    told.happen()
    await until(lambda: len(follower.told) == 1)
    sound_now = False
    told.happen()
    await until(lambda: follower.refusal is not None)
    assert isinstance(follower.refusal, Unauthenticated)
    assert len(follower.told) == 1


async def test_who_may_no_more_is_let_go_though_nothing_happens(
    hub: Hub, told: Told, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hubs, "JUDGED", 0.05)
    answers = iter([INSPECTOR, INSPECTOR])

    async def judge() -> Principal:
        found = next(answers, None)
        if found is None:
            raise Unauthenticated(error="invalid_token")
        return found

    follower = Follower(hub, judge=judge)
    await until(lambda: follower.refusal is not None)
    assert isinstance(follower.refusal, Unauthenticated)


async def test_those_who_are_judged_again_are_asked_about_together(
    hub: Hub, told: Told, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hubs, "JUDGED", 0.05)
    asking, most = 0, 0

    async def judge() -> Principal:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        await asyncio.sleep(0.005)
        asking -= 1
        return INSPECTOR

    followers = [Follower(hub, judge=judge) for _ in range(50)]
    await until(lambda: most >= 50)
    assert hub.subscribers == len(followers)


async def test_who_becomes_somebody_else_hears_as_that_one(hub: Hub, told: Told):
    water, heat = new_id(), new_id()
    executor = Principal(new_id(), Role.EXECUTOR, CITY, organisations=frozenset({water}))
    moved = Principal(executor.id, Role.EXECUTOR, CITY, organisations=frozenset({heat}))
    now = [executor]

    async def judge() -> Principal:
        return now[0]

    follower = Follower(hub, judge=judge, principal=executor)
    await until(lambda: hub.subscribers == 1)
    theirs = told.happen("1", organisations=frozenset({water}))
    told.happen("2", organisations=frozenset({heat}))
    await until(lambda: bool(follower.told))
    now[0] = moved
    told.happen("3", organisations=frozenset({water}))
    both = told.happen("4", organisations=frozenset({water, heat}))
    await until(lambda: len(follower.told) == 2)
    assert follower.told == [theirs, both]


async def test_a_principal_has_so_many_and_a_process_so_many(told: Told):
    hub = Hub(told, most=3, most_of_one=2)
    try:
        mine = [Follower(hub) for _ in range(3)]
        await until(lambda: sum(each.refusal is not None for each in mine) == 1)
        other = Principal(new_id(), Role.OPERATOR, CITY)
        theirs = [Follower(hub, principal=other) for _ in range(2)]
        await until(lambda: sum(each.refusal is not None for each in theirs) == 1)
        refusals = [each.refusal for each in (*mine, *theirs) if each.refusal]
        assert all(isinstance(each, RateLimited) for each in refusals)
        await next(each for each in mine if each.refusal is None).leave()
        again = Follower(hub)
        await until(lambda: hub.subscribers == 3)
        assert again.refusal is None
    finally:
        await hub.close()


async def test_a_database_that_is_away_for_a_while_costs_nobody_anything(hub: Hub, told: Told):
    follower = Follower(hub)
    await until(lambda: hub.subscribers == 1)
    told.away = True
    during = told.happen()
    await asyncio.sleep(0.1)
    assert follower.told == []
    told.away = False
    await until(lambda: follower.told == [during], patience=10)


async def test_a_call_that_is_missed_loses_nothing(hub: Hub, told: Told):
    follower = Follower(hub)
    await until(lambda: hub.subscribers == 1)
    told.wake = lambda: None
    unheard = told.happen()
    await until(lambda: follower.told == [unheard], patience=3 * hubs.SWEEP)


async def test_the_house_closes_and_says_so(told: Told):
    hub = Hub(told)
    follower = Follower(hub)
    await until(lambda: hub.subscribers == 1)
    await hub.close()
    await until(lambda: follower.refusal is not None)
    assert isinstance(follower.refusal, Unavailable)


def test_places_are_in_the_order_of_transactions_and_then_of_ids():
    low, high = UUID(int=1), UUID(int=2)
    assert Place(1, high) < Place(2, low) < Place(2, high)
    assert Place(2) < Place(2, low)
