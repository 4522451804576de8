"""The ways of appeals that were passed on: who had them, one after the other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.organisations.returns import Trail

# By the index of the executors' queues: it costs what was passed on, not what the city holds.
_PASSED_ON = text("""
WITH passed AS (
    SELECT DISTINCT s.appeal_id
      FROM organisation o CROSS JOIN unnest(ARRAY['redirected', 'declined']) t (state),
           LATERAL (SELECT s.appeal_id FROM assignment s WHERE s.organisation_id = o.id
                       AND s.state = t.state AND s.offered_at >= :since) s
     WHERE o.city_id = :city)
SELECT a.service, w.had FROM passed p JOIN appeal a ON a.id = p.appeal_id
  CROSS JOIN LATERAL (
    SELECT array_agg(s.organisation_id ORDER BY s.offered_at, s.id) AS had
      FROM assignment s WHERE s.appeal_id = p.appeal_id) w
 WHERE cardinality(w.had) > 2
""")


async def trails(connection: AsyncConnection, city: UUID, since: datetime) -> list[Trail]:
    """The whole ways of appeals that an organisation given them since then passed on or declined,
    where they were with three or more.
    """
    found = await connection.execute(_PASSED_ON, {"city": city, "since": since})
    return [Trail(service, tuple(had)) for service, had in found]
