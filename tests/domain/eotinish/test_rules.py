"""What the state says changes what it may, and closes nothing without the resident's word."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk
from domain.appeals.model import AssignmentState, Change, Kind
from domain.appeals.replay import check
from domain.appeals.use_cases import bind
from domain.appeals.workflow import (
    AWAITING_RESIDENT,
    FINAL,
    OPEN,
    TRANSITIONS,
    Action,
    PauseReason,
    Status,
)
from domain.eotinish.model import STATE, Notice, Poison, Tale, Told
from domain.eotinish.outgoing import NOTICES, Material, notice_of, values_of
from domain.eotinish.rules import follow, numbered, same_person
from domain.eotinish.use_cases import state_of
from domain.events import EventType
from domain.law.kinds import AppealKind
from integrations.eotinish.contract import read_contract
from integrations.eotinish.payload import write_data
from tests.domain.appeals.acts import NEEDS, SPEECHES, WAYS, at, speak
from tests.domain.appeals.make import CITY, Life

NUMBER = "ЖТ-2026-00000001"
NAME = "Айгүл Серікова"


def told(tale: Tale, **values: Any) -> Told:
    return Told(tale, NUMBER, 3, values)


def hear(life: Life, word: Told) -> Change:
    """The state says it now; kept as a unit of work would keep it."""
    desk = Desk(state_of(CITY), life.reference, life.wait(life.at - life.at).at)
    change = bind(life.appeal, follow(life.appeal, word, desk), desk)
    life.shelf.appeals[life.number] = change.appeal
    life.shelf.events.extend(change.events)
    life.shelf.changes.append(change)
    return change


def called(life: Life) -> str:
    """The applicant's name in this life."""
    assert life.appeal.applicant is not None
    assert life.appeal.applicant.name is not None
    return life.appeal.applicant.name


@pytest.mark.parametrize("status", Status, ids=str)
@pytest.mark.parametrize("tale", Tale, ids=str)
def test_no_tale_without_a_name_ends_an_appeal(tale: Tale, status: Status):
    life = at(status)
    after = hear(life, told(tale, satisfied=True, rating=5, text="Шешілді")).appeal
    if after.status is not status:
        assert tale is Tale.DECIDED
        assert status in OPEN
        assert after.status is Status.RESOLVED
    assert (after.status in FINAL) == (status in FINAL)
    assert after.confirmation == at(status).appeal.confirmation or status in FINAL


@pytest.mark.parametrize("status", Status, ids=str)
def test_the_residents_yes_closes_where_it_is_awaited_and_nowhere_else(status: Status):
    life = at(status)
    change = hear(life, told(Tale.RATED, satisfied=True, rating=4, author=called(life)))
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
    after = hear(life, no).appeal
    assert after.status is Status.IN_PROGRESS
    assert after.reopened == 1


@pytest.mark.parametrize("tale", [Tale.RATED, Tale.WITHDRAWN], ids=str)
def test_a_word_in_anothers_name_is_poison(tale: Tale):
    life = at(Status.RESOLVED)
    with pytest.raises(Poison, match="author-differs"):
        hear(life, told(tale, satisfied=True, author="Басқа Адам"))
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
    change = hear(life, told(tale, satisfied=True, rating=5, author="Айгүл Серікова"))
    assert change.appeal.status is Status.RESOLVED
    assert change.appeal.confirmation is None
    assert [one.type for one in change.events] == [EventType.STATE_TOLD]


@pytest.mark.parametrize("rating", [0, 6, -1, 2**40])
def test_a_rating_on_another_scale_is_none_and_the_yes_stands(rating: int):
    life = at(Status.RESOLVED)
    yes = told(Tale.RATED, satisfied=True, rating=rating, author=called(life))
    word = hear(life, yes).appeal.confirmation
    assert word is not None
    assert word.rating is None


def test_a_named_withdrawal_is_one():
    life = at(Status.IN_PROGRESS)
    after = hear(life, told(Tale.WITHDRAWN, author=called(life))).appeal
    assert after.status is Status.WITHDRAWN


@pytest.mark.parametrize("status", sorted(OPEN), ids=str)
def test_a_decision_stands_where_the_executors_would_and_its_clocks_explain_themselves(
    status: Status,
):
    life = at(status)
    change = hear(life, told(Tale.DECIDED, decision="Удовлетворено", text="Шешілді"))
    after = change.appeal
    assert after.status is Status.RESOLVED
    assert after.pause is None
    assert all(row.state is AssignmentState.RECALLED for row in change.assignments)
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    assert check(after.clocks, events, life.reference.promises) == ()


def test_after_a_decision_the_resident_may_say_no_and_the_executor_has_it_again():
    life = at(Status.PAUSED)
    had = life.appeal.executor
    hear(life, told(Tale.DECIDED, text="Шешілді"))
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


