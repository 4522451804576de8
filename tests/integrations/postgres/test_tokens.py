"""Service tokens: those who ask at once are answered by one statement."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asyncpg import Connection

from api.bootstrap import House
from domain.access import Role
from domain.errors import Unavailable
from domain.values import new_id
from tests.support.city import KISHI, make_principal
from tests.support.districts import write_district
from tests.support.sql import fetch


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked about tokens."""
    asked: list[str] = []
    fetch = Connection.fetch

    async def spied(connection: Any, query: str, *args: Any, **options: Any) -> Any:
        if "access_token" in query:
            asked.append(query)
        return await fetch(connection, query, *args, **options)

    monkeypatch.setattr(Connection, "fetch", spied)
    return asked


async def issued(house: House, role: Role) -> str:
    member = KISHI.ident(f"member-{role}")
    ends = house.now() + timedelta(hours=1)
    return await house.tokens.issue(KISHI.id, name="test", member=member, expires_at=ends)


async def test_who_asks_at_once_is_told_each_their_own_by_few_statements(
    house: House, statements: list[str]
):
    roles = (Role.OPERATOR, Role.INSPECTOR, Role.EXECUTOR)
    tokens = {role: await issued(house, role) for role in roles}
    asked = [*tokens.values(), "109_nobody"] * 100
    found = await asyncio.gather(*map(house.tokens.find, asked))
    # Whoever was first does not wait for the others.
    assert len(statements) <= 2
    for token, told in zip(asked, found, strict=True):
        if token == "109_nobody":
            assert told is None
            continue
        role = next(role for role, theirs in tokens.items() if theirs == token)
        assert told is not None
        assert told[0] == make_principal(role)
        assert told[1] is not None


async def test_a_token_that_was_taken_back_is_not_told_from_memory(house: House):
    token = await issued(house, Role.OPERATOR)
    assert await house.tokens.find(token) is not None
    await house.tokens.revoke(token, house.now())
    assert await house.tokens.find(token) is None


async def test_who_gives_up_takes_nobodys_answer_away(house: House):
    token = await issued(house, Role.OPERATOR)
    first, second = (asyncio.create_task(house.tokens.find(token)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    found = await second
    assert found is not None
    assert found[0] == make_principal(Role.OPERATOR)


async def test_a_database_that_is_away_is_told_to_all_who_asked_and_is_asked_again(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    token = await issued(house, Role.OPERATOR)
    with monkeypatch.context() as away:

        async def lost(*_: Any, **__: Any) -> Any:
            raise ConnectionError

        away.setattr(Connection, "fetch", lost)
        told = await asyncio.gather(
            *(house.tokens.find(each) for each in (token, token, "109_x")), return_exceptions=True
        )
    assert [type(each) for each in told] == 3 * [Unavailable]
    assert await house.tokens.find(token) is not None


async def test_an_akim_is_told_what_lies_in_their_district_wherever_it_lies_now(house: House):
    await write_district(house, "rural", "centre")
    await write_district(house, "village", "rural")
    await write_district(house, "left", None)
    member = new_id()
    await fetch(
        house,
        "INSERT INTO member (id, city_id, organisation_id, role, name, district)"
        " VALUES ($1, $2, $3, 'akim', 'A.', 'centre')",
        member, KISHI.id, KISHI.department,
    )  # fmt: skip
    token = await house.tokens.issue(KISHI.id, name="test", member=member)

    async def districts() -> frozenset[str] | None:
        found = await house.tokens.find(token)
        assert found is not None
        return found[0].confined

    assert await districts() == frozenset({"centre", "rural", "village"})
    await write_district(house, "rural", "left")
    assert await districts() == frozenset({"centre"})
    # Whom no district confines is told of none.
    found = await house.tokens.find(await issued(house, Role.AKIM))
    assert found is not None
    assert (found[0].districts, found[0].confined) == (frozenset(), None)
