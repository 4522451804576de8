"""Incidents through the doors: published, found at an address, told at intake, suggested."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.bootstrap import House
from domain.access import Role
from domain.values import new_id
from tests.integrations.media.files import picture
from tests.support.city import EVIDENCED, KISHI, MANHOLE
from tests.support.incidents import TEXTS
from tests.support.rest import Callers, assert_problem, pointers
from tests.support.sql import fetch
from tests.support.worker import eventually, scheduling

FLATS = {"buildings": [str(KISHI.flats)]}


def opening(**changes):
    said = {
        "kind": "outage", "services": [MANHOLE], "area": FLATS, "texts": TEXTS,
        "executor": str(KISHI.water),
    }  # fmt: skip
    return said | changes


async def opened(callers: Callers, role: Role = Role.INSPECTOR, **changes):
    answer = await callers.call("POST", "/v1/incidents", opening(**changes), role=role)
    assert answer.status_code == 201, answer.text
    await callers.house.references.refresh(callers.house.now())
    return answer.json()


async def known_to_the_api(callers: Callers, incident) -> None:
    """The application has a snapshot of its own, renewed each second."""

    async def known() -> bool:
        where = {"building": str(KISHI.flats)}
        found = await callers.call("GET", "/v1/incidents", params=where)
        return incident["id"] in [one["id"] for one in found.json()["items"]]

    await eventually(known)


@pytest.fixture(autouse=True)
async def fresh(house: House):
    await fetch(house, "UPDATE incident SET status = 'cancelled', settled = true")
    await fetch(house, "UPDATE appeal SET status = 'withdrawn'")


async def test_an_outage_is_told_at_intake_and_the_appeal_joins_it(callers: Callers):
    incident = await opened(callers, planned_to="2090-01-01T00:00:00Z")
    await known_to_the_api(callers, incident)
    appeal = await callers.register(location={"building": str(KISHI.flats)})
    assert appeal["incident"] == incident["id"]
    (told,) = appeal["incidents"]
    assert told["joined"]
    assert (told["id"], told["texts"]) == (incident["id"], TEXTS)
    assert told["planned_to"] == "2090-01-01T00:00:00Z"
    elsewhere = await callers.register()
    assert (elsewhere["incident"], elsewhere["incidents"]) == (None, [])


async def test_what_is_suggested_is_offered_and_joins_nobody(callers: Callers):
    incident = await opened(callers, matching="suggested")
    await known_to_the_api(callers, incident)
    appeal = await callers.register(location={"building": str(KISHI.flats)})
    assert appeal["incident"] is None
    assert [(one["id"], one["joined"]) for one in appeal["incidents"]] == [(incident["id"], False)]


async def test_a_resident_learns_of_outages_at_an_address_and_nothing_of_other_residents(
    callers: Callers,
):
    incident = await opened(callers)
    hidden = await opened(callers, public=False)
    await known_to_the_api(callers, hidden)
    appeal = await callers.register(location={"building": str(KISHI.flats)})
    for where in ({"address": "Абай 14"}, {"building": str(KISHI.flats)}):
        found = await callers.call("GET", "/v1/incidents", role=Role.CITIZEN, params=where)
        (one,) = found.json()["items"]
        assert one["id"] == incident["id"]
        assert (one["owner"], one["counts"], one["allowed"]) == (None, None, [])
        assert appeal["number"] not in found.text
    path = f"/v1/incidents/{incident['id']}"
    assert (await callers.call("GET", path, role=Role.CITIZEN)).status_code == 200
    assert_problem(
        await callers.call("GET", f"{path}/events", role=Role.CITIZEN), 403, "not-permitted"
    )
    hidden_path = f"/v1/incidents/{hidden['id']}"
    assert_problem(await callers.call("GET", hidden_path, role=Role.CITIZEN), 404, "not-found")
    elsewhere = {"building": str(KISHI.house)}
    none = await callers.call("GET", "/v1/incidents", role=Role.CITIZEN, params=elsewhere)
    assert none.json()["items"] == []


async def test_a_resident_whose_appeal_is_joined_sees_what_is_not_public(callers: Callers):
    mine = await callers.register(Role.CITIZEN, applicant=..., channel="app")
    incident = await opened(callers, public=False, matching="suggested", appeals=[mine["number"]])
    path = f"/v1/incidents/{incident['id']}"
    seen = await callers.call("GET", path, role=Role.CITIZEN)
    assert seen.status_code == 200
    assert (seen.json()["counts"], seen.json()["owner"]) == (None, None)


async def test_a_stranger_in_the_city_sees_of_a_public_incident_its_public_fields(
    callers: Callers,
):
    incident = await opened(callers)
    await fetch(
        callers.house,
        "INSERT INTO organisation SELECT (jsonb_populate_record(o, jsonb_build_object("
        " 'id', $1::uuid, 'code', 'ksk', 'parent_id', NULL))).* FROM organisation o"
        " WHERE o.id = $2 ON CONFLICT DO NOTHING",
        KISHI.ident("ksk"), KISHI.water,
    )  # fmt: skip
    id = new_id()
    await fetch(
        callers.house,
        "INSERT INTO member (id, city_id, organisation_id, role, name)"
        " VALUES ($1, $2, $3, 'executor', 'B.')",
        id, KISHI.id, KISHI.ident("ksk"),
    )  # fmt: skip
    token = await callers.house.tokens.issue(KISHI.id, name="test", member=id)
    stranger = replace(callers, tokens={Role.EXECUTOR: token})
    path = f"/v1/incidents/{incident['id']}"
    seen = await stranger.call("GET", path, role=Role.EXECUTOR)
    assert seen.status_code == 200
    assert (seen.json()["counts"], seen.json()["owner"]) == (None, None)
    assert_problem(
        await stranger.call("GET", f"{path}/events", role=Role.EXECUTOR), 404, "not-found"
    )
    for action, body in (("accept", {}), ("cancel", {"reason": "?"})):
        refused = await stranger.call("POST", f"{path}/{action}", body, role=Role.EXECUTOR)
        assert_problem(refused, 403, "not-permitted")


async def test_a_utility_publishes_its_own_works_and_no_others(callers: Callers):
    begins = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    said = opening(kind="planned-works", planned_from=begins)
    del said["executor"]
    answer = await callers.call("POST", "/v1/incidents", said, role=Role.HEAD)
    assert answer.status_code == 201
    works = answer.json()
    assert (works["status"], works["matching"]) == ("announced", "suggested")
    assert works["accepted_at"] is not None
    for role in (Role.HEAD, Role.EXECUTOR):
        foreign = opening(services=["lifts.person-trapped"])
        answer = await callers.call("POST", "/v1/incidents", foreign, role=role)
        assert_problem(answer, 403, "not-permitted")
    assert (await callers.call("POST", "/v1/incidents", opening(), role=Role.ADMINISTRATOR)).json()


async def test_everything_that_is_wrong_with_an_incident_is_named_at_once(callers: Callers):
    bad = opening(
        services=["no.such"],
        area={"buildings": [str(KISHI.street)], "streets": [str(KISHI.flats)],
              "districts": ["nowhere"], "polygon": [
                  {"latitude": 50.1, "longitude": 80.1}, {"latitude": 50.2, "longitude": 80.2},
                  {"latitude": 50.1, "longitude": 80.2}, {"latitude": 50.2, "longitude": 80.1}]},
        executor=str(KISHI.street), planned_to="2020-01-01T00:00:00Z",
    )  # fmt: skip
    answer = await callers.call("POST", "/v1/incidents", bad)
    assert_problem(answer, 422, "invalid")
    assert pointers(answer) == {
        "/services/0": "unknown-service", "/area/buildings": "unknown-building",
        "/area/streets": "unknown-street", "/area/districts": "unknown-district",
        "/area/polygon": "crosses-itself", "/executor": "unknown-organisation",
        "/planned_to": "ends-too-early",
    }  # fmt: skip
    empty = await callers.call("POST", "/v1/incidents", opening(area={}))
    assert pointers(empty) == {"/area": "area-empty"}


async def test_an_incident_that_changed_meanwhile_is_not_overwritten(callers: Callers):
    incident = await opened(callers)
    path = f"/v1/incidents/{incident['id']}"
    blind = await callers.call("PATCH", path, {"public": False})
    assert_problem(blind, 428, "precondition-required")
    tag = (await callers.call("GET", path)).headers["etag"]
    first = await callers.call("PATCH", path, {"public": False}, headers={"if-match": tag})
    assert first.status_code == 200
    assert first.headers["etag"] != tag
    late = await callers.call("PATCH", path, {"public": True}, headers={"if-match": tag})
    assert_problem(late, 412, "version-conflict")


async def test_similar_appeals_are_found_near_by_and_of_late(callers: Callers):
    place = {"building": str(KISHI.house)}
    one = await callers.register(location=place, text="Люк ашық, қақпағы жоқ, балалар жүр")
    two = await callers.register(location={"building": str(KISHI.flats)}, text="Люк ашық тұр")
    path = f"/v1/appeals/{one['number']}/similar"
    found = (await callers.call("GET", path, role=Role.OPERATOR)).json()["items"]
    assert [item["number"] for item in found] == [two["number"]]
    assert found[0]["score"] > 80
    nowhere = await callers.register(location={"address": "бір жерде"})
    path = f"/v1/appeals/{nowhere['number']}/similar"
    assert (await callers.call("GET", path)).json()["items"] == []


async def test_inspectors_are_shown_what_may_be_one_problem(callers: Callers):
    numbers = [(await callers.register())["number"] for _ in range(4)]
    answer = await callers.call("GET", "/v1/incidents/suggestions", params={"at_least": "4"})
    (group,) = answer.json()["items"]
    assert (group["count"], group["appeals"]) == (4, numbers)
    assert group["words"] == 100
    assert group["incident"] is None
    incident = await opened(callers, matching="suggested", appeals=group["appeals"])
    after = await callers.call("GET", "/v1/incidents/suggestions", params={"at_least": "4"})
    assert after.json()["items"] == []
    joined = await callers.call("GET", "/v1/appeals", params={"incident": incident["id"]})
    assert {item["number"] for item in joined.json()["items"]} == set(numbers)
    seen = await callers.call("GET", f"/v1/incidents/{incident['id']}")
    assert seen.json()["counts"] == {"joined": 4, "by_status": {"assigned": 4}, "refused": 0}


async def test_one_photo_of_the_executor_stands_with_every_appeal(callers: Callers):
    mine = await callers.register(Role.CITIZEN, applicant=..., channel="app")
    incident = await opened(callers, matching="suggested", appeals=[mine["number"]])
    path = f"/v1/incidents/{incident['id']}"
    files = {"file": ("люк.jpg", picture(), "image/jpeg")}
    upload = await callers.call("POST", "/v1/attachments", role=Role.EXECUTOR, files=files)
    photo = upload.json()["id"]
    assert (await callers.call("POST", f"{path}/accept", {}, role=Role.EXECUTOR)).status_code == 200
    done = {"text": "Жабылды", "evidence": [photo]}
    answer = await callers.call("POST", f"{path}/resolve", done, role=Role.EXECUTOR)
    assert answer.status_code == 200, answer.text
    async with scheduling(callers.house):
        number = mine["number"]

        async def resolved() -> bool:
            seen = await callers.call("GET", f"/v1/appeals/{number}", role=Role.CITIZEN)
            return bool(seen.json()["status"] == "resolved")

        await eventually(resolved)
    shown = await callers.call("GET", f"/v1/appeals/{number}/attachments", role=Role.CITIZEN)
    assert [item["id"] for item in shown.json()["items"]] == [photo]
    content = await callers.call("GET", f"/v1/attachments/{photo}/content", role=Role.CITIZEN)
    assert content.status_code == 200
    again = await callers.call("POST", "/v1/appeals", {"attachments": [photo]}, role=Role.EXECUTOR)
    assert again.status_code == 403
    await fetch(callers.house, "UPDATE attachment SET created_at = now() - interval '2 days'")
    assert await callers.house.housekeeping.forget_uploads(callers.house.now()) == 0


async def test_evidence_that_a_service_demands_is_asked_of_the_incident(callers: Callers):
    incident = await opened(callers, services=[EVIDENCED])
    path = f"/v1/incidents/{incident['id']}"
    assert (await callers.call("POST", f"{path}/accept", {}, role=Role.EXECUTOR)).status_code == 200
    bare = {"text": "ok", "no_photo_reason": "түн"}
    answer = await callers.call("POST", f"{path}/resolve", bare, role=Role.EXECUTOR)
    document = assert_problem(answer, 422, "evidence-missing")
    assert {one["params"]["of"] for one in document["errors"]} == {"incident"}
    for one in document["errors"]:
        # A waiver is of an appeal: nobody can give an incident one.
        assert "(part)" in one["message"]
        assert "(waive)" in one["message"]


async def test_a_photo_from_before_the_incident_shows_no_result_of_its_work(callers: Callers):
    async def photo(side: int) -> str:
        files = {"file": ("люк.jpg", picture(size=(side, 24)), "image/jpeg")}
        kept = await callers.call("POST", "/v1/attachments", role=Role.EXECUTOR, files=files)
        return str(kept.json()["id"])

    early = [await photo(side) for side in (80, 84)]
    incident = await opened(callers, services=[EVIDENCED])
    path = f"/v1/incidents/{incident['id']}"
    await callers.call("POST", f"{path}/accept", {}, role=Role.EXECUTOR)
    done = {"text": "ok", "act_number": "118/2026", "evidence": early}
    refused = await callers.call("POST", f"{path}/resolve", done, role=Role.EXECUTOR)
    assert_problem(refused, 422, "evidence-missing")
    assert pointers(refused) == {"/evidence": "photos-early"}
    done["evidence"] = [await photo(side) for side in (88, 92)]
    answer = await callers.call("POST", f"{path}/resolve", done, role=Role.EXECUTOR)
    assert answer.status_code == 200, answer.text


async def queue(callers: Callers, **wanted: str) -> tuple[list[str], list[tuple[str, int]]]:
    """The newest numbers of the executor's queue, and the incidents above them."""
    params = {"limit": "100", **wanted}
    answer = await callers.call("GET", "/v1/assignments", role=Role.EXECUTOR, params=params)
    page = answer.json()
    above = [(one["incident"]["id"], one["assignments"]) for one in page["incidents"]]
    return [item["appeal"]["number"] for item in page["items"]], above


