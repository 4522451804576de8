"""What stands behind an error of the graph, and what of a problem document is told of it."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError


def original(error: GraphQLError) -> BaseException | None:
    """What was raised in a resolver; None where the query itself is at fault."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def extensions(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a problem document says beyond its sentence, but for what HTTP alone knows."""
    kept = ("code", "title", "errors", "allowed", "request_id")
    return {name: said[name] for name in kept if name in said}
