"""How an appeal's clocks are begun, stopped, paused, reopened and recounted."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from domain.appeals.model import Appeal, Channel
from domain.reference import City, Promises
from domain.register.canonical import instant
from domain.sla import clock as clocks
from domain.sla.clock import Clock
from domain.sla.durations import format_duration
from domain.sla.policy import LAW_STAGES, Policy, Stage


def begin(
    promises: Promises, city: City, policy: str, channel: Channel, *, at: datetime
) -> tuple[Clock, ...]:
    """The clocks of a new appeal: its service's promises, then its channel's."""
    codes = [policy, promises.by_channel.get(channel)]
    day = city.local(at).date()
    started: dict[Stage, Clock] = {}
    for code in filter(None, codes):
        for clock in _start_all(promises, promises.policy(code, day), at):
            started.setdefault(clock.stage, clock)
    return tuple(started.values())


def _start_all(promises: Promises, policy: Policy, at: datetime) -> Iterable[Clock]:
    # What the law sets a term for no service can promise: those clocks are begun by legal.py.
    for promise in policy.promises:
        if promise.stage not in LAW_STAGES:
            yield clocks.start(promise, policy, promises.calendar(promise.calendar), at=at)


def meet(appeal: Appeal, *stages: Stage, at: datetime) -> Appeal:
    """The appeal with the latest clocks of these stages met, where they still run."""
    return _each(appeal, stages, lambda clock: clocks.meet(clock, at=at))


def cancel(appeal: Appeal, *, at: datetime) -> Appeal:
    """The appeal with every clock that still runs stopped: nothing is promised any more."""
    return _each(appeal, tuple(Stage), lambda clock: clocks.cancel(clock, at=at))


def pause(appeal: Appeal, stages: Iterable[Stage], *, reason: str, at: datetime) -> Appeal:
    """The appeal with the clocks of these stages waiting."""
    return _each(appeal, stages, lambda clock: clocks.pause(clock, reason=reason, at=at))


def waited(appeal: Appeal, stages: Iterable[Stage]) -> timedelta:
    """How long the clocks of these stages have waited so far, the longest of them."""
    found = (clock.paused_for for stage in stages if (clock := appeal.clock(stage)))
    return max(found, default=timedelta(0))


def resume(appeal: Appeal, promises: Promises, *, at: datetime) -> Appeal:
    """The appeal with every waiting clock running on."""

    def change(clock: Clock) -> Clock:
        promise, calendar = promises.of(clock)
        return clocks.resume(clock, promise, calendar, at=at)

    return _each(appeal, tuple(Stage), change)


def reopen(appeal: Appeal, stages: Iterable[Stage], promises: Promises, *, at: datetime) -> Appeal:
    """The appeal with a next round of the clocks of these stages, as each promise says.

    Stages of a service that the appeal was corrected away from are promised no more.
    """
    resolving = appeal.clock(Stage.RESOLVE)

    def change(clock: Clock) -> Clock:
        if resolving is None or clock.policy != resolving.policy:
            return clock
        promise, calendar = promises.of(clock)
        return clocks.reopen(clock, promise, calendar, at=at) or clock

    return _each(appeal, stages, change)


def recount(appeal: Appeal, policy: str, promises: Promises, city: City) -> Appeal:
    """The appeal under another service's promises, counted from its registration.

    Stages met already stay met; clocks of stages that the new policy lacks are cancelled.
    """
    fresh = begin(promises, city, policy, appeal.channel, at=appeal.registered_at)
    stages = {clock.stage for clock in fresh}
    for clock in fresh:
        former = appeal.clock(clock.stage)
        if former is None:
            appeal = appeal.with_clock(clock)
        elif former.met_at is None:
            appeal = appeal.with_clock(replace(clock, round=former.round + 1))
            appeal = appeal.with_clock(clocks.cancel(former, at=appeal.updated_at))
    gone = tuple(stage for stage in Stage if stage not in stages and stage not in LAW_STAGES)
    return _each(appeal, gone, lambda clock: clocks.cancel(clock, at=appeal.updated_at))


def promised(clocks_: Iterable[Clock]) -> list[dict[str, object]]:
    """What these clocks promise, as their event tells it: enough to count each again.

    `target` is exact (ISO 8601, of the calendar's time), `seconds` its whole seconds, `due_at` what
    the calendar makes of it, so that nobody counts it otherwise later; `from` is when a term of the
    law begins, which is not when the event happened.
    """
    return [
        {
            "stage": str(clock.stage),
            "round": clock.round,
            "policy": clock.policy,
            "policy_version": clock.policy_version,
            "calendar": clock.calendar,
            "calendar_version": clock.calendar_version,
            "target": format_duration(clock.target),
            "seconds": int(clock.target.total_seconds()),
            "due_at": instant(clock.due_at),
            **({"from": instant(clock.started_at)} if clock.stage in LAW_STAGES else {}),
        }
        for clock in clocks_
    ]


def begun(before: Appeal, after: Appeal) -> dict[str, object]:
    """The rounds that an act began, for the data of its event; nothing where it began none."""
    known = {(clock.stage, clock.round) for clock in before.clocks}
    fresh = [clock for clock in after.clocks if (clock.stage, clock.round) not in known]
    return {"promises": promised(fresh)} if fresh else {}


def _each(appeal: Appeal, stages: Iterable[Stage], change: Callable[[Clock], Clock]) -> Appeal:
    for stage in stages:
        clock = appeal.clock(stage)
        if clock is not None and (changed := change(clock)) is not clock:
            appeal = appeal.with_clock(changed)
    return appeal
