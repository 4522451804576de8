"""What was counted and is believed for a while: each thing by one count, whoever asks for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence, Set
from datetime import datetime
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
        self._counting: dict[K, _Count[K, V]] = {}

    async def each(
        self,
        keys: Iterable[K],
        at: datetime,
        until: Callable[[K], datetime],
        count: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
    ) -> dict[K, V]:
        """What these hold at a time. Those that are not known, and that nobody counts at this
        moment, are counted together and believed until their times. Nobody waits for a count of
        more than they ask for: it may take long, or fail, by what somebody else wants to know. A
        count that nobody waits for any longer is ended. Raises what the count raises.
        """
        wanted = dict.fromkeys(keys)
        found, missing = {}, []
        for key in wanted:
            known = self._known(key, at)
            if known is None:
                missing.append(key)
            else:
                found[key] = known[2]
        fresh = [key for key in missing if not self._counted_for(key, wanted.keys())]
        if fresh:
            counting = _Count(fresh, self._counting, count)
            counting.task.add_done_callback(lambda _: self._keep(counting, at, until))
        asked = {key: self._counting[key] for key in missing}
        everybody = set(asked.values())
        for each in everybody:
            each.waiting += 1
        try:
            await asyncio.gather(*(asyncio.shield(each.task) for each in everybody))
        finally:
            for each in everybody:
                each.left()
        return found | {key: each.task.result()[key] for key, each in asked.items()}

    def _counted_for(self, key: K, wanted: Set[K]) -> bool:
        counting = self._counting.get(key)
        return counting is not None and wanted >= set(counting.keys)

    def _known(self, key: K, at: datetime) -> tuple[datetime, datetime, V] | None:
        for kept in (self._full, self._empty):
            known = kept.get(key)
            if known is not None and known[0] <= at < known[1]:
                kept.move_to_end(key)
                return known
        return None

    def _keep(self, counted: "_Count[K, V]", at: datetime, until: Callable[[K], datetime]) -> None:
        counted.over()
        if counted.task.cancelled() or counted.task.exception() is not None:
            return
        for key, value in counted.task.result().items():
            known = self._full.get(key) or self._empty.get(key)
            if known is not None and known[0] >= at:
                # Of whoever asked later, for less, and was told first.
                continue
            self._full.pop(key, None)
            self._empty.pop(key, None)
            kept = self._full if value else self._empty
            kept[key] = at, until(key), value
            if len(kept) > self._most:
                kept.popitem(last=False)


class _Count(Generic[K, V]):
    """A count that runs, and how many wait for it."""

    def __init__(
        self,
        keys: Sequence[K],
        running: dict[K, "_Count[K, V]"],
        count: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
    ) -> None:
        self._running = running
        self.keys = keys
        self.waiting = 0
        self.task: asyncio.Future[Mapping[K, V]] = asyncio.ensure_future(count(keys))
        running.update(dict.fromkeys(keys, self))

    def left(self) -> None:
        """One waits no longer."""
        self.waiting -= 1
        if not self.waiting and not self.task.done():
            # Out of the way at once: whoever comes now is not to wait for what is ending.
            self.over()
            self.task.cancel()

    def over(self) -> None:
        """Nobody is to wait for it from now on."""
        for key in self.keys:
            if self._running.get(key) is self:
                del self._running[key]
