"""A bell for those who wait for news of the feed: one look for all of them, and none for nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog

log = structlog.get_logger()

Rung = Callable[[int | None], Awaitable[tuple[int, frozenset[UUID]]]]
"""The newest position, and whose entries came behind the given one."""

PERIOD = 0.25


class Ear:
    """Hears that its organisation was told something since it began to listen, or since the
    last `wait`.
    """

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until the bell rings, for so long at the most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()


class Bell:
    """Looks for news while somebody listens: how many do, and for whom, costs the database
    nothing, and nobody holds a connection while they wait.
    """

    def __init__(self, rung: Rung, period: float = PERIOD) -> None:
        self._look = rung
        self._period = period
        self._ears: dict[UUID, set[Ear]] = {}
        self._task: asyncio.Task[None] | None = None
        self._position = 0
        self._starting = asyncio.Lock()
        self.closed = False
        """Nobody need wait: the process is about to end."""

    def close(self) -> None:
        """Let everybody go who waits."""
        self.closed = True
        for ear in (one for ears in self._ears.values() for one in ears):
            ear.ring()

    @asynccontextmanager
    async def ear(self, organisation: UUID) -> AsyncIterator[Ear]:
        """Listen for an organisation. What is told from now on is heard: so listen first, and
        read then. Raises Unavailable.
        """
        ear = Ear()
        self._ears.setdefault(organisation, set()).add(ear)
        try:
            await self._start()
            yield ear
        finally:
            self._ears[organisation].discard(ear)
            if not self._ears[organisation]:
                del self._ears[organisation]
            if not self._ears and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _start(self) -> None:
        async with self._starting:
            if self._task is None:
                self._position, _ = await self._look(None)
                self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                self._position, whose = await self._look(self._position)
            except Exception as error:
                # Whoever listens reads for themselves when their time is up, and is told why not.
                log.warning("bell_silent", exc_info=error)
                continue
            for ear in (one for each in whose for one in self._ears.get(each, ())):
                ear.ring()
