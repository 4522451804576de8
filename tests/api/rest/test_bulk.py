"""Many acts in one call: each whole or not at all, each told, and a cut-off call safe to repeat."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import uuid4

import pytest

from api.rest import bulk
from api.rest.actions import BODIES
from api.rest.incident_actions import BODIES as INCIDENT_BODIES
from domain.access import Role
from domain.appeals.workflow import Action
from domain.errors import Unavailable
from domain.incidents.model import Area
from domain.incidents.workflow import IncidentAction
from domain.ports import Answer
from tests.support.incidents import open_incident, opening
from tests.support.rest import assert_problem, pointers
from tests.support.sql import fetch

E = Role.EXECUTOR


async def send(callers, *acts, key=None, role=E):
    return await callers.call("POST", "/v1/acts", {"acts": list(acts)}, role=role, key=key)


def accept(number, **more):
    return {"number": number, "action": "accept"} | more


async def status_of(callers, number):
    return (await callers.call("GET", f"/v1/appeals/{number}")).json()["status"]


async def history(callers, number):
    found = (await callers.call("GET", f"/v1/appeals/{number}/events")).json()
    return [one["type"] for one in found["items"]]


async def test_each_act_has_its_own_outcome_and_none_falls_with_another(callers):
    one, two = [(await callers.register())["number"] for _ in range(2)]
    answer = await send(
        callers,
        accept(one),
        accept("KIS-2026-999999"),
        {"number": two, "action": "decline", "body": {}},
        {"number": one, "action": "report", "body": {"stage": "secure"}},
        # A whole number, as JSON Schema has them.
        accept(two, version=77.0),
    )
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["done"], said["refused"]) == (2, 3)
    outcomes = said["outcomes"]
    assert [one["status"] for one in outcomes] == [200, 404, 422, 200, 412]
    assert outcomes[0]["appeal"]["status"] == "in_progress"
    assert outcomes[2]["problem"]["errors"][0]["pointer"] == "/reason"
    assert outcomes[1]["problem"]["code"] == "not-found"
    assert await history(callers, one) == [
        "appeal.registered", "appeal.assigned", "appeal.accepted", "appeal.stage_reported",
    ]  # fmt: skip
    assert await status_of(callers, two) == "assigned"


async def test_a_repeat_gets_the_first_answer_and_does_nothing(callers):
    number = (await callers.register())["number"]
    other = (await callers.brought_to("registered"))["number"]
    key = uuid4().hex
    first = await send(callers, accept(number), accept(other), key=key)
    assert [one["status"] for one in first.json()["outcomes"]] == [200, 409]
    # What was refused has become possible: the first answer stands all the same.
    body = {"organisation": str(callers.city.water)}
    assert (await callers.act(other, "assign", body, role=Role.INSPECTOR)).status_code == 200
    again = await send(callers, accept(number), accept(other), key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert await status_of(callers, other) == "assigned"
    assert (await history(callers, number)).count("appeal.accepted") == 1
    foreign = await send(callers, accept(other), key=key)
    assert_problem(foreign, 422, "idempotency-key-reused")


async def test_a_call_that_was_cut_off_goes_on_where_it_stopped(callers, monkeypatch):
    numbers = [(await callers.register())["number"] for _ in range(3)]
    key, do = uuid4().hex, bulk._do
    seen: list[str] = []

    async def dying(call, act, own, fingerprint):
        if len(seen) == 2:
            raise RuntimeError("the process dies here")
        seen.append(act.number)
        return await do(call, act, own, fingerprint)

    monkeypatch.setattr(bulk, "_do", dying)
    cut = await send(callers, *map(accept, numbers), key=key)
    assert cut.status_code == 500
    monkeypatch.setattr(bulk, "_do", do)
    again = await send(callers, *map(accept, numbers), key=key)
    outcomes = again.json()["outcomes"]
    assert [one["status"] for one in outcomes] == [200, 200, 200]
    assert [one["replayed"] for one in outcomes] == [True, True, False]
    assert [one["appeal"]["number"] for one in outcomes] == numbers
    for number in numbers:
        assert (await history(callers, number)).count("appeal.accepted") == 1


async def test_a_database_that_is_away_for_a_moment_is_no_outcome_of_an_act(callers, monkeypatch):
    """Kept as one, it would be told again to every repeat, and the act never done."""
    numbers = [(await callers.register())["number"] for _ in range(3)]
    key, do = uuid4().hex, bulk._do

    async def away(call, act, own, fingerprint):
        if act.number == numbers[1]:
            raise Unavailable(what="database")
        return await do(call, act, own, fingerprint)

    monkeypatch.setattr(bulk, "_do", away)
    assert_problem(await send(callers, *map(accept, numbers), key=key), 503, "unavailable")
    monkeypatch.setattr(bulk, "_do", do)
    outcomes = (await send(callers, *map(accept, numbers), key=key)).json()["outcomes"]
    assert [(one["status"], one["replayed"]) for one in outcomes] == [
        (200, True), (200, False), (200, False),
    ]  # fmt: skip
    for number in numbers:
        assert (await history(callers, number)).count("appeal.accepted") == 1


async def test_two_of_the_same_call_at_once_do_each_act_once(callers):
    numbers = [(await callers.register())["number"] for _ in range(5)]
    key = uuid4().hex
    answers = await asyncio.gather(
        *(send(callers, *map(accept, numbers), key=key) for _ in range(2))
    )
    assert {one.status_code for one in answers} == {200}
    for number in numbers:
        assert (await history(callers, number)).count("appeal.accepted") == 1


@pytest.mark.parametrize(
    ("acts", "pointer", "rule"),
    [
        ([], "/acts", "too-short"),
        ([accept("KIS-2026-000001")] * 101, "/acts", "too-long"),
        ([{"number": "KIS-2026-000001"}], "/acts/0/action", "required"),
        ([accept("KIS-2026-000001", odd=1)], "/acts/0/odd", "unknown"),
        ([accept("KIS-2026-000001") | {"action": "confirm"}], "/acts/0/action", "enum"),
    ],
    ids=["none", "too-many", "no-action", "odd", "a resident's word"],
)
async def test_a_call_of_another_form_is_refused_whole(callers, acts, pointer, rule):
    refused = await send(callers, *acts)
    assert_problem(refused, 422, "invalid")
    assert pointers(refused)[pointer] == rule


@pytest.mark.parametrize("odd", [10**30, [[[[]]]], {"a": None}, "x" * 20_000, "a\x00b"])
async def test_an_odd_body_is_the_fault_of_its_act_alone(callers, odd):
    number = (await callers.register())["number"]
    spoilt = {"number": number, "action": "decline", "body": {"reason": odd}}
    answer = await send(callers, spoilt, accept(number))
    if answer.status_code == 200:
        assert [one["status"] for one in answer.json()["outcomes"]] == [422, 200]
    else:
        # What no reader of JSON takes for a text is refused before there are acts.
        assert answer.status_code in (400, 422)
        assert await status_of(callers, number) == "assigned"


async def test_only_those_who_do_the_work_act_in_bulk(callers):
    for role in (Role.OPERATOR, Role.INSPECTOR, Role.AKIM, Role.CITIZEN):
        refused = await send(callers, accept("KIS-2026-000001"), role=role)
        assert_problem(refused, 403, "not-permitted")


def works(day):
    """Planned works of one day, as a utility publishes a month of them."""
    begins = datetime(2090, 5, day, 4, tzinfo=UTC)
    body = opening() | {
        "kind": "planned-works",
        "planned_from": begins.isoformat(),
        "planned_to": (begins + timedelta(hours=9)).isoformat(),
    }
    del body["executor"]
    return {"action": "open", "body": body}


async def test_a_month_of_planned_works_is_published_in_one_call_and_told_once(callers):
    key = uuid4().hex
    month = [works(day) for day in range(1, 32)]
    answer = await send(callers, *month, key=key, role=Role.HEAD)
    said = answer.json()
    assert (said["done"], said["refused"]) == (31, 0), said
    for outcome in said["outcomes"]:
        assert (outcome["status"], outcome["number"], outcome["appeal"]) == (201, None, None)
        assert outcome["incident"]["status"] == "announced"
    ids = {one["incident"]["id"] for one in said["outcomes"]}
    assert len(ids) == 31
    again = await send(callers, *month, key=key, role=Role.HEAD)
    assert again.json() == said
    found = await fetch(callers.house, "SELECT id FROM incident WHERE id = ANY($1)", list(ids))
    assert len(found) == 31


async def test_an_outage_is_changed_begun_and_ended_beside_acts_on_appeals(callers):
    number = (await callers.register())["number"]
    one, two = (await send(callers, works(1), works(2), role=Role.HEAD)).json()["outcomes"]
    id, other = one["incident"]["id"], two["incident"]["id"]
    texts = {"kk": "Су кешке дейін жоқ", "ru": "Воды нет до вечера", "en": "No water till evening"}
    answer = await send(
        callers,
        {"incident": id, "action": "change", "body": {"texts": texts}, "version": 1},
        {"incident": id, "action": "change", "body": {"texts": texts}, "version": 1},
        {"incident": id, "action": "start"},
        accept(number),
        {"incident": id, "action": "resolve", "body": {"text": "ok", "no_photo_reason": "түн"}},
        {"incident": other, "action": "cancel", "body": {}},
        {"incident": other, "action": "cancel", "body": {"reason": "кейінге"}},
        {"incident": str(uuid4()), "action": "start"},
        role=Role.HEAD,
    )
    outcomes = answer.json()["outcomes"]
    assert [o["status"] for o in outcomes] == [200, 412, 200, 200, 200, 422, 200, 404], outcomes
    assert [o["incident"] and o["incident"]["status"] for o in outcomes] == [
        "announced", None, "active", None, "resolved", None, "cancelled", None,
    ]  # fmt: skip
    assert outcomes[0]["incident"]["texts"] == texts
    assert outcomes[3]["appeal"]["status"] == "in_progress"
    assert outcomes[5]["problem"]["errors"][0]["pointer"] == "/reason"
    assert outcomes[5]["problem"]["instance"] == f"/v1/incidents/{other}/cancel"


async def test_a_call_that_was_cut_off_opens_no_incident_twice(callers, monkeypatch):
    key, do = uuid4().hex, bulk._do
    seen: list[Answer] = []

    async def dying(*asked):
        if seen:
            raise RuntimeError("the process dies here")
        seen.append(await do(*asked))
        return seen[0]

    monkeypatch.setattr(bulk, "_do", dying)
    assert (await send(callers, works(1), works(2), key=key, role=Role.HEAD)).status_code == 500
    monkeypatch.setattr(bulk, "_do", do)
    again = (await send(callers, works(1), works(2), key=key, role=Role.HEAD)).json()
    assert [(one["status"], one["replayed"]) for one in again["outcomes"]] == [
        (201, True), (201, False),
    ]  # fmt: skip
    ids = [one["incident"]["id"] for one in again["outcomes"]]
    opened = (
        "SELECT id FROM incident WHERE opened_at >= (SELECT opened_at FROM incident WHERE id = $1)"
    )
    rows = await fetch(callers.house, opened, ids[0])
    assert sorted(str(row["id"]) for row in rows) == sorted(ids)


@pytest.mark.parametrize(
    ("act", "pointer", "rule"),
    [
        ({"action": "accept"}, "/number", "required"),
        ({"action": "cancel"}, "/incident", "required"),
        ({"number": "KIS-2026-000001", "action": "cancel"}, "/action", "enum"),
        ({"incident": str(uuid4()), "action": "decline"}, "/action", "enum"),
        ({"incident": str(uuid4()), "number": "K", "action": "accept"}, "/number", "unknown"),
        ({"incident": str(uuid4()), "action": "open"}, "/incident", "unknown"),
        ({"action": "open", "body": {}}, "/kind", "required"),
    ],
    ids=["no appeal", "no incident", "not of appeals", "not of incidents", "both", "old", "bare"],
)
async def test_an_act_that_names_the_wrong_thing_is_refused_alone(callers, act, pointer, rule):
    (outcome,) = (await send(callers, act, role=Role.HEAD)).json()["outcomes"]
    assert outcome["status"] == 422
    found = {error["pointer"]: error["rule"] for error in outcome["problem"]["errors"]}
    assert found[pointer] == rule


async def test_the_incident_of_another_organisation_is_not_acted_on_in_bulk(callers):
    area = Area(buildings=frozenset({callers.city.flats}))
    theirs = await open_incident(
        callers.house, executor=callers.city.department, public=False, area=area
    )
    cancel = {"incident": str(theirs.id), "action": "cancel", "body": {"reason": "x"}}
    alone = await callers.call(
        "POST", f"/v1/incidents/{cancel['incident']}/cancel", cancel["body"], role=E
    )
    (outcome,) = (await send(callers, cancel)).json()["outcomes"]
    assert outcome["status"] == alone.status_code == 404


def test_every_act_in_bulk_is_of_an_appeal_or_of_an_incident():
    said = set(get_args(bulk.ACTION))
    assert said == bulk.OF_APPEALS | bulk.OF_INCIDENTS | {"open"}
    assert set(map(Action, bulk.OF_APPEALS)) <= set(BODIES)
    assert {IncidentAction(one) for one in bulk.OF_INCIDENTS - {"change"}} <= set(INCIDENT_BODIES)
