"""What is told of a result: data as it is, errors in the house's words and without its inside.

An error that the city means (a refusal) is told in the caller's language with its code; one of the
document's own (a field that does not exist) as GraphQL tells it; anything else is ours, is written
into the log without the document and its variables (law 6), and is told by the request's id alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError

from api.errors import (
    Asked,
    DocumentTooCostly,
    DocumentUnknown,
    Internal,
    RateLimited,
    document,
)
from api.graphql.documents import Unreadable
from api.graphql.refusals import extensions, original
from api.watch import watch
from domain.errors import Refusal

log = structlog.get_logger()

BAD_REQUEST = "bad-request"
"""The code of what GraphQL itself refuses."""
MOST_ERRORS = 20
"""Of one answer: fifty appeals with one broken field need not tell it fifty times."""


@dataclass(frozen=True, slots=True)
class Voice:
    """In whose language, about which request, and to whom (an id, for the logs alone)."""

    language: str
    request_id: str
    who: str | None = None


def encode(body: Any) -> bytes:
    """JSON, compact; instants in UTC end with Z."""
    return orjson.dumps(body, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def tell(
    result: ExecutionResult, voice: Voice, beside: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The answer to an operation that ran."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = tell_errors(result.errors, voice)
    body["data"] = result.data
    if beside:
        body["extensions"] = dict(beside)
    return body


def refuse(
    error: Refusal | Unreadable | Sequence[GraphQLError],
    voice: Voice,
    beside: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The answer to an operation that did not run: no `data` at all."""
    if isinstance(error, Refusal):
        _watch([error], voice)
        errors = [_refusal(error, voice)]
    else:
        found = error.errors if isinstance(error, Unreadable) else error
        errors = tell_errors(found, voice)
    return {"errors": errors} | ({"extensions": dict(beside)} if beside else {})


def tell_errors(errors: Iterable[GraphQLError], voice: Voice) -> list[dict[str, Any]]:
    """Errors as GraphQL forms them, masked; of those that are ours the first goes into the log."""
    found = list(errors)
    causes = [original(error) for error in found]
    ours = [each for each in causes if each is not None and not isinstance(each, Refusal)]
    if ours:
        log.error("unexpected", request_id=voice.request_id, count=len(ours), exc_info=ours[0])
    _watch([each for each in causes if isinstance(each, Refusal)], voice)
    return [_error(error, voice) for error in found[:MOST_ERRORS]]


def _watch(refusals: Iterable[Refusal], voice: Voice) -> None:
    """A line for each kind: fifty appeals with one forbidden field need not tell it fifty times."""
    for refusal in {each.code: each for each in refusals}.values():
        watch(refusal, route="graphql", who=voice.who, request_id=voice.request_id)


def _error(error: GraphQLError, voice: Voice) -> dict[str, Any]:
    cause = original(error)
    if isinstance(cause, Refusal):
        said = _refusal(cause, voice)
    elif cause is None:
        told = {"code": BAD_REQUEST, "request_id": voice.request_id}
        said = {"message": error.message, "extensions": told}
    else:
        said = _refusal(Internal(request_id=voice.request_id), voice)
    if error.locations:
        said["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        said["path"] = list(error.path)
    return said


def _refusal(refusal: Refusal, voice: Voice) -> dict[str, Any]:
    said = document(refusal, Asked("", voice.language, voice.request_id))
    told: dict[str, Any] = extensions(said)
    if isinstance(refusal, DocumentTooCostly):
        told["cost"] = {
            "requested": refusal.params["cost"],
            "limit": refusal.params["limit"],
            "fields": refusal.params["fields"],
        }
    if isinstance(refusal, RateLimited):
        told["retryAfter"] = refusal.params["seconds"]
    if "after" in refusal.params:
        told["after"] = refusal.params["after"]
    if isinstance(refusal, DocumentUnknown):
        # Apollo's clients look for these words of theirs, and then send the text.
        told |= {"code": "PERSISTED_QUERY_NOT_FOUND", "reason": refusal.code}
        return {"message": "PersistedQueryNotFound", "extensions": told}
    return {"message": said["detail"], "extensions": told}
