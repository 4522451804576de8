"""The door of the graph: who comes, what they may spend, and by which way they are answered."""

from dataclasses import replace
from functools import partial

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from api.auth import Authenticator
from api.bootstrap import House
from api.errors import Malformed, Unauthenticated
from api.graphql.answers import Voice
from api.graphql.calls import Caller
from api.graphql.engine import Engine
from api.graphql.http import ALLOWED, Transport
from api.graphql.hub import Hub
from api.graphql.sockets import Socket, same_origin
from api.graphql.subscriptions import Stream
from api.languages import LONGEST, preferred
from api.limits import Standing
from domain.access import Principal
from domain.errors import Fault, Refusal
from domain.values import new_id


class GraphDoor:
    """What every request of the graph passes through. Made once in each process."""

    def __init__(self, house: House, engine: Engine, hub: Hub) -> None:
        settings = house.settings
        self._house, self._engine, self.hub = house, engine, hub
        self._transport = Transport(
            engine, max_body=settings.max_body, batch=settings.graphql_batch
        )
        self._authenticator = Authenticator(house.tokens.find, house.trust, house.trees)

    async def handle(self, request: Request) -> Response:
        """The response to a request. Raises Refusal; the application tells it."""
        request.state.route = "graphql"
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": ALLOWED})
        header = _authorization(request)
        caller = await self._caller(request, header, request.state.request_id)
        standing = self._spent(caller)
        request.state.headers.update(standing.headers)
        standing.require()
        if caller.principal is not None:
            request.state.who = str(caller.principal.id)
        return await self._transport.answer(request, caller)

    async def socket(self, websocket: WebSocket) -> None:
        """Speak over a WebSocket, if the page that opens it is of an origin that may."""
        settings = self._house.settings
        if not same_origin(websocket, settings.cors_origins, settings.base_url):
            # Before it is accepted: the handshake is answered by 403.
            await websocket.close()
            return
        again = self._again
        await Socket(websocket, self._engine, self._greet, again, settings.max_body).serve()

    async def _again(self, caller: Caller) -> Caller:
        """An operation over a socket is a request like any other: counted, and judged anew, since
        a token may have ended, or a role been taken away, since the socket was opened.
        """
        if caller.header is not None:
            caller = replace(caller, principal=await self.judge(caller.header))
        self._spent(caller).require()
        return caller

    async def _greet(self, websocket: WebSocket, header: str | None) -> Caller:
        caller = await self._caller(websocket, header, str(new_id()))
        self._spent(caller).require()
        return caller

    async def _caller(
        self, connection: HTTPConnection, header: str | None, request_id: str
    ) -> Caller:
        languages = ", ".join(connection.headers.getlist("accept-language"))
        if len(languages) > LONGEST:
            raise Malformed("Accept-Language", [Fault("/accept-language", "too-long", {})])
        address = connection.client.host if connection.client else ""
        principal: Principal | None = None
        if header is not None:
            try:
                principal = await self.judge(header)
            except Refusal:
                self._house.requests.at(address).require()
                raise
        voice = Voice(preferred(languages), request_id, str(principal.id) if principal else None)
        return Caller(principal, voice, header, address, connection.headers.get("idempotency-key"))

    def stream(self, caller: Caller) -> Stream:
        """How a caller follows what happens: judged again by the header that they came with."""
        return Stream(self.hub, partial(self.judge, caller.header))

    async def judge(self, header: str | None) -> Principal:
        """Whom a header stands for now. Raises Unauthenticated."""
        return await self._authenticator.principal(header, self._house.now())

    def _spent(self, caller: Caller) -> Standing:
        return spend(self._house, caller)


def spend(house: House, caller: Caller, count: int = 1) -> Standing:
    """A request of the caller's quota, or several; the quota is that of the REST API. What comes
    in one request and is several (a batch, several acts of one mutation) is counted once at the
    door, and the rest of it when it has been read.
    """
    if caller.principal is None:
        return house.requests.at(caller.address, count)
    return house.requests.of(caller.principal, count)


def _authorization(request: Request) -> str | None:
    """The header; None where there is none. Raises Unauthenticated for several."""
    found = request.headers.getlist("authorization")
    if len(found) > 1:
        raise Unauthenticated(error="invalid_request")
    return found[0] if found else None
