"""One PostgreSQL server for a test run, and fresh databases on it by the dozen."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from integrations.postgres.embedded import EmbeddedPostgres

# Tests want speed; only the tests of the embedded server want durability.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
}


class Server:
    """A server whose owner may create databases; `url_of` names one of them."""

    def __init__(self, url_of: Callable[[str], str], maintenance: str) -> None:
        self.url_of = url_of
        self._maintenance = maintenance

    def create(self, template: str | None = None) -> str:
        """The name of a new database, empty or a copy."""
        name = f"ikomek_test_{os.getpid()}_{uuid4().hex[:12]}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY wal_log").format(sql.Identifier(template))
        self._run(statement)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still in it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """A new database while it is needed: its name."""
        name = self.create(template)
        try:
            yield name
        finally:
            self.drop(name)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url_of(self._maintenance), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def open_server(home: Path) -> Iterator[Server]:
    """The cluster of DATABASE_URL if that is set, else an embedded one under `home`."""
    if given := os.environ.get("DATABASE_URL"):
        stem, _, tail = given.partition("?")
        front, _, database = stem.rpartition("/")
        suffix = f"?{tail}" if tail else ""
        yield Server(lambda name: f"{front}/{name}{suffix}", database)
        return
    with EmbeddedPostgres(home, FAST) as embedded:
        yield Server(lambda name: embedded.url(name), "postgres")
