"""What revisions build walls of: roles, grants, policies (docs/decisions/0018).

A policy's condition is asked of every row before anything else is, so it is an equality that an
index answers, or a look-up by a primary key. `(SELECT true FROM … WHERE key = …)` is written so on
purpose: the planner may answer EXISTS by reading the other table whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from alembic import op

APP = "ikomek_app"
TENANT, CITIZEN, DISTRICT, CITY, WORKER = ROLES = (
    "ikomek_tenant", "ikomek_citizen", "ikomek_district", "ikomek_city", "ikomek_worker",
)  # fmt: skip


def told(name: str, kind: str) -> str:
    """What the transaction was told: nothing, or '', lets nobody through."""
    return f"(SELECT current_setting('app.{name}', true)::{kind})"


def listed(name: str, kind: str = "uuid") -> str:
    """As `told`, of several: an array. Without the last cast ANY would read a subquery's rows."""
    array = f"string_to_array(current_setting('app.{name}', true), ',')::{kind}[]"
    return f"(SELECT {array})::{kind}[]"


IN_CITY = f"city_id = {told('city_id', 'uuid')}"
IN_DISTRICT = f"district = {told('district', 'text')}"
"""Until revision 0031: since then the role is told all that lie in its district as well."""
SELF = told("principal_id", "uuid")
ORGANISATIONS = listed("organisations")


class Rule(NamedTuple):
    """What a role sees, may write, and by which grants. Without `writes`, what it sees."""

    grants: str
    sees: str
    writes: str | None = None


Rules = dict[str, Rule]


def build(table: str, rules: Rules, *, of_a_city: bool = True) -> None:
    """Wall a table: what no rule shows is shown to nobody, its owner included.

    Where its rows are `of_a_city`, nobody who sees less than a city sees beyond theirs, whatever
    the rules say.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON {table} FROM {APP}")
    for role, rule in rules.items():
        writes = rule.sees if rule.writes is None else rule.writes
        op.execute(f"GRANT {rule.grants} ON {table} TO {role}")
        op.execute(
            f"CREATE POLICY {role.removeprefix('ikomek_')} ON {table} TO {role}"
            f" USING ({rule.sees}) WITH CHECK ({writes})"
        )
    if of_a_city and (bound := [role for role in rules if role not in (CITY, WORKER)]):
        op.execute(
            f"CREATE POLICY one_city ON {table} AS RESTRICTIVE TO {', '.join(bound)}"
            f" USING ({IN_CITY}) WITH CHECK ({IN_CITY})"
        )


def tear_down(table: str, rules: Rules, kept: str) -> None:
    """As it was: `kept` are the grants that the one role of the application had."""
    op.execute(f"DROP POLICY IF EXISTS one_city ON {table}")
    for role in rules:
        op.execute(f"DROP POLICY {role.removeprefix('ikomek_')} ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM {role}")
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute(f"GRANT {kept} ON {table} TO {APP}")


@contextmanager
def lifted(*tables: str) -> Iterator[None]:
    """Let the owner who migrates see and change the rows of walled tables."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def make_roles() -> None:
    """Make the roles, and let the application's enter them and have nothing of them before.

    Roles belong to the cluster: another database of it may have made them, perhaps at this very
    moment, or an administrator, where the owner may not make roles.
    """
    for role in ROLES:
        op.execute(f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                    CREATE ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
        """)
    op.execute(_JOINED)


_JOINED = f"""
    DO $$
    DECLARE role text; how text := '';
    BEGIN
        -- Before version 16 a role inherits all of its grants or none.
        IF current_setting('server_version_num')::int >= 160000 THEN
            how := ' WITH INHERIT FALSE, SET TRUE';
        ELSIF (SELECT rolinherit FROM pg_roles WHERE rolname = '{APP}') THEN
            ALTER ROLE {APP} NOINHERIT;
        END IF;
        FOREACH role IN ARRAY ARRAY{list(ROLES)} LOOP
            IF NOT EXISTS (SELECT FROM pg_auth_members
                            WHERE roleid = role::regrole AND member = '{APP}'::regrole) THEN
                EXECUTE format('GRANT %I TO {APP}%s', role, how);
            END IF;
            IF pg_has_role('{APP}', role, 'USAGE') THEN
                RAISE EXCEPTION 'the role {APP} must not inherit %', role
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
        END LOOP;
    EXCEPTION WHEN unique_violation OR internal_error THEN
        -- Another database of the cluster is at it: it does the same.
        NULL;
    END $$
"""
