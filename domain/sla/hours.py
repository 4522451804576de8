"""Opening hours as the catalogue writes them: `{mon-fri: ["09:00-13:00", "14:00-18:00"]}`."""

import re
from collections.abc import Mapping
from datetime import date, time
from itertools import pairwise

from domain.sla.rows import Row, day_of
from domain.sla.timeline import Intervals

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = time(0)
LONGEST_DECREE = 300
WHOLE_DAY: Intervals = ((MIDNIGHT, MIDNIGHT),)
_SHOWN = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_FORM = re.compile(rf"(?P<opens>{_SHOWN})-(?P<closes>(?!00:00){_SHOWN}|24:00)")


def usual_hours(week: tuple[Intervals, ...], day: date) -> Intervals:
    """The hours of a worked day that names none: its weekday's, else the first working day's."""
    return week[day.weekday()] or next((hours for hours in week if hours), ())


def week_of(fields: Row) -> tuple[Intervals, ...]:
    """The week of the field `hours`, Monday first; each weekday at most once."""
    week: dict[int, Intervals] = {}
    if not fields.required("hours"):
        return ((),) * 7
    hours = fields.row("hours")
    for name in hours.source:
        intervals = _intervals(hours, name)
        for day in _days_named(hours, name):
            if day in week:
                hours.fault(name, "repeated", day=WEEKDAYS[day])
            week[day] = intervals
    if not any(week.values()):
        fields.fault("hours", "no-working-time")
    return tuple(week.get(day, ()) for day in range(7))


def _days_named(hours: Row, name: str) -> range:
    first, _, last = str(name).partition("-")
    if first in WEEKDAYS and (last or first) in WEEKDAYS:
        days = range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1)
        if days:
            return days
    hours.fault(name, "weekday", allowed=list(WEEKDAYS))
    return range(0)


def _intervals(hours: Row, name: str) -> Intervals:
    found: list[tuple[time, time]] = []
    for pointer, text in hours.items(name):
        interval = _interval(text)
        if interval is None:
            hours.fault_at(pointer, "interval", value=text)
        else:
            found.append(interval)
    if any(early[1] == MIDNIGHT or early[1] > late[0] for early, late in pairwise(found)):
        hours.fault(name, "overlap")
    return tuple(found)


def _interval(text: object) -> tuple[time, time] | None:
    found = _FORM.fullmatch(str(text))
    if found is None:
        return None
    opens = time.fromisoformat(found["opens"])
    closes = MIDNIGHT if found["closes"] == "24:00" else time.fromisoformat(found["closes"])
    return (opens, closes) if opens < closes or closes == MIDNIGHT else None


def overrides(
    fields: Row, week: tuple[Intervals, ...]
) -> tuple[frozenset[date], dict[date, Intervals]]:
    """The city's own days off, and its worked days with their hours; no date may be both."""
    off = {_off(fields, pointer, item) for pointer, item in fields.items("days_off")}
    worked: dict[date, Intervals] = {}
    for pointer, item in fields.items("working_days"):
        day, hours = _worked(fields, pointer, item)
        if day is not None and day in off:
            fields.fault_at(pointer, "contradiction", date=day.isoformat())
        if day is not None:
            worked[day] = hours or usual_hours(week, day)
    return frozenset(day for day in off if day is not None), worked


def _worked(fields: Row, pointer: str, item: object) -> tuple[date | None, Intervals]:
    if not isinstance(item, Mapping):
        return _date(fields, pointer, item), ()
    row = Row(item, pointer, fields.faults)
    row.only("date", "hours", "decree")
    return row.day("date"), _intervals(row, "hours")


def _off(fields: Row, pointer: str, item: object) -> date | None:
    if not isinstance(item, Mapping):
        return _date(fields, pointer, item)
    row = Row(item, pointer, fields.faults)
    row.only("date", "decree")
    return row.day("date")


def decrees(fields: Row) -> dict[date, str]:
    """Why days differ: the decree beside a date of `days_off` or `working_days`, where one is."""
    found: dict[date, str] = {}
    for name in ("days_off", "working_days"):
        for pointer, item in fields.items(name):
            if not isinstance(item, Mapping) or (said := item.get("decree")) is None:
                continue
            if not isinstance(said, str) or not 0 < len(said.strip()) <= LONGEST_DECREE:
                fields.fault_at(f"{pointer}/decree", "text")
            elif (day := day_of(item.get("date"))) is not None:
                found[day] = said
    return found


def _date(fields: Row, pointer: str, item: object) -> date | None:
    found = day_of(item)
    if found is None:
        fields.fault_at(pointer, "date", value=item)
    return found
