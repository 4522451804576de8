"""What happens to every request before its operation and after: id, log line, headers."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.values import new_id

log = structlog.get_logger()

Failed = Callable[[Request, Exception], Awaitable[Response]]

_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = frozenset({"/v1/health", "/v1/ready"})
_FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Accept-Language, Authorization, Origin"),
)


class RequestRecord:
    """Gives each request an id (the caller's own, if it is one), and writes one line about it.

    The line holds no query, body or header: nothing that could name a person (law 6).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"], state["headers"] = request_id, {}
        started, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_headers(state, request_id)]
            elif scope["method"] == "HEAD":
                # The headers of GET, its length among them, and no body (RFC 9110 §9.3.2).
                if message.get("more_body", False):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            if scope["path"] not in _QUIET:
                log.info(
                    "request",
                    method=scope["method"],
                    route=state.get("route", "unknown"),
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                    request_id=request_id,
                )


class Caught:
    """Tells an error that nobody expected like every other refusal, with all its headers."""

    def __init__(self, app: ASGIApp, failed: Failed) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if begun:
                raise
            response = await self._failed(Request(scope), error)
            await response(scope, receive, send)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _GIVEN.fullmatch(given):
                return str(given)
    return str(new_id())


def _headers(state: dict[str, Any], request_id: str) -> list[tuple[bytes, bytes]]:
    said = [(name.encode(), value.encode()) for name, value in state["headers"].items()]
    return [(b"x-request-id", request_id.encode()), *_FIXED, *said]
