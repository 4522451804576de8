"""Durations as ISO 8601 writes them, in the exact units only: weeks, days, hours, minutes, seconds.

Years and months are refused, for their length depends on the date; a day is 24 hours of the
calendar that counts it.
"""

import re
from datetime import timedelta

from domain.errors import Invalid

LONGEST = timedelta(days=3650)
"""No promise of the city outlives ten years; longer is a slip of the pen."""

_FORM = re.compile(
    r"P(?=[0-9]|T[0-9])"
    r"(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,9})(?:\.(?P<fraction>[0-9]{1,6}))?S)?)?"
)


def parse_duration(text: str) -> timedelta:
    """`PT3H`, `P1D`, `PT40H`, `P1DT12H30M` as elapsed time, from zero to ten years.

    Raises Invalid at '' with rule `duration` (not of the form) or `out-of-range`.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise Invalid.at("", "duration", value=text)
    parts = found.groupdict(default="0")
    fraction = parts.pop("fraction").ljust(6, "0")
    amount = timedelta(
        microseconds=int(fraction), **{unit: int(count) for unit, count in parts.items()}
    )
    if amount > LONGEST:
        raise Invalid.at("", "out-of-range", value=text, maximum=format_duration(LONGEST))
    return amount


def format_duration(amount: timedelta) -> str:
    """The shortest exact form: whole days as `P7D`, everything else in hours, as `PT40H`.

    `parse_duration` reads it back unchanged. Raises ValueError below zero.
    """
    if amount < timedelta(0):
        raise ValueError("a duration is not below zero")
    if amount and not amount % timedelta(days=1):
        return f"P{amount.days}D"
    minutes, rest = divmod(amount, timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + _seconds(rest)
    return f"PT{text or '0S'}"


def _seconds(rest: timedelta) -> str:
    if not rest:
        return ""
    fraction = f".{rest.microseconds:06d}".rstrip("0") if rest.microseconds else ""
    return f"{rest.seconds}{fraction}S"
