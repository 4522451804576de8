"""How much a client may ask."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """A client's own limits: requests a minute, and a day (UTC); None: none."""

    per_minute: int | None = None
    per_day: int | None = None
