"""A process that is told to end lets go who waits, and is gone in a moment."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import httpx2
import pytest

from api.bell import Bell
from api.bootstrap import House
from api.graphql.hub import Hub
from api.settings import Settings
from benchmarks.stage import free_port
from domain.access import Principal, Role
from domain.appeals.happenings import Place, Wanted
from domain.errors import Unavailable
from tests.conftest import make_settings
from tests.support.city import KISHI
from tests.support.rest import issue_tokens
from tests.support.roles import start, until_ready

Served = tuple[subprocess.Popen[bytes], str, Mapping[Role, Mapping[str, str]]]
KILLED = 10.0
"""Seconds after which the server kills what has not ended."""


@pytest.fixture
async def served(settings: Settings, house: House, tmp_path) -> AsyncIterator[Served]:
    """A process that serves: itself, its address, and a client's headers for a role."""
    port = free_port()
    tokens = await issue_tokens(house)
    alone = make_settings(settings.database_url or "", tmp_path, port=port)
    process = start("serve", alone, tmp_path / "serve.log")
    base = f"http://127.0.0.1:{port}"
    try:
        await until_ready(base)
        yield process, base, {r: {"authorization": f"Bearer {t}"} for r, t in tokens.items()}
    finally:
        process.kill()
        process.wait(10)


async def ended(process: subprocess.Popen[bytes]) -> float:
    """Seconds from the order to end until it had."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 3 * KILLED) == 0
    return time.monotonic() - begun


@pytest.mark.timeout(240)
async def test_whoever_waits_is_let_go_when_the_process_must_end(served):
    process, base, headers = served
    query = {"query": "subscription { appeals { cursor } }"}
    async with httpx2.AsyncClient(base_url=base, timeout=60) as client:
        waiting = asyncio.create_task(
            client.get("/v1/events", params={"wait": 30}, headers=headers[Role.EXECUTOR])
        )
        told = headers[Role.INSPECTOR] | {"accept": "text/event-stream"}
        async with client.stream("POST", "/graphql", json=query, headers=told) as following:
            assert following.status_code == 200
            # What was asked before is waiting by the time that these are answered.
            for _ in range(5):
                await client.get("/v1/appeals", headers=headers[Role.INSPECTOR])
            order = asyncio.create_task(ended(process))
            last = b"".join([part async for part in following.aiter_bytes()])
        feed = await waiting
        assert await order < KILLED / 2
    assert feed.status_code == 200
    assert feed.json()["items"] == []
    assert feed.json()["next"]
    assert b"event: complete" in last
    error = next(line for line in last.splitlines() if b"errors" in line)
    (told,) = json.loads(error.removeprefix(b"data: "))["errors"]
    assert told["extensions"]["code"] == "unavailable", told


async def test_a_bell_that_is_closed_lets_everybody_go():
    async def look(_: int | None) -> tuple[int, frozenset[UUID]]:
        return 1, frozenset()

    bell = Bell(look)
    async with bell.ear(KISHI.water) as ear:
        asyncio.get_running_loop().call_soon(bell.close)
        async with asyncio.timeout(10):
            await ear.wait(60)
    assert bell.closed


async def test_whoever_comes_to_a_hub_that_dismissed_everybody_is_sent_elsewhere(house: House):
    hub = Hub(house.happenings)
    hub.dismiss()
    somebody = Principal(KISHI.id, Role.INSPECTOR, KISHI.id)

    async def judge() -> Principal:
        return somebody

    with pytest.raises(Unavailable):
        await anext(hub.follow(somebody, Wanted(KISHI.id), judge))
    await hub.close()


async def test_whoever_comes_while_everybody_is_dismissed_is_sent_elsewhere_too(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    hub = Hub(house.happenings)
    somebody, begun = Principal(KISHI.id, Role.INSPECTOR, KISHI.id), hub._begun

    async def dismissed_meanwhile() -> Place:
        place = await begun()
        hub.dismiss()
        return place

    async def judge() -> Principal:
        return somebody

    monkeypatch.setattr(hub, "_begun", dismissed_meanwhile)
    with pytest.raises(Unavailable):
        await anext(hub.follow(somebody, Wanted(KISHI.id), judge))
    assert hub.subscribers == 0
    await hub.close()
