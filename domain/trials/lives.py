"""The lives that took a turn: a wait, a return, a reopening, a correction, a sending
on, more time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from domain.appeals.workflow import PauseReason
from domain.reference import Promises
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import LAW_STAGES, Stage
from domain.sla.timeline import instant, micros
from domain.trials.count import Count, moment
from domain.trials.outcomes import Bools, blank, kept, stored
from domain.trials.replay import LOOKED_AT, Act, replay
from domain.trials.slices import STAGES, Codebook, Columns, Slice
from domain.trials.tally import Outcome
from domain.trials.terms import Term, Terms, Verdict

REASONS: tuple[PauseReason, ...] = tuple(PauseReason)
"""In the order of the ordinals of ACTS."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Life:
    """One appeal that took a turn: its place, clocks (rows of CLOCKS) and acts in order."""

    place: int
    registered_at: datetime
    verdict: Verdict
    clocks: Columns
    acts: Sequence[Act]
    moved_at: frozenset[int]


def turned(piece: Slice) -> Bools:
    """Which appeals of a slice took a turn."""
    found = np.zeros(len(piece.appeals), np.bool_)
    found[piece.acts["place"]] = True
    return found


def standing_clocks(piece: Slice) -> Columns:
    """The clocks of a slice without those that a correction of the service took back."""
    moves = piece.acts[piece.acts["moved"]]
    if not len(moves):
        return piece.clocks
    when = set(zip(moves["place"].tolist(), moves["at"].tolist(), strict=True))
    corrected = np.isin(piece.clocks["place"], moves["place"])
    taken = np.zeros(len(piece.clocks), np.bool_)
    for row in np.flatnonzero(corrected):
        clock = piece.clocks[row]
        taken[row] = (int(clock["place"]), int(clock["cancelled"])) in when
    return piece.clocks[~taken]


def lives(piece: Slice, count: Count) -> Iterator[Life]:
    """The lives of a slice that took a turn; `piece` has standing clocks alone."""
    places = np.unique(piece.acts["place"])
    acts = _bounds(piece.acts["place"], places)
    clocks = _bounds(piece.clocks["place"], places)
    for place, (begin, end), (first, last) in zip(places.tolist(), acts, clocks, strict=True):
        appeal, said = piece.appeals[place], piece.acts[begin:end]
        yield Life(
            place=place,
            registered_at=instant(int(appeal["registered"])),
            verdict=count.verdict(int(appeal["service"]), int(appeal["channel"])),
            clocks=piece.clocks[first:last],
            acts=[_act(row) for row in said.tolist()],
            moved_at=frozenset(said["at"][said["moved"]].tolist()),
        )


def _bounds(column: Columns, places: Columns) -> list[tuple[int, int]]:
    low = np.searchsorted(column, places, "left").tolist()
    high = np.searchsorted(column, places, "right").tolist()
    return list(zip(low, high, strict=True))


def _act(row: tuple[Any, ...]) -> Act:
    _, kind, at, stage, reason, until, public, _, by, before, after = row
    return Act(
        kind=LOOKED_AT[kind - 1],
        at=instant(at),
        stage=STAGES[stage - 1] if stage else None,
        reason=REASONS[reason - 1] if reason else None,
        until=moment(until),
        public=public,
        by=by * _MICROSECOND,
        versions=(before, after) if after else None,
    )


def own_terms(life: Life, history: Promises, codes: Codebook) -> Terms:
    """The terms under which an appeal's clocks began, as their rows name them. A row names the
    calendar that it counts by now; what it counted by before it was counted again, that act says.
    """
    found: dict[Stage, Term] = {}
    begun: dict[Stage | None, int] = {}
    for act in life.acts:
        if act.versions is not None:
            begun.setdefault(act.stage, act.versions[0])
    for row in life.clocks:
        stage = STAGES[row["stage"] - 1]
        if stage in LAW_STAGES:
            continue
        name = codes.policies[row["policy"] - 1], int(row["policy_version"])
        version = begun.get(stage, int(row["calendar_version"]))
        calendar = codes.calendars[row["calendar"] - 1], version
        policy, counted = history.policies.get(name), history.calendars.get(calendar)
        promise = policy.promise(stage) if policy else None
        if policy is not None and promise is not None and counted is not None:
            found.setdefault(stage, Term(policy, promise, counted))
    return found