async def test_an_executor_reads_one_incident_for_all_its_appeals(callers: Callers):
    single = await callers.register()
    joined = [(await callers.register())["number"] for _ in range(3)]
    incident = await opened(callers, matching="suggested", appeals=joined)
    numbers, above = await queue(callers)
    assert single["number"] in numbers
    assert not set(joined) & set(numbers)
    assert above == [(incident["id"], 3)]
    assert await queue(callers, state="accepted") == ([], [])
    everything, none = await queue(callers, joined="true")
    assert (everything[:3], none) == (joined[::-1], [])
    assert single["number"] not in everything
    others, none = await queue(callers, joined="false")
    assert single["number"] in others
    assert not set(joined) & set(others)
    assert none == []


async def test_what_calls_for_an_act_of_its_own_stands_in_the_queue_though_joined(
    callers: Callers,
):
    number = (await callers.register())["number"]
    incident = await opened(callers, matching="suggested", appeals=[number])
    path = f"/v1/incidents/{incident['id']}"
    assert number not in (await queue(callers))[0]
    done = {"text": "ok", "no_photo_reason": "түн"}
    async with scheduling(callers.house):
        for action, body in (("accept", {}), ("resolve", done)):
            answer = await callers.call("POST", f"{path}/{action}", body, role=Role.EXECUTOR)
            assert answer.status_code == 200, answer.text

        async def resolved() -> bool:
            return await status(callers, number) == "resolved"

        await eventually(resolved)
    no = {"how": "call", "reason": "Әлі ашық"}
    assert (await callers.act(number, "reopen", no, role=Role.OPERATOR)).status_code == 200
    assert number in (await queue(callers))[0], "the incident is resolved, this resident says no"

    other = (await callers.register())["number"]
    await opened(callers, matching="suggested", appeals=[other])
    assert other not in (await queue(callers))[0]
    elsewhere = {"organisation": str(KISHI.department), "reason": "басқа желі"}
    given = await callers.act(other, "redirect", elsewhere, role=Role.INSPECTOR)
    assert given.status_code == 200, given.text
    theirs = KISHI.principal(Role.EXECUTOR, organisation=KISHI.department)
    found = await callers.house.lists.assignments(theirs, ["offered"], None, 100)
    mine = [given.organisation for given, appeal in found if appeal.number == other]
    assert mine == [KISHI.department], "joined still, and no act of the incident moves it"


