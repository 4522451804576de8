"""Which language the caller reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.languages import preferred
from domain.values import Language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "ru"),
        ("", "ru"),
        ("kk", "kk"),
        ("KK-KZ", "kk"),
        ("kz", "kk"),
        ("kz-KZ, ru;q=0.9", "kk"),
        ("kz;q=0.2, ru;q=0.9", "ru"),
        ("en-GB,en;q=0.9,ru;q=0.8", "en"),
        ("ru;q=0.5, kk;q=0.8", "kk"),
        ("de, fr;q=0.9", "ru"),
        ("de, en;q=0.1", "en"),
        ("kk;q=0, en;q=0.3", "en"),
        ("kk, en", "kk"),
        ("kk;q=nonsense, en;q=0.3", "en"),
        ("kk;q=0", "ru"),
        ("*", "ru"),
    ],
)
def test_the_best_language_that_the_city_speaks(header: str | None, language: str):
    assert preferred(header) == language


@given(st.text(max_size=400))
def test_whatever_is_sent_the_city_answers_in_one_of_its_languages(header: str):
    assert preferred(header) in set(Language)
