"""More time for a stage: asked for by the executor, given or refused by an inspector, on record.

How much may be given is the policy's to say (`extend_at_most` of a promise); nothing is given once
the time is up, so that no breach is ever unmade; an emergency gets none.

A time that is named, asked for or told of, is that of a clock that runs. While one waits its due
time stands still, and moves by the whole of the pause when it runs on; so what is given then is
counted from when it would be due, did it run on at this moment. What it waits longer comes on top.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.appeals import commands as c
from domain.appeals.desk import Desk, Step, own, said, urgent
from domain.appeals.model import Appeal, Extension
from domain.errors import Conflict, Invalid
from domain.events import EventType, Fact
from domain.register.canonical import instant
from domain.sla import clock as clocks
from domain.sla.clock import Clock, ClockState
from domain.sla.durations import format_duration
from domain.sla.policy import NOTHING


def ask(appeal: Appeal, command: c.AskExtension, desk: Desk) -> Step:
    """The executor asks. What could not be given is refused at once: Conflict, Invalid."""
    ours = own(appeal, desk)
    if pending(appeal) is not None:
        raise Conflict(reason="extension-asked-already")
    clock = appeal.clock(command.stage)
    if clock is None:
        raise Invalid.at("/stage", "not-promised", stage=str(command.stage))
    _granted(appeal, clock, command.until, desk)
    asked = Extension(command.stage, clock.round, command.until, ours.id, desk.at)
    fact = Fact(
        EventType.EXTENSION_ASKED,
        {
            "stage": str(command.stage),
            "round": clock.round,
            "due_at": instant(_due(clock, desk)),
            "until": instant(command.until),
        },
        {"reason": command.reason},
    )
    return Step(replace(appeal, extension=asked), (fact,))


def grant(appeal: Appeal, command: c.GrantExtension, desk: Desk) -> Step:
    """An inspector gives the time asked for, or less. Raises Conflict, Invalid."""
    asked, clock = _asked(appeal)
    until = command.until or asked.until
    if until > asked.until:
        raise Invalid.at("/until", "more-than-asked", until=instant(asked.until))
    by = _granted(appeal, clock, until, desk)
    promise, calendar = desk.reference.promises.of(clock)
    longer = clocks.extend(clock, promise, calendar, by=by, at=desk.at)
    fact = Fact(
        EventType.EXTENSION_GRANTED,
        {
            "stage": str(clock.stage),
            "round": clock.round,
            "by": format_duration(by),
            "due_before": instant(_due(clock, desk)),
            "due_after": instant(_due(longer, desk)),
        },
        said(reason=command.reason),
    )
    return Step(replace(appeal.with_clock(longer), extension=None), (fact,))


def refuse(appeal: Appeal, command: c.RefuseExtension, desk: Desk) -> Step:
    """An inspector gives no time; the clock runs as it ran."""
    asked, clock = _asked(appeal)
    fact = Fact(
        EventType.EXTENSION_REFUSED,
        {
            "stage": str(asked.stage),
            "round": asked.round,
            "due_at": instant(_due(clock, desk)),
            "until": instant(asked.until),
        },
        {"reason": command.reason},
    )
    return Step(replace(appeal, extension=None), (fact,))


def pending(appeal: Appeal) -> Extension | None:
    """What was asked for and still can be decided: by who has the appeal, of a clock that goes on.

    Whatever else became of the appeal (done, given back, passed on, begun again) settles it.
    """
    asked, standing = appeal.extension, appeal.assignment
    if asked is None or standing is None or standing.id != asked.assignment:
        return None
    clock = appeal.clock(asked.stage)
    live = clock is not None and clock.round == asked.round and not clocks.finished(clock)
    return asked if live else None


def _asked(appeal: Appeal) -> tuple[Extension, Clock]:
    asked = pending(appeal)
    clock = appeal.clock(asked.stage) if asked is not None else None
    if asked is None or clock is None:
        raise Conflict(reason="no-extension-asked")
    return asked, clock


def _granted(appeal: Appeal, clock: Clock, until: datetime, desk: Desk) -> timedelta:
    """The working time by which a clock would be longer. Raises Conflict or Invalid where it may
    not be.
    """
    if urgent(appeal):
        raise Conflict(reason="emergency-not-extended")
    promise, calendar = desk.reference.promises.of(clock)
    if promise.extend_at_most is None:
        raise Conflict(reason="not-extendable")
    late = clock.state is ClockState.RUNNING and desk.at >= clock.due_at
    if late or clock.state not in (ClockState.RUNNING, ClockState.PAUSED):
        raise Conflict(reason="too-late-to-extend")
    due_at = _due(clock, desk)
    by = calendar.spent(due_at, until) if until > due_at else NOTHING
    if by <= NOTHING:
        raise Invalid.at("/until", "no-later", due_at=instant(due_at))
    left = promise.within + promise.extend_at_most - clock.target
    if by > left:
        latest = calendar.add(due_at, left) if left > NOTHING else due_at
        raise Invalid.at("/until", "beyond-policy", latest=instant(latest))
    return by


def _due(clock: Clock, desk: Desk) -> datetime:
    _, calendar = desk.reference.promises.of(clock)
    return clocks.due_if_resumed(clock, calendar, at=desk.at)
