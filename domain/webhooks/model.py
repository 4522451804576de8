"""Endpoints of organisations and the deliveries on their way to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

CONCURRENCY = 8
"""Attempts that one endpoint may have in the air, unless it says less or more."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A `whsec_…` string that signs until a time; None: until a rotation."""

    value: str = field(repr=False)
    until: datetime | None = None

    def signs(self, at: datetime) -> bool:
        """Whether messages are signed with it at a time."""
        return self.until is None or self.until > at


class DisabledReason(StrEnum):
    """Why an endpoint gets nothing: its people said so, it failed for days, it answered 410."""

    BY_HAND = "by-hand"
    FAILING = "failing"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class About:
    """What filters ask of the appeal that a message is about."""

    service: str
    sphere: str
    district: str | None


class EndReason(StrEnum):
    """Why a delivery was cancelled."""

    ENDPOINT_REMOVED = "endpoint-removed"
    ENDPOINT_DISABLED = "endpoint-disabled"
    ENDPOINT_GONE = "endpoint-gone"
    TYPE_DESELECTED = "type-deselected"
    FILTER_DESELECTED = "filter-deselected"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL of an organisation that wants to hear what happens to its appeals.

    `event_types` empty means all of them. `services` and `spheres` narrow to appeals of one of
    these services or of a service in one of these spheres, `districts` to those in one of these;
    empty ones narrow nothing. `secrets` stand with the newest first; every delivery is signed with
    each that still signs, so that a receiver can change its secret without losing a message, and
    where it is `ed25519` with the platform's own keys as well. `headers` go with each message.

    `concurrency` is how many attempts may be in the air at once, `rate_limit` how many may begin
    in a minute (0: as many as come); `ordered`: what happens to an appeal comes one by one, in
    its order. `payload_version` is the version of the messages' form.

    `version` counts the changes of all this.
    """

    id: UUID
    city_id: UUID
    organisation_id: UUID
    url: str
    event_types: frozenset[str]
    description: str
    enabled: bool
    secrets: tuple[Secret, ...]
    created_at: datetime
    services: frozenset[str] = frozenset()
    spheres: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    payload_version: int = 1
    ordered: bool = False
    ed25519: bool = False
    concurrency: int = CONCURRENCY
    rate_limit: int = 0
    disabled_at: datetime | None = None
    disabled_reason: DisabledReason | None = None
    version: int = 1

    def declines(self, event_type: str, *abouts: About) -> EndReason | None:
        """Why news of this type is not wanted; None if it is. `abouts`: what the appeal that it
        tells of was from before the event until now, of which one is enough.
        """
        if not self.enabled:
            gone = self.disabled_reason is DisabledReason.GONE
            return EndReason.ENDPOINT_GONE if gone else EndReason.ENDPOINT_DISABLED
        if self.event_types and event_type not in self.event_types:
            return EndReason.TYPE_DESELECTED
        if abouts and not any(map(self.concerns, abouts)):
            return EndReason.FILTER_DESELECTED
        return None

    def concerns(self, about: About) -> bool:
        """Whether its filters let news of such an appeal through."""
        chosen = not (self.services or self.spheres) or (
            about.service in self.services or about.sphere in self.spheres
        )
        return chosen and (not self.districts or about.district in self.districts)

    def signing(self, at: datetime) -> tuple[str, ...]:
        """The secrets that sign a message at a time, the newest first."""
        return tuple(secret.value for secret in self.secrets if secret.signs(at))


class DeliveryState(StrEnum):
    """Where one event on its way to one endpoint stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"
    """Ended by name: see EndReason."""


MISSED = frozenset({EndReason.ENDPOINT_DISABLED, EndReason.ENDPOINT_GONE})
"""Ends of what its endpoint wanted and did not get, as when its tries were exhausted."""


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

    @property
    def delivered(self) -> bool:
        """Whether the receiver took the message: any 2xx, whatever its body."""
        return self.status is not None and 200 <= self.status <= 299
