"""What each action does to an incident: pure functions, one per action.

Permission and the transition table were asked before (use_cases.py). What joined appeals do
after an act stands in following.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.access import Principal, Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk, said
from domain.errors import Conflict, Fault, Invalid, NotPermitted
from domain.events import IncidentEventType as T
from domain.incidents import commands as i
from domain.incidents.areas import area_faults, districts_of
from domain.incidents.evidence import prove, taken
from domain.incidents.model import Area, Incident, IncidentFact
from domain.incidents.workflow import IncidentAction as A
from domain.incidents.workflow import IncidentStatus
from domain.organisations.model import OrganisationKind
from domain.organisations.rules import selectors
from domain.reference import Reference
from domain.register.canonical import instant
from domain.sla.policy import Stage


@dataclass(frozen=True, slots=True)
class IncidentStep:
    """What a rule answers."""

    incident: Incident
    facts: tuple[IncidentFact, ...]


def of_the_centre(principal: Principal, reference: Reference) -> bool:
    """Whether the principal speaks for the contact centre, which acts for everybody."""
    home = reference.organisations.get(principal.organisation) if principal.organisation else None
    centre = home is not None and home.kind is OrganisationKind.CONTACT_CENTRE
    return principal.role is Role.INSPECTOR or (centre and principal.role is Role.ADMINISTRATOR)


def ours(incident: Incident, desk: Desk) -> None:
    """The contact centre tends every incident, others their own. Raises NotPermitted."""
    own = incident.organisations & desk.principal.organisations
    if not own and not of_the_centre(desk.principal, desk.reference):
        raise NotPermitted(permission="incidents:of-another", role=str(desk.principal.role))


def performed_by(incident: Incident, desk: Desk) -> None:
    """Only the executor's own people perform. Raises NotPermitted."""
    if incident.executor not in desk.principal.organisations:
        raise NotPermitted(permission="perform:assigned-to-another", role=str(desk.principal.role))


def told(incident: Incident) -> dict[str, object]:
    """What the history says of an incident that was opened or told anew."""
    times = {"planned_from": incident.planned_from, "planned_to": incident.planned_to}
    return {
        "kind": str(incident.kind),
        "services": list(incident.services),
        "matching": str(incident.matching),
        "public": incident.public,
        "executor": str(incident.executor),
        "texts": dict(incident.texts),
        "area": area_document(incident.area),
    } | {name: instant(at) if at else None for name, at in times.items()}


def area_document(area: Area) -> dict[str, object]:
    """An area as JSON: ids as texts, the ring as pairs of longitude and latitude."""
    return {
        "city": area.city,
        "districts": sorted(area.districts),
        "streets": sorted(map(str, area.streets)),
        "buildings": sorted(map(str, area.buildings)),
        "polygon": [list(point) for point in area.polygon] if area.polygon else None,
    }


def check(incident: Incident, desk: Desk) -> Incident:
    """The incident with the districts that it touches. Raises Invalid naming every bad field."""
    catalogue = desk.reference.catalogue
    faults = [
        Fault(f"/services/{place}", "unknown-service", {"value": code})
        for place, code in enumerate(incident.services)
        if code not in catalogue
    ]
    faults += area_faults(incident.area, desk.reference)
    begins = incident.planned_from or incident.opened_at
    if incident.planned_to is not None and incident.planned_to <= begins:
        faults.append(Fault("/planned_to", "ends-too-early", {}))
    executor = desk.reference.organisations.get(incident.executor)
    if executor is None or not executor.active:
        faults.append(Fault("/executor", "unknown-organisation", {"value": str(incident.executor)}))
    if faults:
        raise Invalid(faults)
    _answered_for(incident, desk)
    return replace(incident, districts=districts_of(incident.area, desk.reference))


def _answered_for(incident: Incident, desk: Desk) -> None:
    """Outside the contact centre one speaks of one's own duties alone. Raises NotPermitted."""
    principal, reference = desk.principal, desk.reference
    if of_the_centre(principal, reference):
        return
    services = map(reference.catalogue.service, incident.services)
    answered = all(
        reference.routing.answers_for(
            selectors(one.code, one.category, one.sphere, one.responsible), principal.organisations
        )
        for one in services
    )
    if incident.executor not in principal.organisations or not answered:
        raise NotPermitted(permission="incidents:of-another", role=str(principal.role))


def change(incident: Incident, command: i.ChangeIncident, desk: Desk) -> IncidentStep:
    """Texts, times, area, services are told anew. Raises Conflict where nothing changes."""
    ours(incident, desk)
    given = {name: getattr(command, name) for name in _TOLD}
    after = replace(incident, **{name: value for name, value in given.items() if value is not None})
    if after == incident:
        raise Conflict(reason="nothing-changed")
    after = check(after, desk)
    return IncidentStep(after, (IncidentFact(T.CHANGED, told(after)),))


_TOLD = ("services", "area", "texts", "matching", "public", "planned_from", "planned_to")


