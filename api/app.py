"""The ASGI application: routes made from the table of operations, one way in, one way out."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from itertools import groupby
from typing import cast
from urllib.parse import quote

import orjson
import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.bootstrap import House, WaysIn, open_house, open_ways
from api.browser import bound
from api.clock import real
from api.errors import Asked, Internal, Malformed, MethodNotAllowed, problem
from api.graphql.explorer import ROUTES as EXPLORER
from api.graphql.hub import Hub
from api.graphql.mount import ROUTES as GRAPH
from api.graphql.mount import open_graph
from api.languages import preferred
from api.leaving import listen
from api.limits import NAMES
from api.login.door import LoginDoor
from api.login.routes import ROUTES as LOGIN
from api.login.wiring import open_door
from api.logs import configure
from api.loops import Work, repeat
from api.middleware import Caught, RequestRecord
from api.oauth.contract import document as oauth_document
from api.oauth.routes import ROUTES as OAUTH
from api.oauth.routes import OAuthDoor
from api.pages import ROUTES as PAGES
from api.pages import reading
from api.punctual import Punctual
from api.rest.dispatch import Door
from api.rest.openapi import document
from api.rest.operation import Operation
from api.rest.table import OPERATIONS
from api.settings import Settings
from api.shapes import ByShape
from api.trust import PERIOD
from api.watch import watch
from domain.errors import NotFound, Refusal
from domain.identity.scopes import SCOPES

log = structlog.get_logger()

EXPOSED = (
    "etag", "link", "location", "x-request-id", "retry-after", "idempotency-replayed", *NAMES,
)  # fmt: skip
REFRESH_SECONDS = 1.0
YOUNG = (20_000, 10, 10)
"""Objects that come before the collector looks through them, and how many such looks before it
looks further back (gc.set_threshold)."""


def serve_app() -> Starlette:
    """The application of a process that does nothing else."""
    return create_app(begun=_stand)


def _stand(app: Starlette) -> None:
    settle()
    listen(app.state.leave)


def settle() -> None:
    """Have the collector leave alone what stands for good (the schemas, the model of triage, the
    agreements), and look less often: with it a look over everything took a third of a second,
    each few seconds, in which nobody was answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*YOUNG)


def create_app(
    settings: Settings | None = None, begun: Callable[[Starlette], None] = lambda _: None
) -> Starlette:
    """The application; without settings those of the environment. `begun` is called with it when
    it is ready to answer.
    """
    chosen = settings if settings is not None else Settings()
    configure(chosen.log_level)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            open_house(chosen, name="ikomek-api") as house,
            open_ways(chosen, house.signings) as opened,
            _kept_fresh(house),
        ):
            app.state.door = Door(house)
            app.state.graph = open_graph(house)
            app.state.oauth = OAuthDoor(house)
            app.state.login = _login(house, opened)
            app.state.leave = partial(_leave, house, app.state.graph.hub)
            begun(app)
            yield
            await app.state.graph.hub.close()
            with suppress(Refusal):
                await house.units.numbers.release()

    app = Starlette(
        routes=[
            ByShape(_routes()),
            reading("/v1/openapi.json", _contract),
            *GRAPH,
            *EXPLORER,
            *OAUTH,
            *LOGIN,
            reading("/oauth/openapi.json", _oauth_contract),
            *PAGES,
        ],
        lifespan=lifespan,
        exception_handlers={
            Refusal: _refused,
            HTTPException: _refused_by_starlette,
            ClientDisconnect: _gone,
        },
        middleware=_middleware(chosen),
    )
    # A path with a slash more is another path, and there is none.
    app.router.redirect_slashes = False
    return app


def _middleware(settings: Settings) -> list[Middleware]:
    """What every request goes through, from without to within."""
    return [
        Middleware(RequestRecord),
        Middleware(
            Cors,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "idempotency-key", "if-match",
                           "if-none-match", "accept-language", "x-request-id"],
            expose_headers=EXPOSED,
            max_age=600,
        ),
        Middleware(Caught, failed=_failed),
        Middleware(Punctual),
    ]  # fmt: skip


def _leave(house: House, hub: Hub) -> None:
    """Let go whoever waits: the process is about to end, and would end the later for them."""
    house.bell.close()
    hub.dismiss()


