"""A promise is explained from the events alone, in the reader's language, to whom it concerns."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import yaml

from api.bootstrap import House
from domain.access import NOBODY, Principal, Role
from domain.appeals import commands as c
from domain.appeals.model import Appeal
from domain.appeals.recounts import recompute_clocks
from domain.appeals.workflow import Action, PauseReason
from domain.sla.durations import parse_duration
from integrations.postgres import reference_writer
from tests.support.appeals import perform, register
from tests.support.city import KISHI, STARTER
from tests.support.rest import Callers, assert_problem, intake
from tests.support.sql import fetch
from tests.support.worker import eventually

A, R = Action, Role
BILL = "lifts.fee-dispute"
"""A service whose promise counts in office hours."""
WELL = "manholes.open-cable-well"
"""Fenced in 3 hours, closed in 24; no emergency, so that it may wait."""
DAY = timedelta(days=1)


async def explained(
    callers: Callers,
    number: str,
    *,
    role: Role = Role.INSPECTOR,
    language: str = "en",
    asked: str = "",
) -> dict[str, Any]:
    answer = await callers.call(
        "GET",
        f"/v1/appeals/{number}/sla/explain{asked}",
        role=role,
        headers={"accept-language": language},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    for clock in found["clocks"]:
        assert clock["agrees"], clock
        sound(clock, datetime.fromisoformat(found["at"]))
    return found


def sound(clock: dict[str, Any], at: datetime) -> None:
    """The intervals tile the clock's life, and add up to what the clock says."""
    intervals = clock["intervals"]
    assert intervals[0]["begin"] == clock["started_at"]
    assert all(one["end"] == other["begin"] for one, other in pairwise(intervals))
    ended = clock["met_at"] or clock["cancelled_at"]
    until = datetime.fromisoformat(ended) if ended else at
    spent = sum(
        (parse_duration(one["counted"]) for one in intervals
         if datetime.fromisoformat(one["end"]) <= until),
        timedelta(0),
    )  # fmt: skip
    assert spent == parse_duration(clock["spent"])
    promised, left, late = (parse_duration(clock[name]) for name in ("promised", "left", "late"))
    assert promised == spent + left - late


def of(found: dict[str, Any], stage: str, round_: int = 1) -> dict[str, Any]:
    (clock,) = (k for k in found["clocks"] if (k["stage"], k["round"]) == (stage, round_))
    chosen: dict[str, Any] = clock
    return chosen


async def whole_life(house: House) -> Appeal:
    """Ten days: accepted, paused, resumed, resolved, reopened, resolved late, confirmed."""
    start = house.now() - 10 * DAY
    appeal = await register(house, at=start, service=WELL, answers={"landmark": "Мектеп"})
    acts: tuple[tuple[float, Action, c.Command, Role], ...] = (
        (1, A.ACCEPT, c.Accept(), R.EXECUTOR),
        (2, A.PAUSE, c.PauseWork(PauseReason.PARTS, "қақпақ жоқ"), R.INSPECTOR),
        (32, A.RESUME, c.Resume(), R.INSPECTOR),
        (33, A.RESOLVE, c.Resolve("жабылды", (), "түн"), R.EXECUTOR),
        (40, A.REOPEN, c.Reopen("call", "ашық тұр"), R.OPERATOR),
        (140, A.RESOLVE, c.Resolve("енді жабылды", (), "түн"), R.EXECUTOR),
        (141, A.CONFIRM, c.Confirm("call", 4), R.OPERATOR),
    )
    for hour, action, command, role in acts:
        at = start + timedelta(hours=hour)
        appeal = await perform(house, appeal, action, command, role=role, at=at)
    return appeal


async def test_a_whole_life_is_explained_and_is_what_is_stored(callers: Callers, house: House):
    appeal = await whole_life(house)
    found = await explained(callers, appeal.number)
    assert {(k["stage"], k["round"]) for k in found["clocks"]} == {
        ("secure", 1), ("resolve", 1), ("secure", 2), ("resolve", 2),
    }  # fmt: skip
    first = of(found, "resolve")
    assert [one["reason"] for one in first["intervals"]] == [
        "working", "paused", "working", "finished",
    ]  # fmt: skip
    assert first["intervals"][1]["waiting_for"] == "parts"
    assert "waiting for parts" in first["intervals"][1]["sentence"]
    assert (first["spent"], first["left"]) == ("PT3H", "PT21H")
    second = of(found, "resolve", 2)
    assert second["promised"] == "PT21H"
    assert second["late"] == "PT79H"
    assert "79" not in second["sentence"], "a day of this calendar is a day"
    assert "3 d 7 h beyond" in second["sentence"]
    # Fencing was late: it was reported by nobody until the work was done, and never waited.
    assert of(found, "secure")["late"] == "PT30H"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("kk", "қосалқы бөлшектер күтілуде"),
        ("ru", "ожидание запасных частей"),
        ("en", "waiting for parts"),
    ],
)
async def test_the_reader_chooses_the_language(
    callers: Callers, house: House, language: str, said: str
):
    appeal = await whole_life(house)
    found = await explained(callers, appeal.number, language=language)
    sentences = [one["sentence"] for one in of(found, "resolve")["intervals"]]
    assert any(said in sentence for sentence in sentences)
    assert all("{" not in sentence for sentence in sentences)