def start(incident: Incident, _: i.Start, desk: Desk) -> IncidentStep:
    """What was announced has begun."""
    if desk.principal.role is not Role.SYSTEM:
        ours(incident, desk)
    after = replace(incident, status=IncidentStatus.ACTIVE, started_at=desk.at)
    return IncidentStep(after, (IncidentFact(T.STARTED),))


def assign(incident: Incident, command: c.Assign, desk: Desk) -> IncidentStep:
    """Another executor has it now. Raises Conflict for the same, Invalid for one that cannot."""
    if command.organisation == incident.executor:
        raise Conflict(reason="same-executor")
    organisation = desk.reference.organisations.get(command.organisation)
    if organisation is None or not organisation.active:
        raise Invalid.at("/organisation", "unknown-organisation", value=str(command.organisation))
    after = replace(incident, executor=command.organisation, accepted_at=None)
    data = {"from": str(incident.executor), "executor": str(command.organisation)}
    return IncidentStep(after, (IncidentFact(T.ASSIGNED, data, said(reason=command.reason)),))


def accept(incident: Incident, _: c.Accept, desk: Desk) -> IncidentStep:
    """The executor takes it."""
    performed_by(incident, desk)
    if incident.accepted_at is not None:
        raise Conflict(reason="incident-accepted-already")
    after = replace(incident, accepted_at=desk.at)
    return IncidentStep(after, (IncidentFact(T.ACCEPTED),))


def report(incident: Incident, command: c.Report, desk: Desk) -> IncidentStep:
    """A stage is reached for all. Raises Invalid for one that is no report, EvidenceMissing."""
    _at_work(incident, desk)
    if command.stage not in (Stage.ARRIVE, Stage.SECURE):
        raise Invalid.at("/stage", "enum", allowed=["arrive", "secure"])
    if command.stage in incident.reported:
        raise Conflict(reason="stage-reported-already")
    prove(incident, command.stage, command.act_number, desk)
    after = replace(incident, reported=incident.reported | {command.stage})
    data = {"stage": str(command.stage)} | taken(desk)
    texts = said(note=command.note, act_number=command.act_number)
    return IncidentStep(after, (IncidentFact(T.STAGE_REPORTED, data, texts),))


def resolve(incident: Incident, command: c.Resolve, desk: Desk) -> IncidentStep:
    """The work is done for all. Raises EvidenceMissing, and Invalid where neither evidence nor a
    reason comes.
    """
    _at_work(incident, desk)
    if not command.evidence and not command.no_photo_reason:
        raise Invalid.at("/evidence", "evidence-required")
    prove(incident, Stage.RESOLVE, command.act_number, desk)
    after = replace(incident, status=IncidentStatus.RESOLVED, resolved_at=desk.at)
    texts = said(
        text=command.text,
        no_photo_reason=command.no_photo_reason,
        act_number=command.act_number,
    )
    return IncidentStep(after, (IncidentFact(T.RESOLVED, taken(desk), texts),))


def _at_work(incident: Incident, desk: Desk) -> None:
    performed_by(incident, desk)
    if incident.accepted_at is None:
        raise Conflict(reason="incident-not-accepted")


def return_(incident: Incident, command: c.Return, desk: Desk) -> IncidentStep:
    """The inspector sends the work back."""
    after = replace(incident, status=IncidentStatus.ACTIVE, resolved_at=None)
    return IncidentStep(after, (IncidentFact(T.RETURNED, {}, {"reason": command.reason}),))


def close(incident: Incident, command: i.Close, desk: Desk) -> IncidentStep:
    """The work is good. No appeal is closed by it: each resident is asked."""
    after = replace(incident, status=IncidentStatus.CLOSED, ended_at=desk.at)
    data = {"texts": dict(command.texts)} if command.texts else {}
    return IncidentStep(after, (IncidentFact(T.CLOSED, data, said(note=command.note)),))


def cancel(incident: Incident, command: i.Cancel, desk: Desk) -> IncidentStep:
    """It was none, or does not take place."""
    ours(incident, desk)
    after = replace(incident, status=IncidentStatus.CANCELLED, ended_at=desk.at)
    return IncidentStep(after, (IncidentFact(T.CANCELLED, {}, {"reason": command.reason}),))


def broadcast(incident: Incident, command: i.Broadcast, desk: Desk) -> IncidentStep:
    """A word to all."""
    ours(incident, desk)
    return IncidentStep(incident, (IncidentFact(T.BROADCAST, {"texts": dict(command.texts)}),))


RULES: Mapping[A, Callable[[Incident, Any, Desk], IncidentStep]] = {
    A.CHANGE: change,
    A.START: start,
    A.ASSIGN: assign,
    A.ACCEPT: accept,
    A.REPORT: report,
    A.RESOLVE: resolve,
    A.RETURN: return_,
    A.CLOSE: close,
    A.CANCEL: cancel,
    A.BROADCAST: broadcast,
}
"""Every action but joining and parting, which are acts on appeals (use_cases.py)."""
