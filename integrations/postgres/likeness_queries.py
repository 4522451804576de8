"""Open appeals that may be about one problem, read by where and when they are."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.model import Appeal
from domain.catalogue.model import Criticality
from domain.incidents.likeness import LONGEST, Sighting, around, cell_of
from integrations.postgres.doors import door_of
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import inside

MOST_SIGHTINGS = 20_000
"""Of a storm the newest are looked at: two days' appeals of a large city."""
MOST_NEAR = 200

_OPEN = "a.status IN ('registered', 'assigned', 'in_progress', 'paused') AND a.cell IS NOT NULL"
_COLUMNS = "a.id, a.number, a.service, a.category, a.criticality, a.cell, a.registered_at"


class LikenessQueries:
    """See the module."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def near(
        self, principal: Principal, appeal: Appeal, services: Collection[str]
    ) -> list[tuple[Sighting, UUID | None]]:
        """Open appeals about these services near an appeal in place and time, the newest first,
        each with its incident; none where its place has no point.
        """
        point = appeal.place.coordinates
        if point is None:
            return []
        began, ended = appeal.registered_at - LONGEST, appeal.registered_at + LONGEST
        parameters = Parameters(
            appeal.city, list(services), list(around(cell_of(point))), began, ended, appeal.id
        )
        scope = visible(principal, parameters)
        found = await self._fetch(
            f"SELECT {_COLUMNS}, a.text, a.incident_id FROM appeal a WHERE a.city_id = $1"
            f" AND a.service = ANY($2) AND a.cell = ANY($3) AND {_OPEN}"
            f" AND a.registered_at BETWEEN $4 AND $5 AND a.id <> $6 AND {scope}"
            f" ORDER BY a.registered_at DESC LIMIT {MOST_NEAR}",
            principal,
            parameters,
        )
        return [(_sighting(row, row["text"]), row["incident_id"]) for row in found]

    async def unjoined(self, principal: Principal, at: datetime) -> list[Sighting]:
        """Open appeals of late that belong to no incident, without their words, the newest
        first, at most MOST_SIGHTINGS.
        """
        parameters = Parameters(principal.city, at - LONGEST)
        scope = visible(principal, parameters)
        found = await self._fetch(
            f"SELECT {_COLUMNS} FROM appeal a WHERE a.city_id = $1 AND a.registered_at >= $2"
            f" AND {_OPEN} AND a.incident_id IS NULL AND {scope}"
            f" ORDER BY a.registered_at DESC, a.id DESC LIMIT {MOST_SIGHTINGS}",
            principal,
            parameters,
        )
        return [_sighting(row) for row in found]

    async def details(
        self, principal: Principal, ids: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[str, Any]]:
        """Words and places of appeals that `unjoined` found, by id."""
        found = await self._fetch(
            "SELECT id, text, building_id, street_id, district, latitude, longitude"
            " FROM appeal WHERE id = ANY($1)",
            principal,
            Parameters(list(ids)),
        )
        return {row["id"]: row for row in found}

    async def _fetch(
        self, statement: str, principal: Principal, parameters: Parameters
    ) -> list[Any]:
        async with inside(self._engine, door_of(principal)) as driver:
            return list(await driver.fetch(statement, *parameters.values))


def _sighting(row: Mapping[str, Any], text: str = "") -> Sighting:
    return Sighting(
        id=row["id"],
        number=row["number"],
        service=row["service"],
        category=row["category"],
        criticality=Criticality(row["criticality"]),
        cell=row["cell"],
        registered_at=row["registered_at"],
        text=text,
    )
