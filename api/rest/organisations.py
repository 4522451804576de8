"""Organisations, addresses, and who would get an appeal."""

from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply, malformed
from api.rest.views import Named, Point, known_organisation, organisation_name
from domain.access import Permission
from domain.appeals.commands import Whereabouts
from domain.appeals.intake import find_route
from domain.appeals.model import Place
from domain.appeals.places import locate
from domain.catalogue.model import Service
from domain.errors import Invalid
from domain.organisations.addresses import Match
from domain.organisations.model import Organisation, OrganisationKind
from domain.reference import Reference
from domain.values import Coordinates, in_language


class OrganisationsQuery(f.Query):
    """Which organisations."""

    kind: OrganisationKind | None = None
    district: f.Code | None = None
    q: f.Word | None = None
    limit: f.Limit = 50
    after: f.Code | None = None


class AddressQuery(f.Query):
    """An address as it is being typed."""

    q: f.Word
    limit: f.ShortLimit = 10


class RoutingQuery(f.Query):
    """What, and where."""

    service: f.Code
    building: f.Id | None = None
    address: f.Word | None = None
    latitude: f.SaidLatitude | None = None
    longitude: f.SaidLongitude | None = None


class OrganisationView(TypedDict):
    """An organisation."""

    id: UUID
    code: str
    name: str
    kind: str
    parent: UUID | None
    district: str | None
    calendar: str
    contacts: dict[str, str]
    active: bool


class OrganisationPage(TypedDict):
    """Organisations by code; `next` is the `after` to go on with."""

    items: list[OrganisationView]
    next: str | None


class AddressView(TypedDict):
    """A place that the words may mean. Without a building only the street is certain."""

    building: UUID | None
    street: UUID
    label: str
    district: str | None
    coordinates: Point | None
    apartment: str | None
    score: float


class AddressList(TypedDict):
    """The likeliest first."""

    items: list[AddressView]


class RoutingView(TypedDict):
    """Who would get such an appeal now; nobody means the inspectors."""

    organisation: Named | None
    reason: Literal[
        "assigned", "after-hours", "no-responsibility", "no-address", "unknown-address",
        "outside-hours",
    ]  # fmt: skip
    responsibility: UUID | None


def _view(organisation: Organisation, language: str) -> OrganisationView:
    return {
        "id": organisation.id,
        "code": organisation.code,
        "name": in_language(organisation.names, language),
        "kind": organisation.kind,
        "parent": organisation.parent,
        "district": organisation.district,
        "calendar": organisation.calendar,
        "contacts": dict(organisation.contacts),
        "active": organisation.active,
    }


async def list_organisations(call: Call) -> Reply:
    """Organisations of the city by code."""
    query: OrganisationsQuery = call.query
    wanted = wanted_organisations(query, call.reference)
    items = [_view(organisation, call.language) for organisation in wanted[: query.limit]]
    return Reply({"items": items, "next": items[-1]["code"] if len(wanted) > query.limit else None})


def wanted_organisations(query: OrganisationsQuery, reference: Reference) -> list[Organisation]:
    """What the query asks for, by code, however many there are."""
    found = (o for o in reference.organisations.values() if _fits(o, query))
    return sorted(found, key=lambda o: o.code)


def _fits(organisation: Organisation, query: OrganisationsQuery) -> bool:
    return (
        query.kind in (None, organisation.kind)
        and query.district in (None, organisation.district)
        and (query.after is None or organisation.code > query.after)
        and (query.q is None or _named(organisation, query.q.casefold()))
    )


def _named(organisation: Organisation, words: str) -> bool:
    return any(words in name.casefold() for name in organisation.names.values())


async def read_organisation(call: Call) -> Reply:
    """One organisation."""
    return Reply(_view(known_organisation(call.id("organisation"), call.reference), call.language))


async def suggest_addresses(call: Call) -> Reply:
    """Addresses that the words may be the beginning of."""
    query: AddressQuery = call.query
    found = call.reference.addresses.suggest(query.q, query.limit)
    return Reply({"items": [_address(match, call.reference, call.language) for match in found]})


def _address(match: Match, reference: Reference, language: str) -> AddressView:
    street = in_language(reference.streets[match.street].names, language)
    building = reference.buildings.get(match.building) if match.building else None
    point = building.coordinates if building else None
    return {
        "building": match.building,
        "street": match.street,
        "label": f"{street}, {building.number}" if building else street,
        "district": building.district if building else None,
        "coordinates": (
            {"latitude": point.latitude, "longitude": point.longitude} if point else None
        ),
        "apartment": match.apartment,
        "score": match.score,
    }


async def resolve_route(call: Call) -> Reply:
    """Who would get an appeal about this service at this place now."""
    service, place = asked(call.query, call.reference)
    route = find_route(service, place, call.reference, call.at)
    named: Any = route.organisation and organisation_name(
        route.organisation, call.reference, call.language
    )
    return Reply(
        {
            "organisation": named,
            "reason": route.reason,
            "responsibility": route.responsibility,
        }
    )


def asked(query: RoutingQuery, reference: Reference) -> tuple[Service, Place]:
    """The service and the place of a query. Raises Malformed, Invalid."""
    if query.service not in reference.catalogue:
        raise malformed("query", "/service", "unknown-service", value=query.service)
    if (query.latitude is None) != (query.longitude is None):
        missing = "/latitude" if query.latitude is None else "/longitude"
        raise malformed("query", missing, "required")
    return reference.catalogue.service(query.service), _place(query, reference)


def _place(query: RoutingQuery, reference: Reference) -> Place:
    """Where it would be. Raises Invalid, its faults at the query's own parameters."""
    try:
        return locate(_where(query), reference)
    except Invalid as refusal:
        raise Invalid(
            [replace(fault, pointer=_PARAMETERS[fault.pointer]) for fault in refusal.faults]
        ) from None


_PARAMETERS = {"/location/building": "/building", "/location/coordinates": "/latitude"}


def _where(query: RoutingQuery) -> Whereabouts:
    point = None
    if query.latitude is not None and query.longitude is not None:
        point = Coordinates(query.latitude, query.longitude)
    return Whereabouts(building=query.building, address=query.address, coordinates=point)


OPERATIONS = (
    Operation(
        "listOrganisations", "GET", "/v1/organisations", "Organisations",
        "See the organisations of the city",
        reads=list_organisations, permission=Permission.READ_ORGANISATIONS,
        query=OrganisationsQuery, answer=OrganisationPage,
    ),
    Operation(
        "readOrganisation", "GET", "/v1/organisations/{id}", "Organisations",
        "See an organisation",
        reads=read_organisation, permission=Permission.READ_ORGANISATIONS,
        answer=OrganisationView, refusals=(404,),
    ),
    Operation(
        "suggestAddresses", "GET", "/v1/addresses", "Organisations",
        "Find an address as one types, in kk and ru, with typos",
        reads=suggest_addresses, permission=Permission.READ_CATALOGUE, query=AddressQuery,
        answer=AddressList,
    ),
    Operation(
        "resolveRoute", "GET", "/v1/routing", "Organisations",
        "See who would get an appeal about a service at a place now",
        reads=resolve_route, permission=Permission.READ_ORGANISATIONS, query=RoutingQuery,
        answer=RoutingView, refusals=(422,),
    ),
)  # fmt: skip
