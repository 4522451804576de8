"""What is sent again: one delivery, everything since a time, all that was missed, or waits."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

KEPT = timedelta(days=90)
"""How long deliveries and their tries are kept, from their end on; so long they may be sent
again.
"""

MOST_TRIES = 200
"""Tries of a delivery after which nobody sends it again: who asks for it each hour would fill the
log with answers of one receiver.
"""


class What(StrEnum):
    """Which deliveries: what its endpoint did not get (exhausted, or cancelled since it was
    disabled or gone), what waits for its next try, everything that is over.
    """

    MISSED = "missed"
    WAITING = "waiting"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Replay:
    """Which deliveries of an endpoint go out again, or at once: those created at `since` or later
    and before `until`, of these types where any are named; none that was tried MOST_TRIES times.
    `dry_run` only counts them.
    """

    MOST: ClassVar[int] = 20_000
    """That one order may send again: the oldest of what was missed or waits, and then the next."""

    what: What
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

    `status` is the HTTP status of any of its tries, `appeal` a registration number, `message` the
    id that its receiver was given (`webhook-id`).
    """

    states: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    appeal: str | None = None
    status: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    message: UUID | None = None
