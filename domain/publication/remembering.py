"""What was counted and is believed for a while: each thing by one count, whoever asks for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """The last `most` things that hold something, and as many that hold nothing: whoever asks for
    a hundred years of nothing takes nothing from the others.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._full: OrderedDict[K, tuple[datetime, datetime, V]] = OrderedDict()
        self._empty: OrderedDict[K, tuple[datetime, datetime, V]] = OrderedDict()
        self._counting: dict[K, _Count[V]] = {}

    async def of(
        self, key: K, at: datetime, until: datetime, count: Callable[[], Awaitable[V]]
    ) -> V:
        """What it holds at a time. One that is not known, and that nobody counts at this moment,
        is counted and believed until a time. Each by itself: nobody waits for a count of what
        somebody else wants to know besides. A count that nobody waits for any longer is ended.
        Raises what the count raises.
        """
        known = self._known(key, at)
        if known is not None:
            return known[2]
        counting = self._counting.get(key)
        if counting is None:
            counting = self._counting[key] = _Count(asyncio.ensure_future(count()))
            counting.task.add_done_callback(partial(self._keep, key, counting, at, until))
        counting.waiting += 1
        try:
            return await asyncio.shield(counting.task)
        finally:
            counting.waiting -= 1
            if not counting.waiting and not counting.task.done():
                # Out of the way at once: whoever comes now is not to wait for what is ending.
                self._over(key, counting)
                counting.task.cancel()

    def _known(self, key: K, at: datetime) -> tuple[datetime, datetime, V] | None:
        for kept in (self._full, self._empty):
            known = kept.get(key)
            if known is not None and known[0] <= at < known[1]:
                kept.move_to_end(key)
                return known
        return None

    def _keep(
        self,
        key: K,
        counting: "_Count[V]",
        at: datetime,
        until: datetime,
        task: "asyncio.Future[V]",
    ) -> None:
        self._over(key, counting)
        if task.cancelled() or task.exception() is not None:
            return
        self._full.pop(key, None)
        self._empty.pop(key, None)
        kept = self._full if task.result() else self._empty
        kept[key] = at, until, task.result()
        if len(kept) > self._most:
            kept.popitem(last=False)

    def _over(self, key: K, counting: "_Count[V]") -> None:
        if self._counting.get(key) is counting:
            del self._counting[key]


class _Count(Generic[V]):
    """A count that runs, and how many wait for it."""

    def __init__(self, task: "asyncio.Future[V]") -> None:
        self.task = task
        self.waiting = 0
