"""The register's proofs, read: of an appeal's events, of the log's growth, what was signed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.errors import NotFound
from domain.ports import Keyring
from domain.register.checkpoint import parse_checkpoint, parse_signature
from domain.register.receipt import EVERY, Proof, ProvedEvent, Signed, prove, spans
from domain.register.tiles import head, wanted
from domain.register.tree import consistency_ranges
from integrations.postgres.doors import door_of
from integrations.postgres.log_store import read_tiles
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import borrowed, inside

_CHECKPOINTS = """
SELECT c.note, c.at, coalesce((SELECT array_agg(s.line ORDER BY s.key) FROM cosignature s
         WHERE s.city_id = c.city_id AND s.size = c.size), '{}') AS lines
  FROM checkpoint c WHERE c.city_id = $1
"""

_EVENTS = """
SELECT e.sequence, e.internal, e.canonical, e.hash, l.index,
       coalesce((SELECT json_object_agg(p.field, json_build_array(
            encode(p.salt, 'hex'), encode(p.sealed, 'hex')))
          FROM event_personal p WHERE p.event_id = e.id), '{}') AS personal
  FROM event e LEFT JOIN log_leaf l ON l.event_id = e.id
 WHERE e.appeal_id = $1 AND e.sequence <= $2 ORDER BY e.sequence
"""

_KEYS = "SELECT key, since FROM log_key WHERE city_id = $1 ORDER BY since DESC, key"

_COSIGN = """
INSERT INTO cosignature (city_id, size, key, line, at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
"""


class Proofs:
    """What can be proved to whom. Raises Unavailable."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def events(
        self, principal: Principal, number: str, last: int = EVERY
    ) -> tuple[list[ProvedEvent], Signed | None]:
        """The events of an appeal up to the `last`-th, proved under the newest checkpoint.

        Raises NotFound.
        """
        async with inside(self._engine, door_of(principal)) as driver:
            rows = await driver.fetch(_EVENTS, await _appeal(driver, principal, number), last)
            newest = await _newest(driver, principal.city)
            size = newest.checkpoint.size if newest else 0
            sealed = [row["index"] for row in rows if _covered(row, size)]
            tiles = await read_tiles(driver, principal.city, wanted(spans(sealed, size)))
        proofs = {index: prove(index, size, tiles) for index in sealed}
        return [self._event(row, proofs.get(row["index"])) for row in rows], newest

    async def newest(self, city: UUID) -> Signed | None:
        """The newest checkpoint of a city's log; None before the first."""
        async with borrowed(self._engine) as driver:
            return await _newest(driver, city)

    async def checkpoint(self, city: UUID, size: int) -> Signed:
        """The checkpoint of a size. Raises NotFound."""
        async with borrowed(self._engine) as driver:
            row = await driver.fetchrow(f"{_CHECKPOINTS} AND c.size = $2", city, size)
        if row is None:
            raise NotFound(kind="checkpoint", id=str(size))
        return _signed(row)

    async def checkpoints(self, city: UUID, below: int, limit: int) -> list[Signed]:
        """Checkpoints of fewer leaves than `below`, the newest first."""
        async with borrowed(self._engine) as driver:
            rows = await driver.fetch(
                f"{_CHECKPOINTS} AND c.size < $2 ORDER BY c.size DESC LIMIT $3", city, below, limit
            )
        return [_signed(row) for row in rows]

    async def after(self, city: UUID, size: int, limit: int) -> list[Signed]:
        """Checkpoints of more leaves than `size`, the oldest first."""
        async with borrowed(self._engine) as driver:
            rows = await driver.fetch(
                f"{_CHECKPOINTS} AND c.size > $2 ORDER BY c.size LIMIT $3", city, size, limit
            )
        return [_signed(row) for row in rows]

    async def consistency(self, city: UUID, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `new` leaves begins with that of `old`.

        The caller knows that 0 < old <= new and that the log holds as many.
        """
        growth = consistency_ranges(old, new)
        async with borrowed(self._engine) as driver:
            tiles = await read_tiles(driver, city, wanted(growth))
        return [head(span, tiles) for span in growth]

    async def keys(self, city: UUID) -> list[tuple[str, datetime]]:
        """The verifier keys of a log and since when each signs, the newest first."""
        async with borrowed(self._engine) as driver:
            return [(row["key"], row["since"]) for row in await driver.fetch(_KEYS, city)]

    async def cosign(self, city: UUID, size: int, key: str, line: str, at: datetime) -> None:
        """Keep a verified cosignature; one of the same witness that stands already remains."""
        async with borrowed(self._engine) as driver:
            await driver.execute(_COSIGN, city, size, key, line, at)

    def _event(self, row: Any, proof: Proof | None) -> ProvedEvent:
        opened = {
            field: (self._keyring.open(bytes.fromhex(sealed)).decode(), bytes.fromhex(salt))
            for field, (salt, sealed) in row["personal"].items()
        }
        return ProvedEvent(
            row["sequence"], row["internal"], bytes(row["canonical"]), bytes(row["hash"]),
            proof, opened,
        )  # fmt: skip


async def _appeal(driver: Any, principal: Principal, number: str) -> UUID:
    parameters = Parameters(number)
    scope = visible(principal, parameters)
    found = await driver.fetchval(
        f"SELECT a.id FROM appeal a WHERE a.number = $1 AND {scope}", *parameters.values
    )
    if found is None:
        raise NotFound(kind="appeal", id=number)
    return UUID(str(found))


async def _newest(driver: Any, city: UUID) -> Signed | None:
    row = await driver.fetchrow(f"{_CHECKPOINTS} ORDER BY c.size DESC LIMIT 1", city)
    return None if row is None else _signed(row)


def _covered(row: Any, size: int) -> bool:
    return row["index"] is not None and row["index"] < size


def _signed(row: Any) -> Signed:
    lines: Sequence[str] = row["lines"]
    checkpoint = parse_checkpoint(row["note"])
    return Signed(checkpoint.with_signatures(map(parse_signature, lines)), row["at"])
