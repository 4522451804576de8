"""A real city begins: from an empty database to an appeal at the company of its building."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest

from api import cli
from api.app import create_app
from tests.conftest import TEST_KEYS, make_settings
from tests.support.postgres import Server
from tests.support.rest import client_of, running

STARTER = Path(__file__).parents[2] / "catalogues" / "starter"

CITY = """\
code: ayagoz
kato: "103220100"
names: {kk: Аягөз қаласы, ru: город Аягоз, en: Ayagoz}
zone: Asia/Almaty
languages: [kk, ru]
prefix: AYG
bounds:
- [80.3, 47.9]
- [80.6, 47.9]
- [80.6, 48.1]
- [80.3, 48.1]
"""
DISTRICTS = """\
districts:
- code: centre
  names: {kk: Орталық, ru: Центр, en: Centre}
  polygon: [[80.3, 47.9], [80.6, 47.9], [80.6, 48.1]]
"""
STREETS = """\
code;name_kk;name_ru;aliases
tanirbergenov;Таңырбергенов көшесі;улица Танирбергенова;"улица Ленина; Ленинская"
abay;Абай көшесі;улица Абая;
"""
BUILDINGS = """\
street,number,district,latitude,longitude,kind
tanirbergenov,12А,centre,47.96,80.44,apartments
tanirbergenov,14,centre,47.961,80.44,apartments
abay,5,centre,47.962,80.44,house
"""
ORGANISATIONS = """\
organisations:
- code: centre-109
  kind: contact-centre
  names: {kk: 109 орталығы, ru: Центр 109, en: 109 Centre}
  calendar: around-the-clock
- code: akimat
  kind: akimat
  names: {kk: Әкімдік, ru: Акимат, en: Akimat}
  calendar: around-the-clock
- code: lift-12
  kind: lift-company
  names: {kk: Лифт, ru: Лифт, en: Lift}
  calendar: around-the-clock
  district: centre
territories:
- {code: city, names: {kk: Қала, ru: Город, en: City}, kind: city}
- code: lifts-12
  names: {kk: 12А үй, ru: Дом 12А, en: House 12A}
  kind: buildings
  buildings: [tanirbergenov/12А]
responsibilities:
- {selector: "*", territory: city, organisation: akimat}
- {selector: "kind:lift-company", territory: lifts-12, organisation: lift-12}
"""

Ikomek = Callable[..., str]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What a city's people would bring along."""
    (tmp_path / "addresses").mkdir()
    for name, text in {
        "city.yaml": CITY,
        "organisations.yaml": ORGANISATIONS,
        "addresses/districts.yaml": DISTRICTS,
        "addresses/streets.csv": STREETS,
        "addresses/buildings.csv": BUILDINGS,
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def ikomek(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ikomek:
    """The command line; what a command said, once it succeeded."""
    for name in ("DATABASE_OWNER_URL", "BROKER_URL", "STORAGE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IKOMEK_HOME", str(files / "home"))
    monkeypatch.setenv("IKOMEK_KEYS", TEST_KEYS)

    def ask(*arguments: object) -> str:
        capsys.readouterr()
        status = cli.run([str(each) for each in arguments])
        said = capsys.readouterr()
        assert status == 0, said.out + said.err
        return said.out

    return ask


@pytest.fixture
def begun(
    server: Server, files: Path, ikomek: Ikomek, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """The URL of a database where a city was begun, step by step, and an operator's token."""
    name = server.create()
    url = server.url_of(name)
    monkeypatch.setenv("DATABASE_URL", url)
    try:
        ikomek("migrate")
        ikomek("city", "create", files / "city.yaml")
        ikomek("policies", "import", STARTER / "policies.yaml")
        ikomek("catalogue", "import", STARTER)
        ikomek("addresses", "import", files / "addresses")
        ikomek("organisations", "import", files / "organisations.yaml")
        token = ikomek(
            "token", "issue", "--role", "operator", "--organisation", "centre-109",
            "--name", "А. Оператор",
        )  # fmt: skip
        yield url, token.strip()
    finally:
        server.drop(name)


def _call(address: str) -> dict[str, Any]:
    return {
        "service": "lifts.person-trapped",
        "kind": "complaint",
        "channel": "phone",
        "language": "ru",
        "text": "Человек застрял в лифте",
        "answers": {"entrance": 2, "people": 1},
        "location": {"address": address},
        "applicant": {"name": "Айгүл Серікова", "phone": "+77015550109"},
    }


async def test_a_city_begun_by_its_own_files_routes_an_appeal_to_the_company_of_the_building(
    begun: tuple[str, str], files: Path, ikomek: Ikomek
) -> None:
    url, token = begun
    settings = make_settings(url, files / "home")
    headers = {"authorization": f"Bearer {token}"}
    async with running(create_app(settings)) as app, client_of(app, headers) as client:
        assert (await client.get("/v1/ready")).status_code == httpx2.codes.OK
        for address in ("ул. Ленина, 12 а, кв. 7", "Таңырбергенов көшесі 12А"):
            appeal = await _registered(client, address)
            assert appeal["number"].startswith("AYG-")
            assert appeal["location"]["district"] == "centre"
            assert _executor(appeal) == "Лифт"
        assert _executor(await _registered(client, "Танирбергенова 14")) == "Акимат"


async def _registered(client: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    headers = {"idempotency-key": str(uuid4())}
    answer = await client.post("/v1/appeals", json=_call(address), headers=headers)
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    appeal: dict[str, Any] = answer.json()
    return appeal


def _executor(appeal: Mapping[str, Any]) -> str:
    name: str = appeal["assignment"]["organisation"]["name"]
    return name


def test_the_city_lives_on_when_its_files_are_taken_again(
    begun: tuple[str, str], files: Path, ikomek: Ikomek
) -> None:
    url, _ = begun
    before = _version(url)
    assert "unchanged" in ikomek("city", "create", files / "city.yaml")
    ikomek("addresses", "import", files / "addresses")
    ikomek("catalogue", "import", STARTER)
    assert _version(url) == before
    assert "ok\t" in ikomek("doctor")


def _version(url: str) -> tuple[int, ...] | None:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT reference_version FROM city").fetchone()
