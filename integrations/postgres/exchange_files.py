"""Files that the state named, on their way here: leased, tried, refused; and those of the city that
no message to the state can carry. Each method is one short transaction through the city's own door;
no connection is held while the gateway is waited for.

A file's row bears the id that its attachment gets, so that every try makes the same one. That of a
file which stays here is named by its attachment, and lies in quarantine from the beginning.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.eotinish.left_behind import LEFT_BEHIND
from domain.eotinish.outgoing import Attached
from domain.eotinish.ports import Wanted
from domain.values import new_id
from integrations.postgres.doors import city_door
from integrations.postgres.session import inside

_CLAIM = """
WITH due AS (
    SELECT f.id FROM eotinish_file f
     WHERE f.city_id = $1 AND f.state = 'pending' AND f.next_attempt_at <= $2
       AND (f.leased_until IS NULL OR f.leased_until <= $2)
     ORDER BY f.next_attempt_at, f.id LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE eotinish_file f SET leased_until = $4, attempts = attempts + 1
  FROM due, eotinish_case c WHERE f.id = due.id AND c.appeal_id = f.appeal_id
RETURNING f.id, f.identifier, f.attempts, c.own_number
"""

_FAILED = """
UPDATE eotinish_file SET state = $3, next_attempt_at = coalesce($4, next_attempt_at),
       leased_until = NULL, fault = $5, detail = $6, finished_at = $7
 WHERE id = $1 AND state = 'pending' AND leased_until = $2
"""

_LEAVE = f"""
INSERT INTO eotinish_file (id, city_id, appeal_id, identifier, created_at, next_attempt_at,
                           finished_at, state, fault, detail)
SELECT f.id, $4, $5, f.identifier, $6, $6, $6, 'quarantined', '{LEFT_BEHIND}', f.detail
  FROM unnest($1::uuid[], $2::text[], $3::text[]) f (id, identifier, detail)
    ON CONFLICT (appeal_id, identifier) DO NOTHING
"""


class ExchangeFiles:
    """See the module. Every method raises Unavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def claim(
        self, city: UUID, at: datetime, limit: int, lease: datetime
    ) -> Sequence[Wanted]:
        """Lease up to `limit` files that are due, until `lease`."""
        rows = await self._fetch(city, _CLAIM, city, at, limit, lease)
        return [
            Wanted(row["id"], row["own_number"], row["identifier"], row["attempts"], lease)
            for row in rows
        ]

    async def postpone(
        self, city: UUID, file: Wanted, fault: str, detail: str, until: datetime
    ) -> None:
        """Try again at `until`."""
        said = (file.id, file.lease, "pending", until, fault, detail[:500], None)
        await self._fetch(city, _FAILED, *said)

    async def refuse(self, city: UUID, file: Wanted, fault: str, detail: str, at: datetime) -> None:
        """Nobody tries again before an inspector says so."""
        said = (file.id, file.lease, "quarantined", None, fault, detail[:500], at)
        await self._fetch(city, _FAILED, *said)

    async def leave(
        self, city: UUID, appeal: UUID, files: Sequence[Attached], at: datetime
    ) -> None:
        """Files of an appeal that do not go, each once, for an inspector to see."""
        ids = [new_id() for _ in files]
        named = [str(one.id) for one in files]
        details = [f"attachment {one.id}, {one.size} bytes" for one in files]
        await self._fetch(city, _LEAVE, ids, named, details, city, appeal, at)

    async def _fetch(self, city: UUID, statement: str, *values: object) -> list[Any]:
        async with inside(self._engine, city_door(city, ())) as driver:
            return list(await driver.fetch(statement, *values))
