"""The clocks of what changed lately, counted again from the events: a standing proof of law 4."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
from domain.appeals.replay import check
from domain.ports import History

log = structlog.get_logger()

BACK = timedelta(hours=24)
"""How far back a process looks when it starts."""
SETTLED = timedelta(minutes=1)
"""What is younger may still be on its way: another's commit, our own reference snapshot."""
EVENTS = 500
"""Events of one turn: about a hundred appeals, counted in a few hundredths of a second."""


class Audit:
    """Checks, in small steps, every appeal with an event since it looked last."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._after: UUID | None = None

    async def turn(self) -> bool:
        """One step; never more at once, so that the audit waits and nothing waits for it."""
        # Ids are made by the machine's clock, even where the city's runs fast.
        now = clock.real()
        after = max(self._after or edge(now - BACK), edge(now - BACK))
        found, last = await self._house.histories.changed(after, edge(now - SETTLED), EVENTS)
        await asyncio.to_thread(self._check, found)
        self._after = last
        return False

    def _check(self, found: Sequence[History]) -> None:
        for history in found:
            promises = self._house.references.of(history.city).promises
            for one in check(history.clocks, history.events, promises):
                log.error(
                    "clock_differs",
                    appeal_id=str(history.id),
                    stage=one.stage,
                    round=one.round,
                    field=one.field,
                    stored=str(one.stored),
                    told=str(one.told),
                )


def edge(at: datetime) -> UUID:
    """The least UUIDv7 of a moment: ids of events made before it are smaller (RFC 9562)."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
