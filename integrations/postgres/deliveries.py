"""Deliveries on their way: leased, tried, counted. Due times and retries live here alone.

A delivery is leased twice: while its message lies in the broker, and again for the time
of its attempt. The lease's end is its token: whoever comes with another one than the row
bears has lost the delivery to somebody else, and its word is not taken. No connection is
held while an endpoint is waited for (W13).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Keyring
from domain.webhooks.attempts import Attempt, Claim, Report
from domain.webhooks.events import TEST_TYPE
from domain.webhooks.health import NOTED
from domain.webhooks.model import (
    About,
    AttemptResult,
    DeliveryState,
    Endpoint,
    EndReason,
)
from domain.webhooks.schedule import Outcome, Verdict
from integrations.postgres.doors import PLATFORM
from integrations.postgres.endpoint_health import CALM, settle
from integrations.postgres.endpoints import read_endpoint
from integrations.postgres.session import inside

MOST_AT_ONCE = 64
"""Attempts at once that any endpoint may ask for."""

CLAIMING = 0x109_0009
"""Advisory lock: claims are made one after another, since what may still be claimed of an endpoint
depends on all that is out.
"""

_CLAIM = """
WITH away AS (
    SELECT endpoint_id, count(*) AS busy FROM delivery
     WHERE state = 'pending' AND leased_until > $1
       AND ($5::uuid[] IS NULL OR endpoint_id = ANY($5)) GROUP BY endpoint_id
), paced AS (
    SELECT w.id, w.enabled, w.rate_limit, coalesce(a.busy, 0) AS busy,
           CASE WHEN h.open_until IS NULL THEN least(w.concurrency, $2) ELSE 1 END
               - coalesce(a.busy, 0) AS seats,
           make_interval(secs => 60.0 / nullif(w.rate_limit, 0)) AS step,
           greatest(h.paced_at, $1 - greatest(interval '1 second',
               make_interval(secs => 60.0 / nullif(w.rate_limit, 0)))) AS since
      FROM webhook_endpoint w
      LEFT JOIN endpoint_health h ON h.endpoint_id = w.id
      LEFT JOIN away a ON a.endpoint_id = w.id
     WHERE w.removed_at IS NULL AND ($5::uuid[] IS NULL OR w.id = ANY($5))
       AND (h.open_until <= $1) IS NOT FALSE
       AND (h.throttled_until <= $1) IS NOT FALSE
), open AS (
    SELECT p.*, least(p.seats, CASE WHEN p.rate_limit > 0 THEN floor(0.001
               + extract(epoch FROM $1 - p.since) / extract(epoch FROM p.step)) END)::int AS room
      FROM paced p WHERE p.seats > 0
), chosen AS (
    SELECT due.id FROM open o, LATERAL (
        SELECT f.id, f.next_attempt_at,
               row_number() OVER (ORDER BY f.next_attempt_at, f.id) + o.busy AS place
          FROM (SELECT d.id, d.next_attempt_at, d.type FROM delivery d
                 WHERE d.endpoint_id = o.id AND d.state = 'pending'
                   AND d.next_attempt_at <= $1
                   AND (d.leased_until IS NULL OR d.leased_until <= $1)
                   AND NOT (d.in_turn AND EXISTS (
                       SELECT FROM delivery e
                        WHERE e.endpoint_id = d.endpoint_id AND e.appeal_id = d.appeal_id
                          AND e.sequence < d.sequence AND e.state = 'pending' AND e.in_turn))
                 ORDER BY d.next_attempt_at, d.id LIMIT greatest(0, o.room)) f
         WHERE o.enabled OR f.type = $6) due
     ORDER BY due.place, due.next_attempt_at
     LIMIT greatest(0, $3 - (SELECT coalesce(sum(busy), 0) FROM away))
), free AS (
    SELECT id FROM delivery WHERE id = ANY(ARRAY(SELECT id FROM chosen))
       AND (state = 'pending') IS TRUE AND (leased_until <= $1) IS NOT FALSE
       FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE delivery d SET leased_until = $4 FROM free WHERE d.id = free.id
    RETURNING d.id, d.endpoint_id
), spent AS (
    INSERT INTO endpoint_health (endpoint_id, paced_at)
    SELECT o.id, o.since + t.n * o.step FROM open o
      JOIN (SELECT endpoint_id, count(*) AS n FROM taken GROUP BY 1) t ON t.endpoint_id = o.id
     WHERE o.rate_limit > 0
    ON CONFLICT (endpoint_id) DO UPDATE SET paced_at = excluded.paced_at
)
SELECT id FROM taken
"""
"""Leases what is due, in turn by endpoint: a dead one with a long queue delays nobody else.

