"""Checkpoints leave the house: into a folder, and by mail at each day's end.

Webhooks take them along by themselves: their deliveries are written with the checkpoint.
"""

import asyncio
from datetime import date, timedelta

import structlog

from api import clock
from api.bootstrap import House
from api.texts import DAY_ENDED
from domain.ports import Letter, Mailer
from domain.reference import City
from domain.register.receipt import Signed

log = structlog.get_logger()

AT_ONCE = 200
MAILED_FOR = timedelta(days=7)
"""Days that ended longer ago are not mailed any more."""


class Outlets:
    """Whatever has not left yet leaves now. Any number may run; repeats do no harm."""

    def __init__(self, house: House, mailer: Mailer | None) -> None:
        self._house = house
        self._mailer = mailer

    async def turn(self) -> bool:
        """Every city once; whether the folder is still behind."""
        references = self._house.references
        cities = [references.of(id).city for id in references.cities()]
        behind = [await self._file(city) for city in cities]
        # A mail server that is down keeps no file waiting.
        for city in cities:
            await self._mail(city)
        return any(behind)

    async def _file(self, city: City) -> bool:
        folder = self._house.notes
        if folder is None:
            return False
        written = await asyncio.to_thread(folder.newest, city.code)
        fresh = await self._house.proofs.after(city.id, written, AT_ONCE)
        for signed in fresh:
            day, size = city.local(signed.at).date(), signed.checkpoint.size
            await asyncio.to_thread(folder.write, city.code, day, size, str(signed.checkpoint))
        return len(fresh) == AT_ONCE

    async def _mail(self, city: City) -> None:
        if self._mailer is None:
            return
        since = city.local(clock.real() - MAILED_FOR).date()
        refused: OSError | None = None
        async with self._house.checkpoints.unmailed(city.id, since) as days:
            for day, size in days:
                signed = await self._house.proofs.checkpoint(city.id, size)
                try:
                    await self._mailer.send(self._letter(city, day, signed))
                except OSError as error:
                    # Told outside, where nobody takes it for a fault of the database.
                    refused = error
                    break
                await self._house.checkpoints.mailed(city.id, day, clock.real())
                log.info("checkpoint_mailed", city_id=str(city.id), size=size)
        if refused is not None:
            raise refused

    def _letter(self, city: City, day: date, signed: Signed) -> Letter:
        checkpoint = signed.checkpoint
        return Letter(
            to=self._house.settings.checkpoint_mail,
            subject=f"{checkpoint.origin} {day}: {checkpoint.size}",
            text="\n\n".join((*DAY_ENDED.values(), str(checkpoint))),
            filename=f"{city.code}-{day}-{checkpoint.size:012}.txt",
            attached=str(checkpoint),
        )
