"""What is swept away in time: answers kept for repeats, uploads that no appeal took."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.attachments import FileStore
from domain.webhooks.replay import KEPT as DELIVERIES_KEPT
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

ANSWERS_KEPT = timedelta(hours=48)
UPLOADS_KEPT = timedelta(hours=24)
LEASES_KEPT = timedelta(hours=1)
"""Beyond their end: whoever comes back later is listened to while nobody else has the delivery."""

_ANSWERS = """
DELETE FROM idempotency WHERE ctid IN (
    SELECT ctid FROM idempotency WHERE created_at < clock_timestamp() - $1::interval LIMIT $2)
"""

_UPLOADS = """
SELECT id, storage_key FROM attachment WHERE appeal_id IS NULL AND incident_id IS NULL
   AND created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_DELIVERIES = """
WITH old AS (
    SELECT f.id FROM webhook_endpoint w, LATERAL (
        SELECT d.id FROM delivery d
         WHERE d.endpoint_id = w.id AND d.created_at < $1 AND d.finished_at < $1
           AND d.state <> 'pending'
         ORDER BY d.created_at, d.id LIMIT $2) f LIMIT $2
)
SELECT id FROM delivery WHERE id IN (SELECT id FROM old) AND state <> 'pending'
   FOR UPDATE SKIP LOCKED
"""

# Whoever takes one up again has it locked: it is left to them, since they may want the next one.
_DESKS = """
WITH e AS MATERIALIZED (
    SELECT organisation_id, registered_at, appeal_id FROM desk
     WHERE ended LIMIT $1 FOR UPDATE SKIP LOCKED)
DELETE FROM desk d USING e
 WHERE d.organisation_id = e.organisation_id AND d.registered_at = e.registered_at
   AND d.appeal_id = e.appeal_id AND d.ended
"""


class Housekeeping:
    """Sweeps in small steps, so that nobody waits for it. Raises Unavailable."""

    def __init__(self, engine: AsyncEngine, store: FileStore) -> None:
        self._engine = engine
        self._store = store

    async def forget_answers(self, limit: int = 5000) -> int:
        """Forget answers to Idempotency-Keys that are older than ANSWERS_KEPT; how many.

        They age by the database's clock, even where the city's clock runs fast.
        """
        async with inside(self._engine, PLATFORM) as driver:
            done = await driver.execute(_ANSWERS, ANSWERS_KEPT, limit)
        return int(done.rpartition(" ")[2])

    async def forget_uploads(self, at: datetime, limit: int = 20) -> int:
        """Delete uploads older than UPLOADS_KEPT that no appeal has, file first; how many.

        The rows stay locked meanwhile, so that no appeal takes an upload whose file is gone;
        whoever dies midway leaves a row, and the next sweep finds it.
        """
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(_UPLOADS, at - UPLOADS_KEPT, limit)
            for row in rows:
                await self._store.delete(row["storage_key"])
            ids = [row["id"] for row in rows]
            await driver.execute("DELETE FROM attachment WHERE id = ANY($1)", ids)
        return len(rows)

    async def forget_deliveries(self, at: datetime, limit: int = 1000) -> int:
        """Forget deliveries that ended before DELIVERIES_KEPT, their tries first; how many.

        Leases are forgotten that nobody ended: of deliveries cancelled while their worker died.
        The register's events stay: law 1 is about them, and this was but the telling.
        """
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(_DELIVERIES, at - DELIVERIES_KEPT, limit)
            ids = [row["id"] for row in rows]
            await driver.execute("DELETE FROM delivery_attempt WHERE delivery_id = ANY($1)", ids)
            await driver.execute("DELETE FROM delivery WHERE id = ANY($1)", ids)
            await driver.execute("DELETE FROM delivery_lease WHERE until < $1", at - LEASES_KEPT)
        return len(rows)

    async def clear_desks(self, limit: int = 5000) -> int:
        """Take off the desks what is over; how many."""
        async with inside(self._engine, PLATFORM) as driver:
            done = await driver.execute(_DESKS, limit)
        return int(done.rpartition(" ")[2])

    async def forget_notices(self, at: datetime, limit: int = 1000) -> int:
        """Forget what administrators were told of longer ago than that; how many."""
        async with inside(self._engine, PLATFORM) as driver:
            done = await driver.execute(
                "DELETE FROM notice WHERE id IN"
                " (SELECT id FROM notice WHERE last_at < $1 LIMIT $2)",
                at - DELIVERIES_KEPT, limit,
            )  # fmt: skip
        return int(done.rpartition(" ")[2])
