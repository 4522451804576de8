"""Subscriptions open at once on one process, and how soon all of them hear of one event.

    python -m benchmarks.subscriptions [--open 2000] [--rounds 40]

Each has a socket of its own and follows the whole city, as one of several members who see all of
it. An appeal is registered over REST; timed is from its 201 to the last socket that has both of its
events: once where the entry alone is asked for, and once where the appeal is read with it. The
yardstick is a bare ASGI program under the same server that sends as many bytes to as many sockets
when it is told to. Clients, server, scheduler and PostgreSQL share the machine; the clients'
garbage collector rests meanwhile, since its pauses would be taken for the server's.
"""

import argparse
import asyncio
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.stage import ROOT, Stage, free_port, memory, open_stage, processor, running
from demo.semey.geography import ident

AT_ONCE = 50
EVENTS = 2
QUERIES = {
    "the entry": "subscription { appeals { cursor type number sequence at status serviceCode } }",
    "the appeal with it": """subscription { appeals { cursor type number appeal {
        number status text dueAt clocks { stage dueAt } organisation { name } } } }""",
}
ROLES = ("inspector", "operator", "akim", "auditor")
"""Who see the city whole."""
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
    _sockets.remove(send)


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
    url: str, many: int, query: str = "", tokens: Sequence[str] = (), **options: Any
) -> AsyncIterator[list[ClientConnection]]:
    """So many sockets, subscribed by each token in turn where there are any."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:

        async def one(place: int) -> ClientConnection:
            async with gate:
                for attempt in range(100):
                    try:
                        socket = await connect(
                            url, compression=None, ping_interval=None, close_timeout=1, **options
                        )
                        if tokens:
                            await subscribe(socket, query, tokens[place % len(tokens)])
                        return socket
                    except OSError:
                        if attempt == 99:
                            raise
                        await asyncio.sleep(0.1)
                raise AssertionError("unreachable")

        found = await asyncio.gather(*map(one, range(many)))
        for each in found:
            stack.callback(each.transport.abort)
        gc.collect()
        gc.disable()
        stack.callback(gc.enable)
        yield list(found)


async def heard(sockets: list[ClientConnection]) -> list[float]:
    """When each socket had its last message."""

    async def one(socket: ClientConnection) -> float:
        for _ in range(EVENTS):
            await socket.recv()
        return time.perf_counter()

    return await asyncio.gather(*(one(each) for each in sockets))


async def bare_rounds(port: int, many: int, rounds: int) -> list[float]:
    url, process = f"ws://127.0.0.1:{port}/", f"--port {port}"
    async with opened(url, 1):
        # It has begun.
        before = memory(process)
    async with opened(url, many) as sockets:
        await asyncio.sleep(3)
        _tell_memory("the bare program", before, memory(process), many)
        spent, busy = [], processor(process)
        for _ in range(rounds):
            hearing = asyncio.create_task(heard(sockets))
            await asyncio.sleep(0.5)
            begun = time.perf_counter()
            await sockets[0].send("go")
            spent.append(max(await hearing) - begun)
        _tell_processor(busy, process, rounds)
        return spent


def _tell_memory(what: str, before: list[int], after: list[int], many: int) -> None:
    each = (sum(after) - sum(before)) * 1024 / many
    print(f"memory of {what}, MB: {before} before, {after} with {many} ({each:.0f} kB each)")


def _tell_processor(before: float, process: str, rounds: int) -> None:
    each = (processor(process) - before) / rounds
    print(f"time of its processor for a round, the rest between two in it: {each * 1000:.0f} ms")


async def subscribe(socket: ClientConnection, query: str, token: str) -> None:
    greeting = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    await socket.send(orjson.dumps(greeting).decode())
    assert orjson.loads(await socket.recv())["type"] == "connection_ack"
    order = {"id": "1", "type": "subscribe", "payload": {"query": query}}
    await socket.send(orjson.dumps(order).decode())


async def rounds_of(
    stage: Stage, query: str, many: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds until the first and until the last had heard, after the 201."""
    tokens = [stage.tokens[role] for role in ROLES if role in stage.tokens]
    headers = {"authorization": f"Bearer {stage.tokens['operator']}"}
    url, process = f"ws://127.0.0.1:{stage.port}/graphql", f"--port {stage.port}"
    before = memory(process)
    firsts, lasts = [], []
    async with (
        opened(url, many, query, tokens, subprotocols=["graphql-transport-ws"]) as sockets,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{stage.port}", headers=headers) as client,
    ):
        await asyncio.sleep(3)
        _tell_memory("the API", before, memory(process), many)
        busy = processor(process)
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
        _tell_processor(busy, process, rounds)
        print(f"memory afterwards, MB: {memory(process)}")
    return firsts, lasts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--open", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    os.environ |= {
        "IKOMEK_RATE_LIMIT": "0",
        "IKOMEK_GRAPHQL_BUDGET": "0",
        "IKOMEK_GRAPHQL_SUBSCRIPTIONS_EACH": "5000",
    }
    with yardstick() as port:
        bare = asyncio.run(bare_rounds(port, asked.open, asked.rounds))
    print(f"bare program to as many sockets: {_ms(bare)}")
    for what, query in QUERIES.items():
        with open_stage(workers=1) as stage, running(stage.environment, "scheduler"):
            firsts, lasts = asyncio.run(rounds_of(stage, query, asked.open, asked.rounds))
        spread = [last - first for first, last in zip(firsts, lasts, strict=True)]
        ratio = statistics.median(spread) / statistics.median(bare)
        print(f"{asked.open} subscriptions to {what}, {asked.rounds} rounds, after the 201:")
        print(f"  first socket has both events: {_ms(firsts)}")
        print(f"  last socket has both events: {_ms(lasts)}")
        print(f"  from the first to the last, as a ratio to the bare program: {ratio:.2f}")


def _ms(seconds: list[float]) -> str:
    ordered = sorted(1000 * each for each in seconds)
    late = ordered[int(0.95 * (len(ordered) - 1))]
    middle = statistics.median(ordered)
    return f"median {middle:.0f} ms, 95 of 100 {late:.0f} ms, most {ordered[-1]:.0f} ms"


if __name__ == "__main__":
    main()
