"""What was taken back lately, read whole every few seconds by each process."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.tokens import REVOCATION_LASTS, Revocations
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

# Read whole and not from the last id on: a row of a lower id may be committed later.
_LIVE = "SELECT kind, value, at FROM revocation WHERE at > clock_timestamp() - $1::interval"


class SqlRevocations:
    """Raises Unavailable where the database is down."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def live(self) -> Revocations:
        """Everything that voids a token which has not ended by itself."""
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(_LIVE, REVOCATION_LASTS)
        return read_revocations(rows)

    async def forget(self, margin: timedelta = timedelta(hours=1)) -> None:
        """Forget what voids nothing any more, and what was issued and has ended long ago."""
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute(
                "DELETE FROM revocation WHERE at < clock_timestamp() - $1::interval",
                REVOCATION_LASTS + margin,
            )
            for table in ("authorization_request", "authorization_code", "refresh_token",
                          "client_assertion"):  # fmt: skip
                # A used code or token that comes again within a day is known as a repeat.
                await driver.execute(
                    f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table}"
                    " WHERE expires_at < clock_timestamp() - interval '1 day' LIMIT 5000))"
                )
            await driver.execute("DELETE FROM client_usage WHERE day < current_date - 62")


def read_revocations(rows: Any) -> Revocations:
    """Rows of (kind, value, at) as what they void."""
    tokens: set[str] = set()
    sessions: set[UUID] = set()
    subjects: dict[UUID, float] = {}
    clients: dict[UUID, float] = {}
    for kind, value, at in rows:
        if kind == "token":
            tokens.add(value)
        elif kind == "session":
            sessions.add(UUID(value))
        else:
            found = subjects if kind == "subject" else clients
            found[UUID(value)] = max(at.timestamp(), found.get(UUID(value), 0.0))
    return Revocations(frozenset(tokens), frozenset(sessions), subjects, clients)
