"""Deadlines worked out by hand from the articles, so that a lawyer can check each line.

A line tells: the article; the kind; when it came by the city's wall clock; the day on which it
counts as received; the days that were counted, in months; the last day, which counts to 24:00.
What a month leaves out are weekends and days off. They are named where they decide:

2024: off 8.03, 21-22.03, 25.03 (for Saturday 23.03), 1.05, 7.05, 8.05 (worked on Saturday 4.05),
9.05, 8.07 (for Saturday 6.07), 30.08, 25.10, 16.12. 2025: off 1-2.01, 3.01 (worked on Sunday
5.01), 7.01, 10.03 (for Saturday 8.03), 21.03, 24-25.03 (for 22 and 23.03), 1.05, 7.05, 9.05, 6.06
(Kurban Ait), 7.07 (for Sunday 6.07), 1.09 (for Saturday 30.08), 27.10 (for Saturday 25.10), 16.12.
2026: off 1-2.01, 7.01, 9.03 (for Sunday 8.03), 23.03, 24-25.03 (for 21 and 22.03), 1.05, 7.05,
11.05 (for Saturday 9.05), 27.05 (Kurban Ait), 6.07, 26.10 (for Sunday 25.10), 16.12; 31.08 is
worked, since Constitution Day is no longer 30.08. 2027: off 1.01, 4.01 (for Saturday 2.01), 7.01.
"""

from datetime import date, timedelta
from typing import NamedTuple

import pytest

from domain.law.counting import is_working
from domain.law.kinds import AppealKind
from domain.sla.policy import Stage
from tests.domain.law.make import clocks, law, promises, shown, standing, working

K = AppealKind
CONSIDER, REDIRECT = Stage.CONSIDER, Stage.REDIRECT


class Case(NamedTuple):
    """One appeal and what the law makes of it."""

    article: str
    kind: AppealKind
    came: str
    received: str
    counted: str
    last: str
    stage: Stage = CONSIDER


