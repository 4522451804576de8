"""What can be asked of incidents: permit, load, guard, act, bind, store.

The unit of work is opened and committed by the door. Where appeals and their incident are
locked together, appeals come first, in the order of their numbers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.access import Permission, Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk
from domain.appeals.model import Appeal, Change
from domain.appeals.uploads import Taken, take
from domain.appeals.use_cases import bind
from domain.errors import Conflict, Invalid, VersionConflict
from domain.events import IncidentEventType as T
from domain.incidents import commands as i
from domain.incidents.board import overdue
from domain.incidents.following import Caught, catch_up, join, part
from domain.incidents.history import bind_incident
from domain.incidents.model import Incident, IncidentFact, IncidentKind, Matching
from domain.incidents.rules import RULES, check, start, told
from domain.incidents.workflow import TRANSITIONS, IncidentAction, IncidentStatus, guard
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.register.canonical import instant
from domain.values import new_id


async def open_incident(
    command: i.OpenIncident, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> Incident:
    """Open an incident, announced if it is still to come, and join the appeals named.

    Raises NotPermitted, Invalid, NotFound or Conflict.
    """
    principal = uow.principal
    principal.require(Permission.OPEN_INCIDENT)
    if command.appeals:
        principal.require(Permission.ASSIGN)
    desk = Desk(principal, reference, at)
    incident = check(_draft(command, desk), desk)
    facts = [IncidentFact(T.OPENED, told(incident))]
    if principal.role in (Role.EXECUTOR, Role.HEAD):
        # Who publishes their own work has taken it.
        incident = replace(incident, accepted_at=at)
        facts.append(IncidentFact(T.ACCEPTED))
    appeals = await _locked(command.appeals, uow)
    if appeals:
        facts.append(_numbers(T.JOINED, appeals))
    change = bind_incident(replace(incident, version=0), facts, principal, at)
    await uow.incidents.add(change)
    for appeal in appeals:
        uow.appeals.save(bind(appeal, join(appeal, change.incident, desk, by="hand"), desk))
    return change.incident


async def perform(
    id: UUID,
    action: IncidentAction,
    command: i.IncidentCommand,
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    expected: Collection[int] | None = None,
) -> Incident:
    """Do one action. `expected` are the versions that the caller accepts (If-Match), if it says.

    Raises NotPermitted, NotFound, VersionConflict, InvalidTransition, Conflict or Invalid.
    """
    uow.principal.require(TRANSITIONS[action].permission)
    incident = await _expected(id, action, uow, expected)
    desk = Desk(uow.principal, reference, at, await _uploads(command, uow))
    step = RULES[action](incident, command, desk)
    change = bind_incident(step.incident, step.facts, uow.principal, at)
    await uow.incidents.save(replace(change, evidence=tuple(desk.uploads)))
    return change.incident


async def join_appeals(
    id: UUID,
    numbers: Sequence[str],
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    expected: Collection[int] | None = None,
) -> Incident:
    """Join appeals; those joined to it already stay. Raises Conflict where one belongs elsewhere,
    is not open, or where nothing is left to do, and what `perform` raises.
    """
    uow.principal.require(TRANSITIONS[IncidentAction.JOIN].permission)
    appeals = await _locked(numbers, uow)
    incident = await _expected(id, IncidentAction.JOIN, uow, expected)
    desk = Desk(uow.principal, reference, at)
    fresh = [one for one in appeals if not _belongs(one, incident)]
    changes = [bind(one, join(one, incident, desk, by="hand"), desk) for one in fresh]
    return await _moved(incident, T.JOINED, changes, uow, at)


async def part_appeals(
    id: UUID,
    numbers: Sequence[str],
    reason: str,
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    expected: Collection[int] | None = None,
) -> Incident:
    """Part appeals; each goes on with whoever has it. Raises as `join_appeals` does."""
    uow.principal.require(TRANSITIONS[IncidentAction.PART].permission)
    appeals = await _locked(numbers, uow)
    incident = await _expected(id, IncidentAction.PART, uow, expected)
    desk = Desk(uow.principal, reference, at)
    ours = [one for one in appeals if _belongs(one, incident)]
    changes = [bind(one, part(one, "by-hand", reason), desk) for one in ours]
    return await _moved(incident, T.PARTED, changes, uow, at)


Past = tuple[UUID, datetime]
"""An incident and the expected end that it runs past; another end is another one."""


@dataclass(frozen=True, slots=True)
class Tended:
    """What came of one turn: incidents that began, those of which it was told that they run past
    their expected end, appeals that caught up, and those whose rules raised, with why. `past` are
    all of which that is told by now.
    """

    started: tuple[Incident, ...]
    overdue: tuple[Incident, ...]
    followed: int
    faulty: tuple[tuple[UUID, Exception], ...]
    past: frozenset[Past]


async def tend(
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    limit: int,
    skipping: Collection[UUID] = (),
    past: frozenset[Past] = frozenset(),
) -> Tended:
    """Start what was announced for now, tell of what runs past its expected end, and let at most
    `limit` joined appeals catch up. `past` is what the turn before answered: of those nobody need
    look again whether it was told.

    Whatever is cut short is found again: how far an appeal has followed is written with it.
    """
    desk = Desk(uow.principal, reference, at)
    started = [await _start(one, uow, desk) for one in await uow.incidents.to_start(at, limit)]
    late, past = await _tell_of_end(uow, desk, past, limit)
    lagging = await uow.incidents.lagging(limit, skipping)
    histories = await uow.incidents.acts({_incident(one) for one in lagging})
    faulty: list[tuple[UUID, Exception]] = []
    idle: dict[int, list[UUID]] = {}
    for appeal in lagging:
        try:
            caught = catch_up(appeal, *histories[_incident(appeal)], reference)
        except Exception as error:
            faulty.append((appeal.id, error))
            continue
        if not caught.changes:
            idle.setdefault(caught.followed, []).append(appeal.id)
        await _keep(appeal, caught, uow)
    for act, appeals in idle.items():
        await uow.incidents.followed(appeals, act)
    return Tended(tuple(started), late, len(lagging) - len(faulty), tuple(faulty), past)


async def _start(incident: Incident, uow: UnitOfWork, desk: Desk) -> Incident:
    step = start(incident, i.Start(), desk)
    change = bind_incident(step.incident, step.facts, uow.principal, desk.at)
    await uow.incidents.save(change)
    return change.incident


async def _tell_of_end(
    uow: UnitOfWork, desk: Desk, told: frozenset[Past], limit: int
) -> tuple[tuple[Incident, ...], frozenset[Past]]:
    """Tell once, of each incident that runs past its expected end, whoever's it is, those above
    them and the contact centre. What is told stands in its history; a later end is told anew.
    """
    live = desk.reference.incidents.live
    late = {(one.id, one.planned_to) for one in live if one.planned_to and overdue(one, desk.at)}
    known = {one for one in told if one in late}
    found = [id for id, _ in sorted(late - known)[:limit]]
    said: list[Incident] = []
    for incident, already in await uow.incidents.past(found, desk.at) if found else ():
        if incident.planned_to is None:
            continue
        known.add((incident.id, incident.planned_to))
        if not already:
            fact = IncidentFact(T.OVERDUE, {"planned_to": instant(incident.planned_to)})
            change = bind_incident(incident, [fact], uow.principal, desk.at)
            await uow.incidents.save(change)
            said.append(change.incident)
    return tuple(said), frozenset(known)


async def _keep(appeal: Appeal, caught: Caught, uow: UnitOfWork) -> None:
    for change in caught.changes:
        uow.appeals.save(change)
    if caught.evidence:
        await uow.incidents.share(appeal.id, caught.evidence)


def _incident(appeal: Appeal) -> UUID:
    if appeal.membership is None:
        raise AssertionError(appeal.number)
    return appeal.membership.incident


def _draft(command: i.OpenIncident, desk: Desk) -> Incident:
    principal, at = desk.principal, desk.at
    owner = principal.organisation
    if owner is None:
        raise Invalid.at("", "staff-only")
    coming = command.planned_from is not None and command.planned_from > at
    usual = Matching.AUTOMATIC if command.kind is IncidentKind.OUTAGE else Matching.SUGGESTED
    return Incident(
        id=new_id(),
        city=principal.city,
        kind=command.kind,
        status=IncidentStatus.ANNOUNCED if coming else IncidentStatus.ACTIVE,
        matching=command.matching or usual,
        public=command.public,
        services=command.services,
        area=command.area,
        districts=frozenset(),
        texts=command.texts,
        owner=owner,
        executor=command.executor or owner,
        opened_by=principal.id,
        opened_at=at,
        updated_at=at,
        planned_from=command.planned_from,
        planned_to=command.planned_to,
        started_at=None if coming else at,
    )


async def _expected(
    id: UUID, action: IncidentAction, uow: UnitOfWork, expected: Collection[int] | None
) -> Incident:
    incident = await uow.incidents.get(id)
    if expected is not None and incident.version not in expected:
        raise VersionConflict(expected=sorted(expected), actual=incident.version)
    guard(action, incident.status)
    return incident


async def _locked(numbers: Sequence[str], uow: UnitOfWork) -> list[Appeal]:
    return [await uow.appeals.get(number) for number in sorted(set(numbers))]


def _belongs(appeal: Appeal, incident: Incident) -> bool:
    return appeal.membership is not None and appeal.membership.incident == incident.id


async def _moved(
    incident: Incident, type: T, changes: Sequence[Change], uow: UnitOfWork, at: datetime
) -> Incident:
    if not changes:
        raise Conflict(reason="nothing-changed")
    fact = _numbers(type, [change.appeal for change in changes])
    bound = bind_incident(incident, [fact], uow.principal, at)
    await uow.incidents.save(bound)
    for change in changes:
        uow.appeals.save(change)
    return bound.incident


def _numbers(type: T, appeals: Sequence[Appeal]) -> IncidentFact:
    return IncidentFact(type, {"appeals": [appeal.number for appeal in appeals]})


async def _uploads(command: i.IncidentCommand, uow: UnitOfWork) -> Taken:
    if isinstance(command, c.Resolve):
        return await take(command.evidence, "/evidence", uow)
    if isinstance(command, c.Report):
        return await take(command.attachments, "/attachments", uow)
    return {}
