"""What a joined appeal does after an act of its incident: the rules of appeals, nothing besides.

The executor acts once, on the incident; each joined appeal then takes the same step in its own
chain, by its own clock, in the name of whoever acted. No act closes an appeal (law 3).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.access import Principal, Role
from domain.appeals import clocks, rules
from domain.appeals import commands as c
from domain.appeals.desk import Desk, Step, said
from domain.appeals.model import Appeal, Change, Membership
from domain.appeals.use_cases import bind
from domain.appeals.workflow import FINAL, OPEN, Action, Status
from domain.errors import Conflict, EvidenceMissing
from domain.events import EventType, Fact
from domain.events import IncidentEventType as T
from domain.incidents.evidence import uploads_of
from domain.incidents.history import joined_fact
from domain.incidents.model import Incident, IncidentEvent
from domain.incidents.workflow import LIVE
from domain.reference import Reference
from domain.sla.policy import Stage


@dataclass(frozen=True, slots=True)
class Caught:
    """How an appeal caught up: its changes in order, the evidence that now stands with it too,
    and the act up to which it has followed.
    """

    changes: tuple[Change, ...]
    evidence: tuple[UUID, ...]
    followed: int


def catch_up(
    appeal: Appeal, incident: Incident, acts: Sequence[IncidentEvent], reference: Reference
) -> Caught:
    """Follow every act that the appeal has not followed yet.

    A step is dated by the act, however late the appeal follows, unless something happened to
    the appeal since: its chain never goes back in time.
    """
    changes: list[Change] = []
    evidence: list[UUID] = []
    last = acts[-1].act or 0 if acts else 0
    for act in acts:
        if appeal.membership is None or act.act is None or act.act <= appeal.membership.followed:
            continue
        desk = _desk(act, appeal, incident, reference)
        step = _FOLLOW[act.type](appeal, incident, act, desk)
        if step is None:
            continue
        changes.append(_bound(appeal, step, act, desk))
        appeal = changes[-1].appeal
        if act.type is T.RESOLVED and appeal.membership is not None:
            evidence.extend(desk.uploads)
    if changes and appeal.membership is not None:
        member = replace(appeal.membership, followed=last)
        changes[-1] = replace(changes[-1], appeal=replace(appeal, membership=member))
    return Caught(tuple(changes), tuple(evidence), last)


def join(appeal: Appeal, incident: Incident, desk: Desk, *, by: str) -> Step:
    """The appeal belongs to the incident. Raises Conflict where it cannot."""
    if appeal.membership is not None:
        raise Conflict(reason="joined-to-another", number=appeal.number)
    if appeal.status not in OPEN:
        raise Conflict(reason="appeal-not-open", number=appeal.number)
    after = replace(appeal, membership=Membership(incident.id, desk.at))
    return Step(after, (joined_fact(incident, by),))


def part(appeal: Appeal, why: str, reason: str | None = None) -> Step:
    """The appeal goes on by itself, with whoever has it."""
    left = str(appeal.membership.incident) if appeal.membership else None
    fact = Fact(EventType.PARTED, {"incident": left, "why": why}, said(reason=reason))
    return Step(replace(appeal, membership=None), (fact,))


def _desk(act: IncidentEvent, appeal: Appeal, incident: Incident, reference: Reference) -> Desk:
    actor = act.actor
    who = Principal(
        actor.id,
        Role(actor.role),
        incident.city,
        organisation=actor.organisation,
        organisations=frozenset({incident.executor}),
    )
    at = max(act.at, appeal.updated_at)
    return Desk(who, reference, at, uploads_of(act), placeless=True)


def _bound(appeal: Appeal, step: Step, act: IncidentEvent, desk: Desk) -> Change:
    """The step as a change, its facts naming the incident; its uploads stay the incident's."""
    incident = {"incident": str(act.incident)}
    facts = tuple(replace(fact, data={**fact.data, **incident}) for fact in step.facts)
    after = step.appeal
    if after.membership is not None and act.act is not None:
        after = replace(after, membership=replace(after.membership, followed=act.act))
    return bind(appeal, replace(step, appeal=after, facts=facts, attachments=()), desk)


