"""One reader of what happens for all subscribers of a process.

While anybody follows anything, the hub reads each event once, below the oldest running
transaction, and hands it to those who want it and may hear it. Nobody's slowness is another's:
each has a short queue of its own, and who lets it overflow is let go by name and told from where
to go on. While nobody follows, nothing is read.

Who comes with a cursor first catches up by reads of their own, up to the place where the hub stood
when they were entered; what the hub told meanwhile lies in their queue, so there is no gap and no
repetition.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from api.errors import RateLimited, TooSlow
from api.loops import repeat
from domain.access import Principal
from domain.appeals.happenings import NOWHERE, Happening, Happenings, Judge, Place, Wanted, hears
from domain.errors import CursorLost, Refusal, Unavailable
from domain.sharing import Sharing

log = structlog.get_logger()

SWEEP = 1.0
"""Seconds until the hub looks by itself, should no call have come."""
LISTEN_AGAIN = 1.0
JUDGED = 5.0
"""Seconds after which each subscriber is judged again, though nothing happens."""
BATCH = 200
QUEUE = 2_000
"""Happenings that wait for one subscriber: names of what all of them share."""
CATCH_UP = 50_000
"""Events that are looked through for who comes back; who was away for longer comes again from the
cursor that is told with the last one."""

CATCHING_UP = 4
"""Reads at once for all who come back, who wait in line for them: when a line breaks they come by
the thousand, and would take every connection from those who register and act.
"""


@dataclass(eq=False)
class Subscriber:
    """Somebody who follows something."""

    principal: Principal
    wanted: Wanted
    judge: Judge
    start: Place
    waiting: deque[Happening] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: Refusal | None = None

    def tell(self, happening: Happening) -> None:
        """Let it wait for the subscriber, if that is their business."""
        if self.ended is not None or not self.wanted.fits(happening):
            return
        if not hears(self.principal, happening):
            return
        if len(self.waiting) >= QUEUE:
            self.end(TooSlow(kept=QUEUE))
            return
        self.waiting.append(happening)
        self.woken.set()

    def end(self, refusal: Refusal) -> None:
        """Nothing more is told."""
        if self.ended is None:
            self.ended = refusal
            if isinstance(refusal, TooSlow):
                self.waiting.clear()
                log.warning("subscriber_dropped", who=str(self.principal.id), kept=QUEUE)
            self.woken.set()

    async def judged(self) -> bool:
        """Whether they still stand for somebody; renews what is known of them."""
        try:
            self.principal = await self.judge()
        except Unavailable:
            # The database is away; what was known of them holds until it is back.
            return True
        except Refusal as refusal:
            self.end(refusal)
            return False
        return True


class Hub:
    """Tells subscribers what happens."""

    def __init__(
        self, happenings: Happenings, *, most: int = 5_000, most_of_one: int = 100
    ) -> None:
        self._happenings = happenings
        self._most, self._most_of_one = most, most_of_one
        self._subscribers: set[Subscriber] = set()
        self._of: Counter[Any] = Counter()
        self._place: Place | None = None
        self._woken = asyncio.Event()
        self._opening = asyncio.Lock()
        self._catching_up = asyncio.Semaphore(CATCHING_UP)
        self._holding: Sharing[Place, bool] = Sharing()
        self._reading: Sharing[Hashable, Sequence[Happening]] = Sharing()
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    @property
    def subscribers(self) -> int:
        """How many follow something now."""
        return len(self._subscribers)

    async def follow(
        self, principal: Principal, wanted: Wanted, judge: Judge, after: Place | None = None
    ) -> AsyncGenerator[Happening, None]:
        """What happens from now on, or from a place on. Ends by a refusal: RateLimited for too
        many, TooSlow, CursorLost, whatever `judge` raises.
        """
        subscriber = await self._enter(principal, wanted, judge)
        try:
            if after is not None and not await self._held(after):
                raise CursorLost
            if after is not None and after > subscriber.start:
                await self._ahead(subscriber, after)
            elif after is not None:
                async with aclosing(self._caught_up(subscriber, after)) as past:
                    async for happening in past:
                        yield happening
            while True:
                while subscriber.waiting:
                    happening = subscriber.waiting.popleft()
                    if await subscriber.judged() and hears(subscriber.principal, happening):
                        yield happening
                if subscriber.ended is not None:
                    raise subscriber.ended
                subscriber.woken.clear()
                await subscriber.woken.wait()
        finally:
            self._leave(subscriber)

    def dismiss(self) -> None:
        """Take nobody any more; who still follows is told that the house closes."""
        self._closed = True
        for subscriber in list(self._subscribers):
            subscriber.end(Unavailable(what="subscriptions"))

    async def close(self) -> None:
        """Dismiss everybody, and stop reading."""
        self.dismiss()
        await self._stop()

    async def _enter(self, principal: Principal, wanted: Wanted, judge: Judge) -> Subscriber:
        if self._closed:
            raise Unavailable(what="subscriptions")
        if len(self._subscribers) >= self._most or self._of[principal.id] >= self._most_of_one:
            raise RateLimited(seconds=int(JUDGED))
        self._of[principal.id] += 1
        try:
            start = await self._begun()
        except BaseException:
            self._of[principal.id] -= 1
            raise
        if self._closed:
            # Everybody was dismissed while this one waited for the start.
            self._of[principal.id] -= 1
            raise Unavailable(what="subscriptions")
        subscriber = Subscriber(principal, wanted, judge, start)
        self._subscribers.add(subscriber)
        return subscriber

    def _leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        whose = min(self._of[subscriber.principal.id], 1)
        self._of[subscriber.principal.id] -= whose
        if not self._of[subscriber.principal.id]:
            del self._of[subscriber.principal.id]
        if not self._subscribers:
            self._place = None
            self._woken.set()

    async def _begun(self) -> Place:
        """Where the hub stands, once it reads."""
        async with self._opening:
            if self._place is None:
                await self._stop()
                self._place = await self._happenings.floor()
                loops = (("happenings", self._turn, SWEEP), ("judged", self._judge, JUDGED))
                self._tasks = [
                    asyncio.create_task(repeat(name, turn, period=period, stop=asyncio.Event()))
                    for name, turn, period in loops
                ]
                self._tasks.append(asyncio.create_task(self._listen()))
            return self._place

    async def _stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            with suppress(Unavailable):
                await self._happenings.listen(self._woken.set)
            await asyncio.sleep(LISTEN_AGAIN)

    async def _turn(self) -> bool:
        """Wait for a call, read what there is, tell it; true, since the waiting is done here."""
        with suppress(TimeoutError):
            # Not wait_for, which may swallow that the task is cancelled.
            async with asyncio.timeout(SWEEP):
                await self._woken.wait()
        self._woken.clear()
        place = self._place
        if place is None:
            # Nobody is left: the tasks go with the next who comes, or with the house.
            await asyncio.sleep(SWEEP)
            return True
        floor = await self._happenings.floor()
        while place < floor:
            told = await self._happenings.after(place, floor, BATCH)
            for happening in told:
                if not await self._tell(happening):
                    return True
            if self._place is None:
                return True
            place = told[-1].place if len(told) == BATCH else floor
            self._place = place
        return True

    async def _tell(self, happening: Happening) -> bool:
        """Tell everybody, and let them take it before the next; whether somebody still follows."""
        if self._place is None:
            return False
        for subscriber in self._subscribers:
            if happening.place > subscriber.start:
                subscriber.tell(happening)
        self._place = happening.place
        await asyncio.sleep(0)
        return True

    async def _judge(self) -> bool:
        """Judge everybody again, so that who may no more is let go though nothing happens."""
        everybody = list(self._subscribers)
        for start in range(0, len(everybody), BATCH):
            # At once, so that whoever must be asked about is asked about by one statement.
            await asyncio.gather(*(each.judged() for each in everybody[start : start + BATCH]))
        return False

    async def _ahead(self, subscriber: Subscriber, after: Place) -> None:
        """Wait for a place that another process told and this one has not reached.

        Raises CursorLost for a place that nobody has reached: of another cluster of databases,
        before it was restored from a copy.
        """
        # At the floor itself one may have stood before anything happened (Query.now).
        if after > await self._happenings.floor():
            raise CursorLost
        subscriber.start = after
        while subscriber.waiting and subscriber.waiting[0].place <= after:
            subscriber.waiting.popleft()

    async def _caught_up(
        self, subscriber: Subscriber, after: Place
    ) -> AsyncGenerator[Happening, None]:
        looked, place = 0, after
        while place < subscriber.start:
            told = await self._missed(place, subscriber.start, subscriber.wanted)
            for happening in told:
                if not subscriber.wanted.fits(happening):
                    continue
                if not await subscriber.judged():
                    return
                if hears(subscriber.principal, happening):
                    yield happening
            looked += len(told)
            if len(told) < BATCH:
                return
            place = told[-1].place
            if looked >= CATCH_UP:
                raise TooSlow(kept=looked, place=place)

    async def _held(self, place: Place) -> bool:
        """Whether the register still has what somebody had last, where they had anything yet."""
        return place.id == NOWHERE or await self._holding.of(place, partial(self._hold, place))

    async def _missed(self, place: Place, end: Place, wanted: Wanted) -> Sequence[Happening]:
        """A page of what lies between two places. Who had the same last entry is told the same,
        so that the thousands of a broken line are one read.
        """
        # The conditions that are asked of the database; the others are asked of what it tells.
        page = place, end, wanted.city, wanted.number
        return await self._reading.of(page, partial(self._read, place, end, wanted))

    async def _hold(self, place: Place) -> bool:
        async with self._catching_up:
            return await self._happenings.holds(place)

    async def _read(self, place: Place, end: Place, wanted: Wanted) -> Sequence[Happening]:
        async with self._catching_up:
            narrowed = Wanted(wanted.city, number=wanted.number)
            return await self._happenings.after(place, end, BATCH, narrowed)
