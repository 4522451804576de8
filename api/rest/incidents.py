"""Incidents: open, find, read, tell anew; their history."""

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, FailFast, Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.appeals import PointBody
from api.rest.cursors import read_cursor, write_cursor
from api.rest.history import EventsQuery
from api.rest.incident_views import (
    CountsView,
    IncidentEventView,
    IncidentView,
    incident_event_view,
    incident_view,
)
from api.rest.operation import Call, Operation, Reply, malformed
from domain.access import Permission
from domain.appeals.commands import Whereabouts
from domain.appeals.places import locate
from domain.errors import Invalid
from domain.incidents.commands import ChangeIncident, OpenIncident
from domain.incidents.matching import SOON, find_incidents
from domain.incidents.model import Area, Incident, IncidentKind, Matching
from domain.incidents.use_cases import open_incident, perform
from domain.incidents.workflow import IncidentAction, IncidentStatus
from domain.organisations.model import Polygon
from domain.ports import UnitOfWork
from domain.questions import IncidentFilter
from domain.values import Coordinates

MOST_NUMBERS = 100

Number = Annotated[f.Word, Field(max_length=40)]
Numbers = Annotated[tuple[Number, ...], Field(max_length=MOST_NUMBERS), FailFast()]
Services = Annotated[tuple[f.Code, ...], Field(min_length=1, max_length=50)]
_Ids = Annotated[tuple[f.Id, ...], Field(max_length=1000), FailFast()]
_Codes = Annotated[tuple[f.Code, ...], Field(max_length=50), FailFast()]
_Ring = Annotated[tuple[PointBody, ...], Field(min_length=3, max_length=500)]


class TextsBody(f.Body):
    """A text in three languages; all are wanted."""

    kk: f.LongText
    ru: f.LongText
    en: f.LongText


class AreaBody(f.Body):
    """Where it is: the whole city, or whatever lies in any of the named parts of it."""

    city: bool = False
    districts: _Codes = ()
    streets: _Ids = ()
    buildings: _Ids = ()
    polygon: _Ring | None = None

    def area(self) -> Area:
        """As the domain wants it."""
        points = self.polygon or ()
        ring: Polygon = tuple((point.longitude, point.latitude) for point in points)
        return Area(
            self.city,
            frozenset(self.districts),
            frozenset(self.streets),
            frozenset(self.buildings),
            ring or None,
        )


class IncidentBody(f.Body):
    """A new incident. Without `executor` it is the caller's own organisation; without
    `planned_from` it runs from now on. `matching` says whether new appeals about its services in
    its area join by themselves (the default for outages) or are suggested. `appeals` join at once.
    """

    kind: IncidentKind
    services: Services
    area: AreaBody
    texts: TextsBody
    executor: f.Id | None = None
    matching: Matching | None = None
    public: bool = True
    planned_from: f.Instant | None = None
    planned_to: f.Instant | None = None
    appeals: Numbers = ()


class IncidentChangeBody(f.Body):
    """What should be told instead; what is left out stays."""

    services: Services | None = None
    area: AreaBody | None = None
    texts: TextsBody | None = None
    matching: Matching | None = None
    public: bool | None = None
    planned_from: f.Instant | None = None
    planned_to: f.Instant | None = None


class IncidentsQuery(f.Query):
    """Which incidents; conditions are joined by 'and'. With a place (`building`, `address`, or
    `latitude` and `longitude`): those that run there or begin within a week."""

    status: Annotated[
        tuple[IncidentStatus, ...], BeforeValidator(f.several), Field(max_length=5)
    ] = ()
    kind: IncidentKind | None = None
    service: f.Code | None = None
    organisation: f.Id | None = None
    building: f.Id | None = None
    address: f.Word | None = None
    latitude: f.SaidLatitude | None = None
    longitude: f.SaidLongitude | None = None
    overdue: Literal["true"] | None = None
    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class IncidentPage(TypedDict):
    """A page of incidents, the newest first."""

    items: list[IncidentView]
    next: str | None


class IncidentEventPage(TypedDict):
    """A page of the history, the oldest first; `next` is the `after` to go on with."""

    items: list[IncidentEventView]
    next: int | None


def incident_reply(incident: Incident, call: Call, *, status: int = 200) -> Reply:
    """An incident as a reply, with its ETag."""
    headers = {"etag": f'"{incident.version}"'}
    if status == 201:
        headers["location"] = f"{call.house.settings.base_url}/v1/incidents/{incident.id}"
    return Reply(incident_view(incident, call), status, headers)


async def register_incident(call: Call, uow: UnitOfWork) -> Reply:
    """Open an incident, or publish planned works."""
    command = opening(call.body)
    incident = await open_incident(command, uow=uow, reference=call.reference, at=call.at)
    return incident_reply(incident, call, status=201)


def opening(body: IncidentBody) -> OpenIncident:
    """As the domain wants it."""
    return OpenIncident(
        kind=body.kind,
        services=tuple(dict.fromkeys(body.services)),
        area=body.area.area(),
        texts=body.texts.model_dump(),
        executor=body.executor,
        matching=body.matching,
        public=body.public,
        planned_from=body.planned_from,
        planned_to=body.planned_to,
        appeals=body.appeals,
    )


