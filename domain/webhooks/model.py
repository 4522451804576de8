"""Endpoints of organisations and the deliveries on their way to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL of an organisation that wants to hear what happens to its appeals.

    `event_types` empty means all of them. `secrets` are `whsec_…` strings, the newest
    first; every delivery is signed with each of them, so that a receiver can change
    its secret without losing a message.
    """

    id: UUID
    city_id: UUID
    organisation_id: UUID
    url: str
    event_types: frozenset[str]
    description: str
    enabled: bool
    secrets: tuple[str, ...]
    created_at: datetime

    def wants(self, event_type: str) -> bool:
        """Whether an event of this type is to be delivered here now."""
        return self.enabled and (not self.event_types or event_type in self.event_types)


class DeliveryState(StrEnum):
    """Where one event on its way to one endpoint stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    # The endpoint was deleted, disabled or no longer wants this type of event.
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What one POST brought.

    `status` is the HTTP status, None when no answer came. `error` names what went wrong
    on the way, or with the answer's body when there is a status. `body` holds the first
    bytes of the answer for the organisation's own eyes. `retry_after` is the wait that
    the receiver asked for.
    """

    status: int | None
    error: str | None
    latency_ms: int
    body: str
    retry_after: timedelta | None