def _align(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    """The appeal stands with the incident's executor."""
    if appeal.status not in OPEN:
        return None
    standing = appeal.assignment
    if standing is not None and standing.organisation == incident.executor:
        return None
    move = rules.RULES[Action.ASSIGN if standing is None else Action.REDIRECT]
    return move(appeal, c.Assign(incident.executor), desk)


def _accept(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    if appeal.status is not Status.ASSIGNED or not _with_executor(appeal, incident):
        return None
    return rules.accept(appeal, c.Accept(), desk)


def _report(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    begun = _at_work(appeal, incident, desk)
    stage = Stage(str(act.data["stage"]))
    clock = appeal.clock(stage)
    if begun is None or clock is None or clock.met_at is not None:
        return None
    command = c.Report(stage, act.texts.get("note"), act_number=act.texts.get("act_number"))
    return _shown(begun, lambda appeal: rules.report(appeal, command, desk))


def _resolve(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    if _undone(appeal, incident, act):
        return None
    if act.at < appeal.registered_at:
        # Registered while the platform did not know yet that it was over: it tells of something
        # else, and is never resolved by what happened before it.
        return part(appeal, "over")
    begun = _at_work(appeal, incident, desk)
    if begun is None:
        return None
    words = act.texts
    command = c.Resolve(
        words.get("text", ""),
        tuple(desk.uploads),
        words.get("no_photo_reason"),
        act_number=words.get("act_number"),
    )
    return _shown(begun, lambda appeal: rules.resolve(appeal, command, desk))


def _shown(begun: Step, rule: Callable[[Appeal], Step]) -> Step | None:
    """The step, once its evidence suffices. Where the appeal's own service wants more than came (an
    inspector joined one of another service), it stays in progress: its executor must show it there.
    """
    try:
        return _after(begun, rule(begun.appeal))
    except EvidenceMissing:
        return None


def _undone(appeal: Appeal, incident: Incident, act: IncidentEvent) -> bool:
    """Whether the work was found wanting before the appeal joined: it follows a later act."""
    joined_at = appeal.membership.joined_at if appeal.membership else act.at
    again = incident.resolved_at is None or incident.resolved_at > joined_at
    return act.at < joined_at and (again or incident.status in LIVE)


def _return(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    if appeal.status is not Status.RESOLVED or not _with_executor(appeal, incident):
        return None
    return rules.return_(appeal, c.Return(act.texts["reason"]), desk)


def _close(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    """The resident is asked: their word alone closes. Who said no already is not asked again."""
    if appeal.status is not Status.RESOLVED:
        return None
    asked = rules.check(appeal, c.Check(act.texts.get("note")), desk)
    texts = act.data.get("texts")
    return asked if texts is None else _after(asked, _told(asked.appeal, texts, desk))


def _cancel(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    return part(appeal, "cancelled", act.texts.get("reason"))


def _broadcast(appeal: Appeal, incident: Incident, act: IncidentEvent, desk: Desk) -> Step | None:
    late = appeal.membership is not None and act.at < appeal.membership.joined_at
    if late or appeal.status in FINAL:
        return None
    return _told(appeal, act.data["texts"], desk)


def _told(appeal: Appeal, texts: object, desk: Desk) -> Step:
    """A word by the city, which is the first answer that a chat waits for."""
    words = dict(texts) if isinstance(texts, Mapping) else {}
    return Step(
        clocks.meet(appeal, Stage.ANSWER, at=desk.at), (Fact(EventType.BROADCAST, {}, words),)
    )


def _with_executor(appeal: Appeal, incident: Incident) -> bool:
    """Not where an inspector has given it to another since."""
    return appeal.assignment is not None and appeal.assignment.organisation == incident.executor


def _at_work(appeal: Appeal, incident: Incident, desk: Desk) -> Step | None:
    """The appeal in progress: taken if it was not yet, running on if it waited; None elsewhere."""
    if not _with_executor(appeal, incident):
        return None
    if appeal.status is Status.ASSIGNED:
        return rules.accept(appeal, c.Accept(), desk)
    if appeal.status is Status.PAUSED:
        return rules.resume(appeal, c.Resume(), desk)
    return Step(appeal, ()) if appeal.status is Status.IN_PROGRESS else None


def _after(first: Step, then: Step) -> Step:
    """Two steps as one: of an assignment that both moved, the later row is written."""
    moved = {one.id: one for one in (*first.assignments, *then.assignments)}
    return replace(then, facts=(*first.facts, *then.facts), assignments=tuple(moved.values()))


Follow = Callable[[Appeal, Incident, IncidentEvent, Desk], Step | None]

_FOLLOW: Mapping[T, Follow] = {
    T.OPENED: _align,
    T.ASSIGNED: _align,
    T.ACCEPTED: _accept,
    T.STAGE_REPORTED: _report,
    T.RESOLVED: _resolve,
    T.RETURNED: _return,
    T.CLOSED: _close,
    T.CANCELLED: _cancel,
    T.BROADCAST: _broadcast,
}
"""Every act of history.FOLLOWED (a test says so)."""
