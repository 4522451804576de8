"""Walls between people: what one writes or is, another does not learn by a way around."""

import asyncio
import time
from typing import Any

import pytest

from api.bootstrap import House
from api.rest.dispatch import MOST_UPLOADS
from domain.access import Role
from tests.integrations.media.files import picture
from tests.support.rest import Callers, assert_problem, pointers
from tests.support.sql import fetch

SLIP = "Тұрғын ұрысқақ"
"""What a colleague writes to a colleague."""


async def _events(callers: Callers, number: str, role: Role) -> list[dict[str, Any]]:
    answer = await callers.call("GET", f"/v1/appeals/{number}/events", role=role)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _argued_about(callers: Callers) -> str:
    """A resident's own appeal at which every colleague wrote something to another."""
    number = (await callers.register(Role.CITIZEN))["number"]
    water, department = str(callers.city.water), str(callers.city.department)
    steps: tuple[tuple[str, dict[str, Any], Role], ...] = (
        ("decline", {"reason": SLIP}, Role.EXECUTOR),
        ("assign", {"organisation": department, "reason": SLIP}, Role.INSPECTOR),
        ("redirect", {"organisation": water, "reason": SLIP}, Role.INSPECTOR),
        ("accept", {}, Role.EXECUTOR),
        ("resolve", {"text": "Жабылды", "no_photo_reason": "Түн"}, Role.EXECUTOR),
        ("return", {"reason": SLIP}, Role.INSPECTOR),
        ("resolve", {"text": "Жабылды", "no_photo_reason": "Түн"}, Role.EXECUTOR),
        ("check", {"note": SLIP}, Role.INSPECTOR),
    )
    for action, body, role in steps:
        answer = await callers.act(number, action, body, role=role)
        assert answer.status_code == 200, answer.text
    return str(number)


async def test_residents_do_not_read_what_colleagues_write_to_each_other(callers: Callers):
    number = await _argued_about(callers)
    seen = await _events(callers, number, Role.CITIZEN)
    assert SLIP not in str(seen)
    assert {"text": "Жабылды", "no_photo_reason": "Түн"} in [event["texts"] for event in seen]
    assert str(await _events(callers, number, Role.AUDITOR)).count(SLIP) == 6


async def test_residents_do_not_learn_who_of_the_staff_it_was(callers: Callers):
    number = await _argued_about(callers)
    events = await _events(callers, number, Role.CITIZEN)
    by_staff = [event["actor"] for event in events if event["actor"]["role"] != "citizen"]
    assert by_staff
    assert all(actor["id"] is None and actor["organisation"] for actor in by_staff)
    assert events[0]["actor"]["id"] == str(callers.city.citizen)


async def test_residents_do_not_learn_which_operator_took_their_word(callers: Callers):
    number = await _argued_about(callers)
    said = {"how": "call"}
    by_staff = (await callers.act(number, "confirm", said, role=Role.OPERATOR)).json()
    assert by_staff["confirmation"]["by"]
    own = (await callers.call("GET", f"/v1/appeals/{number}", role=Role.CITIZEN)).json()
    assert own["confirmation"] | {"by": None} == by_staff["confirmation"] | {"by": None}
    assert own["confirmation"]["by"] is None
    assert own["operator"] is None


async def test_an_anonymous_appeal_cannot_be_joined_to_a_named_one(callers: Callers):
    citizen = str(callers.city.citizen)
    hidden = await callers.register(Role.CITIZEN, applicant=..., anonymous=True)
    for role in (Role.OPERATOR, Role.EXECUTOR, Role.AUDITOR):
        seen = await callers.call("GET", f"/v1/appeals/{hidden['number']}", role=role)
        assert citizen not in seen.text
        history = await callers.call("GET", f"/v1/appeals/{hidden['number']}/events", role=role)
        assert citizen not in history.text
    path = f"/v1/appeals/{hidden['number']}/applicant"
    assert (await callers.call("GET", path, role=Role.OPERATOR)).json()["citizen"] is None


