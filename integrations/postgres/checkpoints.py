"""Checkpoints: made of the log, signed, kept for good, and told to those who asked for them.

Nothing is signed that does not follow from what was signed before: the new tree is proved to
begin with the old one, from the stored tiles, or there is no checkpoint.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.register.checkpoint import Checkpoint, Key, Signer
from domain.register.tiles import head, root, wanted
from domain.register.tree import consistency_ranges, is_consistent
from domain.values import new_id
from domain.webhooks.events import CHECKPOINT, checkpoint_payload
from integrations.postgres.doors import PLATFORM
from integrations.postgres.log_store import log_size, read_tiles
from integrations.postgres.sealer import BATCH, LOG_LOCK, seal_some
from integrations.postgres.session import borrowed, inside

_LAST = """
SELECT size, root, at FROM checkpoint WHERE city_id = $1 ORDER BY size DESC LIMIT 1
"""

_KEY = "SELECT key FROM log_key WHERE city_id = $1 ORDER BY since DESC LIMIT 1"

_UNMAILED = """
SELECT day, size FROM day_end
 WHERE city_id = $1 AND day >= $2 AND mailed_at IS NULL ORDER BY day
"""

_UNENDED = """
SELECT coalesce((SELECT max(day) + 1 FROM day_end WHERE city_id = $1),
       (SELECT (min(at) AT TIME ZONE $2)::date FROM checkpoint WHERE city_id = $1))
"""

_MAIL_LOCK = 0x109_0006
"""Advisory lock: one process at a time mails."""

_HEARERS = """
SELECT id FROM webhook_endpoint
 WHERE city_id = $1 AND enabled AND removed_at IS NULL AND $2 = ANY(event_types)
"""

_DELIVER = """
INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at, next_attempt_at)
SELECT d.id, $1, d.endpoint_id, $2, $3, 'pending', $4, $4
  FROM unnest($5::uuid[], $6::uuid[]) d(id, endpoint_id)
"""


class Unprovable(Exception):
    """What is stored does not follow from what was signed: somebody was at the log."""


class StrangeKey(Exception):
    """The register was signed with another key than this process has."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a log stands: its leaves, and the newest checkpoint with its time."""

    size: int
    signed: int
    root: bytes
    at: datetime | None

    @property
    def has_news(self) -> bool:
        """Whether there are leaves that no checkpoint covers."""
        return self.size > self.signed


