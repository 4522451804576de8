"""A city's sheet: taken when it is sound, else refused with every reason at once."""

import pytest

from domain.catalogue.problems import Spot
from domain.cities import CityDraft, Standing, city_id, read, write
from domain.reference import City

NAMES = {"kk": "Аягөз", "ru": "Аягоз", "en": "Ayagoz"}
SHEET: dict[str, object] = {
    "code": "ayagoz", "kato": "103220100", "names": NAMES, "zone": "Asia/Almaty",
    "languages": ["kk", "ru"], "prefix": "AYG",
    "bounds": [[80.3, 47.9], [80.6, 47.9], [80.6, 48.1], [80.3, 48.1]],
}  # fmt: skip
SPOT = Spot("city.yaml", {"": 1})


def told(sheet: object, standing: Standing | None = None) -> set[tuple[str, str]]:
    reading = read(SPOT, sheet, standing or Standing())
    assert reading.draft is None
    return {(each.field, each.code) for each in reading.problems}


def taken(**changes: object) -> CityDraft:
    draft = read(SPOT, {**SHEET, **changes}, Standing()).draft
    assert draft is not None
    return draft


def standing(prefix: str = "AYG", code: str = "ayagoz", *, appeals: bool = True) -> Standing:
    city = City(city_id(code), code, "103220100", NAMES, "Asia/Almaty", ("kk", "ru"), prefix)
    return Standing({code: city}, frozenset({code} if appeals else ()))


def test_a_sound_sheet_becomes_a_city() -> None:
    draft = taken()
    assert draft.city == City(
        city_id("ayagoz"), "ayagoz", "103220100", NAMES, "Asia/Almaty", ("kk", "ru"), "AYG"
    )
    assert draft.bounds[2] == (80.6, 48.1)


def test_a_kato_without_quotes_is_taken() -> None:
    assert taken(kato=103220100).city.kato == "103220100"


def test_what_is_written_is_read_again() -> None:
    assert taken(**write(taken())) == taken()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"code": "Аягоз"}, "code", "bad-code"),
        ({"code": None}, "code", "required"),
        ({"kato": "12345"}, "kato", "bad-kato"),
        ({"names": {"kk": "Аягөз", "ru": "Аягоз"}}, "names.en", "required"),
        ({"names": {**NAMES, "ru": "Ая\x00гоз"}}, "names.ru", "control-character"),
        ({"zone": "Asia/Atlantis"}, "zone", "unknown-zone"),
        ({"languages": ["kk"]}, "languages", "missing-language"),
        ({"languages": ["kk", "ru", "de"]}, "languages", "unknown"),
        ({"languages": "kk, ru"}, "languages", "not-a-list"),
        ({"languages": None}, "languages", "required"),
        ({"prefix": "ayg"}, "prefix", "bad-prefix"),
        ({"prefix": "A-1"}, "prefix", "bad-prefix"),
        ({"prefix": False}, "prefix", "not-a-text"),
        ({"bounds": [[80.3, 47.9], [80.6, 47.9]]}, "bounds", "too-few-points"),
        ({"bounds": [[80.3, 47.9], [80.6, 47.9], [80.6, "x"]]}, "bounds.2", "not-a-point"),
        ({"bounds": [[80.3, 47.9], [80.6, 48.1], [80.6, 47.9], [80.3, 48.1]]},
         "bounds", "crosses-itself"),
        ({"bounds": [[80.3, 47.9], [80.4, 47.9], [80.5, 47.9]]}, "bounds", "crosses-itself"),
        ({"bounds": [[47.9, 80.3], [47.9, 80.6], [48.1, 80.6]]}, "bounds.0", "not-in-kazakhstan"),
        ({"mayor": "A."}, "mayor", "unknown-field"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(change: dict[str, object], field: str, code: str) -> None:
    assert (field, code) in told({**SHEET, **change})


def test_all_faults_are_told_at_once() -> None:
    assert {field for field, _ in told({})} == {
        "code", "kato", "names.kk", "names.ru", "names.en", "zone", "languages", "prefix",
        "bounds",
    }  # fmt: skip
    assert ("", "not-a-mapping") in told(["ayagoz"])


def test_the_prefix_of_another_city_is_taken() -> None:
    assert told(SHEET, standing(code="other")) == {("prefix", "taken")}


def test_the_prefix_stays_once_residents_hold_numbers() -> None:
    assert told({**SHEET, "prefix": "AGZ"}, standing()) == {("prefix", "in-use")}
    assert read(SPOT, {**SHEET, "prefix": "AGZ"}, standing(appeals=False)).draft is not None
    assert read(SPOT, {**SHEET, "kato": "103220101"}, standing()).draft is not None
