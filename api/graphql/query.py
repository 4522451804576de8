"""What can be asked of the graph."""

from functools import partial
from typing import Any

import strawberry

from api.graphql import appeals as a
from api.graphql import catalogue as c
from api.graphql import loading
from api.graphql.fast import field
from api.graphql.filters import AppealFilter, wanted
from api.graphql.nodes import Connection, page
from api.graphql.paging import Bounds, placed
from api.graphql.reads import read_fields
from api.graphql.saying import as_query
from api.rest.catalogue import ServicesQuery, found_services
from api.rest.cursors import read_cursor, write_cursor
from domain.access import Permission


class _Query:
    """The hand-made part."""

    @field("An appeal by its number; null where it does not exist for you.")
    async def appeal(self, info: strawberry.Info, number: str) -> a.Appeal | None:
        """One appeal."""
        info.context.require(Permission.READ_APPEAL)
        load = loading.appeals_by(info.context, "number", a.parts_below(info._raw_info))
        sketch = await load.load(number)
        return a.made(sketch) if sketch is not None else None

    @field("Appeals, the newest first.")
    async def appeals(
        self,
        info: strawberry.Info,
        filter: AppealFilter | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[a.Appeal] | None:
        """A page of appeals."""
        context = info.context
        principal = context.require(Permission.READ_APPEAL)
        bounds = Bounds(first, after)
        raw = info._raw_info
        asked = a.parts_below(raw, "nodes") | a.parts_below(raw, "edges", "node")
        keyring = context.house.keyring
        found = await context.house.sketches.listed(
            principal,
            wanted(filter, context),
            read_cursor(bounds.after, keyring),
            bounds.first + 1,
            asked,
        )
        cursors = [
            partial(write_cursor, sketch["registered_at"], sketch["id"], keyring)
            for sketch in found
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
        return placed(nodes, [node.code for node in nodes], Bounds(first, after), context)


def _query() -> Any:
    """The hand-made part, and what is made from the operations of the house (reads.py)."""
    made = type("Query", (), {**vars(_Query), "__annotations__": {}})
    for name, each in read_fields().items():
        setattr(made, name, each)
    words = "What can be asked. Who comes without a token has `public`."
    return strawberry.type(made, name="Query", description=words)


Query = _query()