async def status(callers: Callers, number: str) -> str:
    answer = await callers.call("GET", f"/v1/appeals/{number}")
    return str(answer.json()["status"])


async def test_an_appeal_that_is_parted_by_hand_goes_its_own_way(callers: Callers):
    one, two = [await callers.register() for _ in range(2)]
    numbers = [one["number"], two["number"]]
    incident = await opened(callers, matching="suggested", appeals=numbers)
    path = f"/v1/incidents/{incident['id']}"
    before = (await callers.call("GET", f"/v1/appeals/{numbers[0]}")).json()
    parted = await callers.call(
        "POST", f"{path}/part", {"appeals": [numbers[0]], "reason": "Басқа люк"}
    )
    assert parted.status_code == 200, parted.text
    after = (await callers.call("GET", f"/v1/appeals/{numbers[0]}")).json()
    assert (before["incident"], after["incident"]) == (incident["id"], None)
    assert after["assignment"]["organisation"]["id"] == str(KISHI.water)
    assert (after["status"], after["clocks"]) == (before["status"], before["clocks"])
    events = await callers.call("GET", f"/v1/appeals/{numbers[0]}/events")
    last = events.json()["items"][-1]
    assert (last["type"], last["data"]["incident"]) == ("appeal.parted", incident["id"])
    assert (await queue(callers))[0][0] == numbers[0], "its executor must act on it again"
    async with scheduling(callers.house):
        await callers.call("POST", f"{path}/accept", {}, role=Role.EXECUTOR)

        async def accepted() -> bool:
            return await status(callers, numbers[1]) == "in_progress"

        await eventually(accepted)
    assert await status(callers, numbers[0]) == "assigned"
    again = await callers.call("POST", f"{path}/part", {"appeals": [numbers[0]], "reason": "?"})
    assert again.status_code == 409
    explained = await callers.call("GET", f"/v1/appeals/{numbers[0]}/sla/explain")
    assert all(clock["agrees"] for clock in explained.json()["clocks"])
    history = await callers.call("GET", f"{path}/events")
    assert "incident.parted" in [event["type"] for event in history.json()["items"]]


