"""What workers do, and the room in which they do it.

An actor hands its delivery to the loop and is free again: how many endpoints are waited
for at once is bounded by SLOTS, not by threads, so that receivers who never answer do not
keep the others from their messages. The broker's word that a message was handled means
little; the lease in PostgreSQL says who has a delivery, and lets it go if a worker dies.
"""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

import dramatiq
import structlog
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware, MiddlewareError

from api.bootstrap import House, make_sender, open_exchange, open_house
from api.logs import summary
from api.settings import Settings
from api.worker.broker import DELIVER, QUEUE
from api.worker.comparing import ExchangeLoops
from api.worker.courier import Post, attempt_delivery

log = structlog.get_logger()

SLOTS = 2000
"""Attempts that one worker may have in the air."""
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
        self._attempts: set[asyncio.Task[None]] = set()
        self._house: House | None = None
        self._post: Post | None = None

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Open the room; a worker that cannot is not started."""
        try:
            _run(self._open())
        except Exception as error:
            raise MiddlewareError("the worker's house does not open") from error

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Let the attempts in the air end, then close the room."""
        _run(self._close())

    async def take(self, delivery: UUID, lease: datetime) -> None:
        """Begin an attempt as soon as there is a slot; returns when it has begun."""
        await self._slots.acquire()
        attempt = asyncio.create_task(self._attempt(delivery, lease))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._ended)

    async def _open(self) -> None:
        self._house = await self._stack.enter_async_context(
            open_house(self._settings, name="ikomek-worker")
        )
        self._post = await self._stack.enter_async_context(make_sender(self._settings))
        lines = await self._stack.enter_async_context(open_exchange(self._settings))
        if lines:
            exchange = ExchangeLoops(self._house, lines)
            self._stack.push_async_callback(exchange.end)
            await exchange.begin()

    async def _close(self) -> None:
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=LAST_CALL)
        for attempt in self._attempts:
            attempt.cancel()
        await self._stack.aclose()

    async def _attempt(self, delivery: UUID, lease: datetime) -> None:
        if self._house is None or self._post is None:
            raise RuntimeError("the worker's house is not open")
        try:
            await attempt_delivery(
                self._house, self._post, delivery, lease, chance=random.SystemRandom().random
            )
        except Exception as error:
            # Its lease ends by itself, and the delivery is due again.
            log.warning("delivery_postponed", delivery_id=str(delivery), error=summary(error))

    def _ended(self, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        self._slots.release()


def declare_actors(broker: dramatiq.Broker, workshop: Workshop) -> None:
    """Make the actors known to a worker's broker."""

    async def deliver(delivery: str, lease: str) -> None:
        await workshop.take(UUID(delivery), datetime.fromisoformat(lease))

    dramatiq.actor(actor_name=DELIVER, queue_name=QUEUE, broker=broker)(deliver)


def _run(work: Coroutine[Any, Any, None]) -> None:
    thread = get_event_loop_thread()
    if thread is None:
        raise RuntimeError("the workshop needs the loop of dramatiq's AsyncIO")
    thread.run_coroutine(work)
