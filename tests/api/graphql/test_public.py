"""What whoever comes without a token is told: nothing by which anybody could be found."""

import asyncio
from base64 import urlsafe_b64decode
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLObjectType, is_leaf_type

from api.graphql import public
from api.graphql.context import Context
from api.graphql.schema import build_schema
from domain.access import Role
from domain.publication.crowds import Crowds, monday
from domain.publication.rows import FEWEST, WEEK, Detail, Kin
from tests.support.city import KISHI
from tests.support.forging import nearly
from tests.support.graph import Graph
from tests.support.rest import Callers
from tests.support.sql import fetch

TRAPPED = {"entrance": 1, "people": 1}
SECRET = "Айгүл жасырған сөз"
ROWS = """{ public { appeals(first: 50) { pageInfo { hasNextPage endCursor } edges { cursor node {
  number status registeredWeek service { code } category { code } sphere { code }
  district { code } place { cell latitude longitude } } } } } }"""


@pytest.fixture(autouse=True)
def _believed_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test registers anew and asks of the week that runs."""
    monkeypatch.setattr("domain.publication.crowds.KNOWN_FOR", timedelta())


def _leaves(kind: Any, seen: set[str]) -> set[str]:
    """The names of all plain fields below a type."""
    found = set()
    if kind.name in seen or not isinstance(kind, GraphQLObjectType):
        return set()
    seen.add(kind.name)
    for name, field in kind.fields.items():
        inner = field.type
        while hasattr(inner, "of_type"):
            inner = inner.of_type
        found |= {f"{kind.name}.{name}"} if is_leaf_type(inner) else _leaves(inner, seen)
    return found


def test_the_public_types_have_no_field_for_what_is_not_told():
    leaves = _leaves(build_schema()._schema.type_map["PublicAppeal"], set())
    own = {leaf for leaf in leaves if leaf.startswith("Public")}
    assert own == {
        "PublicAppeal.number", "PublicAppeal.status", "PublicAppeal.registeredWeek",
        "PublicPlace.cell", "PublicPlace.latitude", "PublicPlace.longitude",
    }  # fmt: skip
    assert not {"text", "applicant", "answers", "place", "contact", "whole"} & public.PARTS


async def test_of_a_lonely_appeal_nothing_is_listed_and_its_number_tells_its_status_alone(
    callers: Callers, graph: Graph
):
    """Runs first: nobody else has registered yet."""
    number = (await callers.register(text=SECRET))["number"]
    assert (await graph.data(ROWS, None))["public"]["appeals"]["edges"] == []
    asked = f"""{{ public {{ appeal(number: "{number}") {{ number status service {{ code }}
        category {{ code }} sphere {{ code }} district {{ code }} place {{ cell }} }} }} }}"""
    assert (await graph.data(asked, None))["public"]["appeal"] == {
        "number": number, "status": "ASSIGNED", "service": None, "category": None,
        "sphere": None, "district": None, "place": None,
    }  # fmt: skip


async def test_five_of_a_kind_are_listed_and_no_word_of_theirs(callers: Callers, graph: Graph):
    for _ in range(FEWEST):
        await callers.register(text=SECRET, location={"building": str(KISHI.house)})
    answer = await graph.ask(ROWS, None)
    rows = [edge["node"] for edge in answer["data"]["public"]["appeals"]["edges"]]
    assert len(rows) >= FEWEST
    assert {row["service"]["code"] for row in rows} == {"manholes.open-on-road"}
    assert all(row["district"]["code"] == "centre" for row in rows)
    assert all(row["place"] is None for row in rows), "two houses hide nobody"
    said = str(answer)
    for word in (SECRET, "Айгүл", "7015550109", "80.25", "50.41", "Абай", str(KISHI.house)):
        assert word not in said


async def _pages(graph: Graph, **variables: Any) -> list[dict[str, Any]]:
    query = """query($first: Int!, $sphere: String, $after: String) { public {
      appeals(first: $first, sphere: $sphere, after: $after) {
        nodes { number } edges { cursor } pageInfo { endCursor hasNextPage } } } }"""
    pages: list[dict[str, Any]] = []
    while not pages or pages[-1]["pageInfo"]["hasNextPage"]:
        after = pages[-1]["pageInfo"]["endCursor"] if pages else None
        told = await graph.data(query, None, after=after, **variables)
        pages.append(told["public"]["appeals"])
    return pages


async def test_a_cursor_tells_the_public_neither_the_moment_nor_the_id(
    callers: Callers, graph: Graph
):
    """Times are told by the day: whoever decodes a cursor learns no more."""
    for _ in range(FEWEST):
        await callers.register()
    pages = await _pages(graph, first=2)
    cursors = [page["pageInfo"]["endCursor"] for page in pages]
    cursors += [edge["cursor"] for page in pages for edge in page["edges"]]
    rows = await fetch(callers.house, "SELECT id, registered_at FROM appeal")
    assert len(cursors) > FEWEST
    assert rows
    for cursor in cursors:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        for row in rows:
            assert str(row["id"]).encode() not in raw
            assert row["registered_at"].strftime("%H:%M:%S").encode() not in raw
    for forged in ("AAAA", nearly(cursors[0])):
        asked = f'{{ public {{ appeals(after: "{forged}") {{ nodes {{ number }} }} }} }}'
        answer = await graph.ask(asked, None)
        assert answer["errors"][0]["extensions"]["code"] == "malformed"


async def test_pages_of_one_do_not_count_what_is_not_told(callers: Callers, graph: Graph):
    """A page that ended where a hidden row stands would tell that there is one of that sphere."""
    for _ in range(FEWEST):
        await callers.register()
    rare = [
        await callers.register(service="lifts.person-trapped", answers=TRAPPED) for _ in range(2)
    ]
    hidden = await _pages(graph, first=1, sphere=rare[0]["sphere"])
    assert [(page["nodes"], page["pageInfo"]) for page in hidden] == [
        ([], {"endCursor": None, "hasNextPage": False})
    ]
    one_by_one = [n["number"] for page in await _pages(graph, first=1) for n in page["nodes"]]
    (at_once,) = await _pages(graph, first=100)
    assert one_by_one == [node["number"] for node in at_once["nodes"]]
    assert len(one_by_one) >= FEWEST


async def test_nothing_personal_leaves_the_database_for_the_public(
    callers: Callers, graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    """Whatever the public asks, the statements name no column that could tell of a person."""
    asked: list[str] = []
    from asyncpg import Connection

    original = Connection.fetch

    async def spied(self: Any, query: str, *args: Any, **options: Any) -> Any:
        if "appeal a" in query:
            asked.append(query)
        return await original(self, query, *args, **options)

    monkeypatch.setattr(Connection, "fetch", spied)
    number = (await callers.register())["number"]
    asked.clear()
    await graph.data(ROWS, None)
    await graph.data(f'{{ public {{ appeal(number: "{number}") {{ status }} }} }}', None)
    await graph.data("{ public { figures(by: HOUR) { total } incidents { text } } }", None)
    assert asked
    for statement in asked:
        picked = statement.partition(" FROM ")[0]
        for column in ("text", "address", "apartment", "applicant", "phone", "citizen", "contact",
                       "answers", "building", "street", "event", "a.*"):  # fmt: skip
            assert column not in picked.replace("::text", "").replace("organisation_id::text", "")


async def test_what_others_ask_meanwhile_takes_no_week_out_of_a_question(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("domain.publication.crowds.KEPT", 1)
    house = callers.house
    city = house.references.of(KISHI.id)
    asked = Context(house, None, "en", house.now(), "")
    weeks = [
        Kin("service", "category", "sphere", None, date(2026, 1, 5) + n * WEEK) for n in range(8)
    ]
    known = Crowds(house.figures)
    await known.details(weeks[:1], asked, city)
    others = [known.details([each], asked, city) for each in weeks[2:]]
    *_, mine = await asyncio.gather(*others, known.details(weeks[:2], asked, city))
    assert [detail for detail, _ in mine] == [Detail.NOTHING, Detail.NOTHING]


async def test_the_public_learns_no_more_by_asking_for_more(graph: Graph):
    for query, code in (
        ("{ appeals { nodes { text } } }", "unauthenticated"),
        ("{ figures(by: STATUS) { total } }", "unauthenticated"),
        ("{ organisations { nodes { code } } }", "unauthenticated"),
        ("{ members { next } }", "unauthenticated"),
        ('{ node(id: "x") { id } }', "unauthenticated"),
        ('{ public(city: "atlantis") { code } }', "not-found"),
    ):
        answer = await graph.ask(query, None)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code], query


def _this_week(house: Any) -> date:
    """Its Monday. In the city it has begun while in Greenwich it is still Sunday."""
    return monday(KISHI.city.local(house.now()).date())


def _a_week_later(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The week in which all was registered is over, for whoever asks the graph."""
    next_week = _this_week(house) + WEEK
    monkeypatch.setattr("api.graphql.counting.running", lambda city, at: next_week)
    monkeypatch.setattr("domain.publication.crowds.LONG_KNOWN_FOR", timedelta())


