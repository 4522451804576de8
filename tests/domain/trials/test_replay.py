"""Whatever is done with an appeal, its clocks run again from the events are those that ran."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant

from domain.events import EventType
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import LAW_STAGES, Stage
from domain.trials.replay import Act, replay
from domain.trials.terms import Term
from tests.domain.appeals.make import MONDAY, hours, reference
from tests.domain.appeals.test_machine import AnyLife
from tests.domain.trials.make import act_of, moves, own_terms


def told(clock: Clock, at) -> tuple[object, ...]:
    """What a trial asks of a clock."""
    running = clock.state is ClockState.RUNNING and at > clock.due_at
    breached = clock.due_at if running else clock.breached_at
    return (
        clock.stage, clock.round, clock.started_at, clock.due_at, clock.target, clock.paused_for,
        clock.paused_at, clock.met_at, clock.cancelled_at, breached,
    )  # fmt: skip


class ReplayedLife(AnyLife):
    """Anybody does anything; then everything is done again."""

    @invariant()
    def the_replay_is_the_life(self):
        # Clocks that were begun anew under another service ran by several agreements, and a replay
        # knows one.
        events = self.life.shelf.events
        if not self.life.number or any(map(moves, events)):
            return
        appeal, at, promises = self.life.appeal, self.life.at, self.life.reference.promises
        acts = [act_of(event) for event in events]
        rounds = replay(
            own_terms(appeal, acts, promises),
            acts,
            registered_at=MONDAY,
            until=at,
            told=promises.calendars,
        )
        found = {told(clock, at) for each in rounds.values() for clock in each}
        city = [clock for clock in appeal.clocks if clock.stage not in LAW_STAGES]
        assert found == {told(clock, at) for clock in city}


TestReplayedLife = ReplayedLife.TestCase
TestReplayedLife.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


def drafted(**changes) -> Term:
    """Work in ten hours around the clock, under a draft that lets two hours more be given."""
    promises = reference().promises
    policy = promises.policies["open-manhole", 1]
    promise = replace(
        policy.promises[-1], stage=Stage.RESOLVE, within=hours(10), extend_at_most=hours(2)
    )
    return Term(policy, replace(promise, **changes), promises.calendar(promise.calendar))


def due(term: Term, *acts: Act, **said) -> object:
    """By which hour it is due when everything was done."""
    rounds = replay({Stage.RESOLVE: term}, acts, registered_at=MONDAY, until=MONDAY, **said)
    return (rounds[Stage.RESOLVE][-1].due_at - MONDAY) / hours(1)


def given(at: float, by: float) -> Act:
    return Act(EventType.EXTENSION_GRANTED, MONDAY + hours(at), Stage.RESOLVE, by=hours(by))


@pytest.mark.parametrize(
    ("changes", "acts", "hour"),
    [
        ({}, [given(5, 1)], 11),
        ({}, [given(5, 9)], 12),
        ({}, [given(5, 1.5), given(6, 1.5)], 12),
        ({}, [given(10, 1)], 10),
        ({"extend_at_most": None}, [given(5, 1)], 10),
        ({"within": hours(4)}, [given(5, 1)], 4),
        ({"within": hours(20)}, [given(15, 1)], 21),
    ],
    ids=["as given", "as far as the draft lets", "twice as far", "not once the time is up",
         "not where the draft lets none", "not after a shorter time", "by a longer one"],
)  # fmt: skip
def test_time_that_was_given_is_given_again_as_the_draft_lets(changes, acts, hour):
    assert due(drafted(**changes), *acts) == hour


def test_an_emergency_is_given_no_time_under_a_draft():
    assert due(drafted(), given(5, 1), urgent=True) == 10


def test_a_draft_that_lets_less_time_be_given_counts_otherwise():
    assert not drafted().counts_as(drafted(extend_at_most=hours(1)))
    assert drafted().counts_as(drafted(warn_before=hours(1)))
