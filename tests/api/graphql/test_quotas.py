"""One quota for a caller, whichever door of the API they come through."""

import asyncio

import httpx2
import pytest

from api.settings import Settings
from domain.access import Role
from tests.support.rest import Callers, client_of, make_callers_app, running

ME = {"query": "{ viewer { role } }"}


async def test_rest_and_graph_draw_on_one_quota(callers: Callers, settings: Settings):
    async with running(make_callers_app(settings, rate_limit=4)) as app:
        async with client_of(app, _by(callers, Role.OPERATOR)) as client:
            answers = []
            for _ in range(3):
                answers += [await client.get("/v1/me"), await client.post("/graphql", json=ME)]
            left = [int(each.headers["ratelimit"].split(";")[1][2:]) for each in answers[:4]]
        async with client_of(app, _by(callers, Role.HEAD)) as client:
            assert (await client.post("/graphql", json=ME)).status_code == 200
    assert [each.status_code for each in answers] == [200, 200, 200, 200, 429, 429]
    assert left == [3, 2, 1, 0]


def _comments(number: str, many: int, key: str = "key") -> dict[str, str]:
    acts = " ".join(
        f'm{n}: commentAppeal(number: "{number}", input: {{text: "a"}},'
        f' idempotencyKey: "{key}-number-{n:04}") {{ __typename }}'
        for n in range(many)
    )
    return {"query": f"mutation {{ {acts} }}"}


async def _commented(callers: Callers, number: str) -> int:
    answer = await callers.call("GET", f"/v1/appeals/{number}/events", role=Role.OPERATOR)
    return sum(each["type"] == "appeal.commented" for each in answer.json()["items"])


def _left(answer: httpx2.Response) -> int:
    return int(answer.headers["ratelimit"].split(";")[1][2:].rstrip(","))


async def test_each_act_of_a_mutation_is_a_request(callers: Callers, settings: Settings):
    number = (await callers.register())["number"]
    async with (
        running(make_callers_app(settings, rate_limit=10)) as app,
        client_of(app, _by(callers, Role.OPERATOR)) as client,
    ):
        first = await client.post("/graphql", json=_comments(number, 4))
        second = await client.post("/graphql", json=_comments(number, 7, "other"))
    assert first.status_code == 200
    assert _left(first) == 6
    assert second.status_code == 429
    assert await _commented(callers, number) == 4, "what was refused was not begun"


async def test_each_operation_of_a_batch_is_a_request(callers: Callers, settings: Settings):
    number = (await callers.register())["number"]
    async with (
        running(make_callers_app(settings, rate_limit=10)) as app,
        client_of(app, _by(callers, Role.OPERATOR)) as client,
    ):
        first = await client.post("/graphql", json=[ME, {"query": "{ nothing }"}, ME])
        acts = [ME, _comments(number, 3), _comments(number, 4, "other")]
        second = await client.post("/graphql", json=acts)
    assert first.status_code == 200
    assert _left(first) == 7
    assert second.status_code == 429
    assert await _commented(callers, number) == 0


async def test_whoever_guesses_tokens_does_not_guess_twice_as_often(settings: Settings):
    async with running(make_callers_app(settings, rate_limit=3)) as app:
        statuses = []
        for guess in range(3):
            async with client_of(app, {"authorization": f"Bearer 109_{guess}"}) as client:
                statuses.append((await client.get("/v1/me")).status_code)
                statuses.append((await client.post("/graphql", json=ME)).status_code)
    assert statuses == [401, 401, 401, 429, 429, 429]


async def test_what_waits_for_news_may_wait_longer_than_what_works(
    callers: Callers, settings: Settings
):
    """The limit of time is for what an operation does; it asks to wait for what happens."""
    begun = asyncio.get_running_loop().time()
    async with (
        running(make_callers_app(settings, rate_limit=0, graphql_seconds=1.5)) as app,
        client_of(app, _by(callers, Role.EXECUTOR)) as client,
    ):
        said = {"query": "{ feed(start: NEWEST, wait: 3) { items { id } more } }"}
        answer = await client.post("/graphql", json=said)
    assert answer.status_code == 200
    assert answer.json()["data"]["feed"] == {"items": [], "more": False}
    assert asyncio.get_running_loop().time() - begun >= 3


async def test_what_works_too_long_beside_what_waits_is_ended_all_the_same(
    callers: Callers, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    async with running(make_callers_app(settings, rate_limit=0, graphql_seconds=0.2)) as app:

        async def never(*_: object) -> object:
            await asyncio.sleep(60)
            raise AssertionError

        monkeypatch.setattr(type(app.state.door._house.feed), "page", never)
        async with client_of(app, _by(callers, Role.EXECUTOR)) as client:
            said = {"query": "{ feed(wait: 1) { more } }"}
            async with asyncio.timeout(5):
                answer: httpx2.Response = await client.post("/graphql", json=said)
    assert answer.json()["errors"][0]["extensions"]["code"] == "timed-out"


def _by(callers: Callers, role: Role) -> dict[str, str]:
    return {"authorization": f"Bearer {callers.tokens[role]}"}
