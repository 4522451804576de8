"""Whatever is done with an appeal, its clocks run again from the events are those that ran."""

from hypothesis import settings
from hypothesis.stateful import invariant

from domain.sla.clock import Clock, ClockState
from domain.sla.policy import LAW_STAGES
from domain.trials.replay import replay
from tests.domain.appeals.make import MONDAY
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
