"""Organisations in files: the whole demonstration city out and in again, and bad files reported."""

import pytest

from demo.semey.city import DemoCity, demo_city
from demo.semey.duties import SPHERES
from demo.semey.geography import NAMESPACE
from domain.organisations.exchange import Draft, Known, Reading
from integrations.files import organisations_csv, organisations_yaml

HEADER = b"code,kind,names.kk,names.ru,names.en,calendar,contacts.phone\n"


@pytest.fixture(scope="module")
def semey() -> DemoCity:
    return demo_city()


@pytest.fixture(scope="module")
def draft(semey: DemoCity) -> Draft:
    return Draft(semey.organisations, semey.territories, semey.responsibilities)


@pytest.fixture(scope="module")
def known(semey: DemoCity) -> Known:
    streets = {each.code: each.id for each in semey.streets}
    codes = {each.id: each.code for each in semey.streets}
    selectors = {rule.selector.partition("+")[0] for rule in semey.responsibilities}
    return Known(
        namespace=NAMESPACE,
        calendars=frozenset({"around-the-clock", "office-hours"}),
        selectors=frozenset(selectors | set(SPHERES)),
        districts=frozenset(each.code for each in semey.districts),
        streets=streets,
        buildings={f"{codes[each.street]}/{each.number}": each.id for each in semey.buildings},
    )


def test_the_whole_city_survives_yaml(draft: Draft, known: Known) -> None:
    reading = organisations_yaml.read(
        {"semey.yaml": organisations_yaml.encode(draft, known)}, known
    )
    assert reading.problems == ()
    assert reading.draft == draft


def test_the_whole_city_survives_csv(draft: Draft, known: Known) -> None:
    tables = organisations_csv.encode(draft, known)
    reading = organisations_csv.read(tables, known)
    assert reading.problems == ()
    assert reading.draft == draft
    assert b"'+7 7222" in tables["organisations.csv"]  # no phone runs as a formula


def told(reading: Reading) -> list[tuple[str, int, str, str]]:
    assert reading.draft is None
    return [(each.file, each.line, each.field, each.code) for each in reading.problems]


def test_a_bad_yaml_is_reported_by_line(known: Known) -> None:
    text = (
        "organisations:\n"
        "- code: water\n"
        "  kind: bank\n"
        "  names: {kk: Су, ru: Вода, en: Water}\n"
        "  calendar: around-the-clock\n"
        "- 5\n"
        "streets: []\n"
        "territories: {}\n"
    )
    reading = organisations_yaml.read({"a.yaml": text.encode(), "b.yaml": b"a: [", "c.yaml": b"7"},
                                      known)  # fmt: skip
    assert ("a.yaml", 3, "kind", "unknown") in told(reading)
    assert ("a.yaml", 6, "", "not-a-mapping") in told(reading)
    assert ("a.yaml", 7, "streets", "unknown-field") in told(reading)
    assert ("a.yaml", 8, "territories", "not-a-list") in told(reading)
    assert ("c.yaml", 1, "", "not-a-mapping") in told(reading)
    assert any(file == "b.yaml" and code == "bad-yaml" for file, _, _, code in told(reading))


def test_a_bad_table_is_reported_by_row(known: Known) -> None:
    body = "water,utility,Су,Вода,Water,around-the-clock,'+7 7222 10\nheat,bank,,Тепло,Heat,,5\n"
    tables = {
        "organisations.csv": HEADER + body.encode(),
        "rules.csv": b"selector\n*\n",
        "territories.csv": b"\xff\xfe",
    }
    reading = organisations_csv.read(tables, known)
    assert told(reading) == [
        ("organisations.csv", 3, "calendar", "required"),
        ("organisations.csv", 3, "kind", "unknown"),
        ("organisations.csv", 3, "names.kk", "required"),
        ("rules.csv", 0, "", "unknown-file"),
        ("territories.csv", 1, "", "bad-utf-8"),
    ]


def test_a_good_table_is_taken(known: Known) -> None:
    row = "water;utility;Су;Вода;Water;around-the-clock;'+7 7222 10\n"
    table = HEADER.replace(b",", b";") + row.encode()
    draft = organisations_csv.read({"organisations.csv": table}, known).draft
    assert draft is not None
    assert draft.organisations[0].contacts == {"phone": "+7 7222 10"}
