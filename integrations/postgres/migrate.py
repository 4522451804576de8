"""Migrations, run from the program: no alembic.ini, the owner's URL, one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected

import migrations
from integrations.postgres.urls import driver_url

_LOCK = 0x109_0109
"""Advisory lock: of two starting processes one migrates, the other waits for it."""


TRIES = 5
"""Of a revision and the city one may have to make way, where each has what the other wants."""


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Bring the database to a revision, creating what is missing.

    Each revision is a transaction: one that made way for the city is begun again.
    """
    for left in reversed(range(TRIES)):
        try:
            with _configured(owner_url) as config:
                command.upgrade(config, revision)
        except sa.exc.OperationalError as error:
            if not (left and isinstance(error.orig, DeadlockDetected)):
                raise
        else:
            return


def downgrade(owner_url: str, revision: str) -> None:
    """Take the database back to a revision ('base' is empty)."""
    with _configured(owner_url) as config:
        command.downgrade(config, revision)


def revisions() -> tuple[str, ...]:
    """All revisions, oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(reversed([script.revision for script in scripts.walk_revisions()]))


def current(owner_url: str) -> str | None:
    """The revision that the database is at."""
    with _engine(owner_url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def draft(owner_url: str, message: str) -> None:
    """Write a new revision from the difference between tables.py and the database."""
    with _configured(owner_url) as config:
        command.revision(config, message, autogenerate=True)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def _engine(url: str) -> sa.Engine:
    return sa.create_engine(driver_url(url, "psycopg"), poolclass=sa.NullPool)


@contextmanager
def _configured(url: str) -> Iterator[Config]:
    config = _config()
    with _engine(url).connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        try:
            config.attributes["connection"] = connection
            yield config
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()
