"""The figures of an organisation follow the tree of organisations."""

from dataclasses import replace
from uuid import UUID

from domain.access import Role
from tests.support.city import KISHI
from tests.support.holdings import books_of
from tests.support.lives import a_town
from tests.support.rest import issue_tokens
from tests.support.sql import fetch


async def test_an_administrator_sees_what_came_under_their_organisation(house, callers):
    """The tree is changed, no appeal is: what the department was given is now the centre's too."""
    await a_town(house, 6, 20)

    async def told() -> dict[str, int]:
        # A token is known for a while with the tree that it came in with.
        fresh = replace(callers, tokens=await issue_tokens(house))
        answer = await fresh.call("GET", "/v1/statistics", role=Role.ADMINISTRATOR)
        by_status: dict[str, int] = answer.json()["appeals"]["by_status"]
        return by_status

    async def under(parent: UUID | None) -> None:
        change = "UPDATE organisation SET parent_id = $2 WHERE id = $1"
        await fetch(house, change, KISHI.department, parent)
        await house.references.refresh(house.now())

    books = await books_of(house)
    alone = books.of({KISHI.centre})["by_status"]
    assert {state: n for state, n in (await told()).items() if n} == alone
    await under(KISHI.centre)
    try:
        whole = books.of({KISHI.centre, KISHI.department, KISHI.water})["by_status"]
        assert {state: n for state, n in (await told()).items() if n} == whole != alone
    finally:
        await under(None)
    assert {state: n for state, n in (await told()).items() if n} == alone
