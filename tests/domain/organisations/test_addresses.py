"""Addresses: however a resident writes it, the house is found."""

import statistics
import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.organisations.addresses import AddressIndex
from domain.organisations.model import Building, Street
from domain.organisations.spelling import house_number
from domain.values import Coordinates


def street(number: int, kk: str, ru: str, en: str, *aliases: str) -> Street:
    return Street(UUID(int=number), f"s{number:03}", {"kk": kk, "ru": ru, "en": en}, aliases)


STREETS = [
    street(1, "Шәкәрім даңғылы", "проспект Шакарима", "Shakarim Avenue", "пр. Комсомольский"),
    street(2, "Қабанбай батыр көшесі", "улица Кабанбай батыра", "Kabanbay Batyr Street"),
    street(3, "Абай көшесі", "улица Абая", "Abay Street"),
    street(4, "Әуезов даңғылы", "проспект Ауэзова", "Auezov Avenue"),
    street(5, "8 Наурыз көшесі", "улица 8 Марта", "8 March Street"),
    street(6, "Глинка көшесі", "улица Глинки", "Glinka Street"),
    street(7, "343-орам", "343 квартал", "Block 343"),
    street(8, "Бауыржан Момышұлы көшесі", "улица Бауыржана Момышулы", "Baurzhan Momyshuly Street",
           "Пограничная"),
    street(9, "Жамақаев көшесі", "улица Жамакаева", "Zhamakayev Street"),
    street(10, "Абай алаңы", "площадь Абая", "Abay Square"),
    street(11, "Интернационал көшесі", "улица Интернациональная", "Internatsionalnaya Street"),
    street(12, "Шмидт көшесі", "улица Шмидта", "Schmidt Street"),
]  # fmt: skip
NUMBERS = ["1", "5", "12", "12А", "12/1", "14", "120", "17", "4ж"]
BUILDINGS = [
    Building(UUID(int=each.id.int * 1000 + place), each.id, number, "x", Coordinates(50.4, 80.2),
             "apartments")
    for each in STREETS for place, number in enumerate(NUMBERS)
]  # fmt: skip
INDEX = AddressIndex(STREETS, BUILDINGS)
HOUSES = {each.id: each for each in BUILDINGS}


