"""A slice of the register as columns: what a trial looks at, many thousand appeals at a time.

Instants and amounts are microseconds (instants since 1970-01-01T00:00Z). Codes and ids stand as
ordinals of a Codebook, which begin at 1; 0 is one that it does not know, or none.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.appeals.model import Channel
from domain.law.kinds import AppealKind
from domain.sla.clock import ClockState
from domain.sla.policy import Stage

NEVER = np.iinfo(np.int64).max
"""An instant that did not come."""

STAGES: tuple[Stage, ...] = tuple(Stage)
STATES: tuple[ClockState, ...] = tuple(ClockState)
CHANNELS: tuple[Channel, ...] = tuple(Channel)
KINDS: tuple[AppealKind, ...] = tuple(AppealKind)

Columns = NDArray[Any]
"""A structured array."""

APPEALS = np.dtype(
    [
        ("id", "V16"), ("registered", "i8"), ("closed", "i8"), ("service", "i4"),
        ("channel", "i4"), ("routed", "?"), ("building", "V16"), ("street", "V16"),
        ("district", "i4"), ("worded", "?"), ("placed", "?"), ("latitude", "f8"),
        ("longitude", "f8"), ("executor", "i4"), ("kind", "i4"), ("law_version", "i4"),
        ("threat", "?"),
    ]
)  # fmt: skip
"""One appeal a row. `closed`: or withdrawn; `routed`: by the rules at its registration, to
`executor` or to nobody; `worded`: somebody said where in words; `placed`: there is a point. An
absent building or street is sixteen zero bytes. `kind` is what it is before the law, by which
version of it, and `threat` that it goes on at once as an anonymous report of one.
"""

CLOCKS = np.dtype(
    [
        ("place", "i4"), ("stage", "i4"), ("round", "i4"), ("policy", "i4"),
        ("policy_version", "i4"), ("calendar", "i4"), ("calendar_version", "i4"),
        ("state", "i4"), ("started", "i8"), ("due", "i8"), ("target", "i8"),
        ("paused_for", "i8"), ("paused", "i8"), ("met", "i8"), ("breached", "i8"),
        ("cancelled", "i8"),
    ]
)  # fmt: skip
"""One clock a row, by appeal, stage and round; `place` is the row of its appeal."""

ACTS = np.dtype(
    [
        ("place", "i4"), ("kind", "i4"), ("at", "i8"), ("stage", "i4"), ("reason", "i4"),
        ("until", "i8"), ("public", "?"), ("moved", "?"), ("by", "i8"), ("before", "i4"),
        ("after", "i4"),
    ]
)  # fmt: skip
"""The events of appeals that took a turn (domain.trials.replay.TURNS), in their order.

`moved`: a correction gave the appeal another service, and its clocks were begun anew. `by`: the
working time that a clock was given. `before`, `after`: the versions of the calendar of a clock that
was counted again; 0 elsewhere.
"""

TIMES = np.dtype(
    [
        ("place", "i4"), ("accepted", "i8"), ("answered", "i8"), ("reported", "i8"),
        ("done", "i8"),
    ]
)  # fmt: skip
"""What a plain life did, for stages that were not promised to it: when an executor took it or
the city said a public word, answered at first contact, first reported a stage, reported it done.
"""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some appeals with their clocks and, where a life took turns, with their acts.

    `times` are asked for after the rest, of those appeals alone that a draft promises more.
    """

    appeals: Columns
    clocks: Columns
    acts: Columns
    times: Columns = field(default_factory=lambda: np.empty(0, TIMES))


@dataclass(frozen=True)
class Codebook:
    """Which ordinal stands for which code or id."""

    services: Sequence[str]
    policies: Sequence[str]
    calendars: Sequence[str]
    districts: Sequence[str]
    organisations: Sequence[UUID]

    @cached_property
    def policy(self) -> Mapping[str, int]:
        """Ordinals of policies by code."""
        return ordinals(self.policies)

    @cached_property
    def organisation(self) -> Mapping[UUID, int]:
        """Ordinals of organisations by id."""
        return ordinals(self.organisations)


def ordinals(values: Sequence[Hashable]) -> Mapping[Any, int]:
    """The ordinal of each value."""
    return {value: number for number, value in enumerate(values, 1)}
