"""The city's figures: tallies are added up, the register is not read.

Whoever sees what was assigned to them alone (scope.py) has no tallies of their own: theirs is
counted, by the cards of their organisations.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import CITY_WIDE, Principal, Role
from integrations.postgres.doors import PLATFORM, door_of
from integrations.postgres.scope import Parameters, counted, visible
from integrations.postgres.session import inside

_ADD_UP = """
WITH gone AS (
    DELETE FROM tally WHERE id IN (
        SELECT id FROM tally ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING city_id, subject, place, state, count
), kept AS (
    INSERT INTO tally (city_id, subject, place, state, count)
    SELECT city_id, subject, place, state, sum(count) FROM gone
     GROUP BY city_id, subject, place, state HAVING sum(count) <> 0
)
SELECT count(*) FROM gone
"""

LOOSE = 2000
"""Tallies that may lie about before they are added up; a reader adds up so many in milliseconds."""


class Statistics:
    """Counts of appeals, first contact, consultations, clocks and deliveries."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def figures(self, principal: Principal) -> Mapping[str, Any]:
        """The counts of what the principal may see, exact at one moment.

        Deliveries are those to the principal's own organisations, for who sees less than a city.
        """
        counts = await self._tallies(principal)
        if principal.role not in CITY_WIDE:
            delivered = {key: n for key, n in counts.items() if key[0] == "delivery"}
            counts = delivered | await self._own(principal)
        appeals = {state: n for (subject, state), n in counts.items() if subject == "appeal" and n}
        first = appeals.pop("closed first", 0)
        by_status = Counter(appeals) + Counter({"closed": first})
        return {
            "by_status": dict(by_status),
            "total": by_status.total(),
            "closed": by_status["closed"],
            "first_closed": first,
            "consultations": counts.get(("consultation", "answered"), 0),
            "clocks": {state: n for (what, state), n in counts.items() if what == "clock"},
            "deliveries": {state: n for (what, state), n in counts.items() if what == "delivery"},
        }

    async def add_up(self, limit: int = 4 * LOOSE) -> int:
        """Add tallies up where many lie about; how many there were. Any number may do it at once.

        A reader sees them either as they were or added up, and the sum is the same.
        """
        async with inside(self._engine, PLATFORM) as driver:
            loose = await driver.fetchval("SELECT count(*) FROM tally")
            return int(await driver.fetchval(_ADD_UP, limit)) if loose > LOOSE else 0

    async def _tallies(self, principal: Principal) -> dict[tuple[str, str], int]:
        parameters = Parameters(principal.city)
        place = "true"
        whole = principal.role in CITY_WIDE
        if whole and principal.role is Role.AKIM and principal.district is not None:
            place = f"t.place = {parameters.add(principal.district)}"
        told = "true"
        if not whole or principal.district is not None:
            told = f"t.place = ANY({parameters.add([str(o) for o in principal.organisations])})"
        return await self._counts(
            "SELECT t.subject, t.state, sum(t.count)::bigint AS n FROM tally t"
            f" WHERE t.city_id = $1 AND CASE t.subject WHEN 'delivery' THEN {told} ELSE {place} END"
            " GROUP BY 1, 2",
            principal,
            parameters,
        )

    async def _own(self, principal: Principal) -> dict[tuple[str, str], int]:
        """What tallies do not know: counted among the appeals of the principal's organisations."""
        parameters = Parameters()
        scope = visible(principal, parameters)
        answered = counted(principal, parameters)
        own = parameters.add(list(principal.organisations))
        return await self._counts(
            f"""
            WITH seen AS MATERIALIZED (
                SELECT a.id, a.status, a.first_contact FROM appeal a WHERE {scope}
                   AND a.id IN (SELECT c.appeal_id FROM card c WHERE c.organisations && {own}))
            SELECT 'appeal' AS subject, CASE WHEN status = 'closed' AND first_contact
                   THEN 'closed first' ELSE status END AS state, count(*) AS n FROM seen GROUP BY 2
             UNION ALL
            SELECT 'clock', CASE WHEN k.state = 'met' AND k.breached_at IS NOT NULL
                   THEN 'met_late' ELSE k.state END, count(*)
              FROM seen JOIN clock k ON k.appeal_id = seen.id GROUP BY 2
             UNION ALL
            SELECT 'consultation', 'answered', count(*) FROM consultation n WHERE {answered}
            """,
            principal,
            parameters,
        )

    async def _counts(
        self, statement: str, principal: Principal, parameters: Parameters
    ) -> dict[tuple[str, str], int]:
        async with inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetch(statement, *parameters.values)
        return {(row["subject"], row["state"]): row["n"] for row in found}
