"""A calendar is tried before it is changed: days off that move, and whose promise they break."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from domain.appeals import commands as c
from domain.appeals.workflow import Action
from domain.sla.policy import Stage
from tests.support.appeals import perform, register
from tests.support.city import KISHI, STARTER

BILL = "lifts.fee-dispute"
"""Forty office hours: from a Thursday morning to the next Wednesday evening."""
DAY = timedelta(days=1)
ALMATY = ZoneInfo("Asia/Almaty")


def plain_thursday(house) -> date:
    """A Thursday three weeks ago or earlier, with no holiday in the week that follows."""
    office = house.references.of(KISHI.id).promises.calendar("office-hours")
    day: date = (house.now() - 21 * DAY).date()
    while day.weekday() != 3 or any(
        bool(office.hours(day + n * DAY)) != ((day + n * DAY).weekday() < 5) for n in range(9)
    ):
        day -= DAY
    return day


@pytest.fixture(scope="module")
async def lived(house):
    """Two bills of one Thursday: done half an hour before the promise was up, and an hour after."""
    thursday = plain_thursday(house)
    begun = datetime.combine(thursday, time(9), ALMATY)
    kept, late = [await register(house, at=begun, service=BILL, answers={}) for _ in range(2)]
    clock = kept.clock(Stage.RESOLVE)
    assert clock is not None
    assert clock.due_at == begun + 6 * DAY + timedelta(hours=9), "Wednesday at six"
    done = c.Resolve("есептелді", (), no_photo_reason="құжат")
    for appeal, minutes in ((kept, -30), (late, 60)):
        at, home = clock.due_at + timedelta(minutes=minutes), KISHI.department
        await perform(house, appeal, Action.ACCEPT, c.Accept(), organisation=home, at=at)
        await perform(house, appeal, Action.RESOLVE, done, organisation=home, at=at)
    return {"thursday": thursday, "kept": kept, "late": late}


@pytest.fixture
def tried(ikomek, lived, tmp_path):
    """What a trial reports of the office hours with other days off."""

    def ask(**days: list[date]) -> dict[str, Any]:
        document = yaml.safe_load((STARTER / "policies.yaml").read_text())
        (office,) = [one for one in document["calendars"] if one["code"] == "office-hours"]
        office |= {name: [day.isoformat() for day in found] for name, found in days.items()}
        draft = tmp_path / "policies.yaml"
        draft.write_text(yaml.safe_dump(document, allow_unicode=True))
        answer = ikomek("trial", "--policies", draft, "--days", "60", "--json")
        assert answer.status == 0, answer.err
        report: dict[str, Any] = json.loads(answer.out)
        return report

    return ask


def breached(report: dict[str, Any]) -> tuple[int, int]:
    return report["total"]["then"]["breached"], report["total"]["draft"]["breached"]


def test_a_working_saturday_breaks_the_promise_that_was_just_kept(tried, lived):
    report = tried(working_days=[lived["thursday"] + 2 * DAY])
    assert breached(report) == (1, 2)
    assert report["newly_late"] == {"appeals": 1, "examples": [lived["kept"].number]}
    assert report["newly_kept"]["appeals"] == 0


def test_a_day_off_keeps_the_promise_that_was_just_broken(tried, lived):
    report = tried(days_off=[lived["thursday"] + 4 * DAY])
    assert breached(report) == (1, 0)
    assert report["newly_kept"] == {"appeals": 1, "examples": [lived["late"].number]}
    assert report["newly_late"]["appeals"] == 0


def test_a_day_off_that_is_moved_within_the_promise_changes_nothing(tried, lived):
    thursday = lived["thursday"]
    report = tried(days_off=[thursday + 4 * DAY], working_days=[thursday + 2 * DAY])
    assert breached(report) == (1, 1)
    assert report["total"]["changed"] == 0


def test_a_day_off_that_is_moved_out_of_the_promise_changes_breaches(tried, lived):
    thursday = lived["thursday"]
    report = tried(days_off=[thursday + 4 * DAY], working_days=[thursday + 9 * DAY])
    assert breached(report) == (1, 0)
    assert report["check"]["unlike"] == 0, "by their own rules the clocks are as they were"
