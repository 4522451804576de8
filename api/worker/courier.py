"""One attempt of one delivery: take it, send it, write down what came of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
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
    house: House, post: Post, delivery: UUID, lease: datetime, *, chance: Callable[[], float]
) -> None:
    """Make one attempt for whoever holds the lease. `chance` gives numbers in [0, 1).

    Messages travel in real time, even where a demonstration's clock runs fast: receivers
    hold the timestamp against clocks of their own.
    """
    attempt = await house.deliveries.begin(delivery, lease, clock.real())
    if attempt is None:
        log.info("delivery_passed_over", delivery_id=str(delivery))
        return
    endpoint = attempt.endpoint
    secrets = endpoint.signing(attempt.at)
    if endpoint.ed25519:
        secrets += await house.webhook_keys.secrets(attempt.at)
    result = await post.send(
        endpoint.url, secrets, str(attempt.message), attempt.at, attempt.payload, endpoint.headers
    )
    ended = clock.real()
    verdict = next_attempt(attempt.tries, result, ended, chance())
    taken = await house.deliveries.finish(attempt, result, verdict, ended)
    tell = log.info if verdict.outcome is Outcome.DELIVERED else log.warning
    tell(
        "delivery_attempted",
        delivery_id=str(delivery),
        endpoint_id=str(endpoint.id),
        type=attempt.type,
        attempt=attempt.number,
        status=result.status,
        error=result.error,
        latency_ms=result.latency_ms,
        outcome=str(verdict.outcome),
        taken=taken,
    )
