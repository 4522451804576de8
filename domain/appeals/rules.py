"""What each action does to an appeal: pure functions, one per action.

Permission and the transition table were asked before (use_cases.py); here stand the
rules that need the appeal itself. Every rule answers with a Step: the appeal after,
and the facts that it caused.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.access import Role
from domain.appeals import clocks, extensions, legal
from domain.appeals import commands as c
from domain.appeals.desk import (
    Desk,
    Step,
    back_to_work,
    heard,
    hurry,
    involved,
    leave,
    listed,
    own,
    said,
    unpause,
    urgent,
)
from domain.appeals.evidence import prove, waive
from domain.appeals.legal_rules import LEGAL_RULES, notice_of_redirection, sent_on
from domain.appeals.model import (
    Appeal,
    Assignment,
    AssignmentState,
    Confirmation,
    Pause,
    Waiver,
)
from domain.appeals.places import locate, seal_answers, seal_place
from domain.appeals.services import available_service
from domain.appeals.workflow import PAUSE_RULES, REOPEN_WITHIN, Action, Status
from domain.catalogue.evidence import Piece
from domain.errors import Conflict, Invalid, NotPermitted
from domain.events import EventType, Fact
from domain.register.canonical import instant
from domain.sla.policy import LAW_STAGES, Stage
from domain.values import new_id


def answer(appeal: Appeal, command: c.GiveAnswer, desk: Desk) -> Step:
    """First contact: the operator answers; with the resident's word it closes at once."""
    given = command.answer
    recalled = leave(appeal, AssignmentState.RECALLED, desk)
    after = replace(appeal, status=Status.ANSWERED, assignment=None, first_contact=True)
    after = clocks.meet(after, Stage.ANSWER, Stage.RESOLVE, *LAW_STAGES, at=desk.at)
    after = clocks.cancel(after, at=desk.at)
    step = Step(
        after,
        (Fact(EventType.ANSWERED, {"first_contact": True}, {"text": given.text}),),
        recalled,
    )
    if given.confirmed_by is None:
        return step
    agreed = confirm(after, c.Confirm(given.confirmed_by, given.rating), desk)
    return replace(agreed, facts=step.facts + agreed.facts, assignments=recalled)


def assign(appeal: Appeal, command: c.Assign, desk: Desk) -> Step:
    """An inspector gives the appeal to an executor. Raises Invalid for one that cannot act."""
    organisation = desk.reference.organisations.get(command.organisation)
    if organisation is None or not organisation.active:
        raise Invalid.at("/organisation", "unknown-organisation", value=str(command.organisation))
    offered = Assignment(new_id(), command.organisation, AssignmentState.OFFERED, desk.at)
    after = replace(appeal, status=Status.ASSIGNED, assignment=offered)
    fact = Fact(
        EventType.ASSIGNED,
        {"organisation": str(command.organisation), "assignment": str(offered.id), "by": "hand"},
        said(reason=command.reason),
    )
    return Step(after, (fact,), (offered,))


def redirect(appeal: Appeal, command: c.Assign, desk: Desk) -> Step:
    """An inspector moves the appeal to another executor; no clock is touched but a paused one."""
    former = appeal.assigned()
    if former.organisation == command.organisation:
        raise Conflict(reason="same-executor")
    left = leave(appeal, AssignmentState.REDIRECTED, desk)
    running = sent_on(unpause(appeal, desk), desk)
    given = assign(running, command, desk)
    moved = Fact(
        EventType.REDIRECTED,
        {"from": str(former.organisation), "to": str(command.organisation)}
        | notice_of_redirection(appeal, desk),
        said(reason=command.reason),
    )
    return replace(given, facts=(moved, *given.facts), assignments=(*left, *given.assignments))


def accept(appeal: Appeal, _: c.Accept, desk: Desk) -> Step:
    """The executor takes the appeal; a resident waiting for a first answer has one now."""
    taken = replace(own(appeal, desk), state=AssignmentState.ACCEPTED, answered_at=desk.at)
    after = replace(appeal, status=Status.IN_PROGRESS, assignment=taken)
    fact = Fact(EventType.ACCEPTED, {"organisation": str(taken.organisation)})
    after = clocks.meet(after, Stage.ANSWER, Stage.REDIRECT, at=desk.at)
    return Step(after, (fact,), (taken,))


