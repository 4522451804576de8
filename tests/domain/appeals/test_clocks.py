"""The clocks of an appeal: who lets them wait, what never resets them, what a breach brings."""

from datetime import timedelta

import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import Channel
from domain.appeals.workflow import PAUSE_RULES, Action, PauseReason, Status
from domain.catalogue.model import Criticality
from domain.errors import Conflict, NotPermitted
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import Stage
from tests.domain.appeals.acts import SPEECHES, speak
from tests.domain.appeals.make import (
    DEPARTMENT,
    HEATING,
    LIFT,
    MANHOLE,
    MONDAY,
    OTHER,
    WATER,
    Life,
    almaty,
    hours,
    intake,
)

A = Action
PAUSES = [(reason, role) for reason in PauseReason for role in Role]


def clock(life: Life, stage: Stage = Stage.RESOLVE) -> Clock:
    found = life.appeal.clock(stage)
    assert found is not None
    return found


def working(service: str = MANHOLE, **changes: object) -> Life:
    """An appeal that the water utility has accepted."""
    life = Life()
    life.register(intake(service, **changes))
    if life.appeal.assignment is None:
        speak(life, A.ASSIGN)
    life.act(A.ACCEPT, c.Accept(), organisation=life.appeal.assigned().organisation)
    return life


def pause(life: Life, reason: PauseReason, role: Role = Role.INSPECTOR) -> None:
    life.act(A.PAUSE, c.PauseWork(reason, "неге екені"), role)


@pytest.mark.parametrize(("reason", "role"), PAUSES, ids=str)
def test_each_clock_waits_for_those_alone_who_may_let_it(reason: PauseReason, role: Role):
    life = working()
    rule = PAUSE_RULES[reason]
    if role not in rule.roles:
        with pytest.raises(NotPermitted):
            pause(life, reason, role)
        assert life.appeal.status is Status.IN_PROGRESS
        return
    pause(life, reason, role)
    waiting = {k.stage for k in life.appeal.clocks if k.state is ClockState.PAUSED}
    assert waiting == rule.stages & {k.stage for k in life.appeal.clocks}
    assert life.appeal.pause is not None
    assert life.appeal.pause.until == life.at + rule.longest


def test_the_clock_for_fencing_a_manhole_never_waits():
    assert all(Stage.SECURE not in rule.stages for rule in PAUSE_RULES.values())


def test_a_pause_moves_the_due_time_by_itself_alone():
    life = working()
    pause(life, PauseReason.WEATHER)
    life.wait(hours(5) - timedelta(minutes=1))
    speak(life, A.RESUME)
    assert clock(life).due_at == MONDAY + hours(29)
    assert clock(life).paused_for == hours(5)


@pytest.mark.parametrize("reason", PauseReason, ids=str)
def test_an_emergency_cannot_wait(reason: PauseReason):
    life = Life()
    life.register(intake(LIFT))
    life.act(A.REDIRECT, c.Assign(WATER), Role.INSPECTOR)
    speak(life, A.ACCEPT)
    with pytest.raises(Conflict) as refused:
        pause(life, reason)
    assert refused.value.params["reason"] == "emergency-cannot-wait"


def wait_for_the_resident(life: Life) -> None:
    life.act(A.PAUSE, c.PauseWork(PauseReason.AWAITING_RESIDENT, "Ждём"))
    life.wait(timedelta(days=2))
    life.act(A.RESUME, c.Resume())


def test_one_wait_after_another_does_not_put_a_promise_off_for_ever():
    life = working()
    before = clock(life).due_at
    for _ in range(3):
        wait_for_the_resident(life)
    with pytest.raises(Conflict) as refused:
        wait_for_the_resident(life)
    assert refused.value.params["reason"] == "waited-long-enough"
    assert clock(life).due_at - before == PAUSE_RULES[PauseReason.AWAITING_RESIDENT].in_all


@pytest.mark.parametrize("late", [timedelta(0), hours(40)], ids=["in time", "late"])
@pytest.mark.parametrize("reason", PauseReason, ids=str)
def test_the_longest_pause_ends_by_itself_and_counts_no_minute_more(
    reason: PauseReason, late: timedelta
):
    life = working()
    pause(life, reason)
    life.wait(PAUSE_RULES[reason].longest + late)
    life.tick()
    assert life.appeal.status is Status.IN_PROGRESS
    assert life.appeal.pause is None
    assert clock(life).due_at == MONDAY + hours(24) + PAUSE_RULES[reason].longest
    assert "appeal.resumed" in life.told()


def test_a_pause_that_is_not_over_is_left_alone():
    life = working(OTHER)
    pause(life, PauseReason.PARTS)
    life.wait(PAUSE_RULES[PauseReason.PARTS].longest - timedelta(seconds=1))
    assert not life.tick()


