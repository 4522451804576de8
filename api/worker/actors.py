"""What workers do, and the room in which they do it.

An actor begins the deliveries of a message in the loop and is free again: how many endpoints are
waited for at once is bounded by SLOTS, not by threads, so that receivers who never answer do not
keep the others from their messages. What the broker brings begins; an endpoint that takes much is
fed on by the worker that has its attention, from the same queue and under the same leases. The
broker's word that a message was handled means little; the lease in PostgreSQL says who has a
delivery, and lets it go if a worker dies.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

import dramatiq
import structlog
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware, MiddlewareError

from api import clock
from api.bootstrap import House, make_sender, open_exchange, open_house
from api.logs import summary
from api.settings import Settings
from api.worker.broker import DELIVER, QUEUE
from api.worker.comparing import ExchangeLoops
from api.worker.courier import Post, attempt_delivery, tell
from api.worker.ledger import PAGE, Ledger
from domain.webhooks.attempts import Attempt

log = structlog.get_logger()

SLOTS = 2000
"""Attempts that one worker may have in the air."""
BREATH = 20
"""Attempts that begin in one go: many at once would hold up those of other endpoints."""
PACE = 0.01
"""Seconds that a claim of a worker's own waits for company: whoever answers meanwhile shares it."""
LAST_CALL = 20.0
"""Seconds that attempts in the air have to end when the worker stops."""


class Workshop(Middleware):
    """The worker's House and Sender, opened once, on the worker's loop, where all is used.

    Stands after dramatiq's AsyncIO in the list of middleware: opened after the loop began,
    closed before it ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._slots = asyncio.Semaphore(SLOTS)
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._house: House | None = None
        self._post: Post | None = None
        self._ledger: Ledger | None = None
        self._chance = random.SystemRandom().random
        self._busy: Counter[UUID] = Counter()
        self._hungry: set[UUID] = set()
        self._answered: set[UUID] = set()
        self._feeding = False

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Open the room; a worker that cannot is not started."""
        try:
            _run(self._open())
        except Exception as error:
            raise MiddlewareError("the worker's house does not open") from error

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Let the attempts in the air end, then close the room."""
        _run(self._close())

    async def take(
        self, deliveries: Sequence[UUID], lease: datetime, *, carried: bool = True
    ) -> None:
        """Begin attempts of what one claim leased, as soon as there are slots; returns then.

        `carried`: by the broker; else we claimed it a moment ago.
        """
        if self._house is None:
            raise RuntimeError("the worker's house is not open")
        # One after another: two that each had some of their slots would wait for each other.
        async with self._turn:
            for _ in deliveries:
                await self._slots.acquire()
        begun: Sequence[Attempt] = ()
        try:
            begun = await self._house.deliveries.begin_all(
                deliveries, lease, clock.real(), carried=carried
            )
        except Exception as error:
            # Their lease ends by itself, and they are due again.
            log.warning("deliveries_postponed", count=len(deliveries), error=summary(error))
        for place, attempt in enumerate(begun, 1):
            self._busy[attempt.endpoint.id] += 1
            self._start(self._attempt(attempt), slot=True)
            if place % BREATH == 0:
                await asyncio.sleep(0)
        if passed_over := len(deliveries) - len(begun):
            log.info("deliveries_passed_over", count=passed_over)
            for _ in range(passed_over):
                self._slots.release()

    def _start(self, work: Coroutine[Any, Any, None], *, slot: bool) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if slot:
            task.add_done_callback(lambda _: self._slots.release())

    async def _open(self) -> None:
        self._house = await self._stack.enter_async_context(
            open_house(self._settings, name="ikomek-worker")
        )
        self._post = await self._stack.enter_async_context(make_sender(self._settings))
        self._ledger = Ledger(self._house.deliveries)
        lines = await self._stack.enter_async_context(open_exchange(self._settings))
        if lines:
            exchange = ExchangeLoops(self._house, lines)
            self._stack.push_async_callback(exchange.end)
            await exchange.begin()

    async def _close(self) -> None:
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_CALL)
        for task in self._tasks:
            task.cancel()
        await self._stack.aclose()

    async def _attempt(self, attempt: Attempt) -> None:
        if self._house is None or self._post is None or self._ledger is None:
            raise RuntimeError("the worker's house is not open")
        endpoint = attempt.endpoint
        try:
            report = await attempt_delivery(self._house, self._post, attempt, chance=self._chance)
            if delivered := report.result.delivered:
                self._answered.add(attempt.delivery)
            eager = delivered and 2 * self._busy[endpoint.id] >= endpoint.concurrency
            # The next ones do not wait for the page, where they need not come after these and it is
            # not behind: what is on it is sent again if we die.
            ahead = eager and not endpoint.ordered and len(self._answered) <= PAGE
            if ahead:
                self._feed(endpoint.id)
            taken = await self._ledger.note(report)
            tell(report, taken=taken)
            if eager and not ahead:
                self._feed(endpoint.id)
        except Exception as error:
            # Its lease ends by itself, and the delivery is due again.
            log.warning(
                "delivery_postponed", delivery_id=str(attempt.delivery), error=summary(error)
            )
        finally:
            self._answered.discard(attempt.delivery)
            self._busy[endpoint.id] -= 1
            if not self._busy[endpoint.id]:
                del self._busy[endpoint.id]

    def _feed(self, endpoint: UUID) -> None:
        """Let an endpoint that takes much have more, without another round by the broker."""
        if self._closing:
            return
        self._hungry.add(endpoint)
        if not self._feeding:
            self._feeding = True
            self._start(self._feed_all(), slot=False)

    async def _feed_all(self) -> None:
        """One claim after another, for all that took what they had since the last: many at once
        would wait for each other, and keep connections from the ledger.
        """
        try:
            while self._hungry and not self._closing:
                await asyncio.sleep(PACE)
                endpoints, self._hungry = list(self._hungry), set()
                await self._claim(endpoints)
        finally:
            self._feeding = False

    async def _claim(self, endpoints: Sequence[UUID]) -> None:
        if self._house is None:
            raise RuntimeError("the worker's house is not open")
        try:
            claims = await self._house.deliveries.claim(
                clock.real(), endpoints=endpoints, answered=list(self._answered)
            )
        except Exception as error:
            # The schedulers claim it.
            log.warning("feeding_postponed", count=len(endpoints), error=summary(error))
            return
        if claims:
            told = [claim.delivery for claim in claims]
            # The next claim waits for no slot.
            self._start(self.take(told, claims[0].lease, carried=False), slot=False)


def declare_actors(broker: dramatiq.Broker, workshop: Workshop) -> None:
    """Make the actors known to a worker's broker."""

    async def deliver(deliveries: list[str], lease: str) -> None:
        await workshop.take([UUID(one) for one in deliveries], datetime.fromisoformat(lease))

    dramatiq.actor(actor_name=DELIVER, queue_name=QUEUE, broker=broker)(deliver)


def _run(work: Coroutine[Any, Any, None]) -> None:
    thread = get_event_loop_thread()
    if thread is None:
        raise RuntimeError("the workshop needs the loop of dramatiq's AsyncIO")
    thread.run_coroutine(work)
