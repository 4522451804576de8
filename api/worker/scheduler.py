"""The scheduler: the loops that watch the clocks and pass events on.

Any number of schedulers may run, on any number of machines: what one holds the others skip.
"""

import asyncio
from collections.abc import Sequence

import structlog

from api import logs
from api.bootstrap import House, make_alarm_mailer, make_mailer, read_signer
from api.loops import Work, repeat
from api.worker.alarms import Alarms
from api.worker.audit import Audit
from api.worker.broker import make_broker
from api.worker.outlets import Outlets
from api.worker.register import Seal
from api.worker.relay import Dispatch, Relay
from api.worker.ticks import Clocks, Ends, Incidents, Mended, Outages, Refresh, Sweep, Tallies

log = structlog.get_logger()

LAST_CALL = 10.0
"""Seconds that turns under way have to end: what they hold is rolled back or leased."""

Plan = Sequence[tuple[str, Work, float]]


async def run_scheduler(house: House, stop: asyncio.Event) -> None:
    """Run every loop until `stop`; each survives a database or broker that is down."""
    logs.configure(house.settings.log_level)
    due = asyncio.Event()
    dispatch = Dispatch(house, make_broker(house.settings))
    log.info("scheduler_started")
    try:
        async with asyncio.TaskGroup() as group:
            loops = [
                group.create_task(
                    repeat(
                        name,
                        work,
                        period=period,
                        stop=stop,
                        wake=due if name == "dispatch" else None,
                    )
                )
                for name, work, period in plan(house, dispatch, due)
            ]
            await stop.wait()
            _, late = await asyncio.wait(loops, timeout=LAST_CALL)
            for loop in late:
                loop.cancel()
    finally:
        dispatch.close()
        log.info("scheduler_stopped")


def plan(house: House, dispatch: Dispatch, due: asyncio.Event) -> Plan:
    """What is done how often, in seconds; what is `due` is dispatched at once besides."""
    return (
        ("reference", Refresh(house).turn, 1.0),
        ("relay", Relay(house, due).turn, 0.05),
        ("dispatch", dispatch.turn, 0.2),
        ("ends", Ends(house).turn, 1.0),
        ("mended", Mended(house).turn, 1.0),
        ("outages", Outages(house).turn, 5.0),
        ("clocks", Clocks(house).turn, 0.25),
        ("seal", Seal(house, read_signer(house.settings)).turn, 1.0),
        ("outlets", Outlets(house, make_mailer(house.settings)).turn, 5.0),
        ("alarms", Alarms(house, make_alarm_mailer(house.settings)).turn, 5.0),
        ("incidents", Incidents(house).turn, 0.5),
        ("audit", Audit(house).turn, 2.0),
        ("tallies", Tallies(house).turn, 5.0),
        ("sweep", Sweep(house).turn, 60.0),
    )
