"""Subscriptions as their clients meet them: a real server, real sockets, real events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.settings import Settings
from domain.access import Role
from tests.support.live import serving
from tests.support.rest import Callers, make_callers_app
from tests.support.subscriptions import greeted

APPEALS = "subscription($after: String) { appeals(after: $after) { cursor number sequence type } }"
SETTLED = 0.3
"""Seconds in which a subscription begins."""


@pytest.fixture(scope="module")
def base(settings: Settings) -> Any:
    with serving(make_callers_app(settings, rate_limit=0)) as url:
        yield url


@pytest.fixture(scope="module")
async def inspector(callers: Callers) -> AsyncIterator[str]:
    yield callers.tokens[Role.INSPECTOR]


async def test_what_happens_to_an_appeal_is_told_while_it_happens(
    base: str, callers: Callers, inspector: str
):
    number = (await callers.register())["number"]
    query = """subscription($n: String!) { appeal(number: $n) {
        number type status sequence internal by serviceCode appeal { number status version } } }"""
    async with greeted(base, inspector) as peer:
        await peer.subscribe(query, n=number)
        await asyncio.sleep(SETTLED)
        await callers.act(number, "accept", {}, role=Role.EXECUTOR)
        told = (await peer.next())["appeal"]
        assert told["number"] == number
        assert (told["type"], told["status"], told["by"]) == (
            "ACCEPTED", "IN_PROGRESS", "EXECUTOR",
        )  # fmt: skip
        assert told["appeal"] == {"number": number, "status": "IN_PROGRESS", "version": 2}
