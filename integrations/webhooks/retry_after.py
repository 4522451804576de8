"""The Retry-After header: a number of seconds or a date (RFC 9110, section 10.2.3)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,18}")
_LONGEST = timedelta(days=365)


def parse_retry_after(value: str | None, at: datetime) -> timedelta | None:
    """The wait that the header asks for, counted from `at`; None if absent or unreadable.

    Dates in the past ask for no wait; waits are cut to a year, beyond which nobody means it.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=min(int(text), int(_LONGEST.total_seconds())))
    date = _date(text)
    return None if date is None else min(max(date - at, timedelta(0)), _LONGEST)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
