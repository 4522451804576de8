"""Law 1: nothing leaves the register, whoever asks."""

import asyncpg
import psycopg
import pytest
from psycopg import errors, sql

from domain.access import Role
from domain.appeals.commands import Accept
from domain.appeals.workflow import Action
from integrations.postgres.doors import ROLES, WORKER, door_of
from integrations.postgres.engine import APP_ROLE
from integrations.postgres.session import inside
from integrations.postgres.tables import metadata
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.register import sign

ADD_ONLY = {
    "event", "event_personal", "personal_read", "delivery_attempt", "consultation",
    "log_leaf", "log_tile", "log_key", "checkpoint", "cosignature",
    "incident_event", "shared_attachment", "identity", "member_event", "meeting", "dealing",
}  # fmt: skip
PASSING = {
    "channel_policy", "responsibility", "number_pool", "attachment", "outbox", "idempotency",
    "tally", "holding", "desk", "login_attempt", "login_signing", "delivery_lease",
}  # fmt: skip
"""What these hold is agreed anew, taken or swept; of all else nothing is ever deleted."""
COLUMNS = {
    "authorization_code": {"used_at"}, "authorization_request": {"answered_at"},
    "client": {"disabled_at"}, "client_assertion": set(), "client_secret": {"expires_at"},
    "client_usage": {"count"}, "login_session": {"ended_at", "end_reason"},
    "refresh_token": {"used_at"}, "revocation": set(), "token_key": {"withdrawn_at"},
    "login_attempt": {"used_at"}, "login_signing": {"signer", "taken_at"},
}  # fmt: skip
"""Of a row of these only so much may change; the rest stays as it was written."""
COLUMNS |= {"webhook_key": {"signs_until"}, "feed_entry": set()}
ADD_ONLY |= set(COLUMNS)
PASSING |= {
    "authorization_code", "authorization_request", "client_assertion", "client_usage",
    "refresh_token", "revocation",
    "delivery", "delivery_attempt", "notice", "feed_entry", "incident_message",
}  # fmt: skip
"""Deliveries, notices and the feed are kept for ninety days: the events stay in the register."""

FORGETTING = [
    "UPDATE event SET type = 'appeal.closed'",
    "UPDATE event SET hash = '\\x00' WHERE false",
    "DELETE FROM event",
    "TRUNCATE event",
    "TRUNCATE event CASCADE",
    "INSERT INTO event SELECT * FROM event ON CONFLICT (id) DO UPDATE SET type = 'x'",
    "MERGE INTO event e USING event o ON e.id = o.id WHEN MATCHED THEN DELETE",
    "DROP TABLE event CASCADE",
    "ALTER TABLE event DISABLE TRIGGER ALL",
    "ALTER TABLE event DISABLE TRIGGER event_is_for_good",
    "DROP TRIGGER event_is_for_good ON event",
    "ALTER TABLE event RENAME TO forgotten",
    "ALTER TABLE event DROP COLUMN canonical",
    "ALTER TABLE event OWNER TO ikomek_app",
    "CREATE RULE forget AS ON INSERT TO event DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
    "SET session_replication_role = replica",
    "DELETE FROM appeal",
    "DELETE FROM event_personal",
    "UPDATE event_personal SET salt = '\\x00'",
    "DELETE FROM personal_read",
    "DELETE FROM log_leaf",
    "UPDATE log_leaf SET hash = hash",
    "UPDATE log_tile SET root = root",
    "DELETE FROM checkpoint",
    "UPDATE checkpoint SET note = note",
    "TRUNCATE checkpoint CASCADE",
    "DELETE FROM cosignature",
    "UPDATE log_key SET since = since",
]


@pytest.fixture(scope="module")
async def lived(house):
    """An appeal with a history."""
    appeal = await register(house)
    done = await perform(house, appeal, Action.ACCEPT, Accept(), role=Role.EXECUTOR)
    await sign(house)
    return done


