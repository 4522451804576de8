"""From the outbox to deliveries, and from deliveries that are due to the broker."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from dramatiq import Broker

from api import clock
from api.bootstrap import House
from api.worker.broker import delivery_message
from domain.webhooks.attempts import Claim

log = structlog.get_logger()

BATCH = 500
TOGETHER = 50
"""Deliveries in one message of the broker: it costs as much as several of them."""


class Relay:
    """Turns of the relay; any number of them may run at once. `due` is set when there is mail."""

    def __init__(self, house: House, due: asyncio.Event) -> None:
        self._house = house
        self._due = due

    async def turn(self) -> bool:
        """Move a batch of events on; whether there may be more."""
        relayed = await self._house.outbox.relay(self._house.now(), BATCH)
        if relayed.deliveries:
            self._due.set()
        return relayed.events == BATCH


class Dispatch:
    """Hands deliveries that are due to the broker, each on a lease.

    The broker's client waits and blocks, so it has a thread to itself.
    """

    def __init__(self, house: House, broker: Broker) -> None:
        self._house = house
        self._broker = broker
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker")

    async def turn(self) -> bool:
        """Hand on what is due; whether there may be more. What the broker does not take is due
        again at once.
        """
        claims = await self._house.deliveries.claim(clock.real())
        if not claims:
            return False
        loop = asyncio.get_running_loop()
        sent, error = await loop.run_in_executor(self._thread, self._send, claims)
        if error is not None:
            await self._house.deliveries.release(claims[sent:])
            raise error
        return True

    def close(self) -> None:
        """Let the broker go."""
        self._broker.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _send(self, claims: Sequence[Claim]) -> tuple[int, Exception | None]:
        """How many of the claims the broker took, and what it said to the next."""
        for start in range(0, len(claims), TOGETHER):
            told = [str(claim.delivery) for claim in claims[start : start + TOGETHER]]
            try:
                # One claim, one lease.
                self._broker.enqueue(delivery_message(told, claims[start].lease.isoformat()))
            except Exception as error:
                return start, error
        return len(claims), None
