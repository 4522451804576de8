"""What became of clocks, as arrays: from due time, end and the moment at which one looks."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.sla.clock import ClockState
from domain.trials.axis import Axis, Micros
from domain.trials.slices import NEVER, STATES, Columns
from domain.trials.tally import PAIRS, Outcome

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

_RUNNING = STATES.index(ClockState.RUNNING) + 1
_UNUSED = -1


def outcomes(due: Micros, met: Micros, cancelled: Micros, now: int) -> Ints:
    """Outcome of clocks that never paused: late is what ended, or still runs, past its due time."""
    end = np.minimum(met, cancelled)
    return _named(np.where(end == NEVER, now, end) > due, met, cancelled)


def stored(clocks: Columns, now: int) -> Ints:
    """Outcome as the register has it; a running clock past its time is late, ticked or not."""
    unseen = (clocks["state"] == _RUNNING) & (clocks["due"] < now)
    return _named((clocks["breached"] != NEVER) | unseen, clocks["met"], clocks["cancelled"])


def _named(late: Bools, met: Micros, cancelled: Micros) -> Ints:
    found = np.full(len(late), Outcome.OPEN, np.int32)
    found[cancelled != NEVER] = Outcome.CANCELLED
    found[met != NEVER] = Outcome.KEPT
    found[late] = Outcome.BREACHED
    return found


def per_cent(spent: Micros, target: Micros) -> Ints:
    """How much of the target was used, in whole per cent, rounded up."""
    return (-(-100 * np.maximum(spent, 0) // np.maximum(target, 1))).astype(np.int32)


def used(clocks: Columns, axis_of: Callable[[int, int], Axis | None]) -> Ints:
    """Per cent of its target that each met clock used, by the calendar that it ran by; else -1."""
    found = np.full(len(clocks), _UNUSED, np.int32)
    for chosen, axis in by_calendar(clocks, clocks["met"] != NEVER, axis_of):
        some = clocks[chosen]
        # A clock that was met while it waited stood still from the beginning of the wait.
        end = np.minimum(some["met"], some["paused"])
        spent = axis.spent(some["started"], end) - some["paused_for"]
        found[chosen] = per_cent(spent, some["target"])
    return found


def by_calendar(
    clocks: Columns, chosen: Bools, axis_of: Callable[[int, int], Axis | None]
) -> list[tuple[NDArray[np.int64], Axis]]:
    """The chosen rows by the calendar that they ran by; those of an unknown one are left out."""
    rows = np.flatnonzero(chosen).astype(np.int64)
    keys = clocks["calendar"][rows].astype(np.int64) << 32 | clocks["calendar_version"][rows]
    groups = []
    for key in np.unique(keys):
        axis = axis_of(int(key >> 32), int(key & 0xFFFFFFFF))
        if axis is not None:
            groups.append((rows[keys == key], axis))
    return groups


def kept(pairs: Columns) -> Columns:
    """The pairs with the draft's side as the other is."""
    found = pairs.copy()
    for name in ("policy", "due", "used"):
        found[f"{name}_draft"] = found[f"{name}_then"]
    found["draft"] = found["then"]
    return found


def blank(count: int) -> Columns:
    """Pairs of nothing with nothing."""
    pairs = np.zeros(count, PAIRS)
    for name in ("then", "draft", "used_then", "used_draft"):
        pairs[name] = Outcome.NONE
    return pairs
