"""Whatever the login says, it says in three languages."""

import string
from collections.abc import Iterator

import pytest

from api.login import texts
from domain.access import Role
from domain.identity.errors import LoginReason
from domain.values import Language, LocalizedText


def every() -> Iterator[tuple[str, LocalizedText]]:
    yield from texts.SAYS.items()
    yield from ((str(role), text) for role, text in texts.ROLES.items())
    told = [*texts.REASONS.values(), texts.ENDED, texts.INVITATION_UNKNOWN, texts.UNAVAILABLE]
    for _, title, detail in told:
        yield title["en"], title
        yield detail["en"], detail


@pytest.mark.parametrize(("name", "text"), every(), ids=[name[:30] for name, _ in every()])
def test_every_sentence_stands_in_three_languages_with_the_same_facts(
    name: str, text: LocalizedText
):
    assert set(text) == set(Language)
    assert all(said.strip() for said in text.values())
    facts = [{field for _, field, _, _ in string.Formatter().parse(said) if field}
             for said in text.values()]  # fmt: skip
    assert facts[0] == facts[1] == facts[2]


def test_every_reason_and_every_role_has_its_words():
    assert set(texts.REASONS) == set(LoginReason)
    assert set(texts.ROLES) == set(Role) - {Role.CITIZEN, Role.SYSTEM}
