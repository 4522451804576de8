"""Whatever is done with an appeal, its rows follow from its events; what somebody wrote past them
is named."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis.stateful import invariant

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.account import Account, NoAccount
from domain.appeals.model import Kind
from domain.appeals.workflow import Action, PauseReason
from domain.law.kinds import AppealKind
from domain.law.standing import Decision
from domain.sla.policy import Stage
from domain.values import Language
from tests.domain.appeals.accounts import RING, account_of, kept_of, told_of
from tests.domain.appeals.acts import SPEECHES
from tests.domain.appeals.make import LIFT, LIFTS, MANHOLE, MONDAY, PHOTO, WATER, Life, intake
from tests.domain.appeals.test_machine import AnyLife

LATER = MONDAY + timedelta(days=1)


class AccountedLife(AnyLife):
    """Anybody does anything; then it is counted again what came of it."""

    @invariant()
    def the_rows_follow_from_the_events(self):
        if self.life.number:
            assert told_of(self.life) == []


TestAccountedLife = AccountedLife.TestCase
TestAccountedLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.fixture
def life():
    """Done, judged wanting, waiting: with something in every row."""
    found = Life()
    found.register(intake(appeal_kind=AppealKind.COMPLAINT))
    found.act(Action.ACCEPT, c.Accept(), organisation=WATER)
    found.act(Action.RESOLVE, c.Resolve("жабылды", (PHOTO,)), organisation=WATER)
    found.act(Action.RETURN, c.Return("ашық тұр"), Role.INSPECTOR)
    found.act(Action.PAUSE, c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік"), organisation=WATER)
    found.act(Action.WAIVE, c.Waive(Stage.RESOLVE, "пәтер ішінде"), Role.INSPECTOR)
    return found


COLUMNS = {
    "number": "KIS-2026-000009", "city_id": LIFTS, "status": "closed", "kind": "thanks",
    "channel": "web", "language": "ru", "service": "lifts.stuck", "service_version": 9,
    "criticality": "low", "emergency": True, "district": "elsewhere", "operator_id": WATER,
    "organisation_id": LIFTS, "assignment_id": LIFTS, "pause": None, "pause_until": LATER,
    "waivers": [], "confirmation": {"how": "call"}, "incident_id": WATER,
    "incident_joined_at": LATER, "legal": None, "legal_kind": "proposal", "law_due_at": LATER,
    "hearing_at": LATER, "prolonged": True, "first_contact": True, "reopened": 1, "redirected": 1,
    "due_at": LATER, "registered_at": LATER, "closed_at": LATER, "national_number": "ЖТ-1",
    "extension": {"stage": "resolve"},
}  # fmt: skip
CORRECTIONS = {
    "kind": (c.Correct(kind=Kind.REQUEST), "thanks"),
    "language": (c.Correct(language=Language.RU), "en"),
    "district": (c.Correct(where=c.Whereabouts(address="бір жерде")), "elsewhere"),
    "criticality": (c.Correct(service=LIFT, answers={}), "low"),
    "text": (c.Correct(text="Люк ауланың ішінде"), "басқа сөз"),
}
WORDS = {
    "text": "басқа сөз", "address": "басқа үй", "apartment": "9", "answers": {"cover": "x"},
    "phone_index": b"x", "applicant": RING.seal(orjson.dumps({"name": "Басқа"})),
}  # fmt: skip


def test_what_was_let_go_for_is_held(life):
    kept = kept_of(life)
    forged = [{**one, "termination": True} for one in kept.appeal["waivers"]]
    row = replace(kept, appeal={**kept.appeal, "waivers": forged})
    assert any("waivers" in one for one in told_of(life, row))
    # Rows of former days do not say it: all was for the work then.
    older = [{n: v for n, v in one.items() if n != "termination"} for one in forged]
    row = replace(kept, appeal={**kept.appeal, "waivers": older})
    assert told_of(life, row) == []


@pytest.mark.parametrize("back", [Action.RETURN, Action.REOPEN])
@pytest.mark.parametrize(("service", "holder"), [(MANHOLE, WATER), (LIFT, LIFTS)])
def test_what_was_let_go_for_a_termination_is_accounted_for(back, service, holder):
    life = Life()
    life.register(intake(service, appeal_kind=AppealKind.COMPLAINT))
    life.act(Action.ACCEPT, c.Accept(), organisation=holder)
    life.act(Action.WAIVE, c.Waive(Stage.RESOLVE, "?", termination=True), Role.INSPECTOR)
    assert life.appeal.waivers != ()
    assert told_of(life) == []
    life.act(Action.DECIDE, c.Decide(Decision.TERMINATED, "қайталама"), organisation=holder)
    assert told_of(life) == []
    role, word = SPEECHES[back]
    life.act(back, word, role)
    assert life.appeal.waivers == ()
    assert told_of(life) == []


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_tells_another_story_is_named(life, column):
    kept = kept_of(life)
    assert told_of(life, kept) == []
    if column == "extension":
        assert kept.appeal[column] is None
    found = told_of(life, replace(kept, appeal={**kept.appeal, column: COLUMNS[column]}))
    assert any(column in said for said in found), found


@pytest.mark.parametrize("column", CORRECTIONS)
def test_what_a_correction_changed_is_held_as_well(life, column):
    command, value = CORRECTIONS[column]
    life.act(Action.CORRECT, command, Role.OPERATOR)
    kept = kept_of(life)
    assert told_of(life, kept) == []
    found = told_of(life, replace(kept, appeal={**kept.appeal, column: value}))
    assert any(column in said for said in found), found


@pytest.mark.parametrize("column", WORDS)
def test_words_and_applicants_are_held_to_what_was_sealed(life, column):
    kept = kept_of(life)
    forged = replace(kept, appeal={**kept.appeal, column: WORDS[column]})
    (found,) = told_of(life, forged)
    assert "than was registered" in found


def test_what_was_erased_is_held_to_nothing(life):
    kept = kept_of(life)
    blank = {"text": "", "address": None, "applicant": None, "phone_index": None}
    assert told_of(life, replace(kept, personal=[], appeal={**kept.appeal, **blank})) == []


@pytest.mark.parametrize(
    ("row", "changes", "said"),
    [
        ("assignments", {"answered_at": MONDAY}, "tells another answered_at than"),
        ("assignments", {"state": "declined"}, "tells another state than"),
        ("assignments", {"organisation_id": LIFTS}, "tells another organisation_id than"),
        ("assignments", {"id": LIFTS}, "tell of no assignment"),
        ("completions", {"done_at": MONDAY}, "tells another done_at than"),
        ("completions", {"verdict": "confirmed"}, "tells another verdict than"),
        ("completions", {"number": 2}, "was done 1 times"),
        ("clocks", {"district": "elsewhere"}, "tells another district than its row"),
        ("clocks", {"organisation_id": LIFTS}, "tells another organisation_id than its row"),
        ("personal", {"salt": bytes(16)}, "is not what was registered"),
        ("personal", {"sealed": RING.seal(b"x")}, "is not what was registered"),
        ("personal", {"sealed": b"x"}, "cannot be opened by the keys that are here"),
    ],
)
def test_a_row_that_follows_and_tells_another_story_is_named(life, row, changes, said):
    kept = kept_of(life)
    (first, *others) = getattr(kept, row)
    rows: dict[str, Any] = {row: [{**first, **changes}, *others]}
    forged = replace(kept, **rows)
    assert any(said in found for found in told_of(life, forged))


def test_the_personal_fields_of_two_events_do_not_change_places(life):
    kept = kept_of(life)
    one, other, *rest = [row for row in kept.personal if row["field"] in ("text", "reason")]
    moved = [{**one, "event_id": other["event_id"], "field": other["field"]},
             {**other, "event_id": one["event_id"], "field": one["field"]}, *rest]  # fmt: skip
    found = told_of(life, replace(kept, personal=moved))
    assert sum("is not what was registered" in said for said in found) == 2


def test_rows_that_are_missing_or_of_nobody_are_named(life):
    kept = kept_of(life)
    assert "is missing" in told_of(life, replace(kept, assignments=[]))[0]
    assert "its card names others" in told_of(life, replace(kept, holders=[]))[0]
    stray = {"id": LIFTS, "original_sha256": "00"}
    assert "no such attachment" in told_of(life, replace(kept, files=[stray]))[0]


def test_a_life_that_does_not_begin_with_its_registration_is_none(life):
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    with pytest.raises(NoAccount):
        Account().tell(events[1] | {"previous": "00" * 32})
    with pytest.raises(NoAccount):
        Account().done()
    account = account_of(life)
    with pytest.raises(NoAccount):
        account.tell(events[1] | {"about": events[1]["about"] | {"number": "KIS-2026-000002"}})
