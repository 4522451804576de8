"""Webhook endpoints of the principal's organisation; secrets sealed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.access import Principal
from domain.errors import Conflict, NotFound
from domain.ports import Keyring
from domain.values import new_id
from domain.webhooks.health import anew
from domain.webhooks.messages import TEST_TYPE
from domain.webhooks.model import MISSED, DisabledReason, Endpoint, EndReason, Secret
from domain.webhooks.replay import MOST_TRIES, Replay, What
from integrations.postgres.endpoint_health import SAVE_HEALTH, health_values, read_health
from integrations.postgres.instants import parse_instant
from integrations.postgres.lane import Lane

_OWN = "city_id = $1 AND organisation_id = $2 AND removed_at IS NULL"

_KEPT = (
    "id", "url", "event_types", "description", "enabled", "secrets", "services", "spheres",
    "districts", "headers", "payload_version", "ordered", "ed25519", "concurrency",
    "rate_limit", "disabled_at", "disabled_reason", "version",
)  # fmt: skip
"""The columns that a change may write, the id before them."""

_AT_ONCE = 5000
"""Deliveries that one call ends."""

_AGAIN = (
    "state = 'pending', next_attempt_at = $1, finished_at = NULL, reason = NULL,"
    " tries_before = attempts"
)
"""On its way again by the whole schedule; the log keeps the tries before."""

_NOBODY_S = "UPDATE delivery_lease l SET until = '-infinity' FROM sent s WHERE l.delivery_id = s.id"
"""Whoever has it in the air since before it ended says nothing of its new tries."""

TESTS = 5
"""Of an endpoint that may wait at once; one is in the air at a time."""
_WAITING_TESTS = (
    "SELECT count(*) FROM delivery d WHERE d.endpoint_id = $1 AND d.state = 'pending'"
    f" AND d.type = '{TEST_TYPE}'"
)

_IN_HAND = "SELECT FROM delivery_lease WHERE delivery_id = $1 AND until > $2"

_BESIDE = f"""
UPDATE delivery e SET next_attempt_at = $2, tries_before = e.attempts FROM delivery d
 WHERE d.id = $1 AND d.in_turn AND e.endpoint_id = d.endpoint_id AND e.appeal_id = d.appeal_id
   AND e.state = 'pending' AND e.in_turn AND e.next_attempt_at > $2 AND e.attempts < {MOST_TRIES}
"""
"""In order: what comes before a delivery, and what waited with it; each by the whole schedule, as
what was asked for itself, and as often.
"""

_KNOCK = """
UPDATE endpoint_health SET open_until = least(open_until, $2),
                           throttled_until = least(throttled_until, $2)
 WHERE endpoint_id = $1 AND (open_until > $2 OR throttled_until > $2)