async def test_residents_read_their_own_and_nobody_elses(callers: Callers):
    own = await callers.register(role=Role.CITIZEN, applicant=...)
    found = await explained(callers, own["number"], role=Role.CITIZEN)
    assert {clock["stage"] for clock in found["clocks"]} == {"secure", "resolve"}
    other = await callers.register()
    path = f"/v1/appeals/{other['number']}/sla/explain"
    assert_problem(await callers.call("GET", path, role=Role.CITIZEN), 404, "not-found")


async def test_a_promise_in_office_hours_names_the_days_that_do_not_count(
    callers: Callers, house: House
):
    now = house.now()
    friday = now - (now.weekday() - 4) % 7 * DAY - 7 * DAY
    appeal = await register(house, at=friday, service=BILL, answers={})
    clock = of(await explained(callers, appeal.number), "resolve")
    off = [datetime.fromisoformat(day["date"]) for k in clock["intervals"] for day in k["days_off"]]
    assert {5, 6} <= {day.weekday() for day in off}
    assert clock["calendar_name"] == "Office hours"
    assert len(clock["intervals"]) <= 40


async def test_a_correction_midway_ends_the_old_promises_and_begins_the_new(
    callers: Callers, house: House
):
    start = house.now() - 2 * DAY
    appeal = await register(house, at=start)
    await perform(
        house, appeal, A.CORRECT, c.Correct(service=BILL, answers={}), role=R.OPERATOR,
        at=start + timedelta(hours=5),
    )  # fmt: skip
    found = await explained(callers, appeal.number)
    assert of(found, "secure")["state"] == "cancelled"
    assert of(found, "resolve")["state"] == "cancelled"
    again = of(found, "resolve", 2)
    assert again["calendar"] == "office-hours"
    assert again["started_at"] == of(found, "resolve")["started_at"], "no time is given by it"


async def test_what_is_stored_otherwise_is_told(callers: Callers, house: House):
    appeal = await register(house)
    await fetch(
        house,
        "UPDATE clock SET due_at = due_at + interval '1 hour'"
        " WHERE appeal_id = $1 AND stage = 'secure'",
        appeal.id,
    )
    answer = await callers.call("GET", f"/v1/appeals/{appeal.number}/sla/explain")
    told = {clock["stage"]: clock["agrees"] for clock in answer.json()["clocks"]}
    assert told == {"secure": False, "resolve": True}


async def test_the_day_of_an_appeal_through_the_doors_is_explained(callers: Callers):
    appeal = await callers.brought_to("closed")
    found = await explained(callers, appeal["number"])
    assert {clock["state"] for clock in found["clocks"]} == {"met"}
    assert intake()["service"] == appeal["service"]["code"]


