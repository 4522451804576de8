"""The outbox: what was written with a fact goes on its way to everybody who is to hear of it.

Only rows below the oldest running transaction are read. A row's id is given before its
transaction commits, so whoever reads `id > last` passes over what commits late; whoever
waits for the transactions still running does not (law 2). A row that is seen although its
number is one that this cluster has not given yet was restored from another, and waits for nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.values import new_id
from domain.webhooks.events import News, payload
from integrations.postgres.doors import PLATFORM
from integrations.postgres.happenings import CALL
from integrations.postgres.instants import parse_instant
from integrations.postgres.session import inside

_TAKE = """
WITH RECURSIVE taken AS (
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
            OR xid >= pg_snapshot_xmax(pg_current_snapshot())
         ORDER BY xid, id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id, xid, event_id
), told AS (
    SELECT taken.id AS place, taken.xid AS moment, e.*
      FROM taken JOIN event e ON e.id = taken.event_id
), hearer AS (
    SELECT s.appeal_id, s.organisation_id FROM assignment s
     WHERE s.appeal_id IN (SELECT appeal_id FROM told)
    UNION
    SELECT h.appeal_id, o.parent_id FROM hearer h
      JOIN organisation o ON o.id = h.organisation_id WHERE o.parent_id IS NOT NULL
)
SELECT told.id, told.city_id, told.type, w.id AS endpoint_id,
       CASE WHEN w.id IS NOT NULL THEN told.canonical END AS canonical
  FROM told
  LEFT JOIN hearer h ON h.appeal_id = told.appeal_id
       AND NOT (told.internal AND told.type = 'appeal.commented')
  LEFT JOIN webhook_endpoint w ON w.organisation_id = h.organisation_id
       AND w.city_id = told.city_id AND w.enabled AND w.removed_at IS NULL
       AND (w.event_types = '{}' OR told.type = ANY(w.event_types))
 ORDER BY told.moment, told.place
"""
"""Takes events out of the outbox; a row for each endpoint that is to hear, else one without.

An organisation hears of every appeal that was ever assigned to it or to an organisation
below it. What colleagues say among themselves stays in their house: no internal comments.
"""

_DELIVER = """
INSERT INTO delivery (id, city_id, endpoint_id, event_id, type, payload, state, created_at,
                      next_attempt_at)
SELECT d.*, 'pending', $7, $7
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[]) d
    ON CONFLICT (endpoint_id, event_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one turn of the relay moved: events out of the outbox, deliveries into the queue."""

    events: int
    deliveries: int


class Outbox:
    """Moves events on. `base_url` is where links to appeals begin."""

    def __init__(self, engine: AsyncEngine, base_url: str) -> None:
        self._engine = engine
        self._base_url = base_url

    async def relay(self, at: datetime, limit: int = 500) -> Relayed:
        """Move up to `limit` of the oldest events, in one transaction. Raises Unavailable.

        Any number of relays may run: each skips what another holds.
        """
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(_TAKE, limit)
            heard = self._unique(rows)
            if heard:
                await driver.execute(_DELIVER, *_columns(heard, self._base_url), at)
            if rows:
                # Not where events are written: a call in that transaction halves its speed.
                await driver.execute(CALL)
        return Relayed(len({row["id"] for row in rows}), len(heard))

    @staticmethod
    def _unique(rows: Sequence[Any]) -> list[Any]:
        """One row for each event and endpoint, though an event may reach it by several roads."""
        known = {(r["id"], r["endpoint_id"]): r for r in rows if r["endpoint_id"] is not None}
        return list(known.values())


def _columns(rows: Iterable[Mapping[str, Any]], base_url: str) -> tuple[list[Any], ...]:
    listed = list(rows)
    messages = {row["id"]: payload(read_news(row["canonical"], base_url)) for row in listed}
    return (
        [new_id() for _ in listed],
        [row["city_id"] for row in listed],
        [row["endpoint_id"] for row in listed],
        [row["id"] for row in listed],
        [row["type"] for row in listed],
        [messages[row["id"]] for row in listed],
    )


def read_news(canonical: bytes, base_url: str) -> News:
    """What a message tells of an event, of nothing but the event's canonical bytes."""
    event = orjson.loads(canonical)
    about = event["about"]
    organisation = about["organisation"]
    return News(
        type=event["type"],
        at=parse_instant(event["at"]),
        appeal_id=UUID(event["appeal"]),
        number=about["number"],
        sequence=event["sequence"],
        status=about["status"],
        service=about["service"],
        organisation_id=UUID(organisation) if organisation else None,
        link=f"{base_url}/v1/appeals/{about['number']}",
    )
