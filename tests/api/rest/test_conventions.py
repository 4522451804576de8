"""Keys, tags, cursors, quotas, ids: what every caller can rely on, call after call."""

import asyncio
import json
import re
from datetime import datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rest.cursors import write_cursor
from api.rest.decode import canonical
from api.settings import Settings
from domain.access import Role
from domain.values import new_id
from tests.support.city import CITIZEN_PHONE, KISHI
from tests.support.rest import (
    Callers,
    assert_problem,
    client_of,
    intake,
    make_callers_app,
    pointers,
    running,
)
from tests.support.sql import fetch
from tests.walls.doors import RestDoor
from tests.walls.policy import POLICY

APPEALS = "/v1/appeals"


async def test_a_post_without_a_key_is_refused(callers: Callers):
    async with callers.client() as client:
        assert_problem(await client.post(APPEALS, json=intake()), 400, "idempotency-key-required")


async def test_sixteen_calls_with_one_key_make_one_appeal_and_one_answer(callers: Callers):
    key, body = uuid4().hex, intake(text="Он алты рет")
    async with callers.client() as client:
        calls = [
            client.post(APPEALS, json=body, headers={"idempotency-key": key}) for _ in range(16)
        ]
        answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    found = await callers.call("GET", APPEALS, params={"q": "Он алты рет"})
    assert len(found.json()["items"]) == 1


async def test_a_key_stands_for_one_request_alone(callers: Callers):
    key = uuid4().hex
    first = await callers.call("POST", APPEALS, intake(), key=key)
    other = await callers.call("POST", APPEALS, intake(text="Басқа"), key=key)
    assert_problem(other, 422, "idempotency-key-reused")
    path = f"{APPEALS}/{first.json()['number']}/comment"
    assert_problem(
        await callers.call("POST", path, {"text": "x"}, key=key), 422, "idempotency-key-reused"
    )


