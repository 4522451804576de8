"""Registration numbers: gapless in what residents see, and nobody waits for anybody.

Free numbers lie in a pool. A process reserves the lowest few (SKIP LOCKED) for a short
lease; registering deletes the number in the same statement that writes the appeal. What
is rolled back, or reserved by a process that died, is free again and is given out next.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from uuid import UUID

from domain.values import new_id

BLOCK = 1000
"""How many numbers are poured into an empty pool at once."""
LEASE = 60.0
FRESH = 30.0
"""Seconds: a reservation lasts LEASE in the database and is used here only while FRESH."""
LARGEST = 64

_RESERVE = """
WITH free AS (
    SELECT number FROM number_pool
     WHERE city_id = $1 AND year = $2 AND reserved_until < clock_timestamp()
     ORDER BY number LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE number_pool p
   SET reserved_by = $4, reserved_until = clock_timestamp() + make_interval(secs => $5)
  FROM free WHERE p.city_id = $1 AND p.year = $2 AND p.number = free.number
RETURNING p.number
"""

_POUR = """
WITH series AS (
    INSERT INTO number_series VALUES ($1, $2, $3)
    ON CONFLICT (city_id, year) DO UPDATE SET filled_to = number_series.filled_to + $3
    RETURNING filled_to
)
INSERT INTO number_pool (city_id, year, number)
SELECT $1, $2, n FROM series, generate_series(filled_to - $3 + 1, filled_to) n
"""

_RELEASE = "UPDATE number_pool SET reserved_until = '-infinity' WHERE reserved_by = $1"

Fetch = Callable[..., Awaitable[list[tuple[int]]]]


class NumberPool:
    """The reservations of one process. `fetch` runs one statement by itself, in autocommit."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.holder = new_id()
        self._held: dict[tuple[UUID, int], deque[tuple[int, float]]] = {}
        self._reserving = asyncio.Lock()
        self._batch = 1
        self._reserved_at = 0.0

    async def take(self, city: UUID, year: int) -> int:
        """The next number of the city's year, reserved to this process."""
        held = self._held.setdefault((city, year), deque())
        if (number := _fresh(held)) is not None:
            return number
        # One at a time: who waited finds the numbers that the one before them reserved.
        async with self._reserving:
            number = _fresh(held)
            return number if number is not None else await self._reserve(city, year, held)

    def give_back(self, city: UUID, year: int, number: int) -> None:
        """A number that was taken and not used; the next caller gets it."""
        held = self._held.setdefault((city, year), deque())
        held.appendleft((number, time.monotonic() + FRESH / 2))

    async def release(self) -> None:
        """Let go of every reservation, so that other processes need not wait for the lease."""
        if not self._held:
            return
        self._held.clear()
        await self._fetch(_RELEASE, self.holder)

    async def _reserve(self, city: UUID, year: int, held: deque[tuple[int, float]]) -> int:
        """Reserve a batch that fits the demand: one at night, many in a storm."""
        now = time.monotonic()
        hurried = now - self._reserved_at < 1.0
        self._batch = min(self._batch * 2, LARGEST) if hurried else 1
        self._reserved_at = now
        while not (numbers := await self._free(city, year)):
            await self._fetch(_POUR, city, year, BLOCK)
        held.extend((number, now + FRESH) for number in numbers[1:])
        return numbers[0]

    async def _free(self, city: UUID, year: int) -> list[int]:
        rows = await self._fetch(_RESERVE, city, year, self._batch, self.holder, LEASE)
        return sorted(row[0] for row in rows)


def _fresh(held: deque[tuple[int, float]]) -> int | None:
    """The next number whose reservation still holds."""
    while held:
        number, until = held.popleft()
        if until > time.monotonic():
            return number
    return None