Left alone are endpoints whose breaker is open or that are overloaded; where the breaker is half
open one delivery goes, and to a disabled one none but a test of it. Where a rate is set, time that
has passed is spent on it, of which at most a second's worth is saved up. In order: none whose
appeal has an earlier one under way. Of each endpoint's queue the first few deliveries alone are
read, so that its length costs nothing.

Here and below, whoever looks rows up by their ids asks whether it IS TRUE that they are pending:
the planner sees no partial index in that, of which it would read all that waits, or a whole lease.
"""

_RELEASE = """
UPDATE delivery SET leased_until = NULL
 WHERE id = ANY($1) AND leased_until = $2 AND state = 'pending'
"""

_BEGUN = """
       d.id AS delivery_id, coalesce(d.message_id, d.event_id, d.id) AS message_id, d.type,
       d.payload, d.attempts, d.tries_before,
       (SELECT o.active FROM organisation o WHERE o.id = w.organisation_id) AS standing,
       CASE WHEN w.services <> '{}' OR w.spheres <> '{}' OR w.districts <> '{}' THEN
       (SELECT ARRAY[a.service, a.sphere, a.district] FROM appeal a WHERE a.id = d.appeal_id)
       END AS about, w.*
"""

_BEGIN = f"""
UPDATE delivery d SET leased_until = $3 FROM webhook_endpoint w
 WHERE d.id = ANY($1) AND (d.state = 'pending') IS TRUE AND d.leased_until = $2
   AND w.id = d.endpoint_id
RETURNING {_BEGUN}
"""

_GO_ON = f"""
SELECT {_BEGUN} FROM delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
 WHERE d.id = ANY($1) AND (d.state = 'pending') IS TRUE AND d.leased_until = $2
"""
"""For whoever claimed a moment ago and told nobody: the claim's lease is the attempt's."""

_CANCEL = """
UPDATE delivery SET state = 'cancelled', finished_at = $3, next_attempt_at = NULL,
                    leased_until = NULL, reason = $4
 WHERE id = $1 AND state = 'pending' AND leased_until = $2
"""

_ENDING = "SELECT id FROM webhook_endpoint WHERE id = $1 FOR NO KEY UPDATE"
"""Whoever changes an endpoint locks it before its deliveries, and so does what may disable it."""

_FINISH = f"""
WITH finished AS (
    UPDATE delivery SET state = $4, attempts = $3, next_attempt_at = $5, finished_at = $6,
                        leased_until = NULL, reason = $12
     WHERE id = $1 AND leased_until = $2 AND attempts = $3 - 1 AND state = 'pending'
    RETURNING id, endpoint_id
), tried AS (
    INSERT INTO delivery_attempt (delivery_id, number, at, status, error, latency_ms, body)
    SELECT id, $3, $7, $8, $9, $10, $11 FROM finished
)
SELECT ({CALM.format("f.endpoint_id", "$13")}) IS TRUE AS calm FROM finished f
"""

_DELIVERED = f"""
WITH said AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::timestamptz[],
                         $5::timestamptz[], $6::int[], $7::text[], $8::int[], $9::text[])
        AS said(id, lease, number, ended, at, status, error, latency_ms, body)
), finished AS (
    UPDATE delivery d SET state = 'delivered', attempts = s.number, next_attempt_at = NULL,
                          finished_at = s.ended, leased_until = NULL, reason = NULL FROM said s
     WHERE d.id = s.id AND d.leased_until = s.lease AND d.attempts = s.number - 1
       AND (d.state = 'pending') IS TRUE
    RETURNING d.id, d.endpoint_id
), tried AS (
    INSERT INTO delivery_attempt (delivery_id, number, at, status, error, latency_ms, body)
    SELECT s.id, s.number, s.at, s.status, s.error, s.latency_ms, s.body
      FROM said s JOIN finished f ON f.id = s.id
)
SELECT f.id, f.endpoint_id, ({CALM.format("f.endpoint_id", "$10")}) IS TRUE AS calm FROM finished f
"""

_AFTER = """
UPDATE delivery e SET next_attempt_at = $2 FROM delivery d
 WHERE d.id = $1 AND d.in_turn AND e.endpoint_id = d.endpoint_id AND e.appeal_id = d.appeal_id
   AND e.sequence > d.sequence AND e.state = 'pending' AND e.in_turn AND e.next_attempt_at < $2
