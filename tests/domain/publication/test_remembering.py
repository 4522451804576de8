"""What was counted is believed for a while, and each thing is counted once at a time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from domain.publication.remembering import Remembered

AT = datetime(2026, 11, 26, tzinfo=UTC)


class Counting:
    """A register that holds something of capitals alone, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ended = 0
        self.goes_on = asyncio.Event()
        self.fails = False
        self.most = 99

    async def count(self, keys: Sequence[str]) -> dict[str, list[str]]:
        self.asked += keys
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.ended += 1
            raise
        if self.fails or len(keys) > self.most:
            raise OSError("so many")
        return {key: [key] * key.isupper() for key in keys}


class Asking:
    """Asks, each time as somebody else."""

    def __init__(self, register: Counting, most: int = 9) -> None:
        self._register = register
        self._known: Remembered[str, list[str]] = Remembered(most)

    def __call__(self, keys: str, at: datetime = AT) -> "asyncio.Future[dict[str, list[str]]]":
        asked = self._known.each(keys, at, lambda _: at + timedelta(hours=1), self._register.count)
        return asyncio.ensure_future(asked)


@pytest.fixture
def register() -> Counting:
    return Counting()


async def test_each_is_counted_once_however_many_ask_for_it_at_a_time(register: Counting):
    ask = Asking(register)
    asked = [ask("A") for _ in range(5)] + [ask("Axy"), ask("Axyz")]
    await asyncio.sleep(0)
    register.goes_on.set()
    found = await asyncio.gather(*asked)
    assert sorted(register.asked) == ["A", "x", "y", "z"]
    assert all(each["A"] is found[0]["A"] for each in found)
    assert set(found[6]) == set("Axyz")
    await ask("Axyz")
    assert len(register.asked) == 4


async def test_nobody_waits_for_more_than_they_ask_for(register: Counting):
    """What somebody else wants to know besides may take long, and may fail."""
    ask = Asking(register)
    register.most = 5
    much = ask("ABCxyz")
    await asyncio.sleep(0.01)
    one, too = ask("A"), ask("A")
    await asyncio.sleep(0.01)
    assert register.asked == [*"ABCxyz", "A"], "once for both"
    register.goes_on.set()
    with pytest.raises(OSError, match="so many"):
        await much
    assert await one == await too == {"A": ["A"]}


async def test_what_was_counted_for_an_earlier_question_replaces_nothing(register: Counting):
    """A long count ends after a short one that was begun after it."""
    ask = Asking(register)
    much = ask("AB")
    await asyncio.sleep(0.01)
    later = AT + timedelta(minutes=30)
    one = ask("A", later)
    await asyncio.sleep(0.01)
    register.goes_on.set()
    await asyncio.gather(one, much)
    asked = len(register.asked)
    await ask("A", AT + timedelta(minutes=80))
    assert len(register.asked) == asked


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
    assert (await third)["A"]


async def test_a_count_that_fails_is_made_anew_by_who_asks_then(register: Counting):
    ask = Asking(register)
    register.fails = True
    register.goes_on.set()
    told = await asyncio.gather(ask("A"), ask("Ax"), return_exceptions=True)
    assert [type(each) for each in told] == [OSError, OSError]
    register.fails = False
    assert (await ask("A"))["A"]


async def test_what_holds_nothing_pushes_out_nothing_that_holds_something(register: Counting):
    ask = Asking(register, most=2)
    register.goes_on.set()
    for key in "Aabcdefg":
        await ask(key)
    await ask("Ag")
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
    ask = Asking(register)
    register.goes_on.set()
    for at, counted in ((0, 1), (59, 1), (60, 2), (59, 3)):
        await ask("A", AT + timedelta(minutes=at))
        assert len(register.asked) == counted
