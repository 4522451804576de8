"""Deliveries on their way: leased, tried, counted. Due times and retries live here alone.

A delivery is leased twice: while its message lies in the broker, and again for the time
of its attempt. The lease's end is its token: whoever comes with another one than the lease
bears has lost the delivery to somebody else, and its word is not taken. No connection is
held while an endpoint is waited for (W13).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Keyring
from domain.webhooks.attempts import Attempt, Claim, Report
from domain.webhooks.health import NOTED
from domain.webhooks.messages import TEST_TYPE
from domain.webhooks.model import About, DeliveryState, Endpoint, EndReason
from domain.webhooks.schedule import Outcome, Verdict
from integrations.postgres.delivery_claims import (
    BEGIN,
    CANCEL,
    CLAIM,
    CLAIMING,
    FORWARD,
    GO_ON,
    RELEASE,
    UNSURE,
    UNWANTED,
)
from integrations.postgres.doors import PLATFORM
from integrations.postgres.endpoint_health import CALM, settle, tell_overdue
from integrations.postgres.endpoints import read_endpoint
from integrations.postgres.session import inside

log = structlog.get_logger()

MOST_AT_ONCE = 64
"""Attempts at once that any endpoint may ask for."""

PLACES = 2000
"""Attempts at once of all endpoints together."""

KEPT_FREE = 4
"""One place of so many is kept for endpoints that have nothing in the air."""

SHARES = 8
"""One place of so many is as much as an organisation may hold: more than its twenty endpoints take,
unless they ask for more than eight at once each.
"""

MOST_GIVEN_BACK = 100
"""Attempts of a delivery after which a try that was brought forward counts like any other."""

_ENDING = "SELECT id, url FROM webhook_endpoint WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
"""Whoever changes an endpoint locks it before its deliveries, and so does what may disable it."""

_FINISH = f"""
WITH said AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::text[], $5::timestamptz[],
                         $6::timestamptz[], $7::text[], $8::timestamptz[], $9::int[], $10::text[],
                         $11::int[], $12::text[])
        AS said(id, lease, number, state, next, over, reason, at, status, error, latency_ms, body)
), finished AS (
    UPDATE delivery d SET state = s.state, attempts = s.number, next_attempt_at = s.next,
                          finished_at = s.over, reason = s.reason
      FROM said s JOIN delivery_lease l ON l.delivery_id = s.id AND l.until = s.lease
     WHERE d.id = s.id AND d.attempts = s.number - 1 AND (d.state = 'pending') IS TRUE
    RETURNING d.id, d.endpoint_id, s.lease
), free AS (
    DELETE FROM delivery_lease l USING finished f WHERE l.delivery_id = f.id AND l.until = f.lease
), tried AS (
    INSERT INTO delivery_attempt (delivery_id, number, at, status, error, latency_ms, body)
    SELECT s.id, s.number, s.at, s.status, s.error, s.latency_ms, s.body
      FROM said s JOIN finished f ON f.id = s.id
)
SELECT f.id, ({CALM.format("f.endpoint_id", "$13")}) IS TRUE AS calm FROM finished f
"""

_AFTER = """
UPDATE delivery e SET next_attempt_at = s.next
  FROM unnest($1::uuid[], $2::timestamptz[]) s(id, next) JOIN delivery d ON d.id = s.id
 WHERE d.in_turn AND e.endpoint_id = d.endpoint_id AND e.appeal_id = d.appeal_id
   AND e.sequence > d.sequence AND e.state = 'pending' AND e.in_turn AND e.next_attempt_at < s.next
"""
"""What comes after a delivery that has to be tried again waits with it, out of the queue's way."""

_STATES = {
    Outcome.DELIVERED: DeliveryState.DELIVERED,
    Outcome.RETRY: DeliveryState.PENDING,
    Outcome.EXHAUSTED: DeliveryState.EXHAUSTED,
    # The receiver wants no more of this endpoint, so this delivery ends like those after it.
    Outcome.DISABLE: DeliveryState.CANCELLED,
}


