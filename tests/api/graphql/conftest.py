"""The graph over a small city of the module's own."""

from collections.abc import AsyncIterator

import pytest

from api.bootstrap import House
from api.graphql import crowds
from api.settings import Settings
from tests.support.city import KISHI
from tests.support.graph import Graph
from tests.support.rest import Callers, issue_tokens, make_callers_app, running


@pytest.fixture(scope="module")
async def callers(settings: Settings, house: House) -> AsyncIterator[Callers]:
    """Everybody's way to the API."""
    # Cities of all modules have one id: what is remembered of them belongs to other databases.
    crowds.forget()
    tokens = await issue_tokens(house)
    async with running(make_callers_app(settings, rate_limit=0, graphql_public_budget=0)) as app:
        yield Callers(app, house, KISHI, tokens)


@pytest.fixture(scope="module")
def graph(callers: Callers) -> Graph:
    """Everybody's way to the graph."""
    return Graph(callers)
