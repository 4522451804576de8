"""Quotas of requests, told in the RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10).

A fixed window in the process's own memory: the ready-made storages either start a timer
thread every few milliseconds or ask another server on every request.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.errors import RateLimited

NAMES = ("ratelimit-policy", "ratelimit")
WINDOW = 60
"""Seconds."""
KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a quota, as header fields."""

    headers: dict[str, str]
    exceeded: bool
    seconds: int

    def require(self) -> None:
        """Raise RateLimited when nothing is left."""
        if self.exceeded:
            raise RateLimited(seconds=self.seconds)


class Turns:
    """How much of one kind a key may have in hand at once, in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, key: str) -> Iterator[None]:
        """Hold a turn. Raises RateLimited when the key holds as many as it may."""
        if self._taken[key] >= self._most:
            raise RateLimited(seconds=1)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


class Quota:
    """Requests a minute by key, counted in this process; `per_minute` 0 counts nothing."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = per_minute
        self._clock = clock
        self._window = 0
        self._spent: dict[str, int] = {}

    def spend(self, key: str) -> Standing:
        """Count one request of this key."""
        if not self._most:
            return Standing({}, False, 0)
        now = self._clock()
        window = int(now // WINDOW)
        if window != self._window or len(self._spent) > KEPT:
            self._window, self._spent = window, {}
        spent = self._spent[key] = self._spent.get(key, 0) + 1
        seconds = max(1, math.ceil((window + 1) * WINDOW - now))
        headers = {
            "ratelimit-policy": f'"default";q={self._most};w={WINDOW}',
            "ratelimit": f'"default";r={max(0, self._most - spent)};t={seconds}',
        }
        return Standing(headers, spent > self._most, seconds)
