"""Facts and events: what happened in the life of an appeal.

A Fact is what a rule of the domain caused; the register (domain/register) binds
it into the appeal's chain and it becomes an Event, which nobody edits or removes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.access import Principal


class EventType(StrEnum):
    """Every kind of fact that the register knows."""

    REGISTERED = "appeal.registered"
    ANSWERED = "appeal.answered"
    ASSIGNED = "appeal.assigned"
    ACCEPTED = "appeal.accepted"
    DECLINED = "appeal.declined"
    REDIRECTED = "appeal.redirected"
    STAGE_REPORTED = "appeal.stage_reported"
    PAUSED = "appeal.paused"
    RESUMED = "appeal.resumed"
    EVIDENCE_WAIVED = "appeal.evidence_waived"
    EXTENSION_ASKED = "appeal.extension_asked"
    EXTENSION_GRANTED = "appeal.extension_granted"
    EXTENSION_REFUSED = "appeal.extension_refused"
    RESOLVED = "appeal.resolved"
    CHECKED = "appeal.checked"
    RETURNED = "appeal.returned"
    CONFIRMED = "appeal.confirmed"
    REOPENED = "appeal.reopened"
    CLOSED = "appeal.closed"
    WITHDRAWN = "appeal.withdrawn"
    COMMENTED = "appeal.commented"
    CORRECTED = "appeal.corrected"
    ATTACHED = "appeal.attached"
    INSTRUCTED = "appeal.instructed"
    LINKED = "appeal.linked"
    JOINED = "appeal.joined"
    PARTED = "appeal.parted"
    BROADCAST = "appeal.broadcast"
    STATE_NUMBERED = "appeal.state_numbered"
    STATE_TOLD = "appeal.state_told"
    STATE_DECIDED = "appeal.state_decided"
    CLASSIFIED = "appeal.classified"
    PROLONGED = "appeal.prolonged"
    FORWARDED = "appeal.forwarded"
    SUMMONED = "appeal.summoned"
    HEARD = "appeal.heard"
    DECIDED = "appeal.decided"
    CLOCK_WARNED = "clock.warned"
    CLOCK_BREACHED = "clock.breached"
    CLOCK_ESCALATED = "clock.escalated"
    CLOCK_RECOMPUTED = "clock.recomputed"


AMONG_COLLEAGUES: Mapping[str, str] = {
    EventType.ASSIGNED: "reason",
    EventType.REDIRECTED: "reason",
    EventType.DECLINED: "reason",
    EventType.RETURNED: "reason",
    EventType.CHECKED: "note",
    EventType.EVIDENCE_WAIVED: "reason",
    EventType.EXTENSION_GRANTED: "reason",
    EventType.PARTED: "reason",
}
"""What colleagues write to each other about a step that residents see."""


_INTERNAL = frozenset({
    EventType.EXTENSION_ASKED, EventType.EXTENSION_REFUSED, EventType.INSTRUCTED,
    EventType.CLOCK_WARNED, EventType.CLOCK_ESCALATED,
})  # fmt: skip
"""Steps that residents do not see at all. A broken promise is their business too; who is nudged
about it is not."""


def is_internal(type: str, data: Mapping[str, object]) -> bool:
    """Whether an event stays among colleagues: by its type, and of a comment by its own word.

    The bytes of an event tell both, so that an audit can hold the register's column to them.
    """
    return type in _INTERNAL or (type == EventType.COMMENTED and data.get("internal") is True)


class IncidentEventType(StrEnum):
    """Every kind of fact that the history of an incident knows."""

    OPENED = "incident.opened"
    CHANGED = "incident.changed"
    STARTED = "incident.started"
    OVERDUE = "incident.overdue"
    ASSIGNED = "incident.assigned"
    ACCEPTED = "incident.accepted"
    STAGE_REPORTED = "incident.stage_reported"
    RESOLVED = "incident.resolved"
    RETURNED = "incident.returned"
    CLOSED = "incident.closed"
    CANCELLED = "incident.cancelled"
    BROADCAST = "incident.broadcast"
    JOINED = "incident.joined"
    PARTED = "incident.parted"
    REFUSED = "incident.refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a fact, by ids alone: names live with the members, not in the register."""

    role: str
    id: UUID
    organisation: UUID | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Actor":
        """The principal as the register names it."""
        return cls(str(principal.role), principal.id, principal.organisation)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened.

    `data` holds plain JSON values without personal data (strings, integers, booleans,
    null, lists, objects; no floats). `personal` holds texts that could name a person;
    they enter the register as salted hashes only.
    """

    type: EventType
    data: Mapping[str, object] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)

    @property
    def internal(self) -> bool:
        """Whether residents are not shown it."""
        return is_internal(self.type, self.data)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A personal text with the salt of its commitment; erasable without hurting the proof."""

    value: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in its place: the `sequence`-th of its appeal, linked to the one before."""

    id: UUID
    appeal: UUID
    sequence: int
    type: EventType
    at: datetime
    internal: bool
    personal: Mapping[str, Sealed]
    canonical: bytes
    hash: bytes