@pytest.mark.parametrize("matching", ["automatic", "suggested"])
async def test_intake_during_planned_works_joins_them_or_is_told_of_them(
    callers: Callers, matching: str
):
    begins = datetime.now(UTC) + timedelta(seconds=2)
    ends = begins + timedelta(hours=3)
    works = await opened(
        callers, kind="planned-works", matching=matching,
        planned_from=begins.isoformat(), planned_to=ends.isoformat(),
    )  # fmt: skip
    assert works["status"] == "announced"
    path = f"/v1/incidents/{works['id']}"
    async with scheduling(callers.house):

        async def begun() -> bool:
            return bool((await callers.call("GET", path)).json()["status"] == "active")

        await eventually(begun)
        await known_to_the_api(callers, works)
        appeal = await callers.register(location={"building": str(KISHI.flats)})
    (told,) = appeal["incidents"]
    assert (told["id"], told["kind"]) == (works["id"], "planned-works")
    assert datetime.fromisoformat(told["planned_to"]) == ends
    assert not told["coming"]
    joined = matching == "automatic"
    assert told["joined"] is joined
    assert appeal["incident"] == (works["id"] if joined else None)
    seen = await callers.call("GET", path)
    assert seen.json()["counts"]["joined"] == int(joined)
    if not joined:
        by_hand = await callers.call("POST", f"{path}/join", {"appeals": [appeal["number"]]})
        assert by_hand.status_code == 200, by_hand.text
        found = await callers.call("GET", f"/v1/appeals/{appeal['number']}")
        assert found.json()["incident"] == works["id"]


