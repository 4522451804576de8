"""The terms of the law under a draft: each clock by what the draft sets for its appeal's kind.

The law counts days (domain/law/counting.py), so a clock is counted from the day of its receipt and
not by the length of its row: a term in calendar days ends on a working day. What a head put off is
put off by as many days; an answer that was sent back goes on with its term.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.law.counting import DAY, after_working_days, end_of, is_working, last_day
from domain.law.kinds import AppealKind
from domain.law.model import Law
from domain.reference import Promises
from domain.sla.calendar import Calendar
from domain.sla.policy import LAW_STAGES, Promise
from domain.sla.timeline import instant, micros
from domain.trials.axis import Axis
from domain.trials.draft import Trial
from domain.trials.outcomes import blank, kept, outcomes, per_cent
from domain.trials.slices import KINDS, NEVER, STAGES, Codebook, Columns
from domain.trials.terms import Term, law_term, same_hours

_MICROSECOND = timedelta(microseconds=1)
_RAN_BY = ("policy", "policy_version", "stage", "calendar", "calendar_version")
_STANDS = ("kind", "law_version", "threat")
_PARTS = (
    "code", "names", "receipt", "prolongation", "hearing", "threat", "redirect_article", "intake",
)  # fmt: skip


def law_of(promises: Promises) -> Law | None:
    """The law of standing promises; None for a city that took none in."""
    return promises.law(date.max)


def changed(now: Promises, drafted: Promises) -> list[str]:
    """What a draft says anew of the law: kinds by their name, then other parts by theirs."""
    before, after = law_of(now), law_of(drafted)
    if before is None or after is None:
        return [] if before is after else ["law"]
    kinds = [str(kind) for kind in AppealKind if before.kinds[kind] != after.kinds[kind]]
    return kinds + [name for name in _PARTS if getattr(before, name) != getattr(after, name)]


def untried(now: Promises, drafted: Promises) -> list[str]:
    """The parts of a drafted law of which a trial cannot tell what would have been: which appeals
    are before the law, from which day, and what would have met a term that nobody had.
    """
    before, after = law_of(now), law_of(drafted)
    if after is None:
        return []
    if before is None:
        return ["law"]
    found = [
        name for name in ("receipt", "intake") if getattr(before, name) != getattr(after, name)
    ]
    if before.threat.services != after.threat.services:
        found.append("threat/services")
    named = {
        f"kinds/{kind}": (before.kinds[kind].policy, after.kinds[kind].policy)
        for kind in AppealKind
    } | {"threat": (before.threat.policy, after.threat.policy)}
    return found + [
        f"{name}/{stage}"
        for name, (was, becomes) in named.items()
        for stage in LAW_STAGES
        if law_term(drafted, becomes, stage) and not law_term(now, was, stage)
    ]


@dataclass(frozen=True, slots=True)
class _Change:
    """What the draft makes of clocks that ran alike: by `promise` and `calendar`, in days of
    receipt unless `at_once`. `new` None: it promises them no more.
    """

    promise: Promise
    calendar: Calendar
    at_once: bool
    new: Term | None


class Lawful:
    """The law's clocks of a trial of a city that has a law. `axis` makes the axis of a calendar;
    `at` is the moment at which one looks.
    """

    def __init__(
        self,
        trial: Trial,
        laws: tuple[Law, Law],
        history: Promises,
        codes: Codebook,
        axis: Callable[[Calendar], Axis],
        at: int,
    ) -> None:
        self._now, self._drafted = trial.now.promises, trial.drafted.promises
        self._before, self._after = laws
        self._history, self._codes, self._axis, self._at = history, codes, axis, at
        # A draft whose receipt differs is not tried, so that both name one calendar.
        code = self._after.receipt.calendar
        self._worked, self._working = self._now.calendar(code), self._drafted.calendar(code)
        self._put_off: dict[tuple[date, int, int, int], int] = {}
        self._lasts: dict[tuple[date, int, int], int] = {}

    def beside(self, pairs: Columns, clocks: Columns, appeals: Columns) -> Columns:
        """The pairs of these clocks with the draft's side. All rounds that an appeal has of a stage
        come at once, in their order.
        """
        found = kept(pairs)
        whose = appeals[clocks["place"]]
        columns = [clocks[name] for name in _RAN_BY] + [whose[name] for name in _STANDS]
        names, alike = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        changes = [self._change(*name) for name in names.tolist()]
        alike = alike.ravel()
        if not any(changes):
            return found
        due = self._due(clocks, [changes[place] for place in alike.tolist()])
        for place, change in enumerate(changes):
            if change is not None:
                self._write(found, np.flatnonzero(alike == place), clocks, due, change)
        return found

    def _change(
        self, policy: int, version: int, stage: int, calendar: int, calendar_version: int,
        kind: int, law_version: int, threat: int,
    ) -> _Change | None:  # fmt: skip
        """None where the draft gives the same due times, or nobody knows what a clock ran by."""
        if not (policy and calendar):
            return None
        code, step = self._codes.policies[policy - 1], STAGES[stage - 1]
        known = self._history.policies.get((code, version))
        promise = known.promise(step) if known else None
        counted = self._codes.calendars[calendar - 1], calendar_version
        ran_by, old = self._history.calendars.get(counted), law_term(self._now, code, step)
        if promise is None or ran_by is None or old is None:
            return None
        law = self._history.laws.get(law_version)
        at_once = bool(threat) and law is not None and law.threat.policy == code
        drafted = self._moved(code, law, kind, at_once=at_once)
        new = law_term(self._drafted, drafted, step)
        if new is not None and new.counts_as(old) and (at_once or not self._respaced(new)):
            return None
        return _Change(promise, ran_by, at_once, new)

    def _moved(self, code: str, law: Law | None, kind: int, *, at_once: bool) -> str:
        """The policy that the draft has for a clock. One that is not of its appeal's kind ran out
        when the appeal was found to be of another, and stays what it was.
        """
        before, after = self._before.threat.policy, self._after.threat.policy
        if not at_once:
            if law is None or not kind or law.kinds[KINDS[kind - 1]].policy != code:
                return code
            before, after = (one.kinds[KINDS[kind - 1]].policy
                             for one in (self._before, self._after))  # fmt: skip
        return code if before == after else after

    def _respaced(self, term: Term) -> bool:
        """Whether a term that other days count for may end on another working day."""
        return term.calendar.code != self._working.code and not same_hours(
            self._worked, self._working
        )

    def _due(self, clocks: Columns, changes: Iterable[_Change | None]) -> NDArray[np.int64]:
        """The due times under terms of whole days; elsewhere as they are. A round that did not
        begin at the end of a day goes on with the term of the round before it, and is late at once
        where that was over.
        """
        due: NDArray[np.int64] = clocks["due"].astype(np.int64)
        rows = clocks[["place", "stage", "started", "due"]].tolist()
        former: dict[tuple[int, int], tuple[date, int, int]] = {}
        for row, (change, (place, stage, started, end)) in enumerate(
            zip(changes, rows, strict=True)
        ):
            if change is None or change.new is None or change.at_once:
                continue
            received = _day_of(started, self._working)
            known = former.get((place, stage))
            if known is None or self._at_end(received) == started:
                more = self._more(received, end, change)
            else:
                received, more, was = known
                if end != max(was, started):
                    more = self._more(received, end, change)
            former[place, stage] = received, more, end
            due[row] = max(self._last(received, more, change.new), started)
        return due

    def _more(self, received: date, due: int, change: _Change) -> int:
        """How many days a term was put off by."""
        key = (received, due, id(change.promise), id(change.calendar))
        if key not in self._put_off:
            own, days = change.calendar, change.promise.within.days
            worked = own if own.code == self._worked.code else self._worked
            same = self._at_end(last_day(received, days, own, worked)) == due
            plain = after_working_days(received, days, own)
            self._put_off[key] = 0 if same else self._days(plain, due, own)
        return self._put_off[key]

    def _days(self, day: date, due: int, calendar: Calendar) -> int:
        """How many days that count lie between a day and the end of another."""
        span = (_day_of(due, self._working) - day).days
        return sum(is_working(day + step * DAY, calendar) for step in range(1, span + 1))

    def _last(self, received: date, more: int, new: Term) -> int:
        """The end of a term of the draft, put off by so many days."""
        key = (received, more, id(new.promise))
        if key not in self._lasts:
            days = new.promise.within.days + more
            last = last_day(received, days, new.calendar, self._working)
            self._lasts[key] = self._at_end(last)
        return self._lasts[key]

    def _at_end(self, day: date) -> int:
        return micros(end_of(day, self._working))

    def _write(
        self,
        found: Columns,
        rows: NDArray[np.int64],
        clocks: Columns,
        due: NDArray[np.int64],
        change: _Change,
    ) -> None:
        if change.new is None:
            nothing = blank(len(rows))
            for name in ("policy_draft", "due_draft", "used_draft", "draft"):
                found[name][rows] = nothing[name]
            return
        some, axis, ends = clocks[rows], self._axis(change.new.calendar), due[rows]
        if change.at_once:
            within = np.full(len(rows), change.new.promise.within // _MICROSECOND, np.int64)
            ends = axis.add(some["started"], within)
        found["policy_draft"][rows] = self._codes.policy[change.new.policy.code]
        found["due_draft"][rows] = ends
        found["draft"][rows] = outcomes(ends, some["met"], some["cancelled"], self._at)
        done = some["met"] != NEVER
        spent, whole = (axis.spent(some["started"][done], end[done]) for end in (some["met"], ends))
        found["used_draft"][rows[done]] = per_cent(spent, whole)


def _day_of(at: int, working: Calendar) -> date:
    """The day in which an instant lies; midnight is the end of the day before it."""
    return (instant(at).astimezone(ZoneInfo(working.zone)) - _MICROSECOND).date()
