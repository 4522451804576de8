"""The API over a small city of the module's own; no quota unless a test wants one."""

from collections.abc import AsyncIterator

import pytest

from api.bootstrap import House
from api.settings import Settings
from tests.support.city import KISHI
from tests.support.rest import Callers, issue_tokens, make_callers_app, running
from tests.support.sql import fetch
from tests.support.worker import eventually


@pytest.fixture(scope="module")
async def callers(settings: Settings, house: House) -> AsyncIterator[Callers]:
    """Everybody's way to the API."""
    tokens = await issue_tokens(house)
    async with running(make_callers_app(settings, rate_limit=0)) as app:
        yield Callers(app, house, KISHI, tokens)


class DatabaseOwner:
    """What only the city's own people can do to its reference."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def expire(self, service: str) -> None:
        """Let a service end yesterday, and wait until the API knows."""
        house = self._callers.house
        await fetch(
            house,
            "UPDATE service_version SET content = content ||"
            ' \'{"valid_from": "2020-01-01", "valid_to": "2020-02-01"}\''
            " WHERE city_id = $1 AND code = $2 AND current",
            KISHI.id,
            service,
        )
        await fetch(
            house,
            "UPDATE city SET reference_version = reference_version + 1 WHERE id = $1",
            KISHI.id,
        )

        async def known() -> bool:
            answer = await self._callers.call("GET", f"/v1/services/{service}")
            return answer.json()["valid_to"] is not None

        await eventually(known)


@pytest.fixture(scope="module")
def database_owner(callers: Callers) -> DatabaseOwner:
    """The owner of the city's database."""
    return DatabaseOwner(callers)
