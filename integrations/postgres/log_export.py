"""The register as its export tells it, read in one snapshot: leaves, checkpoints, the rest."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.register.checkpoint import NotACheckpoint, parse_checkpoint, parse_signature
from domain.register.export import Leaf, Record, Standing, Stated
from domain.register.tiles import HASH, WIDTH, complete, places
from integrations.postgres.account_rows import (
    EVERYTHING,
    Stretch,
    Whole,
    portions,
    stretches,
)
from integrations.postgres.doors import PLATFORM
from integrations.postgres.log_store import log_size
from integrations.postgres.session import inside

_ROW = """, e.id::text, e.city_id::text AS city, e.appeal_id::text AS appeal, e.sequence, e.type,
       e.at, e.internal, encode(e.hash, 'hex') AS stored"""

_LEAVES = """
SELECT l.index, l.hash, e.canonical{} FROM log_leaf l LEFT JOIN event e ON e.id = l.event_id
 WHERE l.city_id = $1 ORDER BY l.index
"""

_CHECKPOINTS = """
SELECT c.size, c.note, c.at, coalesce((SELECT array_agg(s.line ORDER BY s.key)
         FROM cosignature s WHERE s.city_id = c.city_id AND s.size = c.size), '{}') AS lines
  FROM checkpoint c WHERE c.city_id = $1 ORDER BY c.size
"""

_PENDING = """
SELECT e.hash, e.canonical{} FROM event e
 WHERE e.city_id = $1 AND NOT EXISTS (SELECT FROM log_leaf l WHERE l.event_id = e.id)
 ORDER BY e.appeal_id, e.sequence
"""

_APPEALS = "SELECT id, sequence, head FROM appeal WHERE city_id = $1 ORDER BY id"

_TILES = """
SELECT t.level, t.index, t.hashes, t.root, coalesce(CASE t.level WHEN 0 THEN (
         SELECT string_agg(l.hash, '' ORDER BY l.index) FROM log_leaf l
          WHERE l.city_id = $1 AND l.index >= t.index * 256 AND l.index < t.index * 256 + 256)
       ELSE (
         SELECT string_agg(b.root, '' ORDER BY b.index) FROM log_tile b
          WHERE b.city_id = $1 AND b.level = t.level - 1 AND b.index >= t.index * 256
            AND b.index < t.index * 256 + 256)
       END, '') AS below
  FROM log_tile t WHERE t.city_id = $1 ORDER BY t.level, t.index
"""

_SERIES = """
SELECT coalesce(sum(s.filled_to), 0)::bigint
       - (SELECT count(*) FROM number_pool p WHERE p.city_id = $1)
       - (SELECT count(*) FROM appeal a WHERE a.city_id = $1)
  FROM number_series s WHERE s.city_id = $1
"""

AT_ONCE = 1000
MOST = 1000
"""Tiles that are told to lack; who misses as many needs no more."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How much an export holds."""

    events: int = 0
    checkpoints: int = 0
    appeals: int = 0