def decline(appeal: Appeal, command: c.Decline, desk: Desk) -> Step:
    """The executor gives the appeal back to the inspectors; every clock runs on."""
    ours = own(appeal, desk)
    after = replace(appeal, status=Status.REGISTERED, assignment=None)
    fact = Fact(
        EventType.DECLINED, {"organisation": str(ours.organisation)}, {"reason": command.reason}
    )
    return Step(after, (fact,), leave(appeal, AssignmentState.DECLINED, desk, command.reason))


def report(appeal: Appeal, command: c.Report, desk: Desk) -> Step:
    """A stage is reached. Raises Invalid for one that was not promised or is no report, and
    EvidenceMissing.
    """
    ours = own(appeal, desk)
    if command.stage not in (Stage.ARRIVE, Stage.SECURE):
        raise Invalid.at("/stage", "enum", allowed=["arrive", "secure"])
    clock = appeal.clock(command.stage)
    if clock is None:
        raise Invalid.at("/stage", "not-promised", stage=str(command.stage))
    if clock.met_at is not None:
        raise Conflict(reason="stage-reported-already")
    reached = (Stage.ARRIVE, Stage.SECURE) if command.stage is Stage.SECURE else (Stage.ARRIVE,)
    proof = prove(appeal, command.stage, command, desk)
    after = clocks.meet(appeal, *reached, at=desk.at)
    about = {"stage": str(command.stage), "organisation": str(ours.organisation)}
    fact = Fact(
        EventType.STAGE_REPORTED,
        about | listed(desk) | dict(proof.data),
        said(note=command.note) | dict(proof.personal),
    )
    return Step(after, (fact,), attachments=command.attachments)


def pause(appeal: Appeal, command: c.PauseWork, desk: Desk) -> Step:
    """The clocks of a reason wait. Raises NotPermitted, or Conflict where they may not."""
    rule = PAUSE_RULES[command.reason]
    involved(appeal, desk)
    if desk.principal.role not in rule.roles:
        raise NotPermitted(permission=f"pause:{command.reason}", role=str(desk.principal.role))
    if urgent(appeal):
        raise Conflict(reason="emergency-cannot-wait")
    left = rule.in_all - clocks.waited(appeal, rule.stages)
    if left <= timedelta(0):
        raise Conflict(reason="waited-long-enough", days=rule.in_all.days)
    until = desk.at + min(rule.longest, left)
    waiting = clocks.pause(appeal, rule.stages, reason=str(command.reason), at=desk.at)
    after = replace(waiting, status=Status.PAUSED, pause=Pause(command.reason, desk.at, until))
    fact = Fact(
        EventType.PAUSED,
        {
            "reason": str(command.reason),
            "until": instant(until),
            "stages": sorted(str(stage) for stage in rule.stages),
        },
        {"note": command.note},
    )
    return Step(after, (fact,))


def resume(appeal: Appeal, _: c.Resume, desk: Desk) -> Step:
    """The wait ends: by a person, or by itself when it has lasted as long as it may."""
    if desk.principal.role is not Role.SYSTEM:
        involved(appeal, desk)
    reason = str(appeal.pause.reason) if appeal.pause else None
    after = replace(unpause(appeal, desk), status=Status.IN_PROGRESS)
    return Step(after, (Fact(EventType.RESUMED, {"reason": reason}),))


def resolve(appeal: Appeal, command: c.Resolve, desk: Desk) -> Step:
    """The work is reported done. Raises EvidenceMissing, and Invalid where neither evidence nor
    a reason comes.
    """
    ours = own(appeal, desk)
    proof = prove(appeal, Stage.RESOLVE, command, desk)
    let_go = Waiver(Stage.RESOLVE, Piece.PHOTO) in appeal.waivers  # not one for a termination
    if not (command.evidence or command.no_photo_reason or let_go):
        raise Invalid.at("/evidence", "evidence-required")
    done = replace(ours, state=AssignmentState.DONE, done_at=desk.at)
    after = replace(appeal, status=Status.RESOLVED, assignment=done)
    after = clocks.meet(after, *Stage, at=desk.at)
    fact = Fact(
        EventType.RESOLVED,
        {"organisation": str(ours.organisation)} | listed(desk) | dict(proof.data),
        said(text=command.text, no_photo_reason=command.no_photo_reason) | dict(proof.personal),
    )
    return Step(after, (fact,), (done,), command.evidence, "evidence")


