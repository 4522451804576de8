"""Finding incidents in pages, and anything by its global id."""

from asyncio import gather
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import strawberry

from api.graphql import appeals as a
from api.graphql import catalogue as c
from api.graphql import loading
from api.graphql import organisations as o
from api.graphql.context import Context
from api.graphql.enums import IncidentKind, IncidentStatus
from api.graphql.fast import optional
from api.graphql.ids import parse_id, parse_uuid
from api.graphql.incidents import seen
from api.graphql.nodes import Connection, Node, page
from api.graphql.paging import Bounds, resumed
from api.graphql.saying import as_query
from api.rest.cursors import write_cursor
from api.rest.incidents import IncidentsQuery, wanted_incidents
from domain.access import Permission
from domain.errors import NotFound, NotPermitted, ScopeMissing


@strawberry.input(
    description="Which incidents; conditions are joined by 'and'. With a place (`building`,"
    " `address`, or `latitude` and `longitude`): those that run there or begin within a week."
)
class IncidentFilter:
    """As the query of the REST API."""

    status: list[IncidentStatus] | None = optional("In one of these statuses.")
    kind: IncidentKind | None = optional("Of this kind.")
    service: str | None = optional("About this service, by code.")
    organisation: UUID | None = optional("Of this organisation, as owner or executor.")
    building: UUID | None = optional("At this building.")
    address: str | None = optional("At this address, as it is said or typed.")
    latitude: float | None = optional("Degrees north, WGS 84.")
    longitude: float | None = optional("Degrees east, WGS 84.")
    overdue: bool | None = optional(
        "True: only what runs past its expected end. False narrows nothing."
    )


async def found_incidents(
    context: Context, said: IncidentFilter | None, bounds: Bounds
) -> Connection[Any]:
    """A page of incidents, the newest first. Raises Refusal."""
    principal = context.require(Permission.READ_INCIDENT)
    given = (
        {name: getattr(said, name) for name in IncidentFilter.__dataclass_fields__} if said else {}
    )
    if not given.get("overdue"):
        given.pop("overdue", None)
    call = context.call(principal, query=as_query(IncidentsQuery, given, "/filter"))
    keyring = context.house.keyring
    after = resumed(bounds.after, keyring)
    async with context.turns:
        found = await context.house.incidents.incidents(
            principal, wanted_incidents(call), after, bounds.first + 1
        )
    cursors = [
        partial(write_cursor, each.incident.opened_at, each.incident.id, keyring) for each in found
    ]
    nodes = [seen(each, context) for each in found]
    return page(nodes, cursors, first=bounds.first, began=after is not None)


async def found_node(id: str, info: Any) -> Node | None:
    """The thing of a global id; None where it does not exist for the caller.

    Raises NotPermitted where the caller may see no thing of its kind, Unauthenticated where nobody
    may without a token.
    """
    kind, key = parse_id(id) or ("", "")
    if kind in ("Service", "Category", "Sphere", "District"):
        return _by_code(kind, key, info)
    info.context.require()
    uuid = parse_uuid(key)
    if uuid is None or kind not in ("Appeal", "Incident", "Organisation", "Territory"):
        return None
    return await _by_uuid(kind, uuid, info)


async def found_nodes(ids: Sequence[str], info: Any) -> list[Node | None]:
    """The things of global ids, each by itself: what a caller may not see is None among others.

    Raises Unauthenticated.
    """
    return list(await gather(*(_or_none(id, info) for id in ids)))


async def _or_none(id: str, info: Any) -> Node | None:
    try:
        return await found_node(id, info)
    except (NotPermitted, ScopeMissing):
        return None


async def _by_uuid(kind: str, id: UUID, info: Any) -> Node | None:
    context: Context = info.context
    if kind == "Appeal":
        context.require(Permission.READ_APPEAL)
        wanted = a.parts_below(info._raw_info)
        sketch = await loading.appeals_by(context, "id", wanted).load(id)
        return a.made(sketch) if sketch is not None else None
    if kind == "Incident":
        context.require(Permission.READ_INCIDENT)
        found = await loading.incidents(context).load(id)
        node: Node | None = seen(found, context) if found is not None else None
        return node
    if kind == "Organisation":
        # Its name is told to all who meet it in an appeal; its other fields ask for themselves.
        return o.organisation_of(id, info)
    context.require(Permission.READ_ORGANISATIONS)
    city = context.reference
    territory = city.routing.territories.get(id)
    return o.made_territory(territory, city) if territory is not None else None


def _by_code(kind: str, key: str, info: Any) -> Node | None:
    """Of any city, since `public` tells it to everybody."""
    of, _, code = key.partition("/")
    try:
        city = info.context.city(of)
    except NotFound:
        return None
    if kind == "Service":
        return c.service_in(code, city, info)
    if kind == "District":
        return o.district_in(code, city)
    return c.sphere_in(code, city) if kind == "Sphere" else c.category_in(code, city)
