"""Lists of the graph: pages, filters, places; and that their statements do not grow with rows."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asyncpg import Connection

from api.graphql import fast
from api.graphql.ids import global_id
from domain.access import Role
from tests.support.city import KISHI
from tests.support.forging import nearly
from tests.support.graph import Graph
from tests.support.rest import Callers

EVERYTHING = """query ($first: Int!, $after: String) { appeals(first: $first, after: $after) {
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  edges { cursor node { id number status service { code name category { code } sphere { code } }
    organisation { name parent { name children { code } } } district { name }
    location { address } applicant { name } assignment { state organisation { name } }
    clocks { stage dueAt } evidence { stage } confirmation { how } incident { kind text }
    events { type sequence } attachments { id } } } } }"""


class Statements:
    """How many were asked of the register; the process's own look at the clock and at the city's
    agreements, each second, is none of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        # What gives way is asked for in two parts, and a busy machine makes it do so.
        monkeypatch.setattr(fast, "TURN", 60.0)
        for name in ("fetch", "fetchval", "fetchrow"):
            monkeypatch.setattr(Connection, name, self._spied(getattr(Connection, name)))

    def _spied(self, original: Any) -> Any:
        async def spied(connection: Any, query: str, *args: Any, **options: Any) -> Any:
            self.count += "appeal a" in query
            return await original(connection, query, *args, **options)

        return spied


