from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from domain.errors import Invalid
from domain.sla.calendar import Calendar, kazakhstan_holidays, kazakhstan_working_days
from tests.domain.sla.make import almaty, around_the_clock, hours, office

NIGHTLY = ((time(22), time(0)),)


def nights(zone: str) -> Calendar:
    """Somebody works from 22:00 to midnight, every day, where zones like to change."""
    return Calendar("nights", 1, zone, (NIGHTLY,) * 7, frozenset(), {}, False)


def test_a_weekend_does_not_spend_the_promise() -> None:
    assert office().add(almaty("2026-04-03 16:00"), hours(8)) == almaty("2026-04-06 16:00")


def test_the_lunch_hour_does_not_count() -> None:
    assert office().spent(almaty("2026-04-06 12:30"), almaty("2026-04-06 14:30")) == hours(1)


def test_a_promise_that_ends_with_the_day_is_due_that_evening() -> None:
    assert office().add(almaty("2026-04-06 09:00"), hours(8)) == almaty("2026-04-06 18:00")


def test_nauryz_stops_the_office_but_not_the_emergency_crew() -> None:
    friday = almaty("2026-03-20 17:00")
    assert office().add(friday, hours(2)) == almaty("2026-03-26 10:00")
    assert around_the_clock().add(friday, hours(2)) == almaty("2026-03-20 19:00")


def test_a_moved_day_off_and_its_worked_saturday_are_known() -> None:
    assert date(2024, 5, 8) in kazakhstan_holidays([2024])
    assert date(2024, 5, 4) in kazakhstan_working_days([2024])
    assert kazakhstan_working_days([2025]) == {date(2025, 1, 5)}
    assert office().spent(almaty("2024-05-04 00:00"), almaty("2024-05-05 00:00")) == hours(8)
    assert office().spent(almaty("2024-05-08 00:00"), almaty("2024-05-09 00:00")) == hours(0)


def test_a_worked_december_weekend_belongs_to_its_own_year() -> None:
    assert date(2013, 12, 28) in kazakhstan_working_days([2013])
    assert date(2013, 12, 28) not in kazakhstan_working_days([2014])


def test_the_city_overrides_the_nation_day_by_day() -> None:
    calendar = office(
        days_off=[date(2026, 8, 31), "2024-05-04"],
        working_days=["2026-03-24", {"date": "2026-05-16", "hours": ["10:00-12:00"]}],
    )

    def worked(day: str) -> timedelta:
        return calendar.spent(almaty(f"{day} 00:00"), almaty(f"{day} 23:59"))

    assert worked("2026-08-31") == hours(0)
    assert worked("2024-05-04") == hours(0)
    assert worked("2026-03-24") == hours(8)
    assert worked("2026-05-16") == hours(2)


def test_the_zone_of_2024_gives_the_night_shift_its_hour_back() -> None:
    """Almaty went from +6 to +5 at midnight before 1 March 2024: 23:00 was shown twice."""
    calendar = nights("Asia/Almaty")
    begin = datetime(2024, 2, 29, 16, tzinfo=UTC)
    assert calendar.spent(begin, begin + hours(12)) == hours(3)
    assert calendar.add(begin, hours(3)) == datetime(2024, 2, 29, 19, tzinfo=UTC)


def test_office_hours_follow_the_wall_clock_through_the_change_of_zone() -> None:
    thursday = datetime(2024, 2, 29, 11, tzinfo=UTC)
    assert office().add(thursday, hours(2)) == datetime(2024, 3, 1, 5, tzinfo=UTC)


def test_an_hour_that_no_clock_shows_is_not_worked() -> None:
    calendar = replace(nights("Europe/Berlin"), week=(((time(1), time(4)),),) * 7)
    begin = datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert calendar.spent(begin - hours(2), begin + hours(6)) == hours(2)


def test_nothing_to_count_is_due_at_once_even_at_night() -> None:
    night = almaty("2026-04-05 03:00")
    assert office().add(night, hours(0)) == night
    assert office().spent(night, night - hours(30)) == hours(0)


def test_the_office_opens_when_it_opens() -> None:
    calendar = office()
    assert calendar.is_working(almaty("2026-04-06 09:00"))
    assert not calendar.is_working(almaty("2026-04-06 13:00"))
    assert not calendar.is_working(almaty("2026-04-06 18:00"))
    assert calendar.next_working(almaty("2026-04-03 18:00")) == almaty("2026-04-06 09:00")
    assert calendar.next_working(almaty("2026-04-06 10:11")) == almaty("2026-04-06 10:11")
    assert calendar.next_working(almaty("2026-12-31 19:00")) == almaty("2027-01-05 09:00")


def test_each_counted_span_can_be_shown() -> None:
    spans = office().working(almaty("2026-04-03 17:00"), almaty("2026-04-06 13:30"))
    assert spans == (
        (almaty("2026-04-03 17:00"), almaty("2026-04-03 18:00")),
        (almaty("2026-04-06 09:00"), almaty("2026-04-06 13:00")),
    )


def test_answers_are_in_utc() -> None:
    moment = almaty("2026-04-03 16:00")
    for calendar in (office(), around_the_clock()):
        assert calendar.add(moment, hours(1)).tzinfo is UTC
        assert calendar.add(moment, hours(0)).tzinfo is UTC
        assert calendar.next_working(moment).tzinfo is UTC


@pytest.mark.parametrize("calendar", [office(), around_the_clock()], ids=lambda kept: kept.code)
def test_a_time_without_a_zone_is_refused(calendar: Calendar) -> None:
    with pytest.raises(ValueError, match="zone"):
        calendar.add(datetime(2026, 4, 3, 16), hours(1))


def test_a_calendar_that_never_works_refuses_instead_of_searching_forever() -> None:
    empty = replace(nights("Asia/Almaty"), week=((),) * 7)
    with pytest.raises(Invalid):
        empty.add(almaty("2026-04-03 16:00"), hours(1))
    with pytest.raises(Invalid):
        empty.next_working(almaty("2026-04-03 16:00"))


def test_a_single_worked_day_far_ahead_is_found() -> None:
    worked = {date(2031, 6, 1): ((time(9), time(18)),)}
    sparse = replace(nights("Asia/Almaty"), week=((),) * 7, working_days=worked)
    assert sparse.add(almaty("2026-04-03 16:00"), hours(2)) == almaty("2031-06-01 11:00")


def test_an_hour_a_week_keeps_even_a_promise_of_a_century() -> None:
    rare = replace(nights("Asia/Almaty"), week=(((time(9), time(10)),), *[()] * 6))
    start = almaty("2026-04-06 09:00")
    assert rare.add(start, hours(6000)) == start + timedelta(weeks=5999) + hours(1)


def test_months_of_working_time_add_up() -> None:
    calendar = office()
    start = almaty("2024-01-01 00:00")
    due = calendar.add(start, hours(4000))
    assert calendar.spent(start, due) == hours(4000)
    assert due > almaty("2025-11-01 00:00")


def test_calendars_of_the_same_row_are_equal_whatever_they_were_asked() -> None:
    asked, fresh = office(), office()
    asked.add(almaty("2026-04-03 16:00"), hours(80))
    assert asked == fresh
    assert hash(asked) == hash(fresh)
