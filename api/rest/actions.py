"""The actions on an appeal: one sub-resource for each row of the transition table."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from api.rest import fields as f
from api.rest.appeals import AnswerBody, Attachments, How, PointBody, shown
from api.rest.legal_bodies import (
    ClassifyBody,
    DecideBody,
    ForwardBody,
    HearBody,
    ProlongBody,
    SummonBody,
)
from api.rest.operation import Call, Operation, Reply, UnitHandler
from api.rest.views import AppealView
from domain.access import Permission
from domain.appeals import commands as c
from domain.appeals.use_cases import perform
from domain.appeals.workflow import TRANSITIONS, Action, Directive, PauseReason
from domain.catalogue.evidence import Piece
from domain.ports import UnitOfWork
from domain.sla.policy import Stage
from domain.values import Coordinates


class NothingBody(f.Body):
    """The action needs no words."""


class AssignBody(f.Body):
    """To whom the appeal goes."""

    organisation: f.Id
    reason: f.LongText | None = None


class ReasonBody(f.Body):
    """Why."""

    reason: f.LongText


class PositionBody(PointBody):
    """Where the executor stands, WGS 84; `accuracy` is the radius in metres of which the device
    is sure. The register keeps the distance to the place, never the position.
    """

    accuracy: f.Metres

    def position(self) -> c.Position:
        """As the domain wants it."""
        return c.Position(Coordinates(self.latitude, self.longitude), self.accuracy)


ActNumber = Annotated[f.Name, Field(max_length=40)]


class EvidencedBody(f.Body):
    """What shows that a stage is reached, besides photos; the appeal says what is needed."""

    position: PositionBody | None = None
    act_number: ActNumber | None = None

    def shown(self) -> tuple[c.Position | None, str | None]:
        """As the domain wants it."""
        return self.position.position() if self.position else None, self.act_number


class ReportBody(EvidencedBody):
    """Which promised stage is reached, with the evidence that its service demands."""

    stage: Literal[Stage.ARRIVE, Stage.SECURE]
    note: f.LongText | None = None
    attachments: Attachments = ()


class WaiveBody(f.Body):
    """Which evidence of a stage need not be shown (without `evidence`, all of it), and why. With
    `termination` it is let go for ending the procedure alone (`decide` with `terminated`): whoever
    reports the work done shows it all the same. Where none is demanded, that says, without
    `evidence`, that nobody need make the steps promised before the work.
    """

    stage: Literal[Stage.ARRIVE, Stage.SECURE, Stage.RESOLVE]
    evidence: Annotated[tuple[Piece, ...], Field(max_length=3)] = ()
    reason: f.LongText
    termination: bool = False


class ExtendBody(f.Body):
    """Which promised stage needs more time, until when it wants to be due, and why."""

    stage: Literal[Stage.ARRIVE, Stage.SECURE, Stage.RESOLVE]
    until: f.Instant
    reason: f.LongText


class GrantBody(f.Body):
    """Until when (left out: as was asked), and a word for colleagues."""

    until: f.Instant | None = None
    reason: f.LongText | None = None


class PauseBody(f.Body):
    """Why the clocks wait."""

    reason: PauseReason
    note: f.LongText


class ResolveBody(EvidencedBody):
    """What was done, with evidence, or the reason why no photo could be taken. Where the service
    demands photos, only an inspector may let them go (`waive`).
    """

    text: f.LongText
    evidence: Attachments = ()
    no_photo_reason: f.LongText | None = None


class NoteBody(f.Body):
    """A note for colleagues."""

    note: f.LongText | None = None


class ConfirmBody(f.Body):
    """The resident's yes: how it was given, and a rating of 1-5 if they wish."""

    how: How
    rating: f.Rating | None = None
    text: f.LongText | None = None


class ReopenBody(f.Body):
    """The resident's no: how it was given, and what is wrong."""

    how: How
    reason: f.LongText


class WithdrawBody(f.Body):
    """The resident takes the appeal back."""

    how: How
    reason: f.LongText | None = None


class CommentBody(f.Body):
    """A word to the resident, or among colleagues."""

    text: f.LongText
    internal: bool = False