ACTS = [
    (action, status)
    for action in SPEECHES
    for status in WAYS
    if status in TRANSITIONS[action].sources
]


@pytest.mark.parametrize(("action", "status"), ACTS, ids=str)
def test_no_act_changes_the_state_of_an_appeal_without_the_state_hearing_of_it(
    action: Action, status: Status
):
    """What is told last of an appeal bears the state that it stands in."""
    agreements = read_contract().agreements("general.land-question", {})
    life = speak(at(status), *NEEDS.get(action, ()), action)
    told = [orjson.loads(event.canonical) for event in life.shelf.events]
    last = [one for one in told if notice_of(one) is not None][-1]
    stands = agreements.states[life.appeal.status]
    assert agreements.states[Status(last["about"]["status"])] == stands


TOLD = [
    (Action.DECLINE, Status.IN_PROGRESS, Notice.RELEASED),
    (Action.ATTACH, Status.RESOLVED, Notice.ATTACHED),
    (Action.CLASSIFY, Status.ASSIGNED, Notice.CLASSIFIED),
    (Action.CORRECT, Status.ASSIGNED, Notice.CORRECTED),
    (Action.FORWARD, Status.ASSIGNED, Notice.FORWARDED),
]


@pytest.mark.parametrize(("action", "status", "notice"), TOLD, ids=str)
def test_the_state_hears_of_each_act_that_changes_what_it_was_told(
    action: Action, status: Status, notice: Notice
):
    life = at(status)
    before = len(life.shelf.events)
    speak(life, action)
    acted = [orjson.loads(event.canonical) for event in life.shelf.events[before:]]
    assert notice in [notice_of(one) for one in acted]


def material(notice: Notice, data: dict[str, Any], **changes: Any) -> Material:
    """What a notice of an open appeal is made of."""
    told = {"type": "x", "at": "2026-11-28T04:00:00.000000Z", "sequence": 4,
            "about": {"status": changes.pop("status", "assigned")}, "data": data}  # fmt: skip
    return Material(uuid4(), notice, "KIS-2026-000001", NUMBER, told, **changes)


AGREED = read_contract().agreements("general.land-question", {})


@pytest.mark.parametrize("lawful", AppealKind, ids=str)
def test_a_classification_tells_the_state_the_type_and_the_term(lawful: AppealKind):
    term = datetime(2026, 12, 18, 19, tzinfo=UTC)
    values = values_of(
        material(Notice.CLASSIFIED, {"kind": str(lawful)}, kind=Kind.THANKS, term=term), AGREED
    )
    assert AGREED.laws[str(values["type"])] is lawful
    assert values["deadline"] == term


def test_what_is_before_the_law_no_more_is_of_its_own_kind_and_thanks_are_none():
    none = {"kind": None}
    asked = values_of(material(Notice.CLASSIFIED, none, kind=Kind.REQUEST), AGREED)
    assert AGREED.laws[str(asked["type"])] is AppealKind.REQUEST
    assert "type" not in values_of(material(Notice.CLASSIFIED, none, kind=Kind.THANKS), AGREED)


def test_a_correction_tells_the_words_the_place_and_the_type_anew():
    said = material(
        Notice.CORRECTED, {"fields": ["text", "kind"]}, kind=Kind.COMPLAINT,
        personal={"text": "Люк ауланың ішінде"}, address="Абай көшесі, 12",
    )  # fmt: skip
    values = values_of(said, AGREED)
    assert values["text"] == "Люк ауланың ішінде"
    assert values["address"] == "Абай көшесі, 12"
    assert AGREED.laws[str(values["type"])] is AppealKind.COMPLAINT


def test_why_an_executor_gave_an_appeal_back_stays_among_colleagues():
    contract = read_contract()
    said = material(
        Notice.RELEASED, {}, personal={"reason": "біздің желі емес"}, status="registered"
    )
    data = write_data(contract.fields.notices[Notice.RELEASED], values_of(said, AGREED), contract)
    assert "біздің" not in "".join(str(text) for text in data.itertext())
    assert data.findtext("state") == "CREATED"


@pytest.mark.parametrize("status", Status, ids=str)
def test_what_was_sent_on_is_finished_with_the_city_alone(status: Status):
    sent_on = material(
        Notice.FORWARDED, {"body": "Прокуратура"}, status=str(status), forwarded=True
    )
    values = values_of(sent_on, AGREED)
    assert values["executor"] == "Прокуратура"
    withdrawn = status is Status.WITHDRAWN
    assert values["state"] == ("FINISHED" if withdrawn else "REDIRECTED")
    assert values["state"] != AGREED.states[status] or withdrawn


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
    change = hear(life, told(Tale.DECIDED))
    assert [one.type for one in change.events] == [EventType.RESUMED, EventType.STATE_DECIDED]
