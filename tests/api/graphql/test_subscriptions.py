"""Subscriptions as their clients meet them: a real server, real sockets, real events."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from asyncpg import Connection
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.bootstrap import House
from api.errors import Malformed
from api.graphql import audiences, sockets
from api.graphql.engine import Engine
from api.graphql.subscriptions import read_place
from api.rest.cursors import write_cursor
from api.settings import Settings
from domain.access import Role
from domain.appeals.happenings import Place
from domain.organisations.tree import OrganisationTree
from tests.support.city import KISHI
from tests.support.forging import nearly
from tests.support.graph import Graph
from tests.support.live import serving
from tests.support.rest import Callers, make_callers_app
from tests.support.sql import fetch
from tests.support.subscriptions import Peer, dialled, followers, greeted

APPEALS = "subscription($after: String) { appeals(after: $after) { cursor number sequence type } }"
QUIET = 1.5
"""Seconds after which what was not told will not be."""


@pytest.fixture(scope="module")
def app(settings: Settings) -> Starlette:
    return make_callers_app(settings, rate_limit=0)


@pytest.fixture(scope="module")
def base(app: Starlette) -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(scope="module")
def inspector(callers: Callers) -> str:
    return callers.tokens[Role.INSPECTOR]


async def silent(peer: Peer) -> None:
    with pytest.raises(TimeoutError):
        await peer.hear(QUIET)


async def test_what_happens_to_an_appeal_is_told_while_it_happens(
    app: Starlette, base: str, callers: Callers, inspector: str
):
    number = (await callers.register())["number"]
    query = """subscription($n: String!) { appeal(number: $n) {
        number type status sequence internal by serviceCode organisation { uuid }
        appeal { number status version } } }"""
    async with greeted(base, inspector) as peer:
        await peer.subscribe(query, n=number)
        await followers(app, 1)
        other = await callers.register()
        assert other["number"] != number
        await callers.act(number, "accept", {}, role=Role.EXECUTOR)
        told = (await peer.next())["appeal"]
        assert told["number"] == number
        assert (told["type"], told["status"], told["by"]) == ("ACCEPTED", "IN_PROGRESS", "EXECUTOR")
        assert told["organisation"] == {"uuid": str(KISHI.water)}
        assert told["appeal"] == {"number": number, "status": "IN_PROGRESS", "version": 2}


async def test_a_filter_narrows_what_is_told(
    app: Starlette, base: str, callers: Callers, inspector: str
):
    query = "subscription { appeals(filter: {types: [ACCEPTED]}) { type number } }"
    async with greeted(base, inspector) as peer:
        await peer.subscribe(query)
        await followers(app, 1)
        number = (await callers.brought_to("in_progress"))["number"]
        assert await peer.next() == {"appeals": {"type": "ACCEPTED", "number": number}}
        await silent(peer)


async def test_an_organisation_follows_its_queue_and_a_stranger_does_not(
    app: Starlette, base: str, callers: Callers, inspector: str
):
    query = "subscription($o: UUID!) { queue(organisation: $o) { number type } }"
    executor = callers.tokens[Role.EXECUTOR]
    async with greeted(base, executor) as theirs, greeted(base, inspector) as city:
        await theirs.subscribe(query, o=str(KISHI.water))
        await city.subscribe(query, o=str(KISHI.centre))
        await followers(app, 2)
        number = (await callers.register())["number"]
        told = {(await theirs.next())["queue"]["type"] for _ in range(2)}
        assert told == {"REGISTERED", "ASSIGNED"}
        await silent(city)
        for organisation in (KISHI.centre, uuid4()):
            await theirs.subscribe(query, o=str(organisation))
            refused = await theirs.hear()
            assert refused["type"] == "error"
            assert refused["payload"][0]["extensions"]["code"] == "not-found"
        assert number


async def test_a_queue_follows_its_tree_while_it_is_followed(
    app: Starlette, base: str, callers: Callers, inspector: str
):
    """An organisation that comes to stand below another is heard of without subscribing anew."""
    query = "subscription($o: UUID!) { queue(organisation: $o) { number } }"
    house = callers.house
    async with greeted(base, inspector) as peer:
        await peer.subscribe(query, o=str(KISHI.centre))
        await followers(app, 1)
        await callers.register()
        await silent(peer)
        try:
            await _move(house, KISHI.water, KISHI.centre)
            number = (await callers.register())["number"]
            assert (await peer.next())["queue"]["number"] == number
        finally:
            await _move(house, KISHI.water, None)


async def test_all_queues_of_a_city_are_one_tree(
    app: Starlette,
    base: str,
    callers: Callers,
    inspector: str,
    monkeypatch: pytest.MonkeyPatch,
):
    made: list[OrganisationTree] = []
    of = OrganisationTree.of

    def counted(organisations: Any) -> OrganisationTree:
        made.append(of(organisations))
        return made[-1]

    monkeypatch.setattr(OrganisationTree, "of", counted)
    query = "subscription($o: UUID!) { queue(organisation: $o) { number } }"
    async with greeted(base, inspector) as peer:
        for organisation in (KISHI.department, KISHI.centre, KISHI.water):
            await peer.subscribe(query, o=str(organisation))
        await followers(app, 3)
        number = (await callers.register())["number"]
        assert (await peer.next())["queue"]["number"] == number
    assert len(made) <= 1


async def _move(house: House, organisation: UUID, parent: UUID | None) -> None:
    moved = "UPDATE organisation SET parent_id = $2 WHERE id = $1"
    await fetch(house, moved, organisation, parent)
    version = "UPDATE city SET reference_version = reference_version + 1 WHERE id = $1"
    await fetch(house, version, KISHI.id)
    # Each process looks once a second.
    await asyncio.sleep(2.5)


async def test_who_loses_their_line_before_the_first_entry_misses_nothing(
    app: Starlette, base: str, callers: Callers, inspector: str
):
    """Now, the list, the subscription, and the line breaks before anything was told."""
    place = (await Graph(callers).data("{ now }"))["now"]
    async with greeted(base, inspector) as peer:
        await peer.subscribe(APPEALS, after=place)
        await followers(app, 1)
    await followers(app, 0)
    missed = (await callers.register())["number"]
    async with greeted(base, inspector) as peer:
        await peer.subscribe(APPEALS, after=place)
        told = [(await peer.next())["appeals"] for _ in range(2)]
        assert [(each["number"], each["sequence"]) for each in told] == [(missed, 1), (missed, 2)]


async def test_nobody_hears_of_what_they_may_not_see(app: Starlette, base: str, callers: Callers):
    """The resident hears of their own appeals, and of nothing that colleagues say."""
    resident = callers.tokens[Role.CITIZEN]
    async with greeted(base, resident) as peer:
        await peer.subscribe(APPEALS)
        await followers(app, 1)
        await callers.register()
        own = (await callers.register(Role.CITIZEN, applicant=...))["number"]
        said = {"text": "ішкі", "internal": True}
        await callers.act(own, "comment", said, role=Role.OPERATOR)
        await callers.act(own, "comment", {"text": "жауап"}, role=Role.OPERATOR)
        told = [(await peer.next())["appeals"] for _ in range(3)]
        assert {each["number"] for each in told} == {own}
        assert [each["sequence"] for each in told] == [1, 2, 4]
        await silent(peer)


async def test_an_appeal_of_others_does_not_exist(base: str, callers: Callers):
    number = (await callers.register())["number"]
    query = "subscription($n: String!) { appeal(number: $n) { number } }"
    async with greeted(base, callers.tokens[Role.CITIZEN]) as peer:
        answers = []
        for asked in (number, "KSH-2026-999999"):
            await peer.subscribe(query, n=asked)
            refused = await peer.hear()
            assert refused["type"] == "error"
            answers.append(refused["payload"][0]["extensions"]["code"])
        assert answers == ["not-found", "not-found"]


async def test_the_public_follows_nothing(base: str):
    async with greeted(base, None) as peer:
        await peer.subscribe(APPEALS)
        refused = await peer.hear()
        assert refused["payload"][0]["extensions"]["code"] == "unauthenticated"


async def test_a_lost_connection_costs_no_event_under_concurrent_writers(
    app: Starlette, base: str, callers: Callers, house: House, inspector: str
):
    """Eight writers; a client that loses its socket after each few entries and comes back."""
    told: list[tuple[str, int]] = []
    cursor: str | None = None
    async with greeted(base, inspector) as peer:
        await peer.subscribe(APPEALS)
        await followers(app, 1)
        first = await callers.register()
        seen = [(await peer.next())["appeals"] for _ in range(2)]
        cursor = seen[-1]["cursor"]
        assert {each["number"] for each in seen} == {first["number"]}
    written: list[str] = []

    async def write() -> None:
        for _ in range(5):
            written.append((await callers.register())["number"])

    writing = asyncio.gather(*(write() for _ in range(8)))
    while len(told) < 2 * 40:
        async with greeted(base, inspector) as peer:
            await peer.subscribe(APPEALS, after=cursor)
            for _ in range(7):
                entry = (await peer.next())["appeals"]
                told.append((entry["number"], entry["sequence"]))
                cursor = entry["cursor"]
                if len(told) == 2 * 40:
                    break
            # Lost, not closed: neither side says goodbye.
            peer.socket.transport.abort()
    await writing
    assert len(told) == len(set(told))
    assert set(told) == {(number, sequence) for number in written for sequence in (1, 2)}


async def test_a_cursor_that_nobody_gave_is_refused(base: str, inspector: str):
    async with greeted(base, inspector) as peer:
        await peer.subscribe(APPEALS, after="AAAAAAAAAAAxIDE")
        refused = await peer.hear()
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "malformed"


async def test_a_cursor_tells_nobody_how_much_went_on_in_all_cities(
    app: Starlette, base: str, callers: Callers, house: House, graph: Graph, inspector: str
):
    """Transactions are counted for everybody together: two of their numbers tell what lies
    between."""
    asked = await graph.data("{ now }", Role.CITIZEN)
    async with greeted(base, inspector) as peer:
        await peer.subscribe(APPEALS, after=asked["now"])
        await callers.register()
        entry = (await peer.next())["appeals"]
    (event,) = await fetch(
        house, "SELECT e.xid::text AS xid, e.id FROM event e JOIN appeal a ON a.id = e.appeal_id"
        " WHERE a.number = $1 AND e.sequence = $2", entry["number"], entry["sequence"],
    )  # fmt: skip
    place = Place(int(event["xid"]), event["id"])
    floor = read_place(asked["now"], house.keyring)
    assert floor is not None
    assert floor <= place
    assert read_place(entry["cursor"], house.keyring) == place
    for cursor, transaction in ((entry["cursor"], event["xid"]), (asked["now"], floor[0])):
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert f"{transaction} ".encode() not in raw
    # Nor can one be said to be of another moment.
    for forged in (nearly(entry["cursor"]), write_cursor(house.now(), place.id,
                   house.keyring), "AAAA"):  # fmt: skip
        with pytest.raises(Malformed):
            read_place(forged, house.keyring)


async def test_the_socket_ends_with_the_token(base: str, callers: Callers, house: House):
    token = await house.tokens.issue(
        KISHI.id,
        name="soon over",
        member=KISHI.ident(f"member-{Role.INSPECTOR}"),
        expires_at=house.now() + timedelta(seconds=2),
    )
    async with greeted(base, token) as peer:
        id = await peer.subscribe(APPEALS)
        # Nothing happens meanwhile: it is judged again all the same.
        told = await peer.hear(15)
        assert (told["type"], told["id"]) == ("error", id)
        assert told["payload"][0]["extensions"]["code"] == "unauthenticated"
        assert await peer.closed() == 4403


async def test_a_page_of_another_origin_is_turned_away(base: str, inspector: str):
    with pytest.raises(InvalidStatus) as refused:
        async with dialled(base, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with greeted(base, inspector, origin=base) as peer:
        await peer.say("ping")
        assert (await peer.hear())["type"] == "pong"


async def test_the_token_may_come_with_the_handshake(base: str, callers: Callers, inspector: str):
    headers = {"authorization": f"Bearer {inspector}"}
    async with greeted(base, None, additional_headers=headers) as peer:
        await peer.subscribe("{ viewer { role } }")
        assert (await peer.next())["viewer"] == {"role": "inspector"}
        assert (await peer.hear())["type"] == "complete"


async def test_a_token_that_stands_for_nobody_opens_nothing(base: str):
    async with dialled(base) as peer:
        await peer.say("connection_init", payload={"authorization": "Bearer 109_nobody"})
        assert await peer.closed() == 4403


async def test_a_subscription_ends_when_its_client_says_so(
    app: Starlette, base: str, callers: Callers, inspector: str
):
    async with greeted(base, inspector) as peer:
        id = await peer.subscribe(APPEALS)
        await followers(app, 1)
        await peer.say("complete", id=id)
        await followers(app, 0)
        await callers.register()
        await silent(peer)
        # Its id is free again.
        await peer.say("subscribe", id=id, payload={"query": "{ viewer { role } }"})
        assert (await peer.hear())["type"] == "next"


async def _two_of_one_id(peer: Peer) -> None:
    await peer.say("connection_init")
    for _ in range(2):
        await peer.say("subscribe", id="1", payload={"query": APPEALS})


async def _twice_greeted(peer: Peer) -> None:
    await peer.say("connection_init")
    await peer.say("connection_init")


OFFENCES: dict[str, tuple[int, Any]] = {
    "no JSON": (4400, lambda peer: peer.socket.send("{")),
    "bytes": (4400, lambda peer: peer.socket.send(b"{}")),
    "no object": (4400, lambda peer: peer.socket.send("[]")),
    "no type": (4400, lambda peer: peer.socket.send("{}")),
    "an unknown type": (4400, lambda peer: peer.say("hello")),
    "a payload that is none": (4400, lambda peer: peer.say("connection_init", payload=[])),
    "before the greeting": (
        4401, lambda peer: peer.say("subscribe", id="1", payload={"query": "{ viewer { role } }"}),
    ),
    "greeted twice": (4429, _twice_greeted),
    "a megabyte": (1009, lambda peer: peer.say("x" * 1_000_001)),
}  # fmt: skip


@pytest.mark.parametrize("name", OFFENCES)
async def test_what_offends_the_protocol_ends_the_socket_by_its_code(base: str, name: str):
    code, offend = OFFENCES[name]
    async with dialled(base) as peer:
        await offend(peer)
        assert await peer.closed() == code


async def test_two_operations_of_one_id_end_the_socket(base: str, inspector: str):
    async with greeted(base, inspector) as peer:
        for _ in range(2):
            await peer.say("subscribe", id="1", payload={"query": APPEALS})
        assert await peer.closed() == 4409


async def test_who_does_not_greet_is_not_waited_for(base: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.2)
    async with dialled(base) as peer:
        assert await peer.closed() == 4408


async def test_another_protocol_is_not_spoken(base: str):
    from websockets.asyncio.client import connect

    url = base.replace("http", "ws", 1) + "/graphql"
    async with connect(url, subprotocols=["graphql-ws"]) as socket:  # type: ignore[list-item]
        await socket.wait_closed()
        assert socket.close_code == 4406


async def test_a_document_that_is_too_dear_or_unsound_is_refused_alone(base: str, inspector: str):
    async with greeted(base, inspector) as peer:
        for query, code in (
            ("{ nothing }", "bad-request"),
            ("{ appeals(first: 100000) { nodes { number } } }", "document-too-costly"),
            ("{ " + "a " * 3000 + "}", "document-too-large"),
        ):
            await peer.subscribe(query)
            refused = await peer.hear()
            assert refused["payload"][0]["extensions"]["code"] == code
        await peer.subscribe("{ viewer { role } }")
        assert (await peer.next())["viewer"]["role"] == "inspector"


async def test_one_event_costs_the_same_however_many_hear_of_it(
    app: Starlette, base: str, callers: Callers, monkeypatch: pytest.MonkeyPatch
):
    """As many statements and executions for forty who asked alike as for one."""
    asked: list[str] = []
    made: list[Any] = []
    entry = Engine._entry
    for name in ("fetch", "fetchval", "fetchrow"):
        monkeypatch.setattr(Connection, name, _spied(getattr(Connection, name), asked))

    async def counted(*given: Any) -> bytes:
        made.append(given)
        return await entry(*given)

    monkeypatch.setattr(Engine, "_entry", counted)
    # However long it takes to tell all of them.
    monkeypatch.setattr(audiences, "SHARED", 60.0)
    query = (
        "subscription { appeals { sequence appeal { number clocks { stage } events { type } } } }"
    )
    # Colleagues of one role: by tokens of their own, and by one that several screens share.
    member = KISHI.ident(f"member-{Role.INSPECTOR}")
    tokens = [await callers.house.tokens.issue(KISHI.id, name="test", member=member)
              for _ in range(8)]  # fmt: skip
    costs = {}
    for many in (1, 40):
        async with AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(greeted(base, tokens[place % 8]))
                     for place in range(many)]  # fmt: skip
            for peer in peers:
                await peer.subscribe(query)
            await followers(app, many)
            asked.clear()
            made.clear()
            number = (await callers.register())["number"]
            for peer in peers:
                told = [(await peer.next())["appeals"] for _ in range(2)]
                assert [each["sequence"] for each in told] == [1, 2]
                assert {each["appeal"]["number"] for each in told} == {number}
            costs[many] = Counter(asked), len(made)
    assert costs[1] == costs[40]
    assert costs[40][1] == 2, "one for each event"


def _spied(original: Any, asked: list[str]) -> Any:
    async def spied(connection: Any, query: str, *args: Any, **options: Any) -> Any:
        if "appeal a" in query:
            asked.append(query)
        return await original(connection, query, *args, **options)

    return spied


async def test_server_sent_events_tell_the_same(
    app: Starlette, base: str, callers: Callers, inspector: str
):
    headers = {"authorization": f"Bearer {inspector}", "accept": "text/event-stream"}
    told: list[dict[str, Any]] = []
    async with (
        httpx2.AsyncClient(base_url=base, timeout=15) as client,
        client.stream("POST", "/graphql", json={"query": APPEALS}, headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        assert (await anext(lines)) == ":"
        await followers(app, 1)
        number = (await callers.register())["number"]
        async for line in lines:
            if line.startswith("data: "):
                told.append(json.loads(line[6:])["data"]["appeals"])
            if len(told) == 2:
                break
    assert [(each["number"], each["sequence"]) for each in told] == [(number, 1), (number, 2)]


async def test_a_socket_outlives_no_token_and_no_right(base: str, callers: Callers, house: House):
    """Though nothing is followed over it: each operation is judged by the token of that moment."""
    number = (await callers.register())["number"]
    token = await house.tokens.issue(
        KISHI.id,
        name="soon over",
        member=KISHI.ident(f"member-{Role.INSPECTOR}"),
        expires_at=house.now() + timedelta(seconds=3),
    )
    query = "query($n: String!) { appeal(number: $n) { number } }"
    async with greeted(base, token) as peer:
        await peer.subscribe(query, n=number)
        assert await peer.next() == {"appeal": {"number": number}}
        assert (await peer.hear())["type"] == "complete"
        await asyncio.sleep(4)
        await peer.subscribe(query, n=number)
        with pytest.raises(ConnectionClosed):
            await peer.hear()
        assert peer.socket.close_code == 4403
