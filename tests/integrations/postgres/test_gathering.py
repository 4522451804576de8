"""Many intakes in one transaction: each is answered after its own commit, none pays for another."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from textwrap import dedent

import asyncpg
import pytest

from domain.appeals import intake as intakes
from domain.errors import Unavailable
from domain.ports import Answer, KeyTaken
from domain.values import new_id
from integrations.postgres.gathering import Gathering
from tests.support.appeals import make_intake, register
from tests.support.city import KISHI
from tests.support.sql import fetch
from tests.support.worker import eventually


async def intake(house, *, key: str | None = None, spoil=None):
    """One caller's intake; `spoil` may change what waits to be written."""
    async with house.units.open(KISHI.principal()) as uow:
        appeal = await intakes.register(
            make_intake(), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
        if spoil is not None:
            uow.appeals.pending = [spoil(*uow.appeals.pending[0])]
        await uow.commit(Answer(key, b"f" * 32, 201, {}, b"{}") if key else None)
    return appeal


async def written(house, appeals) -> int:
    """How many of these are in the register, with all that goes with them."""
    ids = [appeal.id for appeal in appeals]
    (row,) = await fetch(
        house,
        "SELECT count(*) FROM appeal a JOIN card c ON c.appeal_id = a.id WHERE a.id = ANY($1)"
        " AND (SELECT count(*) FROM event e JOIN outbox o ON o.event_id = e.id"
        "       WHERE e.appeal_id = a.id) = 2"
        " AND (SELECT count(*) FROM clock k WHERE k.appeal_id = a.id) = 2",
        ids,
    )
    return int(row[0])


async def together(*callers):
    """All at once; what came of each."""
    return await asyncio.gather(*callers, return_exceptions=True)


async def test_forty_at_once_take_few_transactions(house, monkeypatch):
    """However the forty come: while the first are written, the others gather."""
    write, begun = Gathering._register, 0

    async def slowly(self, batch):
        nonlocal begun
        begun += len(batch)

        async def all_came():
            return begun + len(self._waiting) == 40

        await eventually(all_came, pause=0.01)
        return await write(self, batch)

    monkeypatch.setattr(Gathering, "_register", slowly)
    appeals = await together(*(intake(house) for _ in range(40)))
    assert await written(house, appeals) == 40
    (row,) = await fetch(
        house, "SELECT count(DISTINCT xid::text) FROM event WHERE appeal_id = ANY($1)",
        [appeal.id for appeal in appeals],
    )  # fmt: skip
    assert row[0] <= 2
    assert len({appeal.number for appeal in appeals}) == 40


async def test_a_key_that_is_taken_is_told_to_its_caller_alone(house):
    key = str(new_id())
    await intake(house, key=key)
    repeat = intake(house, key=key)
    others = [intake(house, key=str(new_id())) for _ in range(6)]
    told, *appeals = await together(repeat, *others)
    assert isinstance(told, KeyTaken)
    assert await written(house, appeals) == 6


async def test_of_two_with_one_key_in_one_batch_one_is_kept(house):
    key = str(new_id())
    found = await together(*(intake(house, key=key) for _ in range(2)), intake(house))
    assert sum(isinstance(one, KeyTaken) for one in found) == 1


async def test_a_number_that_is_lost_is_told_to_its_caller_alone(house):
    def lose(change, claim):
        return change, replace(claim, number=999_999)

    told, *appeals = await together(intake(house, spoil=lose), *(intake(house) for _ in range(6)))
    assert isinstance(told, Unavailable)
    assert told.params == {"what": "number"}
    assert await written(house, appeals) == 6


async def test_what_breaks_a_rule_of_the_table_breaks_nobody_else(house):
    known = await register(house)

    def repeat(change, claim):
        return replace(change, appeal=replace(change.appeal, number=known.number)), claim

    told, *appeals = await together(intake(house, spoil=repeat), *(intake(house) for _ in range(6)))
    assert isinstance(told, asyncpg.UniqueViolationError)
    assert await written(house, appeals) == 6


async def test_who_hangs_up_while_waiting_is_not_written_and_holds_up_nobody(house, monkeypatch):
    began, go_on = asyncio.Event(), asyncio.Event()
    write = Gathering._register

    async def slowly(self, batch):
        began.set()
        await go_on.wait()
        return await write(self, batch)

    taken: list[int] = []
    take = house.units.numbers.take

    async def noted(city, year):
        taken.append(await take(city, year))
        return taken[-1]

    monkeypatch.setattr(house.units.numbers, "take", noted)
    monkeypatch.setattr(Gathering, "_register", slowly)
    first = asyncio.create_task(intake(house))
    await began.wait()
    gone, stays = (asyncio.create_task(intake(house)) for _ in range(2))

    async def both_wait() -> bool:
        return len(house.units._gathering._waiting) == 2

    await eventually(both_wait)
    gone.cancel()
    await asyncio.sleep(0)
    go_on.set()
    appeals = [await first, await stays]
    assert gone.cancelled()
    assert await written(house, appeals) == 2
    (given_back,) = set(taken) - {int(appeal.number[-6:]) for appeal in appeals}
    assert int((await register(house)).number[-6:]) == given_back


async def test_who_hangs_up_while_being_written_is_written_as_all_the_others(house, monkeypatch):
    began = asyncio.Event()
    write = Gathering._register

    async def told(self, batch):
        began.set()
        return await write(self, batch)

    monkeypatch.setattr(Gathering, "_register", told)
    (before,) = await fetch(house, "SELECT count(*) FROM appeal")
    caller = asyncio.create_task(intake(house))
    await began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await register(house)
    (after,) = await fetch(house, "SELECT count(*) FROM appeal")
    assert after[0] - before[0] == 2


async def test_a_database_that_is_gone_is_told_to_everybody_and_the_next_succeed(house):
    held = await asyncpg.connect(house.settings.database_url)
    async with held.transaction():
        await held.execute("LOCK TABLE appeal IN ACCESS EXCLUSIVE MODE")
        callers = [asyncio.create_task(intake(house)) for _ in range(5)]
        for _ in range(1000):
            cut = await held.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type ="
                " 'Lock' AND datname = current_database() AND application_name = 'ikomek'"
            )
            if cut:
                break
            await asyncio.sleep(0.02)
    await held.close()
    found = await together(*callers)
    assert any(isinstance(one, Unavailable) for one in found)
    assert all(isinstance(one, Unavailable) or hasattr(one, "number") for one in found)
    assert await written(house, [await intake(house)]) == 1


