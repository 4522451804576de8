"""Both registers at work at once while messages are lost, repeated, delayed and mixed up and
workers are killed: what is left when the storm is over.

Half of the appeals begin here and half with the state; each is accepted and resolved here, and the
applicant says yes to the state. So every appeal is one document and three status messages.
"""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.bootstrap import House, open_exchange
from api.settings import Settings
from api.worker.comparing import reconcile
from api.worker.relay import Relay
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.workflow import Action
from domain.eotinish.reconciling import Report
from integrations.postgres.doors import city_door
from integrations.postgres.session import inside
from tests.support.appeals import lodge, perform
from tests.support.city import KISHI
from tests.support.eotinish import StandIn
from tests.support.worker import worker_process

TYPE = "4b288b14-2a1c-4ef1-988f-adcbf3839983"
BATCH = 50


@dataclass
class Storm:
    """What there is to be seen afterwards."""

    seconds: float = 0.0
    killed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    report: Report | None = None
    told: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, str | None] = field(default_factory=dict)
    """Our number of each appeal → the national one that stands in it."""


async def rage(
    house: House,
    settings: Settings,
    state: StandIn,
    appeals: int,
    *,
    workers: int = 2,
    kills: int = 4,
    within: float = 120.0,
    share: float = 0.05,
) -> Storm:
    """Live so many appeals through. `share` of the calls each is dropped, loses its answer, fails
    or is delayed; four such shares of the messages are repeated or mixed up.
    """
    storm = Storm()
    async with open_exchange(settings) as lines:
        await house.exchange.join(KISHI.id, lines["kishi"].selection, house.now())
    begun = time.monotonic()
    state.mood(seed=11, rate=True, drop=share, lose=share, fail=share, delay=share,
               repeat=2 * share, reorder=2 * share, late=2 * share, never=share)  # fmt: skip
    async with _relaying(house), _workers(house, settings, workers, appeals, kills, storm):
        city = asyncio.create_task(_begin_here(house, appeals // 2))
        await asyncio.to_thread(_begin_there, state, appeals - appeals // 2)
        await city
        while time.monotonic() - begun < within:
            storm.statuses = await _statuses(house)
            if storm.statuses.get("closed", 0) >= appeals:
                break
            await _act(house)
            await asyncio.sleep(0.2)
        storm.seconds = time.monotonic() - begun
        state.mood()
        await _quiet(house, state, begun + within)
    storm.told = await asyncio.to_thread(state.whole)
    repeats = "SELECT count(*) FROM eotinish_inbox WHERE state = 'repeated'"
    storm.repeated = await _count(house, repeats)
    storm.numbers = await _numbers(house)
    async with open_exchange(settings) as lines:
        storm.report = await reconcile(
            house, lines["kishi"], KISHI.id, mend=False, grace=timedelta(0)
        )
    return storm


async def _begin_here(house: House, count: int) -> None:
    for start in range(0, count, BATCH):
        await asyncio.gather(*(lodge(house) for _ in range(min(BATCH, count - start))))


def _begin_there(state: StandIn, count: int) -> None:
    for start in range(0, count, 500):
        state.say(*(
            {"tale": "assigned", "description": f"Көшеде жарық жоқ, {start + one}",
             "docLang": "KZ", "name": "Серіков Арман", "typeId": TYPE}
            for one in range(min(500, count - start))
        ))  # fmt: skip


async def _act(house: House) -> None:
    """Whoever has an appeal accepts it, and then resolves it."""
    async with inside(house.engine, city_door(KISHI.id, ())) as driver:
        rows = await driver.fetch(
            "SELECT number, status, organisation_id FROM appeal"
            " WHERE status IN ('assigned', 'in_progress') ORDER BY id LIMIT 400"
        )
    for start in range(0, len(rows), 4):
        await asyncio.gather(*(_move(house, row) for row in rows[start : start + 4]))


class _Named:
    """An appeal by its number, as tests.support.appeals.perform wants it."""

    def __init__(self, number: str) -> None:
        self.number = number


async def _move(house: House, row: Any) -> None:
    appeal: Any = _Named(row["number"])
    home: UUID = row["organisation_id"]
    step = (
        (Action.ACCEPT, c.Accept())
        if row["status"] == "assigned"
        else (Action.RESOLVE, c.Resolve("Жасалды", no_photo_reason="түн"))
    )
    await perform(house, appeal, *step, organisation=home, role=Role.EXECUTOR)


async def _statuses(house: House) -> dict[str, int]:
    async with inside(house.engine, city_door(KISHI.id, ())) as driver:
        rows = await driver.fetch("SELECT status, count(*) AS n FROM appeal GROUP BY 1")
    return {row["status"]: row["n"] for row in rows}


async def _numbers(house: House) -> dict[str, str | None]:
    async with inside(house.engine, city_door(KISHI.id, ())) as driver:
        rows = await driver.fetch("SELECT number, national_number FROM appeal")
    return {row["number"]: row["national_number"] for row in rows}


async def _count(house: House, statement: str) -> int:
    async with inside(house.engine, city_door(KISHI.id, ())) as driver:
        found: int = await driver.fetchval(statement)
    return found


async def _quiet(house: House, state: StandIn, deadline: float) -> None:
    """Until nothing is on its way any more, in either direction."""
    waiting = (
        "SELECT (SELECT count(*) FROM eotinish_message WHERE state = 'pending') + (SELECT count(*)"
        " FROM eotinish_inbox WHERE state = 'pending' OR acknowledged_at IS NULL)"
    )
    while time.monotonic() < deadline:
        left = (await asyncio.to_thread(state.whole))["waiting"]
        if left + await _outbox(house) + await _count(house, waiting) == 0:
            return
        await asyncio.sleep(0.5)


async def _outbox(house: House) -> int:
    from tests.support.sql import fetch

    return int((await fetch(house, "SELECT count(*) FROM outbox"))[0][0])


@asynccontextmanager
async def _relaying(house: House) -> AsyncIterator[None]:
    async def turn() -> None:
        relay = Relay(house, asyncio.Event())
        while True:
            if not await relay.turn():
                await asyncio.sleep(0.1)

    task = asyncio.create_task(turn())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _workers(
    house: House, settings: Settings, count: int, appeals: int, kills: int, storm: Storm
) -> AsyncIterator[None]:
    """So many workers, one of which is killed each time that so much more is done."""
    chance = random.Random(5)
    with ExitStack() as stack:
        running = [stack.enter_context(worker_process(settings)) for _ in range(count)]

        async def kill() -> None:
            for done in range(1, kills + 1):
                # Seldom, where there is much: the count reads all that was done.
                while await _count(house, DONE) < 4 * appeals * done // (kills + 1):
                    await asyncio.sleep(min(1.0, 0.05 + appeals / 5000))
                place = chance.randrange(count)
                running[place].send_signal(signal.SIGKILL)
                await asyncio.to_thread(running[place].wait, 10)
                storm.killed += 1
                running[place] = stack.enter_context(worker_process(settings))

        task = asyncio.create_task(kill())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


DONE = (
    "SELECT (SELECT count(*) FROM eotinish_message WHERE state = 'done')"
    " + (SELECT count(*) FROM eotinish_inbox WHERE state = 'done')"
)


def faults_of(storm: Storm, appeals: int) -> Sequence[str]:
    """Everything that is not as it should be: lost, twice, or different on the two sides."""
    found: list[str] = []
    cases = storm.told["cases"]
    if storm.statuses != {"closed": appeals}:
        found.append(f"statuses {storm.statuses}")
    if len(cases) != appeals:
        found.append(f"the state has {len(cases)} cases")
    own = [case["own_number"] for case in cases]
    if len(set(own)) != len(own) or None in own:
        found.append("a case without an appeal of its own")
    there = {case["own_number"]: case["number"] for case in cases}
    for number in sorted(one for one in storm.numbers if storm.numbers[one] != there.get(one)):
        found.append(f"{number} is {storm.numbers[number]} here and {there.get(number)} there")
    if len(storm.numbers) != appeals:
        found.append(f"the city has {len(storm.numbers)} appeals")
    for case in cases:
        types = [one["type"] for one in case["taken"] if one["type"] != "docAppeal"]
        if types != ["stateExecution", "stateFinished"] or case["state"] != "FINISHED":
            found.append(f"{case['number']}: {types} {case['state']}")
    found += storm.told["violations"]
    if storm.report is None or storm.report.differences:
        found.append(f"differences: {storm.report and list(storm.report.differences)[:5]}")
    return found
