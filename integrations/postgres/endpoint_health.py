"""What an attempt does to its endpoint: health, breaker, disabling, and who is told of it.

A sound endpoint costs nothing here: its health is looked at when something failed, or when there
is something to heal. Everything is part of the attempts' own transaction. Those of a page are
judged together: when many endpoints fall silent at once, their attempts end at once too.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.values import new_id
from domain.webhooks.attempts import Report
from domain.webhooks.events import Notice
from domain.webhooks.health import (
    ALARM,
    QUIET,
    Health,
    Ruling,
    Told,
    facts,
    notice_payload,
    overdue,
    rule,
)
from domain.webhooks.model import AttemptResult

_FIELDS = tuple(one.name for one in fields(Health))
_KINDS = {"failures": "int", "opened": "int", "throttles": "int", "told": "bool"}
"""Of those that are no instants."""

SAVE_HEALTH = (
    f"UPDATE endpoint_health SET ({', '.join(_FIELDS)})"
    f" = ROW({', '.join(f'${n}' for n in range(2, 2 + len(_FIELDS)))}) WHERE endpoint_id = $1"
)

CALM = """
SELECT true FROM endpoint_health h
 WHERE h.endpoint_id = {0} AND h.failures = 0 AND h.throttles = 0 AND h.open_until IS NULL
   AND NOT h.told AND h.last_success_at > {1}
"""
"""Whether a success changes nothing: that of the endpoint {0} is known since {1}."""

_BEGIN = (
    "INSERT INTO endpoint_health (endpoint_id) SELECT * FROM unnest($1::uuid[])"
    " ON CONFLICT DO NOTHING"
)
_LOCK = (
    "SELECT * FROM endpoint_health WHERE endpoint_id = ANY($1)"
    " ORDER BY endpoint_id FOR NO KEY UPDATE"
)
"""In one order everywhere, so that no two pages wait for each other."""

_ARRAYS = (f"${n}::{_KINDS.get(one, 'timestamptz')}[]" for n, one in enumerate(_FIELDS, 2))
_SAVE_ALL = f"""
UPDATE endpoint_health h SET ({", ".join(_FIELDS)}) = ROW({", ".join(map("s.{}".format, _FIELDS))})
  FROM unnest($1::uuid[], {", ".join(_ARRAYS)}) s(endpoint_id, {", ".join(_FIELDS)})
 WHERE h.endpoint_id = s.endpoint_id
"""

_STANDING = "SELECT id, enabled, url FROM webhook_endpoint WHERE id = ANY($1)"
"""Asked once the health is locked: whoever disabled it a moment ago has written both."""

_DISABLE = """
UPDATE webhook_endpoint SET enabled = false, disabled_at = $2, disabled_reason = $3,
                            version = version + 1
 WHERE id = $1 AND enabled AND removed_at IS NULL RETURNING id
"""

_AGAIN = """
UPDATE notice SET count = count + 1, last_at = $3
 WHERE id = (SELECT id FROM notice WHERE endpoint_id = $1 AND type = $2 AND at > $4
              ORDER BY at DESC LIMIT 1)
RETURNING id
"""

_NOTICE = """
INSERT INTO notice (id, city_id, organisation_id, endpoint_id, type, at, last_at, mail_due_at, data)
VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7)
"""

_TELL = """
INSERT INTO delivery (id, city_id, endpoint_id, message_id, type, payload, state, created_at,
                      next_attempt_at)
SELECT gen_random_uuid(), w.city_id, w.id, $7, $4, $5, 'pending', $6, $6 FROM webhook_endpoint w
 WHERE w.city_id = $1 AND w.organisation_id = $2 AND w.id <> $3 AND w.enabled
   AND w.removed_at IS NULL AND $4 = ANY(w.event_types)
"""
"""The organisation's other endpoints that named the notice."""


_OVERDUE = """
WITH silent AS (
    SELECT h.*, w.city_id, w.organisation_id FROM endpoint_health h
      JOIN webhook_endpoint w ON w.id = h.endpoint_id
     WHERE w.enabled AND w.removed_at IS NULL AND h.failing_since <= $1
       AND (h.told_at IS NULL OR h.told_at < h.failing_since AND h.told_at <= $2)
       AND EXISTS (SELECT FROM (
           SELECT d.attempts FROM delivery d
            WHERE d.endpoint_id = h.endpoint_id AND d.state = 'pending'
            ORDER BY d.next_attempt_at DESC, d.id DESC LIMIT 200) d WHERE d.attempts > 0)
     ORDER BY h.failing_since LIMIT $3 FOR NO KEY UPDATE OF h SKIP LOCKED
)
SELECT s.*, t.delivery_id, t.payload, t.status, t.error FROM silent s, LATERAL (
    SELECT a.delivery_id, d.payload, a.status, a.error FROM (
        SELECT d.id, d.payload, d.attempts FROM delivery d
         WHERE d.endpoint_id = s.endpoint_id AND d.state = 'pending'
         ORDER BY d.next_attempt_at DESC, d.id DESC LIMIT 200) d
      JOIN delivery_attempt a ON a.delivery_id = d.id AND a.number = d.attempts
     ORDER BY a.at DESC LIMIT 1) t
"""
"""Of endpoints that fail since $1 and of which nobody heard: the last that was tried in vain, and
still waits. What was tried stands at the end of the queue, for it was put off.
"""