def check(appeal: Appeal, command: c.Check, desk: Desk) -> Step:
    """The inspector finds the work good; the resident's word is awaited."""
    after = replace(appeal, status=Status.CHECKED)
    return Step(after, (Fact(EventType.CHECKED, {}, said(note=command.note)),))


def return_(appeal: Appeal, command: c.Return, desk: Desk) -> Step:
    """The inspector sends the work back to the same executor; its clock goes on."""
    after, again = back_to_work(appeal, desk, Stage.RESOLVE)
    after = legal.stands(legal.undone(after), desk.reference.promises, at=desk.at)
    fact = Fact(EventType.RETURNED, clocks.begun(appeal, after), {"reason": command.reason})
    return Step(after, (fact,), again)


def confirm(appeal: Appeal, command: c.Confirm, desk: Desk) -> Step:
    """The resident's yes closes the appeal (law 3). The fact names who gave it, how and when."""
    how, role = heard(command.how, desk.principal), str(desk.principal.role)
    word = Confirmation(desk.principal.id, role, how, desk.at, command.rating)
    after = replace(appeal, status=Status.CLOSED, confirmation=word, closed_at=desk.at, pause=None)
    after = clocks.cancel(after, at=desk.at)
    data = {"how": command.how, "rating": command.rating}
    return Step(
        after,
        (
            Fact(EventType.CONFIRMED, data, said(text=command.text)),
            Fact(EventType.CLOSED, {"first_contact": appeal.first_contact}),
        ),
    )


def reopen(appeal: Appeal, command: c.Reopen, desk: Desk) -> Step:
    """The resident's no. Raises Conflict when a closed appeal was closed too long ago."""
    if appeal.closed_at is not None and desk.at - appeal.closed_at > REOPEN_WITHIN:
        raise Conflict(reason="closed-too-long-ago", days=REOPEN_WITHIN.days)
    after, again = back_to_work(appeal, desk, *Stage)
    after = legal.again(legal.undone(after), desk.reference.promises, at=desk.at)
    after = replace(
        after,
        reopened=appeal.reopened + 1,
        closed_at=None,
        confirmation=None,
        first_contact=False,
    )
    how = heard(command.how, desk.principal)
    fact = Fact(
        EventType.REOPENED,
        {"how": how, "round": after.reopened} | clocks.begun(appeal, after),
        {"reason": command.reason},
    )
    return Step(after, (fact,), again)


def withdraw(appeal: Appeal, command: c.Withdraw, desk: Desk) -> Step:
    """The resident takes the appeal back; whoever had it is told."""
    recalled = leave(appeal, AssignmentState.RECALLED, desk)
    after = replace(appeal, status=Status.WITHDRAWN, assignment=None, pause=None, closed_at=desk.at)
    fact = Fact(
        EventType.WITHDRAWN,
        {"how": heard(command.how, desk.principal)},
        said(reason=command.reason),
    )
    return Step(clocks.cancel(after, at=desk.at), (fact,), recalled)


def comment(appeal: Appeal, command: c.Comment, desk: Desk) -> Step:
    """A word; a public one by the city is the first answer that a chat waits for."""
    involved(appeal, desk)
    staff = desk.principal.role is not Role.CITIZEN
    after = appeal
    if staff and not command.internal:
        after = clocks.meet(appeal, Stage.ANSWER, at=desk.at)
    data = {"internal": command.internal}
    return Step(after, (Fact(EventType.COMMENTED, data, {"text": command.text}),))