class AttachBody(f.Body):
    """Uploads that join the appeal."""

    attachments: Attachments


class InstructBody(f.Body):
    """A resolution or an instruction, for the executor and the inspectors."""

    directive: Directive
    text: f.LongText


Make = Callable[[Any], c.Command]

BODIES: dict[Action, tuple[type[f.Body], Make]] = {
    Action.ANSWER: (AnswerBody, lambda b: c.GiveAnswer(b.first_answer())),
    Action.ASSIGN: (AssignBody, lambda b: c.Assign(b.organisation, b.reason)),
    Action.REDIRECT: (AssignBody, lambda b: c.Assign(b.organisation, b.reason)),
    Action.ACCEPT: (NothingBody, lambda b: c.Accept()),
    Action.DECLINE: (ReasonBody, lambda b: c.Decline(b.reason)),
    Action.REPORT: (ReportBody, lambda b: c.Report(b.stage, b.note, b.attachments, *b.shown())),
    Action.WAIVE: (
        WaiveBody,
        lambda b: c.Waive(b.stage, b.reason, frozenset(b.evidence), b.termination),
    ),
    Action.EXTEND: (ExtendBody, lambda b: c.AskExtension(b.stage, b.until, b.reason)),
    Action.GRANT: (GrantBody, lambda b: c.GrantExtension(b.until, b.reason)),
    Action.REFUSE: (ReasonBody, lambda b: c.RefuseExtension(b.reason)),
    Action.PAUSE: (PauseBody, lambda b: c.PauseWork(b.reason, b.note)),
    Action.RESUME: (NothingBody, lambda b: c.Resume()),
    Action.RESOLVE: (
        ResolveBody,
        lambda b: c.Resolve(b.text, b.evidence, b.no_photo_reason, *b.shown()),
    ),
    Action.CHECK: (NoteBody, lambda b: c.Check(b.note)),
    Action.RETURN: (ReasonBody, lambda b: c.Return(b.reason)),
    Action.CONFIRM: (ConfirmBody, lambda b: c.Confirm(b.how, b.rating, b.text)),
    Action.REOPEN: (ReopenBody, lambda b: c.Reopen(b.how, b.reason)),
    Action.WITHDRAW: (WithdrawBody, lambda b: c.Withdraw(b.how, b.reason)),
    Action.COMMENT: (CommentBody, lambda b: c.Comment(b.text, b.internal)),
    Action.ATTACH: (AttachBody, lambda b: c.Attach(b.attachments)),
    Action.INSTRUCT: (InstructBody, lambda b: c.Instruct(b.directive, b.text)),
    Action.CLASSIFY: (ClassifyBody, lambda b: b.command()),
    Action.PROLONG: (ProlongBody, lambda b: b.command()),
    Action.FORWARD: (ForwardBody, lambda b: b.command()),
    Action.SUMMON: (SummonBody, lambda b: b.command()),
    Action.HEAR: (HearBody, lambda b: b.command()),
    Action.DECIDE: (DecideBody, lambda b: b.command()),
}
"""Every action but `correct`, which is a PATCH of the appeal itself."""


def _handler(action: Action, make: Make) -> UnitHandler:
    async def act(call: Call, uow: UnitOfWork) -> Reply:
        appeal = await perform(
            call.path["number"],
            action,
            make(call.body),
            uow=uow,
            reference=call.reference,
            at=call.at,
            expected=call.if_match,
        )
        return shown(appeal, call)

    return act


def _operation(action: Action) -> Operation:
    body, make = BODIES[action]
    meaning = TRANSITIONS[action].meaning
    return Operation(
        f"{action}Appeal",
        "POST",
        f"/v1/appeals/{{number}}/{action}",
        "Actions",
        meaning[0].upper() + meaning[1:],
        writes=_handler(action, make),
        # An internal comment needs another permission than a public one: the use case asks.
        permission=(
            Permission.READ_APPEAL if action is Action.COMMENT else TRANSITIONS[action].permission
        ),
        body=body,
        answer=AppealView,
        refusals=(404, 409, 412),
        etag=True,
        if_match=True,
    )


OPERATIONS = tuple(_operation(action) for action in BODIES)
