"""What leases hand from one to another: claims, attempts, and reports of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.webhooks.model import AttemptResult, Endpoint
from domain.webhooks.schedule import Verdict


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is due, leased until `lease`."""

    delivery: UUID
    lease: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may be made now, by its lease's holder: the `number`-th of its delivery, and
    the `tries`-th since that was made or sent again.

    `message` is the id that every receiver of this message is given, by webhook or in the feed.
    """

    delivery: UUID
    message: UUID
    number: int
    tries: int
    lease: datetime
    at: datetime
    type: str
    payload: bytes
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Report:
    """What an attempt brought, what follows from it, and when it ended."""

    attempt: Attempt
    result: AttemptResult
    verdict: Verdict
    at: datetime
