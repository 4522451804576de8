"""The clocks of one appeal, run again from what was done: the slow way, by the clock's own rules.

Everybody acts when they acted. What is promised is the only thing that may differ.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.appeals.workflow import PAUSE_RULES, PauseReason
from domain.events import EventType
from domain.sla import clock as clocks
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import Stage
from domain.trials.terms import Term, Terms

Rounds = dict[Stage, list[Clock]]


@dataclass(frozen=True, slots=True)
class Act:
    """One event of an appeal, as far as a clock looks at it.

    `stage` is that of a report; `reason` and `until` are those of a pause; `public` says that
    a comment was a word of the city to the resident.
    """

    kind: EventType
    at: datetime
    stage: Stage | None = None
    reason: PauseReason | None = None
    until: datetime | None = None
    public: bool = False


@dataclass(slots=True)
class _Run:
    terms: Terms
    rounds: Rounds
    urgent: bool
    foresee: bool
    until: datetime | None = None

    def change(self, stages: Iterable[Stage], change: Callable[[Clock, Term], Clock]) -> None:
        for stage in stages:
            if rounds := self.rounds.get(stage):
                rounds[-1] = change(rounds[-1], self.terms[stage])

    def meet(self, *stages: Stage, at: datetime) -> None:
        self.change(stages, lambda clock, _: clocks.meet(clock, at=at))

    def cancel(self, at: datetime) -> None:
        self.change(Stage, lambda clock, _: clocks.cancel(clock, at=at))

    def resume(self, at: datetime) -> None:
        if self.until is None:
            return
        end = min(at, self.until)
        self.until = None
        self.change(Stage, lambda c, t: clocks.resume(c, t.promise, t.calendar, at=end))

    def reopen(self, *stages: Stage, at: datetime) -> None:
        """Stages that the resolving policy does not promise are not promised a second time."""
        resolving = self.terms.get(Stage.RESOLVE)
        for stage in stages:
            rounds, term = self.rounds.get(stage), self.terms.get(stage)
            if not rounds or term is None:
                continue
            if resolving is None or term.policy.code != resolving.policy.code:
                continue
            fresh = clocks.reopen(rounds[-1], term.promise, term.calendar, at=at)
            if fresh is not None:
                rounds.append(fresh)

    def emergency(self, at: datetime) -> None:
        """A breach that makes an emergency ends every wait, and none begins after it."""
        if self.urgent or not self.foresee:
            return
        found = [
            rounds[-1].due_at
            for stage, rounds in self.rounds.items()
            if self.terms[stage].promise.emergency_on_breach
            and rounds[-1].state in (ClockState.RUNNING, ClockState.BREACHED)
            and rounds[-1].due_at < at
        ]
        if found:
            self.resume(min(found))
            self.urgent = True


def replay(
    terms: Terms,
    acts: Iterable[Act],
    *,
    registered_at: datetime,
    until: datetime,
    urgent: bool = False,
    foresee: bool = True,
) -> Mapping[Stage, list[Clock]]:
    """Every round of every stage that the city promised, as it stands at `until`. What the law
    promises runs by no service's policy, and is counted apart (count.py).

    `urgent`: the service is an emergency, which cannot wait. With `foresee` a breach that
    makes an emergency ends the wait at its own time; without, when the register says so.
    """
    rounds: Rounds = {
        stage: [clocks.start(term.promise, term.policy, term.calendar, at=registered_at)]
        for stage, term in terms.items()
    }
    run = _Run(terms, rounds, urgent, foresee)
    for act in acts:
        run.emergency(act.at)
        if (do := _ACTS.get(act.kind)) is not None:
            do(run, act)
    run.emergency(until)
    run.change(Stage, lambda clock, _: _seen(clock, until))
    return run.rounds


def _seen(clock: Clock, at: datetime) -> Clock:
    """A running clock past its time is breached, whether or not somebody looked."""
    if clock.state is not ClockState.RUNNING or at <= clock.due_at:
        return clock
    return replace(clock, state=ClockState.BREACHED, breached_at=clock.due_at)


def _pause(run: _Run, act: Act) -> None:
    if run.urgent or act.reason is None or act.until is None:
        return
    run.until, reason = act.until, str(act.reason)
    stages = PAUSE_RULES[act.reason].stages
    run.change(stages, lambda clock, _: clocks.pause(clock, reason=reason, at=act.at))


def _taken(run: _Run, act: Act) -> None:
    run.meet(Stage.ANSWER, at=act.at)


def _done(run: _Run, act: Act) -> None:
    run.meet(*Stage, at=act.at)


def _answer(run: _Run, act: Act) -> None:
    run.meet(Stage.ANSWER, Stage.RESOLVE, at=act.at)
    run.cancel(act.at)


def _forward(run: _Run, act: Act) -> None:
    run.resume(act.at)
    run.meet(Stage.ANSWER, at=act.at)
    run.cancel(act.at)


def _report(run: _Run, act: Act) -> None:
    secured = act.stage is Stage.SECURE
    run.meet(*((Stage.ARRIVE, Stage.SECURE) if secured else (Stage.ARRIVE,)), at=act.at)


def _comment(run: _Run, act: Act) -> None:
    if act.public:
        run.meet(Stage.ANSWER, at=act.at)


_ACTS: Mapping[EventType, Callable[[_Run, Act], None]] = {
    EventType.ANSWERED: _answer,
    EventType.ACCEPTED: _taken,
    EventType.COMMENTED: _comment,
    EventType.BROADCAST: _taken,
    EventType.STAGE_REPORTED: _report,
    EventType.PAUSED: _pause,
    EventType.RESUMED: lambda run, act: run.resume(act.at),
    EventType.REDIRECTED: lambda run, act: run.resume(act.at),
    EventType.RESOLVED: _done,
    EventType.DECIDED: _done,
    EventType.STATE_DECIDED: _done,
    EventType.FORWARDED: _forward,
    EventType.RETURNED: lambda run, act: run.reopen(Stage.RESOLVE, at=act.at),
    EventType.REOPENED: lambda run, act: run.reopen(*Stage, at=act.at),
    EventType.CLOSED: lambda run, act: run.cancel(act.at),
    EventType.WITHDRAWN: lambda run, act: run.cancel(act.at),
}
"""What moves a clock (domain/appeals/rules.py); every other event leaves it alone."""

MOVES: tuple[EventType, ...] = tuple(_ACTS)
"""The events that a replay does again."""

LOOKED_AT: tuple[EventType, ...] = (*MOVES, EventType.CORRECTED)
"""The events that a replay asks the register for."""

TAKES = tuple(kind for kind, do in _ACTS.items() if do is _taken)
"""What meets ANSWER and nothing else, a public word apart."""

ENDS = tuple(kind for kind, do in _ACTS.items() if do is _done)
"""What meets every stage."""

TURNS = (
    EventType.PAUSED, EventType.RETURNED, EventType.REOPENED, EventType.CORRECTED,
    EventType.FORWARDED,
)  # fmt: skip
"""Only where one of these happened is a life more than start and end of each clock."""
