"""What the command line says and how: rich on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Advance = Callable[[int], None]
"""Say how many more are done."""

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


class Failure(Exception):
    """Something that the caller must know and can mend: one sentence, and how."""

    def __init__(self, sentence: str, mend: str = "", *, status: int = 1) -> None:
        super().__init__(sentence)
        self.sentence, self.mend, self.status = sentence, mend, status


class Reported(Exception):
    """The command failed and has already said all about it."""


def say(sentence: str) -> None:
    """One line of the command's answer."""
    out.print(escape(sentence))


def note(sentence: str) -> None:
    """One line about how the work goes; not part of the answer."""
    err.print(escape(sentence), style="dim" if err.is_terminal else "")


def complain(sentence: str, mend: str = "") -> None:
    """Say what went wrong and how to mend it."""
    err.print(f"[bold red]{escape(sentence)}[/]")
    if mend:
        err.print(escape(mend))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table on a terminal; lines of tab-separated cells elsewhere, for other programs."""
    if not out.is_terminal:
        for row in (columns, *rows):
            sys.stdout.write("\t".join(_cell(value) for value in row) + "\n")
        return
    drawn = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(_cell(value)) for value in row))
    out.print(drawn, soft_wrap=False)


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("\t", " ").replace("\n", " ")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """A bar on a terminal; elsewhere a line at each quarter of the way."""
    if err.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
            task = bar.add_task(escape(what), total=total)
            yield lambda step: bar.advance(task, step)
        return
    yield _Quarters(what, total).advance


class _Quarters:
    """Progress for those who read it later: what began, and each quarter of it."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._total, self._done, self._told = what, total, 0, 0
        note(what)

    def advance(self, step: int) -> None:
        self._done += step
        quarter = 4 * self._done // self._total if self._total else 0
        if quarter > self._told:
            self._told = quarter
            note(f"{self._what}: {self._done} of {self._total}")
