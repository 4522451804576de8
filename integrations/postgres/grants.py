"""What the authorization server issued, within one transaction of one request to it.

Codes and refresh tokens are locked while they are judged, so that of two who come with the same
one at the same moment a single one wins, and the other is seen as a repeat.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Role
from domain.identity.clients import Client
from domain.identity.model import Subject
from domain.identity.sessions import Code, LoginSession, Refresh
from domain.identity.tokens import REFRESH_LASTS
from integrations.postgres.clients import find_client
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

_SESSION = (
    "s.id, s.city_id, s.client_id, s.subject_id, s.resident, s.scopes, s.begun_at,"
    " s.expires_at AS session_expires_at, s.ended_at"
)
_CODE = f"""
SELECT c.hash, c.redirect_uri, c.nonce, c.challenge, c.expires_at, c.used_at, {_SESSION}
  FROM authorization_code c JOIN login_session s ON s.id = c.session_id
 WHERE c.hash = $1 FOR UPDATE
"""
_REFRESH = f"""
SELECT r.hash, r.expires_at, r.used_at, {_SESSION}
  FROM refresh_token r JOIN login_session s ON s.id = r.session_id
 WHERE r.hash = $1 FOR UPDATE
"""
_MEMBER = """
SELECT m.id, m.city_id, m.organisation_id, m.role, m.name, m.district
  FROM member m JOIN organisation o ON o.id = m.organisation_id
 WHERE m.id = $1 AND m.city_id = $2 AND m.active AND o.active
"""


class Desk:
    """One transaction at the token endpoint; what is done here is kept even where it refuses."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def client(self, id: UUID) -> Client | None:
        """The client with an id, disabled or not; None where its organisation is no more."""
        client = await find_client(self._driver, id)
        if client is None or client.organisation is None:
            return client
        stands = await self._driver.fetchval(
            "SELECT active FROM organisation WHERE id = $1", client.organisation
        )
        return client if stands else None

    async def subject(self, session: LoginSession) -> Subject | None:
        """Whose session it is, as they stand now; None for a member who is suspended or left."""
        if session.resident:
            known = await self._driver.fetchval(
                "SELECT id FROM citizen WHERE id = $1 AND city_id = $2",
                session.subject, session.city,
            )  # fmt: skip
            return Subject(known, session.city, Role.CITIZEN) if known else None
        row = await self._driver.fetchrow(_MEMBER, session.subject, session.city)
        if row is None:
            return None
        return Subject(
            row["id"], row["city_id"], Role(row["role"]), row["organisation_id"], row["name"],
            row["district"],
        )  # fmt: skip

    async def code(self, hash: bytes) -> Code | None:
        """The code with a hash, locked; None for an unknown one."""
        row = await self._driver.fetchrow(_CODE, hash)
        if row is None:
            return None
        return Code(
            row["hash"], _session(row), row["redirect_uri"], row["nonce"], row["challenge"],
            row["expires_at"], row["used_at"],
        )  # fmt: skip

    async def use_code(self, code: Code, at: datetime) -> None:
        """Mark a code as used."""
        await self._driver.execute(
            "UPDATE authorization_code SET used_at = $2 WHERE hash = $1", code.hash, at
        )

    async def refresh(self, hash: bytes) -> Refresh | None:
        """The refresh token with a hash, locked; None for an unknown one."""
        row = await self._driver.fetchrow(_REFRESH, hash)
        if row is None:
            return None
        return Refresh(row["hash"], _session(row), row["expires_at"], row["used_at"])

    async def use_refresh(self, token: Refresh, at: datetime) -> None:
        """Mark a refresh token as used."""
        await self._driver.execute(
            "UPDATE refresh_token SET used_at = $2 WHERE hash = $1", token.hash, at
        )

    async def add_refresh(self, session: LoginSession, hash: bytes, at: datetime) -> None:
        """Keep a fresh refresh token; it ends with its session at the latest."""
        await self._driver.execute(
            "INSERT INTO refresh_token (hash, city_id, session_id, issued_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            hash, session.city, session.id, at, min(at + REFRESH_LASTS, session.expires_at),
        )  # fmt: skip

    async def end(self, session: LoginSession, reason: str, at: datetime) -> None:
        """End a session, and with it everything that was issued from it."""
        done = await self._driver.execute(
            "UPDATE login_session SET ended_at = $2, end_reason = $3"
            " WHERE id = $1 AND ended_at IS NULL",
            session.id, at, reason,
        )  # fmt: skip
        if done.endswith(" 1"):
            await self.revoke("session", str(session.id))

    async def revoke(self, kind: str, value: str) -> None:
        """Tell every process that something is void: a `token` (its jti) or a `session`."""
        await self._driver.execute(
            "INSERT INTO revocation (kind, value) VALUES ($1, $2)", kind, value
        )

    async def standing(self, session: UUID, at: datetime) -> bool:
        """Whether a session stands; an id that is no login's (a client's own) always does."""
        ended = await self._driver.fetchval(
            "SELECT ended_at IS NOT NULL OR expires_at <= $2 FROM login_session WHERE id = $1",
            session, at,
        )  # fmt: skip
        return not ended

    async def revoked(self, token: str) -> bool:
        """Whether an access token (its jti) was taken back by itself."""
        return bool(
            await self._driver.fetchval(
                "SELECT EXISTS (SELECT FROM revocation WHERE kind = 'token' AND value = $1)", token
            )
        )

    async def first_seen(self, client: Client, hash: bytes, until: datetime) -> bool:
        """Whether a client assertion's id is new; it is remembered until it ends."""
        done = await self._driver.execute(
            "INSERT INTO client_assertion (client_id, city_id, hash, expires_at)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            client.id, client.city, hash, until,
        )  # fmt: skip
        return bool(done.endswith(" 1"))


class Grants:
    """Opens desks."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Desk]:
        """A transaction that is kept unless the body raises. Raises Unavailable."""
        async with inside(self._engine, PLATFORM) as driver:
            yield Desk(driver)

    async def member_name(self, member: UUID) -> str | None:
        """What a member is called."""
        async with inside(self._engine, PLATFORM) as driver:
            name: str | None = await driver.fetchval(
                "SELECT name FROM member WHERE id = $1", member
            )
        return name


def _session(row: Any) -> LoginSession:
    return LoginSession(
        row["id"], row["city_id"], row["client_id"], row["subject_id"], row["resident"],
        frozenset(row["scopes"]), row["begun_at"], row["session_expires_at"], row["ended_at"],
    )  # fmt: skip
