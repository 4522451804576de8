from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.sla.clock import (
    Clock,
    ClockState,
    Nudge,
    act,
    cancel,
    due_reminders,
    meet,
    pause,
    reopen,
    resume,
)
from domain.sla.counting import Wait, recompute
from domain.sla.policy import Escalation, Recipient, ReopenRule
from tests.domain.sla.make import almaty, around_the_clock, hours, office, promise, started

OFFICE = office()
ROUND = around_the_clock()
KEPT = promise(ROUND)
NOON = almaty("2026-04-06 12:00")


def running() -> Clock:
    return started(KEPT, ROUND, NOON)


def paused(at: datetime) -> Clock:
    return pause(running(), reason="no access", at=at)


def test_a_clock_starts_with_its_promise_policy_and_calendar() -> None:
    clock = running()
    assert (clock.policy, clock.policy_version) == ("open-manhole", 3)
    assert (clock.calendar, clock.calendar_version) == ("around-the-clock", 1)
    assert (clock.round, clock.step, clock.target) == (1, 0, hours(8))
    assert clock.due_at == NOON + hours(8)
    assert clock.next_at == NOON + hours(7)
    assert clock.started_at.tzinfo is clock.due_at.tzinfo is UTC


def test_a_promise_counts_only_in_the_calendar_that_it_names() -> None:
    with pytest.raises(ValueError, match="around-the-clock"):
        started(KEPT, OFFICE, NOON)


def test_a_warning_that_would_come_before_the_appeal_is_skipped() -> None:
    brief = promise(ROUND, within=hours(1), warn_before=hours(2))
    clock = started(brief, ROUND, NOON)
    assert clock.next_at == clock.due_at
    _, reminders = act(clock, brief, at=clock.due_at)
    assert [one.kind for one in reminders] == [Nudge.BREACH, Nudge.ESCALATE]


def test_a_warning_due_at_the_start_itself_is_given() -> None:
    brief = promise(ROUND, within=hours(1), warn_before=hours(1))
    clock = started(brief, ROUND, NOON)
    assert [one.kind for one in due_reminders(clock, brief, at=NOON)] == [Nudge.WARN]


def test_the_skipped_warning_does_not_come_back_after_a_pause() -> None:
    brief = promise(ROUND, within=hours(1), warn_before=hours(2))
    clock = pause(started(brief, ROUND, NOON), reason="no access", at=NOON)
    clock = resume(clock, brief, ROUND, at=NOON + hours(5))
    assert clock.next_at == clock.due_at == NOON + hours(6)


def test_the_ladder_goes_from_warning_to_akim() -> None:
    clock = running()
    _, reminders = act(clock, KEPT, at=NOON + timedelta(days=30))
    assert [(one.kind, one.at - NOON, one.to, one.level) for one in reminders] == [
        (Nudge.WARN, hours(7), None, 0),
        (Nudge.BREACH, hours(8), None, 0),
        (Nudge.ESCALATE, hours(8), Recipient.HEAD, 1),
        (Nudge.ESCALATE, hours(9), Recipient.INSPECTOR, 2),
        (Nudge.ESCALATE, hours(11), Recipient.AKIM, 3),
    ]


def test_each_rung_is_climbed_once_and_then_the_clock_is_silent() -> None:
    clock, seen = running(), 0
    while clock.next_at is not None:
        clock, reminders = act(clock, KEPT, at=clock.next_at)
        assert reminders
        seen += len(reminders)
    assert (seen, clock.step, clock.state) == (5, 5, ClockState.BREACHED)
    assert act(clock, KEPT, at=NOON + timedelta(days=99)) == (clock, ())


def test_nothing_falls_due_a_microsecond_early() -> None:
    clock = running()
    assert act(clock, KEPT, at=NOON + hours(7) - timedelta(microseconds=1)) == (clock, ())


def test_a_breach_may_make_the_case_an_emergency() -> None:
    lift = promise(ROUND, within=timedelta(minutes=20), warn_before=None, emergency=True)
    clock = started(lift, ROUND, NOON)
    clock, reminders = act(clock, lift, at=NOON + timedelta(minutes=20))
    assert (reminders[0].kind, reminders[0].to) == (Nudge.BREACH, Recipient.EMERGENCY)
    assert clock.state is ClockState.BREACHED


def test_a_warning_is_not_a_breach() -> None:
    clock, reminders = act(running(), KEPT, at=NOON + hours(7))
    assert [one.kind for one in reminders] == [Nudge.WARN]
    assert (clock.state, clock.breached_at) == (ClockState.RUNNING, None)


def test_a_breach_is_dated_by_the_promise_and_not_by_the_tick() -> None:
    clock, _ = act(running(), KEPT, at=NOON + hours(20))
    assert clock.breached_at == NOON + hours(8)


def test_a_breach_is_recorded_even_when_no_tick_ran() -> None:
    late = NOON + hours(8) + timedelta(microseconds=1)
    for ended in (meet(running(), at=late), cancel(running(), at=late)):
        assert ended.breached_at == NOON + hours(8)
        assert ended.next_at is None


