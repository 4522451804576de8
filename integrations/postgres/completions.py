"""How executors' 'done' fared with residents and inspectors, counted over a period."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.verdicts import Verdict
from domain.questions import Period
from integrations.postgres.doors import door_of
from integrations.postgres.scope import Parameters, performed
from integrations.postgres.session import inside

Row = Mapping[str, Any]


_VERDICTS = ", ".join(
    f"count(*) FILTER (WHERE c.verdict = '{verdict}') AS {verdict}" for verdict in Verdict
)


def counted(
    principal: Principal, period: Period, parameters: Parameters, after: int, limit: int
) -> str:
    """The statement: a row for each executor (and service), those with the most work first."""
    conditions = [
        performed(principal, parameters),
        f"c.done_at >= {parameters.add(period.begin)}",
        f"c.done_at < {parameters.add(period.end)}",
    ]
    if period.service is not None:
        conditions.append(f"c.service = {parameters.add(period.service)}")
    if period.organisation is not None:
        conditions.append(f"c.organisation_id = {parameters.add(period.organisation)}")
    service = "c.service" if period.by_service else "NULL::text"
    return (
        f"SELECT c.organisation_id, {service} AS service, count(*) AS done, {_VERDICTS},"
        " count(*) FILTER (WHERE c.verdict IS NULL) AS awaiting,"
        " count(*) FILTER (WHERE c.number = 1) AS first_done,"
        " count(*) FILTER (WHERE c.number = 1 AND c.verdict = 'confirmed') AS first_right,"
        " count(*) FILTER (WHERE c.number = 1"
        " AND c.verdict IN ('confirmed', 'refused', 'returned')) AS first_judged"
        f" FROM completion c WHERE {' AND '.join(conditions)} GROUP BY 1, 2"
        " ORDER BY done DESC, c.organisation_id, service"
        f" OFFSET {parameters.add(after)} LIMIT {parameters.add(limit)}"
    )


class Completions:
    """The figures of executors, read from `completion` alone."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def executors(
        self, principal: Principal, period: Period, *, after: int, limit: int
    ) -> list[Row]:
        """A row for each executor that the principal may judge, `after` of them left out."""
        parameters = Parameters()
        statement = counted(principal, period, parameters, after, limit)
        async with inside(self._engine, door_of(principal)) as driver:
            return list(await driver.fetch(statement, *parameters.values))
