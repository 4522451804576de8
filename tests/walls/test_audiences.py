"""One execution serves many subscribers: what a viewer must not see never comes to them, even
though others who asked by the same document, at the same moment, do see it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from api.graphql.engine import Engine
from api.settings import Settings
from domain.access import Role
from tests.support.live import serving
from tests.support.rest import make_callers_app
from tests.support.subscriptions import Peer, followers, greeted
from tests.walls.town import EVERYBODY, NOBODY, Place, Town, Who

SEEN = """number status text operator allowed emergency
    applicant { name phone } location { address apartment }
    assignment { state } clocks { stage state } confirmation { by how }
    events { sequence type actor { role id } texts } attachments { id } incident { id }"""
FOLLOWED = f"subscription {{ appeals {{ number sequence internal appeal {{ {SEEN} }} }} }}"
ASKED = f"query ($number: String!) {{ appeal(number: $number) {{ {SEEN} }} }}"
QUIET = 2.5
"""Seconds after which what was not told will not be: the reader looks each second."""
LISTENERS = [who for who in EVERYBODY if who.name != NOBODY]


@pytest.fixture(scope="module")
def app(settings: Settings) -> Starlette:
    return make_callers_app(settings, rate_limit=0, graphql_budget=0)


@pytest.fixture(scope="module")
async def base(town: Town, app: Starlette) -> AsyncIterator[str]:
    with serving(app) as url:
        yield url


async def told(peer: Peer) -> list[dict[str, Any]]:
    """All that comes until nothing more does."""
    found = []
    while True:
        try:
            found.append((await peer.next(QUIET))["appeals"])
        except TimeoutError:
            return found


async def happens(town: Town, place: Place) -> str:
    """A resident's appeal with a flat, a word among colleagues and one for everybody."""
    callers = town.callers(place)
    where = {"building": str(callers.city.flats), "apartment": "47"}
    appeal = await callers.register(Role.CITIZEN, location=where, applicant=...)
    for said in ({"text": "ішкі сөз", "internal": True}, {"text": "жауап"}):
        answer = await callers.act(appeal["number"], "comment", said, role=Role.OPERATOR)
        assert answer.status_code == 200, answer.text
    number: str = appeal["number"]
    return number


async def test_each_is_told_what_they_would_find_by_themselves_and_nothing_else(
    app: Starlette, base: str, town: Town, monkeypatch: pytest.MonkeyPatch
):
    made, entry = [], Engine._entry

    async def counted(self: Engine, audience: Any, value: Any) -> bytes:
        made.append((value._said.number, value._said.sequence))
        return await entry(self, audience, value)

    monkeypatch.setattr(Engine, "_entry", counted)
    async with AsyncExitStack() as stack:
        peers: list[Peer] = []
        for who in [*LISTENERS, *LISTENERS]:
            peer = await stack.enter_async_context(greeted(base, town.tokens[who.name]))
            await peer.subscribe(FOLLOWED)
            peers.append(peer)
        await followers(app, len(peers))
        numbers = [await happens(town, place) for place in Place]
        heard = await asyncio.gather(*map(told, peers))
    for who, first, second in zip(LISTENERS, heard, heard[len(LISTENERS) :], strict=False):
        assert first == second, who
        await _heard_what_is_theirs(base, town, who, numbers, first)
    for number in numbers:
        events = [(entry["number"], entry["sequence"]) for each in heard for entry in each]
        hearers = Counter(event for event in events if event[0] == number)
        assert all(made.count(event) == hearers[event] / 2 for event in hearers), "one for two"


async def _heard_what_is_theirs(
    base: str, town: Town, who: Who, numbers: list[str], heard: list[dict[str, Any]]
) -> None:
    headers = {"authorization": f"Bearer {town.tokens[who.name]}"}
    async with httpx2.AsyncClient(base_url=base, headers=headers) as client:
        for number in numbers:
            said = {"query": ASKED, "variables": {"number": number}}
            answer = (await client.post("/graphql", json=said)).json()
            theirs = [entry for entry in heard if entry["number"] == number]
            if answer["data"]["appeal"] is None:
                assert theirs == [], who
                continue
            assert theirs[-1]["appeal"] == answer["data"]["appeal"], who
            inside = [entry for entry in theirs if entry["internal"]]
            assert bool(inside) == (who.role is not Role.CITIZEN), who
            order = [entry["sequence"] for entry in theirs]
            assert order == sorted(set(order)), who
    assert {entry["number"] for entry in heard} <= set(numbers), who
