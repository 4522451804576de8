"""Whether what is kept of counts is what counting gives: tallies and holdings, against the rows.

Both are read by one statement, so that the city may work meanwhile. A difference that is found
stays one however the counts go on, since whatever happens is counted as a change: adding it up
with them mends them, at any later time.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

_APPEAL = "CASE WHEN a.status = 'closed' AND a.first_contact THEN 'closed first' ELSE a.status END"
_CLOCK = "CASE WHEN k.state = 'met' AND k.breached_at IS NOT NULL THEN 'met_late' ELSE k.state END"

_PLACES = f"""
    SELECT a.city_id, 'appeal' AS subject, a.district AS place, {_APPEAL} AS state,
           count(*) AS counted, 0 AS kept FROM appeal a GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT k.city_id, 'clock', k.district, {_CLOCK}, count(*), 0 FROM clock k GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT n.city_id, 'consultation', n.district, 'answered', count(*), 0
      FROM consultation n GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT d.city_id, 'delivery', w.organisation_id::text, d.state, count(*), 0
      FROM delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT city_id, subject, place, state, 0, sum(count) FROM tally GROUP BY 1, 2, 3, 4
"""
_HOLDERS = f"""
    SELECT c.city_id, 'appeal' AS subject, holders_of(c.organisations) AS place, {_APPEAL} AS state,
           count(*) AS counted, 0 AS kept
      FROM card c JOIN appeal a ON a.id = c.appeal_id WHERE c.organisations <> '{{}}'
     GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT c.city_id, 'clock', holders_of(c.organisations), {_CLOCK}, count(*), 0
      FROM card c JOIN clock k ON k.appeal_id = c.appeal_id WHERE c.organisations <> '{{}}'
     GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT n.city_id, 'consultation', ARRAY[m.organisation_id], 'answered', count(*), 0
      FROM consultation n JOIN member m ON m.id = n.operator_id
     WHERE m.organisation_id IS NOT NULL GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT city_id, subject, holders, state, 0, sum(count) FROM holding GROUP BY 1, 2, 3, 4
"""
_KEPT = {"tally": (_PLACES, "place"), "holding": (_HOLDERS, "holders")}


_DIFFERING = """
    SELECT city_id, subject, place, state, sum(counted)::bigint AS counted,
           sum(kept)::bigint AS kept
      FROM ({counts}) c GROUP BY 1, 2, 3, 4 HAVING sum(counted) <> sum(kept)
     ORDER BY 1, 2, 3, 4
"""
_MENDED = """
    WITH differing AS ({differing}), mended AS (
        INSERT INTO {table} (city_id, subject, {column}, state, count)
        SELECT city_id, subject, place, state, counted - kept FROM differing)
    SELECT * FROM differing
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A count that is kept otherwise than counting gives; of a `place` or of a set of holders."""

    city: UUID
    subject: str
    place: str
    state: str
    counted: int
    kept: int


async def recount(engine: AsyncEngine, *, mend: bool = False) -> list[Difference]:
    """Where the counts that are kept are others; with `mend` they are put right.

    Reads the register whole.
    """
    found: list[Difference] = []
    for table, (counts, column) in _KEPT.items():
        async with inside(engine, PLATFORM) as driver:
            if mend:
                # What two found they would put right twice.
                await driver.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
            statement = _DIFFERING.format(counts=counts)
            if mend:
                statement = _MENDED.format(differing=statement, table=table, column=column)
            found += map(_difference, await driver.fetch(statement))
    return found


def _difference(row: Any) -> Difference:
    place = row["place"]
    said = place or "" if isinstance(place, str | None) else ", ".join(map(str, place))
    return Difference(
        UUID(str(row["city_id"])), row["subject"], said, row["state"], row["counted"], row["kept"]
    )
