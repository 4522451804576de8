"""Appeals with the events that their clocks follow from: one for its reader, many for a check."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.model import Appeal
from domain.appeals.replay import TOLD_BY
from domain.errors import NotFound
from domain.ports import History, Keyring
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import Stage
from integrations.postgres import rows
from integrations.postgres.doors import PLATFORM, door_of
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import inside
from integrations.postgres.statements import LOADED, TOLD

Document = Mapping[str, Any]
TYPES = sorted(TOLD_BY)
FIRST = UUID(int=0)
_ONE_MOMENT = "ISOLATION LEVEL REPEATABLE READ READ ONLY"

_OPEN = (
    " AND EXISTS (SELECT 1 FROM clock k WHERE k.appeal_id = a.id"
    " AND k.state IN ('running', 'paused', 'breached'))"
)
_EVENTS = (
    "SELECT appeal_id, canonical FROM event WHERE appeal_id = ANY($1) AND type = ANY($2)"
    " ORDER BY appeal_id, sequence"
)
_NAMES = tuple(Clock.__dataclass_fields__)
_CLOCKS = f"SELECT appeal_id, {', '.join(_NAMES)} FROM clock WHERE appeal_id = ANY($1)"


class Histories:
    """Reads what clocks are counted from. Raises Unavailable."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def of(self, principal: Principal, number: str) -> tuple[Appeal, list[Document]]:
        """An appeal and its events, of one moment. Raises NotFound."""
        parameters = Parameters(number, TYPES)
        scope = visible(principal, parameters)
        async with inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetch(
                f"SELECT {LOADED}, {TOLD} FROM appeal a WHERE a.number = $1 AND {scope}",
                *parameters.values,
            )
        if not found:
            raise NotFound(kind="appeal", id=number)
        return rows.read_appeal(found[0], self._keyring), read_events(found[0]["told"])

    async def walk(
        self, city: UUID | None = None, *, open_only: bool = False, at_once: int = 500
    ) -> AsyncIterator[list[History]]:
        """Every appeal (or those with an open clock) by id, in portions of one moment each."""
        after: UUID | None = FIRST
        condition = _OPEN if open_only else ""
        while after is not None:
            heads = (
                "SELECT a.id, a.number, a.city_id FROM appeal a WHERE a.id > $1"
                f" AND ($2::uuid IS NULL OR a.city_id = $2){condition} ORDER BY a.id LIMIT $3"
            )
            async with inside(self._engine, PLATFORM, mode=_ONE_MOMENT) as driver:
                found = await driver.fetch(heads, after, city, at_once)
                portion = await _histories(driver, found)
            if portion:
                yield portion
            after = found[-1]["id"] if found else None

    async def changed(self, after: UUID, before: UUID, limit: int) -> tuple[list[History], UUID]:
        """Appeals with events whose ids (ordered by time) lie between; where to go on."""
        async with inside(self._engine, PLATFORM, mode=_ONE_MOMENT) as driver:
            events = await driver.fetch(
                "SELECT id, appeal_id FROM event WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
                after, before, limit,
            )  # fmt: skip
            if not events:
                return [], after
            ids = list({row["appeal_id"] for row in events})
            heads = "SELECT id, number, city_id FROM appeal WHERE id = ANY($1)"
            return await _histories(driver, await driver.fetch(heads, ids)), events[-1]["id"]

    async def ends(self) -> tuple[UUID, UUID] | None:
        """The oldest and the newest appeal by id; None where there are none."""
        statement = (
            "SELECT (SELECT id FROM appeal ORDER BY id LIMIT 1),"
            " (SELECT id FROM appeal ORDER BY id DESC LIMIT 1)"
        )
        async with inside(self._engine, PLATFORM) as driver:
            oldest, newest = await driver.fetchrow(statement)
        return None if oldest is None else (oldest, newest)

    async def between(
        self, after: UUID, upto: UUID, limit: int, *, quiet_since: UUID
    ) -> list[History]:
        """Appeals of a stretch of ids, in order, without those that have events of later ids."""
        heads = (
            "SELECT a.id, a.number, a.city_id FROM appeal a WHERE a.id > $1 AND a.id <= $2"
            " AND NOT EXISTS (SELECT 1 FROM event e WHERE e.appeal_id = a.id AND e.id > $4)"
            " ORDER BY a.id LIMIT $3"
        )
        async with inside(self._engine, PLATFORM, mode=_ONE_MOMENT) as driver:
            found = await driver.fetch(heads, after, upto, limit, quiet_since)
            return await _histories(driver, found)


def read_events(told: Iterable[bytes] | None) -> list[Document]:
    """Canonical events, decoded."""
    return [orjson.loads(each) for each in told or ()]


async def _histories(driver: Any, heads: Sequence[Any]) -> list[History]:
    ids = [row["id"] for row in heads]
    told = _gathered(await driver.fetch(_EVENTS, ids, TYPES), lambda row: orjson.loads(row[1]))
    clocks = _gathered(await driver.fetch(_CLOCKS, ids), read_clock)
    return [
        History(
            row["id"], row["number"], row["city_id"],
            tuple(clocks.get(row["id"], ())), tuple(told.get(row["id"], ())),
        )
        for row in heads
    ]  # fmt: skip


def _gathered(found: Iterable[Any], read: Any) -> dict[UUID, list[Any]]:
    by_appeal: dict[UUID, list[Any]] = {}
    for row in found:
        by_appeal.setdefault(row[0], []).append(read(row))
    return by_appeal


_STAGES = {stage.value: stage for stage in Stage}
_STATES = {state.value: state for state in ClockState}
_STAGE, _STATE = (_NAMES.index(name) for name in ("stage", "state"))


def read_clock(row: Any) -> Clock:
    """The clock of a row of _CLOCKS."""
    values = list(row)[1:]
    values[_STAGE], values[_STATE] = _STAGES[values[_STAGE]], _STATES[values[_STATE]]
    return Clock(*values)
