"""Notices that have to leave by mail: each letter is leased, sent, and then written off."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.webhooks.events import Notice
from domain.webhooks.health import Alarm
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

MAILED_FOR = timedelta(days=1)
"""Notices that are older are not mailed any more: they stand in the list."""

LEASE = timedelta(minutes=2)
"""How long a letter may take; one that was refused is tried again after as long."""

_TAKE = """
WITH due AS (
    SELECT n.id FROM notice n JOIN organisation o ON o.id = n.organisation_id
     WHERE n.mail_due_at <= $1 AND n.at > $2 AND coalesce(o.contacts ->> 'email', '') <> ''
     ORDER BY n.mail_due_at LIMIT $3 FOR UPDATE OF n SKIP LOCKED
)
UPDATE notice n SET mail_due_at = $4
  FROM due, webhook_endpoint w, organisation o, city c
 WHERE n.id = due.id AND w.id = n.endpoint_id AND o.id = n.organisation_id AND c.id = n.city_id
RETURNING n.id, n.type, n.at, n.endpoint_id, n.data, w.description, c.code,
          o.contacts ->> 'email' AS address
"""


class Alarms:
    """The notices of all cities. Raises Unavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(self, at: datetime, limit: int) -> Sequence[Alarm]:
        """Some that are due, leased for LEASE: nobody else mails them meanwhile, and somebody does
        again if whoever took them dies.
        """
        rows = await self._fetch(_TAKE, at, at - MAILED_FOR, limit, at + LEASE)
        return [
            Alarm(
                row["id"], row["code"], Notice(row["type"]), row["at"], row["address"],
                row["endpoint_id"], row["description"], row["data"],
            )
            for row in rows
        ]  # fmt: skip

    async def mailed(self, alarm: Alarm) -> None:
        """The letter of this one has left."""
        await self._fetch("UPDATE notice SET mail_due_at = NULL WHERE id = $1", alarm.id)

    async def _fetch(self, statement: str, *values: object) -> list[Any]:
        async with inside(self._engine, PLATFORM) as driver:
            return list(await driver.fetch(statement, *values))
