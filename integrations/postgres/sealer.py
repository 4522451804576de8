"""The sealer: events become leaves of their city's log, none passed over, none twice.

Only what lies below the oldest running transaction is read, as the outbox does (law 2), and
how far that went is remembered as (transaction, event). That memory counts transactions of one
cluster of databases: in another one, after a dump was restored, its numbers mean nothing, and
new events may come with lower ones. Then everything is looked through once, and what a
transaction of the other cluster wrote is known by its number that this one has not reached.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.register.sealing import News, Place, in_order, predecessors
from integrations.postgres.doors import PLATFORM
from integrations.postgres.log_store import add_leaves
from integrations.postgres.session import inside

LOG_LOCK = 0x109_0005
"""Advisory lock: one process at a time adds to the logs and signs them."""

BATCH = 20_000
_NOBODY = UUID(int=0)

_CURSOR = """
SELECT xid::text, event_id, cluster, here, floor FROM log_cursor,
       (SELECT system_identifier::text AS here FROM pg_control_system()) c,
       (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS floor) s
"""

_NEWS = """
SELECT e.xid::text, e.id, e.city_id, e.appeal_id, e.sequence, e.hash FROM event e
 WHERE (e.xid, e.id) > ($1::text::xid8, $2) AND e.xid >= $1::text::xid8
   AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
   AND NOT EXISTS (SELECT FROM log_leaf l WHERE l.event_id = e.id OFFSET 0)
 ORDER BY e.xid, e.id LIMIT $3
"""
"""OFFSET 0 keeps it a look-up for each event: no plan reads the log whole to find what is not in
it, nor, expecting hardly any news, a register whose millions of events all wait to be sealed."""

_LOOK_UP = "SET LOCAL enable_seqscan = off"
"""What is looked up in the log goes by its index, though it was empty when it was last measured."""

_STRAYS = """
SELECT e.xid::text, e.id, e.city_id, e.appeal_id, e.sequence, e.hash FROM event e
 WHERE (e.xid < pg_snapshot_xmin(pg_current_snapshot())
        OR e.xid >= pg_snapshot_xmax(pg_current_snapshot()))
   AND NOT EXISTS (SELECT FROM log_leaf l WHERE l.event_id = e.id)
 ORDER BY e.xid, e.id LIMIT $1
"""

_WAITING = """
SELECT p.appeal_id, p.sequence FROM unnest($1::uuid[], $2::int[]) k(appeal_id, sequence)
  JOIN event p ON p.appeal_id = k.appeal_id AND p.sequence = k.sequence
 WHERE (SELECT l.index FROM log_leaf l WHERE l.event_id = p.id) IS NULL
"""

_FORERUNNERS = """
SELECT e.xid::text, e.id, e.city_id, e.appeal_id, e.sequence, e.hash
  FROM unnest($1::uuid[], $2::int[]) k(appeal_id, sequence)
  JOIN event e ON e.appeal_id = k.appeal_id AND e.sequence <= k.sequence
 WHERE (e.xid < pg_snapshot_xmin(pg_current_snapshot())
        OR e.xid >= pg_snapshot_xmax(pg_current_snapshot()))
   AND (SELECT l.index FROM log_leaf l WHERE l.event_id = e.id) IS NULL
"""
"""What must go before: a batch may end between the events of one appeal, whatever their ids."""

_MOVE = "UPDATE log_cursor SET xid = $1::text::xid8, event_id = $2, cluster = $3"


class Sealer:
    """Adds events to the logs of all cities. Any number may run: one works, the others pass."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def seal(self, limit: int = BATCH) -> int:
        """Seal at most `limit` events; how many were found, so that there may be more.

        Raises Unavailable.
        """
        async with inside(self._engine, PLATFORM) as driver:
            if not await driver.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOG_LOCK):
                return 0
            return await seal_some(driver, limit)


async def seal_some(driver: Any, limit: int = BATCH) -> int:
    """As Sealer.seal, in the transaction of a caller who holds LOG_LOCK."""
    await driver.execute(_LOOK_UP)
    cursor = await driver.fetchrow(_CURSOR)
    stray = cursor["cluster"] != cursor["here"]
    found = await (_strays(driver, limit) if stray else _news(driver, cursor, limit))
    news = await _with_forerunners(driver, found)
    ready, held = in_order(news, await _waiting(driver, news))
    for city in dict.fromkeys(one.city for one in ready):
        leaves = [(one.id, one.hash) for one in ready if one.city == city]
        await add_leaves(driver, city, leaves)
    moved = _moved(cursor, found, held, limit)
    if moved is not None and (found or stray):
        await driver.execute(_MOVE, *moved)
    return len(ready)


async def _news(driver: Any, cursor: Any, limit: int) -> list[News]:
    return _read(await driver.fetch(_NEWS, cursor["xid"], cursor["event_id"], limit))


async def _strays(driver: Any, limit: int) -> list[News]:
    # The whole register is looked through, which a short statement's time may not suffice for.
    await driver.execute("SET LOCAL statement_timeout = '10min'")
    return _read(await driver.fetch(_STRAYS, limit))


def _read(rows: Sequence[Any]) -> list[News]:
    return [
        News(int(row["xid"]), row["id"], row["city_id"], row["appeal_id"], row["sequence"],
             bytes(row["hash"]))
        for row in rows
    ]  # fmt: skip


async def _with_forerunners(driver: Any, found: list[News]) -> list[News]:
    """The batch with what can be sealed and must go before it, by transaction and id."""
    waiting = await _waiting(driver, found)
    if not waiting:
        return found
    last: dict[UUID, int] = {}
    for appeal, sequence in waiting:
        last[appeal] = max(sequence, last.get(appeal, 0))
    rows = await driver.fetch(_FORERUNNERS, list(last), list(last.values()))
    every = {one.id: one for one in (*found, *_read(rows))}
    return sorted(every.values(), key=lambda one: (one.xid, one.id))


async def _waiting(driver: Any, news: Sequence[News]) -> set[Place]:
    asked = predecessors(news)
    if not asked:
        return set()
    rows = await driver.fetch(_WAITING, [a for a, _ in asked], [s for _, s in asked])
    return {(row["appeal_id"], row["sequence"]) for row in rows}


def _moved(
    cursor: Any, news: Sequence[News], held: Sequence[News], limit: int
) -> tuple[str, UUID, str] | None:
    """Up to where everything is sealed now; None where the cursor must stay."""
    here, whole = str(cursor["here"]), len(news) < limit
    if held or not whole:
        if cursor["cluster"] != here:
            return None
        first = min((one.xid, one.id) for one in held) if held else (2**64, _NOBODY)
        sealed = [(one.xid, one.id) for one in news if (one.xid, one.id) < first]
        return (str(sealed[-1][0]), sealed[-1][1], here) if sealed else None
    # Read before the events were: whatever is older than this has been seen.
    return str(cursor["floor"]), _NOBODY, here
