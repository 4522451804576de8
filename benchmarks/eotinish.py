"""The exchange with the national register, against its stand-in in a process of its own.

    python -m benchmarks.eotinish storm [--appeals 10000] [--kills 20]
    python -m benchmarks.eotinish pace [--appeals 1500] [--concurrency 1 8 32]

storm: so many appeals and three times as many status messages, 20 % of all calls and messages
dropped, repeated, delayed or mixed up, workers killed; then both registers are compared.
pace: registrations by one worker while every call of the stand-in takes 300 ms, for each number of
calls at once. The yardstick is 200,000 messages a day (2.31 a second); a single line without
anything around it could make 3.33.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from api.bootstrap import House, open_house
from api.worker.relay import Relay
from integrations.postgres import migrate
from integrations.postgres.embedded import EmbeddedPostgres
from tests.conftest import make_settings
from tests.support.appeals import lodge
from tests.support.city import write_small_city
from tests.support.eotinish import ENVIRONMENT, StandIn, stand_in, write_file
from tests.support.sql import fetch
from tests.support.storm import faults_of, rage
from tests.support.worker import worker_process

WANTED = 200_000 / 86_400
SLOW = 0.3


@asynccontextmanager
async def opened(folder: Path, **changes: Any) -> AsyncIterator[tuple[House, StandIn]]:
    """A small city on a durable server of its own, and the stand-in."""
    os.environ.update(ENVIRONMENT)
    with EmbeddedPostgres(folder / "postgres", {"max_connections": "100"}) as server:
        url = server.url("postgres")
        migrate.upgrade(url)
        with stand_in(folder) as state:
            file = write_file(state.url, folder, **changes)
            settings = make_settings(url, folder, eotinish=file, pool_size=8)
            async with open_house(settings) as house:
                await write_small_city(house.engine, house.keyring)
                await house.references.refresh(house.now())
                yield house, state


async def storm(appeals: int, kills: int, within: float) -> bool:
    """Whether both registers agree afterwards."""
    with tempfile.TemporaryDirectory(prefix="ikomek-storm-") as folder:
        changes = {"gateway_timeout": 5, "retry_seconds": 0.5, "poll_seconds": 0.2}
        async with opened(Path(folder), **changes) as (house, state):
            seen = await rage(
                house, house.settings, state, appeals, workers=2, kills=kills, within=within
            )
    faults = faults_of(seen, appeals)
    for one in faults[:20]:
        print("FAULT", one)
    counts, rate = seen.told["counts"], 4 * appeals / seen.seconds
    print(
        f"{appeals} appeals, {3 * appeals} status messages, {seen.killed} workers killed:"
        f" {seen.seconds:.0f} s, {rate:.1f} messages a second\n"
        f"the stand-in dropped {counts.get('dropped', 0)} calls, lost {counts.get('lost', 0)}"
        f" answers, failed {counts.get('failed', 0)} calls; it was told"
        f" {counts.get('told again', 0)} things again and handed"
        f" {counts.get('registered again', 0)} appeals again; the city met"
        f" {seen.repeated} repeats"
    )
    print("both registers agree" if not faults else f"{len(faults)} FAULTS")
    return not faults


async def pace(appeals: int, lines: list[int]) -> None:
    """Registrations a second of one worker, for each number of calls at once."""
    for concurrency in lines:
        with tempfile.TemporaryDirectory(prefix="ikomek-pace-") as folder:
            changes = {"concurrency": concurrency, "poll_seconds": 60}
            async with opened(Path(folder), **changes) as (house, state):
                rate = await _pace(house, state, appeals if concurrency > 1 else appeals // 20)
        print(f"{concurrency:4} calls at once: {rate:6.1f} messages a second,"
              f" {rate / WANTED:5.1f} × of what 200,000 a day want,"
              f" {rate * 86_400:,.0f} a day")  # fmt: skip


async def _pace(house: House, state: StandIn, appeals: int) -> float:
    state.mood(slow=SLOW)
    with worker_process(house.settings):
        # The worker begins the exchange of its city; what is registered before is none of it.
        await _until(lambda: fetch(house, "SELECT 1 FROM eotinish_city"))
        for start in range(0, appeals, 25):
            await asyncio.gather(*(lodge(house) for _ in range(min(25, appeals - start))))
        begun, first = time.perf_counter(), await _done(house)
        while await Relay(house, asyncio.Event()).turn():
            pass
        await _until(lambda: _all_done(house, appeals))
        return (appeals - first) / (time.perf_counter() - begun)


async def _until(condition: Callable[[], Awaitable[object]]) -> None:
    """Look twenty times a second."""
    for _ in range(20 * 3600):
        if await condition():
            return
        await asyncio.sleep(0.05)


async def _all_done(house: House, appeals: int) -> bool:
    return await _done(house) >= appeals


async def _done(house: House) -> int:
    rows = await fetch(house, "SELECT count(*) FROM eotinish_message WHERE state = 'done'")
    return int(rows[0][0])


def main() -> int:
    """Say what was measured; 1 where the registers differ."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("what", choices=("storm", "pace"))
    words.add_argument("--appeals", type=int)
    words.add_argument("--kills", type=int, default=20)
    words.add_argument("--within", type=float, default=3600)
    words.add_argument("--concurrency", type=int, nargs="+", default=[1, 8, 32])
    said = words.parse_args()
    if said.what == "pace":
        asyncio.run(pace(said.appeals or 1500, said.concurrency))
        return 0
    return 0 if asyncio.run(storm(said.appeals or 10_000, said.kills, said.within)) else 1


if __name__ == "__main__":
    sys.exit(main())
