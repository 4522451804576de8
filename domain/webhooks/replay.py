"""What is sent again: one delivery, everything since a time, or all that was missed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

KEPT = timedelta(days=90)
"""How long deliveries and their tries are kept, from their end on; so long they may be sent
again.
"""


@dataclass(frozen=True, slots=True)
class Replay:
    """Which finished deliveries of an endpoint go out again.

    `missed` ones alone (exhausted, or cancelled since the endpoint was disabled or gone), or all;
    those created at `since` or later and before `until`, of these types where any are named.
    `dry_run` only counts them.
    """

    MOST: ClassVar[int] = 20_000
    """That one order may send again: the oldest of what was missed, and then the next."""

    missed: bool
    since: datetime | None = None
    until: datetime | None = None
    event_types: frozenset[str] = field(default=frozenset())
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many there were, and how many are on their way again."""

    found: int
    sent: int


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which deliveries of an endpoint the log shows; what is None or empty does not narrow.

    `status` is the HTTP status of any of its tries, `appeal` a registration number.
    """

    states: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    appeal: str | None = None
    status: int | None = None
    since: datetime | None = None
    until: datetime | None = None
