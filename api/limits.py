"""Quotas of requests, told in the RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10).

A fixed window in the process's own memory: the ready-made storages either start a timer
thread every few milliseconds or ask another server on every request.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from api.errors import RateLimited
from domain.access import Principal
from domain.identity.quotas import Limits

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
    most: int = 0
    left: int = 0

    def require(self) -> None:
        """Raise RateLimited when nothing is left."""
        if self.exceeded:
            raise RateLimited(seconds=self.seconds)

    def told(self, name: str) -> bool:
        """Whether a quota of this name is among what is told."""
        return f'"{name}"' in self.headers.get("ratelimit-policy", "")

    def beside(self, other: "Standing") -> "Standing":
        """Two quotas of one request, told together."""
        names = dict.fromkeys((*self.headers, *other.headers))
        told = (self, other)
        return Standing(
            {
                name: ", ".join(each.headers[name] for each in told if name in each.headers)
                for name in names
            },
            self.exceeded or other.exceeded,
            max(each.seconds if each.exceeded else 0 for each in told),
        )


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

    def spend(
        self, key: str, most: int | None = None, name: str = "default", count: int = 1
    ) -> Standing:
        """Count one request of this key (or what it costs), of its own `most` where it has one."""
        most = self._most if most is None else most
        if not most:
            return Standing({}, False, 0)
        now = self._clock()
        window = int(now // WINDOW)
        if window != self._window or len(self._spent) > KEPT:
            self._window, self._spent = window, {}
        spent = self._spent[key] = self._spent.get(key, 0) + count
        seconds = max(1, math.ceil((window + 1) * WINDOW - now))
        headers = {
            "ratelimit-policy": f'"{name}";q={most};w={WINDOW}',
            "ratelimit": f'"{name}";r={max(0, most - spent)};t={seconds}',
        }
        return Standing(headers, spent > most, seconds, most, max(0, most - spent))


NOTHING = Standing({}, False, 0)
DAY = 86_400
"""Seconds."""


class ClientQuotas:
    """What clients with limits of their own may still ask: a minute in this process, a day in all.

    The day's count is this process's own requests and, every few seconds, those of the others
    (api/trust.py); a client can pass its daily quota by what comes in between.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._limits: Mapping[UUID, Limits] = {}
        self._minutes = Quota(0, clock)
        self._used: dict[UUID, int] = {}
        self._counted: Counter[UUID] = Counter()

    def allow(self, limits: Mapping[UUID, Limits]) -> None:
        """Learn which clients have limits."""
        self._limits = limits

    def spend(self, client: UUID, count: int = 1) -> Standing:
        """Count a request of a client, or several."""
        limits = self._limits.get(client)
        if limits is None:
            return NOTHING
        minute = NOTHING
        if limits.per_minute is not None:
            minute = self._minutes.spend(str(client), limits.per_minute, "client", count)
        if limits.per_day is None:
            return minute
        return minute.beside(self._today(client, limits, count))

    def _today(self, client: UUID, limits: Limits, count: int) -> Standing:
        most = limits.per_day or 0
        self._counted[client] += count
        spent = self._used.get(client, 0) + self._counted[client]
        seconds = max(1, math.ceil(DAY - self._clock() % DAY))
        headers = {
            "ratelimit-policy": f'"day";q={most};w={DAY}',
            "ratelimit": f'"day";r={max(0, most - spent)};t={seconds}',
        }
        return Standing(headers, spent > most, seconds)

    def take(self) -> Mapping[UUID, int]:
        """What was counted since the last time, to be told to the others; those that come with
        a daily quota at nought, so that their use elsewhere is learnt.
        """
        counted = {id: 0 for id, limits in self._limits.items() if limits.per_day is not None}
        counted.update(self._counted)
        self._used.update({id: self._used.get(id, 0) + n for id, n in self._counted.items()})
        self._counted.clear()
        return counted

    def give_back(self, counted: Mapping[UUID, int]) -> None:
        """What could not be told stays to be told."""
        self._counted.update(counted)
        self._used.update({id: self._used.get(id, 0) - n for id, n in counted.items()})

    def learn(self, used: Mapping[UUID, int]) -> None:
        """What each client used today, in all processes."""
        self._used = dict(used)


class Requests:
    """The requests of a process through whichever door of the API: one quota for each principal,
    and one for each address where nobody is known.
    """

    def __init__(self, per_minute: int, clients: ClientQuotas) -> None:
        self._quota = Quota(per_minute)
        self._clients = clients

    def of(self, principal: Principal, count: int = 1) -> Standing:
        """Count a request, or several: what is left of the principal's quota, and of their
        client's own.
        """
        client = principal.client
        theirs = NOTHING if client is None else self._clients.spend(client, count)
        if client == principal.id and theirs.told("client"):
            # Who comes for itself has one limit a minute: its own, where it was given one.
            return theirs
        return self._quota.spend(str(principal.id), count=count).beside(theirs)

    def at(self, address: str, count: int = 1) -> Standing:
        """Count a request, or several, of nobody whom we know."""
        return self._quota.spend(address, count=count)