def test_a_redirect_ends_the_pause():
    life = working()
    pause(life, PauseReason.PARTS)
    life.wait(hours(2) - timedelta(minutes=1))
    speak(life, A.REDIRECT)
    assert life.appeal.pause is None
    assert clock(life).state is ClockState.RUNNING
    assert clock(life).paused_for == hours(2)


def test_a_clock_that_has_nothing_left_is_breached_and_not_paused():
    life = working()
    life.wait(hours(30))
    pause(life, PauseReason.PARTS)
    assert clock(life).state is ClockState.BREACHED
    life.tick()
    assert life.told().count("clock.breached") == 2


TO_OTHER = c.Correct(service=OTHER, answers={})

UNTOUCHED = [
    (A.COMMENT, c.Comment("жолда"), Role.OPERATOR),
    (A.COMMENT, c.Comment("ішкі", internal=True), Role.INSPECTOR),
    (A.INSTRUCT, SPEECHES[A.INSTRUCT][1], Role.AKIM),
    (A.CORRECT, c.Correct(text="Басқа сөз"), Role.OPERATOR),
    (A.CORRECT, c.Correct(where=c.Whereabouts(address="көпір жанында")), Role.OPERATOR),
    (A.REDIRECT, c.Assign(DEPARTMENT), Role.INSPECTOR),
    (A.DECLINE, c.Decline("біздікі емес"), Role.EXECUTOR),
    (A.ATTACH, SPEECHES[A.ATTACH][1], Role.OPERATOR),
]


@pytest.mark.parametrize(("action", "command", "role"), UNTOUCHED, ids=str)
def test_nothing_that_is_said_gives_time(action: Action, command: c.Command, role: Role):
    life = working()
    clocks = life.appeal.clocks
    life.wait(hours(1))
    assert life.act(action, command, role).clocks == clocks


def test_a_public_word_of_the_city_is_the_first_answer():
    life = Life()
    life.register(intake(OTHER, channel=Channel.TELEGRAM))
    life.act(A.COMMENT, c.Comment("ішкі", internal=True), Role.OPERATOR)
    life.act(A.COMMENT, c.Comment("тағы мен"), Role.CITIZEN)
    assert clock(life, Stage.ANSWER).state is ClockState.RUNNING
    life.act(A.COMMENT, c.Comment("қабылданды"), Role.OPERATOR)
    assert clock(life, Stage.ANSWER).met_at == life.at


def test_a_corrected_service_counts_from_the_original_registration():
    life = working(OTHER)
    life.wait(hours(2))
    moved = c.Correct(service=MANHOLE, answers={"cover": "missing"})
    life.act(A.CORRECT, moved, Role.OPERATOR)
    assert clock(life).due_at == MONDAY + hours(24)
    assert clock(life, Stage.SECURE).due_at == MONDAY + hours(3)
    rounds = [k for k in life.appeal.clocks if k.stage is Stage.RESOLVE]
    former, fresh = sorted(rounds, key=lambda k: k.round)
    assert (former.state, fresh.round) == (ClockState.CANCELLED, 2)


def test_a_correction_gives_no_time_to_a_promise_that_is_broken_already():
    life = working()
    life.wait(hours(200))
    life.tick()
    life.act(A.CORRECT, TO_OTHER, Role.OPERATOR)
    assert clock(life).due_at == MONDAY + timedelta(days=7)
    life.tick()
    assert clock(life).breached_at == MONDAY + timedelta(days=7)
    former = min((k for k in life.appeal.clocks if k.stage is Stage.RESOLVE), key=lambda k: k.round)
    assert former.breached_at == MONDAY + hours(24), "a broken promise stays on record"


def test_a_correction_that_takes_a_stage_away_cancels_its_clock():
    life = working()
    life.act(A.CORRECT, TO_OTHER, Role.OPERATOR)
    assert clock(life, Stage.SECURE).state is ClockState.CANCELLED
    assert life.appeal.due_at == clock(life).due_at


def test_a_stage_that_was_met_stays_met_under_another_service():
    life = speak(working(), A.REPORT)
    met = clock(life, Stage.SECURE)
    life.act(A.CORRECT, TO_OTHER, Role.OPERATOR)
    answers = {"cover": "broken"}
    life.act(A.CORRECT, c.Correct(service=MANHOLE, answers=answers), Role.OPERATOR)
    assert clock(life, Stage.SECURE) == met


