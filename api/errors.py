"""From refusals to problem documents (RFC 9457), in the caller's language.

Transport lives in this table alone: the domain knows no status code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from starlette.responses import Response

from api.evidence_texts import OF_INCIDENT, PIECES
from api.stage_texts import STAGES
from api.texts import CONFLICTS, DETAILS, RULES, TITLES
from domain.catalogue.evidence import Piece
from domain.errors import (
    Conflict,
    CursorLost,
    EvidenceMissing,
    Fault,
    Invalid,
    InvalidTransition,
    NotFound,
    NotPermitted,
    NotSealed,
    Refusal,
    ScopeMissing,
    Unavailable,
    VersionConflict,
)
from domain.identity.errors import LoginRefused
from domain.identity.scopes import scopes_for
from domain.sla.policy import Stage
from domain.values import in_language

MEDIA_TYPE = "application/problem+json"


class Malformed(Refusal):
    """The request cannot be read at all, or its parameters are not of the contract."""

    code: ClassVar[str] = "malformed"

    def __init__(self, reason: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(reason=reason)
        self.faults = tuple(faults)


class Unauthenticated(Refusal):
    """No token, or one that stands for nobody. Params: `error` of RFC 6750 §3.1 for the latter."""

    code: ClassVar[str] = "unauthenticated"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not. Params: `allowed`."""

    code: ClassVar[str] = "method-not-allowed"


class NotAcceptable(Refusal):
    """The caller wants a form that we do not speak. Params: `media_type`."""

    code: ClassVar[str] = "not-acceptable"


class UnsupportedMediaType(Refusal):
    """The body is of a kind that we do not read. Params: `expected`."""

    code: ClassVar[str] = "unsupported-media-type"


class TooLarge(Refusal):
    """The body is over the limit. Params: `limit` (bytes)."""

    code: ClassVar[str] = "too-large"


class BodyTooSlow(Refusal):
    """The body does not come (RFC 9110 §15.5.9). Params: `seconds` that any may take, `least`
    (bytes a second) that a longer one must bring.
    """

    code: ClassVar[str] = "body-too-slow"


class CursorExpired(Refusal):
    """What stood behind the cursor is not kept any more. Params: `days` that entries are kept."""

    code: ClassVar[str] = "cursor-expired"


class PreconditionRequired(Refusal):
    """An edit needs If-Match (RFC 6585 §3)."""

    code: ClassVar[str] = "precondition-required"


class KeyRequired(Refusal):
    """A POST needs an Idempotency-Key."""

    code: ClassVar[str] = "idempotency-key-required"


class KeyReused(Refusal):
    """The Idempotency-Key stands for another request."""

    code: ClassVar[str] = "idempotency-key-reused"


class RateLimited(Refusal):
    """More requests than the quota allows. Params: `seconds` until the window ends."""

    code: ClassVar[str] = "rate-limited"


class Internal(Refusal):
    """Our fault; told without its inside. Params: `request_id`."""

    code: ClassVar[str] = "internal"


class DocumentTooLarge(Refusal):
    """A GraphQL document is over a bound. Params: `what` (of api/graphql/census.py), `count`,
    `limit`.
    """

    code: ClassVar[str] = "document-too-large"


class DocumentTooCostly(Refusal):
    """A GraphQL operation costs more than one may. Params: `cost`, `limit`, `fields` (what costs
    most, from the root down: path and cost).
    """

    code: ClassVar[str] = "document-too-costly"


class DocumentUnknown(Refusal):
    """A GraphQL document is asked for by its hash, and is not kept here."""

    code: ClassVar[str] = "document-unknown"


class DocumentNotTrusted(Refusal):
    """This city runs the GraphQL documents that it was given, and this is none of them."""

    code: ClassVar[str] = "document-not-trusted"


class TimedOut(Refusal):
    """A GraphQL operation took longer than one may. Params: `seconds`."""

    code: ClassVar[str] = "timed-out"


class TooSlow(Refusal):
    """A subscriber does not take what happens as fast as it happens. Params: `kept`."""

    code: ClassVar[str] = "too-slow"