class LogExport:
    """One city's register at one moment, however long it takes to read."""

    def __init__(self, driver: Any, city: UUID) -> None:
        self._driver = driver
        self._city = city

    async def keys(self) -> list[str]:
        """The verifier keys of the log, the newest first."""
        rows = await self._driver.fetch(
            "SELECT key FROM log_key WHERE city_id = $1 ORDER BY since DESC, key", self._city
        )
        return [row["key"] for row in rows]

    async def count(self) -> Counted:
        """How much there is to be read."""
        row = await self._driver.fetchrow(
            "SELECT (SELECT count(*) FROM log_leaf l WHERE l.city_id = $1)"
            " + (SELECT count(*) FROM event e WHERE e.city_id = $1 AND NOT EXISTS"
            "    (SELECT FROM log_leaf l WHERE l.event_id = e.id)) AS events,"
            " (SELECT count(*) FROM checkpoint c WHERE c.city_id = $1) AS checkpoints,"
            " (SELECT count(*) FROM appeal a WHERE a.city_id = $1) AS appeals",
            self._city,
        )
        return Counted(row["events"], row["checkpoints"], row["appeals"])

    async def records(self, *, rows: bool = False) -> AsyncIterator[Record]:
        """Everything, in the order of an export; `rows` with what the rows of events tell."""
        more = _ROW if rows else ""
        signed = [_stated(row) async for row in self._read(_CHECKPOINTS)]
        signed.reverse()
        async for row in self._read(_LEAVES.format(more)):
            yield _leaf(row, row["index"], rows=rows)
            while signed and signed[-1][0] <= row["index"] + 1:
                yield signed.pop()[1]
        for _, stated in reversed(signed):
            yield stated
        async for row in self._read(_PENDING.format(more)):
            yield _leaf(row, None, rows=rows)
        async for row in self._read(_APPEALS):
            yield Standing(row["id"], row["sequence"], bytes(row["head"]))

    async def stretches(self) -> list[Stretch]:
        """The appeals in stretches, for `wholes`."""
        return await stretches(self._driver, self._city)

    def wholes(
        self, stretch: Stretch = EVERYTHING, number: str | None = None
    ) -> AsyncGenerator[list[Whole], None]:
        """Every appeal of a stretch with its rows and events, by the portion; or the one of a
        number.
        """
        return portions(self._driver, self._city, stretch, number)

    async def share(self) -> str:
        """The name by which other sessions see the same moment while this one stands."""
        return str(await self._driver.fetchval("SELECT pg_export_snapshot()"))

    async def bent_tiles(self) -> AsyncIterator[str]:
        """The stored tiles that are not those of the leaves, and those that lack, in words."""
        lacking = set(places(await log_size(self._driver, self._city)))
        async for row in self._read(_TILES):
            lacking.discard((row["level"], row["index"]))
            hashes = bytes(row["hashes"])
            if hashes != bytes(row["below"]) or len(hashes) != WIDTH * HASH:
                yield f"tile {row['index']} of level {row['level']} is not that of the leaves"
            elif complete(hashes) != bytes(row["root"]):
                yield f"tile {row['index']} of level {row['level']} does not give its root"
        for level, number in sorted(lacking)[:MOST]:
            yield f"tile {number} of level {level} is missing"

    async def missing(self) -> int:
        """How many more numbers were given than appeals are here. Numbers have no gaps, so an
        appeal that vanished before anything of it was sealed leaves one.
        """
        return int(await self._driver.fetchval(_SERIES, self._city))

    async def _read(self, statement: str) -> AsyncIterator[Any]:
        async for row in self._driver.cursor(statement, self._city, prefetch=AT_ONCE):
            yield row


@asynccontextmanager
async def open_export(
    engine: AsyncEngine, city: UUID, *, shared: str | None = None
) -> AsyncIterator[LogExport]:
    """The register of a city in a snapshot of its own, or in one that another session shares.
    Raises Unavailable.
    """
    moment = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
    if shared is not None:
        # A utility statement takes no parameters; the name is the server's own.
        moment += f"; SET TRANSACTION SNAPSHOT '{checked(shared)}'"
    async with inside(engine, PLATFORM, mode=moment) as driver:
        await driver.execute("SET LOCAL statement_timeout = 0")
        await driver.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield LogExport(driver, city)


def checked(name: str) -> str:
    """The name of a snapshot. Raises ValueError for what is none."""
    if not set(name) <= set("0123456789ABCDEF-"):
        raise ValueError("no name of a snapshot")
    return name


def _leaf(row: Any, index: int | None, *, rows: bool) -> Leaf:
    canonical = row["canonical"]
    if canonical is None:
        return Leaf(index, bytes(row["hash"]), None)
    told = {name: row[column] for name, column in _COLUMNS.items()} if rows else None
    return Leaf(index, bytes(row["hash"]), bytes(canonical), told)


_COLUMNS = {
    "id": "id", "city": "city", "appeal": "appeal", "sequence": "sequence", "type": "type",
    "at": "at", "internal": "internal", "hash": "stored",
}  # fmt: skip
"""As fault_of_row names the columns → as `_ROW` does."""


def _stated(row: Any) -> tuple[int, Stated]:
    note: str = row["note"]
    # What cannot be read is told as it stands: the audit is to see it.
    with suppress(NotACheckpoint):
        note = str(parse_checkpoint(note).with_signatures(map(parse_signature, row["lines"])))
    return row["size"], Stated(note, row["at"])
