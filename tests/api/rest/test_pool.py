"""Sixty-four callers of different organisations on five connections: nobody is told of another's.

The whole of it, 10,000 requests to processes of their own, is benchmarks/walls.py.
"""

import asyncio
import random
from itertools import cycle, islice
from typing import Any

import pytest

from domain.access import Role
from integrations.postgres.scope import Parameters, visible
from tests.support.city import KISHI, SmallCity, write_small_city
from tests.support.rest import Callers, client_of, issue_tokens, make_callers_app, running
from tests.support.rest import intake as body
from tests.support.sql import fetch

ULKEN = SmallCity("ulken", "ULK")
CALLERS, REQUESTS = 64, 1200
ROLES = (Role.CITIZEN, Role.OPERATOR, Role.INSPECTOR, Role.EXECUTOR, Role.HEAD, Role.AKIM,
         Role.ADMINISTRATOR)  # fmt: skip
KINDS = ("list", "search", "assignments", "clocks", "own", "foreign", "wrong", "add")
GENERAL: dict[str, Any] = {"service": "general.unclassified", "answers": {}}


@pytest.fixture(scope="module")
async def everybody(settings, house):
    """(client, numbers that exist for them, numbers that do not) of many in two cities."""
    await write_small_city(house.engine, house.keyring, ULKEN)
    await house.references.refresh(house.now())
    async with running(make_callers_app(settings, rate_limit=0)) as app:
        callers = [
            Callers(app, house, city, await issue_tokens(house, city)) for city in (KISHI, ULKEN)
        ]
        for one in callers:
            for role in (Role.CITIZEN, Role.OPERATOR):
                await one.register(role)
                await one.register(role, **GENERAL)
        every = {row["number"] for row in await fetch(house, "SELECT number FROM appeal")}
        found = []
        for one in callers:
            for role in ROLES:
                own = await numbers(house, one.city.principal(role))
                token = {"authorization": f"Bearer {one.tokens[role]}"}
                found.append((one.city, role, token, own, sorted(every - own)))
        yield app, found


async def numbers(house, who) -> set[str]:
    parameters = Parameters()
    condition = visible(who, parameters)
    rows = await fetch(
        house, f"SELECT a.number FROM appeal a WHERE {condition}", *parameters.values
    )
    return {row["number"] for row in rows}


async def patient(send, *args, **options):
    """The answer, asked for again where a busy machine says that its turn did not come (503)."""
    tries = 20
    while (answer := await send(*args, **options)).status_code == 503 and tries:
        tries -= 1
        await asyncio.sleep(0.5)
    return answer


async def ask(client, caller, turn: random.Random) -> None:
    """One request; whatever is wrong about its answer is an AssertionError."""
    city, role, token, own, foreign = caller
    kind = turn.choice(
        ("list", "search", "assignments", "clocks", "own", "foreign", "wrong", "add")
    )
    if kind == "own" and own:
        answer = await patient(client.get, f"/v1/appeals/{turn.choice(sorted(own))}", headers=token)
        assert answer.status_code == 200
    elif kind == "foreign" and foreign:
        answer = await patient(client.get, f"/v1/appeals/{turn.choice(foreign)}", headers=token)
        assert answer.status_code == 404
    elif kind == "wrong":
        # An act that fails midway, in a transaction that holds the appeal.
        number = turn.choice(foreign or ["KIS-2026-999999"])
        answer = await patient(
            client.post, f"/v1/appeals/{number}/accept", json={},
            headers=token | {"idempotency-key": f"{turn.random()}"},
        )  # fmt: skip
        assert answer.status_code in (403, 404)
    elif kind == "add" and role in (Role.CITIZEN, Role.OPERATOR):
        said = body(city, channel="app" if role is Role.CITIZEN else "phone")
        answer = await patient(
            client.post,
            "/v1/appeals",
            json=said,
            headers=token | {"idempotency-key": f"{turn.random()}"},
        )
        assert answer.status_code == 201
        assert answer.json()["number"].startswith(city.city.prefix)
    else:
        path = {"search": "/v1/appeals?q=люк", "assignments": "/v1/assignments",
                "clocks": "/v1/clocks"}.get(kind, "/v1/appeals")  # fmt: skip
        answer = await patient(client.get, path, headers=token)
        if answer.status_code == 200:
            check(answer.json()["items"], foreign, city)
        else:
            assert answer.status_code == 403


def check(items: list[dict[str, Any]], foreign: list[str], city: SmallCity) -> None:
    told = [item["number"] if "number" in item else item["appeal"] for item in items]
    shown = {one if isinstance(one, str) else one["number"] for one in told}
    assert not shown & set(foreign)
    assert all(number.startswith(city.city.prefix) for number in shown)


async def test_under_the_pool_nobody_is_told_of_anothers(everybody):
    app, callers = everybody
    left = iter(range(REQUESTS))

    async def one(number: int, caller) -> int:
        turn, done = random.Random(number), 0
        async with client_of(app) as client:
            for _ in left:
                await ask(client, caller, turn)
                done += 1
        return done

    everyone = islice(cycle(callers), CALLERS)
    done = await asyncio.gather(*(one(n, caller) for n, caller in enumerate(everyone)))
    assert sum(done) == REQUESTS
    assert all(done)
