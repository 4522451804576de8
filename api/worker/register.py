"""The register's own work: events are sealed, the log is signed."""

from datetime import datetime, time, timedelta
from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
from domain.reference import City
from domain.register.checkpoint import Signer, origin_of

log = structlog.get_logger()


class Seal:
    """Seals events and signs the logs, by the machine's own clock.

    A checkpoint each `checkpoint_seconds` in which something happened, and one as soon as the
    city's day has ended.
    """

    def __init__(self, house: House, signer: Signer) -> None:
        self._house = house
        self._signer = signer
        self._days: dict[UUID, datetime] = {}
        self._failing: set[UUID] = set()

    async def turn(self) -> bool:
        """Seal what there is, sign where it is time; whether there may be more to seal."""
        sealed = await self._house.sealer.seal()
        for city in self._house.references.cities():
            await self._try(self._house.references.of(city).city, clock.real())
        return sealed > 0

    async def _try(self, city: City, at: datetime) -> None:
        """A city whose log cannot be signed keeps no other waiting."""
        try:
            await self.sign(city, at)
        except Exception as error:
            if city.id not in self._failing:
                self._failing.add(city.id)
                log.error("register_not_signed", city_id=str(city.id), exc_info=error)
        else:
            self._failing.discard(city.id)

    async def sign(self, city: City, at: datetime) -> None:
        """Sign the log of a city if it is time."""
        checkpoints, today = self._house.checkpoints, _begun(city, at)
        standing = await checkpoints.standing(city.id)
        new_day = self._days.get(city.id) != today
        waited = standing.at is None or standing.at + self._every <= at
        # A checkpoint of before midnight does not cover the day that has ended since.
        stale = standing.at is not None and standing.at < today
        if standing.has_news and (waited or stale):
            signed = await checkpoints.sign(city.id, origin_of(city.code), self._signer, at)
            if signed is not None:
                log.info("register_signed", city_id=str(city.id), size=signed.size)
        if new_day:
            await self._end_days(city, today)
            self._days[city.id] = today

    async def _end_days(self, city: City, today: datetime) -> None:
        """Every day since the last that ended, those too on which no scheduler ran."""
        day = await self._house.checkpoints.unended(city.id, city.zone)
        while day is not None and day < city.local(today).date():
            day += timedelta(days=1)
            begun = datetime.combine(day, time(), city.zone_info())
            await self._house.checkpoints.end_day(city.id, day - timedelta(days=1), begun)

    @property
    def _every(self) -> timedelta:
        return timedelta(seconds=self._house.settings.checkpoint_seconds)


def _begun(city: City, at: datetime) -> datetime:
    """When the city's present day began."""
    local = city.local(at)
    return datetime.combine(local.date(), time(), local.tzinfo)
