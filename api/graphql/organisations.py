"""Organisations and the city's districts as nodes of the graph: all of it from the snapshot."""

from bisect import bisect_right
from typing import Any
from uuid import UUID

import strawberry

from api.graphql.derive import EDGES, Edge
from api.graphql.enums import Language, OrganisationKind, TerritoryKind
from api.graphql.fast import plain, quick
from api.graphql.nodes import MOST, Node, make
from api.graphql.scalars import JSON
from api.rest.views import Named
from domain.access import Permission
from domain.organisations import model
from domain.reference import Reference
from domain.values import in_language

_READ = Permission.READ_ORGANISATIONS


@strawberry.type(description="An organisation of the city: a tenant, and a possible executor.")
class Organisation(Node):
    """Residents learn who acts for them (id and name); the rest is told to staff."""

    _said: strawberry.Private[model.Organisation]
    uuid: UUID = plain("The id as the REST API has it.")

    @quick("The name, in the language asked for or the request's own.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """For everybody who sees that it acts."""
        return in_language(self._said.names, language or info.context.language)

    @quick("The code, unique in the city. For staff.")
    def code(self, info: strawberry.Info) -> str | None:
        """See the class."""
        info.context.require(_READ)
        return self._said.code

    @quick("What it is to the city. For staff.")
    def kind(self, info: strawberry.Info) -> OrganisationKind | None:
        """See the class."""
        info.context.require(_READ)
        return self._said.kind

    @quick("The district that it belongs to; null when it serves the whole city. For staff.")
    def district(self, info: strawberry.Info) -> "District | None":
        """See the class."""
        info.context.require(_READ)
        return district_of(self._said.district, info)

    @quick("The code of its working hours. For staff.")
    def calendar(self, info: strawberry.Info) -> str | None:
        """See the class."""
        info.context.require(_READ)
        return self._said.calendar

    @quick("Contacts by channel: phone, email, address, … For staff.")
    def contacts(self, info: strawberry.Info) -> JSON | None:
        """See the class."""
        info.context.require(_READ)
        return dict(self._said.contacts)  # type: ignore[return-value]

    @quick("Whether it still acts. For staff.")
    def active(self, info: strawberry.Info) -> bool | None:
        """See the class."""
        info.context.require(_READ)
        return self._said.active

    @quick("The organisation above it in the tree. For staff.")
    def parent(self, info: strawberry.Info) -> "Organisation | None":
        """See the class."""
        info.context.require(_READ)
        return organisation_of(self._said.parent, info)

    @quick("The organisations directly below it, by code: `first` of them, up to 100, after the"
           " code `after`. For staff.")  # fmt: skip
    def children(
        self, info: strawberry.Info, first: int = 20, after: str | None = None
    ) -> "list[Organisation]":
        """See the class."""
        info.context.require(_READ)
        below = info.context.loader("children", _children).get(self._said.id, ())
        begin = 0 if after is None else bisect_right(below, after, key=lambda each: each.code)
        return [made(each) for each in below[begin : begin + min(max(first, 1), MOST)]]


@strawberry.type(description="A district of the city.")
class District(Node):
    """Told to everybody."""

    _said: strawberry.Private[model.District]
    code: str = plain("The code, unique in the city.")

    @quick("The name, in the language asked for or the request's own.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Localised."""
        return in_language(self._said.names, language or info.context.language)

    @quick("The border: pairs of longitude and latitude (WGS 84); null where none was drawn.")
    def polygon(self) -> list[list[float]] | None:
        """The outer ring."""
        ring = self._said.polygon
        return None if ring is None else [list(point) for point in ring]


@strawberry.type(description="A part of the city for which somebody answers.")
class Territory(Node):
    """Told to staff."""

    _said: strawberry.Private[model.Territory]
    _city: strawberry.Private[Reference]
    uuid: UUID = plain("The id as the REST API has it.")
    code: str = plain("The code, unique in the city.")
    kind: TerritoryKind = plain("How it is drawn, from the broadest to the narrowest.")

    @quick("The name, in the language asked for or the request's own.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Localised."""
        return in_language(self._said.names, language or info.context.language)

    @quick("The district that it is, where it is one.")
    def district(self) -> District | None:
        """From the snapshot."""
        return district_in(self._said.district, self._city)

    @quick("The street that it is, where it is one.")
    def street(self) -> UUID | None:
        """Its id."""
        return self._said.street

    @quick("The buildings that it is made of, where it is some.")
    def buildings(self) -> list[UUID]:
        """Their ids."""
        return sorted(self._said.buildings)

    @quick("Its border, where it has one: pairs of longitude and latitude (WGS 84).")
    def polygon(self) -> list[list[float]] | None:
        """The outer ring."""
        ring = self._said.polygon
        return None if ring is None else [list(point) for point in ring]


def made_territory(territory: model.Territory, city: Reference) -> Territory:
    """The node of a territory."""
    return make(
        Territory,
        territory.id,
        uuid=territory.id,
        code=territory.code,
        kind=territory.kind,
        _said=territory,
        _city=city,
    )


def made(organisation: model.Organisation) -> Organisation:
    """The node of an organisation."""
    return make(Organisation, organisation.id, uuid=organisation.id, _said=organisation)


def made_district(district: model.District, city: Reference) -> District:
    """The node of a district."""
    key = f"{city.city.code}/{district.code}"
    return make(District, key, code=district.code, _said=district)


def organisation_of(id: UUID | None, info: Any) -> Organisation | None:
    """The node of an organisation of the caller's city."""
    known = info.context.loader("organisations", _known)
    if id not in known and id is not None:
        found = info.context.reference.organisations.get(id)
        known[id] = made(found) if found is not None else None
    found_node: Organisation | None = known.get(id)
    return found_node


def district_of(code: str | None, info: Any) -> District | None:
    """The node of a district of the caller's city."""
    return district_in(code, info.context.reference)


def district_in(code: str | None, city: Reference) -> District | None:
    """The node of a district of a city."""
    found = city.districts.get(code) if code else None
    return made_district(found, city) if found is not None else None


def _known(_: Any) -> dict[UUID | None, Organisation | None]:
    return {}


def _children(context: Any) -> dict[UUID | None, list[model.Organisation]]:
    below: dict[UUID | None, list[model.Organisation]] = {}
    for each in sorted(context.reference.organisations.values(), key=lambda o: o.code):
        below.setdefault(each.parent, []).append(each)
    return below


# Answers that were kept for a key are JSON, in which ids are words.
EDGES[Named] = Edge(Organisation, lambda named, info: organisation_of(UUID(str(named["id"])), info))
