"""Tables stripped to be filled get every index and key again, whoever is broken off meanwhile."""

import psycopg
import pytest

from benchmarks.bareness import KEPT, bare, restore, strip
from benchmarks.stamps import TABLES

NAMES = [table.name for table in TABLES]
_SAID = """
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT format('%s %s %s %s', conrelid::regclass, conname, convalidated,
                  pg_get_constraintdef(oid)) FROM pg_constraint
     ORDER BY 1
"""


@pytest.fixture
def url(server, template):
    """A migrated database."""
    with server.database(template) as name:
        yield server.url_of(name)


def definitions(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(_SAID.encode()).fetchall()


def test_everything_that_was_dropped_stands_again(url):
    before = definitions(url)
    with bare(url, NAMES):
        meanwhile = definitions(url)
    assert len(before) - len(meanwhile) > 40
    assert definitions(url) == before


def test_what_was_broken_off_is_built_by_the_next(url):
    before = definitions(url)
    dropped = strip(url, NAMES)
    with psycopg.connect(url, autocommit=True) as connection:
        # Half of it was built when the lights went out.
        for id, build in connection.execute(
            f"SELECT id, build FROM {KEPT} ORDER BY turn, id LIMIT 20".encode()
        ).fetchall():
            connection.execute(build)
            connection.execute(f"DELETE FROM {KEPT} WHERE id = %s".encode(), (id,))
    assert restore(url) == dropped - 20
    assert definitions(url) == before
    assert restore(url) == 0


def test_a_key_that_was_broken_meanwhile_is_not_taken_for_whole(url):
    strip(url, NAMES)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO event_personal (event_id, field, salt, sealed)"
            " VALUES (gen_random_uuid(), 'text', '', '')"
        )
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            restore(url)
        connection.execute("DELETE FROM event_personal")
    assert restore(url) > 0
