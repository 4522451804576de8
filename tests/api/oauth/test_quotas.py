"""Each client asks as much as it was allowed, a minute and a day, in all processes together."""

from uuid import uuid4

import pytest

from api.bootstrap import open_house
from api.clock import real
from api.limits import ClientQuotas
from domain.identity.quotas import Limits
from tests.support.oauth import opened, register_app, register_system
from tests.support.rest import assert_problem

OWN = {"grant_type": "client_credentials"}


@pytest.fixture
async def limited(settings, house):
    """A way to the API where a principal may ask 100 times a minute."""
    async with opened(settings, house, rate_limit=100) as way:
        yield way


async def test_a_client_has_a_limit_of_its_own(limited):
    system = await register_system(limited.house, rate_limit=3)
    await limited.refresh()
    token = (await limited.token(system, **OWN)).json()["access_token"]
    answers = [await limited.me(token) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"client";q=3;w=60'
    assert answers[0].headers["ratelimit"].startswith('"client";r=2;')
    assert_problem(answers[-1], 429, "rate-limited")


async def test_a_quota_of_the_day_lifts_no_limit_of_the_minute(settings, house):
    system = await register_system(house, daily_quota=1000)
    async with opened(settings, house, rate_limit=2) as way:
        await way.refresh()
        token = (await way.token(system, **OWN)).json()["access_token"]
        answers = [(await way.me(token)).status_code for _ in range(4)]
    assert answers == [200, 200, 429, 429]


async def test_nor_does_it_at_the_door_of_the_graph(settings, house):
    system = await register_system(house, daily_quota=1000)
    async with opened(settings, house, rate_limit=2) as way:
        await way.refresh()
        token = (await way.token(system, **OWN)).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        async with way.client() as client:
            asked = [
                await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
                for _ in range(3)
            ]
    assert [answer.status_code for answer in asked] == [200, 200, 429]


async def test_residents_share_the_limit_of_their_app(limited):
    app = await register_app(limited.house, rate_limit=2)
    await limited.refresh()
    token = (await limited.tokens(app))["access_token"]
    answers = [await limited.me(token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"default";q=100;w=60, "client";q=2;w=60'


async def test_a_day_is_counted_in_all_processes(limited, settings):
    system = await register_system(limited.house, daily_quota=5)
    await limited.refresh()
    token = (await limited.token(system, **OWN)).json()["access_token"]
    assert [(await limited.me(token)).status_code for _ in range(3)] == [200] * 3
    await limited.refresh()
    async with open_house(settings) as other:
        await other.trust.refresh(real())
        await other.trust.refresh(real())
        left = [other.trust.quotas.spend(system.client.id) for _ in range(3)]
        assert [standing.exceeded for standing in left] == [False, False, True]
        assert '"day";q=5;w=86400' in left[0].headers["ratelimit-policy"]
        await other.trust.refresh(real())
    await limited.refresh()
    assert_problem(await limited.me(token), 429, "rate-limited")


async def test_nobody_guesses_secrets_for_long(limited):
    system = await register_system(limited.house)
    wrong = [
        await limited.post("/oauth/token", OWN, auth=(system.id, f"109s_{n}")) for n in range(101)
    ]
    assert {answer.status_code for answer in wrong[:100]} == {401}
    assert_problem(wrong[100], 429, "rate-limited")


def test_what_could_not_be_told_is_told_later():
    client, quotas = uuid4(), ClientQuotas()
    quotas.allow({client: Limits(per_day=10)})
    quotas.spend(client)
    counted = quotas.take()
    assert counted == {client: 1}
    quotas.give_back(counted)
    assert quotas.take() == {client: 1}
    assert quotas.spend(uuid4()).headers == {}
