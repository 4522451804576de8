"""Subscriptions open at once on one process, and how soon all of them hear of one event.

    python -m benchmarks.subscriptions [--open 2000] [--rounds 5]

Each has a socket of its own and follows the whole city. An appeal is registered over REST; timed is
from its 201 to the last socket that has both of its events. The yardstick is a bare ASGI program
under the same server that sends as many bytes to as many sockets when it is told to. Clients,
server, scheduler and PostgreSQL share the machine.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.stage import ROOT, Stage, free_port, memory, open_stage, running
from demo.semey.geography import ident

AT_ONCE = 50
EVENTS = 2
QUERY = "subscription { appeals { cursor type number sequence at status serviceCode } }"
WATER = str(ident("organisation", "water"))
BODY = {
    "service": "general.unclassified", "kind": "complaint", "channel": "phone", "language": "ru",
    "text": "Слабый напор воды, третий день",
}  # fmt: skip

# ---- the yardstick: what the server and the sockets cost by themselves
_sockets: list[Any] = []
_SAID = "x" * 330
"""About the length of an entry."""


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Whoever comes waits; who says `go` has it sent to all, EVENTS times."""
    if scope["type"] == "lifespan":
        for answer in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{answer}.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    _sockets.append(send)
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "go":
            for _ in range(EVENTS):
                await asyncio.gather(
                    *(each({"type": "websocket.send", "text": _SAID}) for each in _sockets)
                )


@contextmanager
def yardstick() -> Iterator[int]:
    """The bare program, served; its port."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port),
               "--no-log", "benchmarks.subscriptions:bare"]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


@asynccontextmanager
async def opened(
    url: str, many: int, token: str | None = None, **options: Any
) -> AsyncIterator[list[ClientConnection]]:
    """So many sockets, subscribed where a token is given."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:

        async def one() -> ClientConnection:
            async with gate:
                for attempt in range(100):
                    try:
                        socket = await connect(
                            url, compression=None, ping_interval=None, close_timeout=1, **options
                        )
                        if token is not None:
                            await subscribe(socket, token)
                        return socket
                    except OSError:
                        if attempt == 99:
                            raise
                        await asyncio.sleep(0.1)
                raise AssertionError("unreachable")

        found = await asyncio.gather(*(one() for _ in range(many)))
        for each in found:
            stack.callback(each.transport.abort)
        yield list(found)


async def heard(sockets: list[ClientConnection]) -> list[float]:
    """When each socket had its last message."""

    async def one(socket: ClientConnection) -> float:
        for _ in range(EVENTS):
            await socket.recv()
        return time.perf_counter()

    return await asyncio.gather(*(one(each) for each in sockets))


async def bare_rounds(port: int, many: int, rounds: int) -> list[float]:
    async with opened(f"ws://127.0.0.1:{port}/", many) as sockets:
        spent = []
        for _ in range(rounds):
            hearing = asyncio.create_task(heard(sockets))
            await asyncio.sleep(0.5)
            begun = time.perf_counter()
            await sockets[0].send("go")
            spent.append(max(await hearing) - begun)
        return spent


async def subscribe(socket: ClientConnection, token: str) -> None:
    greeting = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    await socket.send(orjson.dumps(greeting).decode())
    assert orjson.loads(await socket.recv())["type"] == "connection_ack"
    order = {"id": "1", "type": "subscribe", "payload": {"query": QUERY}}
    await socket.send(orjson.dumps(order).decode())


async def rounds_of(stage: Stage, many: int, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until the first and until the last had heard, after the 201."""
    token = stage.tokens["inspector"]
    headers = {"authorization": f"Bearer {stage.tokens['operator']}"}
    url, process = f"ws://127.0.0.1:{stage.port}/graphql", f"--port {stage.port}"
    before = memory(process)
    firsts, lasts = [], []
    async with (
        opened(url, many, token, subprotocols=["graphql-transport-ws"]) as sockets,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{stage.port}", headers=headers) as client,
    ):
        await asyncio.sleep(3)
        after = memory(process)
        print(f"memory of the API, MB: {before} before, {after} with {many} subscriptions")
        print(f"  {(sum(after) - sum(before)) * 1024 / many:.0f} kB each")
        for _ in range(rounds):
            hearing = asyncio.create_task(heard(sockets))
            await asyncio.sleep(1)
            answer = await client.post(
                "/v1/appeals", json=BODY, headers={"idempotency-key": uuid4().hex}
            )
            begun = time.perf_counter()
            assert answer.status_code == 201, answer.text
            told = await hearing
            firsts.append(min(told) - begun)
            lasts.append(max(told) - begun)
        print(f"memory afterwards, MB: {memory(process)}")
    return firsts, lasts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--open", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    os.environ |= {
        "IKOMEK_RATE_LIMIT": "0",
        "IKOMEK_GRAPHQL_BUDGET": "0",
        "IKOMEK_GRAPHQL_SUBSCRIPTIONS_EACH": "5000",
    }
    with yardstick() as port:
        bare_times = asyncio.run(bare_rounds(port, asked.open, asked.rounds))
    with open_stage(workers=1) as stage, running(stage.environment, "scheduler"):
        firsts, lasts = asyncio.run(rounds_of(stage, asked.open, asked.rounds))
    slowest = statistics.median(lasts)
    spread = statistics.median(last - first for first, last in zip(firsts, lasts, strict=True))
    base = statistics.median(bare_times)
    print(f"{asked.open} subscriptions, median of {asked.rounds}:")
    print(f"  first socket has both events after {statistics.median(firsts) * 1000:.0f} ms")
    print(f"  last  socket has both events after {slowest * 1000:.0f} ms (most {max(lasts):.2f} s)")
    print(f"  bare program to as many sockets    {base * 1000:.0f} ms")
    print(f"  ratio of the fan-out to the bare program: {spread / base:.2f}")


if __name__ == "__main__":
    main()
