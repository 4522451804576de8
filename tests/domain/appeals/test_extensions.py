"""More time: who asks, who gives, how much at the most, and that nothing broken is made good."""

from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.extensions import pending
from domain.appeals.replay import check, replay
from domain.appeals.workflow import Action, PauseReason
from domain.errors import Conflict, Invalid, NotPermitted
from domain.register.canonical import instant
from domain.sla.clock import ClockState, due_if_resumed, extend, resume
from domain.sla.policy import Stage
from tests.domain.appeals.acts import speak
from tests.domain.appeals.make import (
    HEATING,
    LIFT,
    LIFTS,
    MONDAY,
    WATER,
    Life,
    hours,
    intake,
    reference,
)

A = Action
EXTENDED_BY = hours(12)


def working(service: str | None = None, executor=WATER) -> Life:
    life = Life()
    life.register(intake(service) if service else None)
    if life.appeal.assignment is None:
        speak(life, A.ASSIGN)
    life.act(A.ACCEPT, c.Accept(), organisation=executor)
    return life


def clock(life: Life, stage: Stage = Stage.RESOLVE):
    found = life.appeal.clock(stage)
    assert found is not None
    return found


def ask(life: Life, by: timedelta = EXTENDED_BY, stage: Stage = Stage.RESOLVE, **changes) -> None:
    until = clock(life, stage).due_at + by
    life.act(A.EXTEND, c.AskExtension(stage, until, "қақпақ жоқ"), Role.EXECUTOR, **changes)


def grant(life: Life, until=None) -> None:
    life.act(A.GRANT, c.GrantExtension(until, "қоймада жоқ"), Role.INSPECTOR)


def told_the_same(life: Life) -> bool:
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    return check(life.appeal.clocks, events, life.reference.promises) == ()


def reason_of(refused: pytest.ExceptionInfo[Conflict]) -> object:
    return refused.value.params["reason"]


def test_asking_moves_nothing_and_granting_moves_the_due_time_on_record():
    life = working()
    before = clock(life)
    ask(life)
    assert clock(life) == before
    assert pending(life.appeal) is not None
    grant(life)
    after = clock(life)
    assert after.due_at == before.due_at + EXTENDED_BY
    assert after.target == before.target + EXTENDED_BY
    assert life.told()[-2:] == ["appeal.extension_asked", "appeal.extension_granted"]
    assert pending(life.appeal) is None
    assert told_the_same(life)


def test_the_asking_and_its_refusal_are_kept_from_residents_and_what_moved_is_not():
    life = working()
    ask(life)
    life.act(A.REFUSE, c.RefuseExtension("қоймада бар"), Role.INSPECTOR)
    ask(life)
    grant(life)
    internal = {str(event.type): event.internal for event in life.shelf.events}
    assert internal["appeal.extension_asked"]
    assert internal["appeal.extension_refused"]
    assert not internal["appeal.extension_granted"]
    said = b"".join(event.canonical for event in life.shelf.events)
    assert "қақпақ жоқ".encode() not in said


def test_a_refusal_leaves_the_clock_as_it_was():
    life = working()
    before = clock(life)
    ask(life)
    life.act(A.REFUSE, c.RefuseExtension("қоймада бар"), Role.INSPECTOR)
    assert clock(life) == before
    assert told_the_same(life)


def test_the_inspector_may_give_less_than_was_asked_for_and_not_more():
    life = working()
    ask(life)
    due = clock(life).due_at
    with pytest.raises(Invalid) as refused:
        grant(life, due + EXTENDED_BY + hours(1))
    assert refused.value.faults[0].rule == "more-than-asked"
    grant(life, due + hours(3))
    assert clock(life).due_at == due + hours(3)


def test_the_policy_bounds_all_extensions_of_a_round_together():
    life = working()
    ask(life, hours(20))
    grant(life)
    with pytest.raises(Invalid) as refused:
        ask(life, hours(5))
    assert refused.value.faults[0].rule == "beyond-policy"
    ask(life, hours(4))
    grant(life)
    assert clock(life).target == hours(48)


def test_a_promise_whose_policy_says_nothing_is_not_extended():
    life = working()
    with pytest.raises(Conflict) as refused:
        ask(life, hours(1), Stage.SECURE)
    assert reason_of(refused) == "not-extendable"


def test_an_emergency_is_not_extended():
    life = working(LIFT, LIFTS)
    with pytest.raises(Conflict) as refused:
        ask(life, hours(1), organisation=LIFTS)
    assert reason_of(refused) == "emergency-not-extended"


def test_nothing_is_given_once_the_time_is_up_and_a_breach_stays_one():
    life = working()
    ask(life)
    life.wait(hours(24))
    with pytest.raises(Conflict) as refused:
        grant(life)
    assert reason_of(refused) == "too-late-to-extend"
    life.tick()
    assert clock(life).state is ClockState.BREACHED
    with pytest.raises(Conflict):
        grant(life)
    with pytest.raises(ValueError, match="breached"):
        extend(clock(life), *reference().promises.of(clock(life)), by=hours(1), at=life.at)


def test_a_warning_that_comes_to_lie_ahead_is_given_again():
    life = working()
    life.wait(hours(20.5))
    life.tick()
    assert life.told().count("clock.warned") >= 1
    warned = life.told().count("clock.warned")
    ask(life)
    grant(life)
    life.wait(hours(12))
    life.tick()
    assert life.told().count("clock.warned") == warned + 1
    assert told_the_same(life)


