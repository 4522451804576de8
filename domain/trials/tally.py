"""What a trial counts, so that the counts of two slices can be added."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from domain.trials.slices import Columns

EXAMPLES = 5
MOST_USED = 500
"""Per cent of a promise that was used; what used more is counted here."""

PAIRS = np.dtype(
    [
        ("place", "i4"), ("service", "i4"), ("stage", "i4"), ("round", "i4"),
        ("policy_then", "i4"), ("policy_draft", "i4"), ("then", "i4"), ("draft", "i4"),
        ("due_then", "i8"), ("due_draft", "i8"), ("used_then", "i4"), ("used_draft", "i4"),
    ]
)  # fmt: skip
"""One promise to one appeal, as it was and as it would have been.

`then` and `draft` are Outcomes, NONE where the clock is only on the other side; `used` are
per cent of the promised time of a promise that was met, -1 elsewhere.
"""


class Outcome(IntEnum):
    """What became of a promise; BREACHED also where it was met late or dropped late."""

    NONE = -1
    KEPT = 0
    BREACHED = 1
    OPEN = 2
    CANCELLED = 3


OUTCOMES = (Outcome.KEPT, Outcome.BREACHED, Outcome.OPEN, Outcome.CANCELLED)
THEN, DRAFT, CHANGED, LATE, SAVED, WIDTH = 0, 4, 8, 9, 10, 11
"""Columns of `Promised.counts`: four outcomes then, four under the draft, and what differs."""

Key = tuple[int, int, int, int]
"""Service, stage (place in STAGES), policy then and policy under the draft; 0 is none."""


class Promised:
    """Counts and uses of promises by key."""

    def __init__(self) -> None:
        self.rows: dict[Key, int] = {}
        self.counts: NDArray[np.int64] = np.zeros((64, WIDTH), np.int64)
        self.uses: NDArray[np.int32] = np.zeros((64, 2, MOST_USED + 1), np.int32)

    def add(self, pairs: Columns) -> None:
        """Count pairs in."""
        if not len(pairs):
            return
        names = ("service", "stage", "policy_then", "policy_draft")
        keys = np.stack([pairs[name] for name in names], 1)
        found, inverse = np.unique(keys, axis=0, return_inverse=True)
        rows = np.array([self._row(tuple(key)) for key in found.tolist()], np.int64)
        row = rows[inverse.ravel()]
        then, draft = pairs["then"], pairs["draft"]
        both = (then >= 0) & (draft >= 0)
        late, later = then == Outcome.BREACHED, draft == Outcome.BREACHED
        for column, chosen in (
            *((THEN + outcome, then == outcome) for outcome in OUTCOMES),
            *((DRAFT + outcome, draft == outcome) for outcome in OUTCOMES),
            (CHANGED, (then != draft) | (pairs["due_then"] != pairs["due_draft"])),
            (LATE, both & later & ~late),
            (SAVED, both & late & ~later),
        ):
            np.add.at(self.counts[:, column], row[chosen], 1)
        for side, name in enumerate(("used_then", "used_draft")):
            used = pairs[name] >= 0
            per_cent = np.minimum(pairs[name][used], MOST_USED)
            np.add.at(self.uses[:, side], (row[used], per_cent), 1)

    def merge(self, other: "Promised") -> None:
        """Add the counts of another."""
        for key, row in other.rows.items():
            mine = self._row(key)
            self.counts[mine] += other.counts[row]
            self.uses[mine] += other.uses[row]

    def trim(self) -> None:
        """Keep no room beyond what is counted, so that little travels between processes."""
        self.counts, self.uses = self.counts[: len(self.rows)], self.uses[: len(self.rows)]

    def _row(self, key: Key) -> int:
        row = self.rows.setdefault(key, len(self.rows))
        if row >= len(self.counts):
            more = max(64, row)
            self.counts = np.concatenate([self.counts, np.zeros((more, WIDTH), np.int64)])
            room = np.zeros((more, *self.uses.shape[1:]), np.int32)
            self.uses = np.concatenate([self.uses, room])
        return row


@dataclass(slots=True)
class Some:
    """How many, and the first few by id (16 bytes)."""

    count: int = 0
    examples: list[bytes] = field(default_factory=list)

    def add(self, count: int, examples: Iterable[bytes]) -> None:
        """Count more in."""
        self.count += count
        self.examples = [*self.examples, *examples][:EXAMPLES]


@dataclass(slots=True)
class Tally:
    """Everything that a trial counts.

    `services` counts appeals by service (ordinal); `replayed` those whose clocks were run again
    one by one; `promised` are the promises. `load` counts appeals by executor (ordinal; 0 is
    nobody), then and under the draft; `moves` those that would have gone elsewhere, by executor
    then, executor under the draft and the reason of the draft's route. `late` and `saved` are
    appeals with a promise that only the draft breaks, or only it keeps; `misfits` appeals by
    service (ordinal) whose answers the drafted form would refuse. `alike` counts the clocks that
    this arithmetic, given the rules that they ran by, finds exactly as they are stored; `unlike`
    the others.
    """

    appeals: int = 0
    services: Counter[int] = field(default_factory=Counter)
    replayed: int = 0
    promised: Promised = field(default_factory=Promised)
    load_then: Counter[int] = field(default_factory=Counter)
    load_draft: Counter[int] = field(default_factory=Counter)
    moves: dict[tuple[int, int, str], Some] = field(default_factory=dict)
    late: Some = field(default_factory=Some)
    saved: Some = field(default_factory=Some)
    misfits: dict[int, Some] = field(default_factory=dict)
    alike: int = 0
    unlike: Some = field(default_factory=Some)

    def merge(self, other: "Tally") -> None:
        """Add the counts of another."""
        self.appeals += other.appeals
        self.services.update(other.services)
        self.replayed += other.replayed
        self.promised.merge(other.promised)
        self.load_then.update(other.load_then)
        self.load_draft.update(other.load_draft)
        for mine, theirs in ((self.late, other.late), (self.saved, other.saved)):
            mine.add(theirs.count, theirs.examples)
        for move, some in other.moves.items():
            self.moves.setdefault(move, Some()).add(some.count, some.examples)
        for service, some in other.misfits.items():
            self.misfits.setdefault(service, Some()).add(some.count, some.examples)
        self.alike += other.alike
        self.unlike.add(other.unlike.count, other.unlike.examples)
