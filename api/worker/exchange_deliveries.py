"""What became of the messages that the gateway took on its async channel: taken is not delivered.

A message is over when the gateway says that the state has it; until then those after it of its
appeal wait. What was not delivered goes again under its own id, which makes a second one a repeat.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
from api.worker.exchange import HOLD, later
from domain.eotinish.model import Delivery, GatewayFault, Remedy
from domain.eotinish.ports import Line, Posted
from domain.errors import Unavailable

log = structlog.get_logger()

AGAIN = 10
"""Tries of a message that is not delivered, before an inspector sees it."""


class Watching:
    """Asks about what is due, some at once."""

    def __init__(self, house: House, line: Line, city: UUID) -> None:
        self._house = house
        self._line = line
        self._city = city

    async def turn(self) -> bool:
        """Ask once about each that is due; whether there may be more."""
        manners, now = self._line.manners, clock.real()
        lease = now + timedelta(seconds=10 + 2 * manners.timeout_seconds)
        found = await self._house.exchange.watched(self._city, now, manners.concurrency, lease)
        await asyncio.gather(*map(self._one, found))
        return len(found) == manners.concurrency

    async def _one(self, posted: Posted) -> None:
        try:
            await self._heard(posted, await self._line.gateway.delivery(posted.message))
        except GatewayFault as fault:
            await self._failed(posted, fault)
        except Unavailable:
            # Its lease ends by itself, and it is asked about again.
            log.warning("eotinish_postponed", message_id=str(posted.claimed.id))

    async def _heard(self, posted: Posted, said: Delivery) -> None:
        queue, now = self._house.exchange, clock.real()
        if said is Delivery.DELIVERED:
            await queue.sent(self._city, posted.claimed, posted.message, now)
        elif said is Delivery.DELIVERY_STOPPED:
            await self._refused(posted, "delivery-stopped")
        elif said is Delivery.NOT_DELIVERED and posted.claimed.attempt >= AGAIN:
            await self._refused(posted, "not-delivered")
        elif said is Delivery.NOT_DELIVERED:
            log.warning("eotinish_not_delivered", message_id=str(posted.claimed.id))
            until = later(self._line, posted.claimed.attempt, now)
            await queue.postpone(self._city, posted.claimed, "not-delivered", "", until)
        else:
            await self._ask_later(posted, None, "")

    async def _failed(self, posted: Posted, fault: GatewayFault) -> None:
        detail = f"{fault.code} {fault.detail}".strip()
        if fault.remedy is Remedy.QUARANTINE:
            await self._refused(posted, fault.fault, detail)
            return
        if fault.remedy is Remedy.FIX:
            log.error("eotinish_needs_mending", fault=fault.fault, code=fault.code)
            await self._house.exchange.hold(self._city, clock.real() + HOLD, fault.fault)
        await self._ask_later(posted, fault.fault, detail)

    async def _ask_later(self, posted: Posted, fault: str | None, detail: str) -> None:
        now = clock.real()
        if now - posted.sent_at > timedelta(hours=self._line.manners.delivery_hours):
            await self._refused(posted, "delivery-unknown", detail)
            return
        until = later(self._line, posted.asked, now)
        await self._house.exchange.ask_later(self._city, posted.claimed, fault, detail, until)

    async def _refused(self, posted: Posted, fault: str, detail: str = "") -> None:
        log.warning("eotinish_quarantined", message_id=str(posted.claimed.id), fault=fault)
        await self._house.exchange.quarantine(
            self._city, posted.claimed, fault, detail, clock.real()
        )
