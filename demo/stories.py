"""What becomes of an appeal of the sample: each story as steps, after which time and by whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from domain.appeals.workflow import Action, Status, guard

A, S = Action, Status

LONGEST_WORK = timedelta(hours=30)
"""An executor who has seven days does not wait for the seventh."""


@dataclass(frozen=True, slots=True)
class Step:
    """One act. It follows the last one after so many minutes, or, where a `stage` is named,
    when such a share of that stage's promise has passed; a stage not promised is left out.
    """

    action: Action
    by: str
    minutes: tuple[float, float] = (0, 0)
    stage: str | None = None
    share: tuple[float, float] = (0.0, 0.0)
    reason: str | None = None

    def due(self, appeal: Mapping[str, Any], last: datetime, random: Random) -> datetime | None:
        """When it is done; None where the appeal has no such promise to keep."""
        if self.stage is None:
            return last + timedelta(minutes=random.uniform(*self.minutes))
        clock = _latest(appeal, self.stage)
        if clock is None or (clock["met_at"] and self.action is A.REPORT):
            return None
        started = datetime.fromisoformat(clock["started_at"])
        promised = datetime.fromisoformat(clock["due_at"]) - started
        share = random.uniform(*self.share)
        usual = min(promised, LONGEST_WORK) if share < 1 else promised
        return max(started + usual * share, last + timedelta(minutes=random.uniform(2, 10)))


def _latest(appeal: Mapping[str, Any], stage: str) -> Mapping[str, Any] | None:
    clocks = [clock for clock in appeal["clocks"] if clock["stage"] == stage]
    return max(clocks, key=lambda clock: int(clock["round"]), default=None)


_ACCEPT = Step(A.ACCEPT, "executor", (2, 18))
_ARRIVE = Step(A.REPORT, "executor", stage="arrive", share=(0.35, 0.8))
_SECURE = Step(A.REPORT, "executor", stage="secure", share=(0.4, 0.85))
_RESOLVE = Step(A.RESOLVE, "executor", stage="resolve", share=(0.25, 0.85))
_LATE = Step(A.RESOLVE, "executor", stage="resolve", share=(1.1, 1.8))
_CHECK = Step(A.CHECK, "inspector", (15, 120))
_CONFIRM = Step(A.CONFIRM, "resident", (20, 300))
_RESUME = Step(A.RESUME, "inspector", (240, 900))

_WORK = (_ACCEPT, _ARRIVE, _SECURE, _RESOLVE)
_AGAIN = (Step(A.RESOLVE, "executor", (120, 600)), _CHECK, _CONFIRM)
_END = (_CHECK, _CONFIRM)


def _paused(reason: str, by: str) -> tuple[Step, ...]:
    pause = Step(A.PAUSE, by, (30, 120), reason=reason)
    return (_ACCEPT, _ARRIVE, pause, _RESUME, Step(A.RESOLVE, "executor", (60, 300)), *_END)


STORIES: Mapping[str, tuple[Step, ...]] = {
    "first-call": (),
    "answered": (Step(A.ANSWER, "operator", (2, 25)), Step(A.CONFIRM, "resident", (5, 180))),
    "resolved": (*_WORK, *_END),
    "citizen": (*_WORK, *_END),
    "reopened": (*_WORK, _CHECK, Step(A.REOPEN, "resident", (20, 300)), *_AGAIN),
    "returned": (*_WORK, Step(A.RETURN, "inspector", (15, 90)), *_AGAIN),
    "declined": (
        Step(A.DECLINE, "executor", (5, 40)), Step(A.ASSIGN, "inspector", (5, 30)), *_WORK, *_END
    ),
    "redirected": (_ACCEPT, Step(A.REDIRECT, "inspector", (20, 60)), *_WORK, *_END),
    "waiting": _paused("awaiting_resident", "executor"),
    "parts": _paused("parts", "inspector"),
    "weather": _paused("weather", "inspector"),
    "unconfirmed": (*_WORK, _CHECK),
    "working": (_ACCEPT, _ARRIVE, _SECURE),
    "late": (Step(A.ACCEPT, "executor", (90, 240)), _ARRIVE, _SECURE, _LATE, *_END),
    "ignored": (),
    "withdrawn": (_ACCEPT, Step(A.WITHDRAW, "resident", (30, 400))),
}  # fmt: skip
"""Steps after registration. `first-call` is answered and confirmed in the very intake."""

BY_HAND = Step(A.ASSIGN, "inspector", (5, 30))
"""What comes first where the city's rules found no executor."""

GREETING = Step(A.COMMENT, "operator", (1, 6))
"""The first word to somebody who wrote, due in ten minutes."""

WRITTEN = frozenset({"telegram", "facebook", "instagram"})


def steps_of(story: str, channel: str, status: str) -> tuple[Step, ...]:
    """The steps of a story for an appeal that its registration left in `status`."""
    steps = STORIES[story]
    if story in ("first-call", "answered"):
        return steps
    if status == S.REGISTERED:
        steps = (BY_HAND, *steps)
    return (GREETING, *steps) if channel in WRITTEN else steps


def simulate(steps: tuple[Step, ...], status: Status) -> Status:
    """Where the steps lead by the table of transitions. Raises InvalidTransition."""
    for step in steps:
        status = next(iter(guard(step.action, status).to), status)
    return status
