"""Whether what is kept beside the register is what the register says, and how it is put right.

Tallies and holdings are counts: kept and counted are read by one statement, so that the city may
work meanwhile. A difference that is found stays one however the counts go on, since whatever
happens is counted as a change: adding it up with them mends them, at any later time. Desks,
meetings and dealings are rows: those that differ are laid anew, desks while their appeals are held.
"""

from collections import Counter
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
_OPEN = """
    SELECT DISTINCT c.city_id, o.id AS organisation_id, c.registered_at, c.appeal_id, a.status
      FROM appeal a JOIN card c ON c.appeal_id = a.id, unnest(c.organisations) o (id)
     WHERE a.status NOT IN ('closed', 'withdrawn')
"""
_MISLAID = f"""
    WITH open AS ({_OPEN}), lying AS (
        SELECT city_id, organisation_id, registered_at, appeal_id, status FROM desk WHERE NOT ended)
    SELECT city_id, organisation_id, appeal_id, 'missing' AS state
      FROM (TABLE open EXCEPT TABLE lying) m
     UNION ALL
    SELECT city_id, organisation_id, appeal_id, 'over' FROM (TABLE lying EXCEPT TABLE open) v
     ORDER BY 1, 2, 4, 3
"""
_LAY = f"""
    INSERT INTO desk AS d (city_id, organisation_id, registered_at, appeal_id, status)
    SELECT * FROM ({_OPEN}) open WHERE appeal_id = ANY($1)
        ON CONFLICT (organisation_id, registered_at, appeal_id)
        DO UPDATE SET ended = false, status = excluded.status
"""
_LIFT = f"""
    UPDATE desk d SET ended = true WHERE d.appeal_id = ANY($1) AND NOT d.ended
       AND (d.city_id, d.organisation_id, d.registered_at, d.appeal_id) NOT IN (
           SELECT city_id, organisation_id, registered_at, appeal_id
             FROM ({_OPEN}) open WHERE appeal_id = ANY($1))
"""
_UNKNOWN = """
    SELECT DISTINCT a.city_id, a.service, a.category, a.sphere, a.kind FROM appeal a
    EXCEPT SELECT city_id, service, category, sphere, kind FROM meeting ORDER BY 1, 2, 3, 4, 5
"""
_MEET = f"INSERT INTO meeting (city_id, service, category, sphere, kind) {_UNKNOWN}"
_MEET += " ON CONFLICT DO NOTHING"
_UNDEALT = """
    SELECT DISTINCT c.city_id, o.id AS organisation_id, f.facet
      FROM card c, unnest(c.organisations) o (id), unnest(c.facets) f (facet)
     WHERE f.facet <> ('x' || left(md5('day=' || to_char(
               c.registered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')), 8))::bit(32)::int
    EXCEPT SELECT city_id, organisation_id, facet FROM dealing ORDER BY 1, 2, 3
"""
_DEAL = f"INSERT INTO dealing (city_id, organisation_id, facet) {_UNDEALT}"


@dataclass(frozen=True, slots=True)
class Difference:
    """What is kept otherwise than the register says: how many, of a place or of holders.

    Of desks (`missing`, or `over` and still lying; both where it stands otherwise) and dealings the
    place is the organisation; of meetings the service, category, sphere and kind.
    """

    city: UUID
    subject: str
    place: str
    state: str
    counted: int
    kept: int


async def recount(engine: AsyncEngine, *, mend: bool = False) -> list[Difference]:
    """Where the register says something else than is kept; with `mend` it is put right.

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
    for look in (_mislaid, _unknown, _undealt):
        async with inside(engine, PLATFORM) as driver:
            found += await look(driver, mend)
    return found


async def _mislaid(driver: Any, mend: bool) -> list[Difference]:
    rows = await driver.fetch(_MISLAID)
    if rows and mend:
        appeals = sorted({row["appeal_id"] for row in rows})
        # Whoever acts on one meanwhile has it first, and then lies what is open after that.
        held = "SELECT id FROM appeal WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
        for statement in (held, _LAY, _LIFT):
            await driver.fetch(statement, appeals)
    found = Counter((row["city_id"], row["organisation_id"], row["state"]) for row in rows)
    return [
        Difference(UUID(str(city)), "desk", str(organisation), state, *_pair(state, n))
        for (city, organisation, state), n in found.items()
    ]


def _pair(state: str, n: int) -> tuple[int, int]:
    """Counted and kept."""
    return (n, 0) if state == "missing" else (0, n)


async def _unknown(driver: Any, mend: bool) -> list[Difference]:
    rows = await driver.fetch(_UNKNOWN)
    if rows and mend:
        await driver.fetch(_MEET)
    return [
        Difference(UUID(str(city)), "meeting", " ".join(map(str, kind)), "missing", 1, 0)
        for city, *kind in map(tuple, rows)
    ]


async def _undealt(driver: Any, mend: bool) -> list[Difference]:
    rows = await driver.fetch(_UNDEALT)
    if rows and mend:
        await driver.fetch(_DEAL)
    found = Counter((row["city_id"], row["organisation_id"]) for row in rows)
    return [
        Difference(UUID(str(city)), "dealing", str(organisation), "missing", n, 0)
        for (city, organisation), n in found.items()
    ]


def _difference(row: Any) -> Difference:
    place = row["place"]
    said = place or "" if isinstance(place, str | None) else ", ".join(map(str, place))
    return Difference(
        UUID(str(row["city_id"])), row["subject"], said, row["state"], row["counted"], row["kept"]
    )
