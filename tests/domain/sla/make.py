"""Builders that hide what a test does not speak of, and the slow reference that it trusts."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.sla.calendar import Calendar, parse_calendar
from domain.sla.clock import Clock
from domain.sla.clock import start as start_clock
from domain.sla.policy import Escalation, Policy, Promise, Recipient, ReopenRule, Stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SHIFT = timedelta(hours=8)
OFFICE_HOURS = {"mon-fri": ["09:00-13:00", "14:00-18:00"]}
NAMES = {"kk": "Мерзім", "ru": "Срок", "en": "Term"}
LADDER = (
    Escalation(timedelta(0), Recipient.HEAD),
    Escalation(timedelta(hours=1), Recipient.INSPECTOR),
    Escalation(timedelta(hours=3), Recipient.AKIM),
)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def almaty(text: str) -> datetime:
    """A wall clock time in Semey, as the resident reads it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Almaty"))


def office(**fields: object) -> Calendar:
    row: dict[str, object] = {"code": "office-hours", "country": "KZ", "hours": OFFICE_HOURS}
    return parse_calendar(row | fields, version=1, zone="Asia/Almaty", years=range(2023, 2028))


def around_the_clock() -> Calendar:
    row = {"code": "around-the-clock", "around_the_clock": True}
    return parse_calendar(row, version=1, zone="Asia/Almaty", years=())


def promise(
    calendar: Calendar,
    *,
    within: timedelta = SHIFT,
    warn_before: timedelta | None = HOUR,
    reopen: ReopenRule = ReopenRule.REMAINING,
    at_least: timedelta = HOUR,
    emergency: bool = False,
    escalations: tuple[Escalation, ...] = LADDER,
) -> Promise:
    return Promise(
        Stage.RESOLVE, within, calendar.code, warn_before, reopen, at_least, emergency, escalations
    )


def started(kept: Promise, calendar: Calendar, at: datetime) -> Clock:
    policy = Policy("open-manhole", 3, NAMES, date(2026, 1, 1), (kept,))
    return start_clock(kept, policy, calendar, at=at)


def counts(calendar: Calendar, at: datetime) -> bool:
    """Whether the wall clock shows an opening hour: the definition, read off one instant."""
    shown = at.astimezone(ZoneInfo(calendar.zone))
    day = shown.date()
    intervals = calendar.working_days.get(day)
    if intervals is None:
        intervals = () if day in calendar.days_off else calendar.week[day.weekday()]
    wall = shown.time()
    return any(opens <= wall and (wall < ends or ends == time(0)) for opens, ends in intervals)


def walk(
    calendar: Calendar,
    start: datetime,
    amount: timedelta,
    pauses: Sequence[tuple[datetime, datetime]] = (),
) -> datetime:
    """Minute by minute from `start` until `amount` has been counted outside the pauses."""
    at, left = start.astimezone(UTC), amount // MINUTE
    while left:
        paused = any(begin <= at < end for begin, end in pauses)
        left -= counts(calendar, at) and not paused
        at += MINUTE
    return at


def tally(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """The minutes of [start, end) that count, one by one."""
    at, total = start.astimezone(UTC), timedelta(0)
    while at < end:
        total += MINUTE if counts(calendar, at) else timedelta(0)
        at += MINUTE
    return total
