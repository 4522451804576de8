"""Whatever a provider answers, it is a person or a refusal, and never a crash."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from integrations.egov.config import Provider, read_providers
from integrations.egov.person import PersonMalformed, phone_of, read_person
from tests.support.providers import egov_entry

(EGOV,) = read_providers(
    yaml.safe_dump({"providers": [egov_entry("http://127.0.0.1:1")]}), {"EGOV_SECRET": "s"}, Path()
)
(AITU,) = read_providers(
    yaml.safe_dump({"providers": [{"code": "aitu", "preset": "aitu", "client_id": "c",
                                   "issuer": "https://issuer.example",
                                   "client_secret_env": "S"}]}), {"S": "s"}, Path(),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("iin", "surname", "name", "patronymic", "birthDate", "phone", "sub", "first_name")
ANSWERS = st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, "person"), JSON))


@given(ANSWERS, st.booleans(), st.sampled_from([EGOV, AITU]))
def test_any_answer_is_a_person_or_a_refusal(told: dict[str, Any], nest: bool, provider: Provider):
    with suppress(PersonMalformed):
        person = read_person(provider, {"person": told} if nest else told)
        assert person.subject
        assert person.surname or person.name


def test_a_refusal_names_the_field_and_not_what_stood_in_it():
    with pytest.raises(PersonMalformed) as refused:
        read_person(EGOV, {"iin": "991231600003", "name": "Айгүл"})
    assert str(refused.value) == "iin: check-digit"


def test_aitu_tells_flat_claims_and_a_phone_that_it_verified():
    person = read_person(AITU, {"sub": "7", "phone": "77015550109", "first_name": "Айгүл",
                                "last_name": "Серікова"})  # fmt: skip
    assert (person.subject, person.iin, person.phone) == ("7", None, "+77015550109")
    assert person.full_name == "Серікова Айгүл"


@pytest.mark.parametrize(
    ("said", "told"),
    [("77015550109", "+77015550109"), ("+77015550109", "+77015550109"),
     ("87015550109", "+77015550109"), (" 7 701 555 01 09 ", "+77015550109"),
     ("7015550109", "+77015550109"), ("109", None), ("", None), (77015550109, None),
     ("7" * 300, None), ("phone", None)],
)  # fmt: skip
def test_a_phone_is_e164_or_none(said: Any, told: str | None):
    assert phone_of({"phone": said}, EGOV.claims) == told


@pytest.mark.parametrize(
    ("born", "told"),
    [("1999-12-31", "1999-12-31"), ("31.12.1999", "1999-12-31"),
     ("1999-12-31T00:00:00.000+06:00", "1999-12-31"), ("yesterday", "2099-12-31"),
     (7, "2099-12-31"), (None, "2099-12-31")],
)  # fmt: skip
def test_a_birth_date_is_as_told_or_as_the_iin_says(born: Any, told: str):
    person = read_person(EGOV, {"iin": "991231600002", "name": "А", "birthDate": born})
    assert str(person.birth_date) == told
