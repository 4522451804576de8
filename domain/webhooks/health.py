"""How an endpoint fares: when it is left alone for a while, disabled, and who is told.

A breaker guards everybody else: after TRIP failures in a row it opens, nothing is tried, and
after a wait of REOPENS a single message goes out; if it arrives, the breaker is closed, else it
opens again for longer. An endpoint that did nothing but fail for PATIENCE is disabled; one
success, or a silence of LULL in which nothing was tried, begins the count anew. Only attempts
that ended count; what still waits hides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson

from domain.webhooks.events import Notice, message, subject_of
from domain.webhooks.messages import EndpointLinks, NoticeData
from domain.webhooks.model import AttemptResult, DisabledReason
from domain.webhooks.schedule import LONGEST_RETRY_AFTER, Outcome, Verdict

TRIP = 5
"""Failures in a row that open the breaker."""

REOPENS = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=10),
)
"""How long the breaker stays open: the first time, the second, …; the last for ever after."""

PATIENCE = timedelta(days=5)
"""Of nothing but failures, before an endpoint is disabled."""

LULL = timedelta(hours=30)
"""Longer than the longest wait between two tries: whoever was not tried for so long did not fail
all the while."""

ALARM = timedelta(minutes=7)
"""Of nothing but failures, after which it is an outage. A message's first three tries take no
longer, by the longest of their waits and of their attempts; of the twenty minutes within which
somebody in a lift is to be reached, more than half are left.
"""

QUIET = timedelta(hours=1)
"""Within which nobody is told twice that an endpoint fails, or of another exhausted delivery."""

NOTED = timedelta(minutes=1)
"""How exactly the last success of a sound endpoint is known: it is not written each time."""

OVERLOADED = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)
"""Answers upon which the whole endpoint is left alone for a moment, not one delivery alone."""

THROTTLES = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
)
"""For how long, as Retry-After says nothing longer: the first time in a row, the second, …"""


class Breaker(StrEnum):
    """Whether an endpoint is tried: as ever, not at all, by one message."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint fares.

    `failures` in a row began at `failing_since`. `opened` counts how often the breaker opened
    meanwhile, `throttles` the overloaded answers in a row. `told`: its people know of the failing,
    and are to hear of the recovery; `told_at` is when they last heard of a failing. `mended_at`:
    since then what was put off is to be tried at once; None once it has been brought forward.
    """

    failures: int = 0
    failing_since: datetime | None = None
    last_failure_at: datetime | None = None
    last_success_at: datetime | None = None
    opened: int = 0
    open_until: datetime | None = None
    throttles: int = 0
    throttled_until: datetime | None = None
    told: bool = False
    told_at: datetime | None = None
    mended_at: datetime | None = None

    def breaker(self, at: datetime) -> Breaker:
        """How the breaker stands."""
        if self.open_until is None:
            return Breaker.CLOSED
        return Breaker.OPEN if self.open_until > at else Breaker.HALF_OPEN


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from an attempt for its endpoint: its health after it, whether and why it is
    disabled, and what its people are told.
    """

    health: Health
    disabled: DisabledReason | None = None
    notices: tuple[Notice, ...] = ()


def rule(
    health: Health, result: AttemptResult, verdict: Verdict, at: datetime, *, enabled: bool = True
) -> Ruling:
    """Judge an endpoint by an attempt that ended at `at`.

    One that is not `enabled` gets nothing but tests and what was in the air: by these it neither
    fails nor recovers, for nothing reaches it either way. Its people hear of the recovery when it
    was enabled and something arrived.
    """
    if not enabled:
        return _idle(health, verdict, at)
    if verdict.outcome is Outcome.DELIVERED:
        return _succeeded(health, at)
    after = _failed(health, result, at)
    notices: list[Notice] = []
    if _alarming(after, at) and _unheard(after, at):
        notices.append(Notice.ENDPOINT_FAILING)
    if verdict.outcome is Outcome.EXHAUSTED:
        notices.append(Notice.DELIVERY_EXHAUSTED)
    disabled = _disabled(after, verdict, at)
    if disabled is not None:
        # One word is enough: that it fails is said by the greater one.
        notices = [one for one in notices if one is not Notice.ENDPOINT_FAILING]
        notices.append(Notice.ENDPOINT_DISABLED)
    if {Notice.ENDPOINT_FAILING, Notice.ENDPOINT_DISABLED} & set(notices):
        after = replace(after, told=True, told_at=at)
    return Ruling(after, disabled, tuple(notices))


def overdue(health: Health, at: datetime) -> Health | None:
    """The health of an endpoint whose people are to be told by now that it fails, as it is once
    they are; None where they are not.

    Attempts alone would tell too late: of a single message that waits there are four in the first
    half hour, and then none for two hours.
    """
    if health.failing_since is None or not _alarming(health, at) or not _unheard(health, at):
        return None
    return replace(health, told=True, told_at=at)


def anew(health: Health, at: datetime) -> Health:
    """The health of an endpoint that somebody mended: tried at once, and counted from nothing.

    That its people were told it failed stands: they hear of the first success.
    """
    return Health(
        last_failure_at=health.last_failure_at,
        last_success_at=health.last_success_at,
        told=health.told,
        told_at=health.told_at,
        mended_at=at,
    )


