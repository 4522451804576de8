"""What the API shows of incidents: public fields to everybody, the rest to whom it concerns."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from api.rest.operation import Call
from api.rest.views import Named, Point, known_to, organisation_name
from domain.access import CITY_WIDE, Permission
from domain.appeals.model import Appeal, Place
from domain.incidents.board import NOW, overdue, runs
from domain.incidents.matching import find_incidents
from domain.incidents.model import Area, Incident, IncidentEvent
from domain.incidents.workflow import TRANSITIONS
from domain.reference import Reference
from domain.values import in_language


class Texts(TypedDict):
    """A text in three languages."""

    kk: str
    ru: str
    en: str


class CodeAndName(TypedDict):
    """Something with a code and a name in the caller's language."""

    code: str
    name: str


class AreaView(TypedDict):
    """Where it is: the whole city, or whatever lies in any of these."""

    city: bool
    districts: list[str]
    streets: list[UUID]
    buildings: list[UUID]
    polygon: list[Point] | None


class CountsView(TypedDict):
    """Joined appeals that the caller sees; `refused` are those whose residents said no."""

    joined: int
    by_status: dict[str, int]
    refused: int


class IncidentView(TypedDict):
    """An incident. `planned_to` is its expected end, and `overdue` says that it runs past it;
    `text` is `texts` in the caller's language; `counts` are told to staff whom it concerns, when it
    is read; so is `owner`."""

    id: UUID
    kind: str
    status: str
    services: list[CodeAndName]
    area: AreaView
    text: str
    texts: Texts
    executor: Named
    public: bool
    matching: str
    planned_from: datetime | None
    planned_to: datetime | None
    overdue: bool
    opened_at: datetime
    updated_at: datetime
    started_at: datetime | None
    accepted_at: datetime | None
    resolved_at: datetime | None
    ended_at: datetime | None
    reported: list[str]
    owner: Named | None
    counts: CountsView | None
    version: int
    allowed: list[str]


class KnownIncident(TypedDict):
    """What is known already of a service at a place. `joined`: the appeal belongs to it now.
    `coming`: it is announced and begins at `planned_from`; triage tells of these as well.
    `overdue`: it runs past its expected end."""

    id: UUID
    kind: str
    status: str
    text: str
    texts: Texts
    planned_from: datetime | None
    planned_to: datetime | None
    overdue: bool
    coming: bool
    joined: bool


class IncidentActor(TypedDict):
    """Who acted on an incident."""

    role: str
    id: UUID | None
    organisation: UUID | None


class IncidentEventView(TypedDict):
    """One fact in the history of an incident. `act` numbers what joined appeals follow."""

    sequence: int
    type: str
    at: datetime
    actor: IncidentActor
    act: int | None
    data: dict[str, Any]
    texts: dict[str, str]


def incident_view(
    incident: Incident, call: Call, *, concerns: bool = True, counts: CountsView | None = None
) -> IncidentView:
    """The incident, names in the caller's language, with the actions that they may take."""
    language, reference = call.language, call.reference
    inside = concerns and call.principal.may(Permission.READ_INTERNAL)
    owner = organisation_name(incident.owner, reference, language) if inside else None
    return {
        "id": incident.id,
        "kind": incident.kind,
        "status": incident.status,
        "services": [service_code(code, reference, language) for code in incident.services],
        "area": _area(incident.area),
        "text": in_language(incident.texts, language),
        "texts": _texts(incident.texts),
        "executor": organisation_name(incident.executor, reference, language),
        "public": incident.public,
        "matching": incident.matching,
        "planned_from": incident.planned_from,
        "planned_to": incident.planned_to,
        "overdue": overdue(incident, call.at),
        "opened_at": incident.opened_at,
        "updated_at": incident.updated_at,
        "started_at": incident.started_at,
        "accepted_at": incident.accepted_at,
        "resolved_at": incident.resolved_at,
        "ended_at": incident.ended_at,
        "reported": sorted(incident.reported),
        "owner": owner,
        "counts": counts if inside else None,
        "version": incident.version,
        "allowed": _allowed(incident, call) if concerns else [],
    }


def known_incidents(appeal: Appeal, call: Call) -> list[KnownIncident]:
    """What the city knew of an appeal's service at its place when it was registered."""
    joined = appeal.membership.incident if appeal.membership else None
    return known_at(call, appeal.service, appeal.place, appeal.registered_at, joined=joined)


def known_at(
    call: Call,
    service: str | None,
    place: Place,
    at: datetime,
    *,
    ahead: timedelta = NOW,
    joined: UUID | None = None,
) -> list[KnownIncident]:
    """What the city knows of a service (of any, where none is named) at a place at a time, with
    what begins within `ahead` of it."""
    staff = call.principal.may(Permission.READ_INTERNAL)
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "status": one.status,
            "text": in_language(one.texts, call.language),
            "texts": _texts(one.texts),
            "planned_from": one.planned_from,
            "planned_to": one.planned_to,
            "overdue": overdue(one, at),
            "coming": not runs(one, at),
            "joined": one.id == joined,
        }
        for one in find_incidents(call.reference, service, place, at, ahead=ahead)
        if one.public or staff or one.id == joined
    ]


def incident_event_view(event: IncidentEvent, call: Call) -> IncidentEventView:
    """A fact of the history; who sees less than the city is told how many appeals, not which."""
    actor, data = event.actor, dict(event.data)
    named = data.get("appeals")
    everywhere = call.principal.role in CITY_WIDE and call.principal.district is None
    if isinstance(named, list) and not everywhere:
        data["appeals"] = len(named)
    return {
        "sequence": event.sequence,
        "type": event.type,
        "at": event.at,
        "actor": {
            "role": actor.role,
            "id": known_to(call.principal, actor.id, actor.role),
            "organisation": actor.organisation,
        },
        "act": event.act,
        "data": data,
        "texts": dict(event.texts),
    }


def _allowed(incident: Incident, call: Call) -> list[str]:
    return [
        str(row.action)
        for row in TRANSITIONS.values()
        if incident.status in row.sources and call.principal.may(row.permission)
    ]


def service_code(code: str, reference: Reference, language: str) -> CodeAndName:
    """A service with its name of today."""
    known = code in reference.catalogue
    names = reference.catalogue.service(code).names if known else {}
    return {"code": code, "name": in_language(names, language) or code}


def _texts(texts: Mapping[str, str]) -> Texts:
    return {"kk": texts["kk"], "ru": texts["ru"], "en": texts["en"]}


def _area(area: Area) -> AreaView:
    ring = area.polygon
    return {
        "city": area.city,
        "districts": sorted(area.districts),
        "streets": sorted(area.streets),
        "buildings": sorted(area.buildings),
        "polygon": [{"latitude": y, "longitude": x} for x, y in ring] if ring else None,
    }
