"""The catalogue as one CSV table (RFC 4180): bytes to rows with row numbers, and back."""

import csv
import io
from collections.abc import Iterator

from domain.catalogue.exchange import Reading, References
from domain.catalogue.model import Catalogue
from domain.catalogue.problems import Problem
from domain.catalogue.table import COLUMNS, Table, read_table, write_table

MAX_BYTES = 50_000_000
MAX_CELL = 100_000
DELIMITERS = (",", ";", "\t")
FORMULA = ("=", "+", "-", "@", "\t")


class Refused(Exception):
    """The bytes are no table."""

    def __init__(self, code: str, line: int, **params: object) -> None:
        super().__init__(code)
        self.code, self.line, self.params = code, line, params


def read(name: str, data: bytes, references: References) -> Reading:
    """The catalogue of one table: a draft, or every problem found."""
    try:
        table, problems = decode(name, data)
    except Refused as refused:
        problem = Problem(name, refused.line, refused.code, "", refused.params)
        return Reading(None, (problem,))
    return read_table(table, references, problems)


def decode(name: str, data: bytes) -> tuple[Table, list[Problem]]:
    """The table, and the problem of each row that does not fit under the header.

    Comma, semicolon and tab are taken as delimiters, a byte order mark is passed over.
    Raises Refused: too-large, bad-utf-8, bad-csv.
    """
    filled = [(number, cells) for number, cells in _rows(_text(data)) if any(cells)]
    columns = tuple(cell.strip() for cell in filled[0][1]) if filled else ()
    problems = [
        Problem(name, number, "too-many-cells", "", {"columns": len(columns), "cells": len(cells)})
        for number, cells in filled[1:]
        if len(cells) > len(columns)
    ]
    body = tuple(
        (n, {column: cell for column, cell in zip(columns, cells, strict=False) if cell})
        for n, cells in filled[1:]
    )
    return Table(name, columns, body), problems


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise Refused("too-large", 0, limit=MAX_BYTES, size=len(data))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused("bad-utf-8", line, byte=error.start) from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows, numbered as a spreadsheet shows them: a cell of many lines is one row."""
    header = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if any(len(cell) > MAX_CELL for cell in cells):
                raise Refused("too-large", number, limit=MAX_CELL)
            yield number, [_shown(cell.strip()) for cell in cells]
    except csv.Error as error:
        raise Refused("bad-csv", number + 1, reason=str(error)) from error


def encode(catalogue: Catalogue) -> bytes:
    """The catalogue as CSV; `read` gives the same catalogue back.

    Begins with a byte order mark, without which Excel misreads Cyrillic.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for row in write_table(catalogue):
        writer.writerow({column: _guarded(cell) for column, cell in row.items()})
    return text.getvalue().encode("utf-8-sig")


# A cell that begins with =, +, - or @ would run as a formula when a spreadsheet opens the
# file, so an apostrophe goes before it; the reader takes exactly that one off again.
def _guarded(cell: str) -> str:
    return "'" + cell if cell.lstrip("'").startswith(FORMULA) else cell


def _shown(cell: str) -> str:
    guarded = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA)
    return cell[1:] if guarded else cell