async def test_the_number_of_statements_does_not_grow_with_the_rows(
    callers: Callers, graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    for status in ("assigned", "in_progress", "resolved", "closed", "assigned", "checked"):
        await callers.brought_to(status)
        await callers.brought_to(status)
    # The token is looked up once.
    await graph.data(EVERYTHING, first=1)
    statements = Statements(monkeypatch)
    counts = []
    for first in (1, 3, 9):
        statements.count = 0
        found = (await graph.data(EVERYTHING, first=first))["appeals"]["edges"]
        assert len(found) == first
        assert all(edge["node"]["events"] for edge in found)
        counts.append(statements.count)
    assert counts[0] == counts[1] == counts[2] <= 4, counts


async def test_only_what_is_asked_for_is_read(
    callers: Callers, graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    await callers.register()
    asked: list[str] = []
    original = Connection.fetch

    async def spied(connection: Any, query: str, *args: Any, **options: Any) -> Any:
        if "appeal a" in query:
            asked.append(query)
        return await original(connection, query, *args, **options)

    monkeypatch.setattr(Connection, "fetch", spied)
    await graph.data("{ appeals { nodes { ...brief } } } fragment brief on Appeal { number }")
    (picked,) = {query.partition(" FROM ")[0].strip() for query in asked}
    assert picked == "SELECT a.id, a.number, a.registered_at"
    asked.clear()
    await graph.data("{ appeals { edges { node { status location { address } } } } }")
    assert all("a.address" in query and "clock" not in query for query in asked)


async def test_pages_follow_each_other_without_gap_or_repeat(callers: Callers, graph: Graph):
    for _ in range(5):
        await callers.register()
    seen: list[str] = []
    after: str | None = None
    while True:
        page = (await graph.data(EVERYTHING, first=2, after=after))["appeals"]
        seen += [edge["node"]["number"] for edge in page["edges"]]
        info = page["pageInfo"]
        assert info["startCursor"] == page["edges"][0]["cursor"]
        assert info["endCursor"] == page["edges"][-1]["cursor"]
        assert info["hasPreviousPage"] is (after is not None)
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    rest = (await callers.call("GET", "/v1/appeals?limit=100")).json()["items"]
    assert seen == [appeal["number"] for appeal in rest]


async def test_appeals_come_in_the_order_that_is_asked_for(callers: Callers, graph: Graph):
    await callers.brought_to("withdrawn")
    query = """query ($order: AppealOrder, $first: Int!, $after: String) {
      appeals(order: $order, first: $first, after: $after) {
        nodes { number registeredAt dueAt } pageInfo { hasNextPage endCursor } } }"""

    async def walked(order: dict[str, str] | None) -> list[Any]:
        found: list[Any] = []
        after = None
        while True:
            page = (await graph.data(query, order=order, first=3, after=after))["appeals"]
            found += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    newest = await walked(None)
    assert await walked({"by": "REGISTERED_AT", "direction": "DESC"}) == newest
    assert await walked({"direction": "ASC"}) == newest[::-1]
    due = await walked({"by": "DUE_AT", "direction": "ASC"})
    assert [each["dueAt"] for each in due] == sorted(each["dueAt"] for each in due)
    assert {each["number"] for each in due} == {
        each["number"] for each in newest if each["dueAt"] is not None
    }
    assert 0 < len(due) < len(newest)
    first = await graph.data(query, first=1, order={"direction": "ASC"})
    cursor = first["appeals"]["pageInfo"]["endCursor"]
    other = await graph.ask(query, first=1, after=cursor)
    assert other["errors"][0]["extensions"]["code"] == "malformed", "a place in another order"


@pytest.mark.parametrize(
    "arguments",
    ["first: 0", "first: 101", 'after: "forged"', 'filter: {service: "no such"}',
     "filter: {within: {south: 51, west: 80, north: 50, east: 81}}",
     "filter: {around: {latitude: 91, longitude: 80, metres: 5}}"],
)  # fmt: skip
async def test_what_cannot_be_read_is_told_by_the_names_of_the_graph(graph: Graph, arguments: str):
    answer = await graph.ask(f"{{ appeals({arguments}) {{ nodes {{ number }} }} }}")
    (error,) = answer["errors"]
    assert answer["data"]["appeals"] is None
    assert error["extensions"]["code"] == "malformed"
    assert error["extensions"]["errors"][0]["pointer"].startswith(("/first", "/after", "/filter"))


async def test_conditions_narrow_as_they_do_over_rest(callers: Callers, graph: Graph):
    await callers.brought_to("withdrawn")
    await callers.register(Role.CITIZEN, applicant=...)
    for said, query in (
        ("status: [WITHDRAWN]", "status=withdrawn"),
        ("status: [ASSIGNED, WITHDRAWN]", "status=assigned&status=withdrawn"),
        ("channel: APP", "channel=app"),
        ('text: "люк", district: "centre"', "q=люк&district=centre"),
        (f'organisation: "{KISHI.water}"', f"organisation={KISHI.water}"),
        ("overdue: true", "overdue=true"),
        ("overdue: false, emergency: false", "emergency=false"),
        ('registeredTo: "2026-01-01T00:00:00+05:00"', "registered_to=2025-12-31T19:00:00Z"),
    ):
        rest = (await callers.call("GET", f"/v1/appeals?limit=100&{query}")).json()["items"]
        asked = f"{{ appeals(first: 100, filter: {{{said}}}) {{ nodes {{ number }} }} }}"
        found = (await graph.data(asked))["appeals"]["nodes"]
        assert [node["number"] for node in found] == [appeal["number"] for appeal in rest], said


async def test_places_narrow_by_box_and_by_distance(callers: Callers, graph: Graph):
    """A degree of latitude is about 111 km, one of longitude at 50.5° north about 71 km."""

    async def at(latitude: float, longitude: float) -> str:
        point = {"latitude": latitude, "longitude": longitude}
        made = await callers.register(location={"coordinates": point})
        return str(made["number"])

    east, north = await at(50.5, 80.51), await at(50.51, 80.5)

    async def found(said: str) -> set[str]:
        asked = f"{{ appeals(first: 100, filter: {{{said}}}) {{ nodes {{ number }} }} }}"
        return {node["number"] for node in (await graph.data(asked))["appeals"]["nodes"]}

    assert await found("within: {south: 50.49, west: 80.49, north: 50.52, east: 80.52}") == {
        east, north,
    }  # fmt: skip
    assert await found("within: {south: 50.49, west: 80.505, north: 50.52, east: 80.52}") == {east}
    assert await found("around: {latitude: 50.5, longitude: 80.5, metres: 700}") == set()
    assert await found("around: {latitude: 50.5, longitude: 80.5, metres: 720}") == {east}
    assert await found("around: {latitude: 50.5, longitude: 80.5, metres: 1100}") == {east}
    assert await found("around: {latitude: 50.5, longitude: 80.5, metres: 1125}") == {east, north}


async def test_figures_count_keep_and_take_the_median(callers: Callers, graph: Graph):
    begin = callers.house.now() - timedelta(hours=1)
    for _ in range(2):
        await callers.brought_to("closed")
    asked = f"""{{ figures(by: STATUS, filter: {{registeredFrom: "{begin:%Y-%m-%dT%H:%M:%SZ}"}})
        {{ total groups {{ key count closed keptShare medianSeconds }} }} }}"""
    groups = {group["key"]: group for group in (await graph.data(asked))["figures"]["groups"]}
    assert groups["closed"]["count"] == groups["closed"]["closed"] >= 2
    assert groups["closed"]["keptShare"] == 1
    assert 0 <= groups["closed"]["medianSeconds"] < 60
    assert groups["assigned"]["closed"] == 0
    assert groups["assigned"]["medianSeconds"] is None
    refused = await graph.ask(asked, Role.EXECUTOR)
    assert refused["errors"][0]["extensions"]["code"] == "not-permitted"


async def test_nodes_are_found_by_their_ids_and_a_forged_one_is_nothing(
    callers: Callers, graph: Graph
):
    await callers.register()
    ids = await graph.data(
        "{ appeals(first: 1) { nodes { id } } services(first: 1) { nodes { id sphere { id }"
        " category { id } } } organisations(first: 1) { nodes { id } } districts { id }"
        " territories { id } }"
    )
    service = ids["services"]["nodes"][0]
    wanted = [
        ids["appeals"]["nodes"][0]["id"], service["id"], service["sphere"]["id"],
        service["category"]["id"], ids["organisations"]["nodes"][0]["id"],
        ids["districts"][0]["id"], ids["territories"][0]["id"],
    ]  # fmt: skip
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    forged = ["", "x", "QXBwZWFsOm5vbmU", nearly(wanted[0]), "a" * 500]
    found = (await graph.data(query, ids=[*wanted, *forged]))["nodes"]
    assert [node and node["id"] for node in found] == [*wanted, *[None] * len(forged)]
    assert [node["__typename"] for node in found[: len(wanted)]] == [
        "Appeal", "Service", "Sphere", "Category", "Organisation", "District", "Territory",
    ]  # fmt: skip


async def test_a_cursor_of_one_list_is_none_of_another(graph: Graph):
    asked = "{ organisations(first: 1) { pageInfo { endCursor } } }"
    after = (await graph.data(asked))["organisations"]["pageInfo"]["endCursor"]
    query = "query($after: String) { %s(first: 1, after: $after) { nodes { id } } }"
    assert "errors" not in await graph.ask(query % "organisations", after=after)
    answer = await graph.ask(query % "services", after=after)
    assert answer["errors"][0]["extensions"]["code"] == "malformed"


async def test_one_id_that_is_not_for_you_leaves_the_others(callers: Callers, graph: Graph):
    """A resident is given the id of who acts for them, and of nothing that staff alone see."""
    number = (await callers.register())["number"]
    own = await graph.data(
        """query($number: String!) { appeal(number: $number) {
             id service { id } organisation { id name } }
           territories { id } districts { id } }""",
        number=number,
    )
    territory, organisation = own["territories"][0]["id"], own["appeal"]["organisation"]
    ids = [own["appeal"]["service"]["id"], territory, organisation["id"], own["districts"][0]["id"]]
    asked = """query($ids: [ID!]!) { viewer { role } nodes(ids: $ids) {
        id ... on Organisation { name } } }"""
    told = await graph.data(asked, Role.CITIZEN, ids=ids)
    assert told["viewer"]["role"] == "citizen"
    found = told["nodes"]
    assert [node and node["id"] for node in found] == [ids[0], None, *ids[2:]]
    assert found[2]["name"] == organisation["name"]
    staff = "query($id: ID!) { viewer { role } node(id: $id) { ... on Organisation { code } } }"
    refused = await graph.ask(staff, Role.CITIZEN, id=organisation["id"])
    assert refused["data"] == {"viewer": {"role": "citizen"}, "node": {"code": None}}
    too_many = await graph.ask(asked, Role.CITIZEN, ids=["x"] * 101)
    assert too_many["data"] == {"viewer": {"role": "citizen"}, "nodes": None}


async def test_the_ids_of_the_public_view_are_found_without_a_token(callers: Callers, graph: Graph):
    told = (await graph.data("{ public { spheres { id } districts { id } } }", None))["public"]
    ids = [told["spheres"][0]["id"], told["districts"][0]["id"]]
    asked = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert [node["id"] for node in (await graph.data(asked, None, ids=ids))["nodes"]] == ids
    appeal = global_id("Appeal", uuid4())
    answer = await graph.ask(asked, None, ids=[*ids, appeal])
    assert answer["errors"][0]["extensions"]["code"] == "unauthenticated"


async def test_texts_are_in_the_language_asked_for(callers: Callers, graph: Graph):
    number = (await callers.register())["number"]
    asked = """query ($number: String!) { appeal(number: $number) {
        serviceName kk: serviceName(language: KK) en: service { name(language: EN) } } }"""
    found = (await graph.data(asked, number=number, headers={"accept-language": "ru"}))["appeal"]
    names = callers.house.references.of(KISHI.id).catalogue.service("manholes.open-on-road").names
    assert found == {
        "serviceName": names["ru"], "kk": names["kk"], "en": {"name": names["en"]}
    }  # fmt: skip


async def test_what_a_list_shows_whole_is_the_node_itself_and_read_once(
    callers: Callers, graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    numbers = {(await callers.register())["number"] for _ in range(3)}
    queue = """{ assignments(limit: 50) {
        items { state organisation { name } appeal { number text } } } }"""
    await graph.data(queue, Role.EXECUTOR)
    statements = Statements(monkeypatch)
    items = (await graph.data(queue, Role.EXECUTOR))["assignments"]["items"]
    assert statements.count <= 3, "the queue, what stands above it, and all its appeals at once"
    assert numbers <= {item["appeal"]["number"] for item in items}
    found = """{ searchApplicants(input: {phone: "+77015550109", purpose: "қоңырау"}) {
        items { number service { code } } } }"""
    shown = (await graph.data(found, Role.OPERATOR))["searchApplicants"]["items"]
    assert numbers <= {appeal["number"] for appeal in shown}
    assert all(appeal["service"]["code"] for appeal in shown)
