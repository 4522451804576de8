"""Registration numbers: gapless in what residents see, and nobody waits for anybody.

Free numbers lie in a pool. A process reserves the lowest few (SKIP LOCKED) for a short
lease; registering deletes the number in the same statement that writes the appeal. What
is rolled back, or reserved by a process that died, is free again and is given out next.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from heapq import heapify, heappop, heappush
from uuid import UUID

from domain.values import new_id

BLOCK = 1000
"""How many numbers are poured into an empty pool at once."""
LEASE = 60.0
FRESH = 30.0
"""Seconds: a reservation lasts LEASE in the database and is used here only while FRESH; what lies
idle for longer is reserved anew before it is used.
"""
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

_RENEW = """
UPDATE number_pool SET reserved_until = clock_timestamp() + make_interval(secs => $5)
 WHERE city_id = $1 AND year = $2 AND number = ANY($3) AND reserved_by = $4
RETURNING number
"""
"""Also where the lease has run out, as long as nobody else has taken the number."""

_RELEASE = "UPDATE number_pool SET reserved_until = '-infinity' WHERE reserved_by = $1"

Fetch = Callable[..., Awaitable[list[tuple[int]]]]
_Held = list[tuple[int, float]]
"""A heap: the lowest number first, and until when it may be given out without asking."""


class NumberPool:
    """The reservations of one process. `fetch` runs one statement by itself, in autocommit."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.holder = new_id()
        self._held: dict[tuple[UUID, int], _Held] = {}
        self._reserving = asyncio.Lock()
        self._batch = 1
        self._reserved_at = 0.0

    async def take(self, city: UUID, year: int) -> int:
        """The next number of the city's year, reserved to this process."""
        held = self._held.setdefault((city, year), [])
        if (number := _fresh(held)) is not None:
            return number
        # One at a time: who waited finds the numbers that the one before them reserved.
        async with self._reserving:
            while (number := _fresh(held)) is None:
                await (self._renew if held else self._reserve)(city, year, held)
            return number

    def give_back(self, city: UUID, year: int, number: int) -> None:
        """A number that was taken and not used; the next caller gets it, if it is still ours."""
        heappush(self._held.setdefault((city, year), []), (number, 0.0))

    async def release(self) -> None:
        """Let go of every reservation, so that other processes need not wait for the lease."""
        if not self._held:
            return
        self._held.clear()
        await self._fetch(_RELEASE, self.holder)

    async def _renew(self, city: UUID, year: int, held: _Held) -> None:
        """Reserve the idle anew: they are lower than any that would be given out instead."""
        now, idle = time.monotonic(), [number for number, _ in held]
        rows = await self._fetch(_RENEW, city, year, idle, self.holder, LEASE)
        ours = {row[0] for row in rows}
        # Others may have been given back meanwhile; they are idle as well, and asked for next.
        held[:] = [(n, now + FRESH if n in ours else 0.0) for n, _ in held
                   if n in ours or n not in idle]  # fmt: skip
        heapify(held)

    async def _reserve(self, city: UUID, year: int, held: _Held) -> None:
        """Reserve a batch that fits the demand: one at night, many in a storm."""
        now = time.monotonic()
        hurried = now - self._reserved_at < 1.0
        self._batch = min(self._batch * 2, LARGEST) if hurried else 1
        self._reserved_at = now
        while not (numbers := await self._free(city, year)):
            await self._fetch(_POUR, city, year, BLOCK)
        for number in numbers:
            heappush(held, (number, now + FRESH))

    async def _free(self, city: UUID, year: int) -> list[int]:
        rows = await self._fetch(_RESERVE, city, year, self._batch, self.holder, LEASE)
        return [row[0] for row in rows]


def _fresh(held: _Held) -> int | None:
    """The lowest number, if its reservation is sure to hold."""
    if not held or held[0][1] <= time.monotonic():
        return None
    return heappop(held)[0]
