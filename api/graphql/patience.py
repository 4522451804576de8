"""How long an operation may take: so long for what it does, and no less for what it waits for.

Who asks to wait for news (`feed(wait: 30)`) asks for time in which nothing is done; it does not
count against the limit. What computes gives way every few milliseconds (fast.py), so that the end
reaches it too; what runs beside the loop looks at the clock itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from api.errors import DocumentTooCostly, TimedOut


class Overdue(BaseException):
    """What runs beside the loop has had its time. No Exception: an error of one field would let
    the others go on.
    """


class Limit:
    """The end of one operation: by time, which waiting puts off, and by how many objects it made
    (`most`; None for no end).
    """

    def __init__(self, timeout: asyncio.Timeout, seconds: float, most: int | None) -> None:
        self._timeout, self._waited, self._most = timeout, 0.0, most
        self._loop = asyncio.get_running_loop()
        self._ends = self._loop.time() + seconds
        self._overdue = time.monotonic() + seconds
        self.made = 0

    @property
    def exceeded(self) -> bool:
        """Whether more was made than the price allowed for."""
        return self._most is not None and self.made > self._most

    def put_off(self, seconds: float) -> None:
        """Those who wait do so at the same time: the longest wait is all of it."""
        if seconds > self._waited:
            self._waited = seconds
            self._timeout.reschedule(self._ends + seconds)

    def count(self, now: float, *, beside: bool) -> bool:
        """Count an object; whether the operation may go on at this instant of the monotonic clock.
        `beside`: in a thread, which nothing else ends. Raises Overdue there.
        """
        self.made += 1
        if beside:
            if now > self._overdue or self.exceeded:
                raise Overdue
            return True
        if self.exceeded:
            # All that runs is cancelled as soon as the loop has its turn.
            self._timeout.reschedule(self._loop.time())
            return False
        return True


_limit: ContextVar[Limit] = ContextVar("limit")


@asynccontextmanager
async def limited(seconds: float, most: int | None = None) -> AsyncIterator[None]:
    """Raises TimedOut where the body takes longer, DocumentTooCostly where it makes more than
    `most` objects.
    """
    limit: Limit | None = None
    try:
        async with asyncio.timeout(seconds) as timeout:
            limit = Limit(timeout, seconds, most)
            known = _limit.set(limit)
            try:
                yield
            finally:
                _limit.reset(known)
    except (TimeoutError, Overdue):
        if limit is not None and limit.exceeded:
            raise DocumentTooCostly(cost=limit.made, limit=most, fields=[]) from None
        raise TimedOut(seconds=seconds) from None


def current() -> Limit | None:
    """The limit of the operation that runs; None where none does."""
    return _limit.get(None)


def waiting(seconds: float) -> None:
    """Let the operation that runs take so much longer, since it waits so long."""
    if limit := _limit.get(None):
        limit.put_off(seconds)
