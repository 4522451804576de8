"""What attempts brought is written down together: a page while the one before it is being written.

Alone each attempt would cost a transaction. A page holds whatever was delivered while the last one
was written, and for a moment more; the receivers have it already. What failed is written alone,
since more follows from it, a few at a time, beside the pages: the dead keep nobody waiting.
"""

import asyncio
from collections.abc import Sequence, Set
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.errors import Unavailable
from domain.webhooks.attempts import Attempt, Report
from domain.webhooks.model import AttemptResult
from domain.webhooks.schedule import Outcome, Verdict

PAGE = 200
MOMENT = 0.02
"""Seconds that a page waits for company."""
FEW = 3
"""Failures that are written down at once: fewer than a worker has connections."""


class Book(Protocol):
    """Where attempts are written down; see integrations/postgres/deliveries.py."""

    async def finish_delivered(self, reports: Sequence[Report]) -> Set[UUID]:
        """Write down together attempts that delivered; of which the word was taken."""

    async def finish(
        self, attempt: Attempt, result: AttemptResult, verdict: Verdict, at: datetime
    ) -> bool:
        """Write down one attempt; whether its word was taken."""


class Ledger:
    """Belongs to one loop, that of its first line."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lines: list[tuple[Report, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._few = asyncio.Semaphore(FEW)

    async def note(self, report: Report) -> bool:
        """Write down one attempt; whether its word was taken.

        Raises what the database raised: then nothing of it is written.
        """
        if report.verdict.outcome is not Outcome.DELIVERED:
            async with self._few:
                return await self._alone(report)
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
            taken = await self._book.finish_delivered([report for report, _ in page])
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

    async def _alone(self, report: Report) -> bool:
        return await self._book.finish(report.attempt, report.result, report.verdict, report.at)
