"""The stairway of revisions, climbed up, down and up again over a city that lives."""

import asyncio

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import errors

from api.bootstrap import open_house
from domain.appeals.commands import Accept
from domain.appeals.workflow import Action
from integrations.postgres import migrate
from integrations.postgres.recounting import recount
from integrations.postgres.tables import metadata
from integrations.postgres.urls import driver_url
from tests.conftest import make_settings
from tests.support.appeals import perform, register
from tests.support.city import KISHI, write_small_city
from tests.support.holdings import books_of
from tests.support.lives import a_town

REVISIONS = migrate.revisions()
SHAPES = """
    SELECT 'column', table_name, column_name, data_type || ' ' || udt_name, is_nullable,
           coalesce(column_default, '')
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes
     WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid),
           '', '' FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""
RULES = r"""
    SELECT 'policy', tablename, policyname, coalesce(qual, ''), coalesce(with_check, ''),
           array_to_string(roles, ',') FROM pg_policies WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', ''
      FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', p.oid::regprocedure::text, '',
           regexp_replace(pg_get_functiondef(p.oid), '\s+', ' ', 'g'),
           p.proowner::regrole::text, coalesce(p.proacl::text, '')
      FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


def told(url: str, asked: str) -> set[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        found = connection.execute(asked).fetchall()
    return {tuple(row) for row in found if row[1] != "alembic_version"}


def shapes(url: str) -> set[tuple[str, ...]]:
    """Columns, indexes and constraints, as PostgreSQL itself writes them."""
    return told(url, SHAPES)


def rules(url: str) -> set[tuple[str, ...]]:
    """Walls, triggers and functions, with whose they are and who may call them."""
    return told(url, RULES)


def count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="module")
async def living(server, city_template):
    """The URL of a database of a city with appeals; each test may take it down and up."""
    with server.database(city_template) as name:
        yield server.url_of(name)


async def lived(url, tmp_path_factory, *, city: bool = False):
    async with open_house(make_settings(url, tmp_path_factory.mktemp("home"))) as house:
        if city:
            await write_small_city(house.engine, house.keyring)
        await house.references.refresh(house.now())
        appeal = await register(house)
        await perform(house, appeal, Action.ACCEPT, Accept())
    return appeal


@pytest.mark.parametrize("step", range(len(REVISIONS)), ids=lambda step: REVISIONS[step])
async def test_every_revision_is_climbed_up_down_and_up_over_a_living_city(
    living, step, tmp_path_factory
):
    below = REVISIONS[step - 1] if step else "base"
    kept = count(living, "event") if step else 0
    before = shapes(living), rules(living)
    migrate.downgrade(living, below)
    assert migrate.current(living) == (None if below == "base" else below)
    migrate.upgrade(living)
    assert migrate.current(living) == REVISIONS[-1]
    assert (shapes(living), rules(living)) == before
    assert count(living, "event") == kept
    appeal = await lived(living, tmp_path_factory, city=step == 0)
    assert appeal.number.startswith(KISHI.city.prefix)


def test_every_step_down_leads_to_what_was_there_on_the_way_up(server):
    with server.database() as name:
        url, been = server.url_of(name), {}
        for revision in REVISIONS:
            migrate.upgrade(url, revision)
            been[revision] = shapes(url) | rules(url)
        for revision in reversed(REVISIONS[:-1]):
            migrate.downgrade(url, revision)
            there = shapes(url) | rules(url)
            assert there == been[revision], (revision, there ^ been[revision])


def test_a_database_of_the_revisions_is_a_database_of_the_tables(server, template):
    with server.database(template) as climbed, server.database() as made:
        engine = sa.create_engine(driver_url(server.url_of(made), "psycopg"))
        metadata.create_all(engine)
        engine.dispose()
        assert shapes(server.url_of(climbed)) == shapes(server.url_of(made))


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_there_is_nothing_left_to_draft(database):
    engine = sa.create_engine(driver_url(database, "psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_names_of_the_revisions_are_a_row_without_forks():
    assert list(REVISIONS) == sorted(REVISIONS)


def test_a_migration_does_not_stand_in_the_citys_way(server, template, monkeypatch):
    with server.database(template) as name:
        url = server.url_of(name)
        with psycopg.connect(url) as busy:
            busy.execute("LOCK TABLE city IN ACCESS SHARE MODE")
            monkeypatch.setattr(migrate, "_engine", _impatient(migrate._engine))
            with pytest.raises(sa.exc.OperationalError) as refused:
                migrate.downgrade(url, "base")
            assert isinstance(refused.value.orig, errors.LockNotAvailable)
        assert migrate.current(url) is not None
        migrate.upgrade(url)


def _impatient(engine_of):
    """Engines on which five seconds, and no other wait, are a fifth of a second."""

    def make(url: str) -> sa.Engine:
        engine: sa.Engine = engine_of(url)

        @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
        def shorten(connection, cursor, statement, parameters, context, many):
            return statement.replace("lock_timeout = '5s'", "lock_timeout = '200ms'"), parameters

        return engine

    return make


async def test_a_city_that_lived_before_the_books_were_kept_has_them_right(
    server, city_template, tmp_path_factory
):
    """Climbed over a city that lives, and lived on while nothing was kept."""
    with server.database(city_template) as name:
        url, home = server.url_of(name), tmp_path_factory.mktemp("home")
        async with open_house(make_settings(url, home)) as old:
            await old.references.refresh(old.now())
            await a_town(old, 7, 30)
            await asyncio.to_thread(migrate.downgrade, url, "0023")
            await a_town(old, 8, 30)
        await asyncio.to_thread(migrate.upgrade, url)
        async with open_house(make_settings(url, home)) as new:
            await new.references.refresh(new.now())
            first = await books_of(new)
            assert first.counted.total() > 25
            assert await recount(new.engine) == []
            await a_town(new, 9, 30)
            assert (await books_of(new)).counted.total() > first.counted.total()


async def test_the_books_are_begun_while_the_city_works(server, city_template, tmp_path_factory):
    """Whoever writes waits; nobody is refused, and nothing is counted twice or missed."""
    with server.database(city_template) as name:
        url, home = server.url_of(name), tmp_path_factory.mktemp("home")
        async with open_house(make_settings(url, home)) as house:
            await house.references.refresh(house.now())
            await asyncio.to_thread(migrate.downgrade, url, "0023")
            lives = [asyncio.create_task(a_town(house, seed, 90)) for seed in range(20, 24)]
            await asyncio.sleep(0.5)
            await asyncio.to_thread(migrate.upgrade, url)
            assert not all(life.done() for life in lives)
            await asyncio.gather(*lives)
            await books_of(house)
