"""Reading the feed. Positions were given one after the other (outbox.py: RELAYING), so that
whoever has read up to one has missed nothing below it, whichever transactions were running.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.webhooks.events import payload
from domain.webhooks.feed import SWEPT, FeedPage, Told
from domain.webhooks.health import notice_payload
from integrations.postgres.doors import PLATFORM, door_of
from integrations.postgres.endpoint_health import read_notice
from integrations.postgres.outbox import read_news
from integrations.postgres.session import inside

_PAGE = """
SELECT f.position, f.told_at, f.message_id, e.canonical, m.payload, n.newest,
       o.id AS notice_id, o.type AS notice, o.at, o.endpoint_id, o.data
  FROM (SELECT max(position) AS newest FROM feed_entry WHERE organisation_id = $1) n
  LEFT JOIN (SELECT position, told_at, message_id FROM feed_entry
              WHERE organisation_id = $1 AND city_id = $2 AND position > $3
                AND (cardinality($4::text[]) = 0 OR type = ANY($4))
              ORDER BY position LIMIT $5) f ON true
  LEFT JOIN event e ON e.id = f.message_id
  LEFT JOIN incident_message m ON m.id = f.message_id
  LEFT JOIN notice o ON o.id = f.message_id
 ORDER BY f.position
"""
"""One statement, and so one moment: `newest` hides nothing that the page does not show."""

_NEWEST = "SELECT max(position) FROM feed_entry WHERE organisation_id = $1 AND city_id = $2"

_RUNG = """
SELECT max(position) AS newest, array_agg(DISTINCT organisation_id) AS organisations
  FROM feed_entry WHERE position > $1
"""

_END = "SELECT max(position) FROM feed_entry"

_SWEEP = """
WITH oldest AS (SELECT position, message_id, told_at FROM feed_entry ORDER BY position LIMIT $2)
DELETE FROM feed_entry f USING oldest o WHERE f.position = o.position AND o.told_at < $1
"""

_SWEEP_MESSAGES = """
DELETE FROM incident_message WHERE id IN (
    SELECT id FROM incident_message WHERE at < $1 AND told ORDER BY at LIMIT $2)
"""


class Feed:
    """What organisations were told. `base_url` is where links to appeals begin.

    Every method raises Unavailable.
    """

    def __init__(self, engine: AsyncEngine, base_url: str) -> None:
        self._engine = engine
        self._base_url = base_url

    async def page(
        self,
        principal: Principal,
        after: int,
        types: Collection[str],
        limit: int,
        at: datetime,
    ) -> FeedPage:
        """At most `limit` entries of the principal's organisation behind the position `after`.

        What is no longer theirs to see, since organisations were put in another order, is left out.
        """
        values = (principal.organisation, principal.city, after, list(types), limit + 1)
        async with inside(self._engine, door_of(principal)) as driver:
            rows = await driver.fetch(_PAGE, *values)
        found = [row for row in rows if row["position"] is not None]
        shown, more = found[:limit], len(found) > limit
        entries = tuple(
            Told(row["position"], row["told_at"], UUID(str(row["message_id"])), said)
            for row in shown
            if (said := self._said(row)) is not None
        )
        if more:
            return FeedPage(entries, shown[-1]["position"], shown[-1]["told_at"], True)
        return FeedPage(entries, max(after, rows[0]["newest"] or 0), at, False)

    async def newest(self, principal: Principal) -> int:
        """The position of the organisation's newest entry; 0 where it has none."""
        async with inside(self._engine, door_of(principal)) as driver:
            found: int | None = await driver.fetchval(
                _NEWEST, principal.organisation, principal.city
            )
        return found or 0

    async def rung(self, after: int | None) -> tuple[int, frozenset[UUID]]:
        """The newest position of all, and whose entries came behind `after` (None: nobody's)."""
        async with inside(self._engine, PLATFORM) as driver:
            if after is None:
                return await driver.fetchval(_END) or 0, frozenset()
            row = await driver.fetchrow(_RUNG, after)
        if row["newest"] is None:
            return after, frozenset()
        return row["newest"], frozenset(UUID(str(one)) for one in row["organisations"])

    async def sweep(self, at: datetime, limit: int = 5000) -> int:
        """Forget at most `limit` entries that are older than promised; how many."""
        async with inside(self._engine, PLATFORM) as driver:
            done = await driver.execute(_SWEEP, at - SWEPT, limit)
            await driver.execute(_SWEEP_MESSAGES, at - SWEPT, limit)
        return int(done.rpartition(" ")[2])

    def _said(self, row: Any) -> bytes | None:
        if row["canonical"] is not None:
            return payload(read_news(row["canonical"], self._base_url))
        if row["notice"] is not None:
            return notice_payload(read_notice(row), self._base_url)
        return bytes(row["payload"]) if row["payload"] is not None else None
