"""Documents that wait for a signature, kept: hashes of what opens them, the rest sealed."""

from datetime import date
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import Person
from domain.identity.signing import LASTS, Signing, Standing
from domain.ports import Keyring
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

# They age by the database's clock, even where the city's clock runs fast.
_OPEN = """
INSERT INTO login_signing (page, telephone, sealed, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
"""
_FIND = """
SELECT sealed, expires_at, signer IS NOT NULL AS signed FROM login_signing
 WHERE {0} = $1 AND taken_at IS NULL AND expires_at > clock_timestamp()
"""
_SIGNED = """
UPDATE login_signing SET signer = $2
 WHERE telephone = $1 AND signer IS NULL AND expires_at > clock_timestamp()
RETURNING page
"""
_TAKE = """
UPDATE login_signing SET taken_at = clock_timestamp()
 WHERE page = $1 AND signer IS NOT NULL AND taken_at IS NULL AND expires_at > clock_timestamp()
RETURNING signer
"""
_FORGET = """
DELETE FROM login_signing WHERE page IN (
    SELECT page FROM login_signing WHERE expires_at < clock_timestamp()
     ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)
"""


class SqlSignings:
    """See domain.identity.signing.Signings."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def open(self, page: str, signing: Signing) -> None:
        """Let a document wait, for the browser under `page`."""
        sealed = self._keyring.seal(orjson.dumps(signing))
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute(_FORGET)
            await driver.execute(_OPEN, _hash(page), _hash(signing.telephone), sealed, LASTS)

    async def of_page(self, page: str) -> Standing | None:
        """How the document of a page stands."""
        return await self._find("page", page)

    async def of_telephone(self, telephone: str) -> Standing | None:
        """How the document of a code stands."""
        return await self._find("telephone", telephone)

    async def signed(self, telephone: str, person: Person) -> bool:
        """Keep who signed; whether nobody had before."""
        sealed = self._keyring.seal(orjson.dumps(person))
        async with inside(self._engine, PLATFORM) as driver:
            return await driver.fetchval(_SIGNED, _hash(telephone), sealed) is not None

    async def take(self, page: str) -> Person | None:
        """Who signed the document of a page, once."""
        async with inside(self._engine, PLATFORM) as driver:
            sealed = await driver.fetchval(_TAKE, _hash(page))
        if sealed is None:
            return None
        said = self._opened(sealed)
        born = said["birth_date"]
        return Person(**{**said, "birth_date": date.fromisoformat(born) if born else None})

    async def _find(self, column: str, secret: str) -> Standing | None:
        async with inside(self._engine, PLATFORM) as driver:
            row = await driver.fetchrow(_FIND.format(column), _hash(secret))
        if row is None:
            return None
        return Standing(Signing(**self._opened(row["sealed"])), row["expires_at"], row["signed"])

    def _opened(self, sealed: Any) -> dict[str, Any]:
        opened: dict[str, Any] = orjson.loads(self._keyring.open(bytes(sealed)))
        return opened


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
