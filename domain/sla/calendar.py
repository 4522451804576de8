"""Working calendars: which minutes count towards a promise.

The Labour Code of Kazakhstan (23.11.2015 № 414-V, arts. 84, 85) names the public holidays and
lets the state's body for labour (until 2023 the Government) move days off; the national table comes
from the `holidays` library and the city's own row overrides it day by day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from domain.errors import Invalid
from domain.sla.holiday_names import holiday_name
from domain.sla.hours import WHOLE_DAY, decrees, overrides, usual_hours, week_of
from domain.sla.rows import Row
from domain.sla.timeline import Intervals, Timeline, instant, lay_out, micros, utc
from domain.values import LocalizedText

_MICROSECOND = timedelta(microseconds=1)
_HORIZON = 100
"""Years to look ahead for working time before calling a calendar empty."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working hours of a week in one zone, with the days that differ.

    `week` runs from Monday to Sunday; hours of a day ascend and do not overlap, and an end of
    00:00 is the end of that day. `working_days` wins over `days_off`. Around the clock, nothing
    but the passing of time matters. Answers are UTC.
    """

    code: str
    version: int
    zone: str
    week: tuple[Intervals, ...]
    days_off: frozenset[date]
    working_days: Mapping[date, Intervals] = field(hash=False)
    around_the_clock: bool
    names: LocalizedText = field(default_factory=dict, hash=False)
    holidays: Mapping[date, LocalizedText] = field(default_factory=dict, hash=False)
    """What the nation calls its days off, for those who ask why one did not count."""
    decrees: Mapping[date, str] = field(default_factory=dict, hash=False)
    """By whose word the city's own days off and worked days differ, where the row says so."""
    _years: dict[int, Timeline] = field(
        init=False, default_factory=dict, repr=False, compare=False, hash=False
    )

    def hours(self, day: date) -> Intervals:
        """The local opening hours of a date; () when nobody works."""
        if self.around_the_clock:
            return WHOLE_DAY
        worked = self.working_days.get(day)
        if worked is not None:
            return worked
        return () if day in self.days_off else self.week[day.weekday()]

    def made_working(self, day: date) -> bool:
        """Whether a date is worked by a word of its own: a decree's, or against its weekday or the
        nation's day off.
        """
        if self.around_the_clock or not self.working_days.get(day):
            return False
        return day in self.decrees or day in self.holidays or not self.week[day.weekday()]

    @property
    def in_days(self) -> bool:
        """Whether what is worked is whole days, so that its lengths are told in days."""
        return all(hours in ((), WHOLE_DAY) for hours in self.week)

    def add(self, start: datetime, amount: timedelta) -> datetime:
        """The first instant when `amount` of working time has passed after `start`.

        Nothing to pass is `start` itself. Raises Invalid when the calendar never works enough.
        """
        start = utc(start)
        if amount <= timedelta(0):
            return start
        if self.around_the_clock:
            return start + amount
        timeline = self._year(start.year)
        wanted = timeline.worked(micros(start)) + amount // _MICROSECOND
        year, idle = start.year, 0
        while wanted > timeline.total:
            wanted -= timeline.total
            idle = 0 if timeline.total else idle + 1
            year += 1
            timeline = self._ahead(year, idle)
        return instant(timeline.moment(wanted))

    def spent(self, start: datetime, end: datetime) -> timedelta:
        """Working time in [start, end); none when `end` is not after `start`."""
        start, end = utc(start), utc(end)
        if end <= start:
            return timedelta(0)
        if self.around_the_clock:
            return end - start
        worked = self._year(end.year).worked(micros(end))
        worked -= self._year(start.year).worked(micros(start))
        worked += sum(self._year(year).total for year in range(start.year, end.year))
        return timedelta(microseconds=worked)

    def is_working(self, at: datetime) -> bool:
        """Whether the instant counts."""
        at = utc(at)
        sought = micros(at)
        return self.around_the_clock or self._year(at.year).next_working(sought) == sought

    def next_working(self, at: datetime) -> datetime:
        """`at` when it counts, else the first instant after it that does.

        Raises Invalid when the calendar never works again.
        """
        at = utc(at)
        if self.around_the_clock:
            return at
        year, sought = at.year, micros(at)
        while (found := self._ahead(year, year - at.year).next_working(sought)) is None:
            year += 1
        return instant(found)

    def working(self, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """The working spans within [start, end), ascending: what `spent` adds up.

        A span over the UTC new year comes in two parts.
        """
        start, end = utc(start), utc(end)
        if self.around_the_clock:
            return ((start, end),) if start < end else ()
        low, high = micros(start), micros(end)
        return tuple(
            (instant(begin), instant(finish))
            for year in range(start.year, end.year + 1)
            for begin, finish in self._year(year).between(low, high)
        )

    def _year(self, year: int) -> Timeline:
        timeline = self._years.get(year)
        if timeline is None:
            timeline = self._years[year] = lay_out(year, self.zone, self.hours)
        return timeline

    def _ahead(self, year: int, idle: int) -> Timeline:
        if idle > _HORIZON or year >= date.max.year:
            raise Invalid.at("/hours", "no-working-time", calendar=self.code)
        return self._year(year)


@lru_cache(maxsize=256)
def _kazakhstan(year: int) -> tuple[Mapping[date, LocalizedText], frozenset[date]]:
    table = holidays.country_holidays("KZ", years=year, language="en_US")
    names = {day: holiday_name(name) for day, name in table.items()}
    # The library lists the worked weekends of every year that it knows.
    return names, frozenset(day for day in table.weekend_workdays if day.year == year)


def kazakhstan_holidays(years: Iterable[int]) -> dict[date, LocalizedText]:
    """Public holidays of Kazakhstan and the days off moved to weekdays, of whole years, named."""
    return {day: name for year in years for day, name in _kazakhstan(year)[0].items()}


def kazakhstan_working_days(years: Iterable[int]) -> frozenset[date]:
    """The weekend days of Kazakhstan that are worked in exchange for a moved day off."""
    return frozenset[date]().union(*(_kazakhstan(year)[1] for year in years))


def parse_calendar(
    row: Mapping[str, object], *, version: int, zone: str, years: Iterable[int]
) -> Calendar:
    """A calendar of the catalogue's YAML form, with national days off of `years`.

    `hours` maps `mon` or `mon-fri` to `HH:MM-HH:MM` intervals; `days_off` lists dates and
    `working_days` dates, or `{date, hours}`; both override the nation's. A worked day without
    hours of its own has those of its weekday, else of the week's first working day.
    Raises Invalid, every bad field named by its pointer.
    """
    fields = Row(row)
    fields.only("code", "names", "around_the_clock", "country", "hours", "days_off", "working_days")
    code, around_the_clock = fields.code("code"), fields.flag("around_the_clock")
    names = fields.texts("names") if fields.has("names") else {}
    _check_zone(fields, zone)
    week = (WHOLE_DAY,) * 7 if around_the_clock else week_of(fields)
    off, worked = overrides(fields, week)
    said = decrees(fields)
    named, national_worked = _national(fields, years)
    fields.refuse()
    usual = {day: usual_hours(week, day) for day in national_worked - off}
    days_off = off.union(named).difference(worked)
    return Calendar(
        code, version, zone, week, days_off, {**usual, **worked}, around_the_clock, names, named,
        said,
    )  # fmt: skip


def _check_zone(fields: Row, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fields.fault("zone", "unknown-value", value=zone)


def _national(
    fields: Row, years: Iterable[int]
) -> tuple[Mapping[date, LocalizedText], frozenset[date]]:
    if not fields.has("country"):
        return {}, frozenset()
    if (country := fields.source["country"]) != "KZ":
        fields.fault("country", "unknown-value", value=country, allowed=["KZ"])
    known = tuple(years)
    return kazakhstan_holidays(known), kazakhstan_working_days(known)
