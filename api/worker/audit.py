"""The clocks, counted again from the events as the city works: a standing proof of law 4.

What changed lately is looked at soon, and everything once a week however quiet it lies.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
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

ROUND = timedelta(days=7)
"""In so long everything is looked at."""
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(hours=1)
"""So far behind its place a process begins: a restart, or a pause so long, leaves nothing out."""
APPEALS = 100
"""Appeals of one step of the round, at most: enough for thirty million in a week."""


class Audit:
    """Checks, in small steps, every appeal with an event since it looked last, and all in turn."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._after: UUID | None = None
        self._round = Round()

    async def turn(self) -> bool:
        """One step; never more at once, so that the audit waits and nothing waits for it."""
        # Ids are made by the machine's clock, even where the city's runs fast.
        now = clock.real()
        after = max(self._after or edge(now - BACK), edge(now - BACK))
        found, last = await self._house.histories.changed(after, edge(now - SETTLED), EVENTS)
        await asyncio.to_thread(self._check, found)
        self._after = last
        await self.go_round(now)
        return False

    async def go_round(self, now: datetime) -> None:
        """One step of the round: a few appeals in one short snapshot, which holds no reader up."""
        ends = await self._house.histories.ends()
        if ends is None:
            return
        after, upto = self._round.stretch(*ends, now)
        settled = edge(now - SETTLED)
        found = await self._house.histories.between(after, upto, APPEALS, quiet_since=settled)
        await asyncio.to_thread(self._check, found)
        self._round.went(upto, found[-1].id if len(found) == APPEALS else None)

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


class Round:
    """Where the round stands: it follows from the time of the week, so that nothing need be kept.

    At any moment everything up to a share of the ids, as large as that of the week that is over,
    should have been looked at. What a process is behind (many appeals with ids close together)
    it catches up in full steps, in the next week if need be.
    """

    def __init__(self) -> None:
        self._seen: UUID | None = None
        self._last = False

    def stretch(self, oldest: UUID, newest: UUID, now: datetime) -> tuple[UUID, UUID]:
        """What to look at now: the ids after the first, up to the second."""
        goal = place(oldest, newest, now)
        seen = self._seen or place(oldest, newest, now - OVERLAP)
        # A new week has begun; the end of the old one comes first.
        self._last = seen > goal
        return seen, newest if self._last else goal

    def went(self, upto: UUID, stopped: UUID | None) -> None:
        """The stretch was looked at, or only up to where the step was full."""
        self._seen = stopped or (UUID(int=0) if self._last else upto)


def place(oldest: UUID, newest: UUID, now: datetime) -> UUID:
    """The id at that share of all ids that is as large as the share of the week that is over."""
    gone, span = (now - MONDAY) % ROUND, newest.int - oldest.int
    microsecond = timedelta(microseconds=1)
    return UUID(int=oldest.int + span * (gone // microsecond) // (ROUND // microsecond))


def edge(at: datetime) -> UUID:
    """The least UUIDv7 of a moment: ids of events made before it are smaller (RFC 9562)."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
