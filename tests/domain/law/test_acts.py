"""The law's acts in the life of an appeal: put off, sent on, heard, decided, or not considered."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk
from domain.appeals.legal_rules import LEGAL_RULES
from domain.appeals.model import Appeal, Applicant, Channel, Kind, Waiver
from domain.appeals.replay import differences, replay
from domain.appeals.workflow import Action, PauseReason, Status
from domain.catalogue.evidence import ActForm, Need, Piece
from domain.catalogue.model import Criticality
from domain.errors import Conflict, EvidenceMissing, Invalid, NotPermitted
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, HearingOutcome, HearingWay
from domain.sla.clock import ClockState
from domain.sla.policy import LAW_STAGES, Stage
from tests.domain.appeals.acts import speak
from tests.domain.appeals.make import LIFT, LIFTS, MANHOLE, OTHER, Life, almaty, intake, principal
from tests.domain.law.make import shown

A, R, K = Action, Role, AppealKind
NAMELESS = Applicant(None, None, None, None)


def lawful(kind: AppealKind = K.APPLICATION, at: str = "2026-03-02 10:00", **said) -> Life:
    """An open manhole told as an appeal before the law, which goes to the water utility."""
    life = Life(almaty(at))
    life.register(intake(MANHOLE, appeal_kind=kind, **said))
    return life


def due(appeal: Appeal, stage: Stage = Stage.CONSIDER) -> str:
    clock = appeal.clock(stage)
    assert clock is not None
    return shown(clock.due_at)


def last(life: Life) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(life.shelf.events[-1].canonical)
    return found


def test_the_law_counts_beside_the_city_and_the_stricter_leads():
    life = lawful()
    stages = {clock.stage for clock in life.appeal.clocks}
    assert {Stage.RESOLVE, Stage.SECURE, *LAW_STAGES} <= stages
    assert due(life.appeal) == "2026-03-27"
    leading = life.appeal.leading
    assert leading is not None
    assert leading.stage is Stage.RESOLVE, "an open manhole is closed within a day"
    assert life.appeal.law_due_at == almaty("2026-03-28 00:00")


def test_where_the_city_promises_more_time_the_law_leads():
    life = Life(almaty("2026-03-02 10:00"))
    life.register(intake(OTHER, appeal_kind=K.REQUEST_BAILIFF))
    leading = life.appeal.leading
    assert leading is not None
    assert leading.stage is Stage.CONSIDER
    assert due(life.appeal) == "2026-03-05"


@pytest.mark.parametrize(
    ("channel", "wish", "kind"),
    [
        (Channel.E_OTINISH, Kind.COMPLAINT, K.COMPLAINT),
        (Channel.E_OTINISH, Kind.THANKS, K.RESPONSE),
        (Channel.WEB, Kind.PROPOSAL, K.PROPOSAL),
        (Channel.EMAIL, Kind.REQUEST, K.REQUEST),
        (Channel.PHONE, Kind.COMPLAINT, None),
        (Channel.TELEGRAM, Kind.REQUEST, None),
    ],
)
def test_the_kind_is_chosen_by_channel_and_wish(channel, wish, kind):
    life = Life()
    life.register(intake(OTHER, channel=channel, kind=wish))
    found = life.appeal.legal
    assert (found.kind if found else None) == kind
    assert bool(life.appeal.law_due_at) == (kind is not None)


def test_what_another_body_received_counts_from_there():
    life = Life(almaty("2026-03-05 10:00"))
    life.register(intake(OTHER, appeal_kind=K.APPLICATION, received_at=almaty("2026-03-02 10:00")))
    assert due(life.appeal) == "2026-03-27"


def test_an_inspector_says_what_it_is_and_no_time_is_given():
    life = Life(almaty("2026-03-02 10:00"))
    life.register(intake(OTHER))
    life.wait(timedelta(days=4))
    life.act(A.CLASSIFY, c.Classify(K.COMPLAINT_STATE_SERVICE, "мемқызмет"), R.INSPECTOR)
    # Five days after 2 March: 3, 4, 5, 6 and 10, as 9 March is off. Not five after the 6th.
    assert due(life.appeal) == "2026-03-10"
    told = last(life)
    assert told["type"] == "appeal.classified"
    assert told["data"]["kind_before"] is None  # type: ignore[index]
    assert told["data"]["kind"] == "complaint-state-service"  # type: ignore[index]
    life.act(A.CLASSIFY, c.Classify(K.APPLICATION, "арыз"), R.INSPECTOR)
    assert due(life.appeal) == "2026-03-27"
    life.act(A.CLASSIFY, c.Classify(None, "қызметке өтінім"), R.INSPECTOR)
    assert life.appeal.legal is None
    assert life.appeal.law_due_at is None
    with pytest.raises(Conflict) as same:
        life.act(A.CLASSIFY, c.Classify(None, "тағы"), R.INSPECTOR)
    assert same.value.params["reason"] == "nothing-changed"


def test_a_correction_of_the_service_touches_no_clock_of_the_law():
    life = lawful()
    before = {k.stage: k for k in life.appeal.clocks if k.stage in LAW_STAGES}
    life.act(A.CORRECT, c.Correct(service=OTHER, answers={}), R.OPERATOR)
    assert {k.stage: k for k in life.appeal.clocks if k.stage in LAW_STAGES} == before


def test_the_law_does_not_wait_for_parts():
    life = speak(lawful(), A.ACCEPT)
    life.act(A.PAUSE, c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық"), R.EXECUTOR)
    clock = life.appeal.clock(Stage.CONSIDER)
    assert clock is not None
    assert clock.state is ClockState.RUNNING
    assert life.appeal.law_due_at == almaty("2026-03-28 00:00")


def test_a_breach_of_the_law_is_told_and_escalated():
    life = speak(lawful(), A.ACCEPT)
    life.at = almaty("2026-03-28 00:00")
    life.tick()
    told = [orjson.loads(e.canonical) for e in life.shelf.events]
    breach = [e for e in told if e["type"] == "clock.breached" and e["data"]["stage"] == "consider"]
    assert [e["data"]["policy"] for e in breach] == ["law-15-days"]
    assert "consider" in {e["data"]["stage"] for e in told if e["type"] == "clock.escalated"}


# --- put off ---------------------------------------------------------------------------


def test_the_head_puts_the_term_off_and_the_applicant_reads_why():
    life = speak(lawful(), A.ACCEPT)
    life.act(A.PROLONG, c.Prolong(10, "сараптама керек"), R.HEAD)
    # Ten working days after 27 March: 30, 31, 1-3 and 6-10 April.
    assert due(life.appeal) == "2026-04-10"
    event = life.shelf.events[-1]
    assert str(event.type) == "appeal.prolonged"
    assert not event.internal
    assert event.personal["reason"].value == "сараптама керек"
    data = orjson.loads(event.canonical)["data"]
    assert data["due_before"].startswith("2026-03-27T19:00")
    assert data["notice_until"].startswith("2026-03-05T19:00"), "3, 4 and 5 March"
    legal = life.appeal.legal
    assert legal is not None
    assert (legal.prolonged, legal.prolongations) == (10, 1)


def test_a_term_is_put_off_by_two_months_at_most_in_all_its_acts():
    life = speak(lawful(), A.ACCEPT)
    with pytest.raises(Invalid) as refused:
        life.act(A.PROLONG, c.Prolong(60, "көп"), R.HEAD)
    (fault,) = refused.value.faults
    # Two months after 27 March is 27 May, Kurban Ait; the nearest working day is the next.
    assert (fault.rule, fault.params["until"]) == ("prolonged-too-far", "2026-05-28")
    life.act(A.PROLONG, c.Prolong(30, "сараптама"), R.HEAD)
    with pytest.raises(Invalid):
        life.act(A.PROLONG, c.Prolong(20, "тағы"), R.HEAD)
    life.act(A.PROLONG, c.Prolong(9, "тағы"), R.HEAD)
    # After 27 March: 30 31 | 1-3 6-10 13-17 20-24 27-30 | 4-6 8 12-15 18-22 25 26 28 make 40.
    with pytest.raises(Invalid):
        life.act(A.PROLONG, c.Prolong(2, "тағы"), R.HEAD)
    life.act(A.PROLONG, c.Prolong(1, "соңғы"), R.HEAD)
    assert due(life.appeal) == "2026-05-28"


def test_only_the_head_of_who_has_it_puts_it_off_while_it_runs():
    life = speak(lawful(), A.ACCEPT)
    for role in set(Role) - {R.HEAD}:
        with pytest.raises(NotPermitted):
            life.act(A.PROLONG, c.Prolong(1, "ұзарту"), role)
    with pytest.raises(NotPermitted):
        life.act(A.PROLONG, c.Prolong(1, "ұзарту"), R.HEAD, LIFTS)
    life.at = almaty("2026-03-28 00:00")
    with pytest.raises(Conflict) as late:
        life.act(A.PROLONG, c.Prolong(1, "кешікті"), R.HEAD)
    assert late.value.params["reason"] == "term-is-over"


def test_a_complaint_is_not_put_off():
    life = speak(lawful(K.COMPLAINT), A.ACCEPT)
    with pytest.raises(Conflict) as refused:
        life.act(A.PROLONG, c.Prolong(1, "ұзарту"), R.HEAD)
    assert refused.value.params == {"reason": "term-cannot-be-prolonged", "kind": "complaint"}


# --- sent on ---------------------------------------------------------------------------


def test_taking_it_settles_whose_it_is():
    life = speak(lawful(), A.ACCEPT)
    clock = life.appeal.clock(Stage.REDIRECT)
    assert clock is not None
    assert clock.state is ClockState.MET
    assert clock.breached_at is None


def test_a_redirection_within_three_working_days_is_told_with_its_term():
    life = lawful()
    life.act(A.REDIRECT, c.Assign(LIFTS, "лифт"), R.INSPECTOR)
    told = [orjson.loads(e.canonical) for e in life.shelf.events]
    (moved,) = [e for e in told if e["type"] == "appeal.redirected"]
    assert moved["data"]["late"] is False
    assert moved["data"]["redirect_until"].startswith("2026-03-05T19:00")
    assert life.appeal.redirected == 1
    assert due(life.appeal) == "2026-03-27", "who has it now has no more time for it"


def test_a_redirection_after_them_is_done_and_called_late():
    life = lawful(at="2026-03-06 10:00")
    life.at = almaty("2026-03-13 00:01")
    life.act(A.REDIRECT, c.Assign(LIFTS, "лифт"), R.INSPECTOR)
    told = [orjson.loads(e.canonical) for e in life.shelf.events]
    (moved,) = [e for e in told if e["type"] == "appeal.redirected"]
    assert moved["data"]["late"] is True


def test_what_goes_to_a_body_outside_awaits_the_resident_and_closes_nothing():
    life = lawful()
    body = "Абай облысының прокуратурасы"
    life.act(A.FORWARD, c.Forward(body, "құзыреті"), R.INSPECTOR)
    appeal = life.appeal
    assert appeal.status is Status.ANSWERED
    assert appeal.assignment is None
    assert appeal.legal is not None
    assert appeal.legal.forwarded_to == body
    assert appeal.due_at is None
    assert life.shelf.events[-1].internal is False
    life.act(A.REOPEN, c.Reopen("call", "жауап жоқ"), R.OPERATOR)
    assert life.appeal.status is Status.REGISTERED
    assert due(life.appeal) == "2026-03-27", "received anew, on the same day"


@pytest.mark.parametrize("role", [R.HEAD, R.EXECUTOR, R.AKIM], ids=str)
def test_no_executor_ends_what_the_city_promised_by_sending_it_out_of_the_register(role):
    life = speak(lawful(), A.ACCEPT)
    before = life.appeal
    with pytest.raises(NotPermitted):
        life.act(A.FORWARD, c.Forward("Прокуратура", "құзыреті"), role)
    assert life.appeal == before, "every clock runs on, with whoever has it"
    # Who finds another body competent says so, and whoever speaks for the city sends it on.
    life.act(A.DECLINE, c.Decline("Бұл прокуратураның құзыреті"))
    assert life.appeal.due_at == before.due_at
    life.act(A.FORWARD, c.Forward("Прокуратура", "құзыреті"), R.INSPECTOR)
    assert life.appeal.status is Status.ANSWERED


# --- heard -----------------------------------------------------------------------------


def test_no_adverse_act_without_a_hearing():
    life = speak(lawful(), A.ACCEPT)
    adverse = c.Decide(Decision.ADVERSE, "бас тартылды")
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, adverse)
    assert refused.value.params["reason"] == "hearing-first"
    # Told on Monday 2 March, so three working days are 3, 4 and 5; earlier than the 6th is early.
    with pytest.raises(Invalid) as early:
        life.act(A.SUMMON, c.Summon(almaty("2026-03-05 23:59"), HearingWay.VIDEO, "бас тарту"))
    assert early.value.faults[0].rule == "hearing-too-early"
    at = almaty("2026-03-06 10:00")
    life.act(A.SUMMON, c.Summon(at, HearingWay.IN_PERSON, "бас тартылмақ"))
    assert last(life)["data"]["object_until"].startswith("2026-03-04T19:00")  # type: ignore[index]
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, adverse)
    assert refused.value.params["reason"] == "hearing-first"
    with pytest.raises(Conflict) as refused:
        life.act(A.HEAR, c.Hear(HearingOutcome.HELD, "хаттама"))
    assert refused.value.params["reason"] == "hearing-yet-to-come"
    life.at = at
    life.act(A.HEAR, c.Hear(HearingOutcome.HELD, "хаттама"))
    # Nobody secured the manhole: a refusal to close it does not say that somebody did.
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, adverse)
    assert refused.value.params == {"reason": "steps-first", "stages": (Stage.SECURE,)}
    speak(life, A.REPORT)
    life.act(A.DECIDE, adverse)
    assert life.appeal.status is Status.RESOLVED
    assert life.appeal.legal is not None
    assert life.appeal.legal.decision is Decision.ADVERSE
    clock = life.appeal.clock(Stage.CONSIDER)
    assert clock is not None
    assert clock.state is ClockState.MET


def test_who_does_not_want_to_be_heard_is_not_waited_for():
    life = speak(lawful(), A.ACCEPT)
    life.act(A.SUMMON, c.Summon(almaty("2026-03-10 10:00"), HearingWay.VIDEO, "бас тарту"))
    life.act(A.HEAR, c.Hear(HearingOutcome.WAIVED, "жазбаша бас тартты"))
    speak(life, A.REPORT)
    life.act(A.DECIDE, c.Decide(Decision.ADVERSE, "бас тартылды"))
    assert life.appeal.status is Status.RESOLVED
    with pytest.raises(Conflict):
        speak(lawful(), A.ACCEPT).act(A.HEAR, c.Hear(HearingOutcome.WAIVED, "шақырусыз"))


def test_what_is_granted_needs_no_hearing():
    life = Life(almaty("2026-03-02 10:00"))
    life.register(intake(LIFT, appeal_kind=K.APPLICATION))
    life.act(A.ACCEPT, c.Accept(), R.EXECUTOR, LIFTS)
    life.act(A.DECIDE, c.Decide(Decision.FAVOURABLE, "қанағаттандырылды"), R.EXECUTOR, LIFTS)
    assert life.appeal.status is Status.RESOLVED


@pytest.mark.parametrize("decision", [one for one in Decision if one is not Decision.ADVERSE])
def test_no_decision_takes_the_place_of_work_whose_evidence_is_demanded(decision):
    life = speak(lawful(), A.ACCEPT)
    before = life.appeal
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, c.Decide(decision, "жабылды"))
    ended = decision is Decision.TERMINATED
    wants = "termination-wants-evidence" if ended else "work-wants-evidence"
    assert refused.value.params == {"reason": wants, "pieces": (Piece.PHOTO,)}
    assert life.appeal == before, "it stands with its executor, and every clock runs on"
    # What is let go for the work ends no procedure, and what is let go for that answers nothing.
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "?", termination=not ended), R.INSPECTOR)
    with pytest.raises(Conflict):
        life.act(A.DECIDE, c.Decide(decision, "жабылды"))
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "?", termination=ended), R.INSPECTOR)
    life.act(A.DECIDE, c.Decide(decision, "жабылды"))
    assert life.appeal.status is Status.RESOLVED
    told = [orjson.loads(e.canonical) for e in life.shelf.events]
    assert [one["type"] for one in told[-2:]] == ["appeal.evidence_waived", "appeal.decided"]
    assert list(differences(life.appeal.clocks, replay(told, life.reference.promises))) == []


def test_what_was_let_go_in_part_is_not_named_as_missing():
    life = speak(lawful(), A.ACCEPT)
    act = ActForm("[0-9]+", "7")
    evidence = {(MANHOLE, 1): {Stage.RESOLVE: Need(photos=1, within=100, act=act)}}
    desk = Desk(principal(R.EXECUTOR), replace(life.reference, evidence=evidence), life.at)
    waiver = Waiver(Stage.RESOLVE, Piece.POSITION, termination=True)
    let_go = replace(life.appeal, waivers=(waiver,))
    with pytest.raises(Conflict) as refused:
        LEGAL_RULES[A.DECIDE](let_go, c.Decide(Decision.TERMINATED, "қайталама"), desk)
    assert refused.value.params["pieces"] == (Piece.PHOTO, Piece.ACT_NUMBER)


def ended(life: Life, decision: Decision = Decision.TERMINATED) -> Life:
    """An open manhole whose consideration ended, its evidence let go for that."""
    termination = decision is Decision.TERMINATED
    speak(life, A.ACCEPT)
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "?", termination=termination), R.INSPECTOR)
    life.act(A.DECIDE, c.Decide(decision, "жаңа дәлелсіз қайталама"))
    return life


@pytest.mark.parametrize("back", [A.REOPEN, A.RETURN], ids=str)
@pytest.mark.parametrize("closed", [False, True])
def test_what_was_let_go_for_a_termination_that_does_not_hold_is_demanded_anew(back, closed):
    life = ended(lawful())
    if closed and back is A.REOPEN:
        speak(life, A.CONFIRM)
    speak(life, back)
    assert life.appeal.waivers == ()
    assert life.appeal.legal is not None
    assert life.appeal.legal.decision is None
    with pytest.raises(EvidenceMissing):
        life.act(A.RESOLVE, c.Resolve("жабылды", no_photo_reason="түн"))
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, c.Decide(Decision.TERMINATED, "тағы да"))
    assert refused.value.params["reason"] == "termination-wants-evidence"
    speak(life, A.RESOLVE)
    assert life.appeal.status is Status.RESOLVED


@pytest.mark.parametrize("back", [A.REOPEN, A.RETURN], ids=str)
def test_what_was_let_go_for_the_work_itself_stays_so(back):
    life = speak(ended(lawful(), Decision.ANSWERED), back)
    assert life.appeal.waivers == (Waiver(Stage.RESOLVE, Piece.PHOTO),)
    # The inspector lets it go for the work as well: that outlives the termination.
    life = speak(lawful(), A.ACCEPT, A.WAIVE)
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "қайталама", termination=True), R.INSPECTOR)
    life.act(A.DECIDE, c.Decide(Decision.TERMINATED, "қайталама"))
    assert speak(life, back).appeal.waivers == (Waiver(Stage.RESOLVE, Piece.PHOTO),)


@pytest.mark.parametrize("back", [A.REOPEN, A.RETURN], ids=str)
def test_what_was_let_go_for_a_termination_outlives_no_other_answer(back):
    life = speak(lawful(), A.ACCEPT)
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "қайталама", termination=True), R.INSPECTOR)
    # The executor does the work instead, and shows it as any other.
    with pytest.raises(EvidenceMissing):
        life.act(A.RESOLVE, c.Resolve("жабылды", no_photo_reason="түн"))
    speak(life, A.RESOLVE, back)
    assert life.appeal.waivers == ()


def test_a_request_for_service_has_no_procedure_to_let_evidence_go_for():
    life = Life()
    life.register()
    with pytest.raises(Conflict) as refused:
        life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "?", termination=True), R.INSPECTOR)
    assert refused.value.params["reason"] == "no-appeal-before-the-law"


def test_a_procedure_is_ended_at_once_where_no_evidence_of_work_is_demanded():
    life = Life(almaty("2026-03-02 10:00"))
    life.register(intake(LIFT, appeal_kind=K.APPLICATION))
    life.act(A.ACCEPT, c.Accept(), R.EXECUTOR, LIFTS)
    ended = c.Decide(Decision.TERMINATED, "жаңа дәлелсіз қайталама")
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, ended, R.EXECUTOR, LIFTS)
    assert refused.value.params == {"reason": "steps-first", "stages": (Stage.ARRIVE,)}
    life.act(A.REPORT, c.Report(Stage.ARRIVE, "жеттік"), R.EXECUTOR, LIFTS)
    life.act(A.DECIDE, ended, R.EXECUTOR, LIFTS)
    assert life.appeal.status is Status.RESOLVED
    assert life.appeal.closed_at is None, "the resident may still say no"


def test_an_inspector_says_that_nobody_need_come_where_no_evidence_is_demanded():
    life = Life(almaty("2026-03-02 10:00"))
    life.register(intake(LIFT, appeal_kind=K.APPLICATION))
    life.act(A.ACCEPT, c.Accept(), R.EXECUTOR, LIFTS)
    for_the_work = c.Waive(Stage.RESOLVE, "?")
    of_a_photo = c.Waive(Stage.RESOLVE, "?", frozenset({Piece.PHOTO}), termination=True)
    nobody_comes = c.Waive(Stage.RESOLVE, "қайталама", termination=True)
    for refused_ in (for_the_work, of_a_photo):
        with pytest.raises(Conflict) as refused:
            life.act(A.WAIVE, refused_, R.INSPECTOR)
        assert refused.value.params["reason"] == "nothing-to-waive"
    life.act(A.WAIVE, nobody_comes, R.INSPECTOR)
    assert life.appeal.waivers == (Waiver(Stage.RESOLVE, None, termination=True),)
    with pytest.raises(Conflict):
        life.act(A.WAIVE, nobody_comes, R.INSPECTOR)
    # It is for that end: a refusal still says nothing of steps that nobody made.
    life.act(
        A.SUMMON,
        c.Summon(almaty("2026-03-10 10:00"), HearingWay.VIDEO, "бас тарту"),
        R.EXECUTOR,
        LIFTS,
    )
    life.act(A.HEAR, c.Hear(HearingOutcome.WAIVED, "бас тартты"), R.EXECUTOR, LIFTS)
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, c.Decide(Decision.ADVERSE, "жоқ"), R.EXECUTOR, LIFTS)
    assert refused.value.params == {"reason": "steps-first", "stages": (Stage.ARRIVE,)}
    life.act(A.DECIDE, c.Decide(Decision.TERMINATED, "қайталама"), R.EXECUTOR, LIFTS)
    assert life.appeal.status is Status.RESOLVED


def test_nobody_says_that_nobody_need_come_while_evidence_of_the_work_is_demanded():
    demanded = {(LIFT, 1): {Stage.RESOLVE: Need(photos=1)}}
    city = replace(Life().reference, evidence=demanded)
    life = Life(almaty("2026-03-02 10:00"), city)
    life.register(intake(LIFT, appeal_kind=K.APPLICATION))
    life.act(A.ACCEPT, c.Accept(), R.EXECUTOR, LIFTS)
    with pytest.raises(Conflict) as refused:
        life.act(A.WAIVE, c.Waive(Stage.ARRIVE, "?", termination=True), R.INSPECTOR)
    assert refused.value.params["reason"] == "nothing-to-waive"


def test_a_wait_ends_with_the_threat_and_with_the_sending_on():
    for action, command in (
        (A.CLASSIFY, c.Classify(K.MESSAGE, "қылмыс", threat=True)),
        (A.FORWARD, c.Forward("Полиция департаменті", "құзыреті")),
    ):
        life = Life(almaty("2026-03-02 10:00"))
        life.register(intake(MANHOLE, applicant=None))
        speak(life, A.ACCEPT, A.PAUSE)
        life.wait(timedelta(hours=5))
        life.act(action, command, R.INSPECTOR)
        assert life.appeal.pause is None
        assert life.appeal.status is not Status.PAUSED
        told = [orjson.loads(e.canonical) for e in life.shelf.events]
        runs = replay(told, life.reference.promises)
        assert list(differences(life.appeal.clocks, runs)) == []


def test_what_was_heard_before_is_not_heard_of_the_next_answer():
    life = speak(lawful(), A.ACCEPT)
    life.act(A.SUMMON, c.Summon(almaty("2026-03-10 10:00"), HearingWay.VIDEO, "бас тарту"))
    life.act(A.HEAR, c.Hear(HearingOutcome.WAIVED, "жазбаша бас тартты"))
    speak(life, A.REPORT)
    life.act(A.DECIDE, c.Decide(Decision.ADVERSE, "бас тартылды"))
    life.act(A.REOPEN, c.Reopen("call", "келіспеймін"), R.OPERATOR)
    with pytest.raises(Conflict) as refused:
        life.act(A.DECIDE, c.Decide(Decision.ADVERSE, "тағы бас тартылды"))
    assert refused.value.params["reason"] == "hearing-first"


def test_a_request_for_service_has_no_acts_of_the_law():
    life = Life()
    life.register()
    speak(life, A.ACCEPT)
    for action, command, role in (
        (A.DECIDE, c.Decide(Decision.TERMINATED, "тоқтатылды"), R.EXECUTOR),
        (A.PROLONG, c.Prolong(1, "ұзарту"), R.HEAD),
    ):
        with pytest.raises(Conflict) as refused:
            life.act(action, command, role)
        assert refused.value.params["reason"] == "no-appeal-before-the-law"


# --- nobody's --------------------------------------------------------------------------


def test_who_says_nothing_of_themselves_is_owed_no_consideration_but_the_lamp_is_mended():
    life = lawful(applicant=NAMELESS)
    found = life.appeal.legal
    assert found is not None
    assert not found.considered
    assert life.appeal.law_due_at is None
    assert life.appeal.due_at is not None, "the city's own standards stand"
    registered = orjson.loads(life.shelf.events[0].canonical)["data"]["legal"]
    assert registered["considered"] is False


def test_an_anonymous_report_of_a_threat_goes_on_at_once():
    life = Life(almaty("2026-03-07 23:50"))  # a Saturday night
    life.register(intake(OTHER, applicant=None, reports_threat=True))
    found = life.appeal
    assert found.legal is not None
    assert found.legal.threat
    assert found.emergency
    assert found.criticality is Criticality.EMERGENCY
    clock = found.clock(Stage.REDIRECT)
    assert clock is not None
    assert clock.due_at == almaty("2026-03-08 00:50")
    life.act(A.FORWARD, c.Forward("Полиция департаменті", "қылмыс"), R.INSPECTOR)
    assert life.appeal.clock(Stage.REDIRECT).state is ClockState.MET  # type: ignore[union-attr]


def test_an_inspector_may_find_the_threat_afterwards():
    life = Life()
    life.register(intake(OTHER, applicant=None))
    assert life.appeal.legal is None
    life.act(A.CLASSIFY, c.Classify(K.MESSAGE, "қылмыс туралы", threat=True), R.INSPECTOR)
    assert life.appeal.emergency
    assert life.appeal.clock(Stage.REDIRECT) is not None


# --- sent back -------------------------------------------------------------------------


def test_an_answer_that_was_sent_back_stops_no_term():
    life = speak(lawful(), A.ACCEPT, A.RESOLVE)
    life.wait(timedelta(days=10))
    life.act(A.RETURN, c.Return("жауап толық емес"), R.INSPECTOR)
    clock = life.appeal.clock(Stage.CONSIDER)
    assert clock is not None
    assert (clock.round, due(life.appeal)) == (2, "2026-03-27")


def test_an_answer_sent_back_after_the_term_is_late_at_once():
    life = speak(lawful(), A.ACCEPT, A.RESOLVE)
    life.at = almaty("2026-04-02 10:00")
    life.act(A.RETURN, c.Return("жауап толық емес"), R.INSPECTOR)
    life.tick()
    clock = life.appeal.clock(Stage.CONSIDER)
    assert clock is not None
    assert clock.state is ClockState.BREACHED
    first = next(k for k in life.appeal.clocks if k.stage is Stage.CONSIDER and k.round == 1)
    assert first.breached_at is None, "the first answer was in time"


def test_what_the_resident_does_not_take_is_received_anew():
    life = speak(lawful(), A.ACCEPT)
    life.act(A.PROLONG, c.Prolong(5, "сараптама"), R.HEAD)
    speak(life, A.RESOLVE)
    life.at = almaty("2026-03-13 19:00")  # a Friday, after hours
    life.act(A.REOPEN, c.Reopen("call", "әлі ашық"), R.OPERATOR)
    # Received on Monday 16 March: 17-20 26 27 30 31 | 1-3 6-9 April.
    assert due(life.appeal) == "2026-04-09"
    assert life.appeal.legal is not None
    assert life.appeal.legal.prolonged == 0
