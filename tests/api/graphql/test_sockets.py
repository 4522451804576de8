"""A socket alone, without a server: what a server would keep out of sight."""

import asyncio
import json
from typing import Any

import pytest
from starlette.websockets import WebSocket

from api.graphql import sockets
from api.graphql.answers import Voice
from api.graphql.calls import Caller
from api.graphql.sockets import PROTOCOL, Socket
from tests.api.graphql.serving import engine_of


class Line:
    """The way to the other side, which takes so many messages and then no more."""

    def __init__(self, takes: int) -> None:
        self._takes = takes
        self.sent: list[dict[str, Any]] = []
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.said.put_nowait({"type": "websocket.connect"})

    def say(self, **message: Any) -> None:
        self.said.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def receive(self) -> dict[str, Any]:
        return await self.said.get()

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            if self._takes == 0:
                await asyncio.Event().wait()
            self._takes -= 1
        self.sent.append(message)

    @property
    def told(self) -> list[str]:
        return [json.loads(m["text"])["type"] for m in self.sent if m["type"] == "websocket.send"]


async def served(line: Line) -> None:
    scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": [PROTOCOL]}

    async def greet(_: WebSocket, header: str | None) -> Caller:
        return Caller(None, Voice("en", "request"), header)

    async def again(caller: Caller) -> Caller:
        return caller

    websocket = WebSocket(scope, line.receive, line.send)
    await Socket(websocket, engine_of(), greet, again, 100_000).serve()


async def test_who_takes_no_message_is_let_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "SEND_SECONDS", 0.2)
    line = Line(takes=2)
    line.say(type="connection_init")
    line.say(type="ping")
    line.say(type="ping")
    async with asyncio.timeout(5):
        await served(line)
    assert line.told == ["connection_ack", "pong"]
    assert line.sent[-1] == {
        "type": "websocket.close", "code": 1013, "reason": "Messages are not taken",
    }  # fmt: skip


async def test_who_takes_messages_now_and_then_is_not(monkeypatch: pytest.MonkeyPatch):
    """The one look of a socket is for the message that is on its way, not for the first ever."""
    monkeypatch.setattr(sockets, "SEND_SECONDS", 0.1)
    line = Line(takes=100)
    line.say(type="connection_init")
    serving = asyncio.create_task(served(line))
    for _ in range(6):
        await asyncio.sleep(0.05)
        line.say(type="ping")
    await asyncio.sleep(0.05)
    line.said.put_nowait({"type": "websocket.disconnect", "code": 1000})
    async with asyncio.timeout(5):
        await serving
    assert line.told == ["connection_ack", *6 * ["pong"]]


async def test_who_asks_nothing_is_let_go_however_often_they_ping(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "IDLE_SECONDS", 0.3)
    line = Line(takes=1000)
    line.say(type="connection_init")
    pinging = asyncio.create_task(_ping(line))
    try:
        async with asyncio.timeout(5):
            await served(line)
    finally:
        pinging.cancel()
    assert "pong" in line.told
    assert line.sent[-1]["type"] == "websocket.close"
    assert line.sent[-1]["code"] == 1000


async def test_who_asks_now_and_then_or_follows_something_is_not(monkeypatch: pytest.MonkeyPatch):
    # Several times the pauses between two questions: a busy machine makes them longer.
    monkeypatch.setattr(sockets, "IDLE_SECONDS", 1.2)
    line = Line(takes=1000)
    line.say(type="connection_init")
    serving = asyncio.create_task(served(line))
    for n in range(8):
        line.say(type="subscribe", id=f"q{n}", payload={"query": "{ __typename }"})
        await asyncio.sleep(0.2)
    line.say(type="subscribe", id="s", payload={"query": "subscription { endless }"})
    await asyncio.sleep(1.5)
    assert not serving.done()
    line.say(type="complete", id="s")
    async with asyncio.timeout(5):
        await serving
    assert line.sent[-1]["code"] == 1000


async def _ping(line: Line) -> None:
    while True:
        line.say(type="ping")
        await asyncio.sleep(0.05)