def test_meeting_at_the_very_due_time_is_in_time() -> None:
    clock = meet(running(), at=NOON + hours(8))
    assert (clock.state, clock.met_at, clock.breached_at) == (
        ClockState.MET,
        NOON + hours(8),
        None,
    )


def test_a_late_finish_is_met_and_stays_late() -> None:
    breached, _ = act(running(), KEPT, at=NOON + hours(9))
    clock = meet(breached, at=NOON + hours(10))
    assert (clock.state, clock.breached_at) == (ClockState.MET, NOON + hours(8))
    assert act(clock, KEPT, at=NOON + hours(99)) == (clock, ())


def test_a_breach_is_not_undone_by_backdating_the_finish() -> None:
    breached, _ = act(running(), KEPT, at=NOON + hours(9))
    assert meet(breached, at=NOON + hours(1)).breached_at == NOON + hours(8)


def test_what_is_finished_stays_finished() -> None:
    for done in (meet(running(), at=NOON), cancel(running(), at=NOON)):
        later = NOON + hours(50)
        assert meet(done, at=later) is done
        assert cancel(done, at=later) is done
        assert pause(done, reason="no access", at=later) is done
        assert resume(done, KEPT, ROUND, at=later) is done
        assert due_reminders(done, KEPT, at=later) == ()


def test_a_paused_clock_wakes_nobody() -> None:
    clock = paused(NOON + hours(2))
    assert (clock.state, clock.paused_reason) == (ClockState.PAUSED, "no access")
    assert clock.next_at is None
    assert act(clock, KEPT, at=NOON + timedelta(days=99)) == (clock, ())


def test_a_pause_moves_the_due_time_and_the_warning_by_its_length() -> None:
    clock = resume(paused(NOON + hours(2)), KEPT, ROUND, at=NOON + hours(5))
    assert (clock.state, clock.paused_for) == (ClockState.RUNNING, hours(3))
    assert clock.due_at == NOON + hours(11)
    assert clock.next_at == NOON + hours(10)
    assert clock.paused_at is None
    assert clock.paused_reason is None


def test_only_the_working_time_of_a_pause_is_given_back() -> None:
    kept = promise(OFFICE, within=hours(8))
    clock = started(kept, OFFICE, almaty("2026-04-03 16:00"))
    clock = pause(clock, reason="no access", at=almaty("2026-04-03 17:00"))
    clock = resume(clock, kept, OFFICE, at=almaty("2026-04-06 10:00"))
    assert clock.paused_for == hours(2)
    assert clock.due_at == almaty("2026-04-06 18:00")


def test_a_pause_over_a_weekend_gives_nothing_back() -> None:
    kept = promise(OFFICE, within=hours(8))
    clock = started(kept, OFFICE, almaty("2026-04-03 16:00"))
    slept = pause(clock, reason="no access", at=almaty("2026-04-04 00:00"))
    assert resume(slept, kept, OFFICE, at=almaty("2026-04-06 08:00")) == clock


def test_a_clock_with_nothing_left_is_breached_and_not_paused() -> None:
    clock = paused(NOON + hours(12))
    assert (clock.state, clock.breached_at) == (ClockState.BREACHED, NOON + hours(8))
    assert clock.paused_at is None
    _, reminders = act(clock, KEPT, at=NOON + hours(12))
    assert Nudge.BREACH in [one.kind for one in reminders]


def test_a_breached_clock_cannot_hide_in_a_pause() -> None:
    breached, _ = act(running(), KEPT, at=NOON + hours(9))
    assert pause(breached, reason="no access", at=NOON + hours(9)) is breached


def test_a_pause_that_ends_before_it_begins_gives_nothing() -> None:
    clock = resume(paused(NOON + hours(2)), KEPT, ROUND, at=NOON + hours(1))
    assert clock.due_at == NOON + hours(8)


def test_finishing_during_a_pause_is_in_time_however_long_it_lasted() -> None:
    clock = meet(paused(NOON + hours(2)), at=NOON + timedelta(days=60))
    assert (clock.state, clock.breached_at) == (ClockState.MET, None)


def test_a_reopened_round_has_what_was_left() -> None:
    clock = reopen(meet(running(), at=NOON + hours(3)), KEPT, ROUND, at=NOON + hours(30))
    assert clock is not None
    assert (clock.round, clock.target, clock.state) == (2, hours(5), ClockState.RUNNING)
    assert clock.due_at == NOON + hours(35)
    assert (clock.policy, clock.policy_version) == ("open-manhole", 3)


def test_a_round_that_ended_in_a_pause_left_what_was_left_when_it_began() -> None:
    met = meet(paused(NOON + hours(2)), at=NOON + hours(7))
    clock = reopen(met, KEPT, ROUND, at=NOON + hours(30))
    assert clock is not None
    assert clock.target == hours(6)


def test_a_late_round_leaves_the_least_that_the_policy_allows() -> None:
    clock = reopen(meet(running(), at=NOON + hours(9)), KEPT, ROUND, at=NOON + hours(30))
    assert clock is not None
    assert clock.target == hours(1)
    assert clock.breached_at is None


