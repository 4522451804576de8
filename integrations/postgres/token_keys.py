"""The keys that sign tokens, their private halves sealed by the keyring."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.signing_keys import SOON, SigningKey, next_turn, published, signing
from domain.ports import Keyring
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

Make = Callable[[datetime], SigningKey]
"""A new key pair that signs from a time on."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('token_key'))"


class TokenKeys:
    """Reads and renews the keys. Raises Unavailable where the database is down."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring, make: Make) -> None:
        self._engine = engine
        self._keyring = keyring
        self._make = make

    async def known(self, at: datetime) -> Sequence[SigningKey]:
        """The keys that are published at a time, the oldest first.

        Those that are gone are not opened: what sealed them may be gone as well.
        """
        async with inside(self._engine, PLATFORM) as driver:
            return await self._read(driver, at)

    async def kept(self, at: datetime) -> Sequence[SigningKey]:
        """The same, after one was made where one was due: the first, or the next by age."""
        keys = await self.known(at)
        if next_turn(keys, at) is None:
            return keys
        async with inside(self._engine, PLATFORM) as driver:
            # Of several processes that see it at the same moment, one makes the key.
            await driver.execute(_LOCK)
            keys = await self._read(driver, at)
            turn = next_turn(keys, at)
            if turn is None:
                return keys
            return [*keys, await self._add(driver, self._make(turn))]

    async def rotate(self, at: datetime, *, withdraw: bool = False) -> SigningKey:
        """Make the next key, which signs in SOON; the key.

        With `withdraw` it signs at once and no earlier one is trusted any more: whatever they
        signed is void in every process that has learnt of it.
        """
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute(_LOCK)
            if withdraw:
                await driver.execute(
                    "UPDATE token_key SET withdrawn_at = $1 WHERE withdrawn_at IS NULL", at
                )
            first = withdraw or signing(await self._read(driver, at), at) is None
            return await self._add(driver, self._make(at if first else at + SOON))

    async def _read(self, driver: Any, at: datetime) -> list[SigningKey]:
        rows = await driver.fetch("SELECT * FROM token_key ORDER BY signs_from, kid")
        sealed = {row["kid"]: bytes(row["sealed"]) for row in rows}
        return [
            replace(key, private=self._keyring.open(sealed[key.kid]))
            for key in published([_closed(row) for row in rows], at)
        ]

    async def _add(self, driver: Any, key: SigningKey) -> SigningKey:
        await driver.execute(
            "INSERT INTO token_key (kid, public, sealed, signs_from) VALUES ($1, $2, $3, $4)",
            key.kid, orjson.dumps(dict(key.public)).decode(), self._keyring.seal(key.private),
            key.signs_from,
        )  # fmt: skip
        return key


def _closed(row: Any) -> SigningKey:
    """The key of a row, its private half still sealed."""
    public = row["public"]
    known = orjson.loads(public) if isinstance(public, str | bytes) else public
    return SigningKey(row["kid"], known, b"", row["signs_from"], row["withdrawn_at"])
