import csv
import io
from dataclasses import replace

import pytest

from domain.catalogue.exchange import References
from integrations.files import catalogue_csv

REFERENCES = References(policies={"default"}, kinds={"utility"})
GOOD = """\
sphere,category,code,name_kk,name_ru,criticality,policy,responsible,valid_from
lifts,,,Лифтілер,Лифты,,,,
lifts,lifts.emergency,,Шұғыл,Срочно,,,,
lifts,lifts.emergency,lifts.stuck,Қалып қойды,Застрял,high,default,utility,2026-01-01
"""


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    return catalogue_csv.read("c.csv", data, REFERENCES)


def test_a_table_is_read():
    assert [service.code for service in read(GOOD).draft.services] == ["lifts.stuck"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_saved_by_a_spreadsheet_is_read(delimiter):
    saved = "\r\n".join(GOOD.replace(",", delimiter).splitlines())
    assert read(b"\xef\xbb\xbf" + saved.encode()).draft == read(GOOD).draft


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    lines = GOOD.replace("Застрял", '"За\nстрял"').replace("default", "soon")
    (problem,) = read(lines.replace("lifts,,", "\n,,,\nlifts,,", 1)).problems
    # The header, an empty line, an empty row, the two rows of the tree, then the service.
    assert (problem.line, problem.code, problem.field) == (6, "unknown-policy", "policy")


BAD = {
    "bad UTF-8": (GOOD.encode().replace("Шұғыл".encode(), b"\xff"), "bad-utf-8", 3),
    "an open quote": (GOOD + '"', "bad-csv", 5),
    "a cell too large": (GOOD + "x" * 100_001, "too-large", 5),
    "a row too long": (GOOD.replace("2026-01-01", "2026-01-01,,,x"), "too-many-cells", 4),
    "too large": (b"," * 50_000_001, "too-large", 0),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_table_is_refused_with_its_row(kind):
    data, code, line = BAD[kind]
    reading = read(data)
    assert reading.draft is None
    assert [(p.code, p.line) for p in reading.problems] == [(code, line)]


def test_an_empty_file_is_no_catalogue():
    assert {problem.code for problem in read("").problems} == {"required"}


@pytest.mark.parametrize("text", ["=1+1", "+7 700", "-1", "@SUM(A1)", "'=1", "''+", "'да'"])
def test_a_text_never_becomes_a_formula_and_comes_back_unchanged(text):
    draft = read(GOOD).draft
    service = replace(draft.services[0], names={"kk": text, "ru": text})
    written = catalogue_csv.encode(replace(draft, services=(service,)).catalogue())
    cells = next(
        cell["name_ru"]
        for cell in csv.DictReader(io.StringIO(written.decode("utf-8-sig")))
        if cell["code"]
    )
    assert not cells.startswith(("=", "+", "-", "@"))
    assert read(written).draft.services[0].names["ru"] == text
