"""A loop that outlives the faults of what it calls."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

LONGEST_BACKOFF = 5.0

Work = Callable[[], Awaitable[bool]]
"""One turn of work; True when there is more to do at once."""


async def repeat(
    name: str,
    work: Work,
    *,
    period: float,
    stop: asyncio.Event,
    wake: asyncio.Event | None = None,
) -> None:
    """Do `work` every `period` seconds, and at once while there is more, until `stop`.

    `wake` ends the rest between two turns that went well: somebody knows that there is work.

    A turn that fails is told once, not at every turn; the next ones come ever later, up to
    LONGEST_BACKOFF, and the first that succeeds is told again.
    """
    failures = 0
    while not stop.is_set():
        more = False
        if wake is not None:
            wake.clear()
        try:
            more = await work()
        except Exception as error:
            failures += 1
            if failures == 1:
                log.error("loop_failing", loop=name, exc_info=error)
        else:
            if failures:
                log.info("loop_recovered", loop=name, failures=failures)
            failures = 0
        if not more:
            pause = min(period * 2**failures, max(period, LONGEST_BACKOFF))
            await _rest(pause, stop, None if failures else wake)


async def _rest(seconds: float, *ends: asyncio.Event | None) -> None:
    waiting = [asyncio.ensure_future(end.wait()) for end in ends if end is not None]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
