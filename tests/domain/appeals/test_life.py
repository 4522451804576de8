"""The life of an appeal between those who ask, those who act and those who check."""

import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import AssignmentState
from domain.appeals.workflow import REOPEN_WITHIN, Action, Directive, Status
from domain.errors import Conflict, Invalid, NotFound, NotPermitted, VersionConflict
from domain.sla.clock import ClockState
from domain.sla.policy import Stage
from tests.domain.appeals.acts import SPEECHES, at, speak, with_nobody
from tests.domain.appeals.make import (
    DEPARTMENT,
    GONE,
    LIFTS,
    PHOTO,
    WATER,
    Life,
    hours,
    ident,
    intake,
    principal,
)

A = Action


def said(life: Life, back: int = 1) -> dict[str, object]:
    """The `data` of an event, counted from the newest."""
    data: dict[str, object] = orjson.loads(life.shelf.events[-back].canonical)["data"]
    return data


def test_an_open_manhole_from_the_call_to_the_residents_yes():
    life = Life()
    life.register()
    speak(life, A.ACCEPT, A.REPORT, A.RESOLVE, A.CHECK, A.CONFIRM)
    assert life.told() == [
        "appeal.registered", "appeal.assigned", "appeal.accepted", "appeal.stage_reported",
        "appeal.resolved", "appeal.checked", "appeal.confirmed", "appeal.closed",
    ]  # fmt: skip
    appeal = life.appeal
    assert appeal.confirmation is not None
    assert appeal.confirmation.by == principal(Role.OPERATOR).id
    assert (appeal.confirmation.role, appeal.confirmation.how) == ("operator", "call")
    assert {clock.state for clock in appeal.clocks} == {ClockState.MET}
    assert appeal.head.sequence == len(life.told())


@pytest.mark.parametrize("action", [A.ACCEPT, A.DECLINE], ids=str)
def test_only_the_assigned_organisation_takes_an_appeal(action: Action):
    life = at(Status.ASSIGNED)
    with pytest.raises(NotPermitted) as refused:
        life.act(action, SPEECHES[action][1], organisation=LIFTS)
    assert refused.value.params["permission"] == "perform:assigned-to-another"


@pytest.mark.parametrize("action", [A.REPORT, A.RESOLVE, A.PAUSE, A.DECLINE], ids=str)
def test_only_the_assigned_organisation_works_on_it(action: Action):
    with pytest.raises(NotPermitted):
        at(Status.IN_PROGRESS).act(action, SPEECHES[action][1], organisation=LIFTS)


@pytest.mark.parametrize("command", [c.Comment("Слышали"), c.Comment("Между нами", True)])
def test_an_organisation_that_has_it_no_more_adds_no_word(command: c.Comment):
    life = at(Status.IN_PROGRESS)
    with pytest.raises(NotPermitted):
        life.act(A.COMMENT, command, role=Role.EXECUTOR, organisation=LIFTS)


def test_another_organisation_does_not_end_a_pause():
    with pytest.raises(NotPermitted):
        at(Status.PAUSED).act(A.RESUME, c.Resume(), organisation=LIFTS)


@pytest.mark.parametrize("role", [Role.EXECUTOR, Role.HEAD], ids=str)
def test_the_parent_organisation_may_act_for_its_child(role: Role):
    appeal = at(Status.ASSIGNED).act(A.ACCEPT, c.Accept(), role, DEPARTMENT)
    assert appeal.assigned().organisation == WATER


def test_a_declined_appeal_goes_back_to_the_inspectors_and_its_clocks_run_on():
    life = at(Status.IN_PROGRESS)
    clocks = life.appeal.clocks
    appeal = speak(life, A.DECLINE).appeal
    assert (appeal.status, appeal.assignment) == (Status.REGISTERED, None)
    assert appeal.clocks == clocks
    (left,) = life.shelf.changes[-1].assignments
    assert (left.state, left.reason) == (AssignmentState.DECLINED, "біздің желі емес")


def test_an_assignment_remembers_when_its_executor_answered():
    life = at(Status.IN_PROGRESS)
    accepted = life.appeal.assigned().answered_at
    speak(life, A.DECLINE)
    assert life.shelf.changes[-1].assignments[0].answered_at == accepted


def test_an_offer_that_is_declined_was_answered_by_the_refusal():
    life = speak(at(Status.ASSIGNED), A.DECLINE)
    assert life.shelf.changes[-1].assignments[0].answered_at == life.at


def test_nobody_who_has_no_appeal_gives_it_back():
    life = with_nobody()
    assert life.appeal.assignment is None
    speak(life, A.ASSIGN)
    assert life.appeal.assigned().organisation == WATER