def paused(service: str | None = None, after: timedelta = timedelta(0)) -> Life:
    """A life whose clock has waited for so long, and a minute."""
    life = working(service)
    life.act(A.PAUSE, c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық"), Role.EXECUTOR)
    life.wait(after)
    return life


def wish(life: Life, until: datetime) -> None:
    life.act(A.EXTEND, c.AskExtension(Stage.RESOLVE, until, "қақпақ жоқ"), Role.EXECUTOR)


def now_due(life: Life) -> datetime:
    """When the clock would be due, did it run on now."""
    _, calendar = life.reference.promises.of(clock(life))
    return due_if_resumed(clock(life), calendar, at=life.at)


def test_a_waiting_clock_that_is_given_time_ends_when_it_was_said_to():
    life = paused(after=hours(5))
    frozen, until = clock(life).due_at, now_due(life) + EXTENDED_BY
    wish(life, until)
    grant(life)
    granted = life.at
    said = orjson.loads(life.shelf.events[-1].canonical)["data"]
    assert said["due_after"] == instant(until)
    assert clock(life).state is ClockState.PAUSED
    life.act(A.RESUME, c.Resume(), Role.EXECUTOR)
    # What it waited after the grant comes on top, and nothing of what it had waited before.
    assert clock(life).due_at == until + (life.at - granted) < frozen + EXTENDED_BY + hours(6)
    assert told_the_same(life)


def test_what_a_clock_waits_after_the_grant_comes_on_top():
    life = paused()
    until = now_due(life) + EXTENDED_BY
    wish(life, until)
    grant(life)
    granted = life.at
    life.wait(hours(7))
    life.act(A.RESUME, c.Resume(), Role.EXECUTOR)
    assert clock(life).due_at == until + (life.at - granted) > until + hours(7)
    assert told_the_same(life)


def test_the_end_is_exact_in_a_calendar_that_closes_at_night():
    life = paused(HEATING, after=hours(30))
    until = (now_due(life) + timedelta(days=2)).replace(hour=5, minute=17)
    wish(life, until)
    grant(life)
    _, calendar = life.reference.promises.of(clock(life))
    resumed = resume(clock(life), *life.reference.promises.of(clock(life)), at=life.at)
    assert resumed.due_at == until
    assert calendar.spent(until - timedelta(minutes=1), until) == timedelta(minutes=1)


def test_a_pause_that_gave_more_than_was_asked_for_leaves_nothing_to_give():
    life = paused()
    wish(life, now_due(life) + hours(2))
    life.wait(hours(3))
    with pytest.raises(Invalid) as refused:
        grant(life)
    assert refused.value.faults[0].rule == "no-later"
    assert refused.value.faults[0].params["due_at"] == instant(now_due(life))


def test_the_policy_s_bound_is_not_spent_by_a_pause():
    life = paused(after=hours(9))
    wish(life, now_due(life) + hours(24))
    grant(life)
    # The minutes that the two acts took were minutes of the pause.
    assert clock(life).target == hours(48) - timedelta(minutes=2)


@pytest.mark.parametrize("road", [(A.DECLINE,), (A.REDIRECT,), (A.RESOLVE,), (A.WITHDRAW,)])
def test_whatever_else_becomes_of_the_appeal_settles_the_asking(road: tuple[Action, ...]):
    life = working()
    ask(life)
    speak(life, *road)
    assert pending(life.appeal) is None


def test_who_gets_the_appeal_next_does_not_inherit_the_asking():
    life = working()
    ask(life)
    speak(life, A.REDIRECT)
    life.act(A.ACCEPT, c.Accept(), organisation=LIFTS)
    with pytest.raises(Conflict) as refused:
        grant(life)
    assert reason_of(refused) == "no-extension-asked"


def test_only_who_has_the_appeal_asks_and_nobody_gives_time_to_themselves():
    life = working()
    with pytest.raises(NotPermitted):
        ask(life, organisation=LIFTS)
    ask(life)
    for role in (Role.EXECUTOR, Role.HEAD, Role.OPERATOR, Role.AKIM):
        with pytest.raises(NotPermitted):
            life.act(A.GRANT, c.GrantExtension(), role)
    with pytest.raises(Conflict) as refused:
        ask(life)
    assert reason_of(refused) == "extension-asked-already"


def test_time_that_is_no_working_time_is_no_extension():
    life = working()
    with pytest.raises(Invalid) as refused:
        ask(life, hours(-1))
    assert refused.value.faults[0].rule == "no-later"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 600), st.sampled_from(["grant", "refuse", "pause", "nothing"])),
        max_size=6,
    )
)
def test_however_a_clock_was_extended_and_paused_its_events_tell_the_same(steps):
    life = working(HEATING, WATER)
    for minutes, what in steps:
        life.wait(timedelta(minutes=minutes))
        life.tick()
        try:
            if what == "pause":
                reason = PauseReason.AWAITING_RESIDENT
                life.act(A.PAUSE, c.PauseWork(reason, "есік жабық"), Role.EXECUTOR)
                life.wait(timedelta(minutes=minutes))
                life.act(A.RESUME, c.Resume(), Role.EXECUTOR)
            elif what != "nothing":
                ask(life, timedelta(days=1, minutes=minutes))
                if what == "grant":
                    grant(life)
                else:
                    life.act(A.REFUSE, c.RefuseExtension("жоқ"), Role.INSPECTOR)
        except (Conflict, Invalid):
            continue
        assert told_the_same(life)
    runs = replay(
        [orjson.loads(event.canonical) for event in life.shelf.events], life.reference.promises
    )
    for run in runs:
        extended = [one for one in run.extensions if one.data["stage"] == run.clock.stage]
        assert len(extended) == len(run.extensions)


def test_a_stored_extension_is_none_of_another_round():
    life = working()
    ask(life)
    later = replace(clock(life), round=2)
    assert pending(life.appeal.with_clock(later)) is None
    assert life.appeal.extension is not None
    assert life.appeal.extension.asked_at >= MONDAY
