"""Every column of an appeal, and of what follows from it, is held to the events or named here."""

from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.workflow import Action
from domain.law.kinds import AppealKind
from domain.sla.clock import Clock
from integrations.postgres import tables as t
from integrations.postgres.account_rows import judge, portions
from tests.support.appeals import perform, register, uploaded
from tests.support.city import KISHI

TABLES = (t.appeal, t.clock, t.assignment, t.completion, t.card, t.event_personal, t.attachment)
NOT_HELD = {
    "appeal.city_id": "in another city it is another's appeal, and this one is missing",
    "appeal.sequence": "the chain's end, by which the export is audited",
    "appeal.head": "the chain's end, by which the export is audited",
    "appeal.version": "counts writes, not events",
    "appeal.updated_at": "counts writes, not events",
    "appeal.contact": "no event tells it",
    "appeal.cell": "follows from the point, for suggestions alone",
    "appeal.incident_followed": "counts acts of the incident",
    "assignment.city_id": "another city sees nothing of this one's organisations",
    "assignment.reason": "the event has its commitment",
    "completion.city_id": "another city sees nothing of this one's organisations",
    "attachment.kind": "of the file that is shown, whose hash is held",
    "attachment.media_type": "of the file that is shown, whose hash is held",
    "attachment.filename": "no event tells it",
    "attachment.size": "of the file that is shown, whose hash is held",
    "attachment.width": "of the file that is shown, whose hash is held",
    "attachment.height": "of the file that is shown, whose hash is held",
    "attachment.storage_key": "where the file lies, whose hash is held",
    "attachment.purpose": "no event tells it",
    "attachment.incident_id": "evidence of an incident is the incident's",
    "attachment.created_at": "when it was uploaded, before it was anybody's",
    "attachment.city_id": "another city sees nothing of this one's appeals",
    "attachment.owner_id": "who uploaded it, before it was anybody's",
    "attachment.appeal_id": "evidence that vanishes is told by its event; an erasure is lawful",
    "event_personal.event_id": "moved to no event it is as though erased",
}
"""With the reason; docs/register.md tells them."""
CLOCKS = {"clock.appeal_id", *(f"clock.{name}" for name in Clock.__dataclass_fields__)}
"""`ikomek clocks check` counts these again."""
CASES = [pytest.param(table.name, column.name, id=f"{table.name}.{column.name}")
         for table in TABLES for column in table.columns]  # fmt: skip
KEYS = {"appeal": "id", "event_personal": "event_id"}


@pytest.fixture(scope="module")
async def appeal(house):
    """With a file, before the law, done, and waiting once more."""
    file = await uploaded(house, b"%PDF")
    appeal = await register(
        house, appeal_kind=AppealKind.APPLICATION, attachments=(file,), contact="call-1"
    )
    done = c.Resolve("жабылды", no_photo_reason="түн")
    for action, command, role in (
        (Action.ACCEPT, c.Accept(), Role.EXECUTOR),
        (Action.RESOLVE, done, Role.EXECUTOR),
        (Action.RETURN, c.Return("ашық тұр"), Role.INSPECTOR),
    ):
        appeal = await perform(house, appeal, action, command, role=role)
    return appeal


@asynccontextmanager
async def forger(url):
    """The owner's connection in a transaction that is undone, with the guards put aside."""
    driver = await asyncpg.connect(url)
    try:
        await driver.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=orjson.loads)
        await driver.execute("BEGIN; SET LOCAL session_replication_role = replica")
        for table in TABLES:
            await driver.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        yield driver
        await driver.execute("ROLLBACK")
    finally:
        await driver.close()


def another(value, column):
    """Something else that the column takes."""
    kind = column.type.python_type if value is None else type(value)
    if isinstance(value, UUID) or kind is UUID:
        return "gen_random_uuid()"
    if issubclass(kind, bool):
        return f"NOT {column.name}"
    if issubclass(kind, int | float):
        return f"coalesce({column.name}, 0) + 1"
    if issubclass(kind, datetime):
        return f"coalesce({column.name}, now()) + interval '1 day'"
    if issubclass(kind, timedelta):
        return f"{column.name} + interval '1 day'"
    if issubclass(kind, bytes):
        return "'\\x00'"
    return {"ARRAY": "'{}'", "JSONB": "'{\"of\": null}'"}.get(str(column.type).upper(), "'x'")


async def found(driver, house):
    """What an audit of the rows finds."""
    return [
        finding
        async for portion in portions(driver, KISHI.id)
        for finding in judge(portion, house.keyring)
    ]


async def test_an_honest_appeal_is_what_its_events_tell(house, appeal, city_database):
    async with forger(city_database) as driver:
        assert await found(driver, house) == []


@pytest.mark.parametrize(("table", "column"), CASES)
async def test_a_column_is_held_or_named(house, appeal, city_database, table, column):
    name, key = f"{table}.{column}", KEYS.get(table, "appeal_id")
    if name in CLOCKS:
        return
    which = appeal.id
    async with forger(city_database) as driver:
        if key == "event_id":
            which = await driver.fetchval(
                "SELECT id FROM event WHERE appeal_id = $1 AND sequence = 1", which
            )
        row = await driver.fetchrow(f"SELECT ctid, {column} FROM {table} WHERE {key} = $1", which)
        changed = another(row[column], t.metadata.tables[table].c[column])
        await driver.execute(
            f"UPDATE {table} SET {column} = {changed} WHERE ctid = $1", row["ctid"]
        )
        assert bool(await found(driver, house)) is (name not in NOT_HELD), changed
