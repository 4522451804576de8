"""What a login may do, asked before somebody stumbles over it."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from integrations.postgres.engine import APP_ROLE


@dataclass(frozen=True, slots=True)
class Rights:
    """`acts`: it may run as the application's role. `makes_roles`: it may create that role."""

    login: str
    acts: bool
    makes_roles: bool
    role_stands: bool


def rights(url: str) -> Rights:
    """The rights of a URL's login. Raises psycopg.OperationalError where nothing answers."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper OR rolcreaterole,"
            " EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
            " FROM pg_roles WHERE rolname = current_user",
            [APP_ROLE],
        ).fetchone()
        login, makes_roles, stands = row or ("", False, False)
        try:
            # Trying is the one question that every version of PostgreSQL answers alike.
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(APP_ROLE)))
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue):
            return Rights(login, False, makes_roles, stands)
    return Rights(login, True, makes_roles, stands)
