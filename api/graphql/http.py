"""GraphQL over HTTP: POST and GET, one operation or a short batch, and streams of events.

The form follows the GraphQL over HTTP draft (graphql.github.io/graphql-over-http/draft), judged by
the audits of `graphql-http`. Who takes `application/graphql-response+json` is told by the status
that an operation did not run (400); who takes `application/json` alone gets 200, as the draft asks.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from api.accept import accepts
from api.errors import (
    STATUS,
    Malformed,
    MethodNotAllowed,
    NotAcceptable,
    RateLimited,
    TimedOut,
    UnsupportedMediaType,
)
from api.graphql.answers import encode, refuse
from api.graphql.calls import Caller, Params, Prepared, read_params
from api.graphql.documents import Unreadable
from api.graphql.engine import Engine
from api.graphql.sse import MEDIA_TYPE as EVENT_STREAM
from api.graphql.sse import stream
from api.limits import Standing
from api.quality import quality
from api.rest.bodies import read_limited
from domain.errors import Fault, Refusal

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
ALLOWED = "GET, OPTIONS, POST"
ALWAYS = (RateLimited, TimedOut)
"""Refusals whose status is told whatever form of answer is taken: they pass by themselves."""


class Transport:
    """Turns requests into operations and answers into responses."""

    def __init__(self, engine: Engine, *, max_body: int, batch: int) -> None:
        self._engine = engine
        self._max_body, self._batch = max_body, batch

    async def answer(self, request: Request, caller: Caller) -> Response:
        """The response. Raises Refusal for what is no GraphQL request at all."""
        form = _form(request)
        request.state.quota = dict(request.state.headers)
        try:
            said = await self._said(request)
            if isinstance(said, list):
                return await self._several(request, said, caller, form)
            params = read_params(said)
        except Malformed as refusal:
            told = self._engine.told_refused(refusal, caller)
            return _response(refuse(refusal, caller.voice, told), 400, form)
        return await self._one(request, params, caller, form)

    async def _said(self, request: Request) -> Any:
        if request.method == "GET":
            return _query(request)
        if request.method != "POST":
            raise MethodNotAllowed(allowed=ALLOWED)
        _require_json(request)
        raw = await read_limited(request, self._max_body)
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise Malformed("JSON", [Fault("", "format", {})]) from None

    async def _one(self, request: Request, params: Params, caller: Caller, form: str) -> Response:
        status, body, prepared = self._prepared(params, caller, form)
        if prepared is None:
            return _response(body, status, form)
        if request.method == "GET" and prepared.kind is OperationType.MUTATION:
            raise MethodNotAllowed(allowed="POST")
        self._pay(request, caller, prepared.requests)
        _tell(request, prepared.standing)
        if form == EVENT_STREAM:
            return stream(self._engine, prepared, caller)
        status, body = await self._run(prepared, caller, form)
        return _response(body, status, form)

    async def _several(
        self, request: Request, said: list[Any], caller: Caller, form: str
    ) -> Response:
        if not said or len(said) > self._batch or form == EVENT_STREAM:
            raise Malformed("batch", [Fault("", "too-long", {"max_length": self._batch})])
        # All are read, and paid for, before any runs: whoever is told 400 or 429 has done nothing.
        several = [read_params(each) for each in said]
        ready = [self._prepared(params, caller, form) for params in several]
        self._pay(request, caller, sum(p.requests if p else 1 for _, _, p in ready))
        answers = []
        for _, body, prepared in ready:
            if prepared is not None:
                _tell(request, prepared.standing)
                _, body = await self._run(prepared, caller, form)
            answers.append(body)
        return _response(answers, 200, form)

    def _pay(self, request: Request, caller: Caller, requests: int) -> None:
        """Spend as many requests of the quota as there are, of which the door spent one. Raises
        RateLimited where too few are left; nothing has run.
        """
        if requests > 1:
            standing = self._engine.pay(caller, requests - 1)
            request.state.quota.update(standing.headers)
            request.state.headers.update(standing.headers)
            standing.require()

    def _prepared(
        self, params: Params, caller: Caller, form: str
    ) -> tuple[int, dict[str, Any], Prepared | None]:
        try:
            return 200, {}, self._engine.prepare(params, caller)
        except (Unreadable, Refusal) as error:
            told = self._engine.told_refused(error, caller)
            return _status(error, form), refuse(error, caller.voice, told), None

    async def _run(
        self, prepared: Prepared, caller: Caller, form: str
    ) -> tuple[int, dict[str, Any]]:
        if prepared.kind is OperationType.SUBSCRIPTION:
            refusal = NotAcceptable(media_type=EVENT_STREAM)
            told = self._engine.told(prepared)
            return _status(refusal, form), refuse(refusal, caller.voice, told)
        try:
            body = await self._engine.run(prepared, caller)
        except TimedOut as refusal:
            told = self._engine.told(prepared)
            return _status(refusal, form), refuse(refusal, caller.voice, told)
        return (200 if "data" in body or form == JSON else 400), body


def _tell(request: Request, standing: Standing) -> None:
    """Tell the budget beside the quota of requests, which the door told."""
    before: Mapping[str, str] = request.state.quota
    for name, value in standing.headers.items():
        request.state.headers[name] = f"{before[name]}, {value}" if name in before else value


def _status(error: Refusal | Unreadable, form: str) -> int:
    if form != RESPONSE and not isinstance(error, ALWAYS):
        return 200
    return int(STATUS[type(error)]) if isinstance(error, Refusal) else 400


def _form(request: Request) -> str:
    """The form of the answer. Raises NotAcceptable."""
    header = ", ".join(request.headers.getlist("accept"))
    named = {
        name.partition(";")[0].strip().lower(): quality(name.partition(";")[2])
        for name in header.split(",")
    }
    forms = [form for form in (RESPONSE, JSON, EVENT_STREAM) if named.get(form)]
    if forms:
        return max(forms, key=lambda form: named[form])
    if not accepts(header, JSON):
        raise NotAcceptable(media_type=RESPONSE)
    return JSON


def _require_json(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    plain = kind.strip().lower() == JSON and charset in ("", "utf-8", "utf8")
    if not plain or "content-encoding" in request.headers:
        raise UnsupportedMediaType(expected=JSON)


def _query(request: Request) -> dict[str, Any]:
    said: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in said:
            try:
                said[name] = orjson.loads(said[name])
            except orjson.JSONDecodeError:
                raise Malformed("JSON", [Fault(f"/{name}", "format", {})]) from None
    return said


def _response(body: Mapping[str, Any] | list[Any], status: int, form: str) -> Response:
    # A stream of events that cannot begin is told as any other answer.
    kind = RESPONSE if form == EVENT_STREAM else form
    return Response(encode(body), status, media_type=f"{kind}; charset=utf-8")