def found(text: str) -> tuple[int, str | None, str | None]:
    best = INDEX.search(text)[0]
    house = HOUSES[best.building].number if best.building else None
    return best.street.int, house, best.apartment


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Шакарима 12", (1, "12", None)),
        ("шакарима 12", (1, "12", None)),
        ("ШАКАРИМА, 12", (1, "12", None)),
        ("Шәкәрім даңғылы, 12", (1, "12", None)),
        ("Шәкәрім даңғылы 12-үй", (1, "12", None)),
        ("Шәкәрім 12 үй 5 пәтер", (1, "12", "5")),
        ("Шәкәрім даңғылы, 12 үй, 5-пәтер", (1, "12", "5")),
        ("ул. Шакарима д.12 кв 5", (1, "12", "5")),
        ("ул.Шакарима,д.12,кв.5", (1, "12", "5")),
        ("пр. Шакарима, дом 12, квартира 5", (1, "12", "5")),
        ("пр-т Шакарима 12-5", (1, "12", "5")),
        ("Шакарима 12 5", (1, "12", "5")),
        ("shakarim 12", (1, "12", None)),
        ("Shakarim ave 12", (1, "12", None)),
        ("12 Shakarim Avenue, apt 5", (1, "12", "5")),
        ("Şäkärim dañğyly 12", (1, "12", None)),
        ("пр Шакарима 12а", (1, "12А", None)),
        ("пр Шакарима 12 А", (1, "12А", None)),
        ("пр Шакарима 12-А кв7", (1, "12А", "7")),
        ("пр Шакарима 12a", (1, "12А", None)),
        ("Шакарима 12/1", (1, "12/1", None)),
        ("Шакарима 12 / 1 кв 9", (1, "12/1", "9")),
        ("Шакарима 12 корпус 1", (1, "12/1", None)),
        ("Шакарима 12 корп. 1, кв. 3", (1, "12/1", "3")),
        ("Шакарима 12к1", (1, "12/1", None)),
        ("Шакарима 14/33", (1, "14", "33")),
        ("Шакарима д 12 подъезд 2 этаж 5 кв 44", (1, "12", "44")),
        ("Шакарима 12, 2 подъезд", (1, "12", None)),
        ("г. Семей, пр. Шакарима, 12", (1, "12", None)),
        ("Семей қаласы, Шәкәрім даңғылы, 12", (1, "12", None)),
        ("Шакрима 12", (1, "12", None)),
        ("Шакаримма 12", (1, "12", None)),
        ("Шокарима 12", (1, "12", None)),
        ("Комсомольский 12", (1, "12", None)),
        ("Кабанбай батыра 14", (2, "14", None)),
        ("кабанбай 14", (2, "14", None)),
        ("Қабанбай батыр к-сі 14", (2, "14", None)),
        ("Кабанбай-батыра 14", (2, "14", None)),
        ("kabanbai batyr 14", (2, "14", None)),
        ("Кабамбай батыра 14", (2, "14", None)),
        ("ул Абая 5", (3, "5", None)),
        ("Абай көшесі 5", (3, "5", None)),
        ("площадь Абая 5", (10, "5", None)),
        ("Ауезова 17", (4, "17", None)),
        ("Әуезов даңғ. 17", (4, "17", None)),
        ("Ауэзов 17 кв 100", (4, "17", "100")),
        ("8 марта 12", (5, "12", None)),
        ("ул. 8-го Марта д. 12", (5, "12", None)),
        ("8 Наурыз 12", (5, "12", None)),
        ("8 марта", (5, None, None)),
        ("глинки 4ж", (6, "4ж", None)),
        ("ул. Глинка, 4 Ж", (6, "4ж", None)),
        ("343 квартал 12", (7, "12", None)),
        ("343 квартал, дом 12, кв. 8", (7, "12", "8")),
        ("Б. Момышулы 1", (8, "1", None)),
        ("момышұлы 1", (8, "1", None)),
        ("Пограничная 1", (8, "1", None)),
        ("Жамакаева 120", (9, "120", None)),
        ("Джамакаева 120", (9, "120", None)),
        ("интернационалная 14", (11, "14", None)),
        ("ул Шмита 14", (12, "14", None)),
        ("Schmidt st 14", (12, "14", None)),
        ("Шакарима", (1, None, None)),
        ("Шакарима 999", (1, None, None)),
    ],
)
def test_the_house_is_found_however_it_is_written(
    text: str, meant: tuple[int, str | None, str | None]
) -> None:
    assert found(text) == meant


def test_a_street_that_the_city_does_not_have_is_not_found() -> None:
    assert INDEX.search("Елисейские поля 12") == ()
    assert INDEX.search("") == ()
    assert INDEX.search("12") == ()


def test_a_house_missing_from_the_register_keeps_its_number() -> None:
    best = INDEX.search("Шакарима 999а кв 3")[0]
    assert (best.building, best.number, best.apartment) == (None, "999a", "3")
    assert best.score < INDEX.search("Шакарима 12")[0].score


def test_words_that_mean_two_places_equally_well_mean_neither() -> None:
    twins = [street(20, "Абай батыр көшесі", "улица Абай батыра", "Abay Batyr"),
             street(21, "Сырым батыр көшесі", "улица Сырым батыра", "Syrym Batyr")]  # fmt: skip
    homes = [Building(UUID(int=90 + n), each.id, "12", "x", Coordinates(50.4, 80.2), "house")
             for n, each in enumerate(twins)]  # fmt: skip
    index = AddressIndex(twins, homes)
    assert [each.score for each in index.search("батыр 12")] == [93, 93]
    assert index.meant("батыр 12", 90) is None
    found = index.meant("Сырым 12", 90)
    assert found is not None
    assert found.building == homes[1].id
    same = AddressIndex([twins[0], street(22, "x", "площадь Абай батыра", "x")], [
        homes[0], Building(UUID(int=95), UUID(int=22), "12", "x", Coordinates(50.4, 80.2), "house")
    ])  # fmt: skip
    assert same.meant("Абай батыра 12", 90) is None
    square = same.meant("площадь Абай батыра 12", 90)
    assert square is not None
    assert square.street == UUID(int=22)


def test_a_place_that_is_meant_is_alike_enough() -> None:
    found = INDEX.meant("Шакарима 12", 90)
    assert found is not None
    assert (found.street.int, found.score) == (1, 100)
    assert INDEX.meant("Шокорима 12", 90) is None
    assert INDEX.meant("Елисейские поля 12", 90) is None


def test_a_number_in_a_name_is_never_a_typo() -> None:
    assert INDEX.search("342 квартал 12") == ()


