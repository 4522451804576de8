"""The clocks of one appeal, run again from what was done: the slow way, by the clock's own rules.

Everybody acts when they acted. What is promised is the only thing that may differ.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.appeals.workflow import PAUSE_RULES, PauseReason
from domain.events import EventType
from domain.sla import clock as clocks
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, ClockState
from domain.sla.counting import Wait, recompute
from domain.sla.policy import NOTHING, Stage
from domain.trials.terms import Term, Terms

Rounds = dict[Stage, list[Clock]]
Calendars = Mapping[tuple[str, int], Calendar]
"""By code and version."""


@dataclass(frozen=True, slots=True)
class Act:
    """One event of an appeal, as far as a clock looks at it.

    `stage` is that of a report, of more time or of a new count; `reason` and `until` are those of
    a pause; `public` says that a comment was a word of the city to the resident; `by` is the time
    that was given, and `versions` are those of the calendar before and after a clock was counted
    again.
    """

    kind: EventType
    at: datetime
    stage: Stage | None = None
    reason: PauseReason | None = None
    until: datetime | None = None
    public: bool = False
    by: timedelta = NOTHING
    versions: tuple[int, int] | None = None


@dataclass(slots=True)
class _Run:
    terms: dict[Stage, Term]
    rounds: Rounds
    urgent: bool
    told: Calendars | None
    until: datetime | None = None
    waits: dict[Stage, list[Wait]] = field(default_factory=dict)
    """Those of the rounds that stand, as a new count asks for them."""

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
        for waits in self.waits.values():
            if waits[-1].end is None:
                waits[-1] = replace(waits[-1], end=end)
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
                self.waits.pop(stage, None)

    def emergency(self, at: datetime) -> None:
        """A breach that makes an emergency ends every wait, and none begins after it."""
        if self.urgent or self.told is not None:
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
    told: Calendars | None = None,
) -> Mapping[Stage, list[Clock]]:
    """Every round of every stage that the city promised, as it stands at `until`. What the law
    promises runs by no service's policy, and is counted apart (count.py).

    `urgent`: the service is an emergency, which cannot wait. Under a draft a breach that makes an
    emergency ends the wait at its own time, more time is given as far as the draft lets it, and one
    calendar counts all.
    With `told`, every version of the city's calendars, all goes as the register tells: the wait
    ends when it did, the time that was given is given, and what was counted again is so again.
    """
    rounds: Rounds = {
        stage: [clocks.start(term.promise, term.policy, term.calendar, at=registered_at)]
        for stage, term in terms.items()
    }
    run = _Run(dict(terms), rounds, urgent, told)
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
    for stage in stages:
        if (rounds := run.rounds.get(stage)) and not clocks.finished(rounds[-1]):
            run.waits.setdefault(stage, []).append(Wait(reason, act.at))
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


def _give(run: _Run, act: Act) -> None:
    if act.stage is None or (run.told is None and run.urgent):
        return
    give = _longer if run.told is not None else _as_let
    run.change((act.stage,), lambda c, t: give(c, t, act))


def _as_let(clock: Clock, term: Term, act: Act) -> Clock:
    """The inspector gives the same time again, by the rules of domain/appeals/extensions.py: no
    more than the draft lets be given, and none once its time is up.
    """
    most, up = term.promise.extend_at_most, act.at >= clock.due_at
    if most is None or (clock.state is ClockState.RUNNING and up):
        return clock
    left = term.promise.within + most - clock.target
    return _longer(clock, term, replace(act, by=min(act.by, left)))


def _longer(clock: Clock, term: Term, act: Act) -> Clock:
    """Where a clock could not be given more, its row is not what these acts tell: it is told so."""
    if clock.state not in (ClockState.RUNNING, ClockState.PAUSED) or act.by <= NOTHING:
        return clock
    return clocks.extend(clock, term.promise, term.calendar, by=act.by, at=act.at)


def _count_again(run: _Run, act: Act) -> None:
    if run.told is None or act.stage is None or act.versions is None:
        return
    term = run.terms.get(act.stage)
    calendar = run.told.get((term.calendar.code, act.versions[1])) if term else None
    if term is None or calendar is None:
        return
    run.terms[act.stage] = replace(term, calendar=calendar)
    waits = run.waits.get(act.stage, ())
    run.change(
        (act.stage,),
        lambda c, t: recompute(_seen(c, act.at), t.promise, t.calendar, waits=waits, at=act.at),
    )


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
    EventType.EXTENSION_GRANTED: _give,
    EventType.CLOCK_RECOMPUTED: _count_again,
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
    EventType.FORWARDED, EventType.EXTENSION_GRANTED,
)  # fmt: skip
"""Only where one of these happened is a life more than start and end of each clock."""
