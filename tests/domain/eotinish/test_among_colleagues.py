"""What colleagues write to each other about a step stays in the city, though the step is told."""

import re
from typing import Any

import pytest

from domain.appeals.workflow import Status
from domain.eotinish.agreements import Agreements
from domain.eotinish.model import Notice
from domain.eotinish.outgoing import NOTICES, Material, values_of
from domain.events import AMONG_COLLEAGUES
from domain.values import Language, new_id

AGREED = Agreements(
    types={}, kinds={}, laws={}, states=dict.fromkeys(Status, "S"),
    languages=dict.fromkeys(Language, "L"), number=re.compile("x"),
)  # fmt: skip
HIDDEN = {type_: AMONG_COLLEAGUES[type_] for type_ in NOTICES if type_ in AMONG_COLLEAGUES}
TEXTS = ("text", "preliminary", "minutes", "reason", "note", "no_photo_reason")
SECRET = "Абонент опять скандалит"


def values(type_: str, personal: dict[str, str]) -> dict[str, object]:
    event: dict[str, Any] = {
        "type": type_, "sequence": 3, "at": "2026-11-28T04:30:15+00:00",
        "about": {"status": "in_progress"}, "data": {},
    }  # fmt: skip
    return values_of(
        Material(new_id(), NOTICES[type_], "KIS-1", "ЖТ-1", event, personal=personal), AGREED
    )


def test_some_steps_that_the_state_hears_of_have_words_among_colleagues():
    assert {Notice.REOPENED, Notice.REDIRECTED} <= {NOTICES[type_] for type_ in HIDDEN}


@pytest.mark.parametrize("type_", HIDDEN, ids=str)
def test_what_colleagues_write_to_each_other_is_in_no_field_that_the_state_gets(type_: str):
    said = dict.fromkeys(TEXTS, "Өтініш берушіге") | {HIDDEN[type_]: SECRET}
    assert SECRET not in str(values(type_, said))
    assert "text" not in values(type_, {HIDDEN[type_]: SECRET})


@pytest.mark.parametrize("field", ["text", "preliminary", "minutes", "reason"])
@pytest.mark.parametrize(
    "type_", [type_ for type_, notice in NOTICES.items() if notice is not Notice.REGISTER], ids=str
)
def test_whatever_else_an_event_says_is_told(type_: str, field: str):
    told = values(type_, {field: "Өтініш берушіге"}).get("text")
    assert told == (None if AMONG_COLLEAGUES.get(type_) == field else "Өтініш берушіге")
