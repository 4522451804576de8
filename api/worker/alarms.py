"""Notices of endpoints leave by mail: to the address that the organisation gave of itself."""

import structlog

from api import clock
from api.alarm_texts import letter_of
from api.bootstrap import House
from domain.ports import Mailer

log = structlog.get_logger()

AT_ONCE = 5
"""Letters that are taken together: they leave within their lease, even by a slow post office."""


class Alarms:
    """Mails what is due. Any number may run."""

    def __init__(self, house: House, mailer: Mailer | None) -> None:
        self._house = house
        self._mailer = mailer

    async def turn(self) -> bool:
        """A few letters; whether there may be more. One that is refused keeps no other waiting."""
        if self._mailer is None:
            return False
        taken = await self._house.alarms.take(clock.real(), AT_ONCE)
        refused: OSError | None = None
        for alarm in taken:
            try:
                await self._mailer.send(letter_of(alarm, self._house.settings.base_url))
            except OSError as error:
                refused = error
                continue
            await self._house.alarms.mailed(alarm)
            log.info("notice_mailed", notice_id=str(alarm.id), type=alarm.type)
        if refused is not None:
            raise refused
        return len(taken) == AT_ONCE
