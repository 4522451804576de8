"""The address list at the command line: all of it or nothing, and there and back unchanged."""

import csv
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from integrations.postgres import office, reference_writer
from integrations.postgres.engine import open_engine
from tests.api.cli.conftest import Answer, Ikomek

DISTRICTS = """\
districts:
- code: north
  names: {kk: Солтүстік, ru: Север, en: North}
  polygon:
  - [80.1, 50.5]
  - [80.9, 50.5]
  - [80.9, 50.9]
"""
STREETS = """\
code;name_kk;name_ru;name_en;aliases
abay;Абай көшесі;улица Абая;Abay Street;"Ленина; Кирова"
dostyk;Достық көшесі;улица Достык;;
"""
BUILDINGS = (
    "street,number,district,latitude,longitude,kind\n"
    "abay,12А,north,50.61,80.5,apartments\n"
    "abay,14,north,50.62,80.5,school\n"
    "dostyk,1,north,50.63,80.5,house\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "addresses"
    place.mkdir()
    (place / "districts.yaml").write_text(DISTRICTS)
    (place / "streets.csv").write_text(STREETS)
    (place / "buildings.csv").write_text(BUILDINGS)
    (place / "README.md").write_text("Not part of the list")
    return place


def _stand(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT b.id, s.code, b.number, b.kind FROM building b"
            " JOIN street s ON s.id = b.street_id ORDER BY s.code, b.number"
        ).fetchall()


def _counts(answer: Answer) -> dict[str, list[int]]:
    assert answer.status == 0, answer.out + answer.err
    lines = [line.split("\t") for line in answer.out.splitlines()[1:] if "\t" in line]
    return {part: [int(count) for count in counts] for part, *counts in lines}


def test_a_bad_list_is_told_row_by_row_and_nothing_is_loaded(
    ikomek: Ikomek, folder: Path, city_database: str
) -> None:
    (folder / "streets.csv").write_text(STREETS.replace("улица Достык", ""))
    (folder / "buildings.csv").write_text(
        BUILDINGS.replace("50.61,80.5", "80.5,50.61").replace("14,north", "14,south")
        + "abay,12 а,north,50.6,80.5,House\n"
    )
    before = _stand(city_database)
    for command in ("check", "import"):
        answer = ikomek("addresses", command, folder)
        assert answer.status == 1
        assert {tuple(line.split("\t")[:4]) for line in answer.out.splitlines()[1:]} == {
            ("buildings.csv", "2", "outside-city", "latitude"),
            ("buildings.csv", "3", "unknown", "district"),
            ("buildings.csv", "5", "bad-code", "kind"),
            ("streets.csv", "3", "required", "name_ru"),
        }
    assert _stand(city_database) == before


def test_a_table_under_a_wrong_header_is_told_by_its_columns_alone(
    ikomek: Ikomek, folder: Path
) -> None:
    (folder / "streets.csv").write_text(STREETS.replace("name_ru", "name"))
    answer = ikomek("addresses", "check", folder)
    assert answer.status == 1
    assert {tuple(line.split("\t")[:4]) for line in answer.out.splitlines()[1:]} == {
        ("streets.csv", "1", "unknown-field", "name"),
        ("streets.csv", "1", "required", "name_ru"),
    }
    assert ikomek("addresses", "check", folder / "README.md").status == 2


def test_a_list_is_taken_and_taken_again_as_an_update(
    ikomek: Ikomek, folder: Path, city_database: str
) -> None:
    assert _counts(ikomek("addresses", "import", folder, "--dry-run"))["buildings"] == [3, 0, 0, 2]
    assert len(_stand(city_database)) == 2
    assert _counts(ikomek("addresses", "check", folder))["streets"] == [2, 0, 0, 1]
    answer = ikomek("addresses", "import", folder)
    assert _counts(answer)["buildings"] == [3, 0, 0, 2]
    assert "no longer in the files" in answer.err
    first = _stand(city_database)
    assert len(first) == 5
    assert _counts(ikomek("addresses", "import", folder))["buildings"] == [0, 0, 3, 2]
    only = folder / "buildings.csv"
    only.write_text(BUILDINGS.replace("school", "clinic").replace("abay,12А", "abay,12а"))
    assert _counts(ikomek("addresses", "import", only)) == {"buildings": [0, 2, 1, 2]}
    second = _stand(city_database)
    assert {row[0] for row in second} == {row[0] for row in first}
    assert {row[2:] for row in second} > {("14", "clinic"), ("12а", "apartments")}


def test_what_is_exported_and_imported_again_changes_nothing(
    ikomek: Ikomek, folder: Path, tmp_path: Path
) -> None:
    assert ikomek("addresses", "import", folder).status == 0
    assert ikomek("addresses", "export", tmp_path / "out").status == 0
    assert ikomek("addresses", "export", tmp_path / "out").status == 1
    counts = _counts(ikomek("addresses", "import", tmp_path / "out"))
    assert set(counts) == {"districts", "streets", "buildings"}
    assert {(added, changed, missing) for added, changed, _, missing in counts.values()} == {
        (0, 0, 0)
    }


def test_sixty_thousand_houses_are_taken_in_half_a_minute(ikomek: Ikomek, folder: Path) -> None:
    streets = [f"street-{number}" for number in range(400)]
    with (folder / "streets.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["code", "name_kk", "name_ru"])
        table.writerows([street, f"{street} көшесі", f"улица {street}"] for street in streets)
    with (folder / "buildings.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(BUILDINGS.splitlines()[0].split(","))
        table.writerows(
            [street, number, "north", 50.5 + number / 1000, 80.2 + place / 1000, "house"]
            for place, street in enumerate(streets)
            for number in range(1, 151)
        )
    begun = time.monotonic()
    assert _counts(ikomek("addresses", "import", folder))["buildings"][0] == 60_000
    assert time.monotonic() - begun < 30


async def test_an_import_that_holds_the_city_holds_back_no_resident(city_database: str) -> None:
    engine = open_engine(city_database, pool_size=2)
    try:
        async with engine.connect() as importing, engine.connect() as registering:
            (city,) = await office.cities(importing)
            await office.lock_city(importing, city.id)
            await reference_writer.bump(importing, city.id)
            await registering.execute(text("SET lock_timeout = '500ms'"))
            # What every row of a resident asks of its city.
            await registering.execute(text("SELECT 1 FROM city FOR KEY SHARE"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await office.lock_city(registering, city.id)
    finally:
        await engine.dispose()
