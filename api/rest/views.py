"""What the API shows of things: typed shapes (the contract's schemas) and how they are made.

Personal data is masked here for everybody; who needs it in the clear asks `…/applicant`,
which is permitted by role and recorded (law 6).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from api.rest.evidence import AskedView, asked_view
from api.rest.legal_views import LeadingView, LegalView, leading_view, legal_view
from api.rest.operation import Call
from domain.access import Permission, Principal, Role
from domain.appeals.evidence import Asked, ahead
from domain.appeals.extensions import pending
from domain.appeals.model import Appeal, Applicant, Assignment, Confirmation, Pause, Place
from domain.appeals.workflow import OPEN, allowed
from domain.errors import NotFound
from domain.organisations.spelling import without_flats
from domain.reference import Reference
from domain.sla.clock import Clock
from domain.values import in_language

MASK = "***"


class Point(TypedDict):
    """WGS 84 degrees."""

    latitude: float
    longitude: float


class Named(TypedDict):
    """Something with an id and a name in the caller's language."""

    id: UUID
    name: str


class ServiceName(TypedDict):
    """A service as an appeal names it."""

    code: str
    version: int
    name: str


class LocationView(TypedDict):
    """Where the problem is."""

    building: UUID | None
    street: UUID | None
    district: str | None
    address: str | None
    apartment: str | None
    coordinates: Point | None


class ApplicantView(TypedDict):
    """Who asks, masked."""

    anonymous: bool
    citizen: UUID | None
    name: str | None
    phone: str | None
    email: str | None


class AssignmentView(TypedDict):
    """The appeal at an executor."""

    id: UUID
    organisation: Named
    state: str
    offered_at: datetime
    answered_at: datetime | None
    done_at: datetime | None


class ClockView(TypedDict):
    """One promise and how it stands."""

    stage: str
    round: int
    state: str
    started_at: datetime
    due_at: datetime
    met_at: datetime | None
    breached_at: datetime | None
    paused_at: datetime | None
    policy: str
    policy_version: int


class RouteView(TypedDict):
    """Why the appeal went where it went."""

    reason: str
    responsibility: UUID | None


class PauseView(TypedDict):
    """The wait that the appeal is in."""

    reason: str
    since: datetime
    until: datetime


class WishView(TypedDict):
    """More time that the executor asked for, and that nobody has decided on."""

    stage: str
    round: int
    until: datetime
    asked_at: datetime


class ConfirmationView(TypedDict):
    """The resident's word. Who took it down is told to staff; residents see their own id alone."""

    by: UUID | None
    role: str
    how: str
    at: datetime
    rating: int | None


class AppealView(TypedDict):
    """An appeal as the caller may see it. `evidence` is what the acts ahead will need, `leading`
    the stricter of the law's term and the city's standard; `national_number` that of the national
    register of appeals (e-Өтініш), where it stands there.
    """

    id: UUID
    number: str
    national_number: str | None
    status: str
    kind: str
    channel: str
    language: str
    service: ServiceName
    category: str
    sphere: str
    criticality: str
    emergency: bool
    text: str
    location: LocationView
    answers: dict[str, Any]
    applicant: ApplicantView | None
    operator: UUID | None
    contact: str | None
    assignment: AssignmentView | None
    clocks: list[ClockView]
    route: RouteView
    pause: PauseView | None
    extension: WishView | None
    evidence: list[AskedView]
    confirmation: ConfirmationView | None
    incident: UUID | None
    legal: LegalView | None
    leading: LeadingView | None
    first_contact: bool
    reopened: int
    redirected: int
    registered_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    version: int
    allowed: list[str]


def appeal_view(appeal: Appeal, call: Call) -> AppealView:
    """The appeal, names in the caller's language, with the actions that this caller may take."""
    language, reference = call.language, call.reference
    own = call.principal.role is Role.CITIZEN
    return {
        "id": appeal.id,
        "number": appeal.number,
        "national_number": appeal.national_number,
        "status": appeal.status,
        "kind": appeal.kind,
        "channel": appeal.channel,
        "language": appeal.language,
        "service": service_name(appeal, reference, language),
        "category": appeal.category,
        "sphere": appeal.sphere,
        "criticality": appeal.criticality,
        "emergency": appeal.emergency,
        "text": appeal.text,
        "location": location_view(appeal.place, shown=own),
        "answers": dict(appeal.answers),
        "applicant": applicant_view(appeal.applicant, shown=own),
        "operator": None if own else appeal.operator,
        "contact": appeal.contact,
        "assignment": assignment_view(appeal.assignment, reference, language),
        "clocks": clock_views(appeal.clocks),
        "route": {"reason": appeal.route.reason, "responsibility": appeal.route.responsibility},
        "pause": pause_view(appeal.pause),
        "extension": wish_view(appeal, call.principal),
        "evidence": [asked_view(asked, language) for asked in evidence_ahead(appeal, reference)],
        "confirmation": confirmation_view(appeal.confirmation, call.principal),
        "incident": appeal.membership.incident if appeal.membership else None,
        "legal": legal_view(appeal.legal, appeal.state_deadline, reference, language),
        "leading": leading_view(appeal, reference, language),
        "first_contact": appeal.first_contact,
        "reopened": appeal.reopened,
        "redirected": appeal.redirected,
        "registered_at": appeal.registered_at,
        "updated_at": appeal.updated_at,
        "closed_at": appeal.closed_at,
        "due_at": appeal.due_at,
        "version": appeal.version,
        "allowed": allowed_actions(appeal, call),
    }


