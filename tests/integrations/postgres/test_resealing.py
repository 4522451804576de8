"""Keys are changed while the city works, and nothing is lost or left behind."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import LargeBinary

from domain.access import Role
from domain.appeals.commands import Comment
from domain.appeals.model import Applicant
from domain.appeals.workflow import Action
from domain.ports import Answer
from integrations.postgres import resealing
from integrations.postgres.people import SqlPeople
from integrations.postgres.queries import Queries
from integrations.postgres.tables import metadata
from integrations.vault import rotation
from integrations.vault.keyring import parse_keyring
from tests.conftest import TEST_KEYS
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import KISHI
from tests.support.members import person
from tests.support.sql import fetch

RING = parse_keyring(TEST_KEYS)
NEXT = rotation.with_new_key(RING)
PHONE = "+77053330001"


def test_every_sealed_or_indexed_column_is_known_to_who_changes_keys():
    known = {*map(str, resealing.SEALED), *map(str, resealing.INDEXED)}
    ours = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    suspects = {
        name for name in ours
        if name.endswith(("sealed", "_index", "applicant", "secrets", "headers", "answer"))
    }  # fmt: skip
    assert known <= ours
    assert suspects - known == set(), "seal them anew as well (integrations/postgres/resealing.py)"


async def everything_sealed(house):
    """An appeal with its texts, an answer, an endpoint, a member, a resident."""
    appeal = await register(house, applicant=Applicant(None, "Жанар", PHONE))
    await perform(house, appeal, Action.COMMENT, Comment("Күтіңіз"), role=Role.OPERATOR)
    endpoint = await add_endpoint(house, headers={"X-Key": "h3ader"})
    await house.webhook_keys.signing(house.now())
    async with house.units.open(KISHI.principal()) as uow:
        await uow.commit(Answer(f"k-{appeal.number}", b"f" * 32, 200, {}, b"answer"))
    await house.people.resident(KISHI.id, person(1, phone=PHONE), house.now())
    return appeal, endpoint


async def reseal_all(house, ring):
    done = 0
    async with resealing.owner_connection(house.settings.database_url) as connection:
        for place in resealing.SEALED:
            async for count in resealing.reseal(connection, place, ring, ring.current):
                done += count
        return done, await resealing.counts(connection)


async def test_all_is_sealed_anew_and_reads_as_before_while_the_city_works(house, monkeypatch):
    monkeypatch.setattr(resealing, "PORTION", 2)
    appeal, endpoint = await everything_sealed(house)
    events = await fetch(house, "SELECT id, canonical, hash FROM event ORDER BY id")

    async def work():
        return [await register(house) for _ in range(6)]

    (done, _), _ = await asyncio.gather(reseal_all(house, NEXT), work())
    assert done > 6
    # Whoever still sealed with the key before is caught by the next pass; then there is nothing.
    _, counted = await reseal_all(house, NEXT)
    assert {id for found in counted.values() for id in found} == {2}
    assert (await reseal_all(house, NEXT))[0] == 0
    after = await fetch(
        house, "SELECT id, canonical, hash FROM event WHERE id = ANY($1) ORDER BY id",
        [row["id"] for row in events],
    )  # fmt: skip
    assert after == events
    alone = replace(NEXT, sealing={2: NEXT.sealing[2]})
    queries = Queries(house.engine, alone)
    seen = await queries.appeal(KISHI.principal(), appeal.number)
    assert seen.applicant == Applicant(None, "Жанар", PHONE)
    told = await queries.events(KISHI.principal(), appeal.number, internal=True, after=0, limit=9)
    assert told[-1]["texts"] == {"text": "Күтіңіз"}
    (row,) = await fetch(house, "SELECT * FROM webhook_endpoint WHERE id = $1", endpoint.id)
    assert endpoint.secrets[0].value.encode() in alone.open(row["secrets"])
    assert b"h3ader" in alone.open(row["headers"])


async def test_what_somebody_changed_meanwhile_is_never_written_over(house):
    (row,) = await fetch(house, "SELECT * FROM citizen WHERE id = $1", KISHI.citizen)
    place = resealing.SEALED[0]
    async with resealing.owner_connection(house.settings.database_url) as connection:
        stale = [{"id": KISHI.citizen, "old": RING.seal(b"{}")}]
        assert await resealing._renew(connection, place, stale, NEXT) == 0
    (again,) = await fetch(house, "SELECT * FROM citizen WHERE id = $1", KISHI.citizen)
    assert again["sealed"] == row["sealed"]


async def test_an_index_key_is_changed_while_people_are_found_by_both(house):
    await fetch(house, "DELETE FROM identity")
    turned = rotation.with_new_index(NEXT)
    who = person(40, phone="+77053330040")
    before = await house.people.resident(KISHI.id, who, house.now())
    people = SqlPeople(house.engine, turned, house.units, house.references)
    assert (await people.resident(KISHI.id, who, house.now())).id == before.id
    async with resealing.owner_connection(house.settings.database_url) as connection:
        for place in resealing.INDEXED:
            async for _ in resealing.reindex(connection, place, turned):
                pass
        left = [
            count
            for place in resealing.INDEXED
            async for count in resealing.reindex(connection, place, turned, write=False)
        ]
    assert sum(left) == 0
    alone = rotation.without_former_index(turned)
    people = SqlPeople(house.engine, alone, house.units, house.references)
    assert (await people.resident(KISHI.id, who, house.now())).id == before.id
    rows = await fetch(
        house, "SELECT count(*) AS n FROM appeal WHERE phone_index = $1", alone.index(PHONE)
    )
    assert rows[0]["n"] >= 1


async def test_the_platforms_own_role_cannot_do_it(house):
    async with resealing.owner_connection(house.settings.database_url) as connection:
        await connection.execute("SET ROLE ikomek_app")
        place = next(one for one in resealing.SEALED if one.table == "event_personal")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async for _ in resealing.reseal(connection, place, NEXT, 99):
                pass
