"""Counting the clocks of a slice, then and under a draft: everything at once where a life is plain.

A life is plain where nothing paused, reopened, returned or corrected it. Then each stage has one
clock from registration to its end, and `start + target` on the calendar's axis says it all.
Other lives are replayed one by one (domain.trials.lives), if the draft touches them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.reference import Promises
from domain.sla.calendar import Calendar
from domain.sla.policy import LAW_STAGES, Stage
from domain.sla.timeline import instant, micros
from domain.trials.axis import Axis
from domain.trials.draft import Trial
from domain.trials.laws import Lawful, law_of
from domain.trials.outcomes import (
    Bools,
    blank,
    by_calendar,
    kept,
    outcomes,
    per_cent,
    stored,
    used,
)
from domain.trials.slices import CHANNELS, NEVER, STAGES, Codebook, Columns, Slice
from domain.trials.terms import Term, Verdict, judge

_MICROSECOND = timedelta(microseconds=1)
_KEEP, _DROP = -1, -2
_ANSWER, _ARRIVE = STAGES.index(Stage.ANSWER), STAGES.index(Stage.ARRIVE)
_WORDS, _HANDS = (
    [STAGES.index(stage) for stage in pair]
    for pair in ((Stage.ANSWER, Stage.RESOLVE), (Stage.ARRIVE, Stage.SECURE))
)
_LAW = [STAGES.index(stage) for stage in LAW_STAGES]
_NOTHING = Verdict(frozenset(), frozenset(), {}, urgent=False)


@dataclass(frozen=True, slots=True)
class _Row:
    """What to do with the clocks of a service and channel: by stage, a term's place or a word."""

    verdict: Verdict
    actions: tuple[int, ...]


class Count:
    """One trial, ready to count slices. `history` holds every version that a clock may name."""

    def __init__(
        self, trial: Trial, history: Promises, codes: Codebook, *, since: datetime, now: datetime
    ) -> None:
        self.trial, self.history, self.codes, self.at = trial, history, codes, now
        self.now = micros(now)
        self._years = since.year, now.year + 1
        self._axes: dict[int, Axis] = {}
        self._rows: dict[tuple[int, int], _Row] = {}
        self._terms: list[Term] = []
        self._places: dict[tuple[str, int, Stage], int] = {}
        before, after = law_of(trial.now.promises), law_of(trial.drafted.promises)
        self._laws = (
            Lawful(trial, (before, after), history, codes, self.axis, self.now)
            if before is not None and after is not None
            else None
        )

    def axis(self, calendar: Calendar) -> Axis:
        """The axis of a calendar, made once."""
        if (axis := self._axes.get(id(calendar))) is None:
            axis = self._axes[id(calendar)] = Axis(calendar, *self._years)
        return axis

    def axis_of(self, code: int, version: int) -> Axis | None:
        """The axis of the calendar that a clock names."""
        known = self.history.calendars.get((self.codes.calendars[code - 1], version))
        return None if known is None else self.axis(known)

    def verdict(self, service: int, channel: int) -> Verdict:
        """What the draft does to a service on a channel (ordinals)."""
        return self._row(service, channel).verdict

    def promised_more(self, piece: Slice, turned: Bools) -> NDArray[np.int64]:
        """The places of plain lives to which the draft promises a stage that they did not have."""
        rows, of_appeal = self._rows_of(piece.appeals)
        return np.flatnonzero(_wanted(piece, turned, _actions(rows)[of_appeal]).any(axis=1))

    def pairs(self, piece: Slice, turned: Bools) -> Columns:
        """The pairs of all clocks but those of touched lives that took a turn."""
        rows, of_appeal = self._rows_of(piece.appeals)
        actions = _actions(rows)[of_appeal]
        touched = (actions != _KEEP).any(axis=1)
        clocks = piece.clocks[~(turned & touched)[piece.clocks["place"]]]
        kept = self._paired(piece.appeals, clocks, actions)
        return np.concatenate([kept, self._added(piece, _wanted(piece, turned, actions), actions)])

    def then(self, appeals: Columns, clocks: Columns) -> Columns:
        """Pairs of clocks as they are stored with nothing beside them."""
        pairs = blank(len(clocks))
        pairs["place"], pairs["round"] = clocks["place"], clocks["round"]
        pairs["service"] = appeals["service"][clocks["place"]]
        pairs["stage"] = clocks["stage"] - 1
        pairs["policy_then"], pairs["due_then"] = clocks["policy"], clocks["due"]
        pairs["then"] = stored(clocks, self.now)
        pairs["used_then"] = used(clocks, self.axis_of)
        return pairs

    def alike(self, clocks: Columns) -> Bools:
        """Which plain clocks this arithmetic finds as they are stored."""
        found = np.zeros(len(clocks), np.bool_)
        for chosen, axis in by_calendar(clocks, np.ones(len(clocks), np.bool_), self.axis_of):
            some = clocks[chosen]
            due = axis.add(some["started"], some["target"])
            became = outcomes(due, some["met"], some["cancelled"], self.now)
            found[chosen] = (due == some["due"]) & (became == stored(some, self.now))
        return found

    def _paired(self, appeals: Columns, clocks: Columns, actions: NDArray[np.int64]) -> Columns:
        pairs = self.then(appeals, clocks)
        chosen = actions[clocks["place"], pairs["stage"]]
        keep = chosen == _KEEP
        pairs[keep] = kept(pairs[keep])
        anew = np.flatnonzero(chosen >= 0)
        some = clocks[anew]
        drafted = pairs[anew]
        self._under_draft(drafted, chosen[anew], some["started"], some["met"], some["cancelled"])
        pairs[anew] = drafted
        lawful = np.flatnonzero(np.isin(pairs["stage"], _LAW))
        pairs[lawful] = self.lawful(pairs[lawful], clocks[lawful], appeals)
        return pairs

    def lawful(self, pairs: Columns, clocks: Columns, appeals: Columns) -> Columns:
        """The pairs of the law's clocks with the draft's side: all that these appeals have of a
        stage, in their order.
        """
        return self._laws.beside(pairs, clocks, appeals) if self._laws else kept(pairs)

    def _under_draft(
        self,
        pairs: Columns,
        terms: NDArray[np.int64],
        started: NDArray[np.int64],
        met: NDArray[np.int64],
        cancelled: NDArray[np.int64],
    ) -> None:
        """Write the draft's side of plain clocks of these terms."""
        for place in np.unique(terms):
            term, rows = self._terms[int(place)], np.flatnonzero(terms == place)
            axis, within = self.axis(term.calendar), term.promise.within // _MICROSECOND
            target = np.full(len(rows), within, np.int64)
            due = axis.add(started[rows], target)
            pairs["policy_draft"][rows] = self.codes.policy[term.policy.code]
            pairs["due_draft"][rows] = due
            pairs["draft"][rows] = outcomes(due, met[rows], cancelled[rows], self.now)
            done = met[rows] != NEVER
            spent = axis.spent(started[rows[done]], met[rows[done]])
            pairs["used_draft"][rows[done]] = per_cent(spent, target[done])

    def _added(
        self, piece: Slice, wanted: NDArray[np.bool_], actions: NDArray[np.int64]
    ) -> Columns:
        """Clocks that only the draft has; when they would have been met is inferred."""
        places, stages = np.nonzero(wanted)
        pairs = blank(len(places))
        pairs["place"], pairs["stage"], pairs["round"] = places, stages, 1
        pairs["service"] = piece.appeals["service"][places]
        met, cancelled = _inferred(piece, places, stages)
        started = piece.appeals["registered"][places]
        self._under_draft(pairs, actions[places, stages], started, met, cancelled)
        return pairs

    def _rows_of(self, appeals: Columns) -> tuple[list[_Row], NDArray[np.int64]]:
        keys = appeals["service"].astype(np.int64) << 8 | appeals["channel"]
        found, inverse = np.unique(keys, return_inverse=True)
        rows = [self._row(int(key) >> 8, int(key) & 0xFF) for key in found]
        return rows, inverse.ravel()

    def _row(self, service: int, channel: int) -> _Row:
        if (row := self._rows.get((service, channel))) is None:
            row = self._rows[service, channel] = self._judged(service, channel)
        return row

    def _judged(self, service: int, channel: int) -> _Row:
        verdict = _NOTHING
        if service and channel:
            code, road = self.codes.services[service - 1], CHANNELS[channel - 1]
            verdict = judge(self.trial.now, self.trial.drafted, code, road)
        actions = [_KEEP] * len(STAGES)
        for place, stage in enumerate(STAGES):
            if stage in verdict.dropped:
                actions[place] = _DROP
            elif stage in verdict.counted:
                actions[place] = self._place(verdict.terms[stage])
        return _Row(verdict, tuple(actions))

    def _place(self, term: Term) -> int:
        key = term.policy.code, term.policy.version, term.promise.stage
        if (place := self._places.get(key)) is None:
            place = self._places[key] = len(self._terms)
            self._terms.append(term)
        return place


def _actions(rows: list[_Row]) -> NDArray[np.int64]:
    return np.array([row.actions for row in rows], np.int64).reshape(-1, len(STAGES))


def _wanted(piece: Slice, turned: Bools, actions: NDArray[np.int64]) -> NDArray[np.bool_]:
    wanted: NDArray[np.bool_] = (actions >= 0) & ~turned[:, None]
    wanted[piece.clocks["place"], piece.clocks["stage"] - 1] = False
    return wanted


def _inferred(
    piece: Slice, places: NDArray[np.int64], stages: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When clocks that never were would have been met or cancelled.

    Work reported done meets every stage, a report of SECURE that of ARRIVE, and taking the
    appeal its ANSWER; an answer at first contact meets ANSWER and RESOLVE and drops the rest.
    """
    times = piece.times[np.searchsorted(piece.times["place"], places)]
    words, hands = np.isin(stages, _WORDS), np.isin(stages, _HANDS)
    met = np.where(words, np.minimum(times["done"], times["answered"]), times["done"])
    for stage, name in ((_ANSWER, "accepted"), (_ARRIVE, "reported")):
        met = np.where(stages == stage, np.minimum(met, times[name]), met)
    closed = piece.appeals["closed"][places]
    dropped = np.where(hands, np.minimum(times["answered"], closed), closed)
    return np.where(met <= dropped, met, NEVER), np.where(met <= dropped, NEVER, dropped)


def moment(at: int) -> datetime | None:
    """The instant of a column; None for one that did not come."""
    return None if at == NEVER else instant(at)
