"""What can be asked about incidents without changing them, scoped by the principal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.errors import NotFound
from domain.incidents.model import Incident, IncidentEvent
from domain.ports import Keyring
from domain.questions import IncidentFilter, Page
from integrations.postgres.doors import PLATFORM, door_of
from integrations.postgres.incident_rows import read_incident, read_incident_event
from integrations.postgres.scope import Parameters, concerning, known, visible
from integrations.postgres.session import inside

SETTLES_AFTER = timedelta(minutes=10)
"""How long after its end an incident is still watched: far longer than any process may know a
snapshot in which it had not ended, and join an appeal to it.
"""

_SETTLE = """
UPDATE incident i SET settled = true
 WHERE NOT settled AND ended_at < $1 AND NOT EXISTS (
    SELECT 1 FROM appeal a WHERE a.incident_id = i.id AND a.incident_followed < i.acts)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """An incident as the principal sees it. `concerns` is False where it is public and no more;
    `counts` are joined appeals that they see, by status, and `refused` those reopened.
    """

    incident: Incident
    concerns: bool
    counts: Mapping[str, int]
    refused: int


class IncidentQueries:
    """See the module."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def incident(self, principal: Principal, id: UUID) -> Seen:
        """One incident. Raises NotFound."""
        parameters = Parameters()
        found = await self._seen(principal, parameters, [f"i.id = {parameters.add(id)}"], "")
        if not found:
            raise NotFound(kind="incident", id=str(id))
        return found[0]

    async def incidents(
        self, principal: Principal, wanted: IncidentFilter, after: Page | None, limit: int
    ) -> list[Seen]:
        """Incidents, the newest first."""
        parameters = Parameters()
        conditions = _conditions(wanted, parameters)
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            conditions.append(f"(i.opened_at, i.id) < {place}")
        order = f"ORDER BY i.opened_at DESC, i.id DESC LIMIT {parameters.add(limit)}"
        return await self._seen(principal, parameters, conditions, order)

    async def history(
        self, principal: Principal, id: UUID, after: int, limit: int
    ) -> list[IncidentEvent]:
        """The history of an incident in order, for those whom it concerns. Raises NotFound."""
        parameters = Parameters(id)
        mine = concerning(principal, parameters)
        found = await self._fetch(
            f"SELECT 1 FROM incident i WHERE i.id = $1 AND {mine}", principal, parameters
        )
        if not found:
            raise NotFound(kind="incident", id=str(id))
        rows = await self._fetch(
            "SELECT * FROM incident_event WHERE incident_id = $1 AND sequence > $2"
            " ORDER BY sequence LIMIT $3",
            principal,
            Parameters(id, after, limit),
        )
        return [read_incident_event(row, self._keyring) for row in rows]

    async def settle(self, at: datetime) -> int:
        """Watch no longer what ended long ago and was followed by all; how many there were."""
        async with inside(self._engine, PLATFORM) as driver:
            done = await driver.execute(_SETTLE, at - SETTLES_AFTER)
        return int(done.rpartition(" ")[2])

    async def _seen(
        self, principal: Principal, parameters: Parameters, conditions: Sequence[str], order: str
    ) -> list[Seen]:
        mine = concerning(principal, parameters)
        exists = known(principal, parameters)
        scope = visible(principal, parameters)
        found = await self._fetch(
            f"""
            SELECT i.*, ({mine}) AS concerns, c.counts, c.refused FROM incident i
              CROSS JOIN LATERAL (
                SELECT coalesce(json_object_agg(n.status, n.n), '{{}}') AS counts,
                       coalesce(sum(n.refused), 0)::int AS refused
                  FROM (SELECT a.status, count(*) AS n,
                               count(*) FILTER (WHERE a.reopened > 0) AS refused
                          FROM appeal a WHERE a.incident_id = i.id AND {scope}
                         GROUP BY a.status) n) c
             WHERE {" AND ".join([exists, *conditions])} {order}
            """,
            principal,
            parameters,
        )
        return [
            Seen(read_incident(row), row["concerns"], row["counts"], row["refused"])
            for row in found
        ]

    async def _fetch(
        self, statement: str, principal: Principal, parameters: Parameters
    ) -> list[Any]:
        async with inside(self._engine, door_of(principal)) as driver:
            return list(await driver.fetch(statement, *parameters.values))


def _conditions(wanted: IncidentFilter, parameters: Parameters) -> list[str]:
    found = []
    if wanted.statuses:
        found.append(f"i.status = ANY({parameters.add(list(wanted.statuses))})")
    if wanted.kind is not None:
        found.append(f"i.kind = {parameters.add(wanted.kind)}")
    if wanted.service is not None:
        found.append(f"{parameters.add(wanted.service)} = ANY(i.services)")
    if wanted.organisation is not None:
        found.append(f"i.executor_id = {parameters.add(wanted.organisation)}")
    if wanted.overdue_at is not None:
        # As the index of what is live has it.
        found.append("i.status = 'active' AND i.status IN ('announced', 'active')")
        found.append(f"i.planned_to <= {parameters.add(wanted.overdue_at)}")
    if wanted.ids is not None:
        found.append(f"i.id = ANY({parameters.add(list(wanted.ids))})")
    return found