def correct(appeal: Appeal, command: c.Correct, desk: Desk) -> Step:
    """A mistake of the record is put right. Time given by it: none."""
    after = _corrected_words(appeal, command, desk)
    if command.service is not None and command.service != appeal.service:
        after = _corrected_service(after, command.service, desk)
    changed = [name for name in _WORDS if getattr(after, name) != getattr(appeal, name)]
    if not changed:
        raise Conflict(reason="nothing-changed")
    fact = Fact(
        EventType.CORRECTED,
        {"fields": changed} | _now(after) | _left(appeal, after) | clocks.begun(appeal, after),
        said(
            text=command.text,
            place=seal_place(after.place) if command.where else None,
            answers=seal_answers(after.answers) if command.answers is not None else None,
        ),
    )
    after, resumed = hurry(after, desk)
    return Step(after, (fact, *resumed))


_WORDS = ("text", "kind", "language", "place", "service", "answers")
"""What the record says and a correction may say anew."""


def _now(after: Appeal) -> dict[str, object]:
    """What the record says from now on, so that its row can be counted from the events."""
    return {
        "kind": str(after.kind), "language": str(after.language), "service": after.service,
        "service_version": after.service_version, "criticality": str(after.criticality),
        "district": after.place.district,
    }  # fmt: skip


def _left(before: Appeal, after: Appeal) -> dict[str, object]:
    """Where it stood, if it is of another service or district now: whoever followed those is told
    that it goes.
    """
    was, now = (
        {"service": one.service, "sphere": one.sphere, "district": one.place.district}
        for one in (before, after)
    )
    return {} if was == now else {"was": was}


def attach(appeal: Appeal, command: c.Attach, desk: Desk) -> Step:
    """Uploads join the appeal."""
    involved(appeal, desk)
    fact = Fact(EventType.ATTACHED, listed(desk))
    return Step(appeal, (fact,), attachments=command.attachments, purpose="addition")


def instruct(appeal: Appeal, command: c.Instruct, desk: Desk) -> Step:
    """An akim's word is kept, addressed to whoever has the appeal; no clock hears it."""
    standing = appeal.assignment
    data = {
        "directive": str(command.directive),
        "to": str(standing.organisation) if standing else None,
    }
    return Step(appeal, (Fact(EventType.INSTRUCTED, data, {"text": command.text}),))


Rule = Callable[[Appeal, Any, Desk], Step]

RULES: Mapping[Action, Rule] = {
    Action.ANSWER: answer,
    Action.ASSIGN: assign,
    Action.REDIRECT: redirect,
    Action.ACCEPT: accept,
    Action.DECLINE: decline,
    Action.REPORT: report,
    Action.PAUSE: pause,
    Action.RESUME: resume,
    Action.WAIVE: waive,
    Action.EXTEND: extensions.ask,
    Action.GRANT: extensions.grant,
    Action.REFUSE: extensions.refuse,
    Action.RESOLVE: resolve,
    Action.CHECK: check,
    Action.RETURN: return_,
    Action.CONFIRM: confirm,
    Action.REOPEN: reopen,
    Action.WITHDRAW: withdraw,
    Action.COMMENT: comment,
    Action.CORRECT: correct,
    Action.ATTACH: attach,
    Action.INSTRUCT: instruct,
    **LEGAL_RULES,
}


def _corrected_words(appeal: Appeal, command: c.Correct, desk: Desk) -> Appeal:
    return replace(
        appeal,
        text=command.text if command.text is not None else appeal.text,
        kind=command.kind or appeal.kind,
        language=command.language or appeal.language,
        place=locate(command.where, desk.reference) if command.where else appeal.place,
        answers=command.answers if command.answers is not None else appeal.answers,
        updated_at=desk.at,
    )


def _corrected_service(appeal: Appeal, code: str, desk: Desk) -> Appeal:
    service = available_service(code, None, desk.principal, desk.reference, desk.at)
    moved = replace(
        appeal,
        service=service.code,
        service_version=service.version,
        category=service.category,
        sphere=service.sphere,
        criticality=service.criticality,
        # What was let go was evidence of another service.
        waivers=(),
    )
    promises = desk.reference.promises
    counted = clocks.recount(moved, service.policy, promises, desk.reference.city)
    if (wait := appeal.pause) is None:
        return counted
    # The appeal still waits, so what the new service promises waits too, and as long.
    stages = PAUSE_RULES[wait.reason].stages
    return clocks.pause(counted, stages, reason=str(wait.reason), at=wait.since)
