"""A name of one text becomes parts and a name of parts one text, and no word is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.eotinish.contract import read_contract
from integrations.eotinish.names import NameRule

RULE = read_contract().fields.names

SPLIT = [
    ("Айгүл Серікова", ("Серікова", "Айгүл", None)),
    ("Серікова Айгүл Маратқызы", ("Серікова", "Айгүл", "Маратқызы")),
    ("Айгүл Маратқызы Серікова", ("Серікова", "Айгүл", "Маратқызы")),
    ("Абрамович Роман Аркадьевич", ("Абрамович", "Роман", "Аркадьевич")),
    ("Ким Ирина", ("Ким", "Ирина", None)),
    ("Айгүл Маратқызы", (None, "Айгүл", "Маратқызы")),
    ("Айгүл", (None, "Айгүл", None)),
    ("Ахмет Бек Жан Арман", ("Ахмет", "Бек", "Жан Арман")),
]


@pytest.mark.parametrize(("name", "parts"), SPLIT, ids=[one[0] for one in SPLIT])
def test_a_name_is_split_by_its_endings_and_else_by_the_order(name: str, parts: tuple[str, ...]):
    found = RULE.split(name)
    assert tuple(found.get(one) for one in ("surname", "given", "patronymic")) == parts
    assert found["applicant"] == "person"


@pytest.mark.parametrize("name", ["ТОО «Су арнасы»", "«ЖШС» Жарық", "ао Семей Водоканал"])
def test_a_company_is_told_by_the_word_that_its_name_begins_with(name: str):
    assert RULE.split(name) == {"applicant": "company", "company": name}


def test_another_order_is_data():
    rule = NameRule.model_validate({"order": ["given", "patronymic", "surname"]})
    assert rule.split("Ирина Ким") == {"applicant": "person", "given": "Ирина", "surname": "Ким"}
    assert rule.join({"surname": "Ким", "given": "Ирина"}) == "Ирина Ким"


def test_parts_are_joined_in_their_order_and_a_company_stands_before_who_speaks_for_it():
    parts = {"given": "Айгүл", "surname": "Серікова", "patronymic": "Маратқызы"}
    assert RULE.join(parts) == "Серікова Айгүл Маратқызы"
    assert RULE.join(parts | {"company": "ТОО «Су»"}) == "ТОО «Су», Серікова Айгүл Маратқызы"
    assert RULE.join({"company": "ТОО «Су»"}) == "ТОО «Су»"
    assert RULE.join({"author_given": "Айгүл"}, "author_") == "Айгүл"
    assert RULE.join({"name": "x"}) is None


WORDS = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_no_word_is_lost(words: list[str]):
    found = dict(RULE.split(" ".join(words)))
    found.pop("applicant")
    assert sorted(" ".join(found.values()).split()) == sorted(words)