CASES = [
    # Art. 76: fifteen working days, the first of them the day after receipt.
    Case("АППК 76", K.APPLICATION, "2024-02-12 10:00", "2024-02-12",
         "2024-02: 13-16 19-23 26-29 | 2024-03: 1 4", "2024-03-04"),
    Case("АППК 76", K.APPLICATION, "2024-03-01 11:00", "2024-03-01",
         "2024-03: 4-7 11-15 18-20 26-28", "2024-03-28"),
    Case("АППК 76", K.MESSAGE, "2024-03-06 09:00", "2024-03-06",
         "2024-03: 7 11-15 18-20 26-29 | 2024-04: 1 2", "2024-04-02"),
    # Saturday 4 May 2024 is worked, Wednesday 8 May is not.
    Case("АППК 76", K.APPLICATION, "2024-04-22 15:00", "2024-04-22",
         "2024-04: 23-26 29 30 | 2024-05: 2-4 6 10 13-16", "2024-05-16"),
    Case("АППК 76", K.PROPOSAL, "2024-07-01 12:00", "2024-07-01",
         "2024-07: 2-5 9-12 15-19 22 23", "2024-07-23"),
    Case("АППК 76", K.REQUEST, "2024-08-26 12:00", "2024-08-26",
         "2024-08: 27-29 | 2024-09: 2-6 9-13 16 17", "2024-09-17"),
    # Over New Year: Friday 3 January 2025 is off, Sunday 5 January is worked and ends the term.
    Case("АППК 76", K.APPLICATION, "2024-12-10 10:00", "2024-12-10",
         "2024-12: 11-13 17-20 23-27 30 31 | 2025-01: 5", "2025-01-05"),
    Case("АППК 76", K.APPLICATION, "2024-12-25 10:00", "2024-12-25",
         "2024-12: 26 27 30 31 | 2025-01: 5 6 8-10 13-17 20", "2025-01-20"),
    Case("АППК 76", K.RESPONSE, "2025-03-06 10:00", "2025-03-06",
         "2025-03: 7 11-14 17-20 26-28 31 | 2025-04: 1 2", "2025-04-02"),
    Case("АППК 76", K.APPLICATION, "2025-03-17 18:30", "2025-03-17",
         "2025-03: 18-20 26-28 31 | 2025-04: 1-4 7-10", "2025-04-10"),
    Case("АППК 76", K.APPLICATION, "2025-05-05 08:00", "2025-05-05",
         "2025-05: 6 8 12-16 19-23 26-28", "2025-05-28"),
    Case("АППК 76", K.MESSAGE, "2025-06-02 10:00", "2025-06-02",
         "2025-06: 3-5 9-13 16-20 23 24", "2025-06-24"),
    Case("АППК 76", K.APPLICATION, "2025-12-15 10:00", "2025-12-15",
         "2025-12: 17-19 22-26 29-31 | 2026-01: 5 6 8 9", "2026-01-09"),
    Case("АППК 76", K.APPLICATION, "2026-01-05 10:00", "2026-01-05",
         "2026-01: 6 8 9 12-16 19-23 26 27", "2026-01-27"),
    Case("АППК 76", K.APPLICATION, "2026-02-27 10:00", "2026-02-27",
         "2026-03: 2-6 10-13 16-20 26", "2026-03-26"),
    Case("АППК 76", K.PROPOSAL, "2026-03-16 10:00", "2026-03-16",
         "2026-03: 17-20 26 27 30 31 | 2026-04: 1-3 6-9", "2026-04-09"),
    Case("АППК 76", K.APPLICATION, "2026-05-04 10:00", "2026-05-04",
         "2026-05: 5 6 8 12-15 18-22 25 26 28", "2026-05-28"),
    # Monday 31 August 2026 is worked.
    Case("АППК 76", K.APPLICATION, "2026-08-20 10:00", "2026-08-20",
         "2026-08: 21 24-28 31 | 2026-09: 1-4 7-10", "2026-09-10"),
    Case("АППК 76", K.APPLICATION, "2026-10-21 10:00", "2026-10-21",
         "2026-10: 22 23 27-30 | 2026-11: 2-6 9-12", "2026-11-12"),
    Case("АППК 76", K.REQUEST, "2026-11-27 10:00", "2026-11-27",
         "2026-11: 30 | 2026-12: 1-4 7-11 14 15 17 18 21", "2026-12-21"),
    # Art. 64: what comes after hours or on a day off is received on the nearest working day.
    Case("АППК 64, 76", K.APPLICATION, "2025-05-02 18:31", "2025-05-05",
         "2025-05: 6 8 12-16 19-23 26-28", "2025-05-28"),
    Case("АППК 64, 76", K.APPLICATION, "2026-01-01 00:30", "2026-01-05",
         "2026-01: 6 8 9 12-16 19-23 26 27", "2026-01-27"),
    Case("АППК 64, 76", K.APPLICATION, "2026-05-01 12:00", "2026-05-04",
         "2026-05: 5 6 8 12-15 18-22 25 26 28", "2026-05-28"),
    Case("АППК 64, 76", K.MESSAGE, "2024-02-10 12:00", "2024-02-12",
         "2024-02: 13-16 19-23 26-29 | 2024-03: 1 4", "2024-03-04"),
    # A Sunday that is worked receives like any other day.
    Case("АППК 64, 76", K.APPLICATION, "2025-01-05 10:00", "2025-01-05",
         "2025-01: 6 8-10 13-17 20-24 27", "2025-01-27"),
    Case("АППК 64, 76", K.APPLICATION, "2025-01-02 10:00", "2025-01-05",
         "2025-01: 6 8-10 13-17 20-24 27", "2025-01-27"),
    # Art. 99: a complaint has twenty.
    Case("АППК 99", K.COMPLAINT, "2024-06-24 10:00", "2024-06-24",
         "2024-06: 25-28 | 2024-07: 1-5 9-12 15-19 22 23", "2024-07-23"),
    Case("АППК 99", K.COMPLAINT, "2025-10-20 10:00", "2025-10-20",
         "2025-10: 21-24 28-31 | 2025-11: 3-7 10-14 17 18", "2025-11-18"),
    Case("АППК 99", K.COMPLAINT, "2025-12-22 10:00", "2025-12-22",
         "2025-12: 23-26 29-31 | 2026-01: 5 6 8 9 12-16 19-22", "2026-01-22"),
    Case("АППК 99", K.COMPLAINT, "2026-06-29 10:00", "2026-06-29",
         "2026-06: 30 | 2026-07: 1-3 7-10 13-17 20-24 27 28", "2026-07-28"),
    Case("АППК 99", K.COMPLAINT, "2026-12-10 19:00", "2026-12-11",
         "2026-12: 14 15 17 18 21-25 28-31 | 2027-01: 5 6 8 11-14", "2027-01-14"),
    # A complaint about a state service has five, a request of the media seven.
    Case("Law № 88-V, 25", K.COMPLAINT_STATE_SERVICE, "2024-03-15 10:00", "2024-03-15",
         "2024-03: 18-20 26 27", "2024-03-27"),
    Case("Law № 88-V, 25", K.COMPLAINT_STATE_SERVICE, "2024-05-03 10:00", "2024-05-03",
         "2024-05: 4 6 10 13 14", "2024-05-14"),
    Case("Law № 88-V, 25", K.COMPLAINT_STATE_SERVICE, "2025-12-12 10:00", "2025-12-12",
         "2025-12: 15 17-19 22", "2025-12-22"),
    Case("Law № 88-V, 25", K.COMPLAINT_STATE_SERVICE, "2026-05-20 10:00", "2026-05-20",
         "2026-05: 21 22 25 26 28", "2026-05-28"),
    Case("Law on mass media", K.REQUEST_MEDIA, "2024-10-21 10:00", "2024-10-21",
         "2024-10: 22-24 28-31", "2024-10-31"),
    Case("Law on mass media", K.REQUEST_MEDIA, "2025-04-28 10:00", "2025-04-28",
         "2025-04: 29 30 | 2025-05: 2 5 6 8 12", "2025-05-12"),
    Case("Law on mass media", K.REQUEST_MEDIA, "2026-03-18 10:00", "2026-03-18",
         "2026-03: 19 20 26 27 30 31 | 2026-04: 1", "2026-04-01"),
    Case("Law № 176-VI", K.REQUEST_LAWYER, "2026-04-27 10:00", "2026-04-27",
         "2026-04: 28-30 | 2026-05: 4-6 8 12-14", "2026-05-14"),
    Case("Law № 261-IV", K.REQUEST_BAILIFF, "2025-12-31 10:00", "2025-12-31",
         "2026-01: 5 6 8", "2026-01-08"),
    Case("Tax Code", K.COMPLAINT_TAXPAYER, "2026-01-05 10:00", "2026-01-05",
         "2026-01: 6 8 9 12-16 19-23 26-30 | 2026-02: 2-6 9-13 16 17", "2026-02-17"),
    Case("Tax Code", K.COMPLAINT_TAX_MONITORED, "2025-11-03 10:00", "2025-11-03",
         "2025-11: 4-7 10-14 17-21 24-28 | 2025-12: 1-5 8-12 15 17-19 22-26 29-31"
         " | 2026-01: 5 6 8 9", "2026-01-09"),
    # Art. 65: sent on to who is competent within three working days.
    Case("АППК 65", K.APPLICATION, "2024-05-03 10:00", "2024-05-03",
         "2024-05: 4 6 10", "2024-05-10", REDIRECT),
    Case("АППК 65", K.MESSAGE, "2024-05-04 10:00", "2024-05-04",
         "2024-05: 6 10 13", "2024-05-13", REDIRECT),
    Case("АППК 65", K.APPLICATION, "2024-12-30 10:00", "2024-12-30",
         "2024-12: 31 | 2025-01: 5 6", "2025-01-06", REDIRECT),
    Case("АППК 65", K.REQUEST, "2025-07-03 10:00", "2025-07-03",
         "2025-07: 4 8 9", "2025-07-09", REDIRECT),
    Case("АППК 65", K.APPLICATION, "2025-08-28 10:00", "2025-08-28",
         "2025-08: 29 | 2025-09: 2 3", "2025-09-03", REDIRECT),
    Case("АППК 65", K.APPLICATION, "2026-03-06 10:00", "2026-03-06",
         "2026-03: 10-12", "2026-03-12", REDIRECT),
    Case("АППК 65", K.APPLICATION, "2026-08-28 10:00", "2026-08-28",
         "2026-08: 31 | 2026-09: 1 2", "2026-09-02", REDIRECT),
    Case("АППК 91(4)", K.COMPLAINT, "2026-11-27 20:00", "2026-11-30",
         "2026-12: 1-3", "2026-12-03", REDIRECT),
]  # fmt: skip


