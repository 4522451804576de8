"""What a caller says when acting on an appeal; decoded by the door, judged by the rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.appeals.model import Applicant, Channel, Kind
from domain.appeals.workflow import Directive, PauseReason
from domain.catalogue.evidence import Piece
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, HearingOutcome, HearingWay
from domain.sla.policy import Stage
from domain.values import Coordinates, Language


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the caller says that it is: a known building, words, a point, or several of them."""

    building: UUID | None = None
    address: str | None = None
    apartment: str | None = None
    coordinates: Coordinates | None = None


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The operator's answer while the resident is on the line.

    `confirmed_by` says how the resident agreed that this settles it ('call', 'chat', …);
    None where they were not asked or did not agree: the appeal then awaits their word.
    """

    text: str
    confirmed_by: str | None = None
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """A new appeal. `service_version` is the one whose form the caller filled in, if known.

    `appeal_kind` is what it is before the law, where the caller knows; `reports_threat` that it
    tells of a crime or a threat; `received_at` when another body of the state received it, and
    `national_number` that under which the state assigned it, `state_deadline` until when.
    """

    service: str
    kind: Kind
    channel: Channel
    language: Language
    text: str
    where: Whereabouts = Whereabouts()
    service_version: int | None = None
    answers: Mapping[str, object] = field(default_factory=dict)
    applicant: Applicant | None = None
    anonymous: bool = False
    contact: str | None = None
    attachments: tuple[UUID, ...] = ()
    answer: FirstAnswer | None = None
    appeal_kind: AppealKind | None = None
    reports_threat: bool = False
    received_at: datetime | None = None
    national_number: str | None = None
    state_deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class GiveAnswer:
    """Answer at first contact after registration."""

    answer: FirstAnswer


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the appeal to an executor (assign, redirect); `reason` is read by colleagues."""

    organisation: UUID
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """Take the appeal."""


@dataclass(frozen=True, slots=True)
class Decline:
    """Give the appeal back, saying why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where somebody stood during an act; `accuracy` is the radius in metres that their device
    is sure of.
    """

    point: Coordinates
    accuracy: float


@dataclass(frozen=True, slots=True)
class Report:
    """A promised stage is reached: arrived, secured."""

    stage: Stage
    note: str | None = None
    attachments: tuple[UUID, ...] = ()
    position: Position | None = None
    act_number: str | None = None


@dataclass(frozen=True, slots=True)
class Waive:
    """Let evidence of a stage go: the pieces named, or all that are asked for. For a `termination`
    it is let go for that decision alone, and not for the work.
    """

    stage: Stage
    reason: str
    pieces: frozenset[Piece] = frozenset()
    termination: bool = False


@dataclass(frozen=True, slots=True)
class AskExtension:
    """More time is wanted for a stage: until when, and why."""

    stage: Stage
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class GrantExtension:
    """More time is given: until when (None: as was asked); `reason` is read by colleagues."""

    until: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RefuseExtension:
    """No more time is given, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class PauseWork:
    """Let the clocks wait, for a reason the rules know."""

    reason: PauseReason
    note: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Let the clocks run on."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """The work is done. Evidence is wanted; where none can be had, `no_photo_reason` says why,
    unless the service demands photos: then an inspector may waive them.
    """

    text: str
    evidence: tuple[UUID, ...] = ()
    no_photo_reason: str | None = None
    position: Position | None = None
    act_number: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The inspector finds the work good."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """The inspector finds the work wanting."""

    reason: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """The resident's yes. `how` it was given: app, call, chat, e-mail, in person."""

    how: str
    rating: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    """The resident's no, and how it was given."""

    how: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The resident takes the appeal back."""

    how: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A word to the resident, or (internal) among colleagues."""

    text: str
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Correct:
    """What the record should say instead; None leaves a field as it is.

    A new `service` moves the appeal to that service's promises, counted from the
    original registration: a correction never gives time.
    """

    text: str | None = None
    kind: Kind | None = None
    language: Language | None = None
    where: Whereabouts | None = None
    service: str | None = None
    answers: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    """Add uploads to the appeal."""

    attachments: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Instruct:
    """An akim's word to whoever has the appeal and to the inspectors; residents do not see it."""

    directive: Directive
    text: str


@dataclass(frozen=True, slots=True)
class Classify:
    """What the appeal is before the law: a kind, or None for a request for service.

    `threat`: an anonymous one tells of a crime or a threat all the same.
    """

    kind: AppealKind | None
    reason: str
    threat: bool = False


@dataclass(frozen=True, slots=True)
class Prolong:
    """The head puts the law's term off by working days; the applicant reads why."""

    days: int
    reason: str


@dataclass(frozen=True, slots=True)
class Forward:
    """The city sends the appeal to a competent body outside the register; the applicant is told."""

    body: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summon:
    """Tell the applicant what is meant to be decided, and when they are heard."""

    at: datetime
    way: HearingWay
    preliminary: str


@dataclass(frozen=True, slots=True)
class Hear:
    """Put on record what came of the hearing, with its minutes."""

    outcome: HearingOutcome
    minutes: str


@dataclass(frozen=True, slots=True)
class Decide:
    """Answer an appeal before the law by a decision."""

    decision: Decision
    text: str


Command = (
    GiveAnswer
    | Assign
    | Accept
    | Decline
    | Report
    | Waive
    | AskExtension
    | GrantExtension
    | RefuseExtension
    | PauseWork
    | Resume
    | Resolve
    | Check
    | Return
    | Confirm
    | Reopen
    | Withdraw
    | Comment
    | Correct
    | Attach
    | Instruct
    | Classify
    | Prolong
    | Forward
    | Summon
    | Hear
    | Decide
)
