"""What holds of every term of the law, whenever an appeal comes and whatever days are off."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.appeals import legal
from domain.law.counting import (
    after_working_days,
    end_of,
    is_working,
    last_day,
    months_after,
    received_on,
)
from domain.law.kinds import AppealKind
from domain.law.standing import Legal
from domain.reference import Promises
from domain.sla.calendar import Calendar
from domain.sla.counting import count, recompute
from domain.sla.policy import Stage
from tests.domain.law.make import law, promises, working

COMES = st.datetimes(datetime(2021, 7, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
DAYS = st.integers(1, 90)
DATES = st.dates(date(2021, 7, 1), date(2028, 12, 31))
KINDS = st.sampled_from(AppealKind)
CHANGES = st.frozensets(DATES, max_size=40)


def amended(changes: frozenset[date]) -> Calendar:
    """The working calendar with some days turned: off where they were worked, and worked where
    they were off.
    """
    former, hours = working(), working().week[0]
    turned = {day for day in changes if not is_working(day, former)}
    return replace(
        former,
        version=2,
        days_off=former.days_off | changes,
        working_days={
            **{d: h for d, h in former.working_days.items() if d not in changes},
            **dict.fromkeys(turned, hours),
        },
    )


def under(calendar: Calendar) -> Promises:
    known = promises()
    return replace(known, calendars={**known.calendars, (calendar.code, 2): calendar})


def stood(kind: AppealKind, at: datetime, agreed: Promises) -> Legal:
    calendar = agreed.calendar(law().receipt.calendar)
    day = received_on(at, law().receipt, calendar)
    return legal.settle(kind, law(), agreed, received=day, nameless=False, threat=False)


@settings(deadline=None)
@given(COMES, CHANGES)
def test_it_is_received_on_a_working_day_not_before_it_came(at, changes):
    calendar = amended(changes)
    day = received_on(at, law().receipt, calendar)
    assert is_working(day, calendar)
    assert end_of(day, calendar) > at


@settings(deadline=None)
@given(KINDS, COMES, CHANGES)
def test_a_term_is_never_shorter_than_its_days_and_ends_with_a_working_day(kind, at, changes):
    agreed = under(amended(changes))
    calendar = agreed.calendar(law().receipt.calendar)
    found = stood(kind, at, agreed)
    for clock in legal.begin(found, agreed, at=at):
        promise, counted = agreed.of(clock)
        days = promise.within.days
        last = last_day(found.received, days, counted, calendar)
        assert clock.due_at == end_of(last, calendar)
        assert is_working(last, calendar)
        assert last >= found.received + timedelta(days=days)
        assert clock.started_at == end_of(found.received, calendar)
        span = [found.received + timedelta(n) for n in range(1, (last - found.received).days + 1)]
        worked = sum(is_working(day, counted) for day in span)
        assert worked == days if counted.code == calendar.code else worked >= days


@settings(deadline=None)
@given(KINDS, COMES, st.timedeltas(timedelta(0), timedelta(days=40)), CHANGES)
def test_who_comes_later_is_not_due_earlier(kind, at, later, changes):
    agreed = under(amended(changes))
    first = legal.begin(stood(kind, at, agreed), agreed, at=at)
    second = legal.begin(stood(kind, at + later, agreed), agreed, at=at + later)
    for one, other in zip(first, second, strict=True):
        assert one.due_at <= other.due_at


@settings(deadline=None)
@given(DATES, DAYS, DAYS, CHANGES)
def test_more_days_are_more(day, days, more, changes):
    calendar = amended(changes)
    middle = after_working_days(day, days, calendar)
    assert after_working_days(day, days + more, calendar) == after_working_days(
        middle, more, calendar
    )
    assert after_working_days(day, days, calendar) >= day + timedelta(days=days)


@settings(deadline=None)
@given(DATES, DAYS, DATES)
def test_another_day_off_brings_no_term_nearer(day, days, off):
    calendar = working()
    fewer = replace(
        calendar,
        days_off=calendar.days_off | {off},
        working_days={d: h for d, h in calendar.working_days.items() if d != off},
    )
    assert after_working_days(day, days, fewer) >= after_working_days(day, days, calendar)


@settings(deadline=None)
@given(KINDS, COMES, CHANGES)
def test_counting_again_by_the_same_calendar_changes_nothing(kind, at, changes):
    agreed = under(amended(changes))
    for clock in legal.begin(stood(kind, at, agreed), agreed, at=at):
        promise, calendar = agreed.of(clock)
        assert count(clock.started_at, clock.target, (), calendar).due_at == clock.due_at
        assert recompute(clock, promise, calendar, waits=(), at=at) == clock


@settings(deadline=None)
@given(st.sampled_from([k for k in AppealKind if law().kinds[k].prolongable]), COMES, CHANGES)
def test_counted_again_by_a_changed_calendar_it_is_as_though_it_had_always_stood(kind, at, changes):
    """Of days after the receipt: who came before a decree is counted by it as who came after."""
    before = stood(kind, at, promises())
    later = frozenset(day for day in changes if day > before.received)
    # Where the zone set its clocks back a day has an hour more, which is not a day more.
    back = date(2024, 3, 1)
    horizon = before.received + timedelta(days=60)
    if before.received <= back <= horizon:
        return
    agreed = under(amended(later))
    for clock in legal.begin(before, promises(), at=at):
        promise, _ = promises().of(clock)
        calendar = agreed.calendar(clock.calendar)
        again = recompute(clock, promise, calendar, waits=(), at=at)
        fresh = {k.stage: k for k in legal.begin(before, agreed, at=at)}[clock.stage]
        assert again.due_at == fresh.due_at


@given(DATES, st.integers(1, 24))
def test_months_keep_the_day_where_the_month_has_it(day, count_):
    found = months_after(day, count_)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == count_
    assert found.day == day.day or (found + timedelta(days=1)).day == 1


def test_the_day_on_which_the_clocks_went_back_is_one_day():
    """Asia/Almaty left +06 at the end of 29 February 2024, which had 25 hours."""
    agreed = promises()
    found = legal.settle(
        AppealKind.APPLICATION, law(), agreed, received=date(2024, 2, 12), nameless=False,
        threat=False,
    )  # fmt: skip
    clock = next(
        c for c in legal.begin(found, agreed, at=datetime(2024, 2, 12, tzinfo=UTC))
        if c.stage is Stage.CONSIDER
    )  # fmt: skip
    assert clock.due_at == datetime(2024, 3, 4, 19, tzinfo=UTC)
    assert clock.target == timedelta(days=15, hours=1)
