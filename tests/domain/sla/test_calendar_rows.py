from datetime import date, time

import pytest

from domain.errors import Invalid
from domain.sla.calendar import Calendar, parse_calendar
from tests.domain.sla.make import NAMES, OFFICE_HOURS, office


def refused(row: dict[str, object], zone: str = "Asia/Almaty") -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        parse_calendar(row, version=1, zone=zone, years=[2026])
    return {(fault.pointer, fault.rule) for fault in refusal.value.faults}


def read(hours: dict[str, list[str]]) -> Calendar:
    row = {"code": "shift", "names": NAMES, "hours": hours}
    return parse_calendar(row, version=4, zone="Asia/Qostanay", years=[2026])


def test_a_row_becomes_a_week() -> None:
    calendar = read({"mon-tue": ["08:00-12:00", "13:00-17:00"], "sat": ["20:00-24:00"]})
    day = ((time(8), time(12)), (time(13), time(17)))
    assert calendar.week == (day, day, (), (), (), ((time(20), time(0)),), ())
    assert (calendar.code, calendar.version, calendar.zone) == ("shift", 4, "Asia/Qostanay")
    assert not calendar.days_off
    assert not calendar.around_the_clock


def test_a_worked_day_without_hours_has_those_of_a_working_day() -> None:
    calendar = office(working_days=[date(2026, 5, 16)])
    assert calendar.working_days[date(2026, 5, 16)] == calendar.week[0]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"code": "Office Hours"}, ("/code", "code")),
        ({"code": None}, ("/code", "required")),
        ({"names": {"kk": "а", "ru": " ", "en": "a"}}, ("/names/ru", "text")),
        ({"country": "AT"}, ("/country", "unknown-value")),
        ({"around_the_clock": "yes"}, ("/around_the_clock", "type")),
        ({"hours": None}, ("/hours", "required")),
        ({"hours": {}}, ("/hours", "no-working-time")),
        ({"hours": ["09:00-18:00"]}, ("/hours", "type")),
        ({"hours": {"monday": ["09:00-18:00"]}}, ("/hours/monday", "weekday")),
        ({"hours": {"fri-mon": ["09:00-18:00"]}}, ("/hours/fri-mon", "weekday")),
        ({"hours": {"mon": "09:00-18:00"}}, ("/hours/mon", "type")),
        ({"hours": {"mon": ["9-18"]}}, ("/hours/mon/0", "interval")),
        ({"hours": {"mon": ["18:00-09:00"]}}, ("/hours/mon/0", "interval")),
        ({"hours": {"mon": ["22:00-00:00"]}}, ("/hours/mon/0", "interval")),
        ({"hours": {"mon": ["09:00-13:00", "12:00-18:00"]}}, ("/hours/mon", "overlap")),
        ({"hours": {"mon": ["20:00-24:00", "09:00-18:00"]}}, ("/hours/mon", "overlap")),
        ({"hours": {"mon-fri": ["09:00-10:00"], "wed": []}}, ("/hours/wed", "repeated")),
        ({"days_off": ["2026-02-30"]}, ("/days_off/0", "date")),
        ({"days_off": "2026-02-03"}, ("/days_off", "type")),
        ({"working_days": [7]}, ("/working_days/0", "date")),
        ({"working_days": [{"date": "soon"}]}, ("/working_days/0/date", "date")),
        (
            {"working_days": [{"date": "2026-05-16", "hours": ["noon"]}]},
            ("/working_days/0/hours/0", "interval"),
        ),
        (
            {"days_off": ["2026-05-16"], "working_days": ["2026-05-16"]},
            ("/working_days/0", "contradiction"),
        ),
        ({"holidays": []}, ("/holidays", "unknown")),
    ],
)
def test_a_bad_field_is_named(change: dict[str, object], fault: tuple[str, str]) -> None:
    row: dict[str, object] = {"code": "office-hours", "country": "KZ", "hours": OFFICE_HOURS}
    assert fault in refused(row | change)


def test_every_bad_field_is_named_at_once() -> None:
    row: dict[str, object] = {"code": "?", "hours": {"mon": ["x"]}, "days_off": [1]}
    assert {pointer for pointer, _ in refused(row)} >= {"/code", "/hours/mon/0", "/days_off/0"}


@pytest.mark.parametrize("zone", ["Asia/Semey", "", "../etc", "/etc/passwd"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    row: dict[str, object] = {"code": "around-the-clock", "around_the_clock": True}
    assert refused(row, zone) == {("/zone", "unknown-value")}
