"""Registering an appeal: everything that is decided before it is written, in one pass."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from domain.access import Permission, Principal, Role
from domain.appeals import clocks, legal, terms
from domain.appeals.commands import GiveAnswer, Intake
from domain.appeals.desk import Desk, Step, heard
from domain.appeals.legal_rules import told
from domain.appeals.model import (
    SELF_SERVICE,
    Appeal,
    Applicant,
    Assignment,
    AssignmentState,
    Change,
    Channel,
    Membership,
    Place,
    Route,
)
from domain.appeals.places import locate, seal_answers, seal_place
from domain.appeals.routes import question, unplaced
from domain.appeals.rules import answer
from domain.appeals.services import available_service
from domain.appeals.uploads import Taken, sealed, take
from domain.appeals.workflow import Action, Status, guard
from domain.catalogue.model import Criticality, Service
from domain.errors import Fault, Invalid
from domain.events import Actor, EventType, Fact
from domain.incidents.board import draws
from domain.incidents.history import joined_fact
from domain.incidents.matching import find_incidents
from domain.organisations import routing
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.register.canonical import instant
from domain.register.chain import Head, extend
from domain.values import new_id


async def register(
    intake: Intake, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> Appeal:
    """Register an appeal for good: numbered, routed, clocked, its events named.

    Raises NotPermitted, or Invalid naming every bad field.
    """
    _permit(intake, uow.principal)
    return await enter(intake, uow=uow, reference=reference, at=at)


async def enter(intake: Intake, *, uow: UnitOfWork, reference: Reference, at: datetime) -> Appeal:
    """As `register`, where who may has been judged already: what the state assigns to the city is
    registered by nobody's permission (domain/eotinish). Raises Invalid.
    """
    principal = uow.principal
    service, place, uploads = await _examine(intake, uow, reference, at)
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


async def _examine(
    intake: Intake, uow: UnitOfWork, reference: Reference, at: datetime
) -> tuple[Service, Place, Taken]:
    """Service, place and uploads, once nothing is wrong; every fault in one refusal."""
    principal, faults = uow.principal, _unfit(intake, uow.principal)
    code, version = intake.service, intake.service_version
    with _gathered(faults):
        service = available_service(code, version, principal, reference, at)
        faults.extend(reference.forms.faults(service, intake.answers))
    with _gathered(faults):
        place = locate(intake.where, reference)
    with _gathered(faults):
        uploads = await take(intake.attachments, "/attachments", uow)
    if faults:
        raise Invalid(faults)
    return service, place, uploads


@contextmanager
def _gathered(faults: list[Fault]) -> Iterator[None]:
    """Keep the faults of a refusal for later."""
    try:
        yield
    except Invalid as refusal:
        faults.extend(refusal.faults)


def _unfit(intake: Intake, principal: Principal) -> list[Fault]:
    """What is said that this caller cannot say."""
    faults: list[Fault] = []
    if principal.role is Role.CITIZEN:
        if intake.answer is not None:
            faults.append(Fault("/answer", "staff-only", {}))
        if intake.appeal_kind is not None:
            faults.append(Fault("/appeal_kind", "staff-only", {}))
        faults += foreign_channel(intake.channel)
    elif intake.answer is not None and intake.answer.confirmed_by is not None:
        with _gathered(faults):
            heard(intake.answer.confirmed_by, principal, "/answer/confirmed_by")
    return faults


def foreign_channel(channel: Channel) -> list[Fault]:
    """What stands against a resident's own coming by a channel: some are of the contact centre."""
    if channel in SELF_SERVICE:
        return []
    allowed = [str(channel) for channel in SELF_SERVICE]
    return [Fault("/channel", "not-self-service", {"allowed": allowed})]


