"""How the law counts days: from the day of receipt, by whole days of the working calendar.

The first day of a term is the day after receipt, the last one counts to its end (24:00 of the
city's clock; the national register stores it as 23:59:59). Days are counted as days: where a
zone sets its clocks back, that day has an hour more and still is one.
"""

import calendar as months
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.errors import Invalid
from domain.law.model import Receipt
from domain.sla.calendar import Calendar

DAY = timedelta(days=1)
_HORIZON = 366
"""Days without a working one among them, before a calendar is called empty."""


def is_working(day: date, calendar: Calendar) -> bool:
    """Whether anybody works on a day."""
    return bool(calendar.hours(day))


def next_working_day(day: date, calendar: Calendar) -> date:
    """The day itself, or the nearest working one after it. Raises Invalid where there is none."""
    for ahead in range(_HORIZON):
        found = day + ahead * DAY
        if is_working(found, calendar):
            return found
    raise Invalid.at("/hours", "no-working-time", calendar=calendar.code)


def after_working_days(day: date, count: int, calendar: Calendar) -> date:
    """The `count`-th working day after a day, which is not counted itself."""
    for _ in range(count):
        day = next_working_day(day + DAY, calendar)
    return day


def received_on(at: datetime, receipt: Receipt, calendar: Calendar) -> date:
    """The day on which what came at an instant counts as received (Art. 64)."""
    shown = at.astimezone(ZoneInfo(calendar.zone))
    day = shown.date()
    late = shown.time() > receipt.until
    return next_working_day(day + DAY if late else day, calendar)


def end_of(day: date, calendar: Calendar) -> datetime:
    """24:00 of a day by the calendar's zone, as UTC."""
    zone = ZoneInfo(calendar.zone)
    return datetime.combine(day + DAY, time(0), zone).astimezone(UTC)


def last_day(received: date, days: int, calendar: Calendar, working: Calendar) -> date:
    """The last day of a term of `days` after receipt.

    Counted by `calendar`; one that counts every day ends on the nearest working day where its
    last day is none of `working`.
    """
    if calendar.code == working.code:
        return after_working_days(received, days, working)
    last = after_working_days(received, days, calendar)
    return next_working_day(last, working)


def months_after(day: date, count: int) -> date:
    """The same day `count` months on; the last of that month where it has no such day."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))
