"""A borrowed connection: whoever has it next finds it as if nobody had had it before."""

import asyncio

import pytest

from integrations.postgres.engine import open_engine
from integrations.postgres.session import borrowed


@pytest.fixture
async def engine(settings):
    """An engine of one connection, so that the next borrower gets what the one before left."""
    engine = open_engine(settings.database_url, pool_size=1)
    yield engine
    await engine.dispose()


def cut_off() -> None:
    """Cancel the caller's task as soon as it waits for anything."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_soon(task.cancel)


async def while_beginning(engine):
    async with borrowed(engine) as driver:
        cut_off()
        await driver.transaction().start()


async def while_reading(engine):
    async with borrowed(engine) as driver:
        await driver.transaction().start()
        cut_off()
        await driver.fetch("SELECT pg_sleep(60)")


async def while_ending(engine):
    async with borrowed(engine) as driver:
        transaction = driver.transaction()
        await transaction.start()
        cut_off()
        await transaction.commit()


@pytest.mark.parametrize("borrower", [while_beginning, while_reading, while_ending])
async def test_who_is_cut_off_leaves_no_transaction_to_the_next(engine, borrower):
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(borrower(engine))
    async with borrowed(engine) as driver:
        assert not driver.is_in_transaction()
        async with driver.transaction():
            mark = await driver.fetchval("SELECT pg_current_xact_id()")
    async with borrowed(engine) as driver:
        kept = await driver.fetchval("SELECT pg_xact_status($1::xid8)", mark)
    assert kept == "committed"


async def test_who_forgets_a_transaction_leaves_none_to_the_next(engine):
    async with borrowed(engine) as driver:
        await driver.execute("BEGIN")
    async with borrowed(engine) as driver:
        assert not driver.is_in_transaction()
