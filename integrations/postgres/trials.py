"""Reading the register for a trial: slices of it as columns, in one snapshot, writing nothing."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.trials.lives import REASONS
from domain.trials.replay import ENDS, LOOKED_AT, TAKES, TURNS
from domain.trials.slices import (
    ACTS,
    APPEALS,
    CHANNELS,
    CLOCKS,
    KINDS,
    STAGES,
    STATES,
    TIMES,
    Codebook,
    Slice,
)
from integrations.postgres.copied import copied

_NIL = UUID(int=0)
_PATIENCE = "10min"


@dataclass(frozen=True, slots=True)
class Window:
    """Registered from `since` up to, not including, `until`."""

    since: datetime
    until: datetime


@asynccontextmanager
async def snapshot(engine: AsyncEngine, name: str | None = None) -> AsyncIterator[AsyncConnection]:
    """A read-only transaction that sees one moment; that of another one, if its name is given.

    It has no transaction id, so nobody who reads events in order waits for it.
    """
    async with engine.connect() as connection:
        await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        if name is not None:
            # A utility statement takes no parameters; the name is the server's own.
            await connection.execute(text(f"SET TRANSACTION SNAPSHOT '{_checked(name)}'"))
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            await connection.execute(text(f"SET LOCAL {limit} = '{_PATIENCE}'"))
        yield connection


def _checked(name: str) -> str:
    if not set(name) <= set("0123456789ABCDEF-"):
        raise ValueError("no name of a snapshot")
    return name


async def share(connection: AsyncConnection) -> str:
    """The name by which other sessions see the same moment while this one stands."""
    return str(await connection.scalar(text("SELECT pg_export_snapshot()")))


async def windows(
    connection: AsyncConnection, city: UUID, whole: Window, size: int
) -> list[Window]:
    """The window in parts of about `size` appeals; none where there is no appeal."""
    found = await connection.execute(
        text(
            "SELECT DISTINCT registered_at FROM (SELECT registered_at, row_number() OVER "
            "(ORDER BY registered_at) AS place FROM appeal WHERE city_id = :city "
            "AND registered_at >= :since AND registered_at < :until) AS listed "
            "WHERE place % :size = 1 ORDER BY registered_at"
        ),
        {"city": city, "since": whole.since, "until": whole.until, "size": size},
    )
    begins = list(found.scalars())
    ends = [*begins[1:], whole.until]
    return [Window(begin, end) for begin, end in zip(begins, ends, strict=True)]


async def service_codes(connection: AsyncConnection, city: UUID) -> list[str]:
    """Every service that the city ever had."""
    found = await connection.execute(
        text("SELECT DISTINCT code FROM service_version WHERE city_id = :city ORDER BY code"),
        {"city": city},
    )
    return list(found.scalars())


async def numbers(connection: AsyncConnection, ids: Iterable[bytes]) -> dict[bytes, str]:
    """The registration numbers of appeals by id."""
    found = await connection.execute(
        text("SELECT id, number FROM appeal WHERE id = ANY(:ids)"),
        {"ids": [UUID(bytes=each) for each in ids]},
    )
    return {row.id.bytes: row.number for row in found}


async def answers(
    connection: AsyncConnection, city: UUID, window: Window, services: Collection[str]
) -> list[tuple[bytes, str, Any]]:
    """Id, service and answers of the appeals of these services."""
    found = await connection.execute(
        text(
            "SELECT id, service, answers FROM appeal WHERE city_id = :city "
            "AND registered_at >= :since AND registered_at < :until AND service = ANY(:services) "
            "ORDER BY registered_at, id"
        ),
        {"city": city, "since": window.since, "until": window.until, "services": list(services)},
    )
    return [(row.id.bytes, row.service, row.answers) for row in found]


async def read_slice(
    connection: AsyncConnection, city: UUID, window: Window, codes: Codebook
) -> Slice:
    """The appeals of a window with their clocks, and the acts of those that took a turn."""
    driver = (await connection.get_raw_connection()).driver_connection
    where = (city, window.since, window.until)
    appeals = await copied(
        driver, _APPEALS, *where, list(CHANNELS), list(codes.services), list(codes.districts),
        list(codes.organisations), _NIL, list(KINDS),
        kinds=_kinds(APPEALS, ("registered", "closed")),
    )  # fmt: skip
    clocks = await copied(
        driver, _CLOCKS, *where, list(STAGES), list(STATES), list(codes.policies),
        list(codes.calendars),
        kinds=_kinds(CLOCKS, ("started", "due", "paused", "met", "breached", "cancelled"),
                     ("target", "paused_for")),
    )  # fmt: skip
    acts = await copied(
        driver, _ACTS, *where, list(TURNS), list(LOOKED_AT), list(STAGES), list(REASONS),
        kinds=_kinds(ACTS, ("at", "until"), ("by",)),
    )  # fmt: skip
    return Slice(appeals, clocks, acts)


async def read_times(connection: AsyncConnection, piece: Slice, places: NDArray[Any]) -> Slice:
    """The slice with the times of some of its appeals."""
    driver = (await connection.get_raw_connection()).driver_connection
    ids = [UUID(bytes=bytes(id)) for id in piece.appeals["id"][places]]
    instants = [name for name in TIMES.names or () if name != "place"]
    kinds = _kinds(TIMES, instants)
    acts = (list(LOOKED_AT), list(TAKES), list(ENDS))
    times = await copied(driver, _TIMES, ids, *acts, kinds=kinds)
    times["place"] = places
    return replace(piece, times=times)


def _kinds(
    columns: np.dtype[Any], instants: Sequence[str], intervals: Sequence[str] = ()
) -> dict[str, str]:
    kinds = {name: columns[name].str.lstrip("<>|") for name in columns.names or ()}
    kinds |= {name: "?" for name, kind in kinds.items() if kind == "b1"}
    return kinds | dict.fromkeys(instants, "instant") | dict.fromkeys(intervals, "interval")


_SLICE = """
WITH slice AS (
    SELECT (row_number() OVER (ORDER BY registered_at, id) - 1)::int4 AS place, *
    FROM appeal WHERE city_id = $1 AND registered_at >= $2 AND registered_at < $3
)
"""

# OFFSET 0 keeps the planner from reading the whole of a large table for each slice.
_APPEALS = (
    _SLICE
    + """
