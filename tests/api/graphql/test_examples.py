"""The worked examples of docs/graphql.md, each run against the real graph and the small city."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from api.graphql.explorer import read_examples
from domain.access import Role
from tests.house.source import ROOT
from tests.support.city import KISHI, MANHOLE, MANHOLE_ANSWERS
from tests.support.graph import Graph
from tests.support.neighbours import settled
from tests.support.rest import Callers
from tests.support.subscriptions import PATIENCE, followers

EXAMPLES = {name: (query, variables or {}) for name, query, variables in read_examples()}


async def run(
    graph: Graph, name: str, role: Role | None = Role.INSPECTOR, **changes: Any
) -> dict[str, Any]:
    """The data of an example, its variables but for `changes` those of the page."""
    query, variables = EXAMPLES[name]
    assert changes.keys() <= variables.keys()
    found: dict[str, Any] = await graph.data(query, role, **variables | changes)
    return found


def shown(name: str) -> Any:
    """The answer that the page shows for an example."""
    page = (ROOT / "docs/graphql.md").read_text()
    query = EXAMPLES[name][0].strip()
    after = page[page.index(query) + len(query) :]
    told = re.search(r"```json\n(.*?)```", after, re.DOTALL)
    assert told is not None
    return json.loads(told.group(1))["data"]


def shape(value: Any) -> Any:
    """The names and kinds of an answer, whatever it says."""
    if isinstance(value, Mapping):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__


def assert_like(told: Any, page: Any, where: str = "") -> None:
    """What the page shows has the shape of what is told; null and empty say nothing."""
    if told is None or page is None or told == [] or page == []:
        return
    if isinstance(page, dict) and isinstance(told, dict):
        assert page.keys() == told.keys(), where
        for key in page:
            assert_like(told[key], page[key], f"{where}.{key}")
    elif isinstance(page, list) and isinstance(told, list):
        assert_like(told[0], page[0], where)
    else:
        assert type(told) is type(page), where


async def test_01_one_appeal(callers: Callers, graph: Graph):
    number = (await callers.register())["number"]
    found = await run(graph, "01-one-appeal", number=number)
    assert found["appeal"]["number"] == number
    assert found["appeal"]["service"]["code"] == MANHOLE
    assert [clock["state"] for clock in found["appeal"]["clocks"]]
    assert_like(found, shown("01-one-appeal"))


async def test_02_a_page_of_appeals(callers: Callers, graph: Graph):
    newest = [(await callers.register())["number"] for _ in range(3)]
    first = (await run(graph, "02-a-page-of-appeals"))["appeals"]
    assert [node["number"] for node in first["nodes"]] == [newest[2], newest[1]]
    assert first["pageInfo"]["hasNextPage"]
    query, variables = EXAMPLES["02-a-page-of-appeals"]
    after = first["pageInfo"]["endCursor"]
    second = (await graph.data(query, **variables, after=after))["appeals"]
    assert second["nodes"][0]["number"] == newest[0]
    assert_like({"appeals": first}, shown("02-a-page-of-appeals"))


async def test_03_the_history(callers: Callers, graph: Graph):
    number = (await callers.brought_to("in_progress"))["number"]
    found = await run(graph, "03-the-history", number=number)
    events = found["appeal"]["events"]
    assert [event["sequence"] for event in events] == [1, 2, 3]
    for before, event in pairwise(events):
        assert event["previous"] == before["hash"]
    assert_like(found, shown("03-the-history"))


async def test_04_find_a_service(graph: Graph):
    found = await run(graph, "04-find-a-service")
    assert MANHOLE in {node["code"] for node in found["services"]["nodes"]}
    assert_like(found, shown("04-find-a-service"))


async def test_05_before_registering(graph: Graph):
    found = await run(graph, "05-before-registering", Role.OPERATOR)
    first = found["triage"]["services"][0]
    assert first["service"]["code"].startswith("manholes.")
    assert found["triage"]["emergency"]
    assert_like(found, shown("05-before-registering"))


async def test_06_register_an_appeal(graph: Graph):
    _, variables = EXAMPLES["06-register-an-appeal"]
    given = variables["input"] | {
        "service": MANHOLE, "answers": MANHOLE_ANSWERS, "location": {"building": str(KISHI.house)},
    }  # fmt: skip
    first = await run(graph, "06-register-an-appeal", Role.OPERATOR, input=given)
    assert first["registerAppeal"]["__typename"] == "RegisteredPayload"
    again = await run(graph, "06-register-an-appeal", Role.OPERATOR, input=given)
    assert again == first
    assert_like(first, shown("06-register-an-appeal"))
    # What is wrong is told field by field.
    wrong = given | {"service": "no.such.service"}
    refused = await run(graph, "06-register-an-appeal", Role.OPERATOR, input=wrong, key="other-key")
    assert refused["registerAppeal"]["__typename"] in ("InvalidProblem", "NotFoundProblem")


async def test_07_do_the_work(callers: Callers, graph: Graph):
    appeal = await callers.register()
    number, version = appeal["number"], appeal["version"]
    done = await run(graph, "07-do-the-work", Role.EXECUTOR, number=number, version=version)
    assert done["acceptAppeal"]["__typename"] == "AppealPayload", done
    assert done["acceptAppeal"]["appeal"]["status"] == "IN_PROGRESS"
    assert_like(done, shown("07-do-the-work"))
    # Whoever saw an older version overwrites nothing.
    given = {"number": number, "version": version, "key": "another-word"}
    late = await run(graph, "07-do-the-work", Role.EXECUTOR, **given)
    assert late["acceptAppeal"]["__typename"] == "VersionConflictProblem"


async def test_08_why_this_deadline(callers: Callers, graph: Graph):
    number = (await callers.register())["number"]
    found = await run(graph, "08-why-this-deadline", number=number)
    assert found["promisesExplained"]["number"] == number
    assert found["promisesExplained"]["clocks"]
    assert_like(found, shown("08-why-this-deadline"))


async def test_09_figures_of_the_city(callers: Callers, graph: Graph):
    await callers.register()
    found = await run(graph, "09-figures-of-the-city")
    assert found["cityFigures"]["appeals"]["total"] >= 1
    assert found["viewer"]["role"] == "inspector"
    assert_like(found, shown("09-figures-of-the-city"))


async def test_10_follow_what_happens(callers: Callers):
    query, _ = EXAMPLES["10-follow-what-happens"]
    headers = {"accept": "text/event-stream"}
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def follow() -> None:
        async for entry in _events(callers, query, headers):
            told.put_nowait(entry)

    await settled()
    following = asyncio.create_task(follow())
    try:
        await followers(callers.app, 1)
        number = (await callers.register())["number"]
        async with asyncio.timeout(PATIENCE):
            entry = await told.get()
        assert (entry["appeals"]["number"], entry["appeals"]["type"]) == (number, "REGISTERED")
        assert_like(entry, shown("10-follow-what-happens"))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _events(
    callers: Callers, query: str, headers: dict[str, str]
) -> AsyncGenerator[dict[str, Any], None]:
    """The entries of a stream, straight from the application."""
    body = json.dumps({"query": query}).encode()
    sent: asyncio.Queue[bytes] = asyncio.Queue()
    said = {"authorization": f"Bearer {callers.tokens[Role.INSPECTOR]}", **headers,
            "content-type": "application/json", "host": "kishi.example"}  # fmt: skip
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"",
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("kishi.example", 80),
        "headers": [(name.encode(), value.encode()) for name, value in said.items()],
        "state": {},
    }  # fmt: skip
    bodies = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        found = next(bodies, None)
        if found is None:
            await asyncio.Event().wait()
        return found

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            sent.put_nowait(message.get("body", b""))

    serving = asyncio.create_task(callers.app(scope, receive, send))
    try:
        while True:
            part = (await sent.get()).decode()
            for line in part.splitlines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])["data"]
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_11_what_the_public_sees(callers: Callers, graph: Graph):
    for _ in range(6):
        await callers.register()
    found = await run(graph, "11-what-the-public-sees", None)
    assert found["public"]["name"]
    assert "Айгүл" not in json.dumps(found, ensure_ascii=False)
    assert_like(found, shown("11-what-the-public-sees"))


def test_the_page_shows_an_answer_to_each():
    for name in EXAMPLES:
        assert shape(shown(name)), name


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_is_run_by_a_test_of_its_own(name: str):
    assert f"test_{name.replace('-', '_')}" in globals()
