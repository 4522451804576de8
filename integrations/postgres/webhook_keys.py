"""The platform's keys for webhooks, their private halves sealed by the keyring."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Keyring
from domain.webhooks.keys import OVERLAP, WebhookKey, signing
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

Make = Callable[[datetime], WebhookKey]
"""A new key pair, made at a time."""

KEPT_FOR = timedelta(seconds=10)
"""How long a process goes by what it read: so soon it feels a rotation."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('webhook_key'))"
_END = "UPDATE webhook_key SET signs_until = $1 WHERE signs_until IS NULL OR signs_until > $1"


class WebhookKeys:
    """Reads and changes the keys. Raises Unavailable where the database is down."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring, make: Make) -> None:
        self._engine = engine
        self._keyring = keyring
        self._make = make
        self._known: tuple[WebhookKey, ...] = ()
        self._read_at: datetime | None = None

    async def signing(self, at: datetime) -> tuple[WebhookKey, ...]:
        """The keys that sign at a time, the newest first; the first one is made when it is asked
        for.
        """
        if self._read_at is None or not self._read_at <= at < self._read_at + KEPT_FOR:
            self._known, self._read_at = await self._kept(at), at
        return signing(self._known, at)

    async def secrets(self, at: datetime) -> tuple[str, ...]:
        """The private halves of those, as `whsk_…`."""
        return tuple(key.secret for key in await self.signing(at))

    async def rotate(
        self, at: datetime, *, overlap: timedelta = OVERLAP, withdraw: bool = False
    ) -> WebhookKey:
        """Make the next key, which signs at once; those before sign beside it for `overlap`.

        With `withdraw` they sign no more: for when somebody else may have one.
        """
        ends = at if withdraw else at + overlap
        async with inside(self._engine, PLATFORM, setting=_LOCK) as driver:
            await driver.execute(_END, ends)
            key = await self._add(driver, self._make(at))
        self._read_at = None
        return key

    async def _kept(self, at: datetime) -> tuple[WebhookKey, ...]:
        async with inside(self._engine, PLATFORM) as driver:
            keys = await self._read(driver, at)
        if keys:
            return tuple(keys)
        # Of several processes that see it at the same moment, one makes the key.
        async with inside(self._engine, PLATFORM, setting=_LOCK) as driver:
            keys = await self._read(driver, at)
            return tuple(keys) if keys else (await self._add(driver, self._make(at)),)

    async def _read(self, driver: Any, at: datetime) -> Sequence[WebhookKey]:
        """Those that are over are not opened: what sealed them may be gone as well."""
        rows = await driver.fetch(
            "SELECT * FROM webhook_key WHERE signs_until IS NULL OR signs_until > $1", at
        )
        return [
            WebhookKey(
                row["kid"], bytes(row["public"]), self._keyring.open(bytes(row["sealed"])),
                row["created_at"], row["signs_until"],
            )
            for row in rows
        ]  # fmt: skip

    async def _add(self, driver: Any, key: WebhookKey) -> WebhookKey:
        await driver.execute(
            "INSERT INTO webhook_key (kid, public, sealed, created_at) VALUES ($1, $2, $3, $4)",
            key.kid, key.public, self._keyring.seal(key.seed), key.created_at,
        )  # fmt: skip
        return key
