"""The period that figures are of, where the caller names one or leaves it to the usual."""

from datetime import datetime, timedelta

from api.rest.operation import malformed

USUAL = timedelta(days=30)
LONGEST = timedelta(days=366)


def period(
    begin: datetime | None, end: datetime | None, at: datetime, name: str
) -> tuple[datetime, datetime]:
    """From when on and until when: to now, from 30 days before the end, unless told. Raises
    Malformed at the parameter `name` for more than a year.
    """
    last = end or at
    first = begin or last - USUAL
    if last - first > LONGEST:
        raise malformed("query", f"/{name}", "period-too-long", days=LONGEST.days)
    return first, last