def days_of(counted: str) -> list[date]:
    """2024-03: 4-7 11 | 2024-04: 1 as the days that it names."""
    found: list[date] = []
    for part in counted.split("|"):
        month, _, spans = part.strip().partition(": ")
        for span in spans.split():
            first, _, last = span.partition("-")
            for day in range(int(first), int(last or first) + 1):
                found.append(date.fromisoformat(f"{month}-{day:02d}"))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.article} {c.kind} {c.came}")
def test_the_law_is_counted_as_by_hand(case: Case):
    found = standing(case.kind, case.came)
    assert found.received == date.fromisoformat(case.received)
    clock = clocks(found, case.came)[case.stage]
    assert shown(clock.due_at) == case.last
    counted, end = days_of(case.counted), date.fromisoformat(case.last)
    span = range(1, (end - found.received).days + 1)
    worked = [found.received + timedelta(days=ahead) for ahead in span]
    assert [day for day in worked if is_working(day, working())] == counted
    promise = promises().policies[clock.policy, 1].promise(case.stage)
    assert promise is not None
    assert len(counted) == promise.within.days
    if case.stage is CONSIDER:
        assert found.last_day == end


CALENDAR_DAYS = [
    # Kind, came, received, the day on which the days run out, the last day: the nearest working
    # day where that is none. The day after receipt is the first.
    (K.REQUEST_INFORMATION, "2024-02-12 10:00", "2024-02-12", "2024-02-27", "2024-02-27"),
    (K.REQUEST_INFORMATION, "2026-05-12 10:00", "2026-05-12", "2026-05-27", "2026-05-28"),
    (K.REQUEST_NOTARY, "2025-04-29 10:00", "2025-04-29", "2025-05-09", "2025-05-12"),
    (K.REQUEST_NOTARY, "2026-03-13 10:00", "2026-03-13", "2026-03-23", "2026-03-26"),
    (K.REQUEST_DECLASSIFICATION, "2024-04-04 10:00", "2024-04-04", "2024-05-04", "2024-05-04"),
    (K.REQUEST_DECLASSIFICATION, "2025-12-02 10:00", "2025-12-02", "2026-01-01", "2026-01-05"),
    (K.APPLICATION_REHABILITATION, "2025-10-07 10:00", "2025-10-07", "2026-01-05", "2026-01-05"),
]


@pytest.mark.parametrize(("kind", "came", "received", "out", "last"), CALENDAR_DAYS)
def test_terms_in_calendar_days_end_on_a_working_day(kind, came, received, out, last):
    found = standing(kind, came)
    assert found.received.isoformat() == received
    clock = clocks(found, came)[CONSIDER]
    policy = promises().policies[clock.policy, 1]
    promise = policy.promise(CONSIDER)
    assert promise is not None
    assert (found.received + promise.within).isoformat() == out
    assert shown(clock.due_at) == last


def test_every_kind_has_a_case():
    cased = {case.kind for case in CASES} | {kind for kind, *_ in CALENDAR_DAYS}
    assert cased == set(AppealKind) == set(law().kinds)
    assert len(CASES) + len(CALENDAR_DAYS) >= 40


def test_the_pinned_days_of_2026_are_the_246_and_one_working_days_of_the_ministry():
    # The Ministry of Labour counted 246 on 5.12.2025; on 18.03.2026 it gave 31 August back.
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(is_working(day, working()) for day in year) == 247
    assert working().decrees[date(2026, 8, 31)]
