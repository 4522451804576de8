"""One attempt of one delivery: send it, judge what came of it, tell of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from api import clock
from api.bootstrap import House
from domain.webhooks.attempts import Attempt, Report
from domain.webhooks.model import AttemptResult
from domain.webhooks.schedule import Outcome, next_attempt

log = structlog.get_logger()


class Post(Protocol):
    """Sends one signed message; see integrations/webhooks/sender.py."""

    async def send(
        self,
        endpoint_url: str,
        secrets: Sequence[str],
        message_id: str,
        timestamp: datetime,
        body: bytes,
        headers: Mapping[str, str],
    ) -> AttemptResult:
        """What the POST brought; never raises for anything outside."""


async def attempt_delivery(
    house: House, post: Post, attempt: Attempt, *, chance: Callable[[], float]
) -> Report:
    """Make one attempt of a delivery that was begun. `chance` gives numbers in [0, 1).

    Messages travel in real time, even where a demonstration's clock runs fast: receivers
    hold the timestamp against clocks of their own.
    """
    endpoint = attempt.endpoint
    secrets = endpoint.signing(attempt.at)
    if endpoint.ed25519:
        secrets += await house.webhook_keys.secrets(attempt.at)
    result = await post.send(
        endpoint.url, secrets, str(attempt.message), attempt.at, attempt.payload, endpoint.headers
    )
    ended = clock.real()
    return Report(attempt, result, next_attempt(attempt.tries, result, ended, chance()), ended)


def tell(report: Report, *, taken: bool) -> None:
    """A line in the log about an attempt, once it is written down.

    What arrived and was written down stands in the delivery log, and is told in detail alone: a
    line costs a sixth of a delivery.
    """
    attempt, result, verdict = report.attempt, report.result, report.verdict
    delivered = verdict.outcome is Outcome.DELIVERED
    say = log.debug if delivered and taken else log.warning
    say(
        "delivery_attempted",
        delivery_id=str(attempt.delivery),
        endpoint_id=str(attempt.endpoint.id),
        type=attempt.type,
        attempt=attempt.number,
        status=result.status,
        error=result.error,
        latency_ms=result.latency_ms,
        outcome=str(verdict.outcome),
        taken=taken,
    )