SELECT a.id, a.registered_at, coalesce(a.closed_at, 'infinity'), coalesce(s.place, 0)::int4,
    coalesce(array_position($4::text[], a.channel), 0)::int4,
    a.route ->> 'reason' <> 'first-contact', coalesce(a.building_id, $8::uuid),
    coalesce(a.street_id, $8::uuid), coalesce(d.place, 0)::int4, coalesce(a.address, '') <> '',
    a.latitude IS NOT NULL AND a.longitude IS NOT NULL, coalesce(a.latitude, 0),
    coalesce(a.longitude, 0), coalesce(o.place, 0)::int4,
    coalesce(array_position($9::text[], a.legal_kind), 0)::int4,
    coalesce((a.legal ->> 'law_version')::int4, 0), coalesce((a.legal ->> 'threat')::boolean, false)
FROM slice AS a
CROSS JOIN LATERAL (
    SELECT (array_agg(e.organisation_id) FILTER (WHERE e.offered_at = a.registered_at))[1]
        AS organisation
    FROM assignment AS e WHERE e.appeal_id = a.id OFFSET 0
) AS x
LEFT JOIN unnest($5::text[]) WITH ORDINALITY AS s (code, place) ON s.code = a.service
LEFT JOIN unnest($6::text[]) WITH ORDINALITY AS d (code, place) ON d.code = a.district
LEFT JOIN unnest($7::uuid[]) WITH ORDINALITY AS o (id, place) ON o.id = x.organisation
ORDER BY a.place
"""
)

_CLOCKS = (
    _SLICE
    + """
