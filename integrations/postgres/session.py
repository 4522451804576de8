"""Borrowing a connection: one that is alive, and faults told in the domain's words."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from domain.errors import Unavailable
from integrations.postgres.doors import Door

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


_NOBODY_TOLD = 'invalid input syntax for type uuid: ""'
"""What a wall says to a session that lost what it was told: it is closed, and says so."""


def _passes(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, _PASSING):
            return True
        if isinstance(error, asyncpg.InvalidTextRepresentationError):
            return str(error) == _NOBODY_TOLD
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
        held = await _living(engine)
        driver: Any = held.driver_connection
        try:
            yield driver
        except (asyncpg.InternalClientError, asyncio.CancelledError):
            # The first means that the server said goodbye while nobody listened.
            await greenlet_spawn(held.invalidate)
            raise
        finally:
            if held.is_valid and (driver.is_closed() or driver.is_in_transaction()):
                await greenlet_spawn(held.invalidate)
            # Nothing is asked of the server at a return (engine.py): no greenlet is wanted.
            held.close()


async def _living(engine: AsyncEngine) -> PoolProxiedConnection:
    """Out of the pool itself: a Connection of SQLAlchemy around it, which would compile and run
    nothing here, costs more than the borrowing.
    """
    held = await _from_pool(engine)
    while held.driver_connection.is_closed():  # type: ignore[union-attr]
        await greenlet_spawn(held.invalidate)
        held = await _from_pool(engine)
    return held


async def _from_pool(engine: AsyncEngine) -> PoolProxiedConnection:
    try:
        return await engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as error:
        # The dialect tells a refused connection in DB-API's words; the driver's own say more.
        raise error.__cause__ or error from None


@asynccontextmanager
async def inside(
    engine: AsyncEngine, door: Door, *, mode: str = "", setting: str = ""
) -> AsyncIterator[Any]:
    """A borrowed connection inside a transaction that came through a door; committed at the end.

    `mode` is that of the transaction (ISOLATION LEVEL …), `setting` one more statement before
    anything is asked. All of it goes in one round trip, and ends with the transaction: the next
    borrower finds neither role nor settings.
    """
    async with borrowed(engine) as driver:
        await driver.execute(begin(door, mode) + (f"; {setting}" if setting else ""))
        try:
            yield driver
        except Exception:
            if not driver.is_closed():
                await driver.execute("ROLLBACK")
            raise
        await driver.execute("COMMIT")


def begin(door: Door, mode: str = "") -> str:
    """The statements that open a transaction and go through a door."""
    return f"BEGIN {mode}; {door.statement()}"
