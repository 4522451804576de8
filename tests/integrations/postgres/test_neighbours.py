"""What another database of the same server holds up, and how the suite lives with it."""

import asyncio
import inspect

import asyncpg
import pytest

from integrations.postgres.outbox import Outbox
from tests.support.appeals import add_endpoint, register
from tests.support.neighbours import patience
from tests.support.sql import fetch

COUNT = "SELECT count(*) AS n FROM outbox"


@pytest.fixture
async def elsewhere(server):
    """A transaction that writes in another database, and has not ended."""
    with server.database() as name:
        connection = await asyncpg.connect(server.url_of(name))
        await connection.execute("BEGIN; CREATE TABLE slow ()")
        yield connection
        await connection.close()


async def test_a_transaction_of_another_database_holds_back_the_relay_and_loses_nothing(
    house, elsewhere
):
    await add_endpoint(house)
    await register(house)
    # As a city does, which does not wait for its neighbours.
    relay = inspect.unwrap(Outbox.relay)
    await relay(house.outbox, house.now())
    [row] = await fetch(house, COUNT)
    assert row["n"] > 0
    await elsewhere.execute("COMMIT")
    await house.outbox.relay(house.now())
    [row] = await fetch(house, COUNT)
    assert row["n"] == 0


async def test_whoever_looks_patiently_sees_what_was_written_meanwhile(house, elsewhere, server):
    await register(house)

    async def end_soon():
        await asyncio.sleep(0.3)
        await elsewhere.execute("COMMIT")

    with patience(server.url_of("postgres")):
        await asyncio.gather(house.outbox.relay(house.now()), end_soon())
    [row] = await fetch(house, COUNT)
    assert row["n"] == 0
