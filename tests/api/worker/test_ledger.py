"""The ledger: attempts are written down by the page, and no line keeps another from it."""

import asyncio
from datetime import UTC, datetime

import pytest

from api.worker.ledger import PAGE, Ledger
from domain.errors import Unavailable
from domain.values import new_id
from domain.webhooks.attempts import Attempt, Report
from domain.webhooks.model import AttemptResult, Endpoint
from domain.webhooks.schedule import Outcome, Verdict

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


def report(outcome=Outcome.DELIVERED):
    endpoint = Endpoint(new_id(), new_id(), new_id(), "", frozenset(), "", True, (), AT)
    attempt = Attempt(new_id(), new_id(), 1, 1, AT, AT, "appeal.registered", b"{}", endpoint)
    return Report(attempt, AttemptResult(204, None, 1, "", None), Verdict(outcome, AT), AT)


class Book:
    """Keeps pages of what was delivered, and `failed` ones of what was not; writes one only when it
    is open, and none that holds `poison`.
    """

    def __init__(self, poison=None, error=None):
        self.pages, self.failed = [], []
        self.open, self.failing = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.failing.set()
        self.begun = asyncio.Event()
        self.poison, self.error = poison, error

    async def finish(self, reports):
        (delivered,) = {report.verdict.outcome is Outcome.DELIVERED for report in reports}
        self.begun.set()
        await (self.open if delivered else self.failing).wait()
        ids = [report.attempt.delivery for report in reports]
        (self.pages if delivered else self.failed).append(ids)
        if self.error is not None:
            raise self.error
        if self.poison in ids:
            raise ValueError("cannot be written")
        return frozenset(ids)


async def test_who_comes_while_a_page_is_written_is_on_the_next_one():
    book = Book()
    book.open.clear()
    ledger = Ledger(book)
    said = [report() for _ in range(PAGE + 11)]
    first = asyncio.create_task(ledger.note(said[0]))
    await asyncio.wait_for(book.begun.wait(), 2)
    rest = [asyncio.create_task(ledger.note(one)) for one in said[1:]]
    await asyncio.sleep(0.01)
    book.open.set()
    assert all(await asyncio.gather(first, *rest))
    assert [len(page) for page in book.pages] == [1, PAGE, 10]
    assert await ledger.note(report())
    assert len(book.pages) == 4


async def test_what_is_delivered_in_the_same_moment_is_on_one_page():
    book = Book()
    ledger = Ledger(book)
    assert all(await asyncio.gather(*(ledger.note(report()) for _ in range(7))))
    assert [len(page) for page in book.pages] == [7]


async def test_a_word_that_is_not_taken_is_told_to_whom_it_belongs():
    class Refusing(Book):
        async def finish(self, reports):
            return frozenset(one.attempt.delivery for one in reports[1:])

    ledger = Ledger(Refusing())
    taken = await asyncio.gather(*(ledger.note(report()) for _ in range(3)))
    assert taken == [False, True, True]


async def test_a_line_that_cannot_be_written_keeps_no_other_from_the_ledger():
    said = [report() for _ in range(5)]
    book = Book(poison=said[2].attempt.delivery)
    ledger = Ledger(book)
    found = await asyncio.gather(*map(ledger.note, said), return_exceptions=True)
    assert [one is True for one in found] == [True, True, False, True, True]
    assert isinstance(found[2], ValueError)


async def test_when_the_database_is_away_a_page_is_not_tried_line_by_line():
    book = Book(error=Unavailable(what="database"))
    ledger = Ledger(book)
    found = await asyncio.gather(
        *(ledger.note(report()) for _ in range(50)), return_exceptions=True
    )
    assert all(isinstance(one, Unavailable) for one in found)
    assert len(book.pages) == 1
    book.error = None
    assert await ledger.note(report())


async def test_failures_have_pages_of_their_own_that_no_success_waits_for():
    book = Book()
    book.failing.clear()
    ledger = Ledger(book)
    failed = [report(outcome) for outcome in (Outcome.RETRY, Outcome.EXHAUSTED, Outcome.DISABLE)]
    stuck = [asyncio.create_task(ledger.note(one)) for one in failed]
    assert await asyncio.wait_for(ledger.note(report()), 2)
    assert not any(one.done() for one in stuck)
    book.failing.set()
    assert all(await asyncio.wait_for(asyncio.gather(*stuck), 2))
    assert book.failed == [[one.attempt.delivery for one in failed]]


async def test_no_failure_waits_for_a_page_of_successes():
    book = Book()
    book.open.clear()
    ledger = Ledger(book)
    stuck = asyncio.create_task(ledger.note(report()))
    assert await asyncio.wait_for(ledger.note(report(Outcome.RETRY)), 2)
    assert not stuck.done()
    book.open.set()
    assert await stuck


async def test_whoever_gives_up_waiting_disturbs_no_page():
    book = Book()
    book.open.clear()
    ledger = Ledger(book)
    first, second = (asyncio.create_task(ledger.note(report())) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    book.open.set()
    assert await asyncio.wait_for(second, 2)