def test_the_clock_of_a_service_corrected_during_a_pause_waits_too():
    life = working(OTHER)
    pause(life, PauseReason.PARTS)
    life.wait(hours(10))
    life.act(A.CORRECT, c.Correct(service=HEATING), Role.OPERATOR)
    assert life.appeal.status is Status.PAUSED
    assert clock(life).state is ClockState.PAUSED
    life.act(A.RESUME, c.Resume(), Role.INSPECTOR)
    # 40 working hours from Monday 10:00 end on Friday at 18:00 and one on Tuesday (the 9th is a
    # day off); the pause took Monday from 10:03 to 18:00, less lunch.
    assert clock(life).paused_for == timedelta(hours=6, minutes=57)


def test_an_appeal_that_turns_out_to_be_an_emergency_waits_no_longer():
    life = working(OTHER)
    pause(life, PauseReason.PARTS)
    life.act(A.CORRECT, c.Correct(service=LIFT), Role.OPERATOR)
    assert life.appeal.criticality is Criticality.EMERGENCY
    assert (life.appeal.status, life.appeal.pause) == (Status.IN_PROGRESS, None)
    assert clock(life).state is ClockState.RUNNING
    assert life.told()[-2:] == ["appeal.corrected", "appeal.resumed"]


def test_reopening_gives_the_next_round_with_the_time_that_was_left():
    life = working()
    life.wait(hours(10) - timedelta(minutes=2))
    speak(life, A.RESOLVE)
    left = hours(14)
    assert clock(life).met_at == MONDAY + hours(10)
    life.wait(hours(50))
    speak(life, A.REOPEN)
    again = clock(life)
    assert (again.round, again.state) == (2, ClockState.RUNNING)
    assert (again.target, again.due_at) == (left, life.at + left)


def test_who_was_late_gets_the_least_that_the_promise_gives():
    life = working()
    life.wait(hours(30))
    speak(life, A.RESOLVE, A.REOPEN)
    assert clock(life).target == hours(4)
    assert clock(life).round == 2


def test_what_is_not_solved_is_secured_anew_as_well():
    life = speak(working(), A.REPORT, A.RESOLVE, A.REOPEN)
    secure = clock(life, Stage.SECURE)
    assert (secure.round, secure.state) == (2, ClockState.RUNNING)


def test_the_inspectors_return_lets_the_clock_for_resolving_go_on_alone():
    life = speak(working(), A.REPORT, A.RESOLVE, A.RETURN)
    assert clock(life).round == 2
    assert clock(life, Stage.SECURE).round == 1


def test_reopening_does_not_wake_the_promises_of_a_service_that_was_corrected_away():
    life = working()
    life.act(A.CORRECT, TO_OTHER, Role.OPERATOR)
    speak(life, A.RESOLVE, A.REOPEN)
    assert clock(life, Stage.SECURE).state is ClockState.CANCELLED
    assert clock(life, Stage.SECURE).round == 1


def test_a_lift_that_nobody_reached_in_twenty_minutes_is_an_emergency():
    life = Life()
    life.register(intake(LIFT))
    assert not life.appeal.emergency
    life.wait(timedelta(minutes=20))
    life.tick()
    assert life.appeal.emergency
    assert clock(life, Stage.ARRIVE).breached_at == MONDAY + timedelta(minutes=20)
    breach = next(e for e in life.shelf.events if e.type == "clock.breached")
    assert orjson.loads(breach.canonical)["data"]["to"] == "emergency"
    assert not breach.internal, "a broken promise is the resident's business"


def test_a_lift_that_was_reached_in_time_is_none():
    life = Life()
    life.register(intake(LIFT))
    lifts = life.appeal.assigned().organisation
    life.act(A.ACCEPT, c.Accept(), organisation=lifts)
    life.act(A.REPORT, c.Report(Stage.ARRIVE), organisation=lifts)
    life.wait(hours(1))
    life.tick()
    assert not life.appeal.emergency


def test_a_late_tick_catches_up_with_everything_in_order():
    life = Life()
    life.register()
    life.wait(hours(100))
    (change,) = life.tick()
    told = [str(event.type) for event in change.events]
    assert told.count("clock.breached") == 2
    assert told.index("clock.warned") < told.index("clock.breached")
    assert told.count("clock.escalated") >= 2
    assert {k.breached_at for k in life.appeal.clocks} == {MONDAY + hours(3), MONDAY + hours(24)}
    assert not life.tick()


def test_a_late_tick_ends_the_pause_and_then_breaks_the_promise():
    life = working()
    speak(life, A.REPORT)
    pause(life, PauseReason.WEATHER)
    life.wait(timedelta(days=9))
    life.tick()
    assert life.told().index("appeal.resumed") < life.told().index("clock.breached")
    assert clock(life).breached_at == MONDAY + hours(24) + timedelta(days=5)


def test_work_in_office_hours_spends_no_weekend():
    life = Life(at=almaty("2026-03-13 17:00"))
    life.register(intake(HEATING))
    assert life.appeal.due_at == almaty("2026-03-20 17:00")
