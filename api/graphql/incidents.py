"""Incidents as nodes of the graph: as the REST API shows them, with edges to what they name."""

from typing import Any, get_type_hints
from uuid import UUID

import strawberry

from api.graphql import catalogue, derive, organisations  # noqa: F401 (two fill EDGES)
from api.graphql.fast import plain
from api.graphql.nodes import Node, make
from api.graphql.words import describe
from api.rest.incident_views import IncidentView
from api.rest.incidents import seen_view


def _incident() -> Any:
    """The node: every field of the view, and the id of a node beside the view's own."""
    made = type("Incident", (Node,), {"__module__": __name__, "__annotations__": {}})
    made.__annotations__["uuid"] = UUID
    made.uuid = plain("The id as the REST API has it.")  # type: ignore[attr-defined]
    for name, hint in get_type_hints(IncidentView).items():
        if name != "id":
            derive.add_field(made, name, hint, describe("Incident", name))
    return strawberry.type(
        made,
        name="Incident",
        description="One physical problem behind many appeals: an outage, damage, planned works.",
    )


Incident = _incident()


def made(view: Any) -> Any:
    """The node of a view."""
    values = {name: value for name, value in view.items() if name != "id"}
    return make(Incident, view["id"], uuid=view["id"], **values)


def seen(found: Any, context: Any) -> Any:
    """The node of an incident as the caller sees it."""
    return made(seen_view(found, context.call(context.require())))


derive.EDGES[IncidentView] = derive.Edge(Incident, lambda view, _: made(view))