def read_health(row: Any) -> Health:
    """The health of a row."""
    return Health(**{name: row[name] for name in _FIELDS})


def health_values(health: Health) -> list[object]:
    """What SAVE_HEALTH is given after the endpoint's id."""
    return [getattr(health, name) for name in _FIELDS]


def read_notice(row: Any) -> Told:
    """The notice of a row of the feed."""
    return Told(row["notice_id"], Notice(row["notice"]), row["at"], row["endpoint_id"], row["data"])


async def settle(driver: Any, reports: Sequence[Report], base_url: str) -> None:
    """Judge endpoints by attempts that were written down in this transaction: by those at the URL
    that they have. What another answered says nothing of it.
    """
    ids = sorted({report.attempt.endpoint.id for report in reports})
    await driver.execute(_BEGIN, ids)
    known = {row["endpoint_id"]: read_health(row) for row in await driver.fetch(_LOCK, ids)}
    standing = await driver.fetch(_STANDING, ids)
    enabled = {row["id"]: row["enabled"] for row in standing}
    urls = {row["id"]: row["url"] for row in standing}
    before = dict(known)
    ruled: list[tuple[Report, Ruling]] = []
    for report in sorted(reports, key=lambda one: one.at):
        id = report.attempt.endpoint.id
        if report.attempt.endpoint.url != urls[id]:
            continue
        ruling = rule(known[id], report.result, report.verdict, report.at, enabled=enabled[id])
        known[id] = ruling.health
        # What is told of the next attempt of a page is told of an endpoint that is disabled.
        enabled[id] = enabled[id] and ruling.disabled is None
        ruled.append((report, ruling))
    if changed := {id: health for id, health in known.items() if health != before[id]}:
        columns = zip(*(health_values(health) for health in changed.values()), strict=True)
        await driver.execute(_SAVE_ALL, list(changed), *map(list, columns))
    for report, ruling in ruled:
        if ruling.disabled is not None or ruling.notices:
            await _follow(driver, report, ruling, base_url)


async def _follow(driver: Any, report: Report, ruling: Ruling, base_url: str) -> None:
    endpoint, at = report.attempt.endpoint, report.at
    whose = (endpoint.city_id, endpoint.organisation_id, endpoint.id)
    told = facts(
        ruling.health, report.result, delivery=report.attempt.delivery,
        payload=report.attempt.payload, disabled=ruling.disabled,
    )  # fmt: skip
    disabled = ruling.disabled is not None and bool(
        await driver.fetch(_DISABLE, endpoint.id, at, str(ruling.disabled))
    )
    for notice in ruling.notices:
        # What others disabled meanwhile they were told of.
        if notice is not Notice.ENDPOINT_DISABLED or disabled:
            await _tell(driver, whose, notice, told, at, base_url)


async def tell_overdue(driver: Any, at: datetime, limit: int, base_url: str) -> int:
    """Tell the people of endpoints that fail for too long by now, though nothing was tried just
    now; of how many.
    """
    rows = await driver.fetch(_OVERDUE, at - ALARM, at - QUIET, limit)
    for row in rows:
        told = overdue(read_health(row), at)
        if told is None:
            continue
        await driver.execute(SAVE_HEALTH, row["endpoint_id"], *health_values(told))
        result = AttemptResult(row["status"], row["error"], 0, "", None)
        said = facts(
            told, result, delivery=row["delivery_id"], payload=bytes(row["payload"]), disabled=None
        )
        whose = (row["city_id"], row["organisation_id"], row["endpoint_id"])
        await _tell(driver, whose, Notice.ENDPOINT_FAILING, said, at, base_url)
    return len(rows)


async def _tell(
    driver: Any,
    whose: tuple[UUID, UUID, UUID],
    notice: Notice,
    data: dict[str, object],
    at: datetime,
    base_url: str,
) -> None:
    """`whose` is the city, the organisation and the endpoint."""
    endpoint = whose[2]
    repeated = notice is Notice.DELIVERY_EXHAUSTED and await driver.fetch(
        _AGAIN, endpoint, str(notice), at, at - QUIET
    )
    if repeated:
        return
    told = Told(new_id(), notice, at, endpoint, data)
    await driver.execute(_NOTICE, told.id, *whose, str(notice), at, orjson.dumps(data).decode())
    await driver.execute(_TELL, *whose, str(notice), notice_payload(told, base_url), at, told.id)