STATUS: Mapping[type[Refusal], HTTPStatus] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    KeyRequired: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    DocumentTooLarge: HTTPStatus.BAD_REQUEST,
    DocumentTooCostly: HTTPStatus.BAD_REQUEST,
    DocumentUnknown: HTTPStatus.NOT_FOUND,
    DocumentNotTrusted: HTTPStatus.FORBIDDEN,
    NotPermitted: HTTPStatus.FORBIDDEN,
    ScopeMissing: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    Conflict: HTTPStatus.CONFLICT,
    InvalidTransition: HTTPStatus.CONFLICT,
    NotSealed: HTTPStatus.CONFLICT,
    VersionConflict: HTTPStatus.PRECONDITION_FAILED,
    CursorExpired: HTTPStatus.GONE,
    CursorLost: HTTPStatus.GONE,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    EvidenceMissing: HTTPStatus.UNPROCESSABLE_ENTITY,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    LoginRefused: HTTPStatus.FORBIDDEN,
    PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    TooSlow: HTTPStatus.TOO_MANY_REQUESTS,
    Internal: HTTPStatus.INTERNAL_SERVER_ERROR,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TimedOut: HTTPStatus.SERVICE_UNAVAILABLE,
}

RETRY_SECONDS = 2
WATCHED = frozenset({"unauthenticated", "not-permitted", "insufficient-scope", "rate-limited"})
"""Refusals of people, not of what they say: each has a line of its own in the logs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a problem document says of the request that it answers."""

    path: str
    language: str
    request_id: str


def problem(refusal: Refusal, asked: Asked) -> Response:
    """The refusal as a response."""
    said = document(refusal, asked)
    return Response(
        orjson.dumps(said, default=str),
        said["status"],
        headers={**_headers(refusal), "content-language": asked.language},
        media_type=MEDIA_TYPE,
    )


def document(refusal: Refusal, asked: Asked) -> dict[str, Any]:
    """The refusal as a problem document (RFC 9457)."""
    status = STATUS[type(refusal)]
    said: dict[str, Any] = {
        "type": f"/problems/{refusal.code}",
        "title": in_language(TITLES[refusal.code], asked.language),
        "status": int(status),
        "detail": _detail(refusal, asked),
        "instance": asked.path,
        "code": refusal.code,
        "request_id": asked.request_id,
    }
    if faults := getattr(refusal, "faults", ()):
        said["errors"] = [_fault(fault, asked.language) for fault in faults]
    if isinstance(refusal, InvalidTransition):
        said["allowed"] = list(refusal.params["allowed"])  # type: ignore[call-overload]
    return said


def _headers(refusal: Refusal) -> dict[str, str]:
    if isinstance(refusal, Unauthenticated):
        error = refusal.params.get("error")
        told = f', error="{error}"' if error else ""
        return {"www-authenticate": f'Bearer realm="ikomek"{told}'}
    if isinstance(refusal, ScopeMissing):
        wanted = " ".join(scopes_for(str(refusal.params["permission"])))
        error = f'error="insufficient_scope", scope="{wanted}"'
        return {"www-authenticate": f'Bearer realm="ikomek", {error}'}
    if isinstance(refusal, MethodNotAllowed):
        return {"allow": str(refusal.params["allowed"])}
    if isinstance(refusal, RateLimited | NotSealed):
        return {"retry-after": str(refusal.params["seconds"])}
    if isinstance(refusal, Unavailable):
        return {"retry-after": str(RETRY_SECONDS)}
    return {}


def _detail(refusal: Refusal, asked: Asked) -> str:
    template = DETAILS[refusal.code]
    if isinstance(refusal, Conflict):
        template = CONFLICTS[str(refusal.params["reason"])]
    params = {name: _said(value, asked.language) for name, value in refusal.params.items()}
    return in_language(template, asked.language).format_map(
        _Lenient(params | {"request_id": asked.request_id})
    )


def _fault(fault: Fault, language: str) -> dict[str, Any]:
    own = OF_INCIDENT.get(fault.rule) if fault.params.get("of") == "incident" else None
    message = in_language(own or RULES[fault.rule if fault.rule in RULES else "other"], language)
    document = {
        "pointer": fault.pointer,
        "rule": fault.rule,
        "message": message.format_map(
            _Lenient({name: _said(value, language) for name, value in fault.params.items()})
        ),
    }
    return document | ({"params": dict(fault.params)} if fault.params else {})


def _said(value: object, language: str) -> object:
    """A param as a sentence has it: what people have a word for by that word, lists with commas."""
    if isinstance(value, tuple | list):
        return ", ".join(str(_said(one, language)) for one in value)
    words = STAGES if isinstance(value, Stage) else PIECES if isinstance(value, Piece) else None
    return value if words is None else in_language(words[str(value)], language)


class _Lenient(dict[str, Any]):
    """Leaves a placeholder empty where a param is missing, rather than fail while refusing."""

    def __missing__(self, key: str) -> str:
        return ""
