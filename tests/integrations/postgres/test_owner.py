"""An owner who is no superuser makes the roles of a new cluster, and sees nothing behind walls."""

import asyncpg
import psycopg
import pytest
from psycopg import errors, sql

from api.bootstrap import open_house
from domain.access import Role
from domain.appeals.commands import Accept
from domain.appeals.workflow import Action
from domain.questions import AppealFilter
from integrations.postgres import migrate, resealing
from integrations.postgres.doors import ROLES
from integrations.postgres.embedded import EmbeddedPostgres
from integrations.postgres.engine import APP_ROLE
from tests.conftest import make_settings
from tests.support.appeals import perform, register
from tests.support.city import KISHI, write_small_city
from tests.support.postgres import FAST

OWNER, NAME = "keeper", "town"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A new cluster, migrated by a login that may make roles and is no superuser."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("cluster"), FAST) as server:
        with psycopg.connect(server.url(), autocommit=True) as superuser:
            superuser.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
            superuser.execute(f"CREATE DATABASE {NAME} OWNER {OWNER}")
        migrate.upgrade(server.url(NAME, OWNER))
        yield server


@pytest.fixture(scope="module")
async def lived(cluster, tmp_path_factory):
    """A house that logs in as the application, with one appeal in the city."""
    settings = make_settings(cluster.url(NAME, APP_ROLE), tmp_path_factory.mktemp("home"))
    async with open_house(settings) as house:
        await write_small_city(house.engine, house.keyring)
        await house.references.refresh(house.now())
        appeal = await register(house)
        await perform(house, appeal, Action.ACCEPT, Accept())
        yield house


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.EXECUTOR, Role.AKIM], ids=str)
async def test_the_platform_lives_under_such_an_owner(lived, role):
    found = await lived.lists.appeals(
        KISHI.principal(role), AppealFilter(text="қақпағы жоқ"), None, 10
    )
    assert len(found) == 1


@pytest.mark.parametrize("table", ["appeal", "event", "citizen", "idempotency"])
async def test_the_owner_sees_nothing_behind_a_wall_and_cannot_look_past_it(cluster, lived, table):
    with psycopg.connect(cluster.url(NAME, OWNER), autocommit=True) as owner:
        found = owner.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        assert found.fetchone() == (0,)
        owner.execute("SET row_security = off")
        with pytest.raises(errors.InsufficientPrivilege):
            owner.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))


async def test_what_looks_past_the_walls_for_the_searches_sees_cards_alone(cluster, lived):
    with psycopg.connect(cluster.url(NAME, OWNER)) as owner:
        found = owner.execute(
            "SELECT tablename, cmd FROM pg_policies WHERE %s = ANY (roles)", [OWNER]
        )
        assert found.fetchall() == [("card", "SELECT")]


@pytest.mark.parametrize("role", ROLES)
async def test_the_owner_made_the_doors_and_the_application_inherits_none(cluster, lived, role):
    with psycopg.connect(cluster.url()) as superuser:
        found = superuser.execute(
            "SELECT inherit_option, set_option, admin_option FROM pg_auth_members"
            " WHERE roleid = %s::regrole AND member = %s::regrole",
            [role, APP_ROLE],
        )
        assert found.fetchall() == [(False, True, False)]


async def test_the_owner_changes_keys_behind_the_walls_and_is_bound_again(cluster, lived):
    url = cluster.url(NAME, OWNER)
    async with resealing.owner_connection(url) as owner:
        counted = await resealing.counts(owner)
        assert sum(counted["citizen.sealed"].values()) > 0
        assert sum(counted["event_personal.sealed"].values()) > 0
        async for _ in resealing.reseal(owner, resealing.SEALED[0], lived.keyring, 1):
            pass
    assert _unbound(url) == []


async def test_the_owner_is_bound_again_where_a_table_is_in_others_hands(cluster, lived):
    url, last = cluster.url(NAME, OWNER), resealing.INDEXED[-1].table
    with psycopg.connect(url) as other:
        other.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(last)))
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with resealing.owner_connection(url):
                pass
    assert _unbound(url) == []


def _unbound(url):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"
        ).fetchall()
