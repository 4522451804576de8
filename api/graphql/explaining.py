"""Words for what is the same wherever it stands: arguments of lists, pages, entries."""

from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, is_introspection_type

_ARGUMENTS = {
    "after": "The cursor after which to go on: the `endCursor` of the page before.",
    "by": "By what to count.",
    "category": "Of this category, by code.",
    "city": "The code of the city.",
    "code": "The code.",
    "district": "In this district, by code.",
    "filter": "What to narrow by.",
    "first": "How many to show at most, up to 100.",
    "firstDay": "The first day of the city; thirty days before the last one.",
    "id": "The global id.",
    "ids": "Global ids.",
    "kind": "Of this kind.",
    "language": "The language, instead of the request's own.",
    "lastDay": "The last day of the city; today.",
    "number": "The registration number.",
    "order": "In which order; the newest first.",
    "roots": "Only those that stand under nobody.",
    "sphere": "Of this sphere, by code.",
    "status": "In one of these statuses.",
    "text": "Words to look for.",
    "uuid": "The id, as the REST API has it.",
}
_OF_FIELD = {
    ("Appeal", "events", "after"): "The sequence number after which to go on.",
    ("Organisation", "children", "after"): "The code after which to go on.",
    ("Subscription", "queue", "organisation"): "The organisation, by its id in the REST API.",
    **{
        ("Subscription", field, "after"): "The cursor of the last entry that you had."
        for field in ("appeal", "appeals", "queue")
    },
}
_TYPES = {"Consistency": "A proof that the register only grew from one tree to another."}


def explain(schema: GraphQLSchema) -> None:
    """Give arguments, pages and entries their words."""
    for name, kind in schema.type_map.items():
        if is_introspection_type(kind):
            continue
        if not kind.description:
            kind.description = _TYPES.get(name) or _page(name)
        if isinstance(kind, GraphQLObjectType):
            for field, each in kind.fields.items():
                _explain_arguments(name, field, each)


def _explain_arguments(kind: str, field: str, definition: Any) -> None:
    for argument, given in definition.args.items():
        if not given.description:
            words = _OF_FIELD.get((kind, field, argument)) or _ARGUMENTS.get(argument)
            given.description = words


def _page(name: str) -> str | None:
    if name.endswith("Connection"):
        return f"A page of things of the type {name.removesuffix('Connection')} (Relay)."
    if name.endswith("Edge"):
        return f"One of the type {name.removesuffix('Edge')}, and its place in the list (Relay)."
    return None