def test_a_policy_may_promise_the_full_time_again_or_nothing() -> None:
    met = meet(running(), at=NOON + hours(3))
    full = reopen(met, replace(KEPT, reopen=ReopenRule.FULL), ROUND, at=NOON + hours(30))
    assert full is not None
    assert full.target == hours(8)
    assert reopen(met, replace(KEPT, reopen=ReopenRule.NONE), ROUND, at=NOON) is None


def test_a_round_that_still_runs_is_not_started_anew() -> None:
    breached, _ = act(running(), KEPT, at=NOON + hours(9))
    for clock in (running(), paused(NOON + hours(1)), breached):
        assert reopen(clock, KEPT, ROUND, at=NOON + hours(10)) is None


def test_an_escalation_without_a_warning_starts_at_the_breach() -> None:
    bare = promise(ROUND, warn_before=None, escalations=(Escalation(hours(1), Recipient.HEAD),))
    clock = started(bare, ROUND, NOON)
    assert clock.next_at == clock.due_at
    clock, _ = act(clock, bare, at=clock.due_at)
    assert clock.next_at == clock.due_at + hours(1)


def test_a_day_off_decreed_later_moves_the_due_time_but_not_the_start() -> None:
    kept = promise(OFFICE, within=hours(8))
    clock = started(kept, OFFICE, almaty("2026-04-03 16:00"))
    decreed = replace(office(days_off=["2026-04-06"]), version=2)
    moved = recompute(clock, kept, decreed, waits=(), at=almaty("2026-04-03 17:00"))
    assert moved.due_at == almaty("2026-04-07 16:00")
    assert moved.next_at == almaty("2026-04-07 15:00")
    assert (moved.started_at, moved.target) == (clock.started_at, clock.target)
    assert moved.calendar_version == 2


DECREED = replace(office(days_off=["2026-04-06"]), version=2)
"""The Monday that a promise of the Friday before counts on is made a day off."""


def of_friday() -> Clock:
    return started(promise(OFFICE), OFFICE, almaty("2026-04-03 16:00"))


def test_a_calendar_edited_later_does_not_rewrite_what_is_finished() -> None:
    clock = of_friday()
    for known in (meet(clock, at=clock.due_at), cancel(clock, at=clock.due_at)):
        assert recompute(known, promise(OFFICE), DECREED, waits=(), at=clock.due_at) == known


def test_a_breach_that_the_calendar_undoes_leaves_the_clock_running() -> None:
    kept = promise(OFFICE)
    breached, _ = act(of_friday(), kept, at=almaty("2026-04-06 17:00"))
    assert breached.state is ClockState.BREACHED
    undone = recompute(breached, kept, DECREED, waits=(), at=almaty("2026-04-06 17:30"))
    assert undone.state is ClockState.RUNNING
    assert undone.breached_at is None
    assert undone.due_at == almaty("2026-04-07 16:00")
    assert undone.next_at == almaty("2026-04-07 15:00"), "it is warned of once more"


def test_a_breach_that_stands_is_dated_anew_and_told_to_nobody_twice() -> None:
    kept = promise(OFFICE)
    late = almaty("2026-04-08 12:00")
    breached, told = act(of_friday(), kept, at=late)
    assert len(told) > 2
    moved = recompute(breached, kept, DECREED, waits=(), at=late)
    assert (moved.state, moved.step) == (ClockState.BREACHED, breached.step)
    assert moved.breached_at == moved.due_at == almaty("2026-04-07 16:00")


def test_a_clock_that_would_have_waited_waits() -> None:
    kept = promise(OFFICE)
    breached, _ = act(of_friday(), kept, at=almaty("2026-04-06 17:00"))
    waits = [Wait("parts", almaty("2026-04-06 17:30"))]
    waiting = recompute(breached, kept, DECREED, waits=waits, at=almaty("2026-04-07 10:00"))
    assert (waiting.state, waiting.next_at) == (ClockState.PAUSED, None)
    assert waiting.paused_at == almaty("2026-04-06 17:30")
    again = resume(waiting, kept, DECREED, at=almaty("2026-04-07 12:00"))
    assert again.due_at == almaty("2026-04-08 10:00")


def test_a_calendar_that_makes_a_promise_late_leaves_the_breach_to_the_tick() -> None:
    kept = promise(OFFICE)
    clock = started(kept, OFFICE, almaty("2026-04-03 16:00"))
    worked = replace(office(working_days=["2026-04-04"]), version=2)
    moved = recompute(clock, kept, worked, waits=(), at=almaty("2026-04-06 10:00"))
    assert moved.state is ClockState.RUNNING
    assert moved.due_at == almaty("2026-04-04 16:00")
    acted, _ = act(moved, kept, at=almaty("2026-04-06 10:00"))
    assert acted.breached_at == almaty("2026-04-04 16:00")


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 4, 6, 12)
    with pytest.raises(ValueError, match="zone"):
        started(KEPT, ROUND, naive)
    with pytest.raises(ValueError, match="zone"):
        meet(paused(NOON), at=naive)
