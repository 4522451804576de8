"""The city's figures: tallies and holdings are added up, the register is not read, but for what was
over in a period.

Who sees what was assigned to them alone (scope.py) has theirs from holdings, by the sets of
organisations that appeals stand with; the city and its districts have tallies.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import CITY_WIDE, Principal
from integrations.postgres.doors import PLATFORM, door_of
from integrations.postgres.figures import COUNTING
from integrations.postgres.scope import Parameters, counted, lies_in, visible
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

_SETTLE = """
WITH gone AS (
    DELETE FROM holding WHERE id IN (
        SELECT id FROM holding WHERE NOT settled ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING city_id, subject, holders, state, count
), kept AS (
    INSERT INTO holding (city_id, subject, holders, state, count, settled)
    SELECT city_id, subject, holders, state, sum(count), true FROM gone
     GROUP BY city_id, subject, holders, state HAVING sum(count) <> 0
     ORDER BY city_id, subject, holders, state
        ON CONFLICT (city_id, subject, holders, state) WHERE settled
        DO UPDATE SET count = holding.count + excluded.count
)
SELECT count(*) FROM gone
"""

_TALLIES = """
SELECT t.subject, t.state, sum(t.count)::bigint AS n FROM tally t WHERE t.city_id = $1
"""

LOOSE = 2000
"""Rows that may lie about before they are added up; a reader adds up so many in milliseconds."""


class Statistics:
    """Counts of appeals, first contact, consultations, clocks and deliveries."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turns = asyncio.Semaphore(COUNTING)

    async def figures(self, principal: Principal) -> Mapping[str, Any]:
        """The counts of what the principal may see, exact at one moment.

        Deliveries are those to the principal's own organisations, for who sees less than a city.
        """
        counts = await self._counts(principal)
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

    async def first_contact(
        self, principal: Principal, begin: datetime, end: datetime
    ) -> Mapping[str, int]:
        """What of all that the principal sees was over from the one time on and before the other:
        `closed` appeals, those of them `first_closed`, and `consultations`.
        """
        async with self._turns, inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetchrow(*self.over(principal, begin, end))
        return dict(found)

    def over(self, principal: Principal, begin: datetime, end: datetime) -> tuple[Any, ...]:
        """The one statement that counts what was over, by indexes of when it was, and its values:
        it costs what the period holds, not what the city does.
        """
        parameters = Parameters(begin, end)
        appeals, consultations = visible(principal, parameters), counted(principal, parameters)
        statement = f"""
            SELECT a.closed, a.first_closed, n.consultations
              FROM (SELECT count(*) AS closed,
                           count(*) FILTER (WHERE a.first_contact) AS first_closed
                      FROM appeal a WHERE {appeals} AND a.status = 'closed'
                       AND a.closed_at >= $1 AND a.closed_at < $2) a,
                   (SELECT count(*) AS consultations FROM consultation n
                     WHERE {consultations} AND n.at >= $1 AND n.at < $2) n
        """
        return statement, *parameters.values

    async def add_up(self, limit: int = 4 * LOOSE) -> int:
        """Add up where many lie about; how many there were. Any number may do it at once.

        A reader sees them either as they were or added up, and the sum is the same.
        """
        added = 0
        for count, add_up in (
            ("SELECT count(*) FROM tally", _ADD_UP),
            ("SELECT count(*) FROM holding WHERE NOT settled", _SETTLE),
        ):
            async with inside(self._engine, PLATFORM) as driver:
                if await driver.fetchval(count) > LOOSE:
                    added += await driver.fetchval(add_up, limit)
        return added

    async def _counts(self, principal: Principal) -> dict[tuple[str, str], int]:
        async with inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetch(*self.question(principal))
        return {(row["subject"], row["state"]): row["n"] for row in found}

    def question(self, principal: Principal) -> tuple[Any, ...]:
        """The one statement that counts by subject and state, and its values."""
        parameters = Parameters(principal.city)
        if principal.role in CITY_WIDE:
            return self._of_the_city(principal, parameters), *parameters.values
        own = parameters.add(list(principal.organisations))
        statement = f"""
            {_TALLIES} AND t.subject = 'delivery' AND t.place = ANY({own}::uuid[]::text[])
             GROUP BY 1, 2
             UNION ALL
            SELECT h.subject, h.state, sum(h.count)::bigint AS n FROM holding h
             WHERE h.city_id = $1 AND h.holders && {own}::uuid[] GROUP BY 1, 2
        """
        return statement, *parameters.values

    def _of_the_city(self, principal: Principal, parameters: Parameters) -> str:
        place = told = "true"
        if (districts := principal.confined) is not None:
            place = lies_in(districts, parameters, "t.place")
        if principal.district is not None:
            told = f"t.place = ANY({parameters.add([str(o) for o in principal.organisations])})"
        return (
            f"{_TALLIES} AND CASE t.subject WHEN 'delivery' THEN {told} ELSE {place} END"
            " GROUP BY 1, 2"
        )
