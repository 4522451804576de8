"""One transaction: what is committed stands together, what fails leaves nothing, nobody is lost."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from textwrap import dedent
from typing import Any

import asyncpg
import psycopg
import pytest

from domain.access import Role
from domain.appeals import intake as intakes
from domain.appeals import use_cases
from domain.appeals.commands import Accept, Comment, PauseWork, Report, Resolve, Resume, Withdraw
from domain.appeals.workflow import Action, PauseReason, Status, allowed
from domain.errors import InvalidTransition, Unavailable, VersionConflict
from domain.ports import Answer, KeyTaken
from domain.sla.clock import ClockState
from domain.sla.policy import Stage
from domain.values import new_id
from tests.support.appeals import make_intake, perform, register
from tests.support.city import KISHI
from tests.support.sql import fetch

PARTS = ("appeal", "clock", "assignment", "event", "event_personal", "outbox")
COMMENTED = Comment("бригада жолда")


async def counts(house) -> dict[str, int]:
    one = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in PARTS)
    (row,) = await fetch(house, f"SELECT {one}, (SELECT count(*) FROM idempotency) AS idempotency")
    return dict(row)


async def meanwhile(house, appeal, action, command, **who):
    """An act that must wait for a lock which somebody else holds; its task."""
    task = asyncio.create_task(perform(house, appeal, action, command, **who))
    for _ in range(200):
        waiting = await fetch(
            house,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()",
        )
        if waiting:
            return task
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def act(house, uow, appeal, action, command):
    return await use_cases.perform(
        appeal.number, action, command,
        uow=uow, reference=house.references.of(KISHI.id), at=house.now(),
    )  # fmt: skip


async def test_who_waited_for_the_lock_reads_what_the_other_wrote(house):
    appeal = await register(house, service="general.unclassified", answers={})
    there: dict[str, Any] = {"organisation": KISHI.department}
    await perform(house, appeal, Action.ACCEPT, Accept(), **there)
    async with house.units.open(KISHI.principal(Role.EXECUTOR, **there)) as first:
        waiting = PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық")
        await act(house, first, appeal, Action.PAUSE, waiting)
        second = await meanwhile(house, appeal, Action.RESUME, Resume(), **there)
        await first.commit()
    resumed = await second
    assert resumed.status is Status.IN_PROGRESS
    stored = await house.queries.appeal(KISHI.principal(Role.INSPECTOR), appeal.number)
    clock = stored.clock(Stage.RESOLVE)
    assert clock is not None
    assert clock.state is ClockState.RUNNING
    assert stored == resumed


async def test_of_two_who_take_the_same_appeal_one_is_told_what_is_possible_now(house):
    appeal = await register(house)
    async with house.units.open(KISHI.principal(Role.EXECUTOR)) as first:
        await act(house, first, appeal, Action.ACCEPT, Accept())
        second = await meanwhile(house, appeal, Action.ACCEPT, Accept())
        await first.commit()
    with pytest.raises(InvalidTransition) as refused:
        await second
    assert refused.value.params["allowed"] == allowed(
        Status.IN_PROGRESS, KISHI.principal(Role.EXECUTOR)
    )


async def test_twenty_words_at_once_make_one_unbroken_chain(house):
    appeal = await register(house)
    say = [perform(house, appeal, Action.COMMENT, COMMENTED, role=Role.OPERATOR) for _ in range(20)]
    versions = sorted(done.version for done in await asyncio.gather(*say))
    assert versions == list(range(2, 22))
    found = await fetch(
        house, "SELECT sequence FROM event WHERE appeal_id = $1 ORDER BY sequence", appeal.id
    )
    assert [row["sequence"] for row in found] == list(range(1, 23))


async def test_a_change_of_what_changed_meanwhile_is_refused_by_the_database_too(house):
    appeal = await register(house)
    async with house.units.open(KISHI.principal(Role.OPERATOR)) as uow:
        await act(house, uow, appeal, Action.COMMENT, COMMENTED)
        change, claim = uow.appeals.pending[0]
        uow.appeals.pending[0] = (replace(change, expected=99), claim)
        with pytest.raises(VersionConflict):
            await uow.commit()
    stored = await house.queries.appeal(KISHI.principal(), appeal.number)
    assert stored.version == 1


async def test_what_is_not_committed_did_not_happen(house):
    before = await counts(house)
    async with house.units.open(KISHI.principal()) as uow:
        await intakes.register(
            make_intake(), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
    assert await counts(house) == before


@pytest.fixture
async def broken(house, request):
    """A database in which no row of one table can be written."""
    table = request.param
    await fetch(house, f"ALTER TABLE {table} ADD CONSTRAINT torn CHECK (false) NOT VALID")
    yield table
    await fetch(house, f"ALTER TABLE {table} DROP CONSTRAINT torn")


@pytest.mark.parametrize("broken", [*PARTS, "idempotency"], indirect=True)
async def test_an_intake_that_fails_in_any_part_leaves_nothing(house, broken):
    before = await counts(house)
    with pytest.raises(asyncpg.CheckViolationError):
        await _register_with_key(house, str(new_id()))
    assert await counts(house) == before


@pytest.mark.parametrize("broken", ["clock", "event", "event_personal", "outbox"], indirect=True)
async def test_an_act_that_fails_in_any_part_leaves_the_appeal_as_it_was(house, broken):
    await fetch(house, f"ALTER TABLE {broken} DROP CONSTRAINT torn")
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await fetch(house, f"ALTER TABLE {broken} ADD CONSTRAINT torn CHECK (false) NOT VALID")
    before, stored = (
        await counts(house),
        await house.queries.appeal(KISHI.principal(), appeal.number),
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await perform(house, appeal, Action.REPORT, Report(Stage.SECURE, "қоршалды"))
    assert await counts(house) == before
    assert await house.queries.appeal(KISHI.principal(), appeal.number) == stored


async def test_a_number_of_a_failed_intake_is_given_out_next(house):
    first = await register(house)
    async with house.units.open(KISHI.principal()) as uow:
        await intakes.register(
            make_intake(), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
    second = await register(house)
    assert int(second.number[-6:]) == int(first.number[-6:]) + 1


async def _register_with_key(house, key: str):
    async with house.units.open(KISHI.principal()) as uow:
        appeal = await intakes.register(
            make_intake(), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
        await uow.commit(Answer(key, b"f" * 32, 201, {"location": "/x"}, b'{"said": "Aigul"}'))
    return appeal


async def test_a_key_stands_for_one_appeal_however_often_it_is_sent(house):
    key = str(new_id())
    appeal = await _register_with_key(house, key)
    before = await counts(house)
    with pytest.raises(KeyTaken):
        await _register_with_key(house, key)
    assert await counts(house) == before
    answer = await house.answers.find(KISHI.principal(), key)
    assert answer == Answer(key, b"f" * 32, 201, {"location": "/x"}, b'{"said": "Aigul"}')
    assert await house.answers.find(KISHI.principal(Role.INSPECTOR), key) is None
    assert appeal.version == 1


async def test_of_eight_repeats_at_once_one_is_kept(house):
    key = str(new_id())
    answers = await asyncio.gather(
        *(_register_with_key(house, key) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, KeyTaken) for one in answers) == 7


async def test_a_kept_answer_cannot_be_read_without_the_key(house):
    key = str(new_id())
    await _register_with_key(house, key)
    (row,) = await fetch(house, "SELECT answer FROM idempotency WHERE key = $1", key)
    assert b"Aigul" not in row["answer"]
    assert b"location" not in row["answer"]


async def test_only_the_residents_word_closes_whoever_writes(house):
    appeal = await register(house)
    connection = await asyncpg.connect(house.settings.database_url)
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="closed_by_resident"):
            await connection.execute("UPDATE appeal SET status = 'closed' WHERE id = $1", appeal.id)
    finally:
        await connection.close()


KILLED = """
    import asyncio, os
    from datetime import UTC, datetime
    from domain.access import Role
    from domain.appeals import intake
    from domain.appeals.commands import Intake, Whereabouts
    from domain.appeals.model import Channel, Kind
    from integrations.postgres.engine import open_engine
    from integrations.postgres.reference import PostgresReferences
    from integrations.postgres.unit_of_work import UnitsOfWork
    from integrations.vault.keyring import parse_keyring
    from tests.support.city import KISHI, MANHOLE, MANHOLE_ANSWERS

    async def main():
        engine, at = open_engine(os.environ["DATABASE_URL"]), datetime.now(UTC)
        references = PostgresReferences(engine)
        await references.refresh(at)
        said = Intake(
            MANHOLE, Kind.COMPLAINT, Channel.PHONE, "kk", "Люк ашық",
            Whereabouts(building=KISHI.house), answers=MANHOLE_ANSWERS,
        )
        units = UnitsOfWork(engine, parse_keyring(os.environ["IKOMEK_KEYS"]), "")
        async with units.open(KISHI.principal(Role.OPERATOR)) as uow:
            appeal = await intake.register(
                said, uow=uow, reference=references.of(KISHI.id), at=at
            )
            await uow.commit()
            print(appeal.number, flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
"""


def killed_after_its_answer(**told: str) -> str:
    """The number that a process told before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(KILLED)], env={**os.environ, **told}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout as said:
        number = said.readline().decode().strip()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    return number


