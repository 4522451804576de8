"""Coverage and explanations over HTTP, each for those whose business it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from api.settings import Settings
from domain.access import Role
from domain.values import new_id
from tests.api.rest.conftest import DatabaseOwner
from tests.support.city import MANHOLE
from tests.support.rest import Callers, assert_problem, make_callers_app, pointers, running
from tests.support.sql import fetch
from tests.support.worker import eventually


async def coverage(callers: Callers, query: str = "", **options: Any) -> dict[str, Any]:
    answer = await callers.call("GET", f"/v1/routing/coverage{query}", **options)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_what_is_wrong_is_told_with_how_to_mend_it(callers: Callers):
    page = await coverage(callers, headers={"accept-language": "en"})
    assert (page["errors"], page["warnings"], page["next"]) == (2, 0, None)
    (first, _) = page["items"]
    assert first["lack"] == "no-contact"
    assert first["subject"] == {"kind": "organisation", "code": "department", "name": "department"}
    assert first["what"] == "department has neither phone nor e-mail (1 rules)."
    assert first["mend"] == "Add a phone or an e-mail to the organisation's contacts."
    assert [each["name"] for each in first["rules"]] == ["* · Қала · department"]


@pytest.mark.parametrize(
    ("language", "begins"), [("kk", "Ұйымның"), ("ru", "Добавьте"), ("en", "Add")]
)
async def test_findings_speak_the_readers_language(callers: Callers, language: str, begins: str):
    page = await coverage(callers, headers={"accept-language": language})
    assert page["items"][0]["mend"].startswith(begins)


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.INSPECTOR, 200), (Role.ADMINISTRATOR, 200), (Role.AKIM, 200), (Role.AUDITOR, 200),
        (Role.OPERATOR, 403), (Role.EXECUTOR, 403), (Role.HEAD, 403), (Role.CITIZEN, 403),
    ],
)  # fmt: skip
async def test_coverage_is_for_who_looks_after_the_city(callers: Callers, role: Role, status: int):
    answer = await callers.call("GET", "/v1/routing/coverage", role=role)
    assert answer.status_code == status


async def test_findings_come_page_by_page_without_a_gap(callers: Callers):
    first = await coverage(callers, "?limit=1")
    second = await coverage(callers, f"?limit=1&cursor={first['next']}")
    assert second["next"] is None
    assert [each["subject"]["code"] for each in first["items"] + second["items"]] == [
        "department", "water"
    ]  # fmt: skip
    assert_problem(
        await callers.call("GET", "/v1/routing/coverage?cursor=forged"), 400, "malformed"
    )


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("?severity=warning", 0), ("?severity=error", 2), ("?lack=no-contact", 2),
        ("?lack=uncovered", 0), (f"?service={MANHOLE}", 0), ("?sphere=lifts", 0),
        ("?district=centre", 0),
    ],
)  # fmt: skip
async def test_findings_can_be_narrowed(callers: Callers, query: str, errors: int):
    assert (await coverage(callers, query))["errors"] == errors


async def _member(callers: Callers, role: Role, home: UUID, district: str | None = None) -> Callers:
    id = new_id()
    await fetch(
        callers.house,
        "INSERT INTO member (id, city_id, organisation_id, role, name, district)"
        " VALUES ($1, $2, $3, $4, 'B.', $5)",
        id, callers.city.id, home, str(role), district,
    )  # fmt: skip
    token = await callers.house.tokens.issue(callers.city.id, name="test", member=id)
    return replace(callers, tokens={role: token})


async def _akim_of(callers: Callers, district: str) -> Callers:
    return await _member(callers, Role.AKIM, callers.city.department, district)


async def test_an_akim_of_a_district_sees_what_concerns_it(callers: Callers):
    page = await coverage(await _akim_of(callers, "centre"), role=Role.AKIM)
    assert page["items"] == []


async def passed_round(callers: Callers) -> None:
    """Two appeals go from the water utility to the department and back."""
    for _ in range(2):
        number = (await callers.register())["number"]
        for where in (callers.city.department, callers.city.water):
            body = {"organisation": str(where), "reason": "Біздікі емес"}
            moved = await callers.act(number, "redirect", body, role=Role.INSPECTOR)
            assert moved.status_code == 200, moved.text


IN_ENGLISH = {"accept-language": "en"}
CIRCLES = "?lack=redirect-circle"
EARLIER = f"{CIRCLES}&days=300"
"""What was read of up to ninety days stands for a while; this is read anew."""


@pytest.fixture
async def unasked(callers: Callers, settings: Settings) -> AsyncIterator[Callers]:
    """Another process of the API, in which nobody has asked for circles yet."""
    async with running(make_callers_app(settings, rate_limit=0)) as app:
        yield replace(callers, app=app)


async def test_circles_that_appeals_really_went_are_told_of_the_appeals_that_one_sees(
    unasked: Callers,
):
    callers = unasked
    assert (await coverage(callers, f"{CIRCLES}&days=89"))["items"] == []
    await passed_round(callers)
    page = await coverage(callers, EARLIER, headers=IN_ENGLISH)
    (circle,) = page["items"]
    assert (page["errors"], page["warnings"], circle["severity"]) == (0, 1, "warning")
    assert circle["what"].startswith("In the last 300 days 2 appeals went round")
    assert {one["name"] for one in circle["organisations"]} == {"water", "department"}
    assert circle["services"] == [MANHOLE]
    for role in (Role.AKIM, Role.AUDITOR):
        assert (await coverage(callers, EARLIER, role=role))["items"], role
    centre = await coverage(await _akim_of(callers, "centre"), EARLIER, role=Role.AKIM)
    assert [each["lack"] for each in centre["items"]] == ["redirect-circle"]
    north = await coverage(await _akim_of(callers, "north"), EARLIER, role=Role.AKIM)
    assert north["items"] == []
    role = Role.ADMINISTRATOR
    theirs = await _member(callers, role, callers.city.water)
    (told,) = (await coverage(theirs, CIRCLES, role=role, headers=IN_ENGLISH))["items"]
    assert told["what"].startswith("In the last 90 days 2 appeals"), "unless one says otherwise"
    assert (await coverage(callers, EARLIER, role=role))["items"] == [], "never with the centre"


async def test_how_far_back_circles_are_looked_for_is_said_and_bounded(unasked: Callers):
    callers = unasked
    await passed_round(callers)
    for back in (3, 90, 91, 365):
        last = await coverage(callers, f"{CIRCLES}&days={back}", headers=IN_ENGLISH)
        assert last["items"][0]["what"].startswith(f"In the last {back} days")
    assert (await coverage(callers, f"{CIRCLES}&days=0"))["items"] == []
    for days, rule in (("366", "out-of-range"), ("-1", "out-of-range"), ("week", "type")):
        answer = await callers.call("GET", f"/v1/routing/coverage?days={days}")
        assert answer.status_code == 400
        assert pointers(answer) == {"/days": rule}


ASKED = f"/v1/routing/explain?service={MANHOLE}"


async def test_a_route_is_explained_rule_by_rule(callers: Callers):
    path = f"{ASKED}&building={callers.city.house}"
    answer = await callers.call("GET", path, headers={"accept-language": "en"})
    assert answer.status_code == 200
    told = answer.json()
    assert told["organisation"]["name"] == "water"
    assert told["why"].startswith("The most specific rule")
    assert [(each["selector"], each["verdict"]) for each in told["considered"]] == [
        ("manholes", "chosen")
    ]
    assert [(each["name"], each["why"]) for each in told["unasked"]] == [
        ("* · Қала · department", "a rule before it had won already")
    ]
    assert told["elsewhere"] == told["other"] == {"count": 0, "rules": []}
    plain = (await callers.call("GET", path.replace("/explain", ""))).json()
    assert plain["organisation"] == told["organisation"]
    assert plain["responsibility"] == told["responsibility"]


async def test_one_may_ask_for_another_hour_and_for_the_rules_of_one_organisation(
    callers: Callers,
):
    at = "2026-03-04T20:00:00Z"
    path = f"/v1/routing/explain?service=lifts.person-trapped&building={callers.city.house}"
    told = (await callers.call("GET", f"{path}&at={at}")).json()
    assert told["at"] == at
    assert told["other"]["count"] == 1
    water = (await callers.call("GET", f"{path}&organisation={callers.city.water}")).json()
    assert [each["verdict"] for each in water["other"]["rules"]] == ["other-service"]
    centre = (await callers.call("GET", f"{path}&organisation={callers.city.centre}")).json()
    assert centre["other"] == {"count": 0, "rules": []}


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ("service=no.such", 400, "/service"),
        (f"service={MANHOLE}&latitude=50.4", 400, "/longitude"),
        (f"service={MANHOLE}&building=01890f00-0000-7000-8000-000000000000", 422, "/building"),
        (f"service={MANHOLE}&latitude=1&longitude=1", 422, "/latitude"),
        (f"service={MANHOLE}&at=yesterday", 400, "/at"),
    ],
)
async def test_a_wrong_question_is_told_by_its_parameter(
    callers: Callers, query: str, status: int, pointer: str
):
    answer = await callers.call("GET", f"/v1/routing/explain?{query}")
    assert answer.status_code == status
    assert pointer in pointers(answer)


async def test_the_rules_of_an_organisation_that_is_not_there_are_not_found(callers: Callers):
    answer = await callers.call("GET", f"{ASKED}&organisation={new_id()}")
    assert_problem(answer, 404, "not-found")


async def test_an_appeal_tells_its_way_and_where_it_would_go_now(callers: Callers):
    appeal = await callers.register()
    number = appeal["number"]
    body = {"organisation": str(callers.city.department), "reason": "Жол бөлімінің люгі"}
    assert (await callers.act(number, "redirect", body, role=Role.INSPECTOR)).status_code == 200
    answer = await callers.call("GET", f"/v1/appeals/{number}/route")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["decided"]["organisation"]["name"] == "water"
    assert told["decided"]["reason"] == "assigned"
    assert told["decided"]["rule"] == "manholes · Қала · water"
    assert told["decided"]["version"] == callers.house.references.of(callers.city.id).version
    (moved,) = told["moves"]
    assert (moved["former"]["name"], moved["organisation"]["name"]) == ("water", "department")
    assert moved["reason"] == "Жол бөлімінің люгі"
    assert moved["actor"]["role"] == "inspector"
    assert told["now"]["responsibility"] == told["decided"]["responsibility"]


async def test_an_appeal_answered_at_once_went_nowhere(callers: Callers):
    said = {"text": "Бригада жолда", "confirmed_by": "call"}
    appeal = await callers.register(answer=said)
    told = (await callers.call("GET", f"/v1/appeals/{appeal['number']}/route")).json()
    assert told["decided"]["reason"] == "first-contact"
    assert (told["decided"]["organisation"], told["moves"]) == (None, [])


async def test_a_service_that_has_ended_still_explains_its_appeals(
    callers: Callers, database_owner: DatabaseOwner
):
    appeal = await callers.register()
    await database_owner.expire(MANHOLE)
    told = (await callers.call("GET", f"/v1/appeals/{appeal['number']}/route")).json()
    assert told["now"]["organisation"]["name"] == "water"


async def test_a_gap_is_seen_as_soon_as_it_opens_and_by_the_akim_of_its_district(
    callers: Callers,
):
    """The last test of this module: it leaves the small city without its net."""
    before = (await coverage(callers))["version"]
    for statement in (
        "DELETE FROM responsibility WHERE city_id = $1 AND selector = '*'",
        "UPDATE city SET reference_version = reference_version + 1 WHERE id = $1",
    ):
        await fetch(callers.house, statement, callers.city.id)

    async def renewed() -> bool:
        return bool((await coverage(callers))["version"] > before)

    await eventually(renewed)
    page = await coverage(callers, "?lack=uncovered", headers={"accept-language": "en"})
    assert [each["subject"]["code"] for each in page["items"]] == ["general", "lifts"]
    area = page["items"][0]["area"]
    assert (area["kind"], area["districts"], area["houses"]) == ("city", ["centre"], 2)
    assert set(area["buildings"]) == {str(callers.city.house), str(callers.city.flats)}
    lifts = await coverage(callers, "?service=lifts.person-trapped")
    assert [each["subject"]["code"] for each in lifts["items"]] == ["lifts"]
    assert (await coverage(callers, "?sphere=lifts"))["errors"] == 1
    assert (await coverage(callers, "?sphere=manholes"))["errors"] == 0
    centre = await coverage(await _akim_of(callers, "centre"), "?days=0", role=Role.AKIM)
    assert [each["lack"] for each in centre["items"]] == ["uncovered", "uncovered"]
    other = await coverage(await _akim_of(callers, "north"), role=Role.AKIM)
    assert other["items"] == []
