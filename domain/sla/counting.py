"""A clock counted again: from its start, target and waits alone, by the calendar that it is given.

Under the calendar that it ran by, this finds what the clock says of itself; under another one
it finds what the clock would say, had it run by that one from its start.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, ClockState, finished
from domain.sla.policy import NOTHING, Promise
from domain.sla.reminders import breach_step, falls_due


@dataclass(frozen=True, slots=True)
class Wait:
    """A time for which the stage of a clock was let wait; `end` None while it still is."""

    reason: str
    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What counting finds. `taken` are the waits that stopped the clock, the last perhaps open.

    A wait that began when the time was up stopped nothing: the promise was broken already.
    """

    due_at: datetime
    paused_for: timedelta
    taken: tuple[Wait, ...]

    @property
    def waiting(self) -> Wait | None:
        """The wait that the clock stands in."""
        return self.taken[-1] if self.taken and self.taken[-1].end is None else None


def count(
    started_at: datetime, target: timedelta, waits: Iterable[Wait], calendar: Calendar
) -> Count:
    """Due time and pauses of a clock whose waits are given in order. An open one moves nothing."""
    due_at, paused_for = calendar.add(started_at, target), NOTHING
    taken: list[Wait] = []
    for wait in waits:
        if wait.begin >= due_at:
            break
        begin = max(wait.begin, started_at)
        taken.append(replace(wait, begin=begin))
        if wait.end is None:
            break
        excluded = calendar.spent(begin, wait.end)
        due_at, paused_for = calendar.add(due_at, excluded), paused_for + excluded
    return Count(due_at, paused_for, tuple(taken))


def recompute(
    clock: Clock, promise: Promise, calendar: Calendar, *, waits: Iterable[Wait], at: datetime
) -> Clock:
    """The clock under a calendar that was changed at `at`; a finished one is history, and stays.

    Start and target stand. A breach that the calendar undoes leaves the clock running (or
    waiting, where the appeal waits): its event stays on record. One that the calendar brings
    about is left to the next tick, and is dated by its due time as every breach is.
    """
    if finished(clock):
        return clock
    found = count(clock.started_at, clock.target, waits, calendar)
    wait = found.waiting
    broken = clock.state is ClockState.BREACHED and wait is None and found.due_at <= at
    step = clock.step if broken else _step(clock, promise, found.due_at, at)
    return replace(
        clock,
        calendar_version=calendar.version,
        state=_state(broken, wait),
        due_at=found.due_at,
        paused_at=wait.begin if wait else None,
        paused_reason=wait.reason if wait else None,
        paused_for=found.paused_for,
        breached_at=found.due_at if broken else None,
        step=step,
        next_at=None if wait else falls_due(promise, found.due_at, step),
    )


def _state(broken: bool, wait: Wait | None) -> ClockState:
    if wait is not None:
        return ClockState.PAUSED
    return ClockState.BREACHED if broken else ClockState.RUNNING


def _step(clock: Clock, promise: Promise, due_at: datetime, at: datetime) -> int:
    """The rung that is next; a warning whose time came to lie ahead again is given again."""
    if due_at == clock.due_at:
        return clock.step
    warn_at = falls_due(promise, due_at, 0)
    warns = breach_step(promise) and warn_at is not None and warn_at > at
    return 0 if warns else min(clock.step, breach_step(promise))
