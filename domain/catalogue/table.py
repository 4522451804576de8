"""The flat form of a catalogue: one row a service, with rows of their own for the tree.

A row with only `sphere` filled names the sphere; with `sphere` and `category`, the
category; with `code` as well it is a service. `position` belongs to the first two.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from domain.catalogue.exchange import Intake, Reading, References, service_form
from domain.catalogue.fields import LANGUAGES, SEPARATOR, Desk
from domain.catalogue.model import Catalogue, Service
from domain.catalogue.problems import Problem, Spot
from domain.values import LocalizedText

TEXTS = {"name": "names", "description": "description", "first_call_answer": "first_call_answer"}
JSONS = ("form", "evidence")
"""Columns whose cells hold JSON."""
PLAIN = ("criticality", "policy", "responsible", "valid_from", "valid_to")

COLUMNS: tuple[str, ...] = (
    "sphere",
    "category",
    "code",
    *(f"name_{language}" for language in LANGUAGES),
    *(f"description_{language}" for language in LANGUAGES),
    "criticality",
    "policy",
    "responsible",
    "public",
    *(f"keywords_{language}" for language in LANGUAGES),
    *(f"first_call_answer_{language}" for language in LANGUAGES),
    "form",
    "evidence",
    "valid_from",
    "valid_to",
    "position",
)
NEEDED = ("sphere", "category", "code", "name_kk", "name_ru", "criticality", "policy")
PLACE_COLUMNS = frozenset(
    {"sphere", "category", "position", *(f"name_{language}" for language in LANGUAGES)}
)
FLAGS = {
    **dict.fromkeys(("true", "1", "yes", "да", "иә", "истина"), True),
    **dict.fromkeys(("false", "0", "no", "нет", "жоқ", "ложь"), False),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A decoded table: its header, and its filled rows with the number a spreadsheet shows.

    Empty cells are left out of a row.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]


def read_table(table: Table, references: References, problems: Iterable[Problem] = ()) -> Reading:
    """The catalogue of one table; `problems` are those met while decoding it."""
    intake = Intake(references)
    _check_columns(intake.desk, table)
    if not intake.desk.problems:
        _read_rows(intake, table)
    reading = intake.reading(problems)
    return replace(reading, problems=tuple(map(_in_columns, reading.problems)))


def _check_columns(desk: Desk, table: Table) -> None:
    for column in table.columns:
        spot = Spot(table.name, {"": 1}, field=column)
        if column not in COLUMNS:
            desk.complain(spot, "unknown", key=column)
        elif table.columns.count(column) > 1:
            desk.complain(spot, "duplicate", what="column", value=column)
    for column in NEEDED:
        if column not in table.columns:
            desk.complain(Spot(table.name, {"": 1}, field=column), "required")


def _read_rows(intake: Intake, table: Table) -> None:
    _read_places(intake, table)
    spheres = {sphere.code for sphere in intake.spheres}
    categories = {category.code: category.sphere for category in intake.categories}
    for line, row in table.rows:
        if "code" not in row:
            continue
        spot = Spot(table.name, {"": line})
        sphere, category = row.get("sphere", ""), row.get("category", "")
        if sphere not in spheres:
            intake.desk.complain(spot.at("sphere"), "unknown-sphere", value=sphere)
        if categories.get(category) != sphere:
            intake.desk.complain(spot.at("category"), "unknown-category", value=category)
        intake.service(_entry(intake.desk, row, spot), category, sphere, spot)


def _read_places(intake: Intake, table: Table) -> None:
    counted: dict[str, int] = {}
    for line, row in table.rows:
        if "code" in row:
            continue
        spot, sphere = Spot(table.name, {"": line}), row.get("sphere", "")
        for column in row.keys() - PLACE_COLUMNS:
            intake.desk.complain(spot.at(column), "not-a-service", column=column)
        entry = {"names": _texts(row, "name"), "position": _number(row.get("position"))}
        if "category" in row:
            entry["code"] = row["category"]
            default = counted[sphere] = counted.get(sphere, -1) + 1
            intake.category(entry, sphere, spot, default=default)
        else:
            entry["code"] = row.get("sphere")
            intake.sphere(entry, spot, default=len(intake.spheres))
    known = {sphere.code for sphere in intake.spheres}
    for category in intake.categories:
        if category.sphere not in known:
            spot = Spot(table.name, {"": _line(table, category.code)}, field="sphere")
            intake.desk.complain(spot, "unknown-sphere", value=category.sphere)


def _line(table: Table, category: str) -> int:
    lines = (n for n, row in table.rows if row.get("category") == category and "code" not in row)
    return next(lines, 0)


def _entry(desk: Desk, row: Mapping[str, str], spot: Spot) -> dict[str, object]:
    """The row as the entry that a file would hold."""
    entry: dict[str, object] = {"code": row["code"]}
    entry |= {column: row[column] for column in PLAIN if column in row}
    entry |= {key: texts for prefix, key in TEXTS.items() if (texts := _texts(row, prefix))}
    entry["keywords"] = {
        language: row[column].split(SEPARATOR)
        for language in LANGUAGES
        if (column := f"keywords_{language}") in row
    }
    if "public" in row:
        entry["public"] = FLAGS.get(row["public"].strip().lower(), row["public"])
    if "position" in row:
        desk.complain(spot.at("position"), "not-a-place", column="position")
    entry |= {
        column: _json(desk, row[column], spot.at(column)) for column in JSONS if column in row
    }
    return entry


def _texts(row: Mapping[str, str], prefix: str) -> dict[str, str] | None:
    texts = {
        language.value: row[column]
        for language in LANGUAGES
        if (column := f"{prefix}_{language}") in row
    }
    return texts or None


def _number(cell: str | None) -> object:
    return int(cell) if cell and cell.isascii() and cell.isdigit() and len(cell) < 10 else cell


def _json(desk: Desk, cell: str, spot: Spot) -> object:
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError as error:
        desk.complain(spot, "bad-json", reason=error.msg, position=error.pos)
        return None


def _in_columns(problem: Problem) -> Problem:
    """The problem with its field named as the column: names.kk is name_kk."""
    head, _, tail = problem.field.partition(".")
    if head in JSONS:
        return problem
    if not tail:
        return replace(problem, field="name" if head == "names" else head)
    stem = next((column for column, key in TEXTS.items() if key == head), head)
    return replace(problem, field=f"{stem}_{tail.partition('.')[0]}")


def write_table(catalogue: Catalogue) -> Iterator[dict[str, str]]:
    """The rows of the table, without empty cells: first the tree, then the services."""
    for sphere in catalogue.spheres:
        yield {
            "sphere": sphere.code,
            **_cells("name", sphere.names),
            "position": str(sphere.position),
        }
    for category in catalogue.categories:
        yield {
            "sphere": category.sphere,
            "category": category.code,
            **_cells("name", category.names),
            "position": str(category.position),
        }
    for service in catalogue.services:
        yield _row(service)


def _row(service: Service) -> dict[str, str]:
    entry = service_form(service)
    row = {"sphere": service.sphere, "category": service.category, "code": service.code}
    for prefix, key in TEXTS.items():
        row |= _cells(prefix, getattr(service, key) or {})
    row |= {column: str(entry[column]) for column in PLAIN if column in entry}
    row["public"] = str(service.public).lower()
    joined = {language: SEPARATOR.join(words) for language, words in service.keywords.items()}
    row |= _cells("keywords", joined)
    row |= {column: orjson.dumps(entry[column]).decode() for column in JSONS if column in entry}
    return row


def _cells(prefix: str, texts: LocalizedText) -> dict[str, str]:
    return {f"{prefix}_{language}": text for language, text in texts.items()}