@pytest.mark.parametrize("organisation", [GONE, ident("nobody")])
def test_an_organisation_that_cannot_act_is_given_nothing(organisation):
    with pytest.raises(Invalid) as refused:
        with_nobody().act(A.ASSIGN, c.Assign(organisation), Role.INSPECTOR)
    assert refused.value.faults[0].rule == "unknown-organisation"


def test_a_redirected_appeal_tells_both_organisations():
    life = at(Status.IN_PROGRESS)
    appeal = speak(life, A.REDIRECT).appeal
    assert life.told()[-2:] == ["appeal.redirected", "appeal.assigned"]
    assert said(life, 2) == {"from": str(WATER), "to": str(LIFTS)}
    assert said(life)["organisation"] == str(LIFTS)
    assert appeal.status is Status.ASSIGNED
    former, given = life.shelf.changes[-1].assignments
    assert (former.organisation, former.state) == (WATER, AssignmentState.REDIRECTED)
    assert (given.organisation, given.state) == (LIFTS, AssignmentState.OFFERED)
    assert appeal.assignment == given


def test_an_appeal_is_not_redirected_to_where_it_stands():
    with pytest.raises(Conflict) as refused:
        at(Status.ASSIGNED).act(A.REDIRECT, c.Assign(WATER), Role.INSPECTOR)
    assert refused.value.params["reason"] == "same-executor"


def test_work_without_evidence_or_a_reason_is_not_done():
    life = with_nobody()
    speak(life, A.ASSIGN, A.ACCEPT)
    with pytest.raises(Invalid) as refused:
        life.act(A.RESOLVE, c.Resolve("дайын"))
    assert refused.value.faults[0].rule == "evidence-required"
    appeal = life.act(A.RESOLVE, c.Resolve("дайын", no_photo_reason="жер асты"))
    assert appeal.status is Status.RESOLVED


def test_evidence_is_bound_to_the_appeal_as_evidence():
    life = at(Status.RESOLVED)
    change = life.shelf.changes[-1]
    assert (change.attachments, change.purpose) == ((PHOTO,), "evidence")


def test_evidence_of_somebody_else_is_refused():
    with pytest.raises(Invalid) as refused:
        at(Status.IN_PROGRESS).act(A.RESOLVE, c.Resolve("дайын", (PHOTO, ident("stolen"))))
    assert [f.pointer for f in refused.value.faults] == ["/evidence/1"]


def test_what_the_inspector_sends_back_goes_to_the_same_executor():
    life = at(Status.RESOLVED)
    appeal = speak(life, A.RETURN).appeal
    assert appeal.status is Status.IN_PROGRESS
    assert appeal.assigned().organisation == WATER
    assert appeal.assigned().state is AssignmentState.ACCEPTED
    assert appeal.assigned().done_at is None


def test_the_residents_no_brings_a_closed_appeal_back_to_its_executor():
    life = at(Status.CLOSED)
    appeal = speak(life, A.REOPEN).appeal
    assert appeal.status is Status.IN_PROGRESS
    assert appeal.reopened == 1
    assert (appeal.confirmation, appeal.closed_at) == (None, None)
    assert appeal.assigned().state is AssignmentState.ACCEPTED
    assert said(life)["round"] == 1


def test_a_month_after_closing_a_new_appeal_is_filed_instead():
    life = at(Status.CLOSED)
    assert life.appeal.closed_at is not None
    life.at = life.appeal.closed_at + REOPEN_WITHIN
    with pytest.raises(Conflict) as refused:
        speak(life, A.REOPEN)
    assert refused.value.params == {"reason": "closed-too-long-ago", "days": 30}


def test_on_the_thirtieth_day_it_can_still_be_reopened():
    life = at(Status.CLOSED)
    life.wait(REOPEN_WITHIN - hours(1))
    assert speak(life, A.REOPEN).appeal.status is Status.IN_PROGRESS


def test_a_withdrawn_appeal_is_taken_from_its_executor():
    life = at(Status.PAUSED)
    appeal = speak(life, A.WITHDRAW).appeal
    assert (appeal.assignment, appeal.pause) == (None, None)
    assert {clock.state for clock in appeal.clocks} == {ClockState.CANCELLED}
    assert life.shelf.changes[-1].assignments[0].state is AssignmentState.RECALLED


def test_done_work_stays_done_when_the_resident_withdraws():
    life = at(Status.RESOLVED)
    done_at = life.appeal.assigned().done_at
    speak(life, A.WITHDRAW)
    kept = life.shelf.changes[-1].assignments
    assert all(one.state is AssignmentState.DONE and one.done_at == done_at for one in kept)


