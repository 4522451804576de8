"""What attempts brought is written down together: a page while the one before it is being written.

Alone each attempt would cost a transaction. A page holds whatever ended while the last one was
written, and for a moment more. What was delivered and what failed have pages of their own, written
beside each other: a failure waits for locks, since more follows from it, and a flood of them keeps
no success from the ledger.
"""

import asyncio
from collections.abc import Sequence, Set
from typing import Protocol
from uuid import UUID

from domain.errors import Unavailable
from domain.webhooks.attempts import Report
from domain.webhooks.schedule import Outcome

PAGE = 200
MOMENT = 0.02
"""Seconds that a page waits for company."""


class Book(Protocol):
    """Where attempts are written down; see integrations/postgres/deliveries.py."""

    async def finish(self, reports: Sequence[Report]) -> Set[UUID]:
        """Write down attempts together; of which deliveries the word was taken."""


class Ledger:
    """Belongs to one loop, that of its first line."""

    def __init__(self, book: Book) -> None:
        self._delivered, self._failed = _Pages(book), _Pages(book)

    async def note(self, report: Report) -> bool:
        """Write down one attempt; whether its word was taken.

        Raises what the database raised: then nothing of it is written.
        """
        delivered = report.verdict.outcome is Outcome.DELIVERED
        return await (self._delivered if delivered else self._failed).note(report)


class _Pages:
    """One page after another."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lines: list[tuple[Report, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def note(self, report: Report) -> bool:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._lines.append((report, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await written

    async def _write_all(self) -> None:
        while self._lines:
            if len(self._lines) < PAGE:
                await asyncio.sleep(MOMENT)
            page, self._lines = self._lines[:PAGE], self._lines[PAGE:]
            await self._write_page(page)
        self._writing = None

    async def _write_page(self, page: Sequence[tuple[Report, "asyncio.Future[bool]"]]) -> None:
        try:
            taken = await self._book.finish([report for report, _ in page])
        except Exception as error:
            if len(page) > 1 and not isinstance(error, Unavailable):
                # A line that cannot be written keeps no other from the ledger.
                for line in page:
                    await self._write_page([line])
                return
            for _, written in page:
                if not written.done():
                    written.set_exception(error)
        else:
            for report, written in page:
                if not written.done():
                    written.set_result(report.attempt.delivery in taken)
