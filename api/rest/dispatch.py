"""The way of one request: who asks, how much, what exactly, do it, answer.

What it does when it changes something is acting.py.
"""

import re
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from api.accept import accepts
from api.auth import Authenticator
from api.bootstrap import House
from api.errors import KeyRequired, NotAcceptable, UnsupportedMediaType
from api.languages import LONGEST, preferred
from api.limits import Standing, Turns
from api.rest.acting import carry_out, encoded, judged, sound_key
from api.rest.bodies import read_limited, read_upload
from api.rest.decode import canonical, decode_body, decode_query
from api.rest.fields import Query
from api.rest.operation import Call, Operation, Reply, Upload, malformed, require_step
from domain.access import Principal, Role
from domain.errors import Invalid, Refusal
from domain.values import new_id

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]{0,64})"')
# A tag may hold commas, so that a list cannot be cut at them.
_LIST = re.compile(rf"\s*{_TAG.pattern}(\s*,\s*{_TAG.pattern})*\s*")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_TAGS = 200
"""Characters of If-Match at most; of If-None-Match five times as many."""
_ANYBODY = new_id()
_NOTHING = QueryParams()
MOST_UPLOADS = 8
"""Files that one principal may send at once: each is whole in memory, three times over."""


class Door:
    """What every request of the REST API passes through."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._authenticator = Authenticator(house.tokens.find, house.trust, house.trees)
        self._uploads = Turns(MOST_UPLOADS)

    async def handle(self, operation: Operation, request: Request) -> Response:
        """The response to a request. Raises Refusal; the application tells it."""
        principal = await self._principal(operation, request)
        if operation.permission is not None:
            principal.require(operation.permission)
        if not isinstance(operation.body, Upload):
            return await self._answer(operation, request, principal)
        with self._uploads.one(str(principal.id)):
            return await self._answer(operation, request, principal)

    async def _answer(
        self, operation: Operation, request: Request, principal: Principal
    ) -> Response:
        call = await self._call(operation, request, principal)
        if operation.writes is not None:
            reply = await carry_out(operation, call, _said(operation, call, request))
        elif operation.reads is not None:
            reply = await operation.reads(call)
        else:
            raise AssertionError(operation.id)
        return _respond(reply, call, safe=operation.writes is None)

    async def _principal(self, operation: Operation, request: Request) -> Principal:
        if operation.open_to_all:
            return Principal(_ANYBODY, Role.SYSTEM, _ANYBODY)
        header = request.headers.get("authorization")
        try:
            principal = await self._authenticator.principal(header, self._house.now())
        except Refusal:
            address = request.client.host if request.client else ""
            self._spend(request, self._house.requests.at(address))
            raise
        request.state.who = str(principal.id)
        self._spend(request, self._house.requests.of(principal))
        return principal

    def _spend(self, request: Request, standing: Standing) -> None:
        request.state.headers.update(standing.headers)
        standing.require()

    async def _call(self, operation: Operation, request: Request, principal: Principal) -> Call:
        _check_form(operation, request)
        return Call(
            house=self._house,
            principal=principal,
            at=self._house.now(),
            language=preferred(_joined(request, "accept-language")),
            path=request.path_params,
            query=decode_query(operation.query or Query, _asked(request)),
            key=_key(request) if operation.keyed else None,
            conditional=operation.if_match and "if-match" in request.headers,
            if_match=_versions(_joined(request, "if-match")) if operation.if_match else None,
            if_none_match=_joined(request, "if-none-match"),
            body=await self._body(operation, request, principal),
            request_id=request.state.request_id,
        )

    async def _body(self, operation: Operation, request: Request, principal: Principal) -> Any:
        if operation.body is None:
            return None
        if isinstance(operation.body, Upload):
            return await read_upload(request, operation.body.max_bytes)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or "content-encoding" in request.headers:
            raise UnsupportedMediaType(expected="application/json")
        raw = await read_limited(request, self._house.settings.max_body)
        request.state.raw_body = raw
        try:
            return decode_body(operation.body, raw)
        except Invalid as refusal:
            reference = self._house.references.of(principal.city)
            raise judged(operation, refusal, raw, principal, reference, self._house.now()) from None


def _check_form(operation: Operation, request: Request) -> None:
    """Raise for what no operation reads: a path of odd signs, an answer's form that we lack."""
    for step in request.path_params.values():
        require_step(step)
    if operation.answer is not bytes and not accepts(
        _joined(request, "accept") or "", operation.media_type
    ):
        raise NotAcceptable(media_type=operation.media_type)
    if len(_joined(request, "accept-language") or "") > LONGEST:
        raise malformed("Accept-Language", "/accept-language", "too-long", max_length=LONGEST)


def _asked(request: Request) -> QueryParams:
    return request.query_params if request.scope["query_string"] else _NOTHING


def _joined(request: Request, name: str) -> str | None:
    """A header as one list, however many lines it came in (RFC 9110 §5.3)."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def _key(request: Request) -> str:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        raise KeyRequired
    if len(keys) > 1:
        raise malformed("Idempotency-Key", "/idempotency-key", "not-unique")
    return sound_key(keys[0])


def _said(operation: Operation, call: Call, request: Request) -> bytes:
    """What tells this request from another under the same key."""
    if isinstance(operation.body, Upload):
        fingerprint: bytes = call.body.fingerprint()
        return fingerprint
    return canonical(getattr(request.state, "raw_body", b""))


def _versions(header: str | None) -> frozenset[int] | None:
    """The versions of If-Match; None where it is absent or `*`. Raises Malformed."""
    if header is None or header.strip() == "*":
        return None
    if len(header) > _TAGS:
        raise malformed("If-Match", "/if-match", "too-long", max_length=_TAGS)
    if not _LIST.fullmatch(header):
        raise malformed("If-Match", "/if-match", "pattern")
    # A weak tag never matches for a change (RFC 9110 §13.1.1), nor does one that is not ours.
    strong = [tag.group(2) for tag in _TAG.finditer(header) if not tag.group(1)]
    return frozenset(int(said) for said in strong if _VERSION.fullmatch(said))


def _respond(reply: Reply, call: Call, *, safe: bool) -> Response:
    headers = dict(reply.headers)
    tag, known = headers.get("etag"), call.if_none_match
    # Only what changes nothing can be 'not modified'.
    if safe and tag is not None and known is not None and _matches(known, tag):
        return Response(status_code=304, headers=headers)
    if reply.status == 204:
        return Response(status_code=204, headers=headers)
    headers.setdefault("content-language", call.language)
    return Response(encoded(reply.body), reply.status, headers, media_type=reply.media_type)


def _matches(header: str, tag: str) -> bool:
    tags = {part.strip().removeprefix("W/") for part in header[: 5 * _TAGS].split(",")}
    return "*" in tags or tag in tags
