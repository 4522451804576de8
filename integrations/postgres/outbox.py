"""The outbox: what was written with a fact goes on its way to everybody who is to hear of it.

Only rows below the oldest running transaction are read. A row's id is given before its
transaction commits, so whoever reads `id > last` passes over what commits late; whoever
waits for the transactions still running does not (law 2). A row that is seen although its
number is one that this cluster has not given yet was restored from another, and waits for nobody.

An appeal's events are told in their order, which is not always that of their transactions: who
locks another appeal, or the exchange's inbox, first has its number already when it comes to this
one, whose last act may bear a higher. That act has committed, and every one before it, since each
waited for the appeal; so it goes along, wherever the oldest running transaction stands.
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
from integrations.postgres.exchange_feed import feed
from integrations.postgres.happenings import CALL
from integrations.postgres.instants import parse_instant
from integrations.postgres.session import inside


def moved(appeal: str, sequence: str) -> str:
    """Where an appeal stood (service, sphere, district) that it left by an event from `sequence`
    on: a query, of two expressions in SQL.
    """
    return f"""
        SELECT left_.was ->> 'service' AS service, left_.was ->> 'sphere' AS sphere,
               left_.was ->> 'district' AS district
          FROM (SELECT convert_from(c.canonical, 'UTF8')::jsonb #> '{{data,was}}' AS was
                  FROM event c WHERE c.appeal_id = {appeal} AND c.sequence >= {sequence}
                   AND c.type = 'appeal.corrected' OFFSET 0) left_
         WHERE left_.was IS NOT NULL"""


_FITS = """(
           (w.services = '{{}}' AND w.spheres = '{{}}'
                OR {place}.service = ANY(w.services) OR {place}.sphere = ANY(w.spheres))
           AND (w.districts = '{{}}' OR {place}.district = ANY(w.districts)))"""
"""Whether an endpoint's filters let through what stands at a place."""

_TAKE = f"""
WITH RECURSIVE oldest AS (
    SELECT ctid AS lies, id AS place, xid AS moment, event_id FROM outbox
     WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
        OR xid >= pg_snapshot_xmax(pg_current_snapshot())
     ORDER BY xid, id LIMIT $1 FOR UPDATE SKIP LOCKED
), met AS (
    SELECT o.lies, o.place, o.moment, e.*
      FROM oldest o, LATERAL (SELECT * FROM event WHERE id = o.event_id OFFSET 0) e
), overtaken AS (
    SELECT o.lies, o.place, o.moment, e.*
      FROM (SELECT appeal_id, max(sequence) AS last FROM met
             GROUP BY appeal_id HAVING count(*) < max(sequence)) m,
           LATERAL (SELECT * FROM event WHERE appeal_id = m.appeal_id AND sequence < m.last
                       AND xid >= (SELECT max(moment) FROM met) OFFSET 0) e,
           LATERAL (SELECT ctid AS lies, id AS place, xid AS moment FROM outbox
                     WHERE xid = e.xid AND event_id = e.id OFFSET 0) o
     WHERE o.place NOT IN (SELECT place FROM oldest)
), taken AS (
    DELETE FROM outbox WHERE ctid = ANY (ARRAY(
        SELECT lies FROM met UNION ALL SELECT lies FROM overtaken))
), told AS (
    SELECT id, city_id, appeal_id, sequence, type, internal, canonical,
           max(moment) OVER in_order AS moment, max(place) OVER in_order AS place
      FROM (SELECT * FROM met UNION ALL SELECT * FROM overtaken) e
    WINDOW in_order AS (PARTITION BY appeal_id ORDER BY sequence)
), hearer AS (
    SELECT s.appeal_id, s.organisation_id FROM (SELECT DISTINCT appeal_id FROM told) t,
           LATERAL (SELECT * FROM assignment WHERE appeal_id = t.appeal_id OFFSET 0) s
    UNION
    SELECT h.appeal_id, o.parent_id FROM hearer h
      JOIN organisation o ON o.id = h.organisation_id WHERE o.parent_id IS NOT NULL
), fed AS (
    INSERT INTO feed_entry (city_id, organisation_id, message_id, type, told_at)
    SELECT told.city_id, h.organisation_id, told.id, told.type, $2
      FROM told JOIN hearer h ON h.appeal_id = told.appeal_id
     WHERE NOT (told.internal AND told.type = 'appeal.commented')
     ORDER BY told.moment, told.place, told.sequence
)
SELECT told.id, told.city_id, told.type, told.appeal_id, told.sequence, w.id AS endpoint_id,
       w.enabled, w.ordered, CASE WHEN w.id IS NOT NULL THEN told.canonical END AS canonical
  FROM told
  LEFT JOIN LATERAL (SELECT service, sphere, district FROM appeal
                      WHERE id = told.appeal_id OFFSET 0) a ON true
  LEFT JOIN hearer h ON h.appeal_id = told.appeal_id
       AND NOT (told.internal AND told.type = 'appeal.commented')
  LEFT JOIN webhook_endpoint w ON w.organisation_id = h.organisation_id
       AND w.city_id = told.city_id AND w.removed_at IS NULL
       AND (w.event_types = '{{}}' OR told.type = ANY(w.event_types))
       AND ({_FITS.format(place="a")} OR EXISTS (
            SELECT FROM ({moved("told.appeal_id", "told.sequence")}) p
             WHERE {_FITS.format(place="p")}))
 ORDER BY told.moment, told.place, told.sequence
"""
"""Takes events out of the outbox and gives them to the feed; a row for each endpoint that is to
hear, else one without.

An organisation hears of every appeal that was ever assigned to it or to an organisation
below it. What colleagues say among themselves stays in their house: no internal comments.

Filters let an event through where the appeal fitted at any moment from just before it until now:
who had it is told by what it left, and nothing is let through that the sending would stop again.

`overtaken`: what came before in an appeal by a transaction that began after; it is looked for where
the batch does not begin with the appeal's first event. An event's moment and place are the highest
of its appeal so far, so that appeals keep their order too.

Nothing here is left to statistics, which after a quiet hour know of an empty outbox, and after a
busy one end before what is relayed: rows are taken where they lie (locked, they stay there), and
OFFSET 0 has each event, appeal and assignment looked up by its id, where a merge would read whole
indexes.
"""

