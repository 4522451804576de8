"""What a login may do, asked before somebody stumbles over it."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from integrations.postgres.doors import ROLES
from integrations.postgres.engine import APP_ROLE


@dataclass(frozen=True, slots=True)
class Rights:
    """`acts`: it may run as the application's role and go through its doors. `makes_roles`: it may
    create these roles. `missing` are those that do not stand.
    """

    login: str
    acts: bool
    makes_roles: bool
    missing: tuple[str, ...]


def rights(url: str) -> Rights:
    """The rights of a URL's login. Raises psycopg.OperationalError where nothing answers."""
    wanted = (APP_ROLE, *ROLES)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper OR rolcreaterole,"
            " ARRAY(SELECT w FROM unnest(%s::text[]) w"
            "        WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = w))"
            " FROM pg_roles WHERE rolname = current_user",
            [list(wanted)],
        ).fetchone()
        login, makes_roles, missing = row or ("", False, wanted)
        try:
            # Trying is the one question that every version of PostgreSQL answers alike.
            for role in wanted:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue):
            return Rights(login, False, makes_roles, tuple(missing))
    return Rights(login, True, makes_roles, tuple(missing))