async def test_counting_again_after_a_change_of_calendar_is_shown_as_a_fact(
    callers: Callers, house: House
):
    now = house.now()
    friday = now - (now.weekday() - 4) % 7 * DAY - 7 * DAY
    appeal = await register(house, at=friday, service=BILL, answers={})
    clock = appeal.clocks[0]
    day = clock.due_at.date()
    office = house.references.of(KISHI.id).promises.calendar(clock.calendar)
    saturday = friday.date() + DAY
    monday = next(each for n in range(2, 9) if office.hours(each := saturday + n * DAY))
    await change_calendar(
        callers,
        house,
        {
            "days_off": [day.isoformat(), {"date": monday.isoformat(), "decree": "Шешім № 5"}],
            "working_days": [{"date": saturday.isoformat(), "decree": "Шешім № 6"}],
        },
    )
    async with house.units.open(Principal(NOBODY, R.SYSTEM, KISHI.id)) as uow:
        found = await recompute_clocks(
            clock.calendar, "Қаулы бойынша демалыс", uow=uow,
            reference=house.references.of(KISHI.id), at=house.now(), limit=100,
        )  # fmt: skip
        await uow.commit()
    assert not found.faulty

    told = of(await explained(callers, appeal.number), "resolve")
    (fact,) = told["recomputations"]
    assert (fact["version_before"], fact["version_after"]) == (1, 2)
    assert fact["reason"] == "Қаулы бойынша демалыс"
    assert "was changed (version 1 → 2): Қаулы бойынша демалыс." in fact["sentence"]
    assert fact["due_after"] == told["due_at"] != fact["due_before"]
    assert told["calendar_version"] == 2
    off = {one["date"]: one for each in told["intervals"] for one in each["days_off"]}
    assert off[day.isoformat()]["decree"] is None
    assert off[monday.isoformat()]["decree"] == "Шешім № 5"
    assert saturday.isoformat() not in off
    worked = [each for each in told["intervals"] if each["made_working"]]
    said = [(day["date"], day["decree"]) for one in worked for day in one["made_working"]]
    assert said == [(saturday.isoformat(), "Шешім № 6")] * 2, "before noon and after it"
    assert {one["reason"] for one in worked} == {"working"}
    for language, phrase in (
        ("kk", "Жұмыс күні етілген"), ("ru", "Объявлены рабочими"), ("en", "Made working days")
    ):  # fmt: skip
        again = of(await explained(callers, appeal.number, language=language), "resolve")
        sentences = " ".join(one["sentence"] for one in again["intervals"])
        assert phrase in sentences
        assert "(Шешім № 5)" in sentences
        assert "(Шешім № 6)" in sentences
    answer = await callers.call("GET", f"/v1/appeals/{appeal.number}/events")
    assert "clock.recomputed" in [event["type"] for event in answer.json()["items"]]


async def change_calendar(callers: Callers, house: House, changes: dict[str, Any]) -> None:
    """The next version of the office hours, known to this house and to the API."""
    document = yaml.safe_load((STARTER / "policies.yaml").read_text())
    calendars = [one for one in document["calendars"] if one["code"] == "office-hours"]
    async with house.engine.begin() as connection:
        await reference_writer.write_policies(
            connection, KISHI.id, {"calendars": [calendars[0] | changes]}
        )
        await reference_writer.bump(connection, KISHI.id)
    await house.references.refresh(house.now())

    async def known() -> bool:
        answer = await callers.call("GET", "/v1/calendars")
        return {one["version"] for one in answer.json()["items"]} == {1, 2}

    await eventually(known)


async def test_every_interval_of_a_long_promise_is_told_to_whoever_asks_for_all(
    callers: Callers, house: House
):
    await promise(callers, house, "billing", "PT240H")
    start = house.now() - 60 * DAY
    appeal = await register(house, at=start, service=BILL, answers={})
    folded = of(await explained(callers, appeal.number), "resolve")
    whole = of(await explained(callers, appeal.number, asked="?intervals=all"), "resolve")
    assert parse_duration(whole["promised"]) == timedelta(hours=240)
    assert "folded" in {one["reason"] for one in folded["intervals"]}
    intervals = whole["intervals"]
    assert {one["reason"] for one in intervals} <= {"working", "closed", "day_off", "overdue"}
    worked = [parse_duration(one["counted"]) for one in intervals if one["reason"] == "working"]
    assert sum(worked, timedelta(0)) == timedelta(hours=240)
    assert len(worked) >= 60, "half a day is four hours"
    assert max(worked) == timedelta(hours=4)
    folds = [one for one in folded["intervals"] if one["reason"] == "folded"]
    apart = [one["begin"] for one in folded["intervals"] if one not in folds and not one["ahead"]]
    assert apart == [
        one["begin"]
        for one in intervals
        if not one["ahead"] and not any(f["begin"] <= one["begin"] < f["end"] for f in folds)
    ]


async def test_intervals_are_folded_or_all_and_nothing_else(callers: Callers):
    appeal = await callers.register()
    path = f"/v1/appeals/{appeal['number']}/sla/explain?intervals=some"
    assert_problem(await callers.call("GET", path), 400, "malformed")


async def promise(callers: Callers, house: House, policy: str, within: str) -> None:
    """Another length of a policy's only promise, known to this house and to the API."""
    document = yaml.safe_load((STARTER / "policies.yaml").read_text())
    (found,) = (one for one in document["policies"] if one["code"] == policy)
    (stage,) = found["stages"]
    stage["within"] = within
    async with house.engine.begin() as connection:
        await reference_writer.write_policies(connection, KISHI.id, {"policies": [found]})
        await reference_writer.bump(connection, KISHI.id)
    await house.references.refresh(house.now())

    async def known() -> bool:
        answer = await callers.call("GET", f"/v1/policies/{policy}")
        return bool(answer.json()["version"] == 2)

    await eventually(known)
