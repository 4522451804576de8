"""An appeal and what belongs to it. Every value is frozen; rules answer with new ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.appeals.workflow import PauseReason, Status
from domain.catalogue.evidence import Piece
from domain.catalogue.model import Criticality
from domain.errors import Conflict
from domain.events import Event
from domain.law.standing import Legal
from domain.register.chain import Head
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import Stage
from domain.values import Coordinates, Language

COUNTING = frozenset({ClockState.RUNNING, ClockState.BREACHED})
"""States of a clock whose promise still binds."""


class Kind(StrEnum):
    """What the resident wants, in the terms of Art. 4 of the АППК (№ 350-VI).

    Whether the law sees an appeal in it, and of which kind, says `Appeal.legal`.
    """

    COMPLAINT = "complaint"
    APPLICATION = "application"
    REQUEST = "request"
    PROPOSAL = "proposal"
    RESPONSE = "response"
    MESSAGE = "message"
    THANKS = "thanks"


class Channel(StrEnum):
    """By which road the appeal came."""

    PHONE = "phone"
    APP = "app"
    SMART_ASTANA = "smart_astana"
    WEB = "web"
    TELEGRAM = "telegram"
    EMAIL = "email"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    E_OTINISH = "e-otinish"


SELF_SERVICE = (Channel.APP, Channel.SMART_ASTANA, Channel.WEB, Channel.TELEGRAM)
"""Roads by which a resident registers alone; on all others somebody of the city writes it down."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the problem is. Everything may be unknown; `address` is what the caller said."""

    building: UUID | None = None
    street: UUID | None = None
    district: str | None = None
    address: str | None = None
    apartment: str | None = None
    coordinates: Coordinates | None = None


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks: a citizen known to the city, or only a contact. Personal data throughout."""

    citizen: UUID | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None


class AssignmentState(StrEnum):
    """What became of an appeal given to an organisation."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REDIRECTED = "redirected"
    DONE = "done"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class Assignment:
    """An appeal given to one executor organisation."""

    id: UUID
    organisation: UUID
    state: AssignmentState
    offered_at: datetime
    answered_at: datetime | None = None
    done_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """The wait that a paused appeal is in; it ends by itself at `until`."""

    reason: PauseReason
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The resident's word (law 3): who gave it, how and when; a rating of 1–5 may go with it."""

    by: UUID
    role: str
    how: str
    at: datetime
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """Evidence of a stage that an inspector let go: for the work, or for ending the procedure
    (`termination`, docs/decisions/0038). Who, when and why stands in the event. Of a termination
    without evidence the `piece` is None: nobody need come any more, and nothing else was let go.
    """

    stage: Stage
    piece: Piece | None
    termination: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """More time that the executor asked for: for which round of a stage, until when, and under
    which assignment.
    """

    stage: Stage
    round: int
    until: datetime
    assignment: UUID
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Route:
    """Why the appeal went where it went: a stable reason, and the rule that decided."""

    reason: str
    responsibility: UUID | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """The incident that the appeal is joined to; `followed` counts the incident's acts (model.py
    of domain/incidents) that the appeal has followed.
    """

    incident: UUID
    joined_at: datetime
    followed: int = 0


SAME_DAY = timedelta(minutes=1)
"""The national register stores 23:59:59 of what ends at 24:00 here."""


def _earlier(day: datetime | None, due: datetime | None) -> datetime | None:
    """The state's day where it is another one and before; else what is due here."""
    return day if day is not None and due is not None and due - day > SAME_DAY else due