@pytest.mark.parametrize("role", [APP_ROLE, *ROLES])
@pytest.mark.parametrize("statement", FORGETTING)
async def test_the_application_cannot_make_the_register_forget(house, lived, statement, role):
    door = door_of(KISHI.principal(Role.SYSTEM)).of(role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with inside(house.engine, door) as driver:
            await driver.execute(statement)
    events = await house.queries.events(
        KISHI.principal(), lived.number, internal=True, after=0, limit=10
    )
    assert len(events) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET type = type",
        "DELETE FROM event",
        "TRUNCATE event CASCADE",
        "UPDATE log_leaf SET hash = hash",
        "DELETE FROM checkpoint",
        "TRUNCATE log_tile",
    ],
)
async def test_the_guard_stops_the_owner_too(settings, lived, statement):
    guarded = pytest.raises(errors.InsufficientPrivilege, match="only grows")
    with psycopg.connect(settings.database_url) as owner, guarded:
        owner.execute(statement)


@pytest.mark.parametrize("role", [APP_ROLE, *ROLES])
def test_the_application_is_nobody_in_the_cluster(settings, role):
    with psycopg.connect(settings.database_url) as owner:
        row = owner.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin"
            " FROM pg_roles WHERE rolname = %s",
            [role],
        ).fetchone()
        assert row == (False, False, False, False, False, role == APP_ROLE)
        owned = owner.execute(
            "SELECT relname FROM pg_class WHERE relowner = %s::regrole", [role]
        ).fetchall()
        assert owned == []
        entered = owner.execute(
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", [role]
        ).fetchall()
        assert {row[0] for row in entered} == (set(ROLES) if role == APP_ROLE else set())


@pytest.mark.parametrize("role", ROLES)
def test_before_a_door_the_application_has_nothing_of_what_is_behind_it(settings, role):
    with psycopg.connect(settings.database_url) as owner:
        row = owner.execute(
            "SELECT pg_has_role(%s, %s, 'MEMBER'), pg_has_role(%s, %s, 'USAGE')",
            [APP_ROLE, role, APP_ROLE, role],
        ).fetchone()
    assert row == (True, False)


@pytest.mark.parametrize("table", [table.name for table in metadata.sorted_tables])
def test_every_table_grants_what_it_must_and_no_more(settings, table):
    rights = {"SELECT", "INSERT"}
    if table not in ADD_ONLY:
        rights.add("UPDATE")
    if table in PASSING:
        rights.add("DELETE")
    with psycopg.connect(settings.database_url) as owner:
        found = owner.execute(
            "SELECT grantee, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee LIKE 'ikomek\\_%%' AND table_schema = 'public' AND table_name = %s",
            [table],
        ).fetchall()
        (walled,) = owner.execute(
            "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table]
        ).fetchone() or (None,)
    granted = {role: {right for who, right in found if who == role} for role in ROLES}
    assert granted[WORKER] == rights
    assert {right for who, right in found if who == APP_ROLE} == (set() if walled else rights)
    assert all(one <= rights for one in granted.values())
    # What is added by a city alone, or by whoever it is about, is swept by nobody but the worker.
    assert not any("DELETE" in granted[role] for role in ROLES if role != WORKER and walled)


@pytest.mark.parametrize("table", COLUMNS)
def test_of_what_a_login_leaves_behind_only_so_much_may_change(settings, table):
    with psycopg.connect(settings.database_url) as owner:
        found = owner.execute(
            "SELECT column_name FROM information_schema.role_column_grants WHERE grantee = %s"
            " AND table_schema = 'public' AND table_name = %s AND privilege_type = 'UPDATE'",
            [WORKER, table],
        ).fetchall()
    assert {row[0] for row in found} == COLUMNS[table]


def test_nothing_is_granted_to_everybody(settings):
    with psycopg.connect(settings.database_url) as owner:
        found = owner.execute(
            "SELECT table_name FROM information_schema.role_table_grants"
            " WHERE grantee = 'PUBLIC' AND table_schema IN ('public', 'dramatiq')"
        ).fetchall()
        creating = owner.execute(
            "SELECT has_schema_privilege(%s, 'public', 'CREATE')", [APP_ROLE]
        ).fetchone()
    assert found == []
    assert creating == (False,)


def test_who_logs_in_as_the_application_has_no_way_up(settings, lived):
    url = settings.database_url.replace("postgres@", f"{APP_ROLE}@", 1)
    if url == settings.database_url:
        pytest.skip("the owner of this cluster is called otherwise")
    with psycopg.connect(url, autocommit=True) as application:
        for role in ("postgres", "pg_write_all_data"):
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        with pytest.raises(errors.InsufficientPrivilege):
            application.execute("DELETE FROM event")