def share_of(places: int) -> int:
    """How many of so many places an organisation may hold."""
    return max(1, places // SHARES)


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
        in_flight: int = PLACES,
        endpoints: Sequence[UUID] | None = None,
        answered: Sequence[UUID] = (),
    ) -> Sequence[Claim]:
        """Lease what is due by `at`, the oldest of every endpoint first.

        Never more than its concurrency, nor `per_endpoint`, of one endpoint, an eighth of
        `in_flight` of one organisation, and `in_flight` of all, are on lease; the last quarter of
        those is for endpoints of which nothing is. A test of an endpoint waits for none of its
        gates. `endpoints`: of these alone. `answered`: what is
        on lease and no longer in the air, since the caller is writing it down.
        """
        lease = at + self._lease
        rows = await self._fetch(
            CLAIM, at, per_endpoint, in_flight, lease, endpoints, share_of(in_flight),
            in_flight - in_flight // KEPT_FREE, answered,
            setting=f"{UNSURE}; SELECT pg_advisory_xact_lock({CLAIMING})",
        )  # fmt: skip
        return [Claim(row["id"], lease) for row in rows]

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give back claims that could not be handed on: they are due again at once."""
        for lease in {claim.lease for claim in claims}:
            ids = [claim.delivery for claim in claims if claim.lease == lease]
            await self._fetch(RELEASE, ids, lease)

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
        for row in await self._fetch(BEGIN if carried else GO_ON, *values, setting=UNSURE):
            endpoint = known.get(row["id"]) or read_endpoint(row, self._keyring)
            attempt = _attempt(row, known.setdefault(endpoint.id, endpoint), own, at)
            unwanted = _unwanted(row, attempt.endpoint)
            if unwanted is None:
                begun.append(attempt)
            else:
                await self._fetch(CANCEL, attempt.delivery, own, at, str(unwanted))
        return begun

    async def end_unwanted(self, at: datetime, limit: int = 500) -> int:
        """End what waits for endpoints that were disabled or removed, by name; how many."""
        return len(await self._fetch(UNWANTED, at, limit, TEST_TYPE))

    async def bring_forward(self, at: datetime, limit: int = 500) -> int:
        """Have what was put off for endpoints that were mended tried at once; how many of them.

        At most `limit` of an endpoint; while there may be more, it stays marked as mended.
        """
        return len(await self._fetch(FORWARD, at, limit, MOST_GIVEN_BACK))

    async def tell_overdue(self, at: datetime, limit: int = 50) -> int:
        """Tell the people of endpoints that fail for too long, of which attempts told nothing; of
        how many endpoints.
        """
        async with inside(self._engine, PLATFORM) as driver:
            return await tell_overdue(driver, at, limit, self._base_url)

    async def finish(self, reports: Sequence[Report]) -> frozenset[UUID]:
        """Write down together what attempts brought and what follows; whose word was taken.

        Not taken is that of an attempt whose lease ended, so that somebody else has the delivery,
        or whose endpoint was removed meanwhile. A failure at a URL that the endpoint no longer has
        ends nothing: the delivery is due at once at the one that it has. All of them or, where this
        raises, none.
        """
        failed = [one for one in reports if one.verdict.outcome is not Outcome.DELIVERED]
        async with inside(self._engine, PLATFORM) as driver:
            if failed:
                ids = list({one.attempt.endpoint.id for one in failed})
                urls = {row["id"]: row["url"] for row in await driver.fetch(_ENDING, ids)}
                reports = [_about(report, urls) for report in reports]
            noted = max(report.at for report in reports) - NOTED
            found = await driver.fetch(_FINISH, *_columns(reports), noted)
            calm = {row["id"]: row["calm"] for row in found}
            taken = [one for one in reports if one.attempt.delivery in calm]
            await _put_off(driver, taken)
            unsettled = [
                one
                for one in taken
                if one.verdict.outcome is not Outcome.DELIVERED or not calm[one.attempt.delivery]
            ]
            if unsettled:
                await settle(driver, unsettled, self._base_url)
        return frozenset(calm)

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


def _about(report: Report, urls: Mapping[UUID, str]) -> Report:
    """A report as it is to be taken of endpoints that are at `urls` now."""
    endpoint = report.attempt.endpoint
    if report.verdict.outcome is Outcome.DELIVERED or urls.get(endpoint.id) == endpoint.url:
        return report
    log.warning(
        "attempt_at_former_url",
        delivery_id=str(report.attempt.delivery),
        endpoint_id=str(endpoint.id),
        status=report.result.status,
        error=report.result.error,
    )
    return replace(report, verdict=Verdict(Outcome.RETRY, report.at))


async def _put_off(driver: Any, taken: Sequence[Report]) -> None:
    waiting = [
        (one.attempt.delivery, one.verdict.at)
        for one in taken
        if one.verdict.at is not None and one.attempt.endpoint.ordered
    ]
    if waiting:
        await driver.execute(_AFTER, *map(list, zip(*waiting, strict=True)))


def _columns(reports: Sequence[Report]) -> tuple[list[object], ...]:
    rows = [_line(report) for report in reports]
    return tuple(map(list, zip(*rows, strict=True)))


def _line(report: Report) -> tuple[object, ...]:
    attempt, result, verdict = report.attempt, report.result, report.verdict
    state = _STATES[verdict.outcome]
    over = None if state is DeliveryState.PENDING else report.at
    gone = verdict.outcome is Outcome.DISABLE
    return (
        attempt.delivery, attempt.lease, attempt.number, str(state), verdict.at, over,
        str(EndReason.ENDPOINT_GONE) if gone else None, attempt.at,
        result.status, result.error, result.latency_ms, result.body,
    )  # fmt: skip


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
    return endpoint.declines(row["type"], *(About(*one) for one in row["abouts"] or ()))
