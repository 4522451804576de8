"""More time over HTTP: asked by the executor, given by the inspector, explained to the resident."""

from datetime import datetime, timedelta

import pytest

from domain.access import Role
from tests.support.rest import assert_problem, pointers
from tests.walls.things import answers_to


async def clock_of(callers, number, role=Role.INSPECTOR):
    answer = await callers.call("GET", f"/v1/appeals/{number}/sla/explain", role=role)
    found = answer.json()["clocks"]
    return next(one for one in found if one["stage"] == "resolve")


@pytest.fixture
async def number(callers):
    """An appeal in progress that is no emergency."""
    path = "/v1/services?sphere=manholes&limit=100"
    known = (await callers.call("GET", path)).json()["items"]
    service = next(one["code"] for one in known if one["criticality"] == "normal")
    answers = await answers_to(callers, service)
    said = {"applicant": ..., "service": service, "answers": answers}
    number = (await callers.register(Role.CITIZEN, **said))["number"]
    await callers.act(number, "accept", role=Role.EXECUTOR)
    return number


async def ask(callers, number, hours, **options):
    due = datetime.fromisoformat((await clock_of(callers, number))["due_at"])
    wish = {
        "stage": "resolve",
        "until": (due + timedelta(hours=hours)).isoformat(),
        "reason": "Қақпақ келесі күні жеткізіледі",
    }
    return await callers.act(number, "extend", wish, role=Role.EXECUTOR, **options)


async def test_time_that_was_given_moves_the_clock_and_is_explained(callers, number):
    before = await clock_of(callers, number)
    asked = await ask(callers, number, 6)
    assert asked.status_code == 200, asked.text
    assert asked.json()["extension"]["stage"] == "resolve"
    granted = await callers.act(number, "grant", {}, role=Role.INSPECTOR)
    assert granted.status_code == 200, granted.text
    assert granted.json()["extension"] is None
    after = await clock_of(callers, number, Role.CITIZEN)
    due = [datetime.fromisoformat(one["due_at"]) for one in (before, after)]
    assert due[1] - due[0] == timedelta(hours=6)
    assert after["agrees"]
    (told,) = after["extensions"]
    assert told["by"] == "PT6H"
    assert told["sentence"]


async def test_a_resident_sees_what_moved_and_not_who_asked_why(callers, number):
    await ask(callers, number, 6)
    shown = (await callers.call("GET", f"/v1/appeals/{number}", role=Role.CITIZEN)).json()
    assert shown["extension"] is None
    await callers.act(number, "grant", {"reason": "Қоймада жоқ"}, role=Role.INSPECTOR)
    events = await callers.call("GET", f"/v1/appeals/{number}/events", role=Role.CITIZEN)
    types = [one["type"] for one in events.json()["items"]]
    assert "appeal.extension_granted" in types
    assert "appeal.extension_asked" not in types
    assert "Қоймада жоқ" not in events.text


async def test_more_than_the_policy_lets_is_refused_with_the_latest_time(callers, number):
    refused = await ask(callers, number, 24 * 60)
    assert_problem(refused, 422, "invalid")
    assert pointers(refused) == {"/until": "beyond-policy"}


async def test_an_answer_that_nobody_asked_for_is_refused(callers, number):
    for action, body in (("grant", {}), ("refuse", {"reason": "Жоқ"})):
        refused = await callers.act(number, action, body, role=Role.INSPECTOR)
        assert_problem(refused, 409, "conflict")
