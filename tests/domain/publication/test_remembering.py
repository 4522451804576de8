"""What was counted is believed for a while, and each thing is counted once at a time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.publication.remembering import Remembered

AT = datetime(2026, 11, 26, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Counting:
    """A register that holds something of capitals alone, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ended = 0
        self.goes_on = asyncio.Event()
        self.fails: set[str] = set()

    async def count(self, key: str) -> list[str]:
        self.asked.append(key)
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.ended += 1
            raise
        if key in self.fails:
            raise OSError(key)
        return [key] * key.isupper()


class Asking:
    """Asks, each time as somebody else."""

    def __init__(self, register: Counting, most: int = 9) -> None:
        self._register = register
        self._known: Remembered[str, list[str]] = Remembered(most)

    def __call__(self, key: str, at: datetime = AT) -> "asyncio.Future[list[str]]":
        asked = self._known.of(key, at, at + HOUR, lambda: self._register.count(key))
        return asyncio.ensure_future(asked)


@pytest.fixture
def register() -> Counting:
    return Counting()


async def test_each_is_counted_once_however_many_ask_for_it_at_a_time(register: Counting):
    ask = Asking(register)
    asked = [ask(key) for key in "AAAxAxA"]
    await asyncio.sleep(0)
    register.goes_on.set()
    found = await asyncio.gather(*asked)
    assert sorted(register.asked) == ["A", "x"]
    assert all(one is found[0] for one in found if one)
    await ask("A")
    await ask("x")
    assert len(register.asked) == 2


async def test_whoever_leaves_takes_the_count_from_nobody_and_what_nobody_waits_for_ends(
    register: Counting,
):
    ask = Asking(register)
    first, second = ask("A"), ask("A")
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    assert register.ended == 0
    second.cancel()
    await asyncio.sleep(0.01)
    third = ask("A")
    await asyncio.sleep(0.01)
    assert (register.ended, register.asked) == (1, ["A", "A"])
    register.goes_on.set()
    assert await third


async def test_a_count_that_fails_is_made_anew_by_who_asks_then_and_fails_nobody_else(
    register: Counting,
):
    ask = Asking(register)
    register.fails = {"A"}
    register.goes_on.set()
    told = await asyncio.gather(ask("A"), ask("A"), ask("B"), return_exceptions=True)
    assert [type(each) for each in told] == [OSError, OSError, list]
    register.fails = set()
    assert await ask("A")


async def test_what_holds_nothing_pushes_out_nothing_that_holds_something(register: Counting):
    ask = Asking(register, most=2)
    register.goes_on.set()
    for key in "AabcdefgAg":
        await ask(key)
    assert register.asked.count("A") == register.asked.count("g") == 1
    # Nor is it kept for ever itself.
    await ask("a")
    assert register.asked.count("a") == 2


async def test_what_was_asked_for_last_is_forgotten_last(register: Counting):
    ask = Asking(register, most=2)
    register.goes_on.set()
    for key in "ABACAB":
        await ask(key)
    assert register.asked == ["A", "B", "C", "B"]


async def test_nothing_is_believed_beyond_its_time_or_before_it_was_counted(register: Counting):
    """A clock that was set back stops no remembering."""
    ask = Asking(register)
    register.goes_on.set()
    for minute, counted in ((0, 1), (59, 1), (60, 2), (59, 3), (59, 3)):
        await ask("A", AT + timedelta(minutes=minute))
        assert len(register.asked) == counted