"""
"""What comes after a delivery that has to be tried again waits with it, out of the queue's way."""

_UNWANTED = """
WITH ended AS (
    SELECT d.id, d.leased_until, w.removed_at, w.disabled_reason FROM webhook_endpoint w,
           LATERAL (SELECT f.id, f.leased_until FROM delivery f
                     WHERE f.endpoint_id = w.id AND f.state = 'pending'
                       AND (w.removed_at IS NOT NULL OR f.type <> $3)
                       AND (f.leased_until IS NULL OR f.leased_until <= $1)
                     ORDER BY f.next_attempt_at, f.id LIMIT $2) d
     WHERE NOT w.enabled OR w.removed_at IS NOT NULL LIMIT $2
), free AS (
    SELECT d.id, e.removed_at, e.disabled_reason FROM delivery d JOIN ended e ON e.id = d.id
     WHERE d.state = 'pending' FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = 'cancelled', finished_at = $1, next_attempt_at = NULL,
       leased_until = NULL, reason = CASE WHEN f.removed_at IS NOT NULL THEN 'endpoint-removed'
           WHEN f.disabled_reason = 'gone' THEN 'endpoint-gone' ELSE 'endpoint-disabled' END
  FROM free f WHERE d.id = f.id
RETURNING d.id
"""

_STATES = {
    Outcome.DELIVERED: DeliveryState.DELIVERED,
    Outcome.RETRY: DeliveryState.PENDING,
    Outcome.EXHAUSTED: DeliveryState.EXHAUSTED,
    # The receiver wants no more of this endpoint, so this delivery ends like those after it.
    Outcome.DISABLE: DeliveryState.CANCELLED,
}


