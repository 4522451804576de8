"""What a caller says when acting on an incident; decoded by the door, judged by the rules."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.appeals import commands as c
from domain.incidents.model import Area, IncidentKind, Matching
from domain.values import LocalizedText


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """A new incident. Without an executor it is the opener's own organisation; without times it
    runs from now on. `appeals` are numbers to be joined at once.
    """

    kind: IncidentKind
    services: tuple[str, ...]
    area: Area
    texts: LocalizedText
    executor: UUID | None = None
    matching: Matching | None = None
    public: bool = True
    planned_from: datetime | None = None
    planned_to: datetime | None = None
    appeals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeIncident:
    """What should be told instead; None leaves a field as it is."""

    services: tuple[str, ...] | None = None
    area: Area | None = None
    texts: LocalizedText | None = None
    matching: Matching | None = None
    public: bool | None = None
    planned_from: datetime | None = None
    planned_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """What was announced has begun."""


@dataclass(frozen=True, slots=True)
class Close:
    """The work is good. `texts` are told to each resident when they are asked for their word."""

    note: str | None = None
    texts: LocalizedText | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """It was none, or does not take place; `reason` is read by colleagues."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A word to the residents of all joined appeals, in three languages."""

    texts: LocalizedText


IncidentCommand = (
    ChangeIncident
    | Start
    | c.Assign
    | c.Accept
    | c.Report
    | c.Resolve
    | c.Return
    | Close
    | Cancel
    | Broadcast
)