def evidence_ahead(appeal: Appeal, reference: Reference) -> tuple[Asked, ...]:
    """What the acts ahead will need; nothing once nobody of the city must act."""
    return ahead(appeal, reference) if appeal.status in OPEN else ()


def allowed_actions(appeal: Appeal, call: Call) -> list[str]:
    """The actions that the table and the caller's role allow; the rules may know more."""
    return list(allowed(appeal.status, call.principal))


def service_name(appeal: Appeal, reference: Reference, language: str) -> ServiceName:
    """The service's code and version, with its name of today."""
    code = appeal.service
    known = code in reference.catalogue
    names = reference.catalogue.service(code).names if known else {}
    name = in_language(names, language) or code
    return {"code": code, "version": appeal.service_version, "name": name}


def organisation_name(id: UUID, reference: Reference, language: str) -> Named:
    """An organisation with its name."""
    organisation = reference.organisations.get(id)
    return {"id": id, "name": in_language(organisation.names, language) if organisation else ""}


def assignment_view(
    assignment: Assignment | None, reference: Reference, language: str
) -> AssignmentView | None:
    """The assignment with its organisation's name."""
    if assignment is None:
        return None
    return {
        "id": assignment.id,
        "organisation": organisation_name(assignment.organisation, reference, language),
        "state": assignment.state,
        "offered_at": assignment.offered_at,
        "answered_at": assignment.answered_at,
        "done_at": assignment.done_at,
    }


def clock_view(clock: Clock) -> ClockView:
    """The clock without its machinery."""
    return {
        "stage": clock.stage,
        "round": clock.round,
        "state": clock.state,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "met_at": clock.met_at,
        "breached_at": clock.breached_at,
        "paused_at": clock.paused_at,
        "policy": clock.policy,
        "policy_version": clock.policy_version,
    }


def location_view(place: Place, *, shown: bool) -> LocationView:
    """The place; the flat points at a person and is masked unless `shown`, in the words too."""
    point, address = place.coordinates, place.address
    if address and not shown:
        address = without_flats(address, place.apartment, MASK)
    return {
        "building": place.building,
        "street": place.street,
        "district": place.district,
        "address": address,
        "apartment": place.apartment if shown or not place.apartment else MASK,
        "coordinates": (
            {"latitude": point.latitude, "longitude": point.longitude} if point else None
        ),
    }


def applicant_view(applicant: Applicant | None, *, shown: bool) -> ApplicantView | None:
    """The applicant, masked unless `shown`; None where nobody is known at all.

    Who stays anonymous has no id either: it would tell which other appeals are theirs.
    """
    if applicant is None:
        return None
    anonymous = not any((applicant.name, applicant.phone, applicant.email))
    return {
        "anonymous": anonymous,
        "citizen": applicant.citizen if shown or not anonymous else None,
        "name": applicant.name if shown else mask_name(applicant.name),
        "phone": applicant.phone if shown else mask_phone(applicant.phone),
        "email": applicant.email if shown else mask_email(applicant.email),
    }


def mask_name(name: str | None) -> str | None:
    """First letters only: А*** С***."""
    return name and " ".join(f"{word[0]}***" for word in name.split())


def mask_phone(phone: str | None) -> str | None:
    """Country and the last two digits: +7 *** ** 67."""
    return phone and f"{phone[:2]} *** *** ** {phone[-2:]}"


def mask_email(email: str | None) -> str | None:
    """First letter and the top-level domain."""
    return email and f"{email[0]}***@***.{email.rpartition('.')[2]}"


def known_organisation(id: UUID, reference: Reference) -> Any:
    """The organisation. Raises NotFound."""
    organisation = reference.organisations.get(id)
    if organisation is None:
        raise NotFound(kind="organisation", id=str(id))
    return organisation


def clock_views(clocks: Iterable[Clock]) -> list[ClockView]:
    """Clocks by due time."""
    ordered = sorted(clocks, key=lambda clock: (clock.due_at, clock.stage, clock.round))
    return [clock_view(clock) for clock in ordered]


def wish_view(appeal: Appeal, principal: Principal) -> WishView | None:
    """More time that was asked for: the business of those who work on it."""
    asked = pending(appeal)
    if asked is None or not principal.may(Permission.READ_INTERNAL):
        return None
    return {
        "stage": asked.stage,
        "round": asked.round,
        "until": asked.until,
        "asked_at": asked.asked_at,
    }


def pause_view(pause: Pause | None) -> PauseView | None:
    """The wait, if there is one."""
    if pause is None:
        return None
    return {"reason": pause.reason, "since": pause.since, "until": pause.until}


def known_to(principal: Principal, who: UUID, role: str) -> UUID | None:
    """The id of somebody who acted, for those who may know it.

    Residents know themselves alone, and only they do: staff see in the appeal who asks, unless
    the resident stays anonymous, and an id in the history would tell it all the same.
    """
    of_staff = role != Role.CITIZEN
    may = who == principal.id or (of_staff and principal.role is not Role.CITIZEN)
    return who if may else None


def confirmation_view(said: Confirmation | None, principal: Principal) -> ConfirmationView | None:
    """The resident's word, if it was given."""
    if said is None:
        return None
    return {
        "by": known_to(principal, said.by, said.role),
        "role": said.role,
        "how": said.how,
        "at": said.at,
        "rating": said.rating,
    }
