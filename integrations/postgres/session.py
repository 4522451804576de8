"""Borrowing a connection: one that is alive, and faults told in the domain's words."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import Unavailable

_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
    TimeoutError,
    OSError,
    exc.TimeoutError,
)
"""Faults that pass by themselves: the caller may come again."""


_FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    exc.SQLAlchemyError,
)


def _passes(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, _PASSING):
            return True
        error = error.orig if isinstance(error, exc.DBAPIError) else error.__cause__
    return False


@contextmanager
def translated() -> Iterator[None]:
    """Raise Unavailable for faults that pass; let every other error through."""
    try:
        yield
    except (*_FAULTS, OSError) as error:
        if _passes(error):
            raise Unavailable(what="database") from error
        raise


@asynccontextmanager
async def borrowed(engine: AsyncEngine) -> AsyncIterator[Any]:
    """The driver's own connection, a living one, borrowed from SQLAlchemy's pool.

    A connection whose server went away is known to be closed without asking; it is
    dropped here, so that after a restart of the database the first call succeeds. So is
    one whose borrower was cut off: it may stand in the middle of a transaction, of which
    the pool knows nothing, and what the next one wrote there would never be committed.
    """
    with translated():
        async with engine.connect() as connection:
            driver = await _driver(connection)
            while driver.is_closed():
                await connection.invalidate()
                driver = await _driver(connection)
            try:
                yield driver
            except (asyncpg.InternalClientError, asyncio.CancelledError):
                # The first means that the server said goodbye while nobody listened.
                await connection.invalidate()
                raise
            finally:
                if driver.is_closed() or driver.is_in_transaction():
                    await connection.invalidate()


async def _driver(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection
