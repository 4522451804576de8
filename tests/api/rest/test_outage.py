"""The database goes away and comes back: callers are told to wait, and nobody restarts anything."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from domain.access import Role
from integrations.postgres import migrate
from integrations.postgres.embedded import EmbeddedPostgres
from tests.conftest import make_settings
from tests.support.city import KISHI, write_small_city
from tests.support.postgres import FAST
from tests.support.rest import (
    Callers,
    assert_problem,
    client_of,
    intake,
    issue_tokens,
    make_callers_app,
    running,
)
from tests.support.worker import eventually


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that this test alone may stop."""
    with EmbeddedPostgres(tmp_path / "postgres", FAST) as server:
        yield server


async def _populated(server: EmbeddedPostgres, home: Path):
    from api.bootstrap import open_house

    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE kishi")
    migrate.upgrade(server.url("kishi"))
    settings = make_settings(server.url("kishi"), home)
    async with open_house(settings) as house:
        await write_small_city(house.engine, house.keyring)
        return settings, house, await issue_tokens(house)


async def test_an_outage_is_told_and_ends_by_itself(own_server: EmbeddedPostgres, tmp_path: Path):
    settings, house, tokens = await _populated(own_server, tmp_path)
    async with running(make_callers_app(settings)) as app:
        callers = Callers(app, house, KISHI, tokens)
        number = (await callers.register())["number"]
        assert (await callers.call("GET", "/v1/ready", role=None)).status_code == 200

        own_server.stop()
        for method, path, role in [
            ("GET", "/v1/ready", None),
            ("GET", f"/v1/appeals/{number}", Role.OPERATOR),
            ("GET", "/v1/appeals", Role.AUDITOR),  # a token that nobody has asked about yet
        ]:
            down = await callers.call(method, path, role=role)
            assert_problem(down, 503, "unavailable")
            assert int(down.headers["retry-after"]) >= 1
        lost = await callers.call("POST", "/v1/appeals", intake(), role=Role.OPERATOR, key="again")
        assert_problem(lost, 503, "unavailable")
        assert (await callers.call("GET", "/v1/health", role=None)).status_code == 200

        own_server.start()

        async def ready() -> bool:
            return (await callers.call("GET", "/v1/ready", role=None)).status_code == 200

        await eventually(ready)
        again = await callers.call("POST", "/v1/appeals", intake(), role=Role.OPERATOR, key="again")
        assert again.status_code == 201
        assert (await callers.call("GET", f"/v1/appeals/{number}")).status_code == 200


async def test_an_api_that_starts_before_its_database_waits_for_it(
    own_server: EmbeddedPostgres, tmp_path: Path
):
    settings, _, tokens = await _populated(own_server, tmp_path)
    own_server.stop()
    bearer = {"authorization": f"Bearer {tokens[Role.HEAD]}"}
    async with running(make_callers_app(settings)) as app, client_of(app, bearer) as client:
        assert (await client.get("/v1/ready")).status_code == 503
        assert (await client.get("/v1/me")).status_code == 503
        assert (await client.get("/v1/health")).status_code == 200
        own_server.start()

        async def served() -> bool:
            return (await client.get("/v1/me")).status_code == 200

        await eventually(served)


async def test_a_database_that_was_never_migrated_is_not_ready(
    own_server: EmbeddedPostgres, tmp_path: Path
):
    settings = make_settings(own_server.url(), tmp_path)
    async with running(make_callers_app(settings)) as app, client_of(app) as client:
        assert_problem(await client.get("/v1/ready"), 503, "unavailable")
        assert (await client.get("/v1/health")).status_code == 200
