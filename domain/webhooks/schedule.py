"""When a delivery is tried again: ten tries over three days.

The table is the schedule that Standard Webhooks 1.0 gives under 'Deliverability and
reliability'; statuses are judged as its section 'Delivery success and failure' says.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from domain.webhooks.model import AttemptResult

DELAYS: tuple[timedelta, ...] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each try, counted from the end of the try before it."""

JITTER = 0.2
"""The share by which a wait may be shorter or longer."""

LONGEST_RETRY_AFTER = timedelta(hours=24)


class Outcome(StrEnum):
    """What follows from an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    EXHAUSTED = "exhausted"
    DISABLE = "disable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt; `at` is the time of the next try of a RETRY, else None."""

    outcome: Outcome
    at: datetime | None = None


def next_attempt(attempts_made: int, result: AttemptResult, at: datetime, jitter: float) -> Verdict:
    """Judge an attempt that ended at `at`.

    `attempts_made` counts this attempt too: those since the delivery was made, or sent again.
    `jitter` is a random number in [0, 1]: 0 shortens the wait by a fifth, 0.5 leaves it as in the
    table, 1 lengthens it by a fifth.
    Only a 2xx delivers, whatever its body; a redirect is a failure like any other; 410
    says that the receiver wants no more, so its endpoint is to be disabled.
    """
    if not 0 <= jitter <= 1:
        raise ValueError("jitter is a number from 0 to 1")
    if result.delivered:
        return Verdict(Outcome.DELIVERED)
    if result.status == HTTPStatus.GONE:
        return Verdict(Outcome.DISABLE)
    if attempts_made >= len(DELAYS):
        return Verdict(Outcome.EXHAUSTED)
    return Verdict(Outcome.RETRY, at + wait(attempts_made, result.retry_after, jitter))


def wait(attempts_made: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """The wait before the next try: the table's, or longer when the receiver asked for it."""
    planned = DELAYS[attempts_made] * (1 - JITTER + 2 * JITTER * jitter)
    return max(planned, min(retry_after or timedelta(0), LONGEST_RETRY_AFTER))
