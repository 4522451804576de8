"""The database that a command works on: the named cluster, or the embedded server under home."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from asyncpg import PostgresError
from psycopg import sql
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.bootstrap import read_keyring, read_now
from api.commands.console import Failure, note
from api.commands.environment import read_settings
from api.settings import Settings
from domain.ports import Keyring, Now
from domain.reference import City
from integrations.postgres import migrate, office
from integrations.postgres.doors import WORKER
from integrations.postgres.embedded import EmbeddedPostgres
from integrations.postgres.engine import APP_ROLE, open_engine
from integrations.postgres.rights import rights
from integrations.postgres.tokens import Tokens

NAME = "ikomek"
MIGRATE = "Bring it up to date: ikomek migrate"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Office:
    """What the commands of the city's own people work with."""

    settings: Settings
    engine: AsyncEngine
    keyring: Keyring
    tokens: Tokens
    now: Now


@contextmanager
def embedded_server(settings: Settings) -> Iterator[tuple[EmbeddedPostgres, Settings]]:
    """The embedded server under `home`, started unless it runs, and the settings that name it."""
    with EmbeddedPostgres(settings.home / "postgres") as server:
        _create_database(server.url())
        urls = {
            "database_url": server.url(NAME, APP_ROLE),
            "database_owner_url": server.url(NAME),
        }
        yield server, settings.model_copy(update=urls)


@contextmanager
def some_database(settings: Settings) -> Iterator[Settings]:
    """Settings whose database stands, at whatever revision."""
    if settings.database_url is not None:
        yield settings
        return
    with embedded_server(settings) as (_, named):
        yield named


@contextmanager
def ready_database(settings: Settings, *, upgrade: bool = False) -> Iterator[Settings]:
    """Settings whose database is at the newest revision. Raises Failure.

    With `upgrade`, an embedded database is brought there; a cluster never is, unasked.
    """
    with some_database(settings) as named:
        if upgrade and settings.database_url is None:
            migrate.upgrade(owner_url(named))
        require_newest(named)
        yield named


def owner_url(settings: Settings) -> str:
    """The URL for migrations."""
    url = settings.database_owner_url or settings.database_url
    if url is None:
        raise Failure("No database is named.", "Set DATABASE_URL.")
    return url


def revision_of(settings: Settings) -> str | None:
    """The revision that the database is at. Raises Failure where nothing answers."""
    try:
        return migrate.current(owner_url(settings))
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[-1]
        raise Failure(
            f"The database does not answer: {reason}",
            "Check DATABASE_URL, or unset it to use the embedded server.",
        ) from error
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        reason = str(error.orig).strip().splitlines()[0]
        raise unable(settings) or Failure(
            f"The login may not read this database: {reason}.",
            f"Log in as {APP_ROLE}, or as the owner.",
        ) from error


def require_newest(settings: Settings) -> None:
    """Raise Failure unless the database is at the newest revision."""
    current, newest = revision_of(settings), migrate.revisions()[-1]
    if current != newest:
        standing = f"at revision {current}" if current else "empty"
        raise Failure(f"The database is {standing}, the platform needs {newest}.", MIGRATE)


def unable(settings: Settings) -> Failure | None:
    """Why the platform cannot run under the login of its database; None where it can."""
    if settings.database_url is None:
        return None
    found = rights(settings.database_url)
    if found.acts:
        return None
    if found.missing:
        return Failure(f"The role {found.missing[0]} does not exist.", MIGRATE)
    return Failure(
        f"The login '{found.login}' may not act as {APP_ROLE}, as which the platform runs.",
        f"Log in as {APP_ROLE} itself, after: ALTER ROLE {APP_ROLE} PASSWORD '…'; "
        f"or, as an administrator: GRANT {APP_ROLE} TO {found.login}",
    )


@asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """Connect as the role that sees all cities and owns nothing."""
    if settings.database_url is None:
        raise Failure("No database is named.", "Set DATABASE_URL.")
    engine = open_engine(settings.database_url, pool_size=2, name="ikomek-cli", role=WORKER)
    try:
        yield Office(settings, engine, read_keyring(settings), Tokens(engine), read_now(settings))
    finally:
        await engine.dispose()


def in_office(
    work: Callable[[Office], Coroutine[Any, Any, Result]],
    settings: Settings | None = None,
    *,
    upgrade: bool = False,
) -> Result:
    """Run a command's work against a database that is ready."""

    async def run(named: Settings) -> Result:
        async with open_office(named) as office_:
            return await work(office_)

    with ready_database(settings or read_settings(), upgrade=upgrade) as named:
        try:
            return asyncio.run(run(named))
        except (DBAPIError, PostgresError):
            if failure := unable(named):
                raise failure from None
            raise


async def city_of(connection: AsyncConnection, code: str | None) -> City:
    """The city with a code, or the only one. Raises Failure."""
    found = await office.cities(connection)
    if not found:
        raise Failure(
            "The database holds no city yet.",
            "Create one: ikomek city create city.yaml; or load Semey: ikomek demo load",
        )
    named = [city for city in found if code in (None, city.code)]
    if len(named) == 1:
        return named[0]
    codes = ", ".join(city.code for city in found)
    if code is None:
        raise Failure("There are several cities.", f"Name one: --city {codes}", status=2)
    raise Failure(f"There is no city '{code}'.", f"Cities here: {codes}", status=2)


def _create_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
        if known.fetchone() is None:
            note("Creating the city's database.")
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
