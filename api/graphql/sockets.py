"""Subscriptions over WebSockets: the protocol `graphql-transport-ws` of graphql-ws.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md, its close codes included. A token
comes in `connection_init` (`{"authorization": "Bearer …"}`) or in the header of the handshake; a
page of another origin is turned away before the socket opens (ASVS 4.4.2). Each operation is judged
by the token anew, as a request of its own would be; when the token ends, so does the socket.
Queries and mutations are answered as well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.errors import TimedOut, Unauthenticated
from api.graphql.answers import encode, refuse
from api.graphql.calls import Caller, Prepared, read_params
from api.graphql.documents import Unreadable
from api.graphql.engine import Engine, Refused
from domain.errors import Refusal

log = structlog.get_logger()

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 5.0
SEND_SECONDS = 20.0
"""How long one message may take to leave before the other side counts as gone."""
IDLE_SECONDS = 60.0
"""How long a socket may stand open while nothing is asked: it costs memory and no quota, and
whoever wants to ask opens another. Pings are no question."""
MOST_OPERATIONS = 50
"""Of one socket, at once."""
LONGEST_ID = 64

Greet = Callable[[WebSocket, str | None], Awaitable[Caller]]
"""Who comes with a header. Raises Unauthenticated, RateLimited."""

Again = Callable[[Caller], Awaitable[Caller]]
"""Who the caller is now; counts one request of theirs. Raises Unauthenticated, RateLimited."""


class Closed(Exception):
    """The socket is to be closed: a code of the protocol, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def same_origin(websocket: WebSocket, allowed: Iterable[str], own: str) -> bool:
    """Whether the page that opens the socket is ours or a city's, or there is no page."""
    origin = websocket.headers.get("origin")
    if origin is None:
        return True
    host = websocket.headers.get("host", "")
    ours = urlsplit(own)
    return (
        origin in set(allowed)
        or origin == f"{ours.scheme}://{ours.netloc}"
        or urlsplit(origin).netloc == host
    )