def form_faults(
    said: Mapping[str, object], principal: Principal, reference: Reference, at: datetime
) -> Iterable[Fault]:
    """The faults of service and answers in a body that is no `Intake` yet, being faulty elsewhere:
    who mends it learns of all at once.
    """
    code, answers = said.get("service"), said.get("answers", {})
    if not isinstance(code, str):
        return ()
    try:
        service = available_service(code, None, principal, reference, at)
    except Invalid as refusal:
        return refusal.faults
    return reference.forms.faults(service, answers) if isinstance(answers, dict) else ()


async def _applicant(intake: Intake, uow: UnitOfWork) -> Applicant | None:
    principal = uow.principal
    if principal.role is not Role.CITIZEN:
        return None if intake.anonymous else intake.applicant
    if principal.citizen is None:
        raise Invalid.at("", "citizen-required")
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
    promised = terms.begin(
        _lawful(intake, service, applicant, desk), service.policy, reference, at=desk.at
    )
    threat = promised.legal is not None and promised.legal.threat
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
        criticality=Criticality.EMERGENCY if threat else service.criticality,
        text=intake.text,
        place=place,
        registered_at=desk.at,
        updated_at=desk.at,
        route=Route("first-contact"),
        emergency=threat,
        answers=intake.answers,
        applicant=applicant,
        operator=desk.principal.id if staff else None,
        contact=intake.contact,
        national_number=intake.national_number,
        clocks=promised.clocks,
        legal=promised.legal,
        received_at=_received(intake, desk) if intake.received_at else None,
        state_deadline=intake.state_deadline,
    )


def _received(intake: Intake, desk: Desk) -> datetime:
    """When the state received it: no later than now."""
    return min(intake.received_at or desk.at, desk.at)


def _lawful(
    intake: Intake, service: Service, applicant: Applicant | None, desk: Desk
) -> legal.Said:
    """What is said of it that the law asks for."""
    return legal.Said(
        kind=intake.appeal_kind,
        channel=intake.channel,
        wish=str(intake.kind),
        service=service.code,
        nameless=legal.anonymous(applicant, intake.channel),
        threat=intake.reports_threat,
        received_at=_received(intake, desk),
        day=desk.reference.city.local(desk.at).date(),
    )


def _begin(appeal: Appeal, service: Service, intake: Intake, desk: Desk) -> Step:
    """The first facts: registered, and then answered at first contact or sent on its way."""
    if intake.answer is not None:
        guard(Action.ANSWER, appeal.status)
        step = answer(appeal, GiveAnswer(intake.answer), desk)
        return replace(step, facts=(_registered(step.appeal, desk), *step.facts))
    appeal, routed, offered = _routed(appeal, service, desk)
    appeal, joined = _joined(appeal, desk)
    facts = (_registered(appeal, desk), *_linked(appeal, desk), *routed, *joined)
    return Step(appeal, facts, offered)


def _linked(appeal: Appeal, desk: Desk) -> tuple[Fact, ...]:
    """Whose it is where the state said so: nobody of the city put it into their account."""
    known = appeal.applicant is not None and appeal.applicant.citizen is not None
    if not known or desk.principal.role is not Role.SYSTEM:
        return ()
    return (Fact(EventType.LINKED, {"by": "e-otinish"}),)


def _joined(appeal: Appeal, desk: Desk) -> tuple[Appeal, tuple[Fact, ...]]:
    """What the city knows already is not looked into again: the appeal joins its incident."""
    known = find_incidents(desk.reference, appeal.service, appeal.place, desk.at)
    for incident in known:
        if draws(incident, desk.at):
            member = Membership(incident.id, desk.at)
            return replace(appeal, membership=member), (joined_fact(incident, "intake"),)
    return appeal, ()


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
        "anonymous": legal.anonymous(applicant, appeal.channel),
        "attachments": sealed(desk.uploads),
        "promises": clocks.promised(appeal.clocks),
    }
    if appeal.national_number is not None:
        data["national_number"] = appeal.national_number
    if appeal.legal is not None:
        data["legal"] = told(appeal.legal)
    if appeal.state_deadline is not None:
        data["state_deadline"] = instant(appeal.state_deadline)
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
