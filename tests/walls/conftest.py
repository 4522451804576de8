"""Both cities behind one API, fresh for each module."""

from collections.abc import AsyncIterator

import pytest

from api.bootstrap import House
from api.settings import Settings
from tests.support.rest import make_callers_app, running
from tests.walls.town import Town, write_town


@pytest.fixture(scope="module")
async def town(settings: Settings, house: House) -> AsyncIterator[Town]:
    """Everybody of both cities, at the door."""
    tokens = await write_town(house)
    await house.references.refresh(house.now())
    # Without budgets: what is left of one is another number in each answer.
    free = {
        "rate_limit": 0,
        "graphql_budget": 0,
        "graphql_public_budget": 0,
        # Every field of every entry is asked for.
        "graphql_cost": 100_000,
    }
    async with running(make_callers_app(settings, **free)) as app:
        yield Town(app, house, tokens)
