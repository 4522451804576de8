"""Deliveries on their way: leased, tried, counted. Due times and retries live here alone.

A delivery is leased twice: while its message lies in the broker, and again for the time
of its attempt. The lease's end is its token: whoever comes with another one than the row
bears has lost the delivery to somebody else, and its word is not taken. No connection is
held while an endpoint is waited for (W13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Keyring
from domain.webhooks.model import AttemptResult, DeliveryState, Endpoint
from domain.webhooks.schedule import Outcome, Verdict
from integrations.postgres.doors import PLATFORM
from integrations.postgres.endpoints import read_endpoint
from integrations.postgres.session import inside

_CLAIM = """
WITH away AS (
    SELECT endpoint_id, count(*) AS busy FROM delivery
     WHERE state = 'pending' AND leased_until > $1 GROUP BY endpoint_id
), chosen AS (
    SELECT due.id FROM webhook_endpoint w LEFT JOIN away a ON a.endpoint_id = w.id, LATERAL (
        SELECT f.id, f.next_attempt_at,
               row_number() OVER (ORDER BY f.next_attempt_at, f.id) + coalesce(a.busy, 0) AS place
          FROM (SELECT d.id, d.next_attempt_at FROM delivery d
                 WHERE d.endpoint_id = w.id AND d.state = 'pending'
                   AND d.next_attempt_at <= $1
                   AND (d.leased_until IS NULL OR d.leased_until <= $1)
                 ORDER BY d.next_attempt_at, d.id LIMIT $2) f) due
     WHERE due.place <= $2 ORDER BY due.place, due.next_attempt_at
     LIMIT greatest(0, $3 - (SELECT coalesce(sum(busy), 0) FROM away))
), free AS (
    SELECT id FROM delivery WHERE id = ANY(ARRAY(SELECT id FROM chosen))
       AND state = 'pending' AND (leased_until <= $1) IS NOT FALSE
       FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET leased_until = $4 FROM free WHERE d.id = free.id RETURNING d.id
"""
"""Leases what is due, in turn by endpoint: a dead one with a long queue delays nobody else.

Of each endpoint's queue the first few deliveries alone are read, so that its length costs nothing.
"""

_RELEASE = """
UPDATE delivery SET leased_until = NULL
 WHERE id = ANY($1) AND leased_until = $2 AND state = 'pending'
"""

_BEGIN = """
UPDATE delivery d SET leased_until = $3 FROM webhook_endpoint w
 WHERE d.id = $1 AND d.state = 'pending' AND d.leased_until = $2 AND w.id = d.endpoint_id
RETURNING d.id AS delivery_id, d.event_id,
          coalesce(d.message_id, d.event_id, d.id) AS message_id, d.type, d.payload, d.attempts, w.*
"""

_CANCEL = """
UPDATE delivery SET state = 'cancelled', finished_at = $3, next_attempt_at = NULL,
                    leased_until = NULL
 WHERE id = $1 AND state = 'pending' AND leased_until = $2
"""

_FINISH = """
WITH finished AS (
    UPDATE delivery SET state = $4, attempts = $3, next_attempt_at = $5, finished_at = $6,
                        leased_until = NULL
     WHERE id = $1 AND leased_until = $2 AND attempts = $3 - 1 AND state = 'pending'
    RETURNING id, endpoint_id
), told AS (
    INSERT INTO delivery_attempt (delivery_id, number, at, status, error, latency_ms, body)
    SELECT id, $3, $7, $8, $9, $10, $11 FROM finished
), disabled AS (
    UPDATE webhook_endpoint w SET enabled = false FROM finished
     WHERE w.id = finished.endpoint_id AND $12
)
SELECT count(*) FROM finished
"""

_STATES = {
    Outcome.DELIVERED: DeliveryState.DELIVERED,
    Outcome.RETRY: DeliveryState.PENDING,
    Outcome.EXHAUSTED: DeliveryState.EXHAUSTED,
    # The receiver wants no more of this endpoint, so this delivery ends like those after it.
    Outcome.DISABLE: DeliveryState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is due, leased until `lease`."""

    delivery: UUID
    lease: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may be made now: the `number`-th of its delivery, by its lease's holder.

    `message` is the id that every receiver of this message is given, by webhook or in the feed.
    """

    delivery: UUID
    message: UUID
    number: int
    lease: datetime
    at: datetime
    type: str
    payload: bytes
    endpoint: Endpoint


class Deliveries:
    """The queue of deliveries; every method is one short transaction. They raise Unavailable.

    `lease` is how long a message may lie in the broker, `attempt_lease` how long an attempt
    may take before somebody else makes it again.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        keyring: Keyring,
        *,
        lease: timedelta = timedelta(seconds=60),
        attempt_lease: timedelta = timedelta(seconds=60),
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._lease = lease
        self._attempt_lease = attempt_lease

    async def claim(
        self, at: datetime, *, per_endpoint: int = 8, in_flight: int = 2000
    ) -> Sequence[Claim]:
        """Lease what is due by `at`, the oldest of every endpoint first.

        Never more than `per_endpoint` of one endpoint, and `in_flight` of all, are on lease.
        """
        lease = at + self._lease
        rows = await self._fetch(_CLAIM, at, per_endpoint, in_flight, lease)
        return [Claim(row["id"], lease) for row in rows]

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give back claims that could not be handed on: they are due again at once."""
        for lease in {claim.lease for claim in claims}:
            ids = [claim.delivery for claim in claims if claim.lease == lease]
            await self._fetch(_RELEASE, ids, lease)

    async def begin(self, delivery: UUID, lease: datetime, at: datetime) -> Attempt | None:
        """Take the claim's lease over for an attempt; nothing if it holds no more.

        A delivery whose endpoint was removed, disabled, or no longer wants its type ends here,
        cancelled.
        """
        # Later than the claim's own end in any case, so that no second attempt begins on it.
        own = max(at + self._attempt_lease, lease + timedelta(microseconds=1))
        rows = await self._fetch(_BEGIN, delivery, lease, own)
        if not rows:
            return None
        attempt = self._attempt(rows[0], own, at)
        if _wanted(rows[0], attempt.endpoint):
            return attempt
        await self._fetch(_CANCEL, delivery, own, at)
        return None

    async def finish(
        self, attempt: Attempt, result: AttemptResult, verdict: Verdict, at: datetime
    ) -> bool:
        """Write down what an attempt brought and what follows; whether its word was taken.

        It is not when the lease ended meanwhile and somebody else has the delivery, or when
        the endpoint was removed. `at` is when the attempt ended.
        """
        state = _STATES[verdict.outcome]
        over = None if state is DeliveryState.PENDING else at
        rows = await self._fetch(
            _FINISH, attempt.delivery, attempt.lease, attempt.number, str(state), verdict.at,
            over, attempt.at, result.status, result.error, result.latency_ms, result.body,
            verdict.outcome is Outcome.DISABLE,
        )  # fmt: skip
        return bool(rows[0]["count"])

    async def _fetch(self, statement: str, *values: object) -> list[Any]:
        async with inside(self._engine, PLATFORM) as driver:
            return list(await driver.fetch(statement, *values))

    def _attempt(self, row: Any, lease: datetime, at: datetime) -> Attempt:
        return Attempt(
            delivery=row["delivery_id"],
            message=row["message_id"],
            number=row["attempts"] + 1,
            lease=lease,
            at=at,
            type=row["type"],
            payload=bytes(row["payload"]),
            endpoint=read_endpoint(row, self._keyring),
        )


def _wanted(row: Any, endpoint: Endpoint) -> bool:
    if row["removed_at"] is not None or not endpoint.enabled:
        return False
    # A message that tells of no event (a test of the endpoint) is of no type to be deselected.
    return row["event_id"] is None or endpoint.wants(row["type"])
