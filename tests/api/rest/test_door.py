"""The door itself: what it believes, what it says of its answers, what it tells of refusals."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.errors import WATCHED
from api.settings import Settings
from domain.access import Role
from tests.support.heard import Heard, listening
from tests.support.register import signed
from tests.support.rest import (
    Callers,
    assert_problem,
    client_of,
    intake,
    make_callers_app,
    running,
)

PROXIES = ("x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "x-client-ip")
"""Headers by which a proxy tells whom it stands for, and anybody could."""
IDENTITIES = ("x-user-id", "x-forwarded-user", "x-remote-user", "x-authenticated-user")


async def test_whoever_guesses_tokens_is_not_freed_by_a_header(settings: Settings):
    async with running(make_callers_app(settings, rate_limit=3)) as app, client_of(app) as client:
        statuses = []
        for guess in range(5):
            headers = dict.fromkeys(PROXIES, f"203.0.113.{guess}")
            headers["authorization"] = f"Bearer 109_{guess}"
            statuses.append((await client.get("/v1/me", headers=headers)).status_code)
    assert statuses == [401, 401, 401, 429, 429]


async def test_no_header_but_the_token_says_who_asks(callers: Callers):
    claims = {name: str(callers.city.ident("member-inspector")) for name in IDENTITIES}
    answer = await callers.call("GET", "/v1/me", role=None, headers=claims)
    assert_problem(answer, 401, "unauthenticated")
    own = await callers.call("GET", "/v1/me", role=Role.CITIZEN, headers=claims)
    assert own.json()["role"] == "citizen"


async def test_a_host_that_the_caller_names_stands_in_no_answer(callers: Callers):
    claims = {"host": "evil.example", "x-forwarded-host": "evil.example",
              "x-forwarded-proto": "gopher", "x-forwarded-prefix": "/evil"}  # fmt: skip
    made = await callers.call("POST", "/v1/appeals", intake(), role=Role.OPERATOR, headers=claims)
    assert made.status_code == 201
    assert made.headers["location"].startswith(callers.house.settings.base_url)
    listed = await callers.call("GET", "/v1/appeals?limit=1", headers=claims)
    for answer in (made, listed):
        assert "evil" not in answer.text + str(answer.headers)


async def test_every_text_says_its_charset(callers: Callers):
    await callers.register()
    await signed(callers.house)
    paths = ("/reference", "/problems/not-found", "/v1/register/checkpoints/latest", "/v1/me",
             "/v1/appeals", "/v1/openapi.json", "/v1/nothing")  # fmt: skip
    kinds = set()
    for path in paths:
        kind = (await callers.call("GET", path)).headers["content-type"]
        kinds.add(kind)
        # JSON is UTF-8 by its own standard (RFC 8259 §8.1) and takes no such parameter.
        assert kind.endswith(("json", "; charset=utf-8")), path
    assert {"application/json", "application/problem+json"} < kinds


@pytest.fixture
def heard() -> Iterator[Heard]:
    """The lines of this process."""
    with listening() as lines:
        yield lines


async def test_a_token_that_stands_for_nobody_is_logged_and_never_told(
    callers: Callers, heard: Heard
):
    headers = {"authorization": "Bearer 109_guessed-and-wrong"}
    answer = await callers.call("GET", "/v1/appeals", role=None, headers=headers)
    (line,) = heard.refusals
    assert (line["code"], line["route"], line["who"]) == ("unauthenticated", "listAppeals", None)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "guessed" not in str(heard.lines)


async def test_whoever_tries_what_they_may_not_is_logged_by_their_id(
    callers: Callers, heard: Heard
):
    await callers.call("GET", "/v1/policies", role=Role.CITIZEN)
    (line,) = heard.refusals
    assert line["level"] == "warning"
    assert (line["code"], line["permission"]) == ("not-permitted", "policies:read")
    assert line["who"] == str(callers.city.citizen)


async def test_whoever_asks_too_often_is_logged(callers: Callers, settings: Settings, heard: Heard):
    token = {"authorization": f"Bearer {callers.tokens[Role.OPERATOR]}"}
    async with (
        running(make_callers_app(settings, rate_limit=1)) as app,
        client_of(app, token) as client,
    ):
        for _ in range(2):
            await client.get("/v1/me")
    assert [line["code"] for line in heard.refusals] == ["rate-limited"]
    assert heard.refusals[0]["who"] == str(callers.city.ident("member-operator"))


async def test_what_somebody_said_wrong_is_no_matter_for_the_watch(callers: Callers, heard: Heard):
    await callers.call("POST", "/v1/appeals", {}, role=Role.OPERATOR)
    await callers.call("GET", "/v1/appeals/KIS-2026-999999")
    assert heard.refusals == []
    assert {"unauthenticated", "not-permitted", "insufficient-scope", "rate-limited"} == WATCHED


async def test_no_websocket_is_opened_but_that_of_the_graph(callers: Callers):
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "websocket", "path": "/v1/appeals", "raw_path": b"/v1/appeals", "headers": [],
        "query_string": b"", "subprotocols": [], "root_path": "", "scheme": "ws",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await callers.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
