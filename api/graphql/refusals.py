"""Refusals as the graph tells them: errors of queries, and the types that mutations answer with."""

from collections.abc import Mapping
from typing import Any

import structlog
from graphql import GraphQLError

from api.errors import Asked, Internal, document
from domain.errors import Refusal

log = structlog.get_logger()


def told(error: GraphQLError, *, language: str, request_id: str) -> dict[str, Any]:
    """An error as it is answered: a refusal in the caller's language with its code, what is wrong
    with the query as graphql-core says it, and our own faults without their inside.
    """
    cause = original(error)
    formatted: dict[str, Any] = dict(error.formatted)
    if cause is None:
        return formatted
    refusal = cause if isinstance(cause, Refusal) else Internal(request_id=request_id)
    if not isinstance(cause, Refusal):
        # The path is that of the schema's names and of list places: it tells of nobody.
        log.error("unexpected", request_id=request_id, path=error.path, exc_info=cause)
    said = document(refusal, Asked("", language, request_id))
    formatted["message"] = said["detail"]
    formatted["extensions"] = extensions(said)
    return formatted


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
