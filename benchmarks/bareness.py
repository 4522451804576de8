"""Tables without their indexes and constraints, while very much is written into them.

An index that grows entry by entry costs several times what it costs to build it of everything at
once, and is larger. What is dropped is written down in the database, in the transaction that drops
it, so that whoever was broken off, however, is followed by somebody who builds the rest: `restore`
does, and each `bare` begins with it. Nobody else should be at work meanwhile: numbers and ids
are not watched over.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psycopg

ASKED = ("appeal", "card")
"""Tables whose primary keys stay, since triggers that count look rows up by them."""
KEPT = "benchmark_definitions"
"""The table of what must be built again; gone when all of it stands."""
MEMORY = "1GB"
"""What one build may take."""

# Foreign keys that lead from a table or to it, checked again when they are added; all other
# constraints with an index; then the plain indexes.
_DEFINITIONS = """
WITH bare AS (SELECT oid FROM pg_class WHERE oid = ANY(%(tables)s::regclass[])),
constraints AS (
    SELECT c.conrelid::regclass AS of, c.conname AS name, c.contype = 'f' AS refers,
           pg_get_constraintdef(c.oid) AS said
      FROM pg_constraint c
     WHERE c.contype = 'f' AND (c.conrelid IN (TABLE bare) OR c.confrelid IN (TABLE bare))
        OR c.contype IN ('p', 'u', 'x') AND c.conrelid IN (TABLE bare)
           AND NOT (c.contype = 'p' AND c.conrelid = ANY(%(asked)s::regclass[]))
), indexes AS (
    SELECT i.indrelid::regclass AS of, x.relname AS name, pg_get_indexdef(x.oid) AS said
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
     WHERE i.indrelid IN (TABLE bare)
       AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.oid
                          AND c.contype IN ('p', 'u', 'x'))
)
SELECT CASE WHEN refers THEN 2 ELSE 1 END AS turn,
       format('ALTER TABLE %%s DROP CONSTRAINT %%I', of, name) AS drop,
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', of, name, said) AS build
  FROM constraints
UNION ALL
SELECT 1, format('DROP INDEX %%I', name), said FROM indexes
 ORDER BY 1 DESC, 2
"""


@contextmanager
def bare(url: str, tables: Collection[str]) -> Iterator[None]:
    """The tables without indexes and constraints but for checks; with them again afterwards."""
    restore(url)
    strip(url, tables)
    try:
        yield
    finally:
        restore(url)


def strip(url: str, tables: Collection[str]) -> int:
    """Drop every index and key of these tables, and keep their definitions; how many."""
    with psycopg.connect(url) as connection:
        said = {"tables": list(tables), "asked": list(ASKED)}
        found = connection.execute(_DEFINITIONS, said).fetchall()
        connection.execute(
            f"CREATE TABLE {KEPT} (id int GENERATED ALWAYS AS IDENTITY, turn int, build text)"
        )
        for turn, drop, build in found:
            connection.execute(drop)
            connection.execute(f"INSERT INTO {KEPT} (turn, build) VALUES (%s, %s)", (turn, build))
    return len(found)


def restore(url: str) -> int:
    """Build what was dropped and does not stand again, keys that refer to others last; how many.

    Raises psycopg.errors.IntegrityError where what was written breaks a key.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass(%s)", (KEPT,)).fetchone() == (None,):
            return 0
        connection.execute(f"SET maintenance_work_mem = '{MEMORY}'")
        left = connection.execute(f"SELECT id, build FROM {KEPT} ORDER BY turn, id").fetchall()
        for id, build in left:
            with connection.transaction():
                connection.execute(build)
                connection.execute(f"DELETE FROM {KEPT} WHERE id = %s", (id,))
        connection.execute(f"DROP TABLE {KEPT}")
    return len(left)