async def test_a_repeat_gets_the_first_answer_even_when_the_world_has_moved_on(callers: Callers):
    number, key = (await callers.register())["number"], uuid4().hex
    first = await callers.act(number, "accept", role=Role.EXECUTOR, key=key)
    await callers.act(number, "resolve", {"text": "ok", "no_photo_reason": "x"}, role=Role.EXECUTOR)
    again = await callers.act(
        number, "accept", role=Role.EXECUTOR, key=key, headers={"accept-language": "kk"}
    )
    assert again.status_code == first.status_code == 200
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["content-language"] == first.headers["content-language"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_refused_call_leaves_its_key_free(callers: Callers):
    key = uuid4().hex
    refused = await callers.call("POST", APPEALS, intake(service="no-such"), key=key)
    assert refused.status_code == 422
    assert (await callers.call("POST", APPEALS, intake(), key=key)).status_code == 201


async def test_two_people_may_take_the_same_key(callers: Callers):
    key = uuid4().hex
    numbers = {
        (
            await callers.call(
                "POST", APPEALS, intake(applicant=..., channel="app"), role=role, key=key
            )
        ).json()["number"]
        for role in (Role.OPERATOR, Role.INSPECTOR, Role.CITIZEN)
    }
    assert len(numbers) == 3


async def test_a_secret_is_told_again_to_whoever_repeats_the_call(callers: Callers):
    body, key = {"url": "https://hook.example.kz/109"}, uuid4().hex
    path = "/v1/webhook-endpoints"
    first = await callers.call("POST", path, body, role=Role.HEAD, key=key)
    again = await callers.call("POST", path, body, role=Role.HEAD, key=key)
    assert first.status_code == 201
    assert first.json()["secret"].startswith("whsec_")
    assert again.content == first.content
    assert again.headers["cache-control"] == first.headers["cache-control"] == "no-store"
    one = f"{path}/{first.json()['id']}"
    assert "secret" not in (await callers.call("GET", one, role=Role.HEAD)).json()
    rotated = [
        await callers.call("POST", f"{one}/rotate-secret", role=Role.HEAD, key="rotate-1")
        for _ in range(2)
    ]
    assert rotated[0].content == rotated[1].content
    assert rotated[0].json()["secret"] != first.json()["secret"]


async def test_an_appeal_has_a_tag_that_saves_reading_it_again(callers: Callers):
    path = f"{APPEALS}/{(await callers.register())['number']}"
    tag = (await callers.call("GET", path)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        answer = await callers.call("GET", path, headers={"if-none-match": known})
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == tag
    for other in ('"0"', "1", "", '"0","7"'):
        answer = await callers.call("GET", path, headers={"if-none-match": other})
        assert answer.status_code == 200


async def test_a_write_is_never_not_modified(callers: Callers):
    answer = await callers.call("POST", APPEALS, intake(), headers={"if-none-match": "*"})
    assert answer.status_code == 201
    assert answer.json()["number"]


async def test_who_read_an_older_version_changes_nothing(callers: Callers):
    number = (await callers.register())["number"]
    path = f"{APPEALS}/{number}"
    stale = (await callers.call("GET", path)).headers["etag"]
    await callers.act(number, "accept", role=Role.EXECUTOR, headers={"if-match": stale})
    for tags in (stale, '"999"', f"W/{stale}", '"x"', f'"x", {stale}'):
        for answer in (
            await callers.act(number, "comment", {"text": "x"}, role=Role.INSPECTOR,
                              headers={"if-match": tags}),
            await callers.call("PATCH", path, {"text": "Жаңа"}, headers={"if-match": tags}),
        ):  # fmt: skip
            assert_problem(answer, 412, "version-conflict")


@pytest.mark.parametrize("tags", ["1", "", '"1', '"1" "2"', "W/1", '"1",,', '"' + "1" * 201 + '"'])
async def test_a_tag_that_is_none_is_malformed(callers: Callers, tags: str):
    number = (await callers.register())["number"]
    answer = await callers.call(
        "PATCH", f"{APPEALS}/{number}", {"text": "Жаңа"}, headers={"if-match": tags}
    )
    assert_problem(answer, 400, "malformed")
    assert "/if-match" in pointers(answer)


async def test_an_edit_says_which_version_it_means(callers: Callers):
    path = f"{APPEALS}/{(await callers.register())['number']}"
    assert_problem(await callers.call("PATCH", path, {"text": "A"}), 428, "precondition-required")
    tag = (await callers.call("GET", path)).headers["etag"]
    done = await callers.call("PATCH", path, {"text": "B"}, headers={"if-match": f'"77", {tag}'})
    assert done.status_code == 200
    assert done.headers["etag"] != tag
    anything = await callers.call("PATCH", path, {"text": "C"}, headers={"if-match": "*"})
    assert anything.json()["text"] == "C"


async def _walk(callers: Callers, path: str, role: Role, between=None) -> list[str]:
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await callers.call("GET", f"{path}&cursor={cursor}" if cursor else path, role=role)
        assert page.status_code == 200, page.text
        seen += [str(item) for item in page.json()["items"]]
        cursor = page.json()["next"]
        if between is not None:
            await between()
    return seen


async def test_a_walk_is_complete_while_others_write(callers: Callers):
    there = {(await callers.register())["number"] for _ in range(7)}

    async def write():
        await callers.register()

    seen = await _walk(callers, f"{APPEALS}?limit=3", Role.OPERATOR, write)
    numbers = [number for item in seen for number in re.findall(r"'number': '(KIS-.*?)'", item)]
    assert there <= set(numbers)
    assert len(numbers) == len(set(numbers))


async def test_no_clock_is_lost_between_pages(callers: Callers):
    # An open manhole has two promises; with a page of one, every page ends between clocks.
    for _ in range(2):
        await callers.register()
    whole = await _walk(callers, "/v1/clocks?limit=100", Role.INSPECTOR)
    assert await _walk(callers, "/v1/clocks?limit=1", Role.INSPECTOR) == whole


async def test_no_assignment_is_lost_between_pages(callers: Callers):
    for _ in range(3):
        await callers.register()
    whole = await _walk(callers, "/v1/assignments?limit=100", Role.EXECUTOR)
    assert await _walk(callers, "/v1/assignments?limit=2", Role.EXECUTOR) == whole


async def test_a_quota_is_told_and_kept(callers: Callers, settings: Settings):
    async with running(make_callers_app(settings, rate_limit=3)) as app:
        headers = {"authorization": f"Bearer {callers.tokens[Role.OPERATOR]}"}
        async with client_of(app, headers) as client:
            answers = [await client.get("/v1/me") for _ in range(5)]
            health = await client.get("/v1/health")
        other = {"authorization": f"Bearer {callers.tokens[Role.HEAD]}"}
        async with client_of(app, other) as client:
            assert (await client.get("/v1/me")).status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0].headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert re.fullmatch(r'"default";r=2;t=\d{1,2}', answers[0].headers["ratelimit"])
    assert_problem(answers[3], 429, "rate-limited")
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert health.status_code == 200


async def test_guessing_tokens_meets_a_quota_too(settings: Settings, callers: Callers):
    async with running(make_callers_app(settings, rate_limit=3)) as app:
        statuses = []
        for guess in range(5):
            async with client_of(app, {"authorization": f"Bearer 109_{guess}"}) as client:
                statuses.append((await client.get("/v1/me")).status_code)
    assert statuses == [401, 401, 401, 429, 429]


async def test_a_browser_of_a_known_origin_may_call_and_read_what_it_needs(
    callers: Callers, settings: Settings
):
    origin = "https://app.example.kz"
    asks = {"origin": origin, "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,idempotency-key,if-match"}  # fmt: skip
    async with (
        running(make_callers_app(settings, cors_origins=(origin,))) as app,
        client_of(app) as client,
    ):
        preflight = await client.options(APPEALS, headers=asks)
        plain = await client.get("/v1/me", headers={"origin": origin})
        foreign = await client.options(APPEALS, headers=asks | {"origin": "https://evil.example"})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "idempotency-key" in preflight.headers["access-control-allow-headers"].lower()
    assert_problem(plain, 401, "unauthenticated")
    assert plain.headers["access-control-allow-origin"] == origin
    exposed = plain.headers["access-control-expose-headers"].lower().split(", ")
    assert {
        "etag", "link", "location", "x-request-id", "retry-after", "idempotency-replayed",
        "ratelimit", "ratelimit-policy",
    } <= set(exposed)  # fmt: skip
    assert foreign.status_code == 400
    assert foreign.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize(
    ("given", "taken"),
    [("abcdefgh-1.2_3", True), ("short", False), ("a" * 65, False), ("a b c d e f g", False)],
)
async def test_a_request_is_named_by_its_caller_or_by_us(callers: Callers, given: str, taken: bool):
    answer = await callers.call("GET", "/v1/nothing", headers={"x-request-id": given})
    id = answer.headers["x-request-id"]
    assert (id == given) is taken
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", id)
    assert answer.json()["request_id"] == id


@pytest.mark.parametrize(
    "path",
    ["/v1/me", "/v1/health", "/v1/appeals?limit=1", "/v1/catalogue", "/v1/openapi.json",
     "/reference", "/reference/start.js", "/problems/invalid", "/v1/nothing", "/v1/ready"],
)  # fmt: skip
async def test_head_is_get_without_the_body(callers: Callers, path: str):
    got, head = [await callers.call(method, path) for method in ("GET", "HEAD")]
    assert head.status_code == got.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == got.headers.get(name)


def _times(value: object, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [time for key, item in value.items() for time in _times(item, key)]
    if isinstance(value, list):
        return [time for item in value for time in _times(item, name)]
    named = name.endswith("_at") or name in ("at", "since", "until")
    return [value] if named and isinstance(value, str) else []


async def test_every_time_is_rfc_3339_in_utc(callers: Callers):
    closed = await callers.brought_to("closed")
    registered = (await callers.register())["number"]
    await callers.act(registered, "accept", role=Role.EXECUTOR)
    found: list[str] = []
    for role, path in [
        (Role.INSPECTOR, f"{APPEALS}/{closed['number']}"),
        (Role.INSPECTOR, f"{APPEALS}/{closed['number']}/events"),
        (Role.INSPECTOR, f"{APPEALS}/{closed['number']}/clocks"),
        (Role.INSPECTOR, APPEALS),
        (Role.INSPECTOR, "/v1/clocks"),
        (Role.EXECUTOR, "/v1/assignments"),
        (Role.HEAD, "/v1/webhook-endpoints"),
    ]:
        found += _times((await callers.call("GET", path, role=role)).json())
    assert len(found) > 30
    for time in [*found, *_times(closed)]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", time), time
        assert datetime.fromisoformat(time).tzinfo is not None


async def test_a_new_appeal_says_where_it_is(callers: Callers):
    answer = await callers.call("POST", APPEALS, intake())
    assert answer.status_code == 201
    where = answer.headers["location"]
    assert where.endswith(f"{APPEALS}/{answer.json()['number']}")
    read = await callers.call("GET", where.partition("/v1")[1] + where.partition("/v1")[2])
    assert read.json() | {"incidents": []} == answer.json()
    assert read.headers["etag"] == answer.headers["etag"]


async def test_numbers_have_no_gaps_after_failed_and_parallel_intakes(callers: Callers):
    async with callers.client() as client:

        async def one(turn: int):
            body = intake(service="no-such") if turn % 3 == 0 else intake()
            if turn % 3 == 1:
                body["attachments"] = [str(uuid4())]
            return await client.post(APPEALS, json=body, headers={"idempotency-key": uuid4().hex})

        statuses = [a.status_code for a in await asyncio.gather(*map(one, range(48)))]
    assert sorted(set(statuses)) == [201, 422]
    # What a refused call gave back, or another process of this module had, comes next.
    for _ in range(len(_missing(await _taken(callers)))):
        await callers.register()
    assert not _missing(await _taken(callers))


async def _taken(callers: Callers) -> set[int]:
    rows = await fetch(callers.house, "SELECT number FROM appeal WHERE city_id = $1", KISHI.id)
    return {int(row["number"].rpartition("-")[2]) for row in rows}


def _missing(taken: set[int]) -> set[int]:
    return set(range(1, max(taken) + 1)) - taken


async def test_an_answer_that_the_resident_accepts_closes_at_once(callers: Callers):
    said = {"text": "Бригада шықты", "confirmed_by": "call", "rating": 5}
    appeal = await callers.register(answer=said)
    assert appeal["status"] == "closed"
    assert appeal["first_contact"] is True
    assert appeal["confirmation"]["how"] == "call"
    assert appeal["confirmation"]["rating"] == 5
    open_ = await callers.register(answer={"text": "Бригада шықты"})
    assert open_["status"] == "answered"
    assert open_["closed_at"] is None


async def test_only_staff_answers_at_once(callers: Callers):
    answer = {"text": "Өзім жауап беремін", "confirmed_by": "app"}
    body = intake(applicant=..., channel="app", answer=answer)
    refused = await callers.call("POST", APPEALS, body, role=Role.CITIZEN)
    assert_problem(refused, 422, "invalid")
    assert pointers(refused) == {"/answer": "staff-only"}


async def test_who_stays_unnamed_is_not_named(callers: Callers):
    nobody = await callers.register(anonymous=True, applicant=...)
    assert nobody["applicant"] is None
    body = intake(anonymous=True, applicant=..., channel="app")
    own = (await callers.call("POST", APPEALS, body, role=Role.CITIZEN)).json()
    assert own["applicant"]["anonymous"] is True
    assert own["applicant"]["name"] is own["applicant"]["phone"] is None
    path = f"{APPEALS}/{own['number']}"
    assert (await callers.call("GET", path, role=Role.CITIZEN)).status_code == 200
    clear = (await callers.call("GET", f"{path}/applicant")).json()
    assert clear["name"] is clear["phone"] is clear["email"] is None


async def test_a_name_and_a_phone_are_masked_and_the_reading_of_them_is_kept(callers: Callers):
    number = (await callers.register())["number"]
    for role in (Role.OPERATOR, Role.EXECUTOR, Role.AKIM):
        answer = await callers.call("GET", f"{APPEALS}/{number}", role=role)
        events = await callers.call("GET", f"{APPEALS}/{number}/events", role=role)
        for text in (answer.text, events.text):
            assert CITIZEN_PHONE not in text
            assert "Серікова" not in text
    clear = await callers.call("GET", f"{APPEALS}/{number}/applicant")
    assert clear.json()["phone"] == CITIZEN_PHONE
    assert clear.headers["cache-control"] == "no-store"
    rows = await fetch(callers.house, "SELECT role FROM personal_read")
    assert [row["role"] for row in rows].count("inspector") >= 1


async def test_an_expired_service_or_version_is_refused(callers: Callers, database_owner):
    service = "manholes.animal-fell-in"
    current = (await callers.call("GET", f"/v1/services/{service}")).json()["version"]
    body = intake(service=service, answers={}, service_version=current + 1)
    answer = await callers.call("POST", APPEALS, body)
    assert pointers(answer)["/service_version"] == "expired-version"
    assert answer.json()["errors"][0]["params"] == {"current": current}
    await database_owner.expire(service)
    expired = await callers.call("POST", APPEALS, intake(service=service, answers={}))
    assert pointers(expired) == {"/service": "expired-service"}


async def test_the_same_words_in_another_writing_are_the_same_request(callers: Callers):
    key, body = uuid4().hex, intake(text="Бір сөз, екі жазу", location={"coordinates": POINT})
    writings = (
        json.dumps(body),
        json.dumps(body, indent=3, ensure_ascii=False, sort_keys=True),
        json.dumps(dict(reversed(body.items()))).replace("80.0", "8e1"),
    )
    headers = {"idempotency-key": key, "content-type": "application/json"}
    async with callers.client() as client:
        answers = [
            await client.post(APPEALS, content=said.encode(), headers=headers) for said in writings
        ]
        other = json.dumps(body).replace("80.0", "80.000001")
        refused = await client.post(APPEALS, content=other.encode(), headers=headers)
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert ["idempotency-replayed" in answer.headers for answer in answers] == [False, True, True]
    assert_problem(refused, 422, "idempotency-key-reused")


POINT = {"latitude": 50.41, "longitude": 80.0}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
    | st.floats(-1e6, 1e6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES, VALUES)
def test_two_bodies_are_one_request_when_they_say_the_same(one, other):
    def spaced(value: object) -> bytes:
        return json.dumps(value, indent=1, sort_keys=True).encode()

    assert canonical(spaced(one)) == canonical(json.dumps(one).encode())
    same = canonical(spaced(one)) == canonical(spaced(other))
    assert same == (_typed(one) == _typed(other))


def _typed(value: object) -> object:
    """Python takes True for 1; JSON does not."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return (
        {name: _typed(item) for name, item in value.items()} if isinstance(value, dict) else value
    )


async def test_what_is_not_possible_names_what_the_caller_may_do(callers: Callers):
    number = (await callers.register())["number"]
    refused = await callers.act(number, "resolve", RESOLVED, role=Role.EXECUTOR)
    possible = assert_problem(refused, 409, "invalid-transition")["allowed"]
    assert possible == ["accept", "decline", "comment", "attach"]
    seen = await callers.call("GET", f"{APPEALS}/{number}", role=Role.EXECUTOR)
    assert possible == seen.json()["allowed"]


RESOLVED = {"text": "ok", "no_photo_reason": "түн"}


async def test_a_body_that_is_ill_formed_learns_of_its_answers_too(callers: Callers):
    body = intake(channel="pigeon", text=" ", answers={"cover": "odd"})
    answer = await callers.call("POST", APPEALS, body, role=Role.OPERATOR)
    assert_problem(answer, 422, "invalid")
    assert pointers(answer) == {
        "/channel": "enum",
        "/text": "too-short",
        "/answers/cover": "enum",
        "/answers/landmark": "required",
    }
    unknown = await callers.call("POST", APPEALS, body | {"service": "no.such"}, role=Role.OPERATOR)
    assert pointers(unknown)["/service"] == "unknown-service"


async def test_a_resident_is_told_by_which_roads_they_come(callers: Callers):
    body = intake(applicant=..., channel="phone")
    answer = await callers.call(
        "POST", APPEALS, body, role=Role.CITIZEN, headers={"accept-language": "kz"}
    )
    assert_problem(answer, 422, "invalid")
    assert answer.headers["content-language"] == "kk"
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["rule"]) == ("/channel", "not-self-service")
    assert "app, smart_astana, web, telegram" in fault["message"]


@pytest.mark.parametrize(
    "answers",
    ['{"cover": 1e999}', '{"cover": NaN}', '{"cover": 1' + "0" * 400 + "}",
     '{"cover": ' + "[" * 100 + "]" * 100 + "}", '[]', '"x"', 'null', '{"": {"": null}}'],
)  # fmt: skip
async def test_no_answers_are_too_odd_to_be_judged_beside_a_bad_form(
    callers: Callers, answers: str
):
    said = json.dumps(intake(channel="pigeon", answers="HERE")).replace('"HERE"', answers)
    headers = {"idempotency-key": uuid4().hex, "content-type": "application/json"}
    async with callers.client(Role.OPERATOR) as client:
        answer = await client.post(APPEALS, content=said.encode(), headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.status_code == 400 or "/channel" in pointers(answer)


OF_OTHERS = {
    "appeals": "",
    "clocks": "resolve/1",
    "the graph's, by due time": "due_at/asc",
    "the feed": "12",
}
"""Lists, and what marks the places of their cursors."""


@pytest.mark.parametrize("mark", OF_OTHERS.values(), ids=OF_OTHERS)
async def test_the_cursor_of_another_list_is_refused_or_a_place_like_any(callers: Callers, mark):
    house = callers.house
    cursor = write_cursor(house.now(), new_id(), house.keyring, mark)
    door = RestDoor()
    lists = [
        one
        for one in door.operations
        if "cursor" in door.conditions(one) and not door.changes(one) and "{" not in door.path(one)
    ]
    assert len(lists) > 8
    told = {}
    for one in lists:
        role = next(iter(sorted(POLICY[one].roles - {Role.CITIZEN}, key=str)), Role.CITIZEN)
        answer = await callers.call("GET", door.path(one), params={"cursor": cursor}, role=role)
        told[one] = answer.status_code
    assert set(told.values()) <= {200, 400}, told