def alike(life: Life, count: Count) -> list[bool]:
    """For each clock whether a replay by its own terms finds it as it is stored.

    Nothing is said of a life whose service was corrected: its clocks began under several.
    """
    if life.moved_at:
        return []
    terms = own_terms(life, count.history, count.codes)
    rounds = replay(
        terms,
        life.acts,
        registered_at=life.registered_at,
        until=count.at,
        told=count.history.calendars,
    )
    became = stored(life.clocks, count.now)
    # The law's clocks never wait: each is its start and its target, whatever life did.
    plain = count.alike(life.clocks)
    return [
        bool(same)
        if STAGES[row["stage"] - 1] in LAW_STAGES
        else _same(rounds.get(STAGES[row["stage"] - 1], []), row, int(outcome))
        for row, outcome, same in zip(life.clocks, became, plain, strict=True)
    ]


def _same(rounds: Sequence[Clock], row: Any, outcome: int) -> bool:
    if row["round"] > len(rounds):
        return False
    clock = rounds[row["round"] - 1]
    paused_for = clock.paused_for // _MICROSECOND
    return bool(
        outcome_of(clock) == outcome
        and micros(clock.due_at) == row["due"]
        and paused_for == row["paused_for"]
    )


def outcome_of(clock: Clock) -> Outcome:
    """What became of a replayed clock."""
    if clock.breached_at is not None:
        return Outcome.BREACHED
    if clock.state is ClockState.MET:
        return Outcome.KEPT
    return Outcome.CANCELLED if clock.state is ClockState.CANCELLED else Outcome.OPEN


def pairs(life: Life, piece: Slice, count: Count) -> Columns:
    """The pairs of a life that the draft touches: round by round, as far as either side goes."""
    then = count.then(piece.appeals, life.clocks)
    rounds = replay(
        life.verdict.terms,
        life.acts,
        registered_at=life.registered_at,
        until=count.at,
        urgent=life.verdict.urgent,
    )
    found = []
    for place, stage in enumerate(STAGES):
        former = then[then["stage"] == place]
        if stage in LAW_STAGES:
            clocks = life.clocks[life.clocks["stage"] == place + 1]
            found.append(count.lawful(former, clocks, piece.appeals))
            continue
        if stage not in life.verdict.counted:
            found.append(kept(former) if stage not in life.verdict.dropped else former)
            continue
        found.append(_beside(former, rounds.get(stage, []), life, place, piece, count))
    return np.concatenate(found)


def _beside(
    then: Columns, rounds: Sequence[Clock], life: Life, stage: int, piece: Slice, count: Count
) -> Columns:
    both = blank(max(len(then), len(rounds)))
    both["place"], both["stage"] = life.place, stage
    both["service"] = piece.appeals["service"][life.place]
    both["round"] = np.arange(1, len(both) + 1)
    both[: len(then)] = then
    for row, clock in enumerate(rounds):
        both[row]["policy_draft"] = count.codes.policy[clock.policy]
        both[row]["due_draft"] = micros(clock.due_at)
        both[row]["draft"] = outcome_of(clock)
        both[row]["used_draft"] = _used(clock, life.verdict.terms)
    return both


def _used(clock: Clock, terms: Mapping[Stage, Term]) -> int:
    if clock.met_at is None:
        return -1
    end = min(clock.met_at, clock.paused_at or clock.met_at)
    calendar = terms[clock.stage].calendar
    spent = calendar.spent(clock.started_at, end) - clock.paused_for
    return max(-(-100 * (spent // _MICROSECOND) // max(clock.target // _MICROSECOND, 1)), 0)
