"""Bearer tokens issued by the CLI: the thin seam that the authorization server will replace.

A token is `109_` and 32 random bytes; the database knows its SHA-256 alone.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal, Role
from domain.values import new_id
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

PREFIX = "109_"

TOGETHER = 500
"""Tokens of one statement."""

Found = tuple[Principal, datetime | None]
"""Whom a token stands for, and until when."""

Asked = dict[bytes, asyncio.Future[Found | None]]

_FIND = """
SELECT t.hash, t.city_id, t.citizen_id, t.expires_at, m.id AS member_id, m.role, m.district,
       coalesce(m.name, '') AS name, m.organisation_id,
       (WITH RECURSIVE own AS (
            SELECT o.id FROM organisation o WHERE o.id = m.organisation_id
            UNION SELECT o.id FROM organisation o JOIN own ON o.parent_id = own.id
        ) SELECT array_agg(own.id) FROM own) AS organisations,
       (WITH RECURSIVE own AS (
            SELECT m.district AS code WHERE m.district IS NOT NULL
            UNION SELECT d.code FROM district d JOIN own ON d.parent = own.code
             WHERE d.city_id = t.city_id
        ) SELECT array_agg(own.code) FROM own) AS districts
  FROM access_token t LEFT JOIN member m ON m.id = t.member_id
       LEFT JOIN organisation h ON h.id = m.organisation_id
 WHERE t.hash = ANY($1) AND t.revoked_at IS NULL AND (m.id IS NULL OR (m.active AND h.active))
"""


def hash_token(token: str) -> bytes:
    """What the database knows of a token."""
    return sha256(token.encode()).digest()


class Tokens:
    """Issued tokens and whom they stand for."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._asked: Asked = {}
        self._asking: asyncio.Task[None] | None = None

    async def find(self, token: str) -> Found | None:
        """Whom a token stands for and until when; None for an unknown or revoked one.

        Those who ask at once are answered by one statement, and a token that many ask for is
        asked for once: thousands of subscribers are judged in the same moment.
        """
        hash = hash_token(token)
        waiting = self._asked.get(hash)
        if waiting is None:
            waiting = self._asked[hash] = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
        # Who gives up takes nobody's answer away.
        return await asyncio.shield(waiting)

    async def _ask(self) -> None:
        try:
            while asked := dict(list(self._asked.items())[:TOGETHER]):
                try:
                    found = await self._find(list(asked))
                except Exception as error:
                    self._answer(asked, error)
                else:
                    self._answer(asked, found)
        finally:
            self._asking = None
            # Nobody is left but where the loop ends before the database answers.
            for waiting in self._asked.values():
                waiting.cancel()
            self._asked.clear()

    def _answer(self, asked: Asked, said: Mapping[bytes, Found] | Exception) -> None:
        for hash, waiting in asked.items():
            del self._asked[hash]
            if waiting.done():
                continue
            if isinstance(said, Exception):
                waiting.set_exception(said)
                # Should nobody be left to hear of it.
                waiting.exception()
            else:
                waiting.set_result(said.get(hash))

    async def _find(self, hashes: Sequence[bytes]) -> dict[bytes, Found]:
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(_FIND, hashes)
        return {row["hash"]: _found(row) for row in rows}

    async def issue(
        self,
        city: UUID,
        *,
        name: str,
        member: UUID | None = None,
        citizen: UUID | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """A new token for a member or a citizen; it is told once and never again."""
        token = PREFIX + secrets.token_urlsafe(32)
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute(
                "INSERT INTO access_token (id, city_id, hash, member_id, citizen_id, name,"
                " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                new_id(), city, hash_token(token), member, citizen, name, expires_at,
            )  # fmt: skip
        return token

    async def revoke(self, token: str, at: datetime) -> bool:
        """Let a token stand for nobody; whether it stood for somebody."""
        async with inside(self._engine, PLATFORM) as driver:
            done = await driver.fetch(
                "UPDATE access_token SET revoked_at = $2"
                " WHERE hash = $1 AND revoked_at IS NULL RETURNING id",
                hash_token(token), at,
            )  # fmt: skip
        return bool(done)


def _found(row: Any) -> Found:
    citizen = row["citizen_id"]
    principal = Principal(
        id=citizen or row["member_id"],
        role=Role.CITIZEN if citizen else Role(row["role"]),
        city=row["city_id"],
        name=row["name"],
        organisation=row["organisation_id"],
        organisations=frozenset(row["organisations"] or ()),
        district=row["district"],
        districts=frozenset(row["districts"] or ()),
        citizen=citizen,
    )
    return principal, row["expires_at"]
