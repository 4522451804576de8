"""The address list as files: districts in YAML, streets and buildings in CSV tables, and back.

In streets.csv the names stand in name_kk, name_ru and name_en, former and colloquial names in
one cell, which `;` separates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from domain.catalogue.problems import Problem, Spot
from domain.catalogue.table import Table
from domain.organisations import address_list
from domain.organisations.address_list import AddressList, Rows
from domain.organisations.exchange import Row
from integrations.files import catalogue_csv, catalogue_yaml
from integrations.files.catalogue_yaml import dump
from integrations.files.organisations_csv import listed, write_table
from integrations.files.organisations_yaml import part_rows

DISTRICTS = "districts.yaml"
COLUMNS = {
    "streets.csv": ("code", "name_kk", "name_ru", "name_en", "aliases"),
    "buildings.csv": ("street", "number", "district", "latitude", "longitude", "kind"),
}
OPTIONAL = frozenset({"name_en", "aliases"})
FILES = (DISTRICTS, *COLUMNS)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The entries of the files. `broken`: a file could not be read as what it should be, so
    that what refers to its entries cannot be judged; `problems` say why."""

    rows: Rows
    problems: tuple[Problem, ...]
    broken: bool


def decode(files: Mapping[str, bytes]) -> Decoded:
    """The entries of the files by name (see FILES), and what was wrong with any of them."""
    parts: dict[str, list[Row]] = {}
    whole: list[Problem] = []
    single: list[Problem] = []
    for name, data in files.items():
        try:
            if name == DISTRICTS:
                parts["districts"] = _districts(data, whole)
            elif name in COLUMNS:
                table, found = catalogue_csv.decode(name, data)
                single += found
                whole += _header_problems(table)
                parts[name.removesuffix(".csv")] = [
                    (Spot(name, {"": line}), _entry(row)) for line, row in table.rows
                ]
            else:
                whole.append(Problem(name, 0, "unknown-file", "", {"allowed": ", ".join(FILES)}))
        except (catalogue_csv.Refused, catalogue_yaml.Refused) as refused:
            whole.append(Problem(name, refused.line, refused.code, "", refused.params))
    return Decoded(Rows(**parts), (*whole, *single), bool(whole))


def encode(addresses: AddressList) -> dict[str, bytes]:
    """The files by name; `decode` gives the same entries back. A part without entries has none."""
    written = {part: rows for part, rows in address_list.write(addresses).items() if rows}
    files = {}
    if districts := written.pop("districts", None):
        files[DISTRICTS] = dump({"districts": districts})
    for part, rows in written.items():
        columns = COLUMNS[f"{part}.csv"]
        files[f"{part}.csv"] = write_table([_cells(row, columns) for row in rows])
    return files


def in_columns(problem: Problem) -> Problem:
    """The problem with its field named as the column of a table: names.kk is name_kk."""
    if problem.file not in COLUMNS:
        return problem
    return replace(problem, field=problem.field.replace("names.", "name_"))


def _districts(data: bytes, problems: list[Problem]) -> list[Row]:
    source = catalogue_yaml.decode(DISTRICTS, data)
    root = Spot(DISTRICTS, source.lines)
    return [row for _, row in part_rows(root, source.content, ("districts",), problems)]


def _header_problems(table: Table) -> list[Problem]:
    known, problems = COLUMNS[table.name], []
    for column in table.columns:
        spot = Spot(table.name, {"": 1}, field=column)
        if column not in known:
            problems.append(spot.problem("unknown-field"))
        elif table.columns.count(column) > 1:
            problems.append(spot.problem("duplicate", value=column))
    for column in known:
        if column not in table.columns and column not in OPTIONAL:
            problems.append(Spot(table.name, {"": 1}, field=column).problem("required"))
    return problems


def _entry(row: Mapping[str, str]) -> dict[str, object]:
    entry: dict[str, object] = {}
    names: dict[str, str] = {}
    for column, cell in row.items():
        if column.startswith("name_"):
            names[column.removeprefix("name_")] = cell
        else:
            entry[column] = listed(cell) if column == "aliases" else cell
    return entry | {"names": names} if names else entry


def _cells(row: Mapping[str, object], columns: tuple[str, ...]) -> dict[str, str]:
    cells: dict[str, object] = dict(row)
    names, aliases = row.get("names"), row.get("aliases")
    if isinstance(names, Mapping):
        cells |= {f"name_{language}": name for language, name in names.items()}
    if isinstance(aliases, list):
        cells["aliases"] = "; ".join(aliases)
    return {column: str(cells.get(column, "")) for column in columns}
