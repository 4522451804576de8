"""Organisations, territories and rules as three CSV tables (RFC 4180), and back.

Names and contacts stand in columns such as names.kk and contacts.phone; the houses of
a territory in one cell, 'abay/5; abay/7'; its polygon as 'lon lat; lon lat; lon lat'.
"""

import csv
import io
from collections.abc import Mapping, Sequence

from domain.catalogue.problems import Problem, Spot
from domain.organisations import exchange, export
from domain.organisations.exchange import Draft, Known, Reading, Row, Rows
from integrations.files.catalogue_csv import FORMULA, Refused, decode

TABLES = {
    "organisations.csv": "organisations",
    "territories.csv": "territories",
    "responsibilities.csv": "responsibilities",
}


def read(files: Mapping[str, bytes], known: Known) -> Reading:
    """The draft of the tables by file name, or every problem found in any of them."""
    parts: dict[str, list[Row]] = {part: [] for part in TABLES.values()}
    problems: list[Problem] = []
    for name, data in files.items():
        if name not in TABLES:
            problems.append(Problem(name, 0, "unknown-file", "", {"allowed": list(TABLES)}))
            continue
        try:
            table, found = decode(name, data)
        except Refused as refused:
            problems.append(Problem(name, refused.line, refused.code, "", refused.params))
            continue
        problems += found
        parts[TABLES[name]] += [(Spot(name, {"": line}), _nested(row)) for line, row in table.rows]
    return exchange.read(Rows(**parts), known, problems)


def encode(draft: Draft, known: Known) -> dict[str, bytes]:
    """The draft as tables by file name; `read` gives the same draft back."""
    written = export.write(draft, known)
    return {
        name: write_table([_flat(row) for row in written[part]]) for name, part in TABLES.items()
    }


def _nested(row: Mapping[str, str]) -> dict[str, object]:
    nested: dict[str, object] = {}
    for column, cell in row.items():
        name, _, inner = column.partition(".")
        if inner:
            group = nested.setdefault(name, {})
            if isinstance(group, dict):
                group[inner] = cell
        elif name == "buildings":
            nested[name] = listed(cell)
        elif name == "polygon":
            nested[name] = [point.split() for point in listed(cell)]
        else:
            nested[name] = cell
    return nested


def listed(cell: str) -> list[str]:
    """The parts of a cell, which `;` separates."""
    return [part.strip() for part in cell.split(";") if part.strip()]


def _flat(row: Mapping[str, object]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": str(each) for inner, each in value.items()}
        elif isinstance(value, list):
            flat[name] = "; ".join(_point(each) for each in value)
        else:
            flat[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


def _point(each: object) -> str:
    return (
        " ".join(map(str, each))
        if isinstance(each, Sequence) and not isinstance(each, str)
        else str(each)
    )


def write_table(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Rows as a table that a spreadsheet opens rightly; its columns are those of the rows."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: _guarded(cell) for column, cell in row.items()})
    # Without a byte order mark Excel misreads Cyrillic.
    return text.getvalue().encode("utf-8-sig")


def _guarded(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula begins with an apostrophe."""
    return "'" + cell if cell.lstrip("'").startswith(FORMULA) else cell