def _idle(health: Health, verdict: Verdict, at: datetime) -> Ruling:
    if verdict.outcome is Outcome.DELIVERED:
        return Ruling(replace(health, last_success_at=at))
    exhausted = verdict.outcome is Outcome.EXHAUSTED
    return Ruling(health, None, (Notice.DELIVERY_EXHAUSTED,) if exhausted else ())


def _succeeded(health: Health, at: datetime) -> Ruling:
    notices = (Notice.ENDPOINT_RECOVERED,) if health.told else ()
    healed = Health(
        last_failure_at=health.last_failure_at,
        last_success_at=at,
        told_at=health.told_at,
        mended_at=at if _was_out(health, at) else health.mended_at,
    )
    return Ruling(healed, None, notices)


def _was_out(health: Health, at: datetime) -> bool:
    """Whether a success ends an outage, so that what waits for later may go at once.

    Not every opening of the breaker is one: an endpoint that comes and goes would be asked for
    the same messages every few seconds, and every wait of theirs would be for nothing.
    """
    since = health.failing_since
    return health.told or (since is not None and at - since >= ALARM)


def _failed(health: Health, result: AttemptResult, at: datetime) -> Health:
    if health.last_failure_at is None or at - health.last_failure_at > LULL:
        health = replace(health, failures=0, failing_since=None, opened=0, open_until=None)
    after = replace(
        health,
        failures=health.failures + 1,
        failing_since=health.failing_since or at,
        last_failure_at=at,
    )
    if result.status in OVERLOADED:
        after = _throttled(after, result, at)
    # What was in the air when the breaker opened says nothing new.
    if after.failures >= TRIP and after.breaker(at) is not Breaker.OPEN:
        wait = REOPENS[min(after.opened, len(REOPENS) - 1)]
        after = replace(after, opened=after.opened + 1, open_until=at + wait)
    return after


def _throttled(health: Health, result: AttemptResult, at: datetime) -> Health:
    asked = at + min(result.retry_after or timedelta(0), LONGEST_RETRY_AFTER)
    standing = health.throttled_until
    if standing is not None and standing > at:
        # Others were in the air: they say the same once more, or ask for longer.
        return replace(health, throttled_until=max(standing, asked))
    until = max(asked, at + THROTTLES[min(health.throttles, len(THROTTLES) - 1)])
    return replace(health, throttles=health.throttles + 1, throttled_until=until)


def _alarming(health: Health, at: datetime) -> bool:
    """Whether failures are more than a hitch: the breaker took notice, they go on for too long, or
    the receiver asked to be left alone for longer than that.
    """
    since, rest = health.failing_since, health.throttled_until
    return (
        health.open_until is not None
        or (since is not None and at - since >= ALARM)
        or (rest is not None and rest - at > ALARM)
    )


def _unheard(health: Health, at: datetime) -> bool:
    """Whether nobody was told of this run of failures, nor of another just now."""
    if health.told_at is None or health.failing_since is None:
        return True
    return health.told_at < health.failing_since and at - health.told_at >= QUIET


def _disabled(health: Health, verdict: Verdict, at: datetime) -> DisabledReason | None:
    if verdict.outcome is Outcome.DISABLE:
        return DisabledReason.GONE
    since = health.failing_since
    if since is not None and at - since >= PATIENCE:
        return DisabledReason.FAILING
    return None


@dataclass(frozen=True, slots=True)
class Told:
    """A notice to the people of an organisation, about one of its endpoints: `data` are the facts,
    without anything personal and without what a URL or an answer may hold.
    """

    id: UUID
    type: Notice
    at: datetime
    endpoint: UUID
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A notice on its way by mail: the city's code, the address that the organisation gave of
    itself, the endpoint and what its people call it, and the facts.
    """

    id: UUID
    city: str
    type: Notice
    at: datetime
    address: str
    endpoint: UUID
    description: str
    data: Mapping[str, object]


def facts(
    health: Health,
    result: AttemptResult,
    *,
    delivery: UUID,
    payload: bytes,
    disabled: DisabledReason | None,
) -> dict[str, Any]:
    """What a notice says of an endpoint after an attempt to deliver a message: all that its people
    need to look, and to know what did not reach them.
    """
    since, rest = health.failing_since, health.throttled_until
    return {
        "delivery": str(delivery),
        "appeal": subject_of(orjson.loads(payload))[0],
        "failures": health.failures,
        "failing_since": None if since is None else since.astimezone(UTC).isoformat(),
        "throttled_until": None if rest is None else rest.astimezone(UTC).isoformat(),
        "status": result.status,
        "error": result.error,
        "disabled_reason": None if disabled is None else str(disabled),
    }


def notice_payload(told: Told, base_url: str) -> bytes:
    """The message of a notice: to the organisation's other endpoints that named its type, and in
    its feed.
    """
    since, disabled = told.data["failing_since"], told.data["disabled_reason"]
    data = NoticeData(
        id=told.id,
        endpoint=told.endpoint,
        delivery=UUID(told.data["delivery"]),
        number=told.data.get("appeal"),
        failures=told.data["failures"],
        failing_since=None if since is None else datetime.fromisoformat(since),
        status=told.data["status"],
        error=told.data["error"],
        disabled_reason=None if disabled is None else DisabledReason(disabled),
        links=EndpointLinks(f"{base_url}/v1/webhook-endpoints/{told.endpoint}"),
    )
    return message(told.type, told.at, data)
