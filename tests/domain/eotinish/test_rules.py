"""What the state says changes what it may, and closes nothing without the resident's word."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import AssignmentState
from domain.appeals.replay import check
from domain.appeals.workflow import AWAITING_RESIDENT, FINAL, OPEN, Action, PauseReason, Status
from domain.eotinish.model import STATE, Notice, Poison, Tale, Told
from domain.eotinish.outgoing import NOTICES, Material, notice_of, values_of
from domain.eotinish.rules import numbered, same_person
from domain.events import EventType
from integrations.eotinish.contract import read_contract
from tests.domain.appeals.acts import at
from tests.domain.appeals.make import Life

NUMBER = "ЖТ-2026-00000001"
NAME = "Айгүл Серікова"


def told(tale: Tale, **values: Any) -> Told:
    return Told(tale, NUMBER, 3, values)


def called(life: Life) -> str:
    """The applicant's name in this life."""
    assert life.appeal.applicant is not None
    assert life.appeal.applicant.name is not None
    return life.appeal.applicant.name


@pytest.mark.parametrize("status", Status, ids=str)
@pytest.mark.parametrize("tale", Tale, ids=str)
def test_no_tale_without_a_name_ends_an_appeal(tale: Tale, status: Status):
    life = at(status)
    after = life.hear(told(tale, satisfied=True, rating=5, text="Шешілді")).appeal
    if after.status is not status:
        assert tale is Tale.DECIDED
        assert status in OPEN
        assert after.status is Status.RESOLVED
    assert (after.status in FINAL) == (status in FINAL)
    assert after.confirmation == at(status).appeal.confirmation or status in FINAL


@pytest.mark.parametrize("status", Status, ids=str)
def test_the_residents_yes_closes_where_it_is_awaited_and_nowhere_else(status: Status):
    life = at(status)
    change = life.hear(told(Tale.RATED, satisfied=True, rating=4, author=called(life)))
    closed = status in AWAITING_RESIDENT
    assert (change.appeal.status is Status.CLOSED) == (closed or status is Status.CLOSED)
    if closed:
        word = change.appeal.confirmation
        assert word is not None
        assert (word.how, word.role, word.rating) == ("e-otinish", "citizen", 4)
        named = change.events[0]
        assert named.type is EventType.CONFIRMED
        assert named.personal["author"].value == called(life)
        said = orjson.loads(named.canonical)
        assert said["actor"]["id"] == str(STATE)
        assert (said["data"]["national_number"], said["data"]["state_version"]) == (NUMBER, 3)


def test_the_residents_no_brings_the_work_back():
    life = at(Status.RESOLVED)
    no = told(Tale.RATED, satisfied=False, author=called(life), text="Жарық жоқ")
    after = life.hear(no).appeal
    assert after.status is Status.IN_PROGRESS
    assert after.reopened == 1


@pytest.mark.parametrize("tale", [Tale.RATED, Tale.WITHDRAWN], ids=str)
def test_a_word_in_anothers_name_is_poison(tale: Tale):
    life = at(Status.RESOLVED)
    with pytest.raises(Poison, match="author-differs"):
        life.hear(told(tale, satisfied=True, author="Басқа Адам"))
    assert life.appeal.status is Status.RESOLVED


@pytest.mark.parametrize("known", [None, "Айгүл"], ids=["nobody", "one-name"])
@pytest.mark.parametrize("tale", [Tale.RATED, Tale.WITHDRAWN], ids=str)
def test_where_the_register_cannot_tell_whose_word_it_is_nothing_closes(
    tale: Tale, known: str | None
):
    life = at(Status.RESOLVED)
    assert life.appeal.applicant is not None
    nameless = replace(life.appeal, applicant=replace(life.appeal.applicant, name=known))
    life.shelf.appeals[life.number] = nameless
    change = life.hear(told(tale, satisfied=True, rating=5, author="Айгүл Серікова"))
    assert change.appeal.status is Status.RESOLVED
    assert change.appeal.confirmation is None
    assert [one.type for one in change.events] == [EventType.STATE_TOLD]


@pytest.mark.parametrize("rating", [0, 6, -1, 2**40])
def test_a_rating_on_another_scale_is_none_and_the_yes_stands(rating: int):
    life = at(Status.RESOLVED)
    yes = told(Tale.RATED, satisfied=True, rating=rating, author=called(life))
    word = life.hear(yes).appeal.confirmation
    assert word is not None
    assert word.rating is None


