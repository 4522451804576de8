"""Cities at the command line: created, mended, listed, written out; refused with every reason."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.api.cli.conftest import Ikomek

SHEET = """\
code: ayagoz
kato: "103220100"
names: {kk: Аягөз, ru: Аягоз, en: Ayagoz}
zone: Asia/Almaty
languages: [kk, ru]
prefix: AYG
bounds:
- [80.3, 47.9]
- [80.6, 47.9]
- [80.6, 48.1]
- [80.3, 48.1]
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "city.yaml"
    path.write_text(SHEET)
    return path


def _city(url: str, code: str) -> tuple[object, ...] | None:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT prefix, kato, reference_version FROM city WHERE code = %s", [code]
        ).fetchone()


@pytest.fixture
def numbered(city_database: str) -> Iterator[None]:
    """An appeal of the small city, which only its number and city matter of."""
    with psycopg.connect(city_database, autocommit=True) as connection:
        # The appeal need not be a whole one: what it refers to is not looked at here.
        connection.execute("ALTER TABLE appeal DISABLE TRIGGER ALL")
        columns = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'appeal' AND is_nullable = 'NO' AND column_default IS NULL"
            " AND column_name <> 'city_id'"
        ).fetchall()
        blank = {"uuid": "gen_random_uuid()", "jsonb": "'{}'", "boolean": "false",
                 "timestamp with time zone": "now()", "bytea": "''"}  # fmt: skip
        names = ", ".join(name for name, _ in columns)
        values = ", ".join(blank.get(kind, "'1'") for _, kind in columns)
        connection.execute(
            f"INSERT INTO appeal (city_id, {names})"
            f" SELECT id, {values} FROM city WHERE code = 'kishi'"
        )
        yield
        connection.execute("DELETE FROM appeal")


def test_a_city_is_created_once_and_mended_later(
    ikomek: Ikomek, sheet: Path, city_database: str
) -> None:
    assert "is created" in ikomek("city", "create", sheet, "--dry-run").out
    assert _city(city_database, "ayagoz") is None
    answer = ikomek("city", "create", sheet)
    assert answer.status == 0, answer.out + answer.err
    assert "policies import" in answer.err
    created = _city(city_database, "ayagoz")
    assert created == ("AYG", "103220100", 1)
    assert "is unchanged" in ikomek("city", "create", sheet).out
    assert _city(city_database, "ayagoz") == created
    sheet.write_text(SHEET.replace("AYG", "AGZ"))
    assert "is brought up to date" in ikomek("city", "create", sheet).out
    assert _city(city_database, "ayagoz") == ("AGZ", "103220100", 2)
    lines = ikomek("city", "list").out.splitlines()
    assert lines[1].split("\t") == [
        "ayagoz", "103220100", "Аягоз", "Asia/Almaty", "kk ru", "AGZ", "0",
    ]  # fmt: skip
    assert len(lines) == 3


def test_a_bad_sheet_is_told_whole_and_nothing_is_created(
    ikomek: Ikomek, sheet: Path, city_database: str
) -> None:
    sheet.write_text(
        SHEET.replace("ayagoz", "other").replace("AYG", "KIS").replace("Asia/Almaty", "Almaty")
        .replace("[80.6, 48.1]", "[48.1, 80.6]")
    )  # fmt: skip
    answer = ikomek("city", "create", sheet)
    assert answer.status == 1
    found = [line.split("\t")[1:4] for line in answer.out.splitlines()[1:]]
    assert found == [
        ["4", "unknown-zone", "zone"],
        ["6", "taken", "prefix"],
        ["10", "not-in-kazakhstan", "bounds.2"],
    ]
    assert "3 problems" in answer.err
    assert _city(city_database, "other") is None
    sheet.write_text("- nothing: [")
    assert "bad-yaml" in ikomek("city", "create", sheet).out
    assert ikomek("city", "create", sheet.parent / "none.yaml").status == 2


def test_what_is_exported_and_created_again_changes_nothing(ikomek: Ikomek, tmp_path: Path) -> None:
    target = tmp_path / "kishi.yaml"
    assert ikomek("city", "export", "kishi", target).status == 0
    assert ikomek("city", "export", "kishi").out.strip() == target.read_text().strip()
    assert "- [80.0, 50.0]" in target.read_text()
    assert "is unchanged" in ikomek("city", "create", target).out
    assert ikomek("city", "export", "kishi", target).status == 1
    assert ikomek("city", "export", "atlantis").status == 2


@pytest.mark.usefixtures("numbered")
def test_the_prefix_stays_once_an_appeal_has_a_number(ikomek: Ikomek, tmp_path: Path) -> None:
    target = tmp_path / "kishi.yaml"
    ikomek("city", "export", "kishi", target)
    target.write_text(target.read_text().replace("KIS", "KSH"))
    answer = ikomek("city", "create", target)
    assert answer.status == 1
    assert "in-use\tprefix" in answer.out