class Checkpoints:
    """Signs the logs of cities. Raises Unavailable. `batch` is how much one transaction seals."""

    def __init__(self, engine: AsyncEngine, *, batch: int = BATCH) -> None:
        self._engine = engine
        self._batch = batch

    async def standing(self, city: UUID) -> Standing:
        """How the log of a city stands."""
        async with borrowed(self._engine) as driver:
            return await _standing(driver, city)

    async def sign(
        self, city: UUID, origin: str, signer: Signer, at: datetime
    ) -> Checkpoint | None:
        """Seal and sign what is new; None where nothing is. One process at a time.

        Raises Unprovable, StrangeKey.
        """
        # After a long standstill there are many batches, which a checkpoint is to cover; in one
        # transaction they would hold back for minutes whoever reads below the oldest (law 2).
        while await self._seal() * 2 > self._batch:
            pass
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute("SELECT pg_advisory_xact_lock($1)", LOG_LOCK)
            await seal_some(driver, self._batch)
            standing = await _standing(driver, city)
            if not standing.has_news:
                return None
            await _recognise(driver, city, signer.key(origin), at)
            signed = signer.sign(
                Checkpoint(origin, standing.size, await _root(driver, city, standing))
            )
            await driver.execute(
                "INSERT INTO checkpoint (city_id, size, root, at, note) VALUES ($1,$2,$3,$4,$5)",
                city, signed.size, signed.root, at, str(signed),
            )  # fmt: skip
            await _tell(driver, city, signed, at)
            return signed

    async def _seal(self) -> int:
        """Seal one batch, when nobody else is at it; how many events that were."""
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute("SELECT pg_advisory_xact_lock($1)", LOG_LOCK)
            return await seal_some(driver, self._batch)

    async def unended(self, city: UUID, zone: str) -> date | None:
        """The first day, in that time zone, whose end is not known; None before any checkpoint."""
        async with borrowed(self._engine) as driver:
            day: date | None = await driver.fetchval(_UNENDED, city, zone)
            return day

    async def end_day(self, city: UUID, day: date, begun: datetime) -> None:
        """Note with which checkpoint a day ended, unless that is known or there was none.

        `begun` is when the next day began; a log that is younger than that ended no day.
        """
        async with borrowed(self._engine) as driver:
            await driver.execute(
                "INSERT INTO day_end (city_id, day, size)"
                " SELECT $1, $2, coalesce(min(size) FILTER (WHERE at >= $3), max(size))"
                " FROM checkpoint WHERE city_id = $1"
                " HAVING min(at) < $3 ON CONFLICT DO NOTHING",
                city, day, begun,
            )  # fmt: skip

    @asynccontextmanager
    async def unmailed(self, city: UUID, since: date) -> AsyncIterator[list[tuple[date, int]]]:
        """Days from `since` on whose end was not mailed, each with the size of its checkpoint.

        Nothing while somebody else is at it. No transaction is held meanwhile: a slow mail server
        would hold back whoever reads below the oldest one.
        """
        async with borrowed(self._engine) as driver:
            if not await driver.fetchval("SELECT pg_try_advisory_lock($1)", _MAIL_LOCK):
                yield []
                return
            try:
                rows = await driver.fetch(_UNMAILED, city, since)
                yield [(row["day"], row["size"]) for row in rows]
            finally:
                await driver.execute("SELECT pg_advisory_unlock($1)", _MAIL_LOCK)

    async def mailed(self, city: UUID, day: date, at: datetime) -> None:
        """A day's end was mailed."""
        async with borrowed(self._engine) as driver:
            await driver.execute(
                "UPDATE day_end SET mailed_at = $3 WHERE city_id = $1 AND day = $2", city, day, at
            )

    async def adopt(self, city: UUID, key: Key, at: datetime) -> None:
        """Sign with another key from now on; the old one stays known."""
        async with borrowed(self._engine) as driver:
            await driver.execute(_ADOPT, city, str(key), at)


_ADOPT = "INSERT INTO log_key (city_id, key, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


async def _standing(driver: Any, city: UUID) -> Standing:
    last = await driver.fetchrow(_LAST, city)
    size = await log_size(driver, city)
    if last is None:
        return Standing(size, 0, b"", None)
    return Standing(size, last["size"], bytes(last["root"]), last["at"])


async def _recognise(driver: Any, city: UUID, key: Key, at: datetime) -> None:
    known = await driver.fetchval(_KEY, city)
    if known is None:
        await driver.execute(_ADOPT, city, str(key), at)
    elif known != str(key):
        raise StrangeKey(f"the register is signed with {known}, not with {key}")


async def _root(driver: Any, city: UUID, standing: Standing) -> bytes:
    """The root over all leaves, which is proved to go on from the newest checkpoint."""
    old, new = standing.signed, standing.size
    growth = consistency_ranges(old, new) if old else []
    tiles = await read_tiles(driver, city, wanted([(0, new), *growth]))
    found = root(new, tiles)
    path = [head(span, tiles) for span in growth]
    if old and not is_consistent(old, new, standing.root, found, path):
        raise Unprovable(f"the log of {new} leaves does not begin with the {old} that were signed")
    return found


async def _tell(driver: Any, city: UUID, checkpoint: Checkpoint, at: datetime) -> None:
    hearers = [row["id"] for row in await driver.fetch(_HEARERS, city, CHECKPOINT)]
    if hearers:
        payload = checkpoint_payload(checkpoint, at)
        ids = [new_id() for _ in hearers]
        await driver.execute(_DELIVER, city, CHECKPOINT, payload, at, ids, hearers)