async def test_what_was_acknowledged_survives_the_death_of_the_process(house):
    number = await asyncio.to_thread(
        killed_after_its_answer,
        DATABASE_URL=house.settings.database_url,
        IKOMEK_KEYS=house.settings.keys,
    )
    appeal = await house.queries.appeal(KISHI.principal(), number)
    (row,) = await fetch(
        house,
        "SELECT (SELECT count(*) FROM clock WHERE appeal_id = $1) AS clocks,"
        " (SELECT count(*) FROM event WHERE appeal_id = $1) AS events,"
        " (SELECT count(*) FROM outbox o JOIN event e ON e.id = o.event_id"
        "   WHERE e.appeal_id = $1) AS consequences",
        appeal.id,
    )
    assert tuple(row) == (2, 2, 2)
    assert appeal.head.sequence == 2


async def test_a_lost_connection_is_told_and_the_next_call_succeeds(house):
    appeal = await register(house)

    async def cut() -> None:
        # And wait until they are gone: a line that is about to end may still be lent.
        await fetch(
            house,
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'ikomek'",
        )

    async def lose() -> None:
        async with house.units.open(KISHI.principal()) as uow:
            await uow.appeals.get(appeal.number)
            await cut()
            await uow.appeals.get(appeal.number)

    with pytest.raises(Unavailable) as refused:
        await lose()
    assert refused.value.params == {"what": "database"}
    await asyncio.sleep(0.1)
    again = await perform(house, appeal, Action.COMMENT, COMMENTED, role=Role.OPERATOR)
    assert again.version == 2
    await cut()
    try:
        await house.queries.appeal(KISHI.principal(), appeal.number)
    except Unavailable:
        # The server's last word had come, and the end of the line not yet.
        await asyncio.sleep(0.1)
    stored = await house.queries.appeal(KISHI.principal(), appeal.number)
    assert stored.version == 2


