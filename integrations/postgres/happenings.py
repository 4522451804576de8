"""Events in the order in which their transactions count, for who follows what happens.

Read is only what lies below the oldest running transaction, from a place (transaction, event) on:
what commits late cannot be passed over (law 2). The relay calls on CHANNEL when it has moved
events on; to miss a call loses nothing, for whoever reads comes again by itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.appeals.happenings import Happening, Place, Wanted
from domain.appeals.workflow import Status
from domain.events import EventType
from integrations.postgres.doors import PLATFORM
from integrations.postgres.instants import parse_instant
from integrations.postgres.scope import Parameters
from integrations.postgres.session import borrowed, inside

CHANNEL = "ikomek_events"
CALL = f"SELECT pg_notify('{CHANNEL}', '')"

_AFTER = """
SELECT e.xid::text AS moment, e.id, e.city_id, e.appeal_id, e.internal, e.canonical,
       a.citizen_id, a.district,
       ARRAY(SELECT DISTINCT s.organisation_id FROM assignment s
              WHERE s.appeal_id = e.appeal_id) AS organisations
  FROM event e JOIN appeal a ON a.id = e.appeal_id
 WHERE (e.xid, e.id) > ($1::text::xid8, $2) AND e.xid >= $1::text::xid8
   AND e.xid < $3::text::xid8 {conditions}
 ORDER BY e.xid, e.id LIMIT $4
"""


_HOLDS = "SELECT EXISTS (SELECT FROM event WHERE id = $1 AND xid = $2::text::xid8)"


class SqlHappenings:
    """Reads what happens. One of these serves every subscriber of a process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def floor(self) -> Place:
        """As domain.appeals.happenings.Happenings."""
        async with inside(self._engine, PLATFORM) as driver:
            found = await driver.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return Place(int(found))

    async def holds(self, place: Place) -> bool:
        """As domain.appeals.happenings.Happenings."""
        async with inside(self._engine, PLATFORM) as driver:
            found: bool = await driver.fetchval(_HOLDS, place.id, str(place.transaction))
        return found

    async def after(
        self, place: Place, floor: Place, limit: int, wanted: Wanted | None = None
    ) -> Sequence[Happening]:
        """As domain.appeals.happenings.Happenings."""
        parameters = Parameters(str(place.transaction), place.id, str(floor.transaction), limit)
        conditions = ""
        if wanted is not None:
            conditions = f"AND e.city_id = {parameters.add(wanted.city)}"
            if wanted.number is not None:
                number = parameters.add(wanted.number)
                conditions += (
                    " AND e.appeal_id = (SELECT id FROM appeal"
                    f" WHERE city_id = e.city_id AND number = {number})"
                )
        statement = _AFTER.format(conditions=conditions)
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(statement, *parameters.values)
        return [_happening(row) for row in rows]

    async def listen(self, wake: Callable[[], None]) -> None:
        """As domain.appeals.happenings.Happenings."""
        ended = asyncio.Event()

        def heard(*_: Any) -> None:
            wake()

        def lost(_: Any) -> None:
            ended.set()

        async with borrowed(self._engine) as driver:
            driver.add_termination_listener(lost)
            await driver.add_listener(CHANNEL, heard)
            try:
                await ended.wait()
            finally:
                driver.remove_termination_listener(lost)
                if not driver.is_closed():
                    await driver.remove_listener(CHANNEL, heard)


def _happening(row: Any) -> Happening:
    event = orjson.loads(row["canonical"])
    about = event["about"]
    organisation = about["organisation"]
    return Happening(
        place=Place(int(row["moment"]), row["id"]),
        city=row["city_id"],
        appeal=row["appeal_id"],
        number=about["number"],
        sequence=event["sequence"],
        type=EventType(event["type"]),
        at=parse_instant(event["at"]),
        internal=row["internal"],
        status=Status(about["status"]),
        service=about["service"],
        organisation=UUID(organisation) if organisation else None,
        actor=event["actor"]["role"],
        citizen=row["citizen_id"],
        district=row["district"],
        organisations=frozenset(row["organisations"]),
    )
