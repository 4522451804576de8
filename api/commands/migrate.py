"""The schema: bring it to a revision, or say where it stands."""

from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError

from api.commands.console import Failure, note, say, table
from api.commands.database import owner_url, revision_of, some_database, unable
from api.commands.environment import read_settings
from api.settings import Settings
from integrations.postgres import migrate as migrations
from integrations.postgres.rights import rights


def migrate(*, to: str = "head", status: bool = False) -> None:
    """Bring the database to the newest revision, creating what is missing.

    Runs with the owner's URL (DATABASE_OWNER_URL, else DATABASE_URL). Safe to run from several
    machines at once: one migrates, the others wait.

    Parameters
    ----------
    to
        The revision to go up to.
    status
        Change nothing; list the revisions and say where the database stands.
    """
    with some_database(read_settings()) as settings:
        current, known = revision_of(settings), migrations.revisions()
        if status:
            _show(current, known)
            return
        if to not in (*known, "head"):
            raise Failure(f"There is no revision '{to}'.", f"Known: {', '.join(known)}", status=2)
        target = known[-1] if to == "head" else to
        if current is not None and target < current:
            raise Failure(
                f"The database is at {current}; it does not go back to {target}.",
                "Going back would forget; restore a backup instead.",
            )
        _require_rights(settings)
        note(f"Migrating from {current or 'nothing'} to {target}.")
        _upgrade(settings, to)
        say(f"The database is at revision {revision_of(settings)}.")
        if target == known[-1] and (failure := unable(settings)):
            note(f"{failure.sentence} {failure.mend}")


def _require_rights(settings: Settings) -> None:
    """Raise Failure where roles of the platform are missing and cannot be made."""
    owner = rights(owner_url(settings))
    if owner.missing and not owner.makes_roles:
        raise Failure(
            f"Migrations make the roles {', '.join(owner.missing)}, and the login "
            f"'{owner.login}' may not make roles.",
            f"As an administrator: ALTER ROLE {owner.login} CREATEROLE; "
            "or make them as docs/operations.md says",
        )


def _upgrade(settings: Settings, to: str) -> None:
    try:
        migrations.upgrade(owner_url(settings), to)
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        reason = str(error.orig).strip().splitlines()[0]
        raise Failure(
            f"The login may not migrate this database: {reason}.",
            "Migrate as the owner of the database and its tables (DATABASE_OWNER_URL).",
        ) from error


def _show(current: str | None, known: tuple[str, ...]) -> None:
    done = known.index(current) + 1 if current in known else 0
    rows = [(name, "done" if place < done else "to come") for place, name in enumerate(known)]
    table(("revision", "state"), rows)
