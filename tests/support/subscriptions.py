"""A client of graphql-transport-ws, as plain as the protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.neighbours import settled

PROTOCOL = "graphql-transport-ws"
PATIENCE = 30.0


@dataclass
class Peer:
    """The other side of one socket."""

    socket: ClientConnection
    ids: int = 0
    kept: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, type: str, **rest: Any) -> None:
        await self.socket.send(json.dumps({"type": type, **rest}))

    async def hear(self, patience: float = PATIENCE) -> dict[str, Any]:
        async with asyncio.timeout(patience):
            message: dict[str, Any] = json.loads(await self.socket.recv())
            return message

    async def greet(self, token: str | None) -> None:
        payload = {"authorization": f"Bearer {token}"} if token else {}
        await self.say("connection_init", payload=payload)
        assert (await self.hear())["type"] == "connection_ack"

    async def subscribe(self, query: str, **variables: Any) -> str:
        await settled()
        self.ids += 1
        id = str(self.ids)
        await self.say("subscribe", id=id, payload={"query": query, "variables": variables})
        return id

    async def next(self, patience: float = PATIENCE) -> Any:
        """The data of the next entry."""
        message = await self.hear(patience)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def closed(self) -> int:
        """The code by which the other side closes, whatever it says before."""
        with suppress(ConnectionClosed):
            while True:
                await self.hear()
        return self.socket.close_code or 0


async def followers(app: Starlette, many: int) -> None:
    """Wait until so many follow, no more and no fewer."""
    async with asyncio.timeout(PATIENCE):
        while app.state.graph.hub.subscribers != many:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def dialled(base: str, **options: Any) -> AsyncIterator[Peer]:
    """An open socket, not yet greeted."""
    url = base.replace("http", "ws", 1) + "/graphql"
    async with connect(url, subprotocols=[PROTOCOL], **options) as socket:  # type: ignore[list-item]
        yield Peer(socket)


@asynccontextmanager
async def greeted(base: str, token: str | None, **options: Any) -> AsyncIterator[Peer]:
    """An open socket of somebody."""
    async with dialled(base, **options) as peer:
        await peer.greet(token)
        yield peer