def test_a_stage_is_reported_once():
    life = speak(at(Status.IN_PROGRESS), A.REPORT)
    with pytest.raises(Conflict) as refused:
        speak(life, A.REPORT)
    assert refused.value.params["reason"] == "stage-reported-already"


@pytest.mark.parametrize(
    ("stage", "rule"), [(Stage.ARRIVE, "not-promised"), (Stage.RESOLVE, "enum")], ids=str
)
def test_what_was_not_promised_is_not_reported(stage: Stage, rule: str):
    with pytest.raises(Invalid) as refused:
        at(Status.IN_PROGRESS).act(A.REPORT, c.Report(stage))
    assert refused.value.faults[0].rule == rule


def test_what_colleagues_say_among_themselves_is_internal():
    life = at(Status.IN_PROGRESS)
    life.act(A.COMMENT, c.Comment("күдікті", internal=True), Role.INSPECTOR)
    assert life.shelf.events[-1].internal
    life.act(A.COMMENT, c.Comment("жолда"), Role.EXECUTOR)
    assert not life.shelf.events[-1].internal


def test_an_akims_word_is_kept_for_the_executor_and_not_for_the_resident():
    life = at(Status.IN_PROGRESS)
    before = life.appeal
    after = life.act(A.INSTRUCT, c.Instruct(Directive.RESOLUTION, "бақылауға"), Role.AKIM)
    event = life.shelf.events[-1]
    said = orjson.loads(event.canonical)
    assert event.internal
    assert said["actor"]["role"] == "akim"
    assert said["data"] == {"directive": "resolution", "to": str(WATER)}
    assert event.personal["text"].value == "бақылауға"
    assert (after.status, after.assignment, after.clocks) == (
        before.status, before.assignment, before.clocks
    )  # fmt: skip


def test_a_resident_has_no_colleagues():
    with pytest.raises(NotPermitted) as refused:
        at(Status.ASSIGNED).act(A.COMMENT, c.Comment("?", internal=True), Role.CITIZEN)
    assert refused.value.params["permission"] == "appeals:comment-internally"


def test_an_edit_of_what_has_changed_meanwhile_is_refused():
    life = at(Status.IN_PROGRESS)
    with pytest.raises(VersionConflict) as refused:
        life.act(A.COMMENT, c.Comment("?"), Role.OPERATOR, expected={1})
    assert refused.value.params == {"expected": [1], "actual": 2}
    life.act(A.COMMENT, c.Comment("!"), Role.OPERATOR, expected={1, 2})


def test_an_appeal_that_does_not_exist_is_not_found():
    life = at(Status.ASSIGNED)
    life.number = "ESL-2026-999999"
    with pytest.raises(NotFound):
        speak(life, A.ACCEPT)


def test_a_correction_that_corrects_nothing_is_refused():
    life = at(Status.ASSIGNED)
    with pytest.raises(Conflict) as refused:
        life.act(A.CORRECT, c.Correct(text=life.appeal.text), Role.OPERATOR)
    assert refused.value.params["reason"] == "nothing-changed"


def test_a_correction_names_the_fields_and_hides_the_words():
    life = at(Status.ASSIGNED)
    speak(life, A.CORRECT)
    assert said(life)["fields"] == ["text"]
    assert set(life.shelf.events[-1].personal) == {"text"}
    assert "аула".encode() not in life.shelf.events[-1].canonical


def test_the_answers_of_a_corrected_service_are_judged_by_its_own_form():
    life = Life()
    life.register(intake("general.unclassified"))
    with pytest.raises(Invalid):
        life.act(A.CORRECT, c.Correct(service="manholes.open"), Role.OPERATOR)
    fixed = c.Correct(service="manholes.open", answers={"cover": "broken"})
    assert life.act(A.CORRECT, fixed, Role.OPERATOR).sphere == "manholes"


def test_a_correction_says_where_the_appeal_stood_if_it_goes_elsewhere():
    """By that whoever followed its service or district is told that it goes."""
    life = Life()
    life.register(intake())
    life.act(Action.CORRECT, c.Correct(text="Басқа сөз"), Role.OPERATOR)
    assert "was" not in orjson.loads(life.shelf.events[-1].canonical)["data"]
    stood = {"service": life.appeal.service, "sphere": "manholes", "district": "centre"}
    elsewhere = c.Correct(where=c.Whereabouts(address="көпір жанында"))
    life.act(Action.CORRECT, elsewhere, Role.OPERATOR)
    assert life.appeal.place.district is None
    assert orjson.loads(life.shelf.events[-1].canonical)["data"]["was"] == stood