KILLED = """
    import asyncio, os
    from datetime import UTC, datetime
    from integrations.postgres.engine import open_engine
    from integrations.postgres.reference import PostgresReferences
    from integrations.postgres.unit_of_work import UnitsOfWork
    from integrations.vault.keyring import parse_keyring
    from domain.appeals import intake
    from tests.support.appeals import make_intake
    from tests.support.city import KISHI

    async def main():
        engine, at = open_engine(os.environ["DATABASE_URL"]), datetime.now(UTC)
        references = PostgresReferences(engine)
        await references.refresh(at)
        units = UnitsOfWork(engine, parse_keyring(os.environ["IKOMEK_KEYS"]), "")

        async def caller():
            while True:
                async with units.open(KISHI.principal()) as uow:
                    appeal = await intake.register(
                        make_intake(), uow=uow, reference=references.of(KISHI.id), at=at
                    )
                    await uow.commit()
                    print(appeal.id, flush=True)

        await asyncio.gather(*(caller() for _ in range(16)))

    asyncio.run(main())
"""


def killed_in_a_storm(answers: int, **told: str) -> list[str]:
    """What a process with sixteen callers acknowledged before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(KILLED)], env={**os.environ, **told}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout as said:
        found = [said.readline() for _ in range(answers)]
        process.send_signal(signal.SIGKILL)
        found += said.readlines()
        process.wait(10)
    return [line.decode().strip() for line in found if line.endswith(b"\n")]


async def test_what_was_acknowledged_in_a_storm_survives_the_death_of_the_process(house):
    acknowledged = await asyncio.to_thread(
        killed_in_a_storm,
        150,
        DATABASE_URL=house.settings.database_url,
        IKOMEK_KEYS=house.settings.keys,
    )
    (row,) = await fetch(
        house,
        "SELECT count(*) FROM appeal a WHERE a.id = ANY($1::uuid[]) AND 2 ="
        " (SELECT count(*) FROM event e JOIN outbox o ON o.event_id = e.id"
        "   WHERE e.appeal_id = a.id)",
        acknowledged,
    )
    assert row[0] == len(acknowledged) >= 150
