"""Intakes of many callers, gathered into one transaction: one statement, one flush to disk.

Who comes while nobody is being written is written at once. Who comes meanwhile waits for those
before them, together with all others who do, and no longer. Each is answered after their own
commit. Where a batch fails, for whatever fault of one of them, each is tried alone, so that nobody
suffers for another's (docs/decisions/0016-the-same-speed-at-a-million.md).
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Unavailable
from integrations.postgres.doors import city_door
from integrations.postgres.session import inside
from integrations.postgres.statements import REGISTER

MOST = 64
"""Intakes of one statement at most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    document: str
    city: UUID
    principal: UUID
    written: "asyncio.Future[bool]"


class Gathering:
    """One process's intakes on their way into the register."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, document: str, city: UUID, principal: UUID) -> bool:
        """Write one intake of a principal into a city; whether its number was still reserved, so
        that it is written.

        Returns after the commit. Raises what the database says of this one, or Unavailable. Whoever
        is cancelled while they wait is not written, unless they are under way already: then they
        are, as a caller is who hangs up before the answer.
        """
        one = _Waiting(document, city, principal, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await one.written

    def waits(self, document: str) -> bool:
        """Whether an intake is not under way yet."""
        return any(one.document is document for one in self._waiting)

    async def _write_all(self) -> None:
        try:
            while batch := self._next():
                await self._write_batch(batch)
        finally:
            self._writer = None
            # None is left but where this task itself was cut off.
            _refuse(self._waiting, Unavailable(what="database"))
            self._waiting.clear()

    def _next(self) -> list[_Waiting]:
        """Those of one city to be written together; who was cancelled meanwhile is left out."""
        waiting = [one for one in self._waiting if not one.written.done()]
        batch = [one for one in waiting if one.city == waiting[0].city][:MOST]
        self._waiting = [one for one in waiting if one not in batch]
        return batch

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            places = await self._register(batch)
        except Unavailable as error:
            # It is not known whether they are written; trying again could not tell either.
            _refuse(batch, error)
        except Exception as error:
            if len(batch) == 1:
                _refuse(batch, error)
            else:
                for one in batch:
                    await self._write_batch([one])
        except BaseException:
            _refuse(batch, Unavailable(what="database"))
            raise
        else:
            for place, one in enumerate(batch, 1):
                if not one.written.done():
                    one.written.set_result(place in places)

    async def _register(self, batch: Sequence[_Waiting]) -> Collection[int]:
        """Write them in one statement, in a transaction of their own; the places written."""
        door = city_door(batch[0].city, {one.principal for one in batch})
        said = f"[{','.join(one.document for one in batch)}]"
        async with inside(self._engine, door) as driver:
            return set(await driver.fetchval(REGISTER, said))


def _refuse(batch: Sequence[_Waiting], error: Exception) -> None:
    for one in batch:
        if not one.written.done():
            one.written.set_exception(error)
