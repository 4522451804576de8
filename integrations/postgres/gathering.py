"""Intakes of many callers, gathered into one transaction: one statement, one flush to disk.

Who comes while nobody is being written is written at once. Who comes meanwhile waits for those
before them, together with all others who do, and no longer. Each is answered after their own
commit. Where a batch fails, for whatever fault of one of them, each is tried alone, so that nobody
suffers for another's (docs/decisions/0016-the-same-speed-at-a-million.md).
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Unavailable
from integrations.postgres.session import borrowed
from integrations.postgres.statements import REGISTER

MOST = 64
"""Intakes of one statement at most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    document: str
    written: "asyncio.Future[bool]"


class Gathering:
    """One process's intakes on their way into the register."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, document: str) -> bool:
        """Write one intake; whether its number was still reserved, so that it is written.

        Returns after the commit. Raises what the database says of this one, or Unavailable. Whoever
        is cancelled while they wait is not written, unless they are under way already: then they
        are, as a caller is who hangs up before the answer.
        """
        one = _Waiting(document, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await one.written

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
        """Those to be written together; who was cancelled meanwhile is left out."""
        waiting = [one for one in self._waiting if not one.written.done()]
        batch, self._waiting = waiting[:MOST], waiting[MOST:]
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
        """Write them in one statement, which is a transaction of its own; the places written."""
        said = f"[{','.join(one.document for one in batch)}]"
        async with borrowed(self._engine) as driver:
            return set(await driver.fetchval(REGISTER, said))


def _refuse(batch: Sequence[_Waiting], error: Exception) -> None:
    for one in batch:
        if not one.written.done():
            one.written.set_exception(error)
