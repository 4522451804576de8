"""One operation takes no more of the database than a few statements at once."""

import asyncio
from typing import Any

import pytest
from asyncpg import Connection

from api.graphql.context import READING
from domain.access import Role
from tests.support.graph import Graph
from tests.support.rest import Callers

BOX = {"within": {"south": 1, "west": 1, "north": 2, "east": 2}}
ALIASES = range(12)
ASKED = {
    "lists": "query($f: AppealFilter) { "
    + " ".join(f"a{n}: appeals(first: 1, filter: $f) {{ nodes {{ number }} }}" for n in ALIASES)
    + " }",
    "single ones": "{ "
    + " ".join(f'a{n}: appeal(number: "A-{n}") {{ n{n}: number text }}' for n in ALIASES)
    + " }",
    "the public's": "{ public { "
    + " ".join(f'a{n}: appeal(number: "A-{n}") {{ number }}' for n in ALIASES)
    + " ".join(f"l{n}: appeals(first: 1) {{ nodes {{ number }} }}" for n in ALIASES)
    + " } }",
    "incidents": "{ "
    + " ".join(f"a{n}: incidents(first: 1) {{ nodes {{ kind }} }}" for n in ALIASES)
    + " }",
    "figures": "{ " + " ".join(f"a{n}: figures(by: STATUS) {{ total }}" for n in ALIASES) + " }",
    "reads of the house": "{ "
    + " ".join(f"a{n}: cityFigures {{ appeals {{ total }} }}" for n in ALIASES)
    + " }",
}


class Busy:
    """How many statements ran at the same time, each made to take a while."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.most = self.all = 0
        for name in ("fetch", "fetchval", "fetchrow"):
            monkeypatch.setattr(Connection, name, self._slowed(getattr(Connection, name)))

    def _slowed(self, original: Any) -> Any:
        async def slowed(connection: Any, query: str, *args: Any, **options: Any) -> Any:
            if "appeal" not in query and "incident" not in query and "tally" not in query:
                return await original(connection, query, *args, **options)
            self.now += 1
            self.all += 1
            self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(0.02)
                return await original(connection, query, *args, **options)
            finally:
                self.now -= 1

        return slowed


@pytest.mark.parametrize("name", ASKED)
async def test_one_document_has_few_statements_in_hand(
    callers: Callers, graph: Graph, monkeypatch: pytest.MonkeyPatch, name: str
):
    await graph.data("{ viewer { role } }")
    busy = Busy(monkeypatch)
    variables: dict[str, Any] = {"f": BOX} if "$f" in ASKED[name] else {}
    await graph.data(ASKED[name], **variables)
    assert busy.all
    assert busy.most <= READING


async def test_others_are_served_while_one_document_searches_slowly(
    callers: Callers, graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    number = (await callers.register())["number"]
    original = Connection.fetch

    async def slow(connection: Any, query: str, *args: Any, **options: Any) -> Any:
        if "a.latitude BETWEEN" in query:
            await asyncio.sleep(0.5)
        return await original(connection, query, *args, **options)

    monkeypatch.setattr(Connection, "fetch", slow)
    searching = asyncio.create_task(graph.ask(ASKED["lists"], f=BOX))
    await asyncio.sleep(0.2)
    path = f"/v1/appeals/{number}/events"
    begun = asyncio.get_running_loop().time()
    others = await asyncio.gather(
        *(callers.call("GET", path, role=Role.OPERATOR) for _ in range(5))
    )
    assert [each.status_code for each in others] == [200] * 5
    assert asyncio.get_running_loop().time() - begun < 0.5 * (len(ALIASES) / READING) - 0.2
    assert not searching.done()
    await searching