SELECT a.place, coalesce(array_position($4::text[], k.stage), 0)::int4, k.round::int4,
    coalesce(p.place, 0)::int4, k.policy_version, coalesce(c.place, 0)::int4, k.calendar_version,
    coalesce(array_position($5::text[], k.state), 0)::int4, k.started_at, k.due_at, k.target,
    k.paused_for, coalesce(k.paused_at, 'infinity'), coalesce(k.met_at, 'infinity'),
    coalesce(k.breached_at, 'infinity'), coalesce(k.cancelled_at, 'infinity')
FROM slice AS a
CROSS JOIN LATERAL (SELECT * FROM clock AS k WHERE k.appeal_id = a.id OFFSET 0) AS k
LEFT JOIN unnest($6::text[]) WITH ORDINALITY AS p (code, place) ON p.code = k.policy
LEFT JOIN unnest($7::text[]) WITH ORDINALITY AS c (code, place) ON c.code = k.calendar
ORDER BY a.place, 2, k.round
"""
)

_ACTS = (
    _SLICE
    + """
SELECT a.place, array_position($5::text[], e.type)::int4, e.at,
    coalesce(array_position($6::text[], e.said -> 'data' ->> 'stage'), 0)::int4,
    coalesce(array_position($7::text[], e.said -> 'data' ->> 'reason'), 0)::int4,
    coalesce((e.said -> 'data' ->> 'until')::timestamptz, 'infinity'),
    NOT e.internal AND coalesce(e.said -> 'actor' ->> 'role', 'citizen') <> 'citizen',
    coalesce(e.said -> 'data' -> 'fields' ? 'service', false),
    coalesce(CASE WHEN e.type = 'appeal.extension_granted' THEN e.said -> 'data' ->> 'by' END,
             'PT0S')::interval,
    coalesce((e.said -> 'data' ->> 'version_before')::int4, 0),
    coalesce((e.said -> 'data' ->> 'version_after')::int4, 0)
FROM slice AS a
CROSS JOIN LATERAL (
    SELECT FROM event AS t WHERE t.appeal_id = a.id AND t.type = ANY($4::text[]) LIMIT 1
) AS turned
CROSS JOIN LATERAL (
    SELECT e.sequence, e.type, e.at, e.internal,
        CASE WHEN e.type IN ('appeal.paused', 'appeal.stage_reported', 'appeal.corrected',
                             'appeal.commented', 'appeal.extension_granted', 'clock.recomputed')
             THEN convert_from(e.canonical, 'UTF8')::jsonb END AS said
    FROM event AS e WHERE e.appeal_id = a.id AND e.type = ANY($5::text[]) OFFSET 0
) AS e
ORDER BY a.place, e.sequence
"""
)

_TIMES = """
SELECT (a.place - 1)::int4, coalesce(x.accepted, 'infinity'), coalesce(x.answered, 'infinity'),
    coalesce(x.reported, 'infinity'), coalesce(x.done, 'infinity')
FROM unnest($1::uuid[]) WITH ORDINALITY AS a (id, place)
CROSS JOIN LATERAL (
    SELECT min(e.at) FILTER (WHERE e.type = ANY($3::text[])
            OR e.type = 'appeal.commented'
            AND convert_from(e.canonical, 'UTF8')::jsonb -> 'actor' ->> 'role' <> 'citizen')
            AS accepted,
        min(e.at) FILTER (WHERE e.type = 'appeal.answered') AS answered,
        min(e.at) FILTER (WHERE e.type = 'appeal.stage_reported') AS reported,
        min(e.at) FILTER (WHERE e.type = ANY($4::text[])) AS done
    FROM event AS e WHERE e.appeal_id = a.id AND NOT e.internal AND e.type = ANY($2::text[])
    OFFSET 0
) AS x
ORDER BY a.place
"""
