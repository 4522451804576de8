"""The clocks of an appeal, counted again from nothing but its events.

Whoever holds the events, the policies and the calendars finds every clock as it is stored, field
by field: `domain/sla/explain.py` tells from this what counted and what did not, and `ikomek clocks
check` compares. The events tell what happened, to which stages, and what was promised by which
version; what follows for a clock is said by the clock's own functions.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from domain.access import Role
from domain.errors import NotFound
from domain.events import EventType
from domain.reference import Promises
from domain.sla import clock as clocks
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock
from domain.sla.counting import Wait, recompute
from domain.sla.durations import parse_duration
from domain.sla.policy import LAW_STAGES, Policy, Promise, Stage

Document = Mapping[str, Any]
"""A canonical event, decoded."""

_exact = lru_cache(maxsize=4096)(parse_duration)


@dataclass(frozen=True, slots=True)
class Recount:
    """A recomputation that a clock went through, as its event tells it."""

    at: datetime
    data: Document


@dataclass(frozen=True, slots=True)
class Extended:
    """More time that a clock was given, as its event tells it."""

    at: datetime
    data: Document


@dataclass(slots=True)
class Run:
    """One clock as its events tell it, and the agreements that it counts by."""

    clock: Clock
    promise: Promise
    calendar: Calendar
    waits: list[Wait] = field(default_factory=list)
    breaches: list[datetime] = field(default_factory=list)
    """The due times whose breach the register holds; a recomputation may have undone them."""
    recounts: list[Recount] = field(default_factory=list)
    extensions: list[Extended] = field(default_factory=list)
    put_off: int = 0
    """Days that a term of the law was put off by."""
    counted: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Due times as they are counted here, where an event told another: with what it told."""

    def held(self, said: Document, name: str, due_at: datetime | None = None) -> None:
        """Hold the clock, or another due time of its, to what an event says of it, if it does."""
        found = self.clock.due_at if due_at is None else due_at
        if name in said and (told := datetime.fromisoformat(said[name])) != found:
            self.counted.append((found, told))


@dataclass(frozen=True, slots=True)
class _Standing:
    """The wait that the appeal is in."""

    reason: str
    since: datetime
    until: datetime
    stages: frozenset[Stage]


