"""What the state says changes what it may, and closes nothing without the resident's word."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rest.legal_views import leading_view, legal_view
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk
from domain.appeals.model import Appeal, AssignmentState, Kind
from domain.appeals.replay import check
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
from domain.eotinish.outgoing import NOTICES, Material, notice_of, term_of, values_of
from domain.eotinish.rules import follow, numbered, same_person
from domain.eotinish.use_cases import state_of
from domain.errors import Invalid
from domain.events import EventType
from domain.law.kinds import AppealKind
from domain.sla.policy import Stage
from integrations.eotinish.contract import read_contract
from integrations.eotinish.payload import write_data
from tests.domain.appeals.acts import NEEDS, SPEECHES, WAYS, at, speak
from tests.domain.appeals.make import CITY, MANHOLE, OTHER, Life, almaty, intake

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


def assigned(kind: AppealKind = AppealKind.APPLICATION, **said: Any) -> Life:
    """Given to the city by the state on Monday, 2 March 2026."""
    life = Life(almaty("2026-03-02 10:00"))
    life.register(intake(MANHOLE, appeal_kind=kind, **said))
    return life


def due(appeal: Appeal) -> datetime:
    clock = appeal.clock(Stage.CONSIDER)
    assert clock is not None
    return clock.due_at


def explained(life: Life) -> bool:
    """Whether the events alone tell every clock as it stands."""
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    return check(life.appeal.clocks, events, life.reference.promises) == ()


# The term of 2 March ends on 27 March; two months later 27 May is Kurban Ait, so that 28 May is the
# furthest; 4 April is a Saturday.
PUT_OFF = [
    ("2026-04-10 23:59:59", "2026-04-11 00:00", 10),
    ("2026-04-11 00:00:00", "2026-04-11 00:00", 10),
    ("2026-04-04 23:59:59", "2026-04-04 00:00", 5),
    ("2026-12-31 23:59:59", "2026-05-29 00:00", None),
    ("9999-12-31 00:00:00", "2026-05-29 00:00", None),
]


@pytest.mark.parametrize(("said", "until", "days"), PUT_OFF, ids=[one[0] for one in PUT_OFF])
def test_what_the_state_puts_off_is_put_off_here_as_far_as_the_law_lets_it(
    said: str, until: str, days: int | None
):
    life = assigned()
    deadline = datetime.fromisoformat(f"{said}+05:00")
    change = life.hear(told(Tale.EXTENDED, deadline=deadline, text="Сараптама керек"))
    assert due(life.appeal) == almaty(until)
    assert explained(life)
    assert [one.type for one in change.events] == [EventType.STATE_TOLD, EventType.PROLONGED]
    put_off = change.events[1]
    assert not put_off.internal
    data = orjson.loads(put_off.canonical)["data"]
    assert (data["by"], data["national_number"]) == ("e-otinish", NUMBER)
    assert notice_of(orjson.loads(put_off.canonical)) is None
    assert life.appeal.legal is not None
    assert life.appeal.state_deadline == deadline
    assert days in (None, life.appeal.legal.prolonged)
    # Where it would have been broken nothing is, and on its new day it is.
    life.at = almaty("2026-03-28 00:00")
    life.tick()
    told_of = [one.type for one in life.shelf.events]
    assert EventType.CLOCK_BREACHED not in [
        one.type for one in life.shelf.events
        if orjson.loads(one.canonical)["data"].get("stage") == "consider"
    ], told_of  # fmt: skip
    assert explained(life)


def test_the_head_gives_no_more_than_what_the_state_left_of_the_two_months():
    life = assigned()
    life.hear(told(Tale.EXTENDED, deadline=datetime.fromisoformat("2026-12-31T23:59:59+05:00")))
    speak(life, Action.ACCEPT)
    with pytest.raises(Invalid):
        life.act(Action.PROLONG, c.Prolong(1, "тағы"), Role.HEAD)


NOT_PUT_OFF = [
    ("no longer term", AppealKind.APPLICATION, "2026-03-02 11:00", "2026-03-27T23:59:59+05:00"),
    ("a shorter one", AppealKind.APPLICATION, "2026-03-02 11:00", "2026-03-10T23:59:59+05:00"),
    ("a complaint", AppealKind.COMPLAINT, "2026-03-02 11:00", "2026-05-10T23:59:59+05:00"),
    ("too late", AppealKind.APPLICATION, "2026-03-30 11:00", "2026-05-10T23:59:59+05:00"),
]


@pytest.mark.parametrize(
    ("kind", "at", "said"), [one[1:] for one in NOT_PUT_OFF], ids=[one[0] for one in NOT_PUT_OFF]
)
def test_what_the_law_does_not_let_be_put_off_stays_and_the_state_s_day_is_kept(
    kind: AppealKind, at: str, said: str
):
    life = assigned(kind)
    before, life.at = due(life.appeal), almaty(at)
    deadline = datetime.fromisoformat(said)
    change = life.hear(told(Tale.EXTENDED, deadline=deadline))
    assert [one.type for one in change.events] == [EventType.STATE_TOLD]
    assert due(life.appeal) == before
    assert life.appeal.legal is not None
    assert life.appeal.state_deadline == deadline


def test_the_day_that_the_state_sets_is_kept_through_what_the_city_finds_and_until_it_is_reopened():
    deadline = datetime.fromisoformat("2026-03-10T23:59:59+05:00")
    life = assigned(state_deadline=deadline)
    registered = orjson.loads(life.shelf.events[0].canonical)
    assert registered["data"]["state_deadline"] == "2026-03-10T18:59:59.000000Z"
    speak(life, Action.ACCEPT)
    life.act(Action.CLASSIFY, c.Classify(AppealKind.COMPLAINT, "шағым"), Role.INSPECTOR)
    assert life.appeal.legal is not None
    assert life.appeal.state_deadline == deadline
    later = told(Tale.PROGRESS, deadline=datetime.fromisoformat("2026-03-20T23:59:59+05:00"))
    desk = Desk(state_of(CITY), life.reference, life.at)
    # What was released from quarantine late sets no day back.
    assert follow(life.appeal, later, desk, newest=False).appeal.state_deadline == deadline
    life.hear(later)
    assert life.appeal.state_deadline == later.at("deadline")
    life.hear(told(Tale.DECIDED, text="Шешілді"))
    life.act(Action.REOPEN, c.Reopen("call", "Жоқ"), Role.OPERATOR)
    assert life.appeal.state_deadline is None
    reopened = orjson.loads(life.shelf.events[-1].canonical)["data"]
    assert term_of(reopened, life.reference.promises) == due(life.appeal)


def test_what_the_state_said_outlives_that_the_city_held_the_appeal_for_none_before_the_law():
    life = assigned(
        state_deadline=datetime.fromisoformat("2026-03-10T23:59:59+05:00"),
        received_at=almaty("2026-02-27 11:00"),
    )
    first = life.appeal
    assert first.legal is not None
    for kind in (None, AppealKind.APPLICATION):
        life.act(Action.CLASSIFY, c.Classify(kind, "анықталды"), Role.INSPECTOR)
    assert life.appeal.state_deadline == first.state_deadline
    assert life.appeal.legal == first.legal, "received when the state received it: no time is given"
    assert due(life.appeal) == due(first)
    life.act(Action.CLASSIFY, c.Classify(None, "қызметке өтінім"), Role.INSPECTOR)
    assert life.appeal.state_leads is None, "no term of the law runs"
    # What the state says meanwhile is heard as well.
    later = told(Tale.PROGRESS, deadline=datetime.fromisoformat("2026-03-09T23:59:59+05:00"))
    life.hear(later)
    life.act(Action.CLASSIFY, c.Classify(AppealKind.APPLICATION, "арыз"), Role.INSPECTOR)
    assert life.appeal.state_deadline == later.at("deadline")
    speak(life, Action.ACCEPT)
    life.act(Action.CLASSIFY, c.Classify(None, "қызметке өтінім"), Role.INSPECTOR)
    speak(life, Action.RESOLVE)
    # Reopened it is received anew, whatever it is held for by then.
    life.at = almaty("2026-03-12 10:00")
    speak(life, Action.REOPEN)
    assert life.appeal.state_deadline is None
    life.act(Action.CLASSIFY, c.Classify(AppealKind.APPLICATION, "арыз"), Role.INSPECTOR)
    assert life.appeal.legal is not None
    assert life.appeal.legal.received == date(2026, 3, 12)


def test_what_the_city_held_for_none_from_the_beginning_bears_the_state_s_day_too():
    deadline = datetime.fromisoformat("2026-03-10T23:59:59+05:00")
    life = Life(almaty("2026-03-02 10:00"))
    life.register(intake(OTHER, state_deadline=deadline, received_at=almaty("2026-02-27 11:00")))
    assert life.appeal.legal is None
    life.act(Action.CLASSIFY, c.Classify(AppealKind.APPLICATION, "арыз"), Role.INSPECTOR)
    assert life.appeal.legal is not None
    assert life.appeal.legal.received == date(2026, 2, 27)
    assert life.appeal.state_deadline == deadline


def test_the_state_is_told_the_term_that_a_classification_or_a_reopening_begins():
    life = at(Status.ASSIGNED)
    for kind in AppealKind:
        life.act(Action.CLASSIFY, c.Classify(kind, "арыз"), Role.INSPECTOR)
        data = orjson.loads(life.shelf.events[-1].canonical)["data"]
        assert term_of(data, life.reference.promises) == due(life.appeal)
    assert term_of({"fields": ["text"]}, life.reference.promises) is None


LEADS = [
    ("2026-03-03T09:00:00+05:00", "state"),
    ("2026-03-10T23:59:59+05:00", "standard"),
    ("2026-05-10T23:59:59+05:00", "standard"),
]


@pytest.mark.parametrize(("said", "by"), LEADS, ids=[one[0] for one in LEADS])
@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_the_strictest_of_law_city_and_state_leads(said: str, by: str, language: str):
    life = assigned(state_deadline=datetime.fromisoformat(said))
    leading = leading_view(life.appeal, life.reference, language)
    assert leading is not None
    assert leading["by"] == by
    seen = legal_view(life.appeal.legal, life.appeal.state_deadline, life.reference, language)
    assert seen is not None
    assert seen["state_deadline"] == datetime.fromisoformat(said)
    if by == "state":
        assert leading["due_at"] == datetime.fromisoformat(said)
        assert "e-Өтініш" in leading["sentence"]


def test_the_last_second_of_the_law_s_own_day_leads_nothing():
    life = Life(almaty("2026-03-02 10:00"))
    last = datetime.fromisoformat("2026-03-05T23:59:59+05:00")
    life.register(intake(OTHER, appeal_kind=AppealKind.REQUEST_BAILIFF, state_deadline=last))
    leading = leading_view(life.appeal, life.reference, "ru")
    assert leading is not None
    assert leading["by"] == "law"


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
    change = life.hear(told(Tale.DECIDED))
    assert [one.type for one in change.events] == [EventType.RESUMED, EventType.STATE_DECIDED]
