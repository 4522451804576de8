"""Whatever is wrong is told as a problem document, in the caller's language, field by field."""

import json
from uuid import UUID, uuid4

import pytest

from api.rest.table import OPERATIONS
from domain.access import Role
from tests.support.rest import Callers, assert_problem, intake, pointers

APPEALS = "/v1/appeals"
JSON = {"content-type": "application/json"}


async def _post(callers: Callers, raw: bytes, path: str = APPEALS):
    return await callers.call("POST", path, content=raw, headers=JSON, role=Role.OPERATOR)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/appeals/", "/reference/none.js"])
async def test_an_unknown_path_is_not_found(callers: Callers, path: str):
    assert_problem(await callers.call("GET", path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/appeals", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/v1/appeals/KIS-2026-000001", "GET, HEAD, OPTIONS, PATCH"),
        ("GET", "/v1/appeals/KIS-2026-000001/accept", "OPTIONS, POST"),
        ("TRACE", "/v1/health", "GET, HEAD, OPTIONS"),
        ("POST", "/v1/openapi.json", "GET, HEAD, OPTIONS"),
        ("POST", "/reference", "GET, HEAD, OPTIONS"),
        ("DELETE", "/reference/start.js", "GET, HEAD, OPTIONS"),
        ("PATCH", "/problems/invalid", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_names_every_right_one(
    callers: Callers, method: str, path: str, allow: str
):
    response = await callers.call(method, path)
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allow
    options = await callers.call("OPTIONS", path, role=None)
    assert options.status_code == 204
    assert options.headers["allow"] == allow


async def test_no_path_takes_a_method_that_the_contract_lacks(callers: Callers):
    paths = {operation.path for operation in OPERATIONS}
    for path in paths:
        known = {operation.method for operation in OPERATIONS if operation.path == path}
        allowed = known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())
        concrete = path.format(number="KIS-2026-000001", id=uuid4(), code="x")
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "QUERY"} - known:
            response = await callers.call(method, concrete)
            assert_problem(response, 405, "method-not-allowed")
            assert set(response.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0", "image/*"])
async def test_a_form_that_we_do_not_speak_is_refused_before_the_act(callers: Callers, accept: str):
    before = (await callers.call("GET", "/v1/statistics")).json()["appeals"]["total"]
    response = await callers.call("POST", APPEALS, intake(), headers={"accept": accept})
    assert_problem(response, 406, "not-acceptable")
    assert (await callers.call("GET", "/v1/statistics")).json()["appeals"]["total"] == before


@pytest.mark.parametrize(
    "accept",
    ["application/json", "application/*", "*/*", "text/html, */*;q=0.1", "APPLICATION/JSON ; q=.5"],
)
async def test_every_way_to_ask_for_json_is_understood(callers: Callers, accept: str):
    for path in ("/v1/me", "/v1/services/manholes.open-on-road/form"):
        response = await callers.call("GET", path, headers={"accept": accept})
        assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {},
    ],
)
async def test_a_body_of_another_kind_is_refused(callers: Callers, headers: dict[str, str]):
    raw = json.dumps(intake()).encode()
    response = await callers.call("POST", APPEALS, content=raw, headers=headers)
    assert_problem(response, 415, "unsupported-media-type")


async def test_a_body_over_the_limit_is_refused_declared_or_streamed(callers: Callers):
    body = json.dumps(intake(text="а" * 600_000)).encode()

    async def streamed():
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    assert_problem(await _post(callers, body), 413, "too-large")
    response = await callers.call("POST", APPEALS, content=streamed(), headers=JSON)
    assert_problem(response, 413, "too-large")


BROKEN = {
    "nothing": b"",
    "cut": b'{"service": "x"',
    "not JSON": b"service=x",
    "two values": b"{} {}",
    "broken UTF-8": b'{"service": "\xff\xfe"}',
    "a lone surrogate": b'{"service": "\\ud800"}',
    "bottomless": b'{"answers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_no_json_is_malformed(callers: Callers, raw: bytes):
    assert_problem(await _post(callers, raw), 400, "malformed")


async def test_a_member_named_twice_is_malformed(callers: Callers):
    raw = json.dumps(intake()).encode()
    twice = raw[:-1] + b', "text": "\xd0\xb0"}'
    response = await _post(callers, twice)
    assert_problem(response, 400, "malformed")
    assert pointers(response) == {"/text": "not-unique"}


def _with_answers(raw: bytes) -> bytes:
    said = json.dumps(intake(answers={"landmark": 109})).encode()
    return said.replace(b"109}", raw + b"}")


ODD_ANSWERS = {
    "NUL in a text": b'"\\u0000"',
    "NUL in a name": b'1, "\\u0000": 1',
    "too large for a double": b"1e400",
    "an integer of 31 digits": b"1" + b"0" * 30,
    "an integer of 500 digits": b"1" + b"0" * 500,
    "not a number": b"NaN",
    "endless": b"-Infinity",
    "deeper than allowed": b"[" * 20 + b"]" * 20,
}


@pytest.mark.parametrize("raw", ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
async def test_answers_that_nobody_could_keep_are_refused(callers: Callers, raw: bytes):
    response = await _post(callers, _with_answers(raw))
    assert_problem(response, 422, "invalid")
    assert all(pointer.startswith("/answers") for pointer in pointers(response))


async def test_a_lone_surrogate_in_answers_is_malformed(callers: Callers):
    assert_problem(await _post(callers, _with_answers(b'"\\udc00"')), 400, "malformed")


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"service": ...}, "/service", "required"),
        ({"service": "no-such"}, "/service", "unknown-service"),
        ({"service": 5}, "/service", "type"),
        ({"service": "a b"}, "/service", "pattern"),
        ({"surprise": 1}, "/surprise", "unknown"),
        ({"a/b~c": 1}, "/a~1b~0c", "unknown"),
        ({"kind": "whim"}, "/kind", "enum"),
        ({"channel": "pigeon"}, "/channel", "enum"),
        ({"language": "de"}, "/language", "enum"),
        ({"text": ""}, "/text", "too-short"),
        ({"text": " \t\n"}, "/text", "too-short"),
        ({"text": "я" * 10_001}, "/text", "too-long"),
        ({"text": "a\x00b"}, "/text", "characters"),
        ({"text": None}, "/text", "type"),
        ({"service_version": 0}, "/service_version", "out-of-range"),
        ({"service_version": 10**30}, "/service_version", "out-of-range"),
        ({"service_version": 1.5}, "/service_version", "type"),
        ({"service_version": True}, "/service_version", "type"),
        ({"service_version": 999_999}, "/service_version", "expired-version"),
        ({"anonymous": "yes"}, "/anonymous", "type"),
        ({"location": {"building": "12"}}, "/location/building", "format"),
        ({"location": {"building": str(uuid4())}}, "/location/building", "unknown-building"),
        ({"location": {"coordinates": {"latitude": 43.2, "longitude": 76.9}}},
         "/location/coordinates", "outside-city"),
        ({"location": {"coordinates": {"latitude": 91, "longitude": 0}}},
         "/location/coordinates/latitude", "out-of-range"),
        ({"location": {"coordinates": {"latitude": 10**400, "longitude": 0}}},
         "/location/coordinates/latitude", "out-of-range"),
        ({"location": {"coordinates": {"latitude": 50.4}}},
         "/location/coordinates/longitude", "required"),
        ({"location": {"apartment": "5" * 21}}, "/location/apartment", "too-long"),
        ({"applicant": {"phone": "call me"}}, "/applicant/phone", "phone"),
        ({"applicant": {"email": "nobody"}}, "/applicant/email", "pattern"),
        ({"applicant": {"name": "a\x07"}}, "/applicant/name", "characters"),
        ({"anonymous": True}, "/applicant", "unknown"),
        ({"attachments": [str(uuid4())]}, "/attachments/0", "unknown-attachment"),
        ({"attachments": [str(uuid4())] * 11}, "/attachments", "too-long"),
        ({"answer": {"text": "ok", "rating": 6}}, "/answer/rating", "out-of-range"),
        ({"answer": {"text": "ok", "confirmed_by": "dream"}}, "/answer/confirmed_by", "enum"),
        ({"answers": {"landmark": 5, "cover": "missing"}}, "/answers/landmark", "type"),
        ({"answers": {"landmark": "x", "cover": "gold"}}, "/answers/cover", "enum"),
        ({"answers": {"landmark": "x", "cover": "missing", "odd": 1}}, "/answers/odd", "unknown"),
        ({"answers": {}}, "/answers/cover", "required"),
        ({"answers": []}, "/answers", "type"),
    ],
)  # fmt: skip
async def test_a_bad_field_is_named(callers: Callers, change, pointer: str, rule: str):
    response = await callers.call("POST", APPEALS, intake(**change), role=Role.OPERATOR)
    assert_problem(response, 422, "invalid")
    assert pointers(response).get(pointer) == rule


async def test_every_bad_field_is_named_at_once(callers: Callers):
    body = intake(kind="whim", text="", applicant={"phone": "?"}, surprise=True)
    response = await callers.call("POST", APPEALS, body)
    assert set(pointers(response)) == {"/kind", "/text", "/applicant/phone", "/surprise"}


async def test_form_and_place_are_judged_in_one_answer(callers: Callers):
    body = intake(answers={"odd": 1}, location={"building": str(uuid4())})
    found = pointers(await callers.call("POST", APPEALS, body))
    assert found["/location/building"] == "unknown-building"
    assert found["/answers/odd"] == "unknown"


@pytest.mark.parametrize(
    ("path", "pointer", "rule"),
    [
        ("/v1/appeals?colour=red", "/colour", "unknown"),
        ("/v1/me?verbose=1", "/verbose", "unknown"),
        ("/v1/appeals?limit=1&limit=2", "/limit", "not-unique"),
        ("/v1/appeals?q=a&q=b", "/q", "not-unique"),
        ("/v1/appeals?limit=0", "/limit", "out-of-range"),
        ("/v1/appeals?limit=101", "/limit", "out-of-range"),
        ("/v1/appeals?limit=1_0", "/limit", "type"),
        ("/v1/appeals?limit=%205", "/limit", "type"),
        ("/v1/appeals?limit=5.0", "/limit", "type"),
        ("/v1/appeals?limit=" + "9" * 5000, "/limit", "type"),
        ("/v1/appeals?emergency=on", "/emergency", "type"),
        ("/v1/appeals?overdue=false", "/overdue", "enum"),
        ("/v1/appeals?status=lost", "/status/0", "enum"),
        ("/v1/appeals?status=closed&status=lost", "/status/1", "enum"),
        (
            f"/v1/appeals?organisation=urn:uuid:{UUID(int=7)}",
            "/organisation",
            "format",
        ),
        ("/v1/appeals?q=%00", "/q", "characters"),
        ("/v1/appeals?registered_from=1600000000", "/registered_from", "format"),
        ("/v1/appeals?registered_from=2026-01-01T00:00:00", "/registered_from", "format"),
        ("/v1/appeals?registered_from=2026-02-30T00:00:00Z", "/registered_from", "format"),
        ("/v1/appeals?registered_to=0001-01-01T00:00:00%2B14:00", "/registered_to", "out-of-range"),
        ("/v1/appeals?registered_to=9999-12-31T23:59:59-14:00", "/registered_to", "out-of-range"),
        ("/v1/appeals?registered_to=99999-12-31T23:59:59Z", "/registered_to", "format"),
        ("/v1/appeals?cursor=forged", "/cursor", "cursor"),
        ("/v1/appeals?cursor=" + "A" * 100, "/cursor", "cursor"),
        ("/v1/appeals?cursor=%D2%9B", "/cursor", "cursor"),
        ("/v1/appeals?cursor=", "/cursor", "cursor"),
        ("/v1/appeals?cursor=" + "A" * 301, "/cursor", "too-long"),
        ("/v1/clocks?cursor=forged", "/cursor", "cursor"),
        ("/v1/clocks?due_before=soon", "/due_before", "format"),
        ("/v1/routing", "/service", "required"),
        ("/v1/routing?service=no-such", "/service", "unknown-service"),
        ("/v1/routing?service=manholes.open-on-road&latitude=50", "/longitude", "required"),
        ("/v1/routing?service=x&latitude=nan&longitude=0", "/latitude", "type"),
        ("/v1/routing?service=x&latitude=1e300&longitude=0", "/latitude", "out-of-range"),
        ("/v1/addresses", "/q", "required"),
        ("/v1/addresses?q=", "/q", "too-short"),
    ],
)
async def test_a_bad_parameter_is_named(callers: Callers, path: str, pointer: str, rule: str):
    response = await callers.call("GET", path)
    assert_problem(response, 400, "malformed")
    assert pointers(response) == {pointer: rule}


async def test_a_route_to_nowhere_is_told_at_the_parameters_of_the_question(callers: Callers):
    path = "/v1/routing?service=manholes.open-on-road"
    building = await callers.call("GET", f"{path}&building={uuid4()}")
    assert pointers(building) == {"/building": "unknown-building"}
    outside = await callers.call("GET", f"{path}&latitude=43.2&longitude=76.9")
    assert pointers(outside) == {"/latitude": "outside-city"}


async def test_another_citys_cursor_is_refused(callers: Callers):
    for _ in range(2):
        await callers.register()
    cursor = (await callers.call("GET", "/v1/appeals?limit=1")).json()["next"]
    middle = len(cursor) // 2
    forged = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
    assert (await callers.call("GET", f"/v1/appeals?cursor={cursor}")).status_code == 200
    assert_problem(await callers.call("GET", f"/v1/appeals?cursor={forged}"), 400, "malformed")


@pytest.mark.parametrize("step", ["%00", "%ff", "a" * 3000, "%F0%9F%98%80", "KIS-2026-000001%0A"])
async def test_an_odd_path_names_nothing(callers: Callers, step: str):
    for path in (f"/v1/appeals/{step}", f"/v1/services/{step}", f"/v1/webhook-endpoints/{step}"):
        response = await callers.call("GET", path, role=Role.ADMINISTRATOR)
        assert_problem(response, 404, "not-found")
        assert response.json()["instance"].isascii()


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("kk", "Деректерде қате бар"),
        ("ru-KZ, en;q=0.8", "В данных есть ошибки"),
        ("en-GB,en;q=0.9", "The data contain errors"),
        ("de, fr;q=0.9", "В данных есть ошибки"),
        ("ru;q=0.1, kk;q=0.7, en;q=0.3", "Деректерде қате бар"),
        ("en;q=broken, kk;q=nan, *", "В данных есть ошибки"),
        ("", "В данных есть ошибки"),
    ],
)
async def test_a_refusal_speaks_the_callers_language(callers: Callers, header: str, title: str):
    response = await callers.call(
        "POST", APPEALS, intake(text=""), headers={"accept-language": header}
    )
    assert response.json()["title"] == title
    assert response.headers["content-language"] in ("kk", "ru", "en")
    assert "accept-language" in response.headers["vary"].lower()


async def test_the_three_languages_say_three_different_things_of_a_field(callers: Callers):
    said = set()
    for language in ("kk", "ru", "en"):
        response = await callers.call(
            "POST", APPEALS, intake(text=""), headers={"accept-language": language}
        )
        said.add(response.json()["errors"][0]["message"])
    assert len(said) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"accept-language": "k" * 201},
        {"idempotency-key": "k" * 256},
        {"idempotency-key": "кілт".encode()},
        {"idempotency-key": "two words"},
        {"idempotency-key": ""},
    ],
)
async def test_a_header_beyond_its_bounds_is_malformed(callers: Callers, headers):
    response = await callers.call("POST", APPEALS, intake(), headers=headers)
    assert_problem(response, 400, "malformed")


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "Basic dTpw", "Bearer 109_forged", "Bearer " + "x" * 5000,
        b"Bearer \xff\xfe", "109_naked",
    ],
)  # fmt: skip
async def test_who_nobody_knows_is_asked_who_they_are(callers: Callers, header):
    headers = {"authorization": header} if header is not None else {}
    response = await callers.call("GET", "/v1/me", role=None, headers=headers)
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_an_error_of_ours_is_told_without_its_inside(callers: Callers, monkeypatch):
    async def breaks(*_: object):
        raise RuntimeError("secret inside")

    monkeypatch.setattr(callers.app.state.door, "handle", breaks)
    response = await callers.call("GET", "/v1/me", headers={"x-request-id": "mine-0001"})
    assert_problem(response, 500, "internal")
    assert "secret" not in response.text
    assert response.headers["x-request-id"] == "mine-0001"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_every_problem_has_a_page_in_three_languages(callers: Callers):
    from api.texts import TITLES

    for code, titles in TITLES.items():
        page = await callers.call("GET", f"/problems/{code}", role=None)
        assert page.status_code == 200
        assert all(title in page.text for title in titles.values())
    assert_problem(await callers.call("GET", "/problems/none", role=None), 404, "not-found")
