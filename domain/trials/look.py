"""One slice of the register under a draft: promises, ways, and whether the arithmetic is right."""

from dataclasses import replace

import numpy as np

from domain.trials import lives
from domain.trials.count import Count
from domain.trials.roads import Roads
from domain.trials.slices import Columns, Slice
from domain.trials.tally import EXAMPLES, Outcome, Some, Tally


def look(piece: Slice, count: Count, roads: Roads, tally: Tally) -> Columns:
    """Count a slice into the tally; the pairs that were counted."""
    flags = lives.turned(piece)
    piece = replace(piece, clocks=lives.standing_clocks(piece))
    found = [count.pairs(piece, flags)]
    _check(piece, count, flags[piece.clocks["place"]], tally)
    for life in lives.lives(piece, count):
        _note(piece, life.place, lives.alike(life, count), tally)
        if life.verdict.touched:
            found.append(lives.pairs(life, piece, count))
            tally.replayed += 1
    pairs = np.concatenate(found)
    tally.appeals += len(piece.appeals)
    tally.services.update(piece.appeals["service"].tolist())
    tally.promised.add(pairs)
    then, draft = pairs["then"] == Outcome.BREACHED, pairs["draft"] == Outcome.BREACHED
    both = (pairs["then"] >= 0) & (pairs["draft"] >= 0)
    _some(piece, pairs["place"][both & draft & ~then], tally.late)
    _some(piece, pairs["place"][both & then & ~draft], tally.saved)
    roads.count(piece.appeals, tally)
    return pairs


def _some(piece: Slice, places: Columns, some: Some) -> None:
    found = np.unique(places)
    some.add(len(found), [bytes(piece.appeals["id"][place]) for place in found[:EXAMPLES]])


def _check(piece: Slice, count: Count, turned: Columns, tally: Tally) -> None:
    plain = piece.clocks[~turned]
    alike = count.alike(plain)
    tally.alike += int(alike.sum())
    _some_clocks(piece, plain["place"][~alike], tally)


def _note(piece: Slice, place: int, alike: list[bool], tally: Tally) -> None:
    tally.alike += sum(alike)
    _some_clocks(piece, np.full(len(alike) - sum(alike), place), tally)


def _some_clocks(piece: Slice, places: Columns, tally: Tally) -> None:
    examples = [bytes(piece.appeals["id"][place]) for place in np.unique(places)[:EXAMPLES]]
    tally.unlike.add(len(places), examples)
