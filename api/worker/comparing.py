"""Both registers compared: each night by a worker, or when somebody asks."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
from api.loops import Work, repeat
from api.worker.exchange import Applying, Fetching, Sending
from api.worker.exchange_deliveries import Watching
from api.worker.exchange_files import Collecting
from domain.eotinish.model import GatewayFault
from domain.eotinish.ports import Line
from domain.eotinish.reconciling import (
    GRACE,
    Difference,
    Report,
    compare,
    read_all,
    repair,
    strange,
)
from domain.eotinish.terms import differing
from domain.reference import Reference
from domain.values import new_id

log = structlog.get_logger()


async def reconcile(
    house: House,
    line: Line,
    city: UUID,
    *,
    mend: bool,
    day: str | None = None,
    grace: timedelta = GRACE,
) -> Report | None:
    """Compare, and do what is safe where `mend` says so; the report, which is kept. None where
    another made that of the day. Raises GatewayFault and Unavailable.
    """
    begun = clock.real()
    id = await house.exchange_reports.begin(new_id(), city, day, begun)
    if id is None:
        return None
    ours, theirs = await read_all(city, house.exchange_reports, line.gateway)
    aside = await house.exchange_reports.set_aside(city, strange(ours, theirs))
    found = list(compare(ours, theirs, line.agreements, clock.real(), grace, begun, aside))
    if mend:
        found = [await _mended(one, house, line, city) for one in found]
    report = Report(id, begun, len(ours), len(theirs), found, clock.real())
    await house.exchange_reports.finish(city, report)
    log.info(
        "eotinish_reconciled", city_id=str(city), ours=len(ours), theirs=len(theirs),
        differences=len(found), repaired=report.repaired,
    )  # fmt: skip
    return report


async def _mended(found: Difference, house: House, line: Line, city: UUID) -> Difference:
    try:
        done = await repair(found, city, house.exchange_reports, line.gateway, clock.real())
    except GatewayFault as fault:
        log.warning("eotinish_not_repaired", lack=str(found.lack), fault=fault.fault)
        return found
    return replace(found, repaired=done)


class Nightly:
    """Compares once a day, after the hour that the city chose."""

    def __init__(self, house: House, line: Line, city: UUID) -> None:
        self._house = house
        self._line = line
        self._city = city

    async def turn(self) -> bool:
        """Compare if it is time and nobody did; there is never more."""
        local = self._house.references.of(self._city).city.local(clock.real())
        if local.time() >= self._line.manners.reconcile_at:
            day = local.date().isoformat()
            await reconcile(self._house, self._line, self._city, mend=True, day=day)
        return False


def _agree(line: Line, reference: Reference, at: datetime) -> bool:
    """Whether both sides count the same terms today; says what they do not."""
    today = reference.city.local(at).date()
    faults = list(differing(line.agreements, reference.promises, today))
    if faults:
        log.error("eotinish_not_begun", city=line.city, terms=faults)
    return not faults


class ExchangeLoops:
    """Every loop of every line, begun together and ended together."""

    def __init__(self, house: House, lines: Mapping[str, Line]) -> None:
        self._house = house
        self._lines = lines
        self._stop = asyncio.Event()
        self._stack = AsyncExitStack()
        self._loops: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Begin. Raises ValueError for a line of a city that is none here. The line of a city whose
        law counts other terms than its contract is left alone, and all else goes on.
        """
        await self._house.references.refresh(self._house.now())
        known = {self._house.references.of(id).city.code: id
                 for id in self._house.references.cities()}  # fmt: skip
        for code, line in self._lines.items():
            if code not in known:
                raise ValueError(f"the exchange names a city that is none here: {code}")
            await self._begin(line, known[code])
        if self._lines:
            self._loop("eotinish-reference", self._refresh, 1.0)

    async def end(self) -> None:
        """Let what is under way end."""
        self._stop.set()
        if self._loops:
            _, late = await asyncio.wait(self._loops, timeout=15)
            for loop in late:
                loop.cancel()
        await self._stack.aclose()

    async def _begin(self, line: Line, city: UUID) -> None:
        house, pace = self._house, line.manners.poll_seconds
        if not _agree(line, house.references.of(city), house.now()):
            return
        await house.exchange.join(city, line.selection, house.now())
        sending = Sending(house, line, city)
        self._stack.push_async_callback(sending.close)
        self._loop("eotinish-send", sending.turn, min(0.5, pace))
        self._loop("eotinish-watch", Watching(house, line, city).turn, min(0.5, pace))
        self._loop("eotinish-fetch", Fetching(house, line, city).turn, pace)
        self._loop("eotinish-files", Collecting(house, line, city).turn, min(0.5, pace))
        self._loop("eotinish-apply", Applying(house, line, city).turn, min(0.5, pace))
        self._loop("eotinish-reconcile", Nightly(house, line, city).turn, 60.0)

    def _loop(self, name: str, work: Work, period: float) -> None:
        task = asyncio.create_task(repeat(name, work, period=period, stop=self._stop), name=name)
        self._loops.append(task)

    async def _refresh(self) -> bool:
        await self._house.references.refresh(self._house.now())
        return False
