"""Borrowing a connection: one that is alive, and faults told in the domain's words."""

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
async def borrowed(engine: AsyncEngine) -> AsyncIterator[tuple[AsyncConnection, Any]]:
    """A living connection of the pool: SQLAlchemy's and, beneath it, the driver's own.

    A connection whose server went away is known to be closed without asking; it is
    dropped here, so that after a restart of the database the first call succeeds.
    """
    with translated():
        async with engine.connect() as connection:
            driver = await _driver(connection)
            while driver.is_closed():
                await connection.invalidate()
                driver = await _driver(connection)
            try:
                yield connection, driver
            except asyncpg.InternalClientError:
                # The server said goodbye while nobody listened; its line closes in a moment.
                await connection.invalidate()
                raise
            finally:
                if driver.is_closed():
                    await connection.invalidate()


async def _driver(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection
