"""The ways of appeals that were passed on: who had them, one after the other."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.organisations.returns import Trail
from integrations.postgres.doors import door_of
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import inside

# By the index of the executors' queues: it costs what was passed on, not what the city holds.
# OFFSET 0 keeps the planner from reading tables whole instead.
_PASSED_ON = """
WITH passed AS (
    SELECT s.appeal_id, max(s.offered_at) AS offered_at
      FROM organisation o CROSS JOIN unnest(ARRAY['redirected', 'declined']) t (state),
           LATERAL (SELECT s.appeal_id, s.offered_at FROM assignment s
                     WHERE s.organisation_id = o.id AND s.state = t.state
                       AND s.offered_at >= $2 OFFSET 0) s
     WHERE o.city_id = $1 GROUP BY 1)
SELECT a.service, a.district, p.offered_at, w.had FROM passed p
  CROSS JOIN LATERAL (
    SELECT a.service, a.district FROM appeal a WHERE a.id = p.appeal_id AND {seen} OFFSET 0) a
  CROSS JOIN LATERAL (
    SELECT array_agg(s.organisation_id ORDER BY s.offered_at, s.id) AS had
      FROM assignment s WHERE s.appeal_id = p.appeal_id) w
 WHERE cardinality(w.had) > 2
"""


class Trails:
    """Asked for by whoever looks after the routing; each sees the ways of their own appeals."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, principal: Principal, since: datetime) -> list[Trail]:
        """The whole ways of appeals that an organisation given them since then passed on or
        declined, where they were with three or more.
        """
        async with inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetch(*self.question(principal, since))
        return [
            Trail(row["service"], tuple(row["had"]), row["offered_at"], row["district"])
            for row in found
        ]

    def question(self, principal: Principal, since: datetime) -> tuple[Any, ...]:
        """The one statement, and its values."""
        parameters = Parameters(principal.city, since)
        statement = _PASSED_ON.format(seen=visible(principal, parameters))
        return statement, *parameters.values
