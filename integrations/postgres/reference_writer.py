"""Writing what a city agrees on: whole or not at all, and every process sees it within a second.

Each function runs inside the caller's transaction; `bump` tells the processes to read again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.catalogue.changes import Changes
from domain.law.days import carried
from domain.organisations.model import (
    Building,
    District,
    Organisation,
    Polygon,
    Responsibility,
    Street,
    Territory,
)
from domain.reference import City
from integrations.postgres import tables as t

BATCH = 2000
Rows = Iterable[Mapping[str, Any]]


async def bump(connection: AsyncConnection, city: UUID) -> int:
    """Note that the reference changed; the new version."""
    statement = (
        update(t.city)
        .where(t.city.c.id == city)
        .values(reference_version=t.city.c.reference_version + 1)
        .returning(t.city.c.reference_version)
    )
    return int((await connection.execute(statement)).scalar_one())


async def write_city(connection: AsyncConnection, city: City, bounds: Polygon) -> None:
    """Create a city, or bring its row up to date."""
    await _upsert(
        connection,
        t.city,
        [
            {
                "id": city.id,
                "code": city.code,
                "kato": city.kato,
                "names": dict(city.names),
                "zone": city.zone,
                "languages": list(city.languages),
                "prefix": city.prefix,
                "bounds": [list(point) for point in bounds],
            }
        ],
    )


async def write_catalogue(connection: AsyncConnection, city: UUID, changes: Changes) -> None:
    """Apply the difference: new versions stand beside the old ones, which appeals keep."""
    places = ((t.sphere, changes.spheres), (t.category, changes.categories))
    for table, entries in places:
        rows = [
            {"city_id": city, **{name: getattr(entry, name) for name in _names(table)}}
            for entry in entries
        ]
        await _upsert(connection, table, rows)
    fresh = [*changes.added, *changes.changed, *changes.ended]
    codes = [service.code for service in fresh]
    await connection.execute(
        update(t.service_version)
        .where(t.service_version.c.city_id == city, t.service_version.c.code.in_(codes))
        .values(current=False)
    )
    await _upsert(
        connection,
        t.service_version,
        [
            {
                "city_id": city,
                "code": service.code,
                "version": service.version,
                "category": service.category,
                "content": service.content(),
                "valid_from": service.valid_from,
                "valid_to": service.valid_to,
                "current": True,
            }
            for service in fresh
        ],
    )


async def write_policies(
    connection: AsyncConnection, city: UUID, document: Mapping[str, Any]
) -> tuple[int, int]:
    """Calendars, policies, channel policies and the law of the YAML form; (calendars, policies)
    renewed.

    What is unchanged keeps its version; what changed gets the next, beside the old one. A part
    that the document does not have stays as it is.
    """
    calendars = await _calendars(connection, city, document.get("calendars", ()))
    policies = await _versions(
        connection, t.policy_version, city, document.get("policies", ()), ("effective_from",)
    )
    if "law" in document:
        await write_law(connection, city, document["law"])
    if "channel_policies" not in document:
        return calendars, policies
    await connection.execute(t.channel_policy.delete().where(t.channel_policy.c.city_id == city))
    rows = [
        {"city_id": city, "channel": channel, "policy": entry["policy"]}
        for entry in document["channel_policies"]
        for channel in entry["channels"]
    ]
    await _upsert(connection, t.channel_policy, rows)
    return calendars, policies


async def _calendars(
    connection: AsyncConnection, city: UUID, entries: Sequence[Mapping[str, Any]]
) -> int:
    """Calendars as their file says, with the days that an administrator changed since; a version
    that bears such days bears who changed the last of them. How many were renewed.
    """
    versions = t.calendar_version
    found = await connection.execute(
        select(versions.c.code, versions.c.version, versions.c.content, versions.c.written_by)
        .where(versions.c.city_id == city).order_by(versions.c.version)
    )  # fmt: skip
    filed: dict[str, Any] = {}
    newest: dict[str, Any] = {}
    for row in found:
        newest[row.code] = row
        if row.written_by is None:
            filed[row.code] = row
    rows = []
    for entry in entries:
        code, content = str(entry["code"]), _plain(entry)
        former, standing = filed.get(code), newest.get(code)
        by = standing.written_by if standing else None
        if by is not None and former is not None and standing is not None:
            content = carried(content, former.content, standing.content)
        if standing is None or content != standing.content:
            version = standing.version + 1 if standing else 1
            rows.append({"city_id": city, "code": code, "version": version, "content": content,
                         "written_by": by})  # fmt: skip
    await _upsert(connection, versions, rows)
    return len(rows)


async def write_law(connection: AsyncConnection, city: UUID, law: Mapping[str, Any]) -> bool:
    """A next version of the law beside those before it; whether it says anything new."""
    of_city = t.law_version.c.city_id == city
    newest = select(t.law_version.c.version, t.law_version.c.content).where(of_city)
    found = (
        await connection.execute(newest.order_by(t.law_version.c.version.desc()).limit(1))
    ).first()
    content = _plain(law)
    if found is not None and found.content == content:
        return False
    version = found.version + 1 if found is not None else 1
    row = {"city_id": city, "version": version, "content": content}
    await _upsert(
        connection, t.law_version, [row | {"effective_from": _day(law["effective_from"])}]
    )
    return True


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


async def write_addresses(
    connection: AsyncConnection,
    city: UUID,
    districts: Iterable[District],
    streets: Iterable[Street],
    buildings: Iterable[Building],
) -> None:
    """Districts, streets and buildings."""
    await _upsert(
        connection,
        t.district,
        [
            {
                "city_id": city,
                "code": d.code,
                "names": dict(d.names),
                "polygon": d.polygon,
                "parent": d.parent,
            }
            for d in districts
        ],
    )
    await _upsert(
        connection,
        t.street,
        [
            {"id": s.id, "city_id": city, "code": s.code, "names": dict(s.names),
             "aliases": list(s.aliases)}
            for s in streets
        ],
    )  # fmt: skip
    await _upsert(
        connection,
        t.building,
        [
            {"id": b.id, "city_id": city, "street_id": b.street, "number": b.number,
             "district": b.district, "latitude": b.coordinates.latitude,
             "longitude": b.coordinates.longitude, "kind": b.kind}
            for b in buildings
        ],
    )  # fmt: skip


async def write_organisations(
    connection: AsyncConnection,
    city: UUID,
    organisations: Iterable[Organisation],
    territories: Iterable[Territory],
    responsibilities: Iterable[Responsibility],
) -> None:
    """Organisations and who answers for what where; the rules of before are replaced whole."""
    await _upsert(
        connection,
        t.organisation,
        [
            {"id": o.id, "city_id": city, "code": o.code, "parent_id": o.parent,
             "kind": str(o.kind), "names": dict(o.names), "contacts": dict(o.contacts),
             "calendar": o.calendar, "district": o.district, "active": o.active}
            for o in organisations
        ],
    )  # fmt: skip
    await _upsert(
        connection,
        t.territory,
        [
            {"id": x.id, "city_id": city, "code": x.code, "names": dict(x.names),
             "kind": str(x.kind), "district": x.district, "street_id": x.street,
             "buildings": sorted(x.buildings), "polygon": x.polygon}
            for x in territories
        ],
    )  # fmt: skip
    await connection.execute(t.responsibility.delete().where(t.responsibility.c.city_id == city))
    await _upsert(
        connection,
        t.responsibility,
        [
            {"id": r.id, "city_id": city, "selector": r.selector, "territory_id": r.territory,
             "organisation_id": r.organisation, "priority": r.priority, "calendar": r.calendar,
             "fallback_id": r.fallback, "valid_from": r.valid_from, "valid_to": r.valid_to}
            for r in responsibilities
        ],
    )  # fmt: skip


async def _versions(
    connection: AsyncConnection,
    table: Table,
    city: UUID,
    entries: Sequence[Mapping[str, Any]],
    dates: Collection[str],
) -> int:
    newest = select(table.c.code, func.max(table.c.version).label("version")).where(
        table.c.city_id == city
    ).group_by(table.c.code).subquery()  # fmt: skip
    found = await connection.execute(
        select(table.c.code, table.c.version, table.c.content)
        .join(newest, (newest.c.code == table.c.code) & (newest.c.version == table.c.version))
        .where(table.c.city_id == city)
    )
    known = {row.code: (row.version, row.content) for row in found}
    rows = []
    for entry in entries:
        content = _plain(entry)
        version, former = known.get(str(entry["code"]), (0, None))
        if content != former:
            row = {"city_id": city, "code": entry["code"], "version": version + 1}
            rows.append(row | {"content": content} | {name: entry[name] for name in dates})
    await _upsert(connection, table, rows)
    return len(rows)


def _plain(value: Any) -> Any:
    """JSON of what YAML read: dates as ISO 8601."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name != "city_id"]


async def _upsert(connection: AsyncConnection, table: Table, rows: Rows) -> None:
    listed = [dict(row) for row in rows]
    identity = [column.name for column in table.primary_key.columns]
    for start in range(0, len(listed), BATCH):
        batch = listed[start : start + BATCH]
        statement = insert(table)
        changing = {n: statement.excluded[n] for n in batch[0] if n not in identity}
        await connection.execute(
            statement.on_conflict_do_update(index_elements=identity, set_=changing), batch
        )
