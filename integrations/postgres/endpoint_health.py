"""What an attempt does to its endpoint: health, breaker, disabling, and who is told of it.

A sound endpoint costs nothing here: its health is looked at when something failed, or when there
is something to heal. Everything is part of the attempt's own transaction.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.values import new_id
from domain.webhooks.events import Notice
from domain.webhooks.health import QUIET, Health, Told, facts, notice_payload, rule
from domain.webhooks.model import AttemptResult, Endpoint
from domain.webhooks.schedule import Verdict

_FIELDS = tuple(one.name for one in fields(Health))

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

_BEGIN = "INSERT INTO endpoint_health (endpoint_id) VALUES ($1) ON CONFLICT DO NOTHING"
_LOCK = "SELECT * FROM endpoint_health WHERE endpoint_id = $1 FOR NO KEY UPDATE"

_ENABLED = "SELECT enabled FROM webhook_endpoint WHERE id = $1"
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


def read_health(row: Any) -> Health:
    """The health of a row."""
    return Health(**{name: row[name] for name in _FIELDS})


def health_values(health: Health) -> list[object]:
    """What SAVE_HEALTH is given after the endpoint's id."""
    return [getattr(health, name) for name in _FIELDS]


def read_notice(row: Any) -> Told:
    """The notice of a row of the feed."""
    return Told(row["notice_id"], Notice(row["notice"]), row["at"], row["endpoint_id"], row["data"])


async def settle(
    driver: Any,
    endpoint: Endpoint,
    delivery: UUID,
    result: AttemptResult,
    verdict: Verdict,
    at: datetime,
    base_url: str,
) -> None:
    """Judge an endpoint by an attempt that was written down in this transaction."""
    await driver.execute(_BEGIN, endpoint.id)
    health = read_health(await driver.fetchrow(_LOCK, endpoint.id))
    enabled = await driver.fetchval(_ENABLED, endpoint.id)
    ruling = rule(health, result, verdict, at, enabled=enabled)
    if ruling.health != health:
        await driver.execute(SAVE_HEALTH, endpoint.id, *health_values(ruling.health))
    told = facts(ruling.health, result, delivery=delivery, disabled=ruling.disabled)
    disabled = ruling.disabled is not None and bool(
        await driver.fetch(_DISABLE, endpoint.id, at, str(ruling.disabled))
    )
    for notice in ruling.notices:
        # What others disabled meanwhile they were told of.
        if notice is not Notice.ENDPOINT_DISABLED or disabled:
            await _tell(driver, endpoint, notice, told, at, base_url)


async def _tell(
    driver: Any,
    endpoint: Endpoint,
    notice: Notice,
    data: dict[str, object],
    at: datetime,
    base_url: str,
) -> None:
    repeated = notice is Notice.DELIVERY_EXHAUSTED and await driver.fetch(
        _AGAIN, endpoint.id, str(notice), at, at - QUIET
    )
    if repeated:
        return
    told = Told(new_id(), notice, at, endpoint.id, data)
    await driver.execute(
        _NOTICE, told.id, endpoint.city_id, endpoint.organisation_id, endpoint.id, str(notice), at,
        orjson.dumps(data).decode(),
    )  # fmt: skip
    await driver.execute(
        _TELL, endpoint.city_id, endpoint.organisation_id, endpoint.id, str(notice),
        notice_payload(told, base_url), at, told.id,
    )  # fmt: skip