_TELL_OF_INCIDENTS = """
WITH news AS (
    UPDATE incident_message SET told = true WHERE id IN (
        SELECT id FROM incident_message WHERE NOT told
         ORDER BY at, incident_id, sequence LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id, city_id, incident_id, sequence, type, at, organisations
)
INSERT INTO feed_entry (city_id, organisation_id, message_id, type, told_at)
SELECT city_id, organisation, id, type, $2 FROM news, unnest(organisations) organisation
 ORDER BY at, incident_id, sequence
"""
"""An incident is locked while it is acted on, so that its messages are seen in their order."""

_TELL_OF_NOTICES = """
WITH news AS (
    UPDATE notice SET fed = true WHERE id IN (
        SELECT id FROM notice WHERE NOT fed ORDER BY at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id, city_id, organisation_id, type, at
)
INSERT INTO feed_entry (city_id, organisation_id, message_id, type, told_at)
SELECT city_id, organisation_id, id, type, $2 FROM news ORDER BY at, id
"""

_DELIVER = """
INSERT INTO delivery (id, city_id, endpoint_id, event_id, type, payload, appeal_id, sequence,
                      in_turn, state, reason, created_at, next_attempt_at, finished_at)
SELECT d.id, d.city_id, d.endpoint_id, d.event_id, d.type, d.payload, d.appeal_id, d.sequence,
       d.in_turn, CASE WHEN d.enabled THEN 'pending' ELSE 'cancelled' END,
       CASE WHEN NOT d.enabled THEN 'endpoint-disabled' END, $1,
       CASE WHEN d.enabled THEN greatest($1, CASE WHEN d.in_turn THEN (
           SELECT max(e.next_attempt_at) FROM delivery e
            WHERE e.endpoint_id = d.endpoint_id AND e.appeal_id = d.appeal_id
              AND e.state = 'pending' AND e.in_turn) END) END,
       CASE WHEN NOT d.enabled THEN $1 END
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bytea[],
              $8::uuid[], $9::int[], $10::bool[], $11::bool[])
       d(id, city_id, endpoint_id, event_id, type, payload, appeal_id, sequence, in_turn, enabled)
    ON CONFLICT (endpoint_id, event_id) DO NOTHING
"""
"""What happens while an endpoint is disabled is kept for it as missed, to be sent on demand. In
order: not before what of the same appeal has to be tried again.
"""

RELAYING = 0x109_0008
"""Advisory lock: relays take turns, so that of one appeal nothing is handed on before what was, and
that whoever reads the feed up to a place has seen all that was ever given a place below it.
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
        """Move up to `limit` of the oldest events in one transaction, and what must go before
        them. Raises Unavailable.

        Any number of relays may run: they take turns.
        """
        turn = f"SELECT pg_advisory_xact_lock({RELAYING})"
        async with inside(self._engine, PLATFORM, setting=turn) as driver:
            await driver.execute(_TELL_OF_INCIDENTS, limit, at)
            await driver.execute(_TELL_OF_NOTICES, limit, at)
            rows = await driver.fetch(_TAKE, limit, at)
            if rows:
                await feed(driver, list({row["id"] for row in rows}), at)
            heard = self._unique(rows)
            if heard:
                await driver.execute(_DELIVER, at, *_columns(heard, self._base_url))
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
        [row["appeal_id"] for row in listed],
        [row["sequence"] for row in listed],
        [row["ordered"] for row in listed],
        [row["enabled"] for row in listed],
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
        facts=event["data"],
    )