@dataclass(frozen=True, slots=True)
class Appeal:
    """One resident's request, complaint, proposal or thanks."""

    id: UUID
    city: UUID
    number: str
    status: Status
    kind: Kind
    channel: Channel
    language: Language
    service: str
    service_version: int
    category: str
    sphere: str
    criticality: Criticality
    text: str
    place: Place
    registered_at: datetime
    updated_at: datetime
    route: Route
    emergency: bool = False
    answers: Mapping[str, object] = field(default_factory=dict)
    applicant: Applicant | None = None
    operator: UUID | None = None
    contact: str | None = None
    assignment: Assignment | None = None
    clocks: tuple[Clock, ...] = ()
    pause: Pause | None = None
    waivers: tuple[Waiver, ...] = ()
    extension: Extension | None = None
    confirmation: Confirmation | None = None
    membership: Membership | None = None
    legal: Legal | None = None
    received_at: datetime | None = None
    """Since when the law counts, where not since its registration: another body of the state
    received it earlier, or the resident said no and it was received anew.
    """
    state_deadline: datetime | None = None
    """The day that the national register itself set, as it said it last, whatever the city holds
    the appeal for.
    """
    first_contact: bool = False
    reopened: int = 0
    redirected: int = 0
    closed_at: datetime | None = None
    national_number: str | None = None
    version: int = 1
    head: Head = field(default_factory=Head)

    def clock(self, stage: Stage) -> Clock | None:
        """The latest round of a stage's clock."""
        latest: Clock | None = None
        for clock in self.clocks:
            if clock.stage is stage and (latest is None or clock.round > latest.round):
                latest = clock
        return latest

    def with_clock(self, changed: Clock) -> "Appeal":
        """The appeal with a clock put in the place of its former self, or added."""
        key = (changed.stage, changed.round)
        others = tuple(c for c in self.clocks if (c.stage, c.round) != key)
        return replace(self, clocks=(*others, changed))

    @property
    def due_at(self) -> datetime | None:
        """The earliest due time of a promise not yet kept, or the state's own last day before it;
        None where none counts.
        """
        counting = (clock.due_at for clock in self.clocks if clock.state in COUNTING)
        return _earlier(self._state_day, min(counting, default=None))

    @property
    def law_due_at(self) -> datetime | None:
        """When the law's own term of consideration ends, while it counts."""
        clock = self.clock(Stage.CONSIDER)
        return clock.due_at if clock is not None and clock.state in COUNTING else None

    @property
    def leading(self) -> Clock | None:
        """The stricter of what the city and the law promise for the whole of the appeal; None
        where neither counts. Of two that are due at once the law leads.
        """
        whole = (self.clock(stage) for stage in (Stage.CONSIDER, Stage.RESOLVE))
        counting = [clock for clock in whole if clock and clock.state in COUNTING]
        return min(counting, key=lambda clock: clock.due_at, default=None)

    @property
    def state_leads(self) -> datetime | None:
        """The day that the national register set, where the law's term runs and that day is before
        what leads otherwise; else None.
        """
        day = self._state_day
        if day is None:
            return None
        leading = self.leading
        return day if _earlier(day, leading.due_at if leading else None) == day else None

    @property
    def _state_day(self) -> datetime | None:
        return self.state_deadline if self.law_due_at is not None else None

    def about(self) -> dict[str, object]:
        """What every event says of the appeal that it left behind."""
        return {
            "number": self.number,
            "status": str(self.status),
            "service": self.service,
            "organisation": str(self.executor) if self.executor else None,
        }

    @property
    def executor(self) -> UUID | None:
        """The organisation that has the appeal; None where nobody has it."""
        return self.assignment.organisation if self.assignment else None

    def assigned(self) -> Assignment:
        """The assignment that stands; raises Conflict where nobody has the appeal."""
        if self.assignment is None:
            raise Conflict(reason="no-executor")
        return self.assignment


@dataclass(frozen=True, slots=True)
class Change:
    """What one act did: the appeal after it, its new events, and rows that changed with it.

    `expected` is the version that was read (None for a new appeal); `assignments` are those
    to be written, `attachments` the uploads that now belong to the appeal, with their purpose.
    """

    appeal: Appeal
    events: tuple[Event, ...]
    expected: int | None = None
    clocks: tuple[Clock, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    attachments: tuple[UUID, ...] = ()
    purpose: str = "report"