class Deliveries:
    """The queue of deliveries; every method is one short transaction. They raise Unavailable.

    `base_url` is where links of notices begin. `lease` is how long a message may lie in the
    broker, `attempt_lease` how long an attempt may take before somebody else makes it again.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        keyring: Keyring,
        *,
        base_url: str = "",
        lease: timedelta = timedelta(seconds=60),
        attempt_lease: timedelta = timedelta(seconds=60),
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._base_url = base_url
        self._lease = lease
        self._attempt_lease = attempt_lease

    async def claim(
        self,
        at: datetime,
        *,
        per_endpoint: int = MOST_AT_ONCE,
        in_flight: int = 2000,
        endpoints: Sequence[UUID] | None = None,
    ) -> Sequence[Claim]:
        """Lease what is due by `at`, the oldest of every endpoint first.

        Never more than its concurrency, nor `per_endpoint`, of one endpoint, and `in_flight` of
        all, are on lease. `endpoints`: of these alone, which `in_flight` then counts.
        """
        lease = at + self._lease
        rows = await self._fetch(
            _CLAIM, at, per_endpoint, in_flight, lease, endpoints, TEST_TYPE,
            setting=f"SELECT pg_advisory_xact_lock({CLAIMING})",
        )  # fmt: skip
        return [Claim(row["id"], lease) for row in rows]

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give back claims that could not be handed on: they are due again at once."""
        for lease in {claim.lease for claim in claims}:
            ids = [claim.delivery for claim in claims if claim.lease == lease]
            await self._fetch(_RELEASE, ids, lease)

    async def begin(self, delivery: UUID, lease: datetime, at: datetime) -> Attempt | None:
        """Take the claim's lease over for an attempt; nothing if it holds no more.

        A delivery whose endpoint was removed, disabled, or no longer wants its type, or whose
        organisation is active no more, ends here, cancelled.
        """
        begun = await self.begin_all([delivery], lease, at)
        return begun[0] if begun else None

    async def begin_all(
        self, deliveries: Sequence[UUID], lease: datetime, at: datetime, *, carried: bool = True
    ) -> Sequence[Attempt]:
        """Begin all that one claim leased together; see begin.

        `carried`: by a broker, which may take its time and tell twice. Else the caller claimed them
        a moment ago, and their lease is its own.
        """
        # Later than the claim's own end in any case, so that no second attempt begins on it.
        own = max(at + self._attempt_lease, lease + timedelta(microseconds=1))
        carried = carried or lease - at < self._attempt_lease / 2
        if not carried:
            own = lease
        begun = []
        # What an endpoint is stands in each of its rows, sealed.
        known: dict[UUID, Endpoint] = {}
        values = (deliveries, lease, own) if carried else (deliveries, lease)
        for row in await self._fetch(_BEGIN if carried else _GO_ON, *values):
            endpoint = known.get(row["id"]) or read_endpoint(row, self._keyring)
            attempt = _attempt(row, known.setdefault(endpoint.id, endpoint), own, at)
            unwanted = _unwanted(row, attempt.endpoint)
            if unwanted is None:
                begun.append(attempt)
            else:
                await self._fetch(_CANCEL, attempt.delivery, own, at, str(unwanted))
        return begun

    async def end_unwanted(self, at: datetime, limit: int = 500) -> int:
        """End what waits for endpoints that were disabled or removed, by name; how many."""
        return len(await self._fetch(_UNWANTED, at, limit, TEST_TYPE))

    async def finish(
        self, attempt: Attempt, result: AttemptResult, verdict: Verdict, at: datetime
    ) -> bool:
        """Write down what an attempt brought and what follows; whether its word was taken.

        It is not when the lease ended meanwhile and somebody else has the delivery, or when
        the endpoint was removed. `at` is when the attempt ended.
        """
        state = _STATES[verdict.outcome]
        over = None if state is DeliveryState.PENDING else at
        reason = EndReason.ENDPOINT_GONE if verdict.outcome is Outcome.DISABLE else None
        failed = verdict.outcome is not Outcome.DELIVERED
        async with inside(self._engine, PLATFORM) as driver:
            if failed:
                await driver.execute(_ENDING, attempt.endpoint.id)
            found = await driver.fetch(
                _FINISH, attempt.delivery, attempt.lease, attempt.number, str(state), verdict.at,
                over, attempt.at, result.status, result.error, result.latency_ms, result.body,
                reason, at - NOTED,
            )  # fmt: skip
            if found and verdict.at is not None and attempt.endpoint.ordered:
                await driver.execute(_AFTER, attempt.delivery, verdict.at)
            if found and (failed or not found[0]["calm"]):
                await settle(
                    driver, attempt.endpoint, attempt.delivery, result, verdict, at, self._base_url
                )
        return bool(found)

    async def finish_delivered(self, reports: Sequence[Report]) -> frozenset[UUID]:
        """Write down together attempts that delivered; of which deliveries the word was taken.

        All of them or, where this raises, none; see finish.
        """
        told = {report.attempt.delivery: report for report in reports}
        async with inside(self._engine, PLATFORM) as driver:
            taken = await driver.fetch(_DELIVERED, *_columns(reports), reports[-1].at - NOTED)
            # In one order everywhere, so that no two pages wait for each other.
            for row in sorted(taken, key=lambda row: row["endpoint_id"]):
                if not row["calm"]:
                    said = told[row["id"]]
                    await settle(
                        driver, said.attempt.endpoint, row["id"], said.result, said.verdict,
                        said.at, self._base_url,
                    )  # fmt: skip
        return frozenset(row["id"] for row in taken)

    async def _fetch(self, statement: str, *values: object, setting: str = "") -> list[Any]:
        async with inside(self._engine, PLATFORM, setting=setting) as driver:
            return list(await driver.fetch(statement, *values))


def _attempt(row: Any, endpoint: Endpoint, lease: datetime, at: datetime) -> Attempt:
    return Attempt(
        delivery=row["delivery_id"],
        message=row["message_id"],
        number=row["attempts"] + 1,
        tries=row["attempts"] - row["tries_before"] + 1,
        lease=lease,
        at=at,
        type=row["type"],
        payload=bytes(row["payload"]),
        endpoint=endpoint,
    )


def _columns(reports: Sequence[Report]) -> tuple[list[object], ...]:
    rows = [
        (
            one.attempt.delivery, one.attempt.lease, one.attempt.number, one.at, one.attempt.at,
            one.result.status, one.result.error, one.result.latency_ms, one.result.body,
        )
        for one in reports
    ]  # fmt: skip
    return tuple(map(list, zip(*rows, strict=True)))


def _unwanted(row: Any, endpoint: Endpoint) -> EndReason | None:
    """Why a delivery is not wanted any more; None while it is."""
    if row["removed_at"] is not None:
        return EndReason.ENDPOINT_REMOVED
    if not row["standing"]:
        # Its people's tokens ended with it, so that nobody is left who could disable this.
        return EndReason.ENDPOINT_DISABLED
    if row["type"] == TEST_TYPE:
        # Whoever mends an endpoint tries it before it is enabled again.
        return None
    return endpoint.declines(row["type"], About(*row["about"]) if row["about"] else None)
