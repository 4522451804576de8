"""A loop that outlives the faults of what it calls."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

log = structlog.get_logger()

LONGEST_BACKOFF = 5.0

Work = Callable[[], Awaitable[bool]]
"""One turn of work; True when there is more to do at once."""


async def repeat(name: str, work: Work, *, period: float, stop: asyncio.Event) -> None:
    """Do `work` every `period` seconds, and at once while there is more, until `stop`.

    A turn that fails is told once, not at every turn; the next ones come ever later, up to
    LONGEST_BACKOFF, and the first that succeeds is told again.
    """
    failures = 0
    while not stop.is_set():
        more = False
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
            await _rest(min(period * 2**failures, max(period, LONGEST_BACKOFF)), stop)


async def _rest(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