class Replay:
    """An appeal's clocks after the events told so far; no stored row is believed in anything."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises
        self._runs: list[Run] = []
        self._latest: dict[Stage, Run] = {}
        self._pause: _Standing | None = None
        self._registered_at: datetime | None = None

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every clock that was ever begun, in that order."""
        return tuple(self._runs)

    def tell(self, event: Document) -> None:
        """Let one event happen. Raises NotFound for an agreement that is not known here."""
        handle = _HANDLERS.get(event["type"])
        if handle is not None:
            handle(self, event, datetime.fromisoformat(event["at"]))

    def meet(self, stages: Iterable[Stage], at: datetime) -> None:
        for stage in stages:
            if run := self._latest.get(stage):
                run.clock = clocks.meet(run.clock, at=at)

    def cancel(self, at: datetime) -> None:
        for run in self._latest.values():
            run.clock = clocks.cancel(run.clock, at=at)
        self._pause = None

    def registered(self, event: Document, at: datetime) -> None:
        self._registered_at = at
        for promised in event["data"]["promises"]:
            self._begin(promised, at)

    def accepted(self, _: Document, at: datetime) -> None:
        self.meet((Stage.ANSWER, Stage.REDIRECT), at)

    def commented(self, event: Document, at: datetime) -> None:
        if event["actor"]["role"] != Role.CITIZEN and not event["data"]["internal"]:
            self.meet((Stage.ANSWER,), at)

    def broadcast(self, _: Document, at: datetime) -> None:
        self.meet((Stage.ANSWER,), at)

    def answered(self, _: Document, at: datetime) -> None:
        self.meet((Stage.ANSWER, Stage.RESOLVE, *LAW_STAGES), at)
        self.cancel(at)

    def reported(self, event: Document, at: datetime) -> None:
        secured = event["data"]["stage"] == Stage.SECURE
        self.meet((Stage.ARRIVE, Stage.SECURE) if secured else (Stage.ARRIVE,), at)

    def resolved(self, _: Document, at: datetime) -> None:
        self.meet(tuple(Stage), at)

    def ended(self, _: Document, at: datetime) -> None:
        self.cancel(at)

    def paused(self, event: Document, at: datetime) -> None:
        data = event["data"]
        until = datetime.fromisoformat(data["until"])
        self._pause = _Standing(data["reason"], at, until, frozenset(map(Stage, data["stages"])))
        self._wait(self._pause, self._latest.values())

    def resumed(self, _: Document, at: datetime) -> None:
        if self._pause is None:
            return
        # A pause counts until its longest day, however late somebody noticed.
        end, self._pause = min(at, self._pause.until), None
        for run in self._latest.values():
            if run.waits and run.waits[-1].end is None and not clocks.finished(run.clock):
                run.waits[-1] = replace(run.waits[-1], end=end)
            run.clock = clocks.resume(run.clock, run.promise, run.calendar, at=end)

    def reopened(self, event: Document, at: datetime) -> None:
        for promised in event["data"].get("promises", ()):
            self._begin(promised, at)

    def corrected(self, event: Document, at: datetime) -> None:
        data, start = event["data"], self._registered_at
        if "service" not in data["fields"] or start is None:
            return
        self.drop((stage for stage in Stage if stage not in LAW_STAGES), at)
        before = len(self._runs)
        for promised in data.get("promises", ()):
            self._begin(promised, start)
        if self._pause is not None:
            self._wait(self._pause, self._runs[before:])

    def drop(self, stages: Iterable[Stage], at: datetime) -> None:
        for stage in stages:
            if run := self._latest.get(stage):
                run.clock = clocks.cancel(run.clock, at=at)

    def redirected(self, event: Document, at: datetime) -> None:
        self.meet((Stage.REDIRECT,), at)
        self.resumed(event, at)

    def classified(self, event: Document, at: datetime) -> None:
        self.drop(LAW_STAGES, at)
        for promised in event["data"].get("promises", ()):
            self._begin(promised, at)

    def forwarded(self, event: Document, at: datetime) -> None:
        self.resumed(event, at)
        self.meet((Stage.ANSWER, Stage.REDIRECT), at)
        self.cancel(at)

    def prolonged(self, event: Document, at: datetime) -> None:
        data = event["data"]
        if run := self._latest.get(Stage.CONSIDER):
            run.held(data, "due_before")
            run.clock = clocks.prolong(
                run.clock, run.promise, run.calendar, target=_exact(data["target"]), at=at
            )
            run.held(data, "due_after")
            run.put_off += data["days"]

    def nudged(self, event: Document, at: datetime) -> None:
        data = event["data"]
        run = self._run(data)
        run.held(data, "due_at")
        run.clock, _ = clocks.act(run.clock, run.promise, at=at)
        if event["type"] == EventType.CLOCK_BREACHED:
            run.breaches.append(datetime.fromisoformat(data["due_at"]))

    def recomputed(self, event: Document, at: datetime) -> None:
        data = event["data"]
        run = self._run(data)
        run.held(data, "due_before")
        run.calendar = self._calendar(data["calendar"], data["version_after"])
        if "target" in data:
            run.clock = replace(run.clock, target=_exact(data["target"]))
        run.clock = recompute(run.clock, run.promise, run.calendar, waits=run.waits, at=at)
        run.held(data, "due_after")
        run.recounts.append(Recount(at, data))

    def extended(self, event: Document, at: datetime) -> None:
        data = event["data"]
        run = self._run(data)
        by, due = _exact(data["by"]), clocks.due_if_resumed
        run.held(data, "due_before", due(run.clock, run.calendar, at=at))
        run.clock = clocks.extend(run.clock, run.promise, run.calendar, by=by, at=at)
        run.held(data, "due_after", due(run.clock, run.calendar, at=at))
        run.extensions.append(Extended(at, data))

    def _wait(self, pause: _Standing, runs: Iterable[Run]) -> None:
        for run in runs:
            if run.clock.stage in pause.stages and not clocks.finished(run.clock):
                run.waits.append(Wait(pause.reason, pause.since))
                run.clock = clocks.pause(run.clock, reason=pause.reason, at=pause.since)

    def _begin(self, promised: Document, at: datetime) -> None:
        stage = Stage(promised["stage"])
        policy = self._policy(promised["policy"], promised["policy_version"])
        promise = policy.promise(stage)
        if promise is None:
            raise NotFound(kind="policy", id=f"{policy.code}@{policy.version}/{stage}")
        calendar = self._calendar(promise.calendar, promised["calendar_version"])
        round_, target = promised["round"], _exact(promised["target"])
        at = datetime.fromisoformat(promised["from"]) if "from" in promised else at
        clock = clocks.start(promise, policy, calendar, at=at, round=round_, target=target)
        run = Run(clock, promise, calendar)
        run.held(promised, "due_at")
        self._runs.append(run)
        self._latest[run.clock.stage] = run

    def _run(self, data: Document) -> Run:
        key = (data["stage"], data["round"])
        for run in self._runs:
            if (run.clock.stage, run.clock.round) == key:
                return run
        raise NotFound(kind="clock", id=f"{key[0]}/{key[1]}")

    def _policy(self, code: str, version: int) -> Policy:
        policy = self._promises.policies.get((code, version))
        if policy is None:
            raise NotFound(kind="policy", id=f"{code}@{version}")
        return policy

    def _calendar(self, code: str, version: int) -> Calendar:
        calendar = self._promises.calendars.get((code, version))
        if calendar is None:
            raise NotFound(kind="calendar", id=f"{code}@{version}")
        return calendar


