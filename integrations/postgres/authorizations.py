"""Requests for authorization that wait for a login, and the codes that answer them."""

import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import NotFound
from domain.identity.clients import hash_secret, origin_of
from domain.identity.model import Subject
from domain.identity.ports import Asked
from domain.identity.scopes import OFFLINE, write_scopes
from domain.identity.sessions import Wanted
from domain.identity.tokens import ACCESS_LASTS, CODE_LASTS, REQUEST_LASTS, SESSION_LASTS
from domain.values import new_id
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

# What waits ages by the database's clock, even where the city's clock runs fast.
_WAITING = """
SELECT r.*, c.name, c.staff, c.organisation_id FROM authorization_request r
  JOIN client c ON c.id = r.client_id
 WHERE r.hash = $1 AND r.answered_at IS NULL AND r.expires_at > clock_timestamp()
   AND c.disabled_at IS NULL
"""
_BELOW = """
WITH RECURSIVE own AS (SELECT $1::uuid AS id
    UNION SELECT o.id FROM organisation o JOIN own ON o.parent_id = own.id)
SELECT EXISTS (SELECT FROM own WHERE id = $2)
"""
_SESSION = """
INSERT INTO login_session
       (id, city_id, client_id, subject_id, resident, scopes, begun_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp() + $7::interval)
"""
_CODE = """
INSERT INTO authorization_code
       (hash, city_id, session_id, redirect_uri, nonce, challenge, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval)
"""


class SqlAuthorizations:
    """See domain.identity.ports.Authorizations. `issuer` goes into every answer (RFC 9207)."""

    def __init__(self, engine: AsyncEngine, issuer: str) -> None:
        self._engine = engine
        self._issuer = issuer

    async def wait(self, wanted: Wanted) -> str:
        """Keep a sound request until it is answered, REQUEST_LASTS at most; its handle."""
        handle = secrets.token_urlsafe(32)
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute(
                "INSERT INTO authorization_request (hash, city_id, client_id, redirect_uri,"
                " scopes, state, nonce, challenge, language, expires_at)"
                " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9, clock_timestamp() + $10::interval)",
                hash_secret(handle), wanted.city, wanted.client, wanted.redirect_uri,
                sorted(wanted.scopes), wanted.state, wanted.nonce, wanted.challenge,
                wanted.language, REQUEST_LASTS,
            )  # fmt: skip
        return handle

    async def asked(self, handle: str) -> Asked:
        """What a waiting request asks."""
        async with inside(self._engine, PLATFORM) as driver:
            row = await _waiting(driver, handle)
        return Asked(
            row["city_id"], str(row["client_id"]), row["name"], frozenset(row["scopes"]),
            row["staff"], row["language"], origin_of(row["redirect_uri"]),
        )  # fmt: skip

    async def grant(
        self, handle: str, subject: Subject, scopes: frozenset[str], at: datetime
    ) -> str:
        """Where the browser goes with the client's code.

        A subject of another city, or of the other kind than the client is for, has nothing to
        answer here: NotFound as well. So has a member of another organisation, where the client
        is one's own: what such a program could do with an inspector's word is not its business.
        So have scopes that were not asked.
        """
        code = secrets.token_urlsafe(32)
        async with inside(self._engine, PLATFORM) as driver:
            row = await _waiting(driver, handle, lock=True)
            if not (_fits(row, subject, scopes) and await _works_there(driver, row, subject)):
                raise NotFound(kind="authorization-request", id="")
            await _answered(driver, row, at)
            session = await _begin(driver, row, subject, scopes)
            await driver.execute(
                _CODE, hash_secret(code), row["city_id"], session, row["redirect_uri"],
                row["nonce"], row["challenge"], CODE_LASTS,
            )  # fmt: skip
        return self.back(row["redirect_uri"], row["state"], code=code)

    async def refuse(self, handle: str, error: str, at: datetime) -> str:
        """Where the browser goes with an error of RFC 6749 §4.1.2.1."""
        async with inside(self._engine, PLATFORM) as driver:
            row = await _waiting(driver, handle, lock=True)
            await _answered(driver, row, at)
        return self.back(row["redirect_uri"], row["state"], error=error)

    def back(self, redirect_uri: str, state: str | None, **said: str) -> str:
        """A redirect URI with an answer in its query: `said`, the state, and who says it."""
        answer = said | ({"state": state} if state is not None else {}) | {"iss": self._issuer}
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"


def _fits(row: Any, subject: Subject, scopes: frozenset[str]) -> bool:
    return (
        subject.city == row["city_id"]
        and subject.is_resident != row["staff"]
        and scopes <= set(row["scopes"])
    )


async def _works_there(driver: Any, row: Any, subject: Subject) -> bool:
    """Whether a member is of the organisation whose program it is, or of one below it."""
    if not row["staff"] or row["organisation_id"] is None:
        return True
    return bool(await driver.fetchval(_BELOW, row["organisation_id"], subject.organisation))


async def _waiting(driver: Any, handle: str, *, lock: bool = False) -> Any:
    ending = " FOR UPDATE OF r" if lock else ""
    row = await driver.fetchrow(_WAITING + ending, hash_secret(handle))
    if row is None:
        raise NotFound(kind="authorization-request", id="")
    return row


async def _answered(driver: Any, row: Any, at: datetime) -> None:
    await driver.execute(
        "UPDATE authorization_request SET answered_at = $2 WHERE hash = $1", row["hash"], at
    )


async def _begin(driver: Any, row: Any, subject: Subject, scopes: frozenset[str]) -> UUID:
    """A login begins. Without offline access it is over with its only access token."""
    session = new_id()
    lasts = SESSION_LASTS if OFFLINE in scopes else CODE_LASTS + ACCESS_LASTS
    await driver.execute(
        _SESSION, session, row["city_id"], row["client_id"], subject.id, subject.is_resident,
        write_scopes(scopes).split(), lasts,
    )  # fmt: skip
    return session