def _login(house: House, opened: WaysIn) -> LoginDoor:
    secure = house.trust.issuer.startswith("https:")
    return open_door(
        house,
        opened,
        people=house.people,
        authorizations=house.authorizations,
        scope_words=lambda scope: found.text if (found := SCOPES.get(scope)) else None,
        bound=partial(bound, secure=secure),
    )


@asynccontextmanager
async def _kept_fresh(house: House) -> AsyncIterator[None]:
    """Read the cities' agreements and what judges tokens now, and again whenever they change.

    A database that is down at the start is no reason to die: calls answer 503 until it is up.
    """

    async def refresh() -> bool:
        await house.references.refresh(house.now())
        return False

    async def trust() -> bool:
        # Tokens travel by the machine's clock, even where the city's clock runs fast.
        await house.trust.refresh(real())
        return False

    async with (
        _repeated("reference", refresh, REFRESH_SECONDS),
        _repeated("trust", trust, PERIOD),
    ):
        yield


@asynccontextmanager
async def _repeated(name: str, work: Work, period: float) -> AsyncIterator[None]:
    """Do `work` once before the body, come what may, and every `period` seconds beside it."""
    tried = asyncio.Event()

    async def turn() -> bool:
        try:
            return await work()
        finally:
            tried.set()

    task = asyncio.create_task(repeat(name, turn, period=period, stop=asyncio.Event()))
    await tried.wait()
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _routes() -> list[Route]:
    """One route per path: Starlette would name one method only in Allow for several."""
    ordered = sorted(OPERATIONS, key=lambda operation: operation.path)
    paths = groupby(ordered, key=lambda operation: operation.path)
    # Literal paths before those with parameters, or the parameter would swallow them.
    found = {path: _Endpoint(list(operations)) for path, operations in paths}
    return [
        Route(path, found[path], methods=None, include_in_schema=False)
        for path in sorted(found, key=lambda path: ("{" in path, path))
    ]


class _Endpoint:
    """The ASGI endpoint of one path: finds the operation of the method."""

    def __init__(self, operations: list[Operation]) -> None:
        self._by_method = {operation.method: operation for operation in operations}
        self._allowed = ", ".join(sorted({*self._by_method, "OPTIONS", *self._head()}))

    def _head(self) -> set[str]:
        return {"HEAD"} if "GET" in self._by_method else set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": self._allowed})
        operation = self._by_method.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            raise MethodNotAllowed(allowed=self._allowed)
        request.state.route = operation.id
        door: Door = request.app.state.door
        return await door.handle(operation, request)


class Cors(CORSMiddleware):
    """Starlette's, but telling its refusal as every other is told."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """What a browser may send."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == HTTPStatus.OK:
            return answer
        refusal = Malformed("CORS")
        asked = Asked("/", preferred(request_headers.get("accept-language")), "")
        return problem(refusal, asked)


async def _contract(_: Request) -> Response:
    return Response(orjson.dumps(document()), media_type="application/json")


async def _oauth_contract(_: Request) -> Response:
    return Response(orjson.dumps(oauth_document()), media_type="application/json")


def _asked(request: Request) -> Asked:
    state = request.state
    return Asked(
        path=quote(request.url.path),
        language=preferred(request.headers.get("accept-language")),
        request_id=getattr(state, "request_id", ""),
    )


async def _refused(request: Request, error: Exception) -> Response:
    refusal = cast("Refusal", error)
    watch(
        refusal,
        route=getattr(request.state, "route", "unknown"),
        who=getattr(request.state, "who", None),
        request_id=_asked(request).request_id,
    )
    return problem(refusal, _asked(request))


async def _refused_by_starlette(request: Request, error: Exception) -> Response:
    told = cast("HTTPException", error)
    if told.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (told.headers or {}).get("Allow", "GET")
        return problem(MethodNotAllowed(allowed=allowed), _asked(request))
    if told.status_code == HTTPStatus.NOT_FOUND:
        return problem(NotFound(kind="path", id=request.url.path), _asked(request))
    return problem(Malformed(told.detail), _asked(request))


async def _gone(_: Request, __: Exception) -> Response:
    """The caller hung up; nobody reads this."""
    return Response(status_code=400)


async def _failed(request: Request, error: Exception) -> Response:
    log.error("unexpected", request_id=_asked(request).request_id, exc_info=error)
    return problem(Internal(request_id=_asked(request).request_id), _asked(request))
