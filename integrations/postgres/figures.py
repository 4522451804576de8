"""Figures over the register: how many, by what, how many kept their promise, and how long it took.

Unlike the tallies (statistics.py) they follow a filter, and so the register is read: over a period
that the caller is held to, by the index of registrations.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal, public
from domain.publication.figures import Figure
from domain.publication.rows import Kin
from domain.questions import AppealFilter
from domain.values import Coordinates
from integrations.postgres.doors import door_of
from integrations.postgres.scope import Parameters
from integrations.postgres.searching import Search
from integrations.postgres.session import inside

_LOCAL = "a.registered_at AT TIME ZONE {zone}"
BY: Mapping[str, str] = {
    "status": "a.status",
    "service": "a.service",
    "category": "a.category",
    "sphere": "a.sphere",
    "district": "a.district",
    "organisation": "a.organisation_id::text",
    "channel": "a.channel",
    "kind": "a.kind",
    "criticality": "a.criticality",
    "hour": f"to_char({_LOCAL}, 'HH24')",
    "day": f"to_char({_LOCAL}, 'YYYY-MM-DD')",
}
"""By what appeals can be counted, in SQL; hours and days are those of the city."""


_RESOLVE = """
    LEFT JOIN LATERAL (
        SELECT k.met_at, k.breached_at IS NOT NULL AS breached FROM clock k
         WHERE k.appeal_id = a.id AND k.stage = 'resolve' AND k.state <> 'cancelled'
         ORDER BY k.round DESC LIMIT 1) r ON true
"""
_PROMISES = """
    count(*) FILTER (WHERE r.breached OR r.met_at IS NOT NULL) AS judged,
    count(*) FILTER (WHERE r.met_at IS NOT NULL AND NOT r.breached) AS kept,
    count(r.met_at) AS resolved,
    percentile_cont(0.5) WITHIN GROUP (
        ORDER BY extract(epoch FROM r.met_at - a.registered_at)) AS median
"""
_NOTHING = "0 AS judged, 0 AS kept, 0 AS resolved, NULL AS median"


COUNTING = 3
"""Counts at once in this process: one document may ask for forty, without a token, and each takes
its time. All at once they would take every connection from those who register and act."""


class Figures:
    """Counts, shares and medians."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turns = asyncio.Semaphore(COUNTING)

    async def by(
        self,
        principal: Principal,
        wanted: AppealFilter,
        dimension: str,
        zone: str,
        *,
        promises: bool = True,
    ) -> list[Figure]:
        """A figure for each group of what the principal sees, by key; without `promises` only
        how many, which needs no clock.

        The promise is that of `resolve`, in its latest round: kept where it was met and never
        breached, decided where it was met or breached. The median is from registration to its
        being met.
        """
        parameters = Parameters()
        asked = Search(None, principal, wanted, None, 0).conditions(parameters)
        key = BY[dimension]
        if "{zone}" in key:
            key = key.format(zone=f"{parameters.add(zone)}::text")
        columns, joined = (_PROMISES, _RESOLVE) if promises else (_NOTHING, "")
        statement = f"""
            SELECT {key} AS key, count(*) AS count,
                   count(*) FILTER (WHERE a.status = 'closed') AS closed, {columns}
              FROM appeal a {joined} WHERE {asked} GROUP BY 1 ORDER BY 1 NULLS LAST
        """
        async with self._turns, inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetch(statement, *parameters.values)
        return [_figure(row) for row in found]

    async def kin(
        self, city: UUID, begin: datetime, end: datetime, zone: str
    ) -> list[tuple[Kin, Coordinates | None, int]]:
        """How many appeals of a city were registered from the one instant and before the other, by
        what the public may be told of them, their weeks and their points
        (domain/publication/rows.py).
        """
        statement = """
            SELECT a.service, a.category, a.sphere, a.district, a.latitude, a.longitude,
                   date_trunc('week', a.registered_at AT TIME ZONE $4)::date AS week, count(*) AS n
              FROM appeal a
             WHERE a.city_id = $1 AND a.registered_at >= $2 AND a.registered_at < $3
             GROUP BY 1, 2, 3, 4, 5, 6, 7
        """
        async with self._turns:
            async with inside(self._engine, door_of(public(city))) as driver:
                found = await driver.fetch(statement, city, begin, end, zone)
            # A large week has as many rows as appeals: none of the loop's work.
            return await asyncio.to_thread(_counted, found)


def _counted(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Kin, Coordinates | None, int]]:
    return [(_kin(row), _point(row), row["n"]) for row in rows]


def _kin(row: Mapping[str, Any]) -> Kin:
    return Kin(row["service"], row["category"], row["sphere"], row["district"], row["week"])


def _point(row: Mapping[str, Any]) -> Coordinates | None:
    if row["latitude"] is None or row["longitude"] is None:
        return None
    return Coordinates(row["latitude"], row["longitude"])


def _figure(row: Mapping[str, Any]) -> Figure:
    return Figure(
        row["key"],
        row["count"],
        row["closed"],
        row["judged"],
        row["kept"],
        row["resolved"],
        None if row["median"] is None else float(row["median"]),
    )
