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
    async with running(make_callers_app(settings, rate_limit=0)) as app:
        yield Town(app, house, tokens)
