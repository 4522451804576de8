"""From the outbox to the exchange: which events the state is to hear of, within the relay's own
transaction, so that what was taken out of the outbox is told or was not taken (law 2).

An appeal may come to go out late, once it is classified, and after a restore from a copy its later
events may be met first (outbox.py). So whoever meets one that goes out and has no case yet opens
it, and whoever opened it puts down every event before the one that was met; the case's key and the
messages' make the second a repeat.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.appeals.model import Channel
from domain.eotinish.agreements import Selection
from domain.eotinish.outgoing import notice_of

_MET = """
SELECT e.id, e.city_id, e.appeal_id, e.sequence, e.canonical, a.number, a.service, a.channel,
       a.legal_kind, x.selection, a.registered_at >= x.since AS fresh,
       c.appeal_id AS known
  FROM event e JOIN eotinish_city x ON x.city_id = e.city_id
  JOIN appeal a ON a.id = e.appeal_id LEFT JOIN eotinish_case c ON c.appeal_id = e.appeal_id
 WHERE e.id = ANY($1) ORDER BY e.appeal_id, e.sequence
"""

_OPEN = """
INSERT INTO eotinish_case (appeal_id, city_id, own_number, origin, opened_at)
SELECT o.id, o.city_id, o.number, 'city', $4
  FROM unnest($1::uuid[], $2::uuid[], $3::text[]) o (id, city_id, number) ORDER BY o.id
    ON CONFLICT (appeal_id) DO NOTHING RETURNING appeal_id
"""

_BEFORE = """
SELECT e.id, e.city_id, e.appeal_id, e.sequence, e.canonical FROM event e
 WHERE e.appeal_id = ANY($1) ORDER BY e.appeal_id, e.sequence
"""

_TELL = """
INSERT INTO eotinish_message (id, city_id, appeal_id, sequence, notice, created_at, next_attempt_at)
SELECT m.*, $6, $6 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[]) m
    ON CONFLICT DO NOTHING
"""

Row = Mapping[str, Any]


async def feed(driver: Any, events: Sequence[UUID], at: datetime) -> None:
    """Put down what the state is to hear of these events; the caller's transaction keeps it."""
    met = [row for row in await driver.fetch(_MET, list(events)) if _goes_out(row)]
    if not met:
        return
    fresh = {row["appeal_id"]: row for row in met if row["known"] is None}
    opened = []
    if fresh:
        opened = await driver.fetch(
            _OPEN, list(fresh), [row["city_id"] for row in fresh.values()],
            [row["number"] for row in fresh.values()], at,
        )  # fmt: skip
    first = {row["appeal_id"]: row["sequence"] for row in reversed(met)}
    late = [row["appeal_id"] for row in opened if first[row["appeal_id"]] > 1]
    earlier = await driver.fetch(_BEFORE, late) if late else []
    before = [row for row in earlier if row["sequence"] < first[row["appeal_id"]]]
    await _tell(driver, [*before, *met], at)


def _goes_out(row: Row) -> bool:
    if row["known"] is not None:
        return True
    if not row["fresh"] or row["channel"] == Channel.E_OTINISH:
        return False
    said = orjson.loads(row["selection"]) if isinstance(row["selection"], str) else row["selection"]
    return read_selection(said).covers(row["service"], lawful=row["legal_kind"] is not None)


def read_selection(said: Mapping[str, Any]) -> Selection:
    """What goes out, as a city's row says it."""
    return Selection(tuple(said["services"]), tuple(said["never"]))


async def _tell(driver: Any, rows: Iterable[Row], at: datetime) -> None:
    told = [(row, notice_of(orjson.loads(row["canonical"]))) for row in rows]
    named = [(row, str(notice)) for row, notice in told if notice is not None]
    if not named:
        return
    columns = [
        [row[name] for row, _ in named] for name in ("id", "city_id", "appeal_id", "sequence")
    ]
    await driver.execute(_TELL, *columns, [notice for _, notice in named], at)
