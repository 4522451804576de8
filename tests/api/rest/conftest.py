"""The API over a small city of the module's own; no quota unless a test wants one."""

from collections.abc import AsyncIterator

import pytest

from api.bootstrap import House
from api.settings import Settings
from tests.support.city import KISHI
from tests.support.rest import Callers, issue_tokens, make_callers_app, running


@pytest.fixture(scope="module")
async def callers(settings: Settings, house: House) -> AsyncIterator[Callers]:
    """Everybody's way to the API."""
    tokens = await issue_tokens(house)
    async with running(make_callers_app(settings, rate_limit=0)) as app:
        yield Callers(app, house, KISHI, tokens)
