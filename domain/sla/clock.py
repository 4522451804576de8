"""The SLA clock: one promise to one appeal, in working time, that can be paused and resumed.

A clock is a value; each function answers with the clock that follows. Its due time depends on
policy and calendar alone: started_at + target + the working time of its pauses.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.sla.calendar import Calendar
from domain.sla.policy import NOTHING, Policy, Promise, ReopenRule, Stage
from domain.sla.reminders import Nudge, Reminder, breach_step, falls_due, reminder
from domain.sla.timeline import utc

__all__ = [
    "Clock", "ClockState", "Nudge", "Reminder",
    "act", "cancel", "due_if_resumed", "due_reminders", "extend", "finished", "meet", "pause",
    "prolong", "reopen", "resume", "start",
]  # fmt: skip


class ClockState(StrEnum):
    """BREACHED is past due and still unmet; a late finish is MET with its `breached_at` kept."""

    RUNNING = "running"
    PAUSED = "paused"
    BREACHED = "breached"
    MET = "met"
    CANCELLED = "cancelled"


_TICKING = frozenset({ClockState.RUNNING, ClockState.BREACHED})
_FINISHED = frozenset({ClockState.MET, ClockState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Clock:
    """The running time of one stage of one appeal. All instants are UTC.

    `target` is what this round promises and `paused_for` the working time excluded so far. A
    clock that ended while paused keeps `paused_at`: its time stood still from there on. `step`
    counts the rungs of the promise's ladder that are behind it, skipped ones included;
    `next_at` is None while paused, when finished and above the ladder's top.
    """

    stage: Stage
    round: int
    policy: str
    policy_version: int
    calendar: str
    calendar_version: int
    state: ClockState
    started_at: datetime
    due_at: datetime
    target: timedelta
    paused_at: datetime | None
    paused_reason: str | None
    paused_for: timedelta
    met_at: datetime | None
    breached_at: datetime | None
    cancelled_at: datetime | None
    step: int
    next_at: datetime | None


def start(
    promise: Promise,
    policy: Policy,
    calendar: Calendar,
    *,
    at: datetime,
    round: int = 1,
    target: timedelta | None = None,
) -> Clock:
    """The clock of a promise made at `at`; a warning whose time is already past is skipped.

    `target` is what the round promises, where that is not the whole promise. Raises ValueError
    when `calendar` is not the one that the promise names.
    """
    return _begin(
        promise, calendar, policy=(policy.code, policy.version),
        target=promise.within if target is None else target, at=at, round=round,
    )  # fmt: skip


def _begin(
    promise: Promise,
    calendar: Calendar,
    *,
    policy: tuple[str, int],
    target: timedelta,
    at: datetime,
    round: int,
) -> Clock:
    if calendar.code != promise.calendar:
        raise ValueError(f"the promise counts in {promise.calendar}, not in {calendar.code}")
    started_at = utc(at)
    due_at = calendar.add(started_at, target)
    warn_at = falls_due(promise, due_at, 0)
    step = breach_step(promise) if warn_at is not None and warn_at < started_at else 0
    return Clock(
        stage=promise.stage,
        round=round,
        policy=policy[0],
        policy_version=policy[1],
        calendar=calendar.code,
        calendar_version=calendar.version,
        state=ClockState.RUNNING,
        started_at=started_at,
        due_at=due_at,
        target=target,
        paused_at=None,
        paused_reason=None,
        paused_for=NOTHING,
        met_at=None,
        breached_at=None,
        cancelled_at=None,
        step=step,
        next_at=falls_due(promise, due_at, step),
    )


def finished(clock: Clock) -> bool:
    """Whether nothing more can happen to the clock: met, or no longer promised."""
    return clock.state in _FINISHED


def _breached_at(clock: Clock, at: datetime) -> datetime | None:
    """The breach known at `at`, whether or not a tick has seen it."""
    late = clock.state is ClockState.RUNNING and at > clock.due_at
    return clock.due_at if late else clock.breached_at


def pause(clock: Clock, *, reason: str, at: datetime) -> Clock:
    """Stop a running clock; any other is returned unchanged.

    A clock that has nothing left is breached, not paused: look at the state of the answer.
    """
    if clock.state is not ClockState.RUNNING:
        return clock
    if at >= clock.due_at:
        return replace(clock, state=ClockState.BREACHED, breached_at=clock.due_at)
    return replace(
        clock,
        state=ClockState.PAUSED,
        paused_at=max(utc(at), clock.started_at),
        paused_reason=reason,
        next_at=None,
    )


def due_if_resumed(clock: Clock, calendar: Calendar, *, at: datetime) -> datetime:
    """When a clock is due, did it run on at `at`: a paused one later than its `due_at`, by the
    working time of the pause so far.
    """
    if clock.state is not ClockState.PAUSED or clock.paused_at is None:
        return clock.due_at
    return calendar.add(clock.due_at, calendar.spent(clock.paused_at, at))


def resume(clock: Clock, promise: Promise, calendar: Calendar, *, at: datetime) -> Clock:
    """Let a paused clock run on: the due time moves by the working time of the pause only."""
    if clock.state is not ClockState.PAUSED or clock.paused_at is None:
        return clock
    excluded = calendar.spent(clock.paused_at, at)
    due_at = calendar.add(clock.due_at, excluded)
    return replace(
        clock,
        state=ClockState.RUNNING,
        due_at=due_at,
        paused_at=None,
        paused_reason=None,
        paused_for=clock.paused_for + excluded,
        next_at=falls_due(promise, due_at, clock.step),
    )


def meet(clock: Clock, *, at: datetime) -> Clock:
    """The promise is fulfilled: in time at or before the due time, else with the breach kept."""
    if clock.state in _FINISHED:
        return clock
    return replace(
        clock,
        state=ClockState.MET,
        met_at=utc(at),
        breached_at=_breached_at(clock, at),
        next_at=None,
    )


def cancel(clock: Clock, *, at: datetime) -> Clock:
    """The promise no longer applies; a breach that already happened stays on record."""
    if clock.state in _FINISHED:
        return clock
    return replace(
        clock,
        state=ClockState.CANCELLED,
        cancelled_at=utc(at),
        breached_at=_breached_at(clock, at),
        next_at=None,
    )


def prolong(
    clock: Clock, promise: Promise, calendar: Calendar, *, target: timedelta, at: datetime
) -> Clock:
    """A running clock with a longer promise, counted from its start; a finished or broken one is
    returned unchanged. A warning whose time lies ahead again is given again.
    """
    if clock.state is not ClockState.RUNNING or at > clock.due_at or target <= clock.target:
        return clock
    due_at = calendar.add(calendar.add(clock.started_at, target), clock.paused_for)
    return _put_off(clock, promise, target, due_at, at)


def reopen(clock: Clock, promise: Promise, calendar: Calendar, *, at: datetime) -> Clock | None:
    """The next round of a finished clock by the promise's rule.

    None when the rule makes no new round, or the round that stands is not finished. A remaining
    round has the working time that the finished one left, never below `reopen_at_least`.
    """
    if promise.reopen is ReopenRule.NONE or clock.state not in _FINISHED:
        return None
    return _begin(
        promise,
        calendar,
        policy=(clock.policy, clock.policy_version),
        target=_next_target(clock, promise, calendar),
        at=at,
        round=clock.round + 1,
    )


def _next_target(clock: Clock, promise: Promise, calendar: Calendar) -> timedelta:
    stopped_at = clock.paused_at or clock.met_at or clock.cancelled_at
    if promise.reopen is ReopenRule.FULL or stopped_at is None:
        return promise.within
    left = calendar.spent(max(stopped_at, clock.started_at), clock.due_at)
    return max(left, promise.reopen_at_least)


def extend(
    clock: Clock, promise: Promise, calendar: Calendar, *, by: timedelta, at: datetime
) -> Clock:
    """A clock that still runs or waits, longer by so much working time.

    A warning that was given for the time before is given again where it lies ahead once more.
    Raises ValueError for any other clock: what is broken or ended is not made good.
    """
    if clock.state not in (ClockState.RUNNING, ClockState.PAUSED) or by <= NOTHING:
        raise ValueError(f"a clock that is {clock.state} is not extended by {by}")
    return _put_off(clock, promise, clock.target + by, calendar.add(clock.due_at, by), at)


def _put_off(
    clock: Clock, promise: Promise, target: timedelta, due_at: datetime, at: datetime
) -> Clock:
    """A clock that is due later; its warning comes again where that lies ahead once more."""
    warn_at = falls_due(promise, due_at, 0)
    again = breach_step(promise) and warn_at is not None and warn_at > at
    step = 0 if again else clock.step
    waits = clock.state is ClockState.PAUSED
    next_at = None if waits else falls_due(promise, due_at, step)
    return replace(clock, target=target, due_at=due_at, step=step, next_at=next_at)


def due_reminders(clock: Clock, promise: Promise, *, at: datetime) -> tuple[Reminder, ...]:
    """What has fallen due at `at` and is not yet acted on, in the ladder's order."""
    if clock.state not in _TICKING:
        return ()
    found: list[Reminder] = []
    step = clock.step
    while (due := falls_due(promise, clock.due_at, step)) is not None and due <= at:
        found.append(reminder(promise, step, due))
        step += 1
    return tuple(found)


def act(clock: Clock, promise: Promise, *, at: datetime) -> tuple[Clock, tuple[Reminder, ...]]:
    """Step past all that is due at `at`; the breach is dated by the due time, not by the tick."""
    reminders = due_reminders(clock, promise, at=at)
    if not reminders:
        return clock, ()
    step = clock.step + len(reminders)
    breached = step > breach_step(promise)
    acted = replace(
        clock,
        state=ClockState.BREACHED if breached else clock.state,
        breached_at=clock.due_at if breached else clock.breached_at,
        step=step,
        next_at=falls_due(promise, clock.due_at, step),
    )
    return acted, reminders
