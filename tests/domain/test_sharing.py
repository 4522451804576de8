"""What many ask for at once is made once."""

import asyncio

import pytest

from domain.errors import Unavailable
from domain.sharing import Sharing


class Maker:
    """Makes something when it is told to."""

    def __init__(self) -> None:
        self.made = 0
        self.go = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self) -> int:
        self.made += 1
        await self.go.wait()
        if self.fault is not None:
            raise self.fault
        return self.made


async def asked(sharing: Sharing[str, int], make: Maker, *names: str) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(sharing.of(name, make)) for name in names]
    for _ in range(2):  # for them to ask, and for it to be begun
        await asyncio.sleep(0)
    return tasks


async def test_it_is_made_once_for_all_who_ask_meanwhile_and_anew_afterwards():
    sharing, make = Sharing[str, int](), Maker()
    tasks = await asked(sharing, make, "a", "a", "a")
    assert make.made == 1
    other = await asked(sharing, make, "b")
    assert make.made == 2, "something else is made beside it"
    make.go.set()
    assert await asyncio.gather(*tasks, *other) == [2, 2, 2, 2]
    assert await sharing.of("a", make) == 3


async def test_who_gives_up_takes_nobodys_answer_away():
    sharing, make = Sharing[str, int](), Maker()
    first, second = await asked(sharing, make, "a", "a")
    first.cancel()
    await asyncio.sleep(0)
    (third,) = await asked(sharing, make, "a")
    make.go.set()
    assert [await second, await third] == [1, 1]
    assert first.cancelled()


async def test_a_fault_is_told_to_all_and_not_remembered():
    sharing, make = Sharing[str, int](), Maker()
    tasks = await asked(sharing, make, "a", "a")
    make.fault = Unavailable(what="database")
    make.go.set()
    for task in tasks:
        with pytest.raises(Unavailable):
            await task
    make.fault = None
    assert await sharing.of("a", make) == 2


async def test_a_fault_that_nobody_waits_for_any_more_is_no_noise(caplog: pytest.LogCaptureFixture):
    sharing, make = Sharing[str, int](), Maker()
    (task,) = await asked(sharing, make, "a")
    task.cancel()
    await asyncio.sleep(0)
    make.fault = Unavailable(what="database")
    make.go.set()
    for _ in range(3):
        await asyncio.sleep(0)
    del task
    assert caplog.records == []
    make.fault = None
    assert await sharing.of("a", make) == 2