def test_a_better_spelling_scores_higher() -> None:
    exact, typo = INDEX.search("Шакарима 12")[0], INDEX.search("Шокорима 12")[0]
    assert exact.score == 100
    assert typo.score < exact.score


def suggested(text: str) -> list[int]:
    return [each.street.int for each in INDEX.suggest(text)]


def test_streets_are_suggested_as_the_resident_types() -> None:
    assert suggested("ш") == [1, 12]
    assert suggested("шак") == [1]
    assert suggested("қабан б") == [2]
    assert suggested("батыр") == [2]
    assert set(suggested("Аб")) == {3, 10}


def test_houses_are_suggested_once_a_number_began() -> None:
    houses = [each.number for each in INDEX.suggest("шакарима 12")]
    assert houses == ["12", "12a", "12/1", "120"]
    assert all(each.building for each in INDEX.suggest("шак 1"))


@pytest.mark.parametrize("text", ["ь", "ъ", "ъъъ 5", "Ъ Ь", "abракадабра", "нет воды", "кошка"])
def test_a_word_that_resembles_no_street_suggests_none(text: str) -> None:
    assert INDEX.suggest(text) == ()


def test_a_beginning_is_never_as_good_as_a_name() -> None:
    scores = [INDEX.suggest(text)[0].score for text in ("ш", "шак", "шакарим", "шакарима")]
    assert scores == sorted(scores)
    assert scores[0] < 70
    assert scores[2] == scores[3] == 100
    assert all(each.score < 90 for each in INDEX.suggest("каб 1") + INDEX.suggest("а 1"))
    assert max(each.score for each in INDEX.suggest("интернациона 14")) < 90


@given(st.text(alphabet="абвгдежзийклмнопрстуфхцчшщъыьэюяәіңғүұқөһ 15", min_size=1, max_size=20))
def test_what_is_suggested_for_certain_is_spelled_alike(text: str) -> None:
    for match in INDEX.suggest(text):
        if match.score >= 90:
            assert match.street in {each.street for each in INDEX.search(text)}


def test_a_typo_while_typing_falls_back_to_the_likeliest() -> None:
    assert suggested("шокарима 12")[0] == 1


@pytest.mark.parametrize("text", ["12 А", "12-а", "12a", "12A", "№12а", "012а"])
def test_a_house_number_has_one_spelling(text: str) -> None:
    assert house_number(text) == "12a"


@given(st.sampled_from(BUILDINGS), st.sampled_from(["kk", "ru", "en"]), st.integers(1, 400))
def test_every_house_is_found_under_each_of_its_official_names(
    house: Building, language: str, flat: int
) -> None:
    names = {each.id: each.names for each in STREETS}[house.street]
    best = INDEX.search(f"{names[language]}, {house.number}, кв. {flat}")[0]
    assert (best.building, best.apartment) == (house.id, str(flat))


@given(st.text(max_size=60))
def test_no_text_breaks_the_search(text: str) -> None:
    INDEX.search(text)
    INDEX.suggest(text)


def test_an_answer_takes_milliseconds_in_a_big_city() -> None:
    many = [
        *STREETS,
        *(street(1000 + n, f"Көше {word}", f"улица {word}ова", f"{word} Street")
          for n, word in enumerate(f"{a}{b}{c}ранбай" for a in "бвгджк" for b in "аоеиу"
                                   for c in "лмнпрстфхзбвгдк"))
    ]  # fmt: skip
    index = AddressIndex(many, BUILDINGS)
    spent = []
    for text in ["Шокарима 12 кв 5", "кабамбай 14", "Балранбаева 3", "ша", "неизвестная 8"] * 10:
        before = time.perf_counter()
        index.search(text)
        searched = time.perf_counter()
        index.suggest(text)
        spent += [searched - before, time.perf_counter() - searched]
    assert statistics.median(spent) < 0.005


def test_no_more_names_are_remembered_than_a_city_says(monkeypatch):
    monkeypatch.setattr("domain.organisations.addresses._REMEMBERED", 3)
    asked = ["Абаяя 1", "Шмитда 5", "Глинкии 12", "Жамакаевва 14", "Ауэзоваа 17", "Абаяя 5"]
    index = AddressIndex(STREETS, BUILDINGS)
    first = [index.search(each) for each in asked]
    assert all(first)
    assert [index.search(each) for each in asked] == first
    assert len(index._likened) <= 3
