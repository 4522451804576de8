"""The authorization server over a small city of the module's own."""

from collections.abc import AsyncIterator

import pytest

from api.bootstrap import House
from api.settings import Settings
from tests.support.oauth import Door, Registered, opened, register, register_app, register_system


@pytest.fixture(scope="module")
async def door(settings: Settings, house: House) -> AsyncIterator[Door]:
    """The way to the authorization server; no quota by address."""
    async with opened(settings, house) as way:
        yield way


@pytest.fixture(scope="module")
async def site(door: Door) -> Registered:
    """The akimat's site, where residents log in; it keeps a secret."""
    return await register(door.house)


@pytest.fixture(scope="module")
async def app(door: Door) -> Registered:
    """The mobile app of residents."""
    return await register_app(door.house)


@pytest.fixture(scope="module")
async def system(door: Door) -> Registered:
    """An executor's dispatch system."""
    return await register_system(door.house)
