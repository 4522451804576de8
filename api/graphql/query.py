"""What can be asked of the graph."""

from functools import partial
from typing import Any
from uuid import UUID

import strawberry

from api.graphql import appeals as a
from api.graphql import catalogue as c
from api.graphql import loading
from api.graphql import organisations as o
from api.graphql.counting import CountBy, FigureTable, figures_of
from api.graphql.enums import OrganisationKind
from api.graphql.fast import field, quick
from api.graphql.filters import AppealFilter, AppealOrder, wanted
from api.graphql.finding import IncidentFilter, found_incidents, found_node, found_nodes
from api.graphql.incidents import Incident, seen
from api.graphql.nodes import MOST, Connection, Node, page
from api.graphql.paging import Bounds, marked, placed, resumed
from api.graphql.public import PublicCity
from api.graphql.reads import read_fields
from api.graphql.saying import as_query
from api.graphql.subscriptions import write_place
from api.rest.catalogue import ServicesQuery, found_services
from api.rest.cursors import write_cursor
from api.rest.operation import malformed
from api.rest.organisations import OrganisationsQuery, wanted_organisations
from domain.access import Permission
from domain.questions import Order


class _Query:
    """The hand-made part."""

    @field("An appeal by its number; null where it does not exist for you.")
    async def appeal(self, info: strawberry.Info, number: str) -> a.Appeal | None:
        """One appeal."""
        info.context.require(Permission.READ_APPEAL)
        load = loading.appeals_by(info.context, "number", a.parts_below(info._raw_info))
        sketch = await load.load(number)
        return a.made(sketch) if sketch is not None else None

    @field("Appeals, the newest first unless `order` says otherwise.")
    async def appeals(
        self,
        info: strawberry.Info,
        filter: AppealFilter | None = None,
        order: AppealOrder | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[a.Appeal] | None:
        """A page of appeals."""
        context = info.context
        principal = context.require(Permission.READ_APPEAL)
        bounds, sort = Bounds(first, after), order.order() if order else Order()
        raw = info._raw_info
        asked = a.parts_below(raw, "nodes") | a.parts_below(raw, "edges", "node") | {sort.by}
        keyring, mark = context.house.keyring, marked(sort)
        conditions, place = wanted(filter, context), resumed(bounds.after, keyring, mark)
        async with context.turns:
            found = await context.house.sketches.listed(
                principal, conditions, place, bounds.first + 1, asked, sort
            )
        cursors = [
            partial(write_cursor, sketch[sort.by], sketch["id"], keyring, mark) for sketch in found
        ]
        nodes = [a.made(sketch) for sketch in found]
        return page(nodes, cursors, first=bounds.first, began=after is not None)

    @field("A service by its code; null where it does not exist for you.")
    def service(self, info: strawberry.Info, code: str) -> c.Service | None:
        """From the snapshot."""
        info.context.require(Permission.READ_CATALOGUE)
        return c.service_of(code, info)

    @field(
        "Services that the words mean, in any of the languages, typos forgiven; without"
        " words those that are offered today, in the order of the catalogue."
    )
    def services(
        self,
        info: strawberry.Info,
        text: str | None = None,
        sphere: str | None = None,
        category: str | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[c.Service] | None:
        """The REST API's search, in pages."""
        context = info.context
        principal = context.require(Permission.READ_CATALOGUE)
        given = {"q": text, "sphere": sphere, "category": category}
        query = as_query(ServicesQuery, given)
        found = found_services(query, context.call(principal, query=query), everything=True)
        nodes = [c.made(service, context.reference, info) for service in found]
        return placed(
            "services", nodes, [node.code for node in nodes], Bounds(first, after), context
        )

    @quick("The spheres of the catalogue, in its order: the tree of services begins here.")
    def spheres(self, info: strawberry.Info) -> list[c.Sphere] | None:
        """From the snapshot."""
        info.context.require(Permission.READ_CATALOGUE)
        city = info.context.reference
        return [c.made_sphere(each, city) for each in city.catalogue.spheres]

    @quick("The districts of the city, by code.")
    def districts(self, info: strawberry.Info) -> list[o.District] | None:
        """From the snapshot."""
        info.context.require(Permission.READ_CATALOGUE)
        city = info.context.reference
        ordered = sorted(city.districts.values(), key=lambda each: each.code)
        return [o.made_district(each, city) for each in ordered]

    @quick("The territories for which somebody answers, by code. For staff.")
    def territories(self, info: strawberry.Info) -> list[o.Territory] | None:
        """From the snapshot."""
        info.context.require(Permission.READ_ORGANISATIONS)
        city = info.context.reference
        known = sorted(city.routing.territories.values(), key=lambda each: each.code)
        return [o.made_territory(each, city) for each in known]

    @field("An organisation by its id; null where it does not exist. For staff.")
    def organisation(self, info: strawberry.Info, uuid: UUID) -> o.Organisation | None:
        """From the snapshot."""
        info.context.require(Permission.READ_ORGANISATIONS)
        return o.organisation_of(uuid, info)

    @field("The organisations of the city, by code; `roots` are those that stand under nobody.")
    def organisations(
        self,
        info: strawberry.Info,
        kind: OrganisationKind | None = None,
        district: str | None = None,
        text: str | None = None,
        roots: bool = False,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[o.Organisation] | None:
        """The REST API's list, in pages."""
        context = info.context
        context.require(Permission.READ_ORGANISATIONS)
        query = as_query(OrganisationsQuery, {"kind": kind, "district": district, "q": text})
        found = [
            each
            for each in wanted_organisations(query, context.reference)
            if not roots or each.parent is None
        ]
        keys = [each.code for each in found]
        nodes = [o.made(each) for each in found]
        return placed("organisations", nodes, keys, Bounds(first, after), context)

    @field("An incident by its id; null where it does not exist for you.")
    async def incident(self, info: strawberry.Info, uuid: UUID) -> Incident | None:
        """Its public fields, and the rest for those whom it concerns."""
        info.context.require(Permission.READ_INCIDENT)
        found = await loading.incidents(info.context).load(uuid)
        return seen(found, info.context) if found is not None else None

    @field("Incidents, the newest first.")
    async def incidents(
        self,
        info: strawberry.Info,
        filter: IncidentFilter | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[Incident] | None:
        """A page of incidents."""
        return await found_incidents(info.context, filter, Bounds(first, after))

    @field(
        "Anything by its global id (Relay); null where it does not exist for you. Needs no token"
        " for what `public` tells: services, categories, spheres, districts."
    )
    async def node(self, info: strawberry.Info, id: strawberry.ID) -> Node | None:
        """A forged id is the id of nothing."""
        return await found_node(str(id), info)

    @field(
        "Several things by their global ids, in the same order; at most 100. What does not exist"
        " for you, or is not for you to see, is null."
    )
    async def nodes(
        self, info: strawberry.Info, ids: list[strawberry.ID]
    ) -> list[Node | None] | None:
        """Batched."""
        if len(ids) > MOST:
            raise malformed("ids", "/ids", "too-long", max_length=MOST)
        return await found_nodes([str(id) for id in ids], info)

    @field(
        "The place among all that happens where you stand now: `after` of a subscription that"
        " misses nothing from here on. Ask for it before you read the list that you then follow."
    )
    async def now(self, info: strawberry.Info) -> str | None:
        """The floor: what counts later lies behind it, whoever writes at this moment."""
        info.context.require(Permission.READ_APPEAL)
        house = info.context.house
        return write_place(await house.happenings.floor(), house.keyring)

    @field(
        "Appeals counted by groups, with shares of kept promises and medians; for staff. Of the"
        " thirty days before `registeredTo`, unless `registeredFrom` says otherwise."
    )
    async def figures(
        self, info: strawberry.Info, by: CountBy, filter: AppealFilter | None = None
    ) -> FigureTable | None:
        """What staff see counted."""
        return await figures_of(info, by, filter)

    @field("A city as the public is told of it, by its code; without one your own, or the only"
           " one. Needs no token.")  # fmt: skip
    def public(self, info: strawberry.Info, city: str | None = None) -> PublicCity | None:
        """The public view."""
        found = info.context.city(city)
        return PublicCity(_city=found, code=found.city.code)


def _query() -> Any:
    """The hand-made part, and what is made from the operations of the house (reads.py)."""
    made = type("Query", (), {**vars(_Query), "__annotations__": {}})
    for name, each in read_fields().items():
        setattr(made, name, each)
    words = "What can be asked. Who comes without a token has `public`."
    return strawberry.type(made, name="Query", description=words)


Query = _query()
