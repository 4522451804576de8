from datetime import date
from statistics import median
from time import perf_counter

import pytest

from domain.catalogue.letters import readings
from domain.catalogue.search import SearchIndex
from tests.domain.catalogue import make, synthetic

STUCK = make.service(
    names={"kk": "Адам лифтіде қалды", "ru": "Человек застрял в лифте", "en": "Person in a lift"},
    keywords={"ru": ("застрял в лифте",), "kk": ("лифт тоқтап қалды",)},
)
NO_WATER = make.service(
    "utilities.no-water",
    names={"kk": "Суық су жоқ", "ru": "Нет холодной воды", "en": "No cold water"},
    description={"kk": "Кранда су жоқ", "ru": "Из крана ничего не течёт"},
)
HOT_WATER = make.service(
    "utilities.no-hot-water",
    names={"kk": "Ыстық су жоқ", "ru": "Нет горячей воды", "en": "No hot water"},
    public=False,
)
SNOW = make.service(
    "roads.snow",
    names={"kk": "Жолдағы қар", "ru": "Снег на дороге", "en": "Snow on the road"},
    valid_from=date(2026, 11, 1),
    valid_to=date(2027, 3, 31),
)
TREE = make.service(
    "landscaping.fir",
    names={"kk": "Ағаш құлады", "ru": "Упала ёлка", "en": "A fir has fallen"},
)
ALL = (STUCK, NO_WATER, HOT_WATER, SNOW, TREE)


@pytest.fixture(scope="module")
def index():
    return SearchIndex(make.catalogue(*ALL))


def found(index, query, language="ru", **options):
    return [hit.service.code for hit in index.search(query, language=language, **options)]


@pytest.mark.parametrize(
    ("query", "service"),
    [
        ("застрял", STUCK),
        ("застр", STUCK),
        ("лифте застрял", STUCK),
        ("зострял", STUCK),
        ("застярл", STUCK),
        ("застряла женщина", STUCK),
        ("лифтіде", STUCK),
        ("лифтиде", STUCK),
        ("токтап калды", STUCK),
        ("ҚАЛДЫ АДАМ", STUCK),
        ("застряллифте", STUCK),
        ("pfcnhzk", STUCK),
        ("kban", STUCK),
        ("вода холодная", NO_WATER),
        ("из крана не течет", NO_WATER),
        ("суык су", NO_WATER),
        ("елка", TREE),
        ("ёлка", TREE),
        ("агаш кулады", TREE),
        ("ашық", None),
        ("snow", SNOW),
    ],
)
def test_the_service_meant_comes_first(index, query, service):
    assert found(index, query)[:1] == ([service.code] if service else [])


def test_a_kazakh_letter_typed_as_a_digit_on_a_latin_keyboard_is_understood():
    assert ["қар"] not in readings("0fh")  # compared folded
    assert ["кар"] in readings("0fh")


@pytest.mark.parametrize("query", ["", "   ", "?!", "ыъьщщщ", "xqzxqz", "😀"])
def test_nothing_is_found_where_nothing_was_meant(index, query):
    assert found(index, query) == []


def test_a_query_of_any_length_is_answered(index):
    assert STUCK.code in found(index, "застрял в лифте " + "очень давно " * 1_000)


def test_a_resident_does_not_see_what_only_operators_may_choose(index):
    assert found(index, "нет горячей воды")[0] == HOT_WATER.code
    assert HOT_WATER.code not in found(index, "нет горячей воды", public_only=True)


def test_a_service_out_of_season_is_not_found(index):
    assert found(index, "снег", day=date(2026, 12, 1)) == [SNOW.code]
    assert found(index, "снег", day=date(2026, 7, 1)) == []


def test_no_more_than_the_limit_is_returned_best_first(index):
    hits = index.search("нет воды", language="ru")
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert index.search("нет воды", language="ru", limit=1) == hits[:1]
    assert all(0 < hit.score <= 1 for hit in hits)


def test_a_word_of_the_name_weighs_more_than_one_of_the_description():
    named = make.service("lifts.named", "Сломан кран")
    told = make.service("lifts.told", "Другое", description=make.names("Сломан кран"))
    assert found(SearchIndex(make.catalogue(told, named)), "сломан кран")[0] == named.code


def test_a_service_is_found_by_its_category_and_sphere():
    index = SearchIndex(make.catalogue(*ALL))
    assert found(index, "roads") == [SNOW.code]


def test_words_of_a_language_left_out_are_not_found():
    index = SearchIndex(make.catalogue(*ALL), languages=("ru",))
    assert found(index, "снег") == [SNOW.code]
    assert found(index, "snow") == []


def test_an_empty_catalogue_finds_nothing():
    assert found(SearchIndex(make.catalogue()), "лифт") == []


def test_2500_services_are_indexed_and_searched_while_the_resident_speaks():
    catalogue = synthetic.catalogue(2_500)
    begin = perf_counter()
    index = SearchIndex(catalogue)
    assert perf_counter() - begin < 10  # 0.3 s on a quiet machine

    def seconds(query):
        begin = perf_counter()
        assert index.search(query, language="ru")
        return perf_counter() - begin

    queries = [service.names["ru"][: 8 + n % 20] for n, service in enumerate(catalogue.services)]
    assert median(map(seconds, queries[:100])) < 0.05  # 2 ms on a quiet machine