"""
"""Whoever asks for something to be sent now does not wait for the breaker's hour: one message goes,
and if it arrives, the rest.
"""


class SqlEndpoints:
    """See domain.ports.Endpoints."""

    def __init__(self, lane: Lane, principal: Principal, keyring: Keyring) -> None:
        self._lane = lane
        self._principal = principal
        self._keyring = keyring

    async def list(self) -> Sequence[Endpoint]:
        """All of them, oldest first."""
        found = await self._lane.fetch(
            f"SELECT * FROM webhook_endpoint WHERE {_OWN} ORDER BY created_at, id", *self._scope
        )
        return [read_endpoint(row, self._keyring) for row in found]

    async def get(self, id: UUID) -> Endpoint:
        """One of them, locked until the unit ends."""
        await self._lane.begin()
        found = await self._lane.fetch(
            f"SELECT * FROM webhook_endpoint WHERE {_OWN} AND id = $3 FOR NO KEY UPDATE",
            *self._scope,
            id,
        )
        if not found:
            raise NotFound(kind="endpoint", id=str(id))
        return read_endpoint(found[0], self._keyring)

    async def add(self, endpoint: Endpoint) -> None:
        """Keep a new one; that of another organisation, which is taken in, as its city does."""
        own = endpoint.organisation_id == self._principal.organisation
        await (self._lane.begin() if own else self._lane.widen())
        marks = ", ".join(f"${n}" for n in range(4, 4 + len(_KEPT)))
        await self._lane.fetch(
            "INSERT INTO webhook_endpoint (city_id, organisation_id, created_at, id,"
            f" {', '.join(_KEPT[1:])}) VALUES ($1, $2, $3, {marks})",
            endpoint.city_id, endpoint.organisation_id, endpoint.created_at,
            *self._values(endpoint),
        )  # fmt: skip

    async def save(self, endpoint: Endpoint) -> None:
        """Keep a changed one."""
        await self._lane.begin()
        changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(_KEPT[1:], 4))
        await self._lane.fetch(
            f"UPDATE webhook_endpoint SET {changes} WHERE {_OWN} AND id = $3",
            *self._scope, *self._values(endpoint),
        )  # fmt: skip

    async def mend(self, id: UUID, *, at: datetime) -> None:
        """Let its health begin anew; one that was never tried has none yet. What was put off comes
        forward within a second (deliveries.py: bring_forward).
        """
        await self._lane.begin()
        found = await self._lane.fetch(
            "SELECT * FROM endpoint_health WHERE endpoint_id = $1 FOR NO KEY UPDATE", id
        )
        if found:
            await self._lane.fetch(SAVE_HEALTH, id, *health_values(anew(read_health(found[0]), at)))

    async def remove(self, id: UUID, *, at: datetime) -> None:
        """Take it out of use; what was on its way ends by name, and stays in the log.

        Of a long queue the beginning ends here, and the rest within seconds by itself
        (deliveries.py: end_unwanted).
        """
        await self.get(id)
        await self._lane.fetch(
            f"UPDATE webhook_endpoint SET removed_at = $4, enabled = false WHERE {_OWN}"
            " AND id = $3",
            *self._scope, id, at,
        )  # fmt: skip
        await self._lane.fetch(
            "UPDATE delivery SET state = 'cancelled', finished_at = $2, next_attempt_at = NULL,"
            " reason = $3 WHERE id IN (SELECT d.id FROM delivery d WHERE d.endpoint_id = $1"
            " AND d.state = 'pending' ORDER BY d.next_attempt_at, d.id LIMIT $4)",
            id, at, EndReason.ENDPOINT_REMOVED, _AT_ONCE,
        )  # fmt: skip

    async def send(self, endpoint: Endpoint, type: str, payload: bytes, *, at: datetime) -> UUID:
        """Put a message on its way to one endpoint alone. Raises Conflict for one test more than
        may wait: each claim looks at all of them.
        """
        await self._lane.begin()
        if type == TEST_TYPE and await self._lane.fetchval(_WAITING_TESTS, endpoint.id) >= TESTS:
            raise Conflict(reason="tests-waiting", limit=TESTS)
        id = new_id()
        await self._lane.fetch(
            "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
            " next_attempt_at) VALUES ($1, $2, $3, $4, $5, 'pending', $6, $6)",
            id, self._principal.city, endpoint.id, type, payload, at,
        )  # fmt: skip
        return id

    async def retry(self, delivery: UUID, *, at: datetime) -> None:
        """Put a delivery on its way at once, with all its tries before it: one that is over, or
        waits for its next try. One in the air is left alone, and so is one that was tried enough.
        """
        await self._lane.begin()
        found = await self._lane.fetch(
            "SELECT d.state, d.attempts, d.endpoint_id, w.enabled FROM delivery d"
            " JOIN webhook_endpoint w ON w.id = d.endpoint_id"
            " WHERE w.city_id = $1 AND w.organisation_id = $2"
            " AND w.removed_at IS NULL AND d.id = $3 FOR NO KEY UPDATE OF d",
            *self._scope, delivery,
        )  # fmt: skip
        if not found:
            raise NotFound(kind="delivery", id=str(delivery))
        pending = found[0]["state"] == "pending"
        # Asked once the delivery is locked: whoever has it in hand from now on finds it so.
        if pending and await self._lane.fetch(_IN_HAND, delivery, at):
            raise Conflict(reason="delivery-not-finished")
        if not found[0]["enabled"]:
            raise Conflict(reason="endpoint-disabled")
        if found[0]["attempts"] >= MOST_TRIES:
            raise Conflict(reason="delivery-tried-enough", limit=MOST_TRIES)
        await self._lane.fetch(
            f"WITH sent AS (UPDATE delivery d SET {_AGAIN} WHERE d.id = $2 RETURNING d.id)"
            f" {_NOBODY_S}",
            at, delivery,
        )  # fmt: skip
        if pending:
            await self._lane.fetch(_BESIDE, delivery, at)
        await self._lane.fetch(_KNOCK, found[0]["endpoint_id"], at)

    async def count(self, id: UUID, asked: Replay, *, at: datetime) -> int:
        """How many deliveries a replay would send again."""
        condition, values = _replayed(id, asked, at)
        counted = await self._lane.fetchval(
            f"SELECT count(*) FROM delivery d WHERE {condition}", *values
        )
        return int(counted)

    async def replay(self, id: UUID, asked: Replay, *, at: datetime) -> int:
        """Put the oldest of them on their way again; how many."""
        await self._lane.begin()
        condition, values = _replayed(id, asked, at)
        counted = await self._lane.fetchval(
            f"WITH chosen AS (SELECT d.id FROM delivery d WHERE {condition}"
            f" ORDER BY d.created_at, d.id LIMIT {asked.MOST}), sent AS ("
            f"UPDATE delivery d SET {_AGAIN} FROM chosen WHERE d.id = chosen.id RETURNING d.id"
            f"), free AS ({_NOBODY_S}) SELECT count(*) FROM sent",
            *values,
        )
        await self._lane.fetch(_KNOCK, id, at)
        return int(counted)

    @property
    def _scope(self) -> tuple[UUID, UUID | None]:
        return self._principal.city, self._principal.organisation

    def _values(self, endpoint: Endpoint) -> tuple[object, ...]:
        signing = [[one.value, one.until] for one in endpoint.secrets]
        headers = dict(endpoint.headers)
        sealed = {
            "secrets": self._keyring.seal(orjson.dumps(signing)),
            "headers": self._keyring.seal(orjson.dumps(headers)) if headers else None,
        }
        return tuple(
            sealed[name] if name in sealed else _plain(getattr(endpoint, name)) for name in _KEPT
        )


def read_endpoint(row: Any, keyring: Keyring) -> Endpoint:
    """The endpoint of a row."""
    headers, reason = row["headers"], row["disabled_reason"]
    return Endpoint(
        id=row["id"],
        city_id=row["city_id"],
        organisation_id=row["organisation_id"],
        url=row["url"],
        event_types=frozenset(row["event_types"]),
        description=row["description"],
        enabled=row["enabled"],
        secrets=_secrets(keyring.open(bytes(row["secrets"]))),
        created_at=row["created_at"],
        services=frozenset(row["services"]),
        spheres=frozenset(row["spheres"]),
        districts=frozenset(row["districts"]),
        headers=orjson.loads(keyring.open(bytes(headers))) if headers is not None else {},
        payload_version=row["payload_version"],
        ordered=row["ordered"],
        ed25519=row["ed25519"],
        concurrency=row["concurrency"],
        rate_limit=row["rate_limit"],
        disabled_at=row["disabled_at"],
        disabled_reason=DisabledReason(reason) if reason is not None else None,
        version=row["version"],
    )


def _secrets(opened: bytes) -> tuple[Secret, ...]:
    """What was sealed before secrets had an end is a list of them alone."""
    said = [(one, None) if isinstance(one, str) else one for one in orjson.loads(opened)]
    return tuple(
        Secret(value, None if until is None else parse_instant(until)) for value, until in said
    )


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value


def _replayed(id: UUID, asked: Replay, at: datetime) -> tuple[str, list[object]]:
    """The condition of what a replay at a time ($1) sends again, and its parameters."""
    values: list[object] = [at]

    def said(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    # Of every parameter the driver has to know the type, of the first too where nothing asks it.
    found = [
        f"d.endpoint_id = {said(id)}", "$1::timestamptz IS NOT NULL", f"d.attempts < {MOST_TRIES}"
    ]  # fmt: skip
    if asked.what is What.WAITING:
        # What is due by its time may be held by a gate, which the order opens.
        found.append(
            "d.state = 'pending' AND (d.next_attempt_at > $1 OR EXISTS ("
            "SELECT FROM endpoint_health h WHERE h.endpoint_id = d.endpoint_id"
            " AND (h.open_until > $1 OR h.throttled_until > $1)))"
        )
        found.append("NOT EXISTS (SELECT FROM delivery_lease l"
                     " WHERE l.delivery_id = d.id AND l.until > $1)")  # fmt: skip
    else:
        found.append("d.state <> 'pending'")
    if asked.what is What.MISSED:
        reasons = said(sorted(MISSED))
        found.append(
            f"(d.state = 'exhausted' OR d.state = 'cancelled' AND d.reason = ANY({reasons}))"
        )
    if asked.since is not None:
        found.append(f"d.created_at >= {said(asked.since)}")
    if asked.until is not None:
        found.append(f"d.created_at < {said(asked.until)}")
    if asked.event_types:
        found.append(f"d.type = ANY({said(sorted(asked.event_types))})")
    return " AND ".join(found), values