async def test_what_runs_past_its_expected_end_says_so_and_is_listed(callers: Callers):
    fine = await opened(callers, planned_to="2090-01-01T00:00:00Z")
    end = datetime.now(UTC) + timedelta(seconds=3)
    late = await opened(callers, planned_to=end.isoformat())
    assert (fine["overdue"], late["overdue"]) == (False, False)

    async def listed() -> bool:
        found = await callers.call("GET", "/v1/incidents", params={"overdue": "true"})
        return [(one["id"], one["overdue"]) for one in found.json()["items"]] == [
            (late["id"], True)
        ]

    await eventually(listed)
    await known_to_the_api(callers, late)
    appeal = await callers.register(location={"building": str(KISHI.flats)})
    told = {one["id"]: one["overdue"] for one in appeal["incidents"]}
    assert told == {fine["id"]: False, late["id"]: True}
    for query in ("overdue=false", "overdue=yes"):
        assert_problem(await callers.call("GET", f"/v1/incidents?{query}"), 400, "malformed")


async def test_the_history_names_appeals_to_those_alone_who_see_the_city(callers: Callers):
    number = (await callers.register())["number"]
    incident = await opened(callers, matching="suggested", appeals=[number])
    path = f"/v1/incidents/{incident['id']}/events"

    async def joined(role: Role) -> object:
        answer = await callers.call("GET", path, role=role)
        return answer.json()["items"][-1]["data"]["appeals"]

    assert await joined(Role.INSPECTOR) == [number]
    assert await joined(Role.EXECUTOR) == 1
