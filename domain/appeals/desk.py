"""The desk at which a rule decides: who acts, what they answer, and what the rules share."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.access import Principal, Role
from domain.appeals import clocks
from domain.appeals.model import Appeal, Assignment, AssignmentState
from domain.appeals.uploads import Taken, sealed
from domain.appeals.workflow import Status
from domain.catalogue.model import Criticality
from domain.errors import Invalid, NotPermitted
from domain.events import EventType, Fact
from domain.reference import Reference
from domain.sla.policy import Stage


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, by which agreements, and when. `placeless` says that nobody stands at the appeal's
    place: an incident, which an appeal follows, has no one such place.
    """

    principal: Principal
    reference: Reference
    at: datetime
    uploads: Taken = field(default_factory=dict)
    placeless: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What a rule answers."""

    appeal: Appeal
    facts: tuple[Fact, ...]
    assignments: tuple[Assignment, ...] = ()
    attachments: tuple[UUID, ...] = ()
    purpose: str = "report"


def own(appeal: Appeal, desk: Desk) -> Assignment:
    """The standing assignment, if it is the principal's own organisation's (or a child's)."""
    assignment = appeal.assigned()
    if assignment.organisation not in desk.principal.organisations:
        raise NotPermitted(permission="perform:assigned-to-another", role=str(desk.principal.role))
    return assignment


def involved(appeal: Appeal, desk: Desk) -> None:
    """Executors act on their own appeals only; the contact centre on all."""
    if desk.principal.role in (Role.EXECUTOR, Role.HEAD):
        own(appeal, desk)


_BY_VOICE = frozenset({"call", "in_person"})
_BY_THEMSELVES = frozenset({"app", "web"})


def heard(how: str, principal: Principal, pointer: str = "/how") -> str:
    """How the resident's word came. What residents give here themselves came by no voice, and what
    comes by the app or the cabinet they give themselves, with their own token: the register would
    name a call that nobody took, or a click that nobody made (law 3). Raises Invalid.
    """
    own = principal.role is Role.CITIZEN
    if own and how in _BY_VOICE:
        raise Invalid.at(pointer, "staff-only")
    if not own and how in _BY_THEMSELVES:
        raise Invalid.at(pointer, "resident-only")
    return how


def entrusted(appeal: Appeal, principal: Principal) -> None:
    """Executors learn who asks while the appeal stands with them; the contact centre always.

    Who gave it back, or saw it go to another, goes on seeing the case and no more.
    Raises NotPermitted.
    """
    if principal.role not in (Role.EXECUTOR, Role.HEAD):
        return
    standing = appeal.assignment
    if standing is None or standing.organisation not in principal.organisations:
        raise NotPermitted(permission="perform:assigned-to-another", role=str(principal.role))


def leave(
    appeal: Appeal, state: AssignmentState, desk: Desk, reason: str | None = None
) -> tuple[Assignment, ...]:
    """What becomes of the standing assignment; one whose work was done stays done."""
    standing = appeal.assignment
    if standing is None or standing.state is AssignmentState.DONE:
        return ()
    answered_at = standing.answered_at or desk.at
    return (replace(standing, state=state, answered_at=answered_at, reason=reason),)


def hurry(appeal: Appeal, desk: Desk) -> tuple[Appeal, tuple[Fact, ...]]:
    """An emergency cannot wait: a pause that it is in ends at once."""
    if appeal.pause is None or not urgent(appeal):
        return appeal, ()
    fact = Fact(EventType.RESUMED, {"reason": str(appeal.pause.reason)})
    return replace(unpause(appeal, desk), status=Status.IN_PROGRESS), (fact,)


def urgent(appeal: Appeal) -> bool:
    return appeal.emergency or appeal.criticality is Criticality.EMERGENCY


def unpause(appeal: Appeal, desk: Desk) -> Appeal:
    """A pause counts until its longest day, however late somebody notices."""
    if appeal.pause is None:
        return appeal
    at = min(desk.at, appeal.pause.until)
    return replace(clocks.resume(appeal, desk.reference.promises, at=at), pause=None)


def back_to_work(
    appeal: Appeal, desk: Desk, *stages: Stage
) -> tuple[Appeal, tuple[Assignment, ...]]:
    """In progress again with whoever had it; with the inspectors where nobody had."""
    reopened = clocks.reopen(appeal, stages, desk.reference.promises, at=desk.at)
    if appeal.assignment is None:
        return replace(reopened, status=Status.REGISTERED), ()
    again = replace(appeal.assignment, state=AssignmentState.ACCEPTED, done_at=None)
    return replace(reopened, status=Status.IN_PROGRESS, assignment=again), (again,)


def said(**texts: str | None) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def listed(desk: Desk) -> dict[str, object]:
    return {"attachments": sealed(desk.uploads)} if desk.uploads else {}
