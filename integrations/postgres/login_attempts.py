"""Logins on their way, kept: hashes of what the browser carries, the rest sealed."""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.attempts import LASTS, Arrived, Departed, Purpose
from domain.identity.model import Person
from domain.ports import Keyring
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

DEPARTED, ARRIVED = "departed", "arrived"

# They age by the database's clock, even where the city's clock runs fast.
_KEEP = """
INSERT INTO login_attempt (hash, step, provider, browser, sealed, expires_at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::interval)
"""
_TAKE = """
UPDATE login_attempt SET used_at = clock_timestamp()
 WHERE hash = $1 AND step = $2 AND browser = $3 AND provider = coalesce($4, provider)
   AND used_at IS NULL AND expires_at > clock_timestamp()
RETURNING provider, sealed
"""
# A little with each new one, so that nothing old stays; whoever stands in the way is passed by.
_FORGET = """
DELETE FROM login_attempt WHERE hash IN (
    SELECT hash FROM login_attempt WHERE expires_at < clock_timestamp()
     ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)
"""


class SqlAttempts:
    """See domain.identity.attempts.Attempts."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def departed(self, state: str, browser: str, step: Departed) -> None:
        """Keep a departure under its state."""
        said = {"purpose": step.purpose, "nonce": step.nonce, "verifier": step.verifier}
        await self._keep(state, DEPARTED, step.provider, browser, said)

    async def returned(self, state: str, browser: str, provider: str) -> Departed | None:
        """Take a departure to this provider, once."""
        found = await self._take(state, DEPARTED, browser, provider)
        if found is None:
            return None
        return Departed(provider, Purpose(**found["purpose"]), found["nonce"], found["verifier"])

    async def arrived(self, ticket: str, browser: str, step: Arrived) -> None:
        """Keep an arrival under the ticket of its form."""
        said = {"purpose": step.purpose, "person": step.person}
        await self._keep(ticket, ARRIVED, step.provider, browser, said)

    async def decided(self, ticket: str, browser: str) -> Arrived | None:
        """Take an arrival, once."""
        found = await self._take(ticket, ARRIVED, browser, None)
        if found is None:
            return None
        return Arrived(found["provider"], Purpose(**found["purpose"]), _person(found["person"]))

    async def _keep(
        self, secret: str, step: str, provider: str, browser: str, said: Mapping[str, Any]
    ) -> None:
        sealed = self._keyring.seal(orjson.dumps(said))
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute(_FORGET)
            await driver.execute(
                _KEEP, _hash(secret), step, provider, _hash(browser), sealed, LASTS
            )

    async def _take(
        self, secret: str, step: str, browser: str, provider: str | None
    ) -> dict[str, Any] | None:
        async with inside(self._engine, PLATFORM) as driver:
            row = await driver.fetchrow(_TAKE, _hash(secret), step, _hash(browser), provider)
        if row is None:
            return None
        said: dict[str, Any] = orjson.loads(self._keyring.open(bytes(row["sealed"])))
        return said | {"provider": row["provider"]}


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _person(said: Mapping[str, Any]) -> Person:
    born = said["birth_date"]
    return Person(**{**said, "birth_date": date.fromisoformat(born) if born else None})