async def test_figures_are_published_in_steps_and_staff_see_them_whole(
    callers: Callers, graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    house = callers.house
    for _ in range(FEWEST):
        await callers.register()
    rare = await callers.register(service="lifts.person-trapped", answers=TRAPPED)
    (row,) = await fetch(house, "SELECT count(*) AS n FROM appeal WHERE city_id = $1", KISHI.id)
    whole = await graph.data("{ figures(by: SERVICE) { total groups { key count closed } } }")
    table = whole["figures"]
    assert table["total"] == row["n"] == sum(group["count"] for group in table["groups"])
    assert all(group["closed"] is not None for group in table["groups"])
    _a_week_later(house, monkeypatch)
    for by in ("SERVICE", "CATEGORY", "SPHERE", "DISTRICT", "STATUS", "CHANNEL", "HOUR", "DAY"):
        asked = f"""{{ public {{ figures(by: {by}) {{ firstDay lastDay total
            groups {{ key count closed name keptShare medianSeconds }} }} }} }}"""
        told = (await graph.data(asked, None))["public"]["figures"]
        assert told["total"] == row["n"] - row["n"] % FEWEST
        assert all(group["count"] % FEWEST == 0 for group in told["groups"])
        assert rare["service"]["code"] not in {group["key"] for group in told["groups"]}
        first, last = (date.fromisoformat(told[name]) for name in ("firstDay", "lastDay"))
        assert (first.weekday(), last - first + timedelta(days=1)) == (0, WEEK)


async def test_the_running_week_is_not_counted_and_conditions_go_with_classes_alone(
    callers: Callers, graph: Graph
):
    running = _this_week(callers.house)
    for said, code in (
        (f'by: SERVICE, firstDay: "{running}"', "malformed"),
        ('by: STATUS, sphere: "roads"', "malformed"),
        ('by: HOUR, district: "centre"', "malformed"),
    ):
        answer = await graph.ask(f"{{ public {{ figures({said}) {{ total }} }} }}", None)
        assert answer["errors"][0]["extensions"]["code"] == code, said
    asked = '{ public { figures(by: SERVICE, sphere: "roads", district: "centre") { total } } }'
    assert "errors" not in await graph.ask(asked, None)


async def test_a_single_odd_row_among_many_is_not_listed(callers: Callers, graph: Graph):
    odd = await callers.register(
        service="manholes.open-in-yard", answers={"landmark": "у подъезда", "cover": "missing"}
    )
    for _ in range(FEWEST):
        await callers.register()
    rows = (await graph.data(ROWS, None))["public"]["appeals"]["edges"]
    told: dict[str, int] = {}
    for row in (edge["node"] for edge in rows):
        assert row["number"] != odd["number"]
        alike = str([row[name] for name in ("service", "category", "sphere", "district")])
        told[alike] = told.get(alike, 0) + 1
    assert all(count >= FEWEST for count in told.values())


async def test_a_period_has_a_longest_and_an_order(graph: Graph):
    for query, role in (
        ('{ public { figures(by: DAY, firstDay: "2024-01-01") { total } } }', None),
        ('{ public { figures(by: DAY, firstDay: "2027-01-01") { total } } }', None),
        ('{ public { figures(by: DAY, lastDay: "0001-01-02") { total } } }', None),
        ('{ public { figures(by: DAY, lastDay: "9999-12-31") { total } } }', None),
        ('{ figures(by: DAY, filter: {registeredFrom: "2024-01-01T00:00:00Z"}) { total } }',
         Role.INSPECTOR),
    ):  # fmt: skip
        answer = await graph.ask(query, role)
        assert answer["errors"][0]["extensions"]["code"] == "malformed"


async def test_counts_however_many_are_asked_for_leave_connections_to_everybody_else(
    callers: Callers, graph: Graph
):
    number = (await callers.register())["number"]
    asked = [
        " ".join(
            f"f{n}: figures(by: SERVICE, filter: {{registeredTo:"
            f' "2026-0{month}-{n:02}T00:00:00Z"}}) {{ groups {{ keptShare }} }}'
            for n in range(1, 5)
        )
        for month in range(1, 9)
    ]
    owner = await asyncpg.connect(callers.house.settings.database_url)
    try:
        # No promise can be read: the counts take as long as they would of a large register.
        await owner.execute("BEGIN; LOCK TABLE clock IN ACCESS EXCLUSIVE MODE")
        counting = [asyncio.create_task(graph.ask(f"{{ {each} }}")) for each in asked]
        await asyncio.sleep(0.5)
        async with asyncio.timeout(20):
            answers = await asyncio.gather(
                *(callers.call("GET", f"/v1/appeals/{number}/events") for _ in range(5))
            )
    finally:
        await owner.close()
    assert {answer.status_code for answer in answers} == {200}
    assert all("errors" not in answer for answer in await asyncio.gather(*counting))
