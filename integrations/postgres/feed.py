"""Reading the feed. Positions were given one after the other (outbox.py: RELAYING), so that
whoever has read up to one has missed nothing below it, whichever transactions were running.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.errors import CursorLost
from domain.webhooks.events import payload
from domain.webhooks.feed import KEPT, START, SWEPT, FeedPage, Mark, Told
from domain.webhooks.health import notice_payload
from integrations.postgres.doors import PLATFORM, door_of
from integrations.postgres.endpoint_health import read_notice
from integrations.postgres.outbox import read_news
from integrations.postgres.session import inside

_PAGE = """
SELECT f.position, f.told_at, f.message_id, e.canonical, m.payload,
       n.position AS newest, n.message_id AS newest_id, n.told_at AS newest_at,
       s.message_id AS stood_id, s.told_at AS stood_at,
       o.id AS notice_id, o.type AS notice, o.at, o.endpoint_id, o.data
  FROM (VALUES (1)) one
  LEFT JOIN (SELECT position, message_id, told_at FROM feed_entry
              WHERE organisation_id = $1 ORDER BY position DESC LIMIT 1) n ON true
  LEFT JOIN (SELECT message_id, told_at FROM feed_entry
              WHERE organisation_id = $1 AND position = $3) s ON true
  LEFT JOIN (SELECT position, told_at, message_id FROM feed_entry
              WHERE organisation_id = $1 AND city_id = $2 AND position > $3
                AND (cardinality($4::text[]) = 0 OR type = ANY($4))
              ORDER BY position LIMIT $5) f ON true
  LEFT JOIN event e ON e.id = f.message_id
  LEFT JOIN incident_message m ON m.id = f.message_id
  LEFT JOIN notice o ON o.id = f.message_id
 ORDER BY f.position
"""
"""One statement, and so one moment: `newest` hides nothing that the page does not show, and what
stands at the reader's mark stood there when the page was read.
"""

_NEWEST = """
SELECT position, message_id, told_at FROM feed_entry
 WHERE organisation_id = $1 AND city_id = $2 ORDER BY position DESC LIMIT 1
"""

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
        after: Mark,
        types: Collection[str],
        limit: int,
        at: datetime,
    ) -> FeedPage:
        """At most `limit` entries of the principal's organisation behind `after`.

        What is no longer theirs to see, since organisations were put in another order, is left out.
        Raises CursorLost where something else stands at `after` than did.
        """
        values = (principal.organisation, principal.city, after.position, list(types), limit + 1)
        async with inside(self._engine, door_of(principal)) as driver:
            rows = await driver.fetch(_PAGE, *values)
        _require_stands(after, rows[0], at)
        found = [row for row in rows if row["position"] is not None]
        shown, more = found[:limit], len(found) > limit
        entries = tuple(
            Told(_mark(row), said) for row in shown if (said := self._said(row)) is not None
        )
        if more:
            return FeedPage(entries, _mark(shown[-1]), shown[-1]["told_at"], True)
        # What stood at `after` may have been swept since, and nothing have come.
        newest = _mark(rows[0], "newest") if rows[0]["newest"] is not None else after
        return FeedPage(entries, max(after, newest, key=lambda mark: mark.position), at, False)

    async def newest(self, principal: Principal) -> Mark:
        """The organisation's newest entry; START where it has none."""
        async with inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetchrow(_NEWEST, principal.organisation, principal.city)
        return START if found is None else _mark(found)

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


def _mark(row: Any, of: str | None = None) -> Mark:
    names = (of, f"{of}_id", f"{of}_at") if of else ("position", "message_id", "told_at")
    position, id, at = (row[name] for name in names)
    return Mark(position, UUID(str(id)), at)


def _require_stands(after: Mark, row: Any, at: datetime) -> None:
    """Raise CursorLost unless what stood at the mark stands there still, or was swept in time."""
    if after.position == 0:
        return
    if row["stood_id"] is None:
        kept = after.at >= at - KEPT
    else:
        kept = (UUID(str(row["stood_id"])), row["stood_at"]) != (after.id, after.at)
    if kept:
        raise CursorLost
