"""Moments of the register in milliseconds of Unix time, as an event's id tells when it was made.

Not an event's `at`: that is the city's time, which a demonstration runs faster than the clock.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253402300799999
"""Of the year 9999. 48 bits hold more than a calendar does."""


def written(identity: str) -> int:
    """When an event was written: the first 48 bits of its UUIDv7. Raises ValueError."""
    if len(identity) != 36 or identity[14] != "7":
        raise ValueError("an id that tells no time")
    return int(identity[:8] + identity[9:13], 16)


def milliseconds(span: datetime | timedelta) -> int:
    """A moment, or a span of time."""
    if isinstance(span, datetime):
        span -= _EPOCH
    return span // timedelta(milliseconds=1)


def told(moment: int) -> str:
    """The moment, for people."""
    return f"{_EPOCH + timedelta(milliseconds=min(moment, _LAST)):%Y-%m-%d %H:%M:%S} UTC"
