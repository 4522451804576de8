"""The ladder of a promise: the warning, the breach, then the escalations, each at its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.sla.policy import Promise, Recipient


class Nudge(StrEnum):
    """What falls due on the way of a clock."""

    WARN = "warn"
    BREACH = "breach"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Reminder:
    """One thing that falls due.

    `to` is None for a warning, which concerns the executor; a breach goes to EMERGENCY when the
    promise says so; `level` counts the escalations from 1 and is 0 below them.
    """

    kind: Nudge
    at: datetime
    to: Recipient | None
    level: int


def breach_step(promise: Promise) -> int:
    """The place of the breach on the ladder: a warning, if promised, stands before it."""
    return 0 if promise.warn_before is None else 1


def falls_due(promise: Promise, due_at: datetime, step: int) -> datetime | None:
    """When the step of the ladder falls due; None above its top."""
    offset = _offset(promise, step - breach_step(promise))
    return None if offset is None else due_at + offset


def _offset(promise: Promise, level: int) -> timedelta | None:
    if level < 0:
        return -(promise.warn_before or timedelta(0))
    if level == 0:
        return timedelta(0)
    return promise.escalations[level - 1].after if level <= len(promise.escalations) else None


def reminder(promise: Promise, step: int, at: datetime) -> Reminder:
    """The reminder of a step that falls due at `at`."""
    level = step - breach_step(promise)
    if level < 0:
        return Reminder(Nudge.WARN, at, None, 0)
    if level == 0:
        to = Recipient.EMERGENCY if promise.emergency_on_breach else None
        return Reminder(Nudge.BREACH, at, to, 0)
    return Reminder(Nudge.ESCALATE, at, promise.escalations[level - 1].to, level)
