"""What messages to other programs are made of: one type of value for each type of event.

The bytes that are sent are made from these values (events.py), and the JSON Schemas that are
published are made from these types (api/event_schemas.py), so that code and contract cannot part.

A field that receivers may rely on is added and never renamed, removed or given another meaning;
what cannot be said so is a new version (docs/decisions/0024).
"""

from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain.appeals.workflow import PauseReason, Status
from domain.catalogue.evidence import Piece
from domain.events import EventType, IncidentEventType
from domain.incidents.model import IncidentKind
from domain.incidents.workflow import IncidentStatus
from domain.sla.clock import ClockState
from domain.sla.policy import Recipient, Stage
from domain.webhooks.model import DisabledReason

VERSIONS = (1,)
"""The versions of payloads that can be asked for, the newest last."""


@dataclass(frozen=True, slots=True)
class AppealLinks:
    """Where to read on."""

    appeal: str


@dataclass(frozen=True, slots=True)
class AppealData:
    """An appeal as an event left it; nothing in it names or locates a person."""

    id: UUID
    number: str
    sequence: int
    status: Status
    service: str
    organisation_id: UUID | None
    links: AppealLinks


@dataclass(frozen=True, slots=True)
class StageDetails:
    """Which stage was reached."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class WaiverDetails:
    """Which evidence of a stage need not be shown."""

    stage: Stage
    evidence: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class WaitDetails:
    """Why the clocks of which stages wait, and until when at the longest."""

    reason: PauseReason
    until: datetime
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class ClockDetails:
    """Which promise, by which policy, and when it is due."""

    stage: Stage
    round: int
    due_at: datetime
    policy: str
    policy_version: int


@dataclass(frozen=True, slots=True)
class EscalationDetails:
    """As of a clock, and whom the escalation reaches at which level."""

    stage: Stage
    round: int
    due_at: datetime
    policy: str
    policy_version: int
    to: Recipient
    level: int


@dataclass(frozen=True, slots=True)
class RecountDetails:
    """How the due time of a clock moved with its calendar."""

    stage: Stage
    round: int
    calendar: str
    due_before: datetime
    due_after: datetime
    state_before: ClockState
    state_after: ClockState


@dataclass(frozen=True, slots=True)
class WishDetails:
    """Until when more time is wanted for which stage, and when it is due."""

    stage: Stage
    round: int
    due_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ExtensionDetails:
    """How much working time (ISO 8601) which stage was given, and when it is due now."""

    stage: Stage
    round: int
    by: str
    due_before: datetime
    due_after: datetime


@dataclass(frozen=True, slots=True)
class MembershipDetails:
    """Which incident."""

    incident: UUID


@dataclass(frozen=True, slots=True)
class IncidentLinks:
    """Where to read on."""

    incident: str


@dataclass(frozen=True, slots=True)
class IncidentData:
    """An incident as an event left it."""

    id: UUID
    sequence: int
    status: IncidentStatus
    kind: IncidentKind
    services: tuple[str, ...]
    organisation_id: UUID
    links: IncidentLinks


@dataclass(frozen=True, slots=True)
class CheckpointData:
    """A signed state of the register; `checkpoint` is the signed note (C2SP) as it stands."""

    origin: str
    size: int
    root: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class EndpointLinks:
    """Where to read on."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class NoticeData:
    """How an endpoint of one's own fares, after an attempt."""

    id: UUID
    endpoint: UUID
    delivery: UUID
    number: str | None
    failures: int
    failing_since: datetime | None
    status: int | None
    error: str | None
    disabled_reason: DisabledReason | None
    links: EndpointLinks


DETAILS: Mapping[EventType, type] = {
    EventType.STAGE_REPORTED: StageDetails,
    EventType.EVIDENCE_WAIVED: WaiverDetails,
    EventType.EXTENSION_ASKED: WishDetails,
    EventType.EXTENSION_GRANTED: ExtensionDetails,
    EventType.EXTENSION_REFUSED: WishDetails,
    EventType.PAUSED: WaitDetails,
    EventType.JOINED: MembershipDetails,
    EventType.PARTED: MembershipDetails,
    EventType.CLOCK_WARNED: ClockDetails,
    EventType.CLOCK_BREACHED: ClockDetails,
    EventType.CLOCK_ESCALATED: EscalationDetails,
    EventType.CLOCK_RECOMPUTED: RecountDetails,
}
"""What some events say besides: fields of the register's own facts, chosen one by one. A fact's
data hold no personal data (domain/events.py: Fact), and what is not named here is not sent.
"""


def model_name(kind: str) -> str:
    """The name of the type of a whole message, as contracts call it."""
    return "".join(part.capitalize() for part in kind.replace(".", "_").split("_")) + "Message"


def _made(name: str, doc: str | None, fields: list[tuple[str, Any]], *bases: type) -> type:
    made = make_dataclass(name, fields, bases=bases, frozen=True, slots=True)
    made.__doc__, made.__module__ = doc, __name__
    return made


def _data_of(kind: EventType) -> type:
    details = DETAILS.get(kind)
    if details is None:
        return AppealData
    name = model_name(kind).replace("Message", "Data")
    return _made(name, AppealData.__doc__, [("details", details | None)], AppealData)


@dataclass(frozen=True, slots=True)
class TestData:
    """Which endpoint is tried."""

    endpoint: UUID


CHECKPOINT_TYPE = "register.checkpoint"
TEST_TYPE = "endpoint.test"
"""Of the message that somebody sends to try an endpoint; nobody subscribes to it."""

NOTICE_TYPES = (
    "endpoint.failing", "endpoint.disabled", "endpoint.recovered", "delivery.exhausted",
)  # fmt: skip
"""Told to an organisation's other endpoints about one of them (health.py)."""

DATA: Mapping[str, type] = {
    **{str(kind): _data_of(kind) for kind in EventType},
    **{str(kind): IncidentData for kind in IncidentEventType},
    CHECKPOINT_TYPE: CheckpointData,
    **dict.fromkeys(NOTICE_TYPES, NoticeData),
    TEST_TYPE: TestData,
}
"""Type of event → the type of its `data`."""


def _message(kind: str, data: type) -> type:
    fields: list[tuple[str, Any]] = [
        ("type", Literal[kind]), ("timestamp", datetime), ("data", data)
    ]  # fmt: skip
    return _made(model_name(kind), f"What is sent of `{kind}`.", fields)


MESSAGES: Mapping[str, type] = {kind: _message(kind, data) for kind, data in DATA.items()}
"""Type of event → the type of the whole message, version 1."""
