"""What can be asked of a registered appeal: permit, load, guard, act, bind, store.

The unit of work is opened and committed by the door, so that the answer to an
Idempotency-Key is kept in the same transaction as the act.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.access import Permission
from domain.appeals import commands as c
from domain.appeals.desk import Desk, Step, heard, hurry
from domain.appeals.model import Appeal, Change
from domain.appeals.rules import RULES, resume
from domain.appeals.uploads import Taken, take
from domain.appeals.workflow import TRANSITIONS, Action, guard
from domain.catalogue.model import Criticality
from domain.errors import Invalid, VersionConflict
from domain.events import Actor, EventType, Fact
from domain.incidents.history import tell_of_refusal
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.register.canonical import instant
from domain.register.chain import extend
from domain.sla import clock as clocks
from domain.sla.clock import Nudge, Reminder


async def perform(
    number: str,
    action: Action,
    command: c.Command,
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    expected: Collection[int] | None = None,
) -> Appeal:
    """Do one action. `expected` are the versions that the caller accepts (If-Match), if it says.

    Raises NotPermitted, NotFound, VersionConflict, InvalidTransition, Conflict or Invalid.
    """
    uow.principal.require(_permission(action, command))
    appeal = await uow.appeals.get(number)
    if expected is not None and appeal.version not in expected:
        raise VersionConflict(expected=sorted(expected), actual=appeal.version)
    guard(action, appeal.status, uow.principal)
    desk = Desk(uow.principal, reference, at, await _uploads(command, uow))
    if isinstance(command, c.GiveAnswer) and command.answer.confirmed_by is not None:
        heard(command.answer.confirmed_by, uow.principal, "/confirmed_by")
    if isinstance(command, c.Correct):
        _check_answers(appeal, command, reference)
    change = bind(appeal, RULES[action](appeal, command, desk), desk)
    uow.appeals.save(change)
    if action is Action.REOPEN:
        await tell_of_refusal(change.appeal, uow, at)
    return change.appeal


def bind(before: Appeal, step: Step, desk: Desk) -> Change:
    """A rule's step as what is to be written: next version, events at the end of the chain."""
    head, events = extend(
        before.head,
        step.facts,
        city=before.city,
        appeal=before.id,
        about=step.appeal.about(),
        actor=Actor.of(desk.principal),
        at=desk.at,
    )
    after = replace(step.appeal, head=head, version=before.version + 1, updated_at=desk.at)
    known = {(clock.stage, clock.round): clock for clock in before.clocks}
    # Clocks are kept with the district that they count for, and with who must keep them.
    moved = (after.place.district, after.executor) != (before.place.district, before.executor)
    return Change(
        appeal=after,
        events=events,
        expected=before.version,
        clocks=tuple(k for k in after.clocks if moved or known.get((k.stage, k.round)) != k),
        assignments=step.assignments,
        attachments=step.attachments,
        purpose=step.purpose,
    )


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of a unit of due appeals: changes, and those whose rules raised, with why."""

    changes: tuple[Change, ...]
    faulty: tuple[tuple[UUID, Exception], ...]


async def act_on_due(
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    limit: int,
    skipping: Collection[UUID] = (),
) -> Acted:
    """Warn, breach, escalate and end pauses for what is due by `at`; at most `limit` appeals.

    One appeal that cannot be acted on (a policy that is gone, a fault of ours) stops nobody
    else's clocks: it is told, and the caller leaves it out of the next unit.
    """
    desk = Desk(uow.principal, reference, at)
    changes: list[Change] = []
    faulty: list[tuple[UUID, Exception]] = []
    for appeal in await uow.appeals.due(at, limit, skipping):
        try:
            change = bind(appeal, _due(appeal, desk), desk)
        except Exception as error:
            faulty.append((appeal.id, error))
            continue
        uow.appeals.save(change)
        changes.append(change)
    return Acted(tuple(changes), tuple(faulty))


def _permission(action: Action, command: c.Command) -> Permission:
    if isinstance(command, c.Comment) and command.internal:
        return Permission.COMMENT_INTERNALLY
    return TRANSITIONS[action].permission


async def _uploads(command: c.Command, uow: UnitOfWork) -> Taken:
    if isinstance(command, c.Resolve):
        return await take(command.evidence, "/evidence", uow)
    if isinstance(command, c.Report | c.Attach):
        return await take(command.attachments, "/attachments", uow)
    return {}


def _check_answers(appeal: Appeal, command: c.Correct, reference: Reference) -> None:
    """Answers are judged by the form of the service that the appeal will have."""
    if command.answers is None and command.service is None:
        return
    code = command.service or appeal.service
    if code not in reference.catalogue:
        raise Invalid.at("/service", "unknown-service", value=code)
    answers = command.answers if command.answers is not None else appeal.answers
    if faults := reference.forms.faults(reference.catalogue.service(code), answers):
        raise Invalid(faults)


def _due(appeal: Appeal, desk: Desk) -> Step:
    facts: list[Fact] = []
    if appeal.pause is not None and appeal.pause.until <= desk.at:
        step = resume(appeal, c.Resume(), desk)
        appeal, facts = step.appeal, list(step.facts)
    for clock in appeal.clocks:
        if clock.next_at is None or clock.next_at > desk.at:
            continue
        promise, _ = desk.reference.promises.of(clock)
        moved, reminders = clocks.act(clock, promise, at=desk.at)
        appeal = appeal.with_clock(moved)
        facts.extend(_reminded(clock, reminder) for reminder in reminders)
        breached = any(reminder.kind is Nudge.BREACH for reminder in reminders)
        if breached and promise.emergency_on_breach:
            appeal = replace(appeal, emergency=True, criticality=Criticality.EMERGENCY)
    appeal, resumed = hurry(appeal, desk)
    return Step(appeal, (*facts, *resumed))


_NUDGES = {
    Nudge.WARN: EventType.CLOCK_WARNED,
    Nudge.BREACH: EventType.CLOCK_BREACHED,
    Nudge.ESCALATE: EventType.CLOCK_ESCALATED,
}


def _reminded(clock: clocks.Clock, reminder: Reminder) -> Fact:
    data: dict[str, object] = {
        "stage": str(clock.stage),
        "round": clock.round,
        "due_at": instant(clock.due_at),
        "policy": clock.policy,
        "policy_version": clock.policy_version,
    }
    if reminder.to is not None:
        data |= {"to": str(reminder.to), "level": reminder.level}
    return Fact(_NUDGES[reminder.kind], data)
