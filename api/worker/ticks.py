"""What comes with time alone: clocks that run out, pauses that end, dust that gathers."""

from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
from domain.access import NOBODY, Principal, Role
from domain.appeals.use_cases import act_on_due
from domain.incidents.use_cases import Past, tend

log = structlog.get_logger()

UNIT = 50
"""Appeals in one transaction: few enough that nobody waits for it, many enough to keep up."""


class Clocks:
    """Acts on what is due, city by city."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._failing: set[UUID] = set()
        # Left alone until this process starts anew: after a mend comes a restart.
        self._faulty: set[UUID] = set()

    async def turn(self) -> bool:
        """One unit of every city; whether any of them has more.

        In turn, so that a city where much is due, or where something is wrong, keeps no
        other waiting. Raises what is wrong when it is wrong everywhere.
        """
        cities = self._house.references.cities()
        found = [await self._try(city) for city in cities]
        faults = [one for one in found if isinstance(one, Exception)]
        if faults and len(faults) == len(cities):
            raise faults[0]
        return UNIT in found

    async def _try(self, city: UUID) -> int | Exception:
        try:
            acted = await self.act(city)
        except Exception as error:
            if city not in self._failing:
                self._failing.add(city)
                log.error("city_failing", city_id=str(city), exc_info=error)
            return error
        self._failing.discard(city)
        return acted

    async def act(self, city: UUID) -> int:
        """Act on at most UNIT appeals of a city that are due now; how many there were."""
        at = self._house.now()
        async with self._house.units.open(Principal(NOBODY, Role.SYSTEM, city)) as uow:
            acted = await act_on_due(
                uow=uow,
                reference=self._house.references.of(city),
                at=at,
                limit=UNIT,
                skipping=self._faulty,
            )
            if acted.changes:
                await uow.commit()
        for change in acted.changes:
            types = [str(event.type) for event in change.events]
            log.info("clock_acted", appeal_id=str(change.appeal.id), types=types)
        for appeal, error in acted.faulty:
            self._faulty.add(appeal)
            log.error("clock_faulty", appeal_id=str(appeal), exc_info=error)
        return len(acted.changes) + len(acted.faulty)


class Incidents:
    """Starts what was announced for now, tells of what runs past its expected end, and lets joined
    appeals follow their incidents.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._faulty: set[UUID] = set()
        self._past: dict[UUID, frozenset[Past]] = {}

    async def turn(self) -> bool:
        """One unit of every city; whether any of them has more. What is wrong in a city is raised
        when every other has had its turn.
        """
        found: list[int] = []
        faults: list[Exception] = []
        for city in self._house.references.cities():
            try:
                found.append(await self.tend(city))
            except Exception as error:
                faults.append(error)
        if faults:
            raise faults[0]
        return UNIT in found

    async def tend(self, city: UUID) -> int:
        """Let at most UNIT appeals of a city catch up; how many there were.

        Each unit is a transaction of its own: whoever dies between two of them has lost nothing.
        """
        async with self._house.units.open(Principal(NOBODY, Role.SYSTEM, city)) as uow:
            tended = await tend(
                uow=uow,
                reference=self._house.references.of(city),
                at=self._house.now(),
                limit=UNIT,
                skipping=self._faulty,
                past=self._past.get(city, frozenset()),
            )
            await uow.commit()
        self._past[city] = tended.past
        for incident in tended.started:
            log.info("incident_started", incident_id=str(incident.id))
        for incident in tended.overdue:
            log.info("incident_overdue", incident_id=str(incident.id))
        if tended.followed:
            log.info("incidents_followed", appeals=tended.followed)
        for appeal, error in tended.faulty:
            self._faulty.add(appeal)
            log.error("incident_faulty", appeal_id=str(appeal), exc_info=error)
        return tended.followed + len(tended.faulty)


class Refresh:
    """Keeps the reference snapshots fresh."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def turn(self) -> bool:
        """Read again what changed; there is never more."""
        await self._house.references.refresh(self._house.now())
        return False


class Tallies:
    """Adds up what the statistics are made of, so that few rows are read for them."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def turn(self) -> bool:
        """One step; whether there was anything to add up, so that there may be more."""
        return await self._house.statistics.add_up() > 0


class Ends:
    """Ends by name what waits for endpoints that were disabled or removed."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def turn(self) -> bool:
        """One step; whether there may be more."""
        ended = await self._house.deliveries.end_unwanted(clock.real())
        if ended:
            log.info("deliveries_ended", deliveries=ended)
        return ended > 0


class Mended:
    """Has what waits for endpoints that were mended, or recovered, tried at once."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def turn(self) -> bool:
        """One step; whether there may be more."""
        moved = await self._house.deliveries.bring_forward(clock.real())
        if moved:
            log.info("deliveries_brought_forward", deliveries=moved)
        return moved > 0


class Outages:
    """Tells of endpoints that fail for too long, where no attempt tells of it."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def turn(self) -> bool:
        """One step; whether there may be more."""
        told = await self._house.deliveries.tell_overdue(clock.real())
        if told:
            log.info("outages_told", endpoints=told)
        return told > 0


DESKS = 5000
"""Rows of desks in one step. Few are every minute's, and no news; after a storm there are more."""


class Sweep:
    """Forgets what is no longer needed, in small steps."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def turn(self) -> bool:
        """One step; whether anything was found, so that there may be more."""
        answers = await self._house.housekeeping.forget_answers()
        uploads = await self._house.housekeeping.forget_uploads(self._house.now())
        deliveries = await self._house.housekeeping.forget_deliveries(clock.real())
        desks = await self._house.housekeeping.clear_desks(DESKS)
        await self._house.housekeeping.forget_notices(clock.real())
        await self._house.incidents.settle(self._house.now())
        await self._house.revocations.forget()
        told = await self._house.feed.sweep(self._house.now())
        found = answers or uploads or deliveries or told
        if found:
            log.info("swept", answers=answers, uploads=uploads, deliveries=deliveries, feed=told)
        return bool(found) or desks == DESKS