def test_a_named_withdrawal_is_one():
    life = at(Status.IN_PROGRESS)
    after = life.hear(told(Tale.WITHDRAWN, author=called(life))).appeal
    assert after.status is Status.WITHDRAWN


@pytest.mark.parametrize("status", sorted(OPEN), ids=str)
def test_a_decision_stands_where_the_executors_would_and_its_clocks_explain_themselves(
    status: Status,
):
    life = at(status)
    change = life.hear(told(Tale.DECIDED, decision="Удовлетворено", text="Шешілді"))
    after = change.appeal
    assert after.status is Status.RESOLVED
    assert after.pause is None
    assert all(row.state is AssignmentState.RECALLED for row in change.assignments)
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    assert check(after.clocks, events, life.reference.promises) == ()


def test_after_a_decision_the_resident_may_say_no_and_the_executor_has_it_again():
    life = at(Status.PAUSED)
    had = life.appeal.executor
    life.hear(told(Tale.DECIDED, text="Шешілді"))
    after = life.act(Action.REOPEN, c.Reopen("call", "Жоқ"), Role.OPERATOR)
    assert after.status is Status.IN_PROGRESS
    assert after.executor == had


def test_a_number_is_taken_once_and_never_changed():
    life = at(Status.ASSIGNED)
    step = numbered(life.appeal, NUMBER)
    assert step is not None
    assert step.appeal.national_number == NUMBER
    assert numbered(step.appeal, NUMBER) is None
    with pytest.raises(Poison, match="another-number"):
        numbered(step.appeal, "ЖТ-2026-00000002")


NAMES = [
    ("СЕРІКОВА АЙГҮЛ МАРАТҚЫЗЫ", "Айгүл Серікова", True),
    ("Семёнов Пётр", "Петр Семенов", True),
    ("Серікова Айгүл", "Серікова Айнұр", False),
    ("Серіков", "Серікова Айгүл", False),
    ("", "Айгүл", False),
    ("  ", "Айгүл", False),
]


@pytest.mark.parametrize(("one", "other", "same"), NAMES, ids=[one[0] or "nobody" for one in NAMES])
def test_a_person_is_known_by_their_names_in_any_order(one: str, other: str, same: bool):
    assert same_person(one, other) is same
    assert same_person(other, one) is same


@given(st.permutations(["Айгүл", "Серікова", "Маратқызы"]))
def test_the_order_of_names_never_matters(names: list[str]):
    assert same_person(" ".join(names).upper(), "Айгүл Серікова Маратқызы")


def event(type: EventType, actor: str = "x", role: str = "executor", **data: Any) -> dict[str, Any]:
    return {"type": str(type), "actor": {"id": actor, "role": role}, "data": data}


@pytest.mark.parametrize("type", EventType, ids=str)
def test_what_the_state_said_itself_is_never_told_back(type: EventType):
    assert notice_of(event(type, actor=str(STATE))) is None
    assert (notice_of(event(type)) is not None) == (type in NOTICES)


def test_what_colleagues_and_residents_say_is_no_reply_of_the_city():
    assert notice_of(event(EventType.COMMENTED, internal=True)) is None
    assert notice_of(event(EventType.COMMENTED, role="citizen", internal=False)) is None
    assert notice_of(event(EventType.COMMENTED, role="operator", internal=False)) is Notice.REPLY


@pytest.mark.parametrize("anonymous", [True, False])
def test_who_stays_anonymous_is_named_to_nobody(anonymous: bool):
    registered = {
        "type": "appeal.registered", "at": "2026-11-28T04:00:00.000000Z", "sequence": 1,
        "about": {"status": "registered"}, "data": {"language": "kk", "anonymous": anonymous},
    }  # fmt: skip
    material = Material(
        uuid4(), Notice.REGISTER, "KIS-2026-000001", None, registered, iin="991231600002"
    )
    agreements = read_contract().agreements("general.land-question", {})
    assert values_of(material, agreements).get("iin") == (None if anonymous else "991231600002")


def test_a_pause_ends_before_a_decision_is_told():
    life = at(Status.PAUSED)
    assert life.appeal.pause is not None
    assert life.appeal.pause.reason in PauseReason
    change = life.hear(told(Tale.DECIDED))
    assert [one.type for one in change.events] == [EventType.RESUMED, EventType.STATE_DECIDED]