async def test_what_is_due_is_acted_on_once_and_what_is_not_is_left_alone(house):
    late = await register(house, at=house.now() - timedelta(hours=4))
    fresh = await register(house)
    done: list[str] = []

    async def schedule() -> None:
        async with house.units.open(KISHI.principal(Role.SYSTEM)) as uow:
            acted = await use_cases.act_on_due(
                uow=uow, reference=house.references.of(KISHI.id), at=house.now(), limit=100
            )
            await asyncio.sleep(0.05)
            await uow.commit()
            done.extend(change.appeal.number for change in acted.changes)

    await asyncio.gather(schedule(), schedule())
    await schedule()
    assert done.count(late.number) == 1
    assert fresh.number not in done


async def test_a_scheduler_that_comes_just_after_another_repeats_nothing(house):
    """The second took its snapshot before the first committed, and its lock after."""
    appeal = await register(house, at=house.now() - timedelta(hours=4))
    system = KISHI.principal(Role.SYSTEM)
    for _ in range(25):
        await fetch(
            house,
            "UPDATE clock SET next_at = due_at, step = 1, state = 'running', breached_at = NULL"
            " WHERE appeal_id = $1 AND stage = 'secure'",
            appeal.id,
        )
        await asyncio.gather(*(_tick(house, system) for _ in range(4)))
    (row,) = await fetch(
        house,
        "SELECT count(*) AS n FROM event WHERE appeal_id = $1 AND type = 'clock.breached'",
        appeal.id,
    )
    assert row["n"] == 25


async def _tick(house, system) -> None:
    async with house.units.open(system) as uow:
        await use_cases.act_on_due(
            uow=uow, reference=house.references.of(KISHI.id), at=house.now(), limit=100
        )
        await uow.commit()


async def test_a_withdrawal_and_a_solution_at_once_leave_one_of_them(house):
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    resolve = Resolve("дайын", no_photo_reason="жер асты")
    both = await asyncio.gather(
        perform(house, appeal, Action.RESOLVE, resolve),
        perform(house, appeal, Action.WITHDRAW, Withdraw("call"), role=Role.OPERATOR),
        return_exceptions=True,
    )
    stored = await house.queries.appeal(KISHI.principal(), appeal.number)
    # Resolved and then withdrawn is a life too; withdrawn and then resolved is none.
    refused = [one for one in both if isinstance(one, InvalidTransition)]
    assert stored.status is Status.WITHDRAWN
    assert len(refused) <= 1
    assert {clock.state for clock in stored.clocks} <= {ClockState.MET, ClockState.CANCELLED}


async def test_the_database_can_tell_a_reader_that_owns_nothing_what_it_is(house):
    async with house.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert await driver.fetchval("SELECT current_user") == "ikomek_app"
    with psycopg.connect(house.settings.database_url) as owner:
        row = owner.execute("SELECT current_user").fetchone()
        assert row is not None
        assert row[0] != "ikomek_app"
