"""Quotas of requests, told in the RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10)."""

import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from api.errors import RateLimited

NAMES = ("ratelimit-policy", "ratelimit")


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


class Quota:
    """Requests a minute by key, counted in this process; `per_minute` 0 counts nothing."""

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def spend(self, key: str) -> Standing:
        """Count one request of this key."""
        if self._item is None:
            return Standing({}, False, 0)
        allowed = self._limiter.hit(self._item, key)
        window = self._limiter.get_window_stats(self._item, key)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        headers = {
            "ratelimit-policy": f'"default";q={self._item.amount};w=60',
            "ratelimit": f'"default";r={max(0, window.remaining)};t={seconds}',
        }
        return Standing(headers, not allowed, seconds)
