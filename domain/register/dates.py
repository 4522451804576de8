"""When events say that they happened, against when they were written: nobody dates one back.

A register where an answer could be written on Friday and dated Monday would prove nothing of a
promise. When an event was written its id tells, and the log's order bounds the id: what was sealed
before it was not written long after it. When it happened its `at` says, which is the city's time.
"""

from dataclasses import dataclass
from datetime import timedelta

from domain.register.moments import milliseconds, told

TOLERANCE = timedelta(minutes=10)
"""How long after its writing an event may wait for its leaf, and a leaf for its checkpoint, while
others that are younger have theirs; and how far apart its writing and its own time may be.

A transaction ends within a minute or so (each statement may last 15 seconds, a pause between two
30), and five minutes is the longest that a scheduler may be told to wait between checkpoints.
"""

_LATE = milliseconds(TOLERANCE)
_REAL = milliseconds(timedelta(minutes=1))


@dataclass(slots=True)
class Past:
    """What an appeal's chain told last: when that happened, and an incident that it named."""

    at: int = 0
    incident: str | None = None


@dataclass(slots=True)
class Dates:
    """Takes the events of a log in its order, in milliseconds of Unix time.

    A demonstration runs the city's time faster than the clock, so `at` is held to the writing from
    ten minutes on after the first event whose two times are the same.
    """

    followed: int = 0
    """Steps that follow an act of their incident and are dated by it, more than ten minutes before
    they were written: late in honesty, or by the word of a history that nobody chained."""
    _youngest: int = 0
    _real: int = 0

    def fault(
        self, past: Past, *, sealed: bool, written: int, at: int, incident: str | None
    ) -> str | None:
        """Why the event cannot have been when it says, in words; None if it can."""
        known, before = past.incident, past.at
        past.at, past.incident = max(at, before), incident or known
        lag = written - at
        if self._real and written - self._real > _LATE and abs(lag) > _LATE:
            # What an appeal does after an act of its incident is dated by that act, however late
            # it follows; not before what happened to it since (domain/incidents/following.py).
            follows = incident is not None and incident == known and lag > 0
            if not follows or at < before - _LATE:
                return f"it says that it happened {told(at)}, and was written {told(written)}"
            self.followed += 1
        if abs(lag) <= _REAL and not self._real:
            self._real = written
        if not sealed:
            return None
        youngest, self._youngest = self._youngest, max(self._youngest, written)
        if youngest - written > _LATE:
            return f"its id is of {told(written)}, and a leaf before it of {told(youngest)}"
        return None
