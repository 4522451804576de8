"""What attempts brought is written down together: a page while the one before it is being written.

Alone each attempt would cost a transaction. Nobody waits for company: a page is begun as soon as
the last one is written, with whatever ended meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from domain.errors import Unavailable
from integrations.postgres.deliveries import Report

PAGE = 200

Write = Callable[[Sequence[Report]], Awaitable[Sequence[bool]]]
"""Writes down a page; whether the word of each attempt was taken."""


class Ledger:
    """Belongs to one loop, in which it is opened by its first line."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lines: list[tuple[Report, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def note(self, report: Report) -> bool:
        """Write down one attempt, with others; whether its word was taken.

        Raises what the database raised: then nothing of it is written.
        """
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._lines.append((report, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await written

    async def _write_all(self) -> None:
        while self._lines:
            page, self._lines = self._lines[:PAGE], self._lines[PAGE:]
            await self._write_page(page)
        self._writing = None

    async def _write_page(self, page: Sequence[tuple[Report, "asyncio.Future[bool]"]]) -> None:
        try:
            taken = await self._write([report for report, _ in page])
        except Exception as error:
            if len(page) > 1 and not isinstance(error, Unavailable):
                # One line that cannot be written keeps no other from the ledger.
                for line in page:
                    await self._write_page([line])
                return
            for _, written in page:
                if not written.done():
                    written.set_exception(error)
        else:
            for (_, written), one in zip(page, taken, strict=True):
                if not written.done():
                    written.set_result(one)