@pytest.mark.parametrize("words", ["Абай көшесі 14, 57 пәтер", "Абая 14-57", "Абая 14 кв.57а"])
async def test_the_flat_is_not_told_by_the_words_of_the_address(callers: Callers, words):
    appeal = await callers.register(location={"address": words})
    for role in (Role.AKIM, Role.EXECUTOR, Role.AUDITOR):
        seen = (await callers.call("GET", f"/v1/appeals/{appeal['number']}", role=role)).json()
        assert "57" not in str(seen["location"])
        assert "14" in seen["location"]["address"]


async def test_who_gave_an_appeal_back_no_longer_learns_who_asked(callers: Callers):
    number = (await callers.register())["number"]
    path = f"/v1/appeals/{number}/applicant"
    for role in (Role.EXECUTOR, Role.HEAD):
        assert (await callers.call("GET", path, role=role)).status_code == 200
    await callers.act(number, "decline", {"reason": "Біздікі емес"}, role=Role.EXECUTOR)
    for role in (Role.EXECUTOR, Role.HEAD):
        assert_problem(await callers.call("GET", path, role=role), 403, "not-permitted")
    assert (await callers.call("GET", path, role=Role.OPERATOR)).status_code == 200


async def test_deliveries_to_others_are_counted_for_the_city_alone(callers: Callers, house: House):
    endpoint = (
        await callers.call(
            "POST", "/v1/webhook-endpoints", {"url": "https://hook.example.kz/"}, role=Role.HEAD
        )
    ).json()
    path = f"/v1/webhook-endpoints/{endpoint['id']}/test"
    assert (await callers.call("POST", path, role=Role.HEAD)).status_code == 202

    async def counted(role: Role) -> int:
        answer = await callers.call("GET", "/v1/statistics", role=role)
        return sum(answer.json()["deliveries"].values())

    all_of_them = await fetch(house, "SELECT count(*) AS n FROM delivery")
    assert await counted(Role.OPERATOR) == all_of_them[0]["n"] > 0
    assert await counted(Role.ADMINISTRATOR) == 0


@pytest.mark.parametrize(
    "body",
    [{f"k{i}": 1 for i in range(60_000)}, {"attachments": ["x"] * 150_000}],
    ids=["unknown", "items"],
)
async def test_a_body_of_nothing_but_faults_is_refused_in_a_moment(callers: Callers, body):
    # Of the processor, so that who shares the machine does not count; the caller's own part too.
    started = time.process_time()
    answer = await callers.call("POST", "/v1/appeals", body, role=Role.CITIZEN)
    assert time.process_time() - started < 1.5
    assert_problem(answer, 422, "invalid")
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("action", ["confirm", "reopen", "withdraw"])
async def test_residents_at_the_api_do_not_say_that_they_called(callers: Callers, action):
    number = await _argued_about(callers)
    said = {"reason": "Әлі ашық"} if action == "reopen" else {}
    for how in ("call", "in_person"):
        told = await callers.act(number, action, said | {"how": how}, role=Role.CITIZEN)
        assert_problem(told, 422, "invalid")
        assert pointers(told) == {"/how": "staff-only"}
    told = await callers.act(number, action, said | {"how": "app"}, role=Role.CITIZEN)
    assert told.status_code == 200


async def test_nobody_fills_the_memory_with_files_sent_at_once(callers: Callers):
    async def send() -> int:
        files = {"file": ("люк.jpg", picture(), "image/jpeg")}
        answer = await callers.call("POST", "/v1/attachments", role=Role.HEAD, files=files)
        return answer.status_code

    answers = await asyncio.gather(*(send() for _ in range(3 * MOST_UPLOADS)))
    assert answers.count(201) >= MOST_UPLOADS
    assert set(answers) == {201, 429}
    assert await send() == 201