class Socket:
    """One connection."""

    def __init__(
        self, websocket: WebSocket, engine: Engine, greet: Greet, again: Again, max_body: int
    ) -> None:
        self._websocket, self._engine, self._greet = websocket, engine, greet
        self._again, self._max_body = again, max_body
        self._caller: Caller | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._since: float | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._busy_at = 0.0
        self._closing: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Speak until one side ends it."""
        if PROTOCOL not in self._websocket.scope.get("subprotocols", ()):
            await self._websocket.accept()
            await self._websocket.close(4406, "Subprotocol not acceptable")
            return
        await self._websocket.accept(PROTOCOL)
        listening = asyncio.ensure_future(self._listen())
        try:
            either: set[asyncio.Future[Any]] = {listening, self._closing}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            else:
                raise self._closing.result()
        except Closed as closed:
            with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(SEND_SECONDS):
                    await self._websocket.close(closed.code, closed.reason)
        except WebSocketDisconnect:
            pass
        finally:
            await self._end(listening)

    async def _end(self, listening: asyncio.Future[None]) -> None:
        for timer in (self._watch, self._idle):
            if timer is not None:
                timer.cancel()
        tasks = [*self._running.values(), listening]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                message = await self._receive()
                while message["type"] != "connection_init":
                    await self._before_init(message)
                    message = await self._receive()
                await self._init(message)
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        while True:
            await self._heed(await self._receive())

    async def _receive(self) -> dict[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        if text is None:
            raise Closed(4400, "Messages are text")
        if len(text) > self._max_body:
            raise Closed(1009, "Message too big")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closed(4400, "Messages are JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "Messages are objects with a type")
        return message

    async def _before_init(self, message: dict[str, Any]) -> None:
        if message["type"] in ("ping", "pong"):
            await self._heed(message)
        elif message["type"] == "subscribe":
            raise Closed(4401, "Unauthorized")
        else:
            raise Closed(4400, "Unknown type of message")

    async def _init(self, message: dict[str, Any]) -> None:
        payload = message.get("payload")
        if payload is not None and not isinstance(payload, dict):
            raise Closed(4400, "The payload of connection_init is an object")
        said = {name.lower(): value for name, value in (payload or {}).items()}
        header = said.get("authorization", self._websocket.headers.get("authorization"))
        if header is not None and not isinstance(header, str):
            raise Closed(4403, "Forbidden")
        try:
            self._caller = await self._greet(self._websocket, header)
        except Refusal:
            raise Closed(4403, "Forbidden") from None
        await self._send({"type": "connection_ack"})
        self._busy_at = asyncio.get_running_loop().time()
        self._expect_work()

    def _expect_work(self) -> None:
        """End the socket that was left idle, or look again when it could have been."""
        loop = asyncio.get_running_loop()
        if self._running:
            self._busy_at = loop.time()
        left = self._busy_at + IDLE_SECONDS - loop.time()
        if left > 0:
            self._idle = loop.call_later(left, self._expect_work)
        else:
            self._close(Closed(1000, "Nothing is asked"))

    async def _heed(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                self._begin(message)
            case "complete":
                if task := self._running.pop(_id(message), None):
                    task.cancel()
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case _:
                raise Closed(4400, "Unknown type of message")

    def _begin(self, message: dict[str, Any]) -> None:
        id = _id(message)
        if id in self._running:
            raise Closed(4409, f"Subscriber for {id} already exists")
        if len(self._running) >= MOST_OPERATIONS:
            raise Closed(4429, "Too many operations")
        if not isinstance(message.get("payload"), dict):
            raise Closed(4400, "The payload of subscribe is an object")
        task = asyncio.create_task(self._run(id, message["payload"]))
        self._running[id] = task

    async def _run(self, id: str, payload: dict[str, Any]) -> None:
        try:
            await self._operate(id, payload)
        except Closed as closed:
            self._close(closed)
        except (RuntimeError, WebSocketDisconnect):
            # Sent to one who has gone: the listener sees it too, and ends all of it.
            self._close(Closed(1011, "The connection is lost"))
        except Exception as error:
            log.error("unexpected", route="graphql", exc_info=error)
            self._close(Closed(1011, "An error of ours"))
        finally:
            self._busy_at = asyncio.get_running_loop().time()
            if self._running.get(id) is asyncio.current_task():
                del self._running[id]

    def _close(self, closed: Closed) -> None:
        if not self._closing.done():
            self._closing.set_result(closed)

    async def _operate(self, id: str, payload: dict[str, Any]) -> None:
        caller = self._caller
        if caller is None:
            raise Closed(4401, "Unauthorized")
        try:
            caller = await self._again(caller)
            prepared = self._engine.prepare(read_params(payload), caller)
            if prepared.requests > 1:
                self._engine.pay(caller, prepared.requests - 1).require()
        except Unauthenticated:
            raise Closed(4403, "Forbidden") from None
        except (Unreadable, Refusal) as error:
            await self._error(id, refuse(error, caller.voice))
            return
        if prepared.kind is OperationType.SUBSCRIPTION:
            await self._follow(id, prepared, caller)
            return
        try:
            body = await self._engine.run(prepared, caller)
        except TimedOut as refusal:
            body = refuse(refusal, caller.voice)
        if "data" not in body:
            await self._error(id, body)
            return
        await self._next(id, encode(body))
        await self._complete(id)

    async def _follow(self, id: str, prepared: Prepared, caller: Caller) -> None:
        events = self._engine.follow(prepared, caller)
        try:
            async for body in events:
                await self._next(id, body)
        except Refused as refused:
            await self._error(id, refused.body)
            if isinstance(refused.refusal, Unauthenticated):
                raise Closed(4403, "Forbidden") from None
            return
        finally:
            await events.aclose()
        await self._complete(id)

    async def _next(self, id: str, body: bytes) -> None:
        head = b'{"id":' + orjson.dumps(id) + b',"type":"next","payload":'
        await self._text(head + body + b"}")

    async def _error(self, id: str, body: dict[str, Any]) -> None:
        self._running.pop(id, None)
        await self._send({"id": id, "type": "error", "payload": body["errors"]})

    async def _complete(self, id: str) -> None:
        self._running.pop(id, None)
        await self._send({"id": id, "type": "complete"})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._text(encode(message))

    async def _text(self, said: bytes) -> None:
        async with self._sending:
            self._since = asyncio.get_running_loop().time()
            if self._watch is None:
                self._look_again(SEND_SECONDS)
            try:
                await self._websocket.send_text(said.decode())
            finally:
                self._since = None

    def _look_again(self, seconds: float) -> None:
        self._watch = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """End the socket whose message does not leave. One timer looks after many messages: one
        for each would take as long as the sending.
        """
        self._watch = None
        if self._since is None:
            return
        left = self._since + SEND_SECONDS - asyncio.get_running_loop().time()
        if left > 0:
            self._look_again(left)
        else:
            self._close(Closed(1013, "Messages are not taken"))


def _id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
        raise Closed(4400, "An operation has an id")
    return id
