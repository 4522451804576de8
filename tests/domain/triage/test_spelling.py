"""However it is typed, the model reads the same words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.triage.spelling import MOST_LETTERS, grams, rereadings, spoken


def cut(text: str) -> list[tuple[str, ...]]:
    return [word.grams for word in spoken(text)]


@pytest.mark.parametrize(
    ("with_letters", "without"),
    [
        ("Лифтіде қалып қойдық", "лифтиде калып койдык"),
        ("ЖЫЛУ ЖОҚ", "жылу жок"),
        ("ёлка упала", "елка упала"),
        ("үй өртеніп жатыр", "уй ортенип жатыр"),
    ],
)
def test_kazakh_without_its_letters_reads_as_with_them(with_letters: str, without: str):
    assert cut(with_letters) == cut(without)


def test_words_are_shown_as_they_were_typed():
    assert [word.word for word in spoken("Қақпағы, жоқ!")] == ["Қақпағы", "жоқ"]


def test_edges_of_a_word_tell():
    assert list(grams("газ")) == [" г", "га", "аз", "з ", " га", "газ", "аз ", " газ", "газ "]
    assert list(grams("я")) == [" я", "я ", " я "]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ytn cdtnf", "нет света"),
        ("su joq", "су жок"),
        ("svet otklyuchili", "свет отключили"),
        ("lift toqtady", "лифт токтады"),
        ("zharyk", "жарык"),
    ],
)
def test_latin_letters_are_read_by_key_and_by_sound(typed: str, meant: str):
    assert meant in rereadings(typed)


@pytest.mark.parametrize("text", ["нет света", "нет sveta", "12345", "🙂"])
def test_what_has_cyrillic_or_no_letters_is_meant_as_it_stands(text: str):
    assert rereadings(text) == ()


@given(st.text(max_size=3_000))
def test_any_text_is_cut_and_no_more_of_it_than_is_read(text: str):
    words = spoken(text)
    assert sum(len(word.word) for word in words) <= 2 * MOST_LETTERS
    assert all(word.grams for word in words)
