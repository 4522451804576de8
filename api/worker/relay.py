"""From the outbox to deliveries, and from deliveries that are due to the broker."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import structlog
from dramatiq import Broker

from api import clock
from api.bootstrap import House
from api.worker.broker import delivery_message

log = structlog.get_logger()

BATCH = 500


class Relay:
    """Turns of the relay; any number of them may run at once."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def turn(self) -> bool:
        """Move a batch of events on; whether there may be more."""
        relayed = await self._house.outbox.relay(self._house.now(), BATCH)
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
        """Hand on what is due; what the broker does not take is due again at once."""
        claims = await self._house.deliveries.claim(clock.real())
        if not claims:
            return False
        told = [(claim.delivery, claim.lease) for claim in claims]
        loop = asyncio.get_running_loop()
        sent, error = await loop.run_in_executor(self._thread, self._send, told)
        if error is not None:
            await self._house.deliveries.release(claims[sent:])
            raise error
        return False

    def close(self) -> None:
        """Let the broker go."""
        self._broker.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _send(self, told: Sequence[tuple[UUID, datetime]]) -> tuple[int, Exception | None]:
        for count, (delivery, lease) in enumerate(told):
            try:
                self._broker.enqueue(delivery_message(str(delivery), lease.isoformat()))
            except Exception as error:
                return count, error
        return len(told), None