async def change_incident(call: Call, uow: UnitOfWork) -> Reply:
    """Tell it anew."""
    incident = await perform(
        call.id("incident"),
        IncidentAction.CHANGE,
        changing(call.body),
        uow=uow,
        reference=call.reference,
        at=call.at,
        expected=call.edited(),
    )
    return incident_reply(incident, call)


def changing(body: IncidentChangeBody) -> ChangeIncident:
    """As the domain wants it. Raises Invalid where nothing is given."""
    if not body.model_fields_set:
        raise Invalid.at("", "nothing-given")
    return ChangeIncident(
        services=tuple(dict.fromkeys(body.services)) if body.services else None,
        area=body.area.area() if body.area else None,
        texts=body.texts.model_dump() if body.texts else None,
        matching=body.matching,
        public=body.public,
        planned_from=body.planned_from,
        planned_to=body.planned_to,
    )


async def list_incidents(call: Call) -> Reply:
    """Incidents, the newest first; of a place those that are live there."""
    query: IncidentsQuery = call.query
    keyring = call.house.keyring
    wanted = wanted_incidents(call)
    after = read_cursor(query.cursor, keyring)
    found = await call.house.incidents.incidents(call.principal, wanted, after, query.limit + 1)
    last = found[query.limit - 1].incident if len(found) > query.limit else None
    return Reply(
        {
            "items": [seen_view(one, call) for one in found[: query.limit]],
            "next": write_cursor(last.opened_at, last.id, keyring) if last else None,
        }
    )


def wanted_incidents(call: Call) -> IncidentFilter:
    """What the query asks for. Raises Malformed, Invalid."""
    query: IncidentsQuery = call.query
    return IncidentFilter(
        statuses=[str(status) for status in query.status],
        kind=query.kind,
        service=query.service,
        organisation=query.organisation,
        ids=_at_place(call),
        overdue_at=call.at if query.overdue else None,
    )


def _at_place(call: Call) -> frozenset[UUID] | None:
    """The incidents at the place that the query names, None where it names none."""
    query: IncidentsQuery = call.query
    if (query.latitude is None) != (query.longitude is None):
        missing = "/latitude" if query.latitude is None else "/longitude"
        raise malformed("query", missing, "point-incomplete")
    point = None
    if query.latitude is not None and query.longitude is not None:
        point = Coordinates(query.latitude, query.longitude)
    where = Whereabouts(building=query.building, address=query.address, coordinates=point)
    if where == Whereabouts():
        return None
    try:
        place = locate(where, call.reference)
    except Invalid as refusal:
        pointers = {"/location/building": "/building", "/location/coordinates": "/latitude"}
        raise Invalid(
            [replace(fault, pointer=pointers[fault.pointer]) for fault in refusal.faults]
        ) from None
    return frozenset(
        one.id for one in find_incidents(call.reference, None, place, call.at, ahead=SOON)
    )


async def read_incident(call: Call) -> Reply:
    """One incident."""
    seen = await call.house.incidents.incident(call.principal, call.id("incident"))
    return Reply(seen_view(seen, call), headers={"etag": f'"{seen.incident.version}"'})


def seen_view(seen: Any, call: Call) -> IncidentView:
    """An incident as the caller sees it."""
    counts: CountsView = {
        "joined": sum(seen.counts.values()),
        "by_status": dict(seen.counts),
        "refused": seen.refused,
    }
    return incident_view(seen.incident, call, concerns=seen.concerns, counts=counts)


async def list_incident_events(call: Call) -> Reply:
    """The history, for the staff whom it concerns."""
    query: EventsQuery = call.query
    found = await call.house.incidents.history(
        call.principal, call.id("incident"), query.after, query.limit + 1
    )
    items = [incident_event_view(event, call) for event in found[: query.limit]]
    more = len(found) > query.limit
    return Reply({"items": items, "next": items[-1]["sequence"] if more else None})


_ONE = "/v1/incidents/{id}"

OPERATIONS = (
    Operation(
        "openIncident", "POST", "/v1/incidents", "Incidents",
        "Open an incident, or publish an outage or planned works",
        writes=register_incident, permission=Permission.OPEN_INCIDENT, body=IncidentBody,
        answer=IncidentView, status=201, refusals=(404, 409), etag=True,
    ),
    Operation(
        "listIncidents", "GET", "/v1/incidents", "Incidents",
        "Find incidents, the newest first; with a place, what is known there",
        reads=list_incidents, permission=Permission.READ_INCIDENT, query=IncidentsQuery,
        answer=IncidentPage, refusals=(422,),
    ),
    Operation(
        "readIncident", "GET", _ONE, "Incidents", "Read an incident",
        reads=read_incident, permission=Permission.READ_INCIDENT, answer=IncidentView,
        refusals=(404,), etag=True,
    ),
    Operation(
        "changeIncident", "PATCH", _ONE, "Incidents", "Tell an incident anew",
        writes=change_incident, permission=Permission.OPEN_INCIDENT, body=IncidentChangeBody,
        answer=IncidentView, refusals=(404, 409, 412, 428), etag=True, if_match=True,
    ),
    Operation(
        "listIncidentEvents", "GET", f"{_ONE}/events", "Incidents",
        "Read the history of an incident",
        reads=list_incident_events, permission=Permission.READ_INTERNAL, query=EventsQuery,
        answer=IncidentEventPage, refusals=(404,),
    ),
)  # fmt: skip
