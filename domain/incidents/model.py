"""An incident and its history. Every value is frozen; rules answer with new ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.events import Actor, IncidentEventType
from domain.incidents.workflow import IncidentStatus
from domain.organisations.model import Polygon
from domain.sla.policy import Stage
from domain.values import LocalizedText


class IncidentKind(StrEnum):
    """What kind of problem it is."""

    OUTAGE = "outage"
    PLANNED_WORKS = "planned-works"
    DAMAGE = "damage"
    FLOODING = "flooding"
    OTHER = "other"


class Matching(StrEnum):
    """What becomes of a new appeal about the same service in its area."""

    AUTOMATIC = "automatic"
    SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class Area:
    """Where it is: the whole city, or whatever lies in any of the named parts of it."""

    city: bool = False
    districts: frozenset[str] = frozenset()
    streets: frozenset[UUID] = frozenset()
    buildings: frozenset[UUID] = frozenset()
    polygon: Polygon | None = None

    @property
    def empty(self) -> bool:
        """Whether it names nothing."""
        named = self.districts or self.streets or self.buildings or self.polygon
        return not (self.city or named)


@dataclass(frozen=True, slots=True)
class Incident:
    """One physical problem behind many appeals.

    `owner` is the organisation that opened it, `executor` the one that must act. `planned_to`
    is the expected end. `reported` are the stages that the executor has reported.
    `districts` are those that the area touches. `acts` counts what joined appeals must follow,
    `sequence` all of its history.
    """

    id: UUID
    city: UUID
    kind: IncidentKind
    status: IncidentStatus
    matching: Matching
    public: bool
    services: tuple[str, ...]
    area: Area
    districts: frozenset[str]
    texts: LocalizedText
    owner: UUID
    executor: UUID
    opened_by: UUID
    opened_at: datetime
    updated_at: datetime
    planned_from: datetime | None = None
    planned_to: datetime | None = None
    started_at: datetime | None = None
    accepted_at: datetime | None = None
    resolved_at: datetime | None = None
    ended_at: datetime | None = None
    reported: frozenset[Stage] = frozenset()
    version: int = 1
    sequence: int = 0
    acts: int = 0

    @property
    def organisations(self) -> frozenset[UUID]:
        """Whose it is."""
        return frozenset({self.owner, self.executor})

    def about(self) -> dict[str, object]:
        """What every message says of the incident that its event left behind."""
        return {
            "status": str(self.status),
            "kind": str(self.kind),
            "services": list(self.services),
            "organisation_id": str(self.executor),
        }


@dataclass(frozen=True, slots=True)
class IncidentFact:
    """One thing that happened to an incident. `texts` may name people and are sealed."""

    type: IncidentEventType
    data: Mapping[str, object] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """A fact in its place. `act` numbers those that joined appeals follow, from 1."""

    incident: UUID
    sequence: int
    type: IncidentEventType
    at: datetime
    actor: Actor
    act: int | None
    data: Mapping[str, object]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """What one act did: the incident after it, and its new events.

    `evidence` are uploads that now belong to the incident.
    """

    incident: Incident
    events: tuple[IncidentEvent, ...]
    evidence: tuple[UUID, ...] = ()
