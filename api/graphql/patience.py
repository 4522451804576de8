"""How long an operation may take: so long for what it does, and no less for what it waits for.

Who asks to wait for news (`feed(wait: 30)`) asks for time in which nothing is done; it does not
count against the limit.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from api.errors import TimedOut


class _Limit:
    """The end of one operation, which waiting puts off."""

    def __init__(self, timeout: asyncio.Timeout, ends: float) -> None:
        self._timeout, self._ends, self._waited = timeout, ends, 0.0

    def put_off(self, seconds: float) -> None:
        """Those who wait do so at the same time: the longest wait is all of it."""
        if seconds > self._waited:
            self._waited = seconds
            self._timeout.reschedule(self._ends + seconds)


_limit: ContextVar[_Limit] = ContextVar("limit")


@asynccontextmanager
async def limited(seconds: float) -> AsyncIterator[None]:
    """Raises TimedOut where the body takes longer."""
    try:
        async with asyncio.timeout(seconds) as timeout:
            known = _limit.set(_Limit(timeout, asyncio.get_running_loop().time() + seconds))
            try:
                yield
            finally:
                _limit.reset(known)
    except TimeoutError:
        raise TimedOut(seconds=seconds) from None


def waiting(seconds: float) -> None:
    """Let the operation that runs take so much longer, since it waits so long."""
    if limit := _limit.get(None):
        limit.put_off(seconds)
