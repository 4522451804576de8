"""Leaves and tiles of a city's log: adding to them, and reading what a proof needs."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from domain.register.tiles import WIDTH, Address, Tiles, complete, full

_SIZE = 'SELECT coalesce(max("index") + 1, 0) FROM log_leaf WHERE city_id = $1'

_LEAVES = """
SELECT hash FROM log_leaf WHERE city_id = $1 AND "index" >= $2 AND "index" < $3 ORDER BY "index"
"""

_ROOTS = """
SELECT root AS hash FROM log_tile
 WHERE city_id = $1 AND "index" >= $2 AND "index" < $3 AND level = $4 - 1 ORDER BY "index"
"""

_TILES = f"""
SELECT w.level, w.index, coalesce((
         SELECT t.hashes FROM log_tile t
          WHERE t.city_id = $1 AND t.level = w.level AND t.index = w.index),
       CASE w.level WHEN 0 THEN (
         SELECT string_agg(l.hash, '' ORDER BY l.index) FROM log_leaf l
          WHERE l.city_id = $1 AND l.index >= w.index * {WIDTH}
            AND l.index < w.index * {WIDTH} + w.count)
       ELSE (
         SELECT string_agg(b.root, '' ORDER BY b.index) FROM log_tile b
          WHERE b.city_id = $1 AND b.level = w.level - 1 AND b.index >= w.index * {WIDTH}
            AND b.index < w.index * {WIDTH} + w.count)
       END, '') AS hashes
  FROM unnest($2::int[], $3::bigint[], $4::int[]) AS w(level, index, count)
"""
"""Full tiles as they are kept; of one that is still growing, its hashes so far."""


async def log_size(driver: Any, city: UUID) -> int:
    """How many leaves the log of a city holds."""
    return int(await driver.fetchval(_SIZE, city))


async def read_tiles(driver: Any, city: UUID, wanted: Mapping[Address, int]) -> Tiles:
    """The tiles wanted (domain.register.tiles.wanted), in one statement."""
    levels = [level for level, _ in wanted]
    numbers = [number for _, number in wanted]
    rows = await driver.fetch(_TILES, city, levels, numbers, list(wanted.values()))
    return {(row["level"], row["index"]): bytes(row["hashes"]) for row in rows}


async def add_leaves(driver: Any, city: UUID, leaves: Sequence[tuple[UUID, bytes]]) -> None:
    """Append (event, hash) to the log of a city, and the tiles that become full.

    The caller holds the log's lock and a transaction.
    """
    begin = await log_size(driver, city)
    await driver.copy_records_to_table(
        "log_leaf",
        columns=("city_id", "index", "event_id", "hash"),
        records=[(city, begin + at, event, hash) for at, (event, hash) in enumerate(leaves)],
    )
    tiles = await _grown(driver, city, begin, [hash for _, hash in leaves])
    await driver.copy_records_to_table(
        "log_tile", columns=("city_id", "level", "index", "hashes", "root"), records=tiles
    )


async def _grown(driver: Any, city: UUID, begin: int, hashes: list[bytes]) -> list[tuple[Any, ...]]:
    """The rows of the tiles that hashes from number `begin` on fill, level by level."""
    grown: list[tuple[Any, ...]] = []
    level = 0
    while hashes:
        aligned = begin - begin % WIDTH
        if aligned + WIDTH > begin + len(hashes):
            break
        standing = await driver.fetch(
            _LEAVES if level == 0 else _ROOTS, city, aligned, begin, *([level] if level else [])
        )
        row = [bytes(one["hash"]) for one in standing] + hashes
        tiles = [(number, tile, complete(tile)) for number, tile in full(aligned, row)]
        grown += [(city, level, number, tile, root) for number, tile, root in tiles]
        begin, hashes, level = aligned // WIDTH, [root for *_, root in tiles], level + 1
    return grown
