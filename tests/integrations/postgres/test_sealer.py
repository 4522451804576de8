"""Sealing: every event becomes a leaf once, whoever writes meanwhile, wherever it is restored."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson
import pytest

from domain.appeals.commands import Accept, Comment
from domain.appeals.workflow import Action
from domain.register.checkpoint import is_signed, origin_of, parse_checkpoint
from domain.register.tiles import root as tiles_root
from domain.register.tiles import wanted
from domain.register.tree import root_of
from integrations.postgres.checkpoints import StrangeKey, Unprovable
from integrations.postgres.log_store import read_tiles
from integrations.vault.signer import Signer, verify
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import KISHI
from tests.support.register import seal
from tests.support.sql import fetch
from tests.support.worker import eventually

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
ORIGIN = origin_of(KISHI.code)
SIGNER = Signer(bytes(range(32)))


@pytest.fixture
async def log(house):
    """The log of a city that is sealed up to now."""
    await seal(house)
    return house.sealer


async def leaves(house):
    return await fetch(
        house,
        'SELECT l."index", l.hash, e.id, e.appeal_id, e.sequence FROM log_leaf l'
        " LEFT JOIN event e ON e.id = l.event_id WHERE l.city_id = $1 ORDER BY 1",
        KISHI.id,
    )


async def missing(house):
    return await fetch(
        house, "SELECT id FROM event e WHERE NOT EXISTS"
        " (SELECT FROM log_leaf l WHERE l.event_id = e.id)",
    )  # fmt: skip


def assert_each_appeal_in_sequence(found):
    last: dict[UUID, int] = {}
    for row in found:
        assert row["sequence"] == last.get(row["appeal_id"], 0) + 1
        last[row["appeal_id"]] = row["sequence"]


async def test_what_happens_becomes_leaves_in_order(house, log):
    before = len(await leaves(house))
    appeal = await register(house)
    await seal(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await seal(house)
    assert await log.seal() == 0
    found = await leaves(house)
    assert [row["index"] for row in found] == list(range(before + 3))
    assert [(row["appeal_id"], row["sequence"]) for row in found[before:]] == [
        (appeal.id, 1), (appeal.id, 2), (appeal.id, 3),
    ]  # fmt: skip
    assert_each_appeal_in_sequence(found)


async def test_an_event_that_commits_late_is_sealed_and_nothing_before_it(house, log):
    earlier = await register(house)
    await seal(house)
    slow = await asyncpg.connect(house.settings.database_url)
    try:
        late = slow.transaction()
        await late.start()
        await slow.execute("SELECT pg_current_xact_id()")
        await register(house)
        assert await log.seal() == 0
        await slow.execute(
            "INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical,"
            " hash) SELECT gen_random_uuid(), city_id, appeal_id, 3, type, at, internal,"
            " canonical, hash FROM event WHERE appeal_id = $1 AND sequence = 1",
            earlier.id,
        )
        await late.commit()
    finally:
        await slow.close()
    await seal(house)


async def test_an_event_whose_transaction_began_first_waits_for_the_one_before_it(house, log):
    appeal = await register(house)
    await seal(house)
    first, second = [await asyncpg.connect(house.settings.database_url) for _ in range(2)]
    idle = await asyncpg.connect(house.settings.database_url)
    insert = (
        "INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical, hash)"
        " SELECT gen_random_uuid(), city_id, appeal_id, {}, type, at, internal, canonical, hash"
        " FROM event WHERE appeal_id = $1 AND sequence = 1"
    )
    try:
        # By number: the third event's transaction, an idle one, the second event's.
        third = first.transaction()
        await third.start()
        await first.execute("SELECT pg_current_xact_id()")
        nothing = idle.transaction()
        await nothing.start()
        await idle.execute("SELECT pg_current_xact_id()")
        await second.execute(insert.format(3), appeal.id)
        await first.execute(insert.format(4), appeal.id)
        await third.commit()
        assert await log.seal() == 0
        await nothing.commit()
    finally:
        for connection in (first, second, idle):
            await connection.close()
    await seal(house)
    assert_each_appeal_in_sequence([r for r in await leaves(house) if r["appeal_id"] == appeal.id])


async def test_nothing_is_lost_among_eight_writers_and_three_sealers(house, log):
    done = asyncio.Event()

    async def write():
        for _ in range(4):
            appeal = await register(house)
            for number in range(2):
                await perform(house, appeal, Action.COMMENT, Comment(f"{number}", internal=True))

    async def dawdle():
        """Transactions that take their number early and commit late."""
        connection = await asyncpg.connect(house.settings.database_url)
        while not done.is_set():
            async with connection.transaction():
                await connection.execute("SELECT pg_current_xact_id(), pg_sleep(0.02)")
        await connection.close()

    async def sealing():
        while not done.is_set():
            await house.sealer.seal(limit=7)
            await asyncio.sleep(0)

    others = [asyncio.create_task(work()) for work in (dawdle, sealing, sealing, sealing)]
    await asyncio.gather(*(write() for _ in range(8)))
    done.set()
    await asyncio.gather(*others)
    await seal(house)
    assert await missing(house) == []
    found = await leaves(house)
    assert [row["index"] for row in found] == list(range(len(found)))


async def test_a_batch_that_cuts_an_appeal_apart_is_sealed_in_sequence_all_the_same(house, log):
    """Events of one transaction whose ids say nothing of their order, as a bulk load brings."""
    await _strew(house, 60)
    before = len(await leaves(house))

    async def done():
        while await log.seal(limit=7):
            pass
        return await missing(house) == []

    await eventually(done)
    fresh = (await leaves(house))[before:]
    assert [row["sequence"] for row in fresh] == sorted(row["sequence"] for row in fresh)


async def test_tiles_hold_the_tree_of_the_leaves(house, log):
    for _ in range(3):
        await _strew(house, 211)
        await house.sealer.seal(limit=100)
        await seal(house)
    found = await leaves(house)
    assert len(found) > 512
    connection = await asyncpg.connect(house.settings.database_url)
    tiles = await read_tiles(connection, KISHI.id, wanted([(0, len(found))]))
    (kept,) = await connection.fetch("SELECT count(*) FROM log_tile WHERE level = 0")
    await connection.close()
    assert kept[0] == len(found) // 256
    assert tiles_root(len(found), tiles) == root_of(bytes(row["hash"]) for row in found)


async def _strew(house, count):
    """Many events of appeals of their own, as far as the log looks at them."""
    await fetch(
        house,
        "INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical, hash)"
        " SELECT gen_random_uuid(), city_id, id, 1000 + n, 'appeal.commented', now(), true,"
        " convert_to(n::text, 'UTF8'), sha256(convert_to(gen_random_uuid()::text, 'UTF8'))"
        " FROM (SELECT * FROM appeal ORDER BY id LIMIT 1) a, generate_series("
        " (SELECT count(*) FROM log_leaf) * 1000, (SELECT count(*) FROM log_leaf) * 1000 + $1) n",
        count - 1,
    )


async def test_a_register_restored_elsewhere_is_sealed_whole_and_goes_on(house, log):
    appeal = await register(house)
    # As after a dump and a restore: the numbers are another cluster's, far ahead of ours.
    await fetch(house, "ALTER TABLE event DISABLE TRIGGER USER")
    await fetch(house, "UPDATE event SET xid = (xid::text::numeric + 1e15)::text::xid8")
    await fetch(house, "ALTER TABLE event ENABLE TRIGGER USER")
    await fetch(house, "UPDATE log_cursor SET cluster = '1', xid = '1000000000000000'")
    await seal(house)
    later = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await seal(house)
    assert later.id in {row["appeal_id"] for row in await leaves(house)}


async def test_a_checkpoint_is_signed_over_all_that_happened_and_only_then(house, log):
    await register(house)
    signed = await house.checkpoints.sign(KISHI.id, ORIGIN, SIGNER, AT)
    assert signed is not None
    assert is_signed(signed, SIGNER.key(ORIGIN), verify)
    found = await leaves(house)
    assert signed.size == len(found)
    assert signed.root == root_of(bytes(row["hash"]) for row in found)
    assert await house.checkpoints.sign(KISHI.id, ORIGIN, SIGNER, AT) is None
    (kept,) = await fetch(house, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    assert parse_checkpoint(kept["note"]) == signed


async def test_a_checkpoint_goes_to_endpoints_that_name_it_and_to_no_other(house, log):
    wants = await add_endpoint(house, event_types=frozenset({"register.checkpoint"}))
    every = await add_endpoint(house)
    await register(house)
    signed = await house.checkpoints.sign(KISHI.id, ORIGIN, SIGNER, AT)
    (told,) = await fetch(house, "SELECT * FROM delivery WHERE endpoint_id = $1", wants.id)
    assert told["type"] == "register.checkpoint"
    said = orjson.loads(bytes(told["payload"]))["data"]
    assert parse_checkpoint(said["checkpoint"]) == signed
    assert (said["origin"], said["size"]) == (ORIGIN, signed.size)
    assert await fetch(house, "SELECT * FROM delivery WHERE endpoint_id = $1", every.id) == []


async def test_a_log_that_was_rewritten_is_not_signed(house, log):
    await register(house)
    assert await house.checkpoints.sign(KISHI.id, ORIGIN, SIGNER, AT)
    await register(house)
    await fetch(house, "ALTER TABLE log_leaf DISABLE TRIGGER USER")
    (kept,) = await fetch(
        house, 'SELECT * FROM log_leaf WHERE "index" = (SELECT max(size) - 1 FROM checkpoint)'
    )
    change = 'UPDATE log_leaf SET hash = $1 WHERE "index" = $2'
    await fetch(house, change, bytes(32), kept["index"])
    try:
        with pytest.raises(Unprovable):
            await house.checkpoints.sign(KISHI.id, ORIGIN, SIGNER, AT)
    finally:
        await fetch(house, change, kept["hash"], kept["index"])
        await fetch(house, "ALTER TABLE log_leaf ENABLE TRIGGER USER")
    assert await house.checkpoints.sign(KISHI.id, ORIGIN, SIGNER, AT)


async def test_nothing_is_signed_with_another_key_unasked(house, log):
    await register(house)
    await house.checkpoints.sign(KISHI.id, ORIGIN, SIGNER, AT)
    other = Signer(bytes(32))
    await register(house)
    with pytest.raises(StrangeKey):
        await house.checkpoints.sign(KISHI.id, ORIGIN, other, AT)
    await house.checkpoints.adopt(KISHI.id, other.key(ORIGIN), AT + timedelta(days=1))
    assert await house.checkpoints.sign(KISHI.id, ORIGIN, other, AT) is not None
