"""Registering an appeal: everything that is decided before it is written, in one pass."""

from dataclasses import replace
from datetime import datetime

from domain.access import Permission, Principal, Role
from domain.appeals import clocks
from domain.appeals.commands import GiveAnswer, Intake
from domain.appeals.desk import Desk, Step
from domain.appeals.model import (
    Appeal,
    Applicant,
    Assignment,
    AssignmentState,
    Change,
    Place,
    Route,
)
from domain.appeals.places import locate, seal_answers, seal_place
from domain.appeals.routes import question, unplaced
from domain.appeals.rules import answer
from domain.appeals.services import available_service
from domain.appeals.uploads import sealed, take
from domain.appeals.workflow import Action, Status, guard
from domain.catalogue.model import Service
from domain.errors import Fault, Invalid
from domain.events import Actor, EventType, Fact
from domain.organisations import routing
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.register.chain import Head, extend
from domain.values import new_id


async def register(
    intake: Intake, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> Appeal:
    """Register an appeal for good: numbered, routed, clocked, its events named.

    Raises NotPermitted, or Invalid naming every bad field.
    """
    principal = uow.principal
    _permit(intake, principal)
    service = available_service(intake.service, intake.service_version, principal, reference, at)
    place = _examine(intake, service, reference)
    uploads = await take(intake.attachments, "/attachments", uow)
    applicant = await _applicant(intake, uow)
    year = reference.city.local(at).year
    number = await uow.numbers.take(reference.city.id, year)
    desk = Desk(principal, reference, at, uploads)
    appeal = _draft(intake, service, place, applicant, reference.city.number(year, number), desk)
    change = _bind(_begin(appeal, service, intake, desk), desk, intake)
    uow.appeals.add(change, number, year)
    return change.appeal


def _permit(intake: Intake, principal: Principal) -> None:
    principal.require(Permission.REGISTER_APPEAL)
    if principal.role is Role.CITIZEN:
        return
    principal.require(Permission.REGISTER_FOR_OTHERS)
    if intake.answer is not None:
        principal.require(Permission.ANSWER)


def _examine(intake: Intake, service: Service, reference: Reference) -> Place:
    """The place, once nothing is wrong; every fault of answers and place in one refusal."""
    faults: list[Fault] = list(reference.forms.faults(service, intake.answers))
    place = Place()
    try:
        place = locate(intake.where, reference)
    except Invalid as refusal:
        faults.extend(refusal.faults)
    if faults:
        raise Invalid(faults)
    return place


async def _applicant(intake: Intake, uow: UnitOfWork) -> Applicant | None:
    principal = uow.principal
    if principal.role is not Role.CITIZEN:
        return None if intake.anonymous else intake.applicant
    if principal.citizen is None:
        raise Invalid.at("", "citizen-required")
    if intake.answer is not None:
        raise Invalid.at("/answer", "staff-only")
    if intake.anonymous:
        # The city still needs to let the resident confirm: their id stays, their name does not.
        return Applicant(citizen=principal.citizen)
    return await uow.citizens.applicant(principal.citizen)


def _draft(
    intake: Intake,
    service: Service,
    place: Place,
    applicant: Applicant | None,
    number: str,
    desk: Desk,
) -> Appeal:
    reference = desk.reference
    staff = desk.principal.role is not Role.CITIZEN
    return Appeal(
        id=new_id(),
        city=reference.city.id,
        number=number,
        status=Status.REGISTERED,
        kind=intake.kind,
        channel=intake.channel,
        language=intake.language,
        service=service.code,
        service_version=service.version,
        category=service.category,
        sphere=service.sphere,
        criticality=service.criticality,
        text=intake.text,
        place=place,
        registered_at=desk.at,
        updated_at=desk.at,
        route=Route("first-contact"),
        answers=intake.answers,
        applicant=applicant,
        operator=desk.principal.id if staff else None,
        contact=intake.contact,
        clocks=clocks.begin(
            reference.promises, reference.city, service.policy, intake.channel, at=desk.at
        ),
    )


def _begin(appeal: Appeal, service: Service, intake: Intake, desk: Desk) -> Step:
    """The first facts: registered, and then answered at first contact or sent on its way."""
    if intake.answer is not None:
        guard(Action.ANSWER, appeal.status)
        step = answer(appeal, GiveAnswer(intake.answer), desk)
        return replace(step, facts=(_registered(step.appeal, desk), *step.facts))
    appeal, routed, offered = _routed(appeal, service, desk)
    return Step(appeal, (_registered(appeal, desk), *routed), offered)


def find_route(service: Service, place: Place, reference: Reference, at: datetime) -> routing.Route:
    """Who must act on this service at this place now. routes.py tells why, by the same rules."""
    guess = unplaced(service, place, reference)
    return guess or reference.routing.route(**question(service, place, reference, at))


def _routed(
    appeal: Appeal, service: Service, desk: Desk
) -> tuple[Appeal, tuple[Fact, ...], tuple[Assignment, ...]]:
    found = find_route(service, appeal.place, desk.reference, desk.at)
    route = Route(str(found.reason), found.responsibility)
    if found.organisation is None:
        return replace(appeal, route=route), (), ()
    offered = Assignment(new_id(), found.organisation, AssignmentState.OFFERED, desk.at)
    assigned = replace(appeal, route=route, status=Status.ASSIGNED, assignment=offered)
    fact = Fact(
        EventType.ASSIGNED,
        {
            "organisation": str(found.organisation),
            "assignment": str(offered.id),
            "by": "route",
            "reason": route.reason,
            "responsibility": str(route.responsibility),
        },
    )
    return assigned, (fact,), (offered,)


def _registered(appeal: Appeal, desk: Desk) -> Fact:
    applicant = appeal.applicant
    data: dict[str, object] = {
        "number": appeal.number,
        "kind": str(appeal.kind),
        "channel": str(appeal.channel),
        "language": str(appeal.language),
        "service": appeal.service,
        "service_version": appeal.service_version,
        "criticality": str(appeal.criticality),
        "district": appeal.place.district,
        "route": appeal.route.reason,
        "reference": desk.reference.version,
        "anonymous": applicant is None or (applicant.name is None and applicant.phone is None),
        "attachments": sealed(desk.uploads),
        "promises": clocks.promised(appeal.clocks),
    }
    personal = {"text": appeal.text, "place": seal_place(appeal.place)}
    if appeal.answers:
        personal["answers"] = seal_answers(appeal.answers)
    if applicant is not None:
        said = {"name": applicant.name, "phone": applicant.phone, "email": applicant.email}
        personal |= {name: text for name, text in said.items() if text}
    return Fact(EventType.REGISTERED, data, personal)


def _bind(step: Step, desk: Desk, intake: Intake) -> Change:
    head, events = extend(
        Head(),
        step.facts,
        city=step.appeal.city,
        appeal=step.appeal.id,
        about=step.appeal.about(),
        actor=Actor.of(desk.principal),
        at=desk.at,
    )
    return Change(
        appeal=replace(step.appeal, head=head),
        events=events,
        clocks=step.appeal.clocks,
        assignments=step.assignments,
        attachments=intake.attachments,
        purpose="intake",
    )