_HANDLERS: Mapping[str, Callable[[Replay, Document, datetime], None]] = {
    EventType.REGISTERED: Replay.registered,
    EventType.ACCEPTED: Replay.accepted,
    EventType.COMMENTED: Replay.commented,
    EventType.BROADCAST: Replay.broadcast,
    EventType.ANSWERED: Replay.answered,
    EventType.STAGE_REPORTED: Replay.reported,
    EventType.RESOLVED: Replay.resolved,
    EventType.STATE_DECIDED: Replay.resolved,
    EventType.PAUSED: Replay.paused,
    EventType.RESUMED: Replay.resumed,
    EventType.REDIRECTED: Replay.redirected,
    EventType.CLASSIFIED: Replay.classified,
    EventType.PROLONGED: Replay.prolonged,
    EventType.FORWARDED: Replay.forwarded,
    EventType.DECIDED: Replay.resolved,
    EventType.RETURNED: Replay.reopened,
    EventType.REOPENED: Replay.reopened,
    EventType.CORRECTED: Replay.corrected,
    EventType.CONFIRMED: Replay.ended,
    EventType.CLOSED: Replay.ended,
    EventType.WITHDRAWN: Replay.ended,
    EventType.CLOCK_WARNED: Replay.nudged,
    EventType.CLOCK_BREACHED: Replay.nudged,
    EventType.CLOCK_ESCALATED: Replay.nudged,
    EventType.CLOCK_RECOMPUTED: Replay.recomputed,
    EventType.EXTENSION_GRANTED: Replay.extended,
}

TOLD_BY = frozenset(_HANDLERS)
"""The types of event that a clock follows from; the others need not be read."""


def replay(events: Iterable[Document], promises: Promises) -> tuple[Run, ...]:
    """Every clock that the events of one appeal tell of, oldest event first. Raises NotFound."""
    told = Replay(promises)
    for event in events:
        told.tell(event)
    return told.runs


class Difference(NamedTuple):
    """One thing in which a stored clock is not what the events tell.

    `field` is `told` where an event says by when it is due, and policy and calendar as they are
    stored give another time: one of them was edited in place. It is `stored` for a clock that only
    one side has, `readable` (of stage `*`) where an event cannot be understood or an agreement that
    it names is gone.
    """

    stage: str
    round: int
    field: str
    stored: object
    told: object

    def __str__(self) -> str:
        return f"{self.stage}/{self.round} {self.field}: stored {self.stored}, told {self.told}"


def differences(stored: Iterable[Clock], runs: Iterable[Run]) -> Iterator[Difference]:
    """Everything in which stored clocks are not what the events tell, field by field."""
    known = {(clock.stage, clock.round): clock for clock in stored}
    for run in runs:
        told = run.clock
        for counted, said in run.counted:
            yield Difference(told.stage, told.round, "told", counted, said)
        kept = known.pop((told.stage, told.round), None)
        if kept is None:
            yield Difference(told.stage, told.round, "stored", False, True)
        elif kept != told:
            yield from _fields(kept, told)
    for stage, round_ in known:
        yield Difference(stage, round_, "stored", True, False)


def _fields(kept: Clock, told: Clock) -> Iterator[Difference]:
    for name in Clock.__dataclass_fields__:
        one, other = getattr(kept, name), getattr(told, name)
        if one != other:
            yield Difference(told.stage, told.round, name, one, other)


def check(
    stored: Collection[Clock], events: Iterable[Document], promises: Promises
) -> tuple[Difference, ...]:
    """The differences of one appeal, whatever stands in its events."""
    try:
        return tuple(differences(stored, replay(events, promises)))
    except NotFound as gone:
        why = f"{gone.params['kind']} {gone.params['id']} is gone"
    except (KeyError, TypeError, ValueError) as odd:
        why = f"{type(odd).__name__} {odd}"
    return (Difference("*", 0, "readable", None, why),)
