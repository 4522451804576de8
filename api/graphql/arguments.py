"""The arguments of fields that are made from operations."""

import re
from inspect import Parameter
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.graphql.derive import argument as annotation_of
from api.graphql.words import describe
from api.rest.descriptions import PATH
from api.rest.operation import Operation

_PATH: dict[str, tuple[Any, str]] = {
    "number": (str, "The registration number of the appeal."),
    "id": (UUID, "The id, as the REST API has it."),
}


def path_names(operation: Operation) -> tuple[str, ...]:
    """The names of the parameters of its path."""
    return tuple(re.findall(r"\{(\w+)\}", operation.path))


def path_argument(name: str) -> Parameter:
    """A parameter of a path."""
    kind, words = _PATH.get(name, (str, PATH.get(name, name)))
    return argument(name, kind, words)


def query_arguments(operation: Operation) -> list[Parameter]:
    """The parameters of its query, each by the name that the REST API has for it."""
    model = operation.query
    if model is None:
        return []
    return [
        argument(
            name,
            annotation_of(field),
            describe(model.__name__, name),
            Parameter.empty if field.is_required() else None,
            field.alias,
        )
        for name, field in model.model_fields.items()
    ]


def argument(
    name: str, kind: Any, words: str, default: Any = Parameter.empty, alias: str | None = None
) -> Parameter:
    """One argument, with its description; `alias` is its name where Python cannot say it."""
    annotation = Annotated[kind, strawberry.argument(description=words, name=alias)]
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
