"""Reading a city's reference snapshot, and keeping it fresh."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.catalogue.evidence import parse_evidence
from domain.catalogue.forms import Forms
from domain.catalogue.model import Catalogue, Category, Criticality, Service, Sphere
from domain.catalogue.search import SearchIndex
from domain.errors import Unavailable
from domain.incidents.board import Board
from domain.incidents.workflow import LIVE
from domain.law.fields import parse_law
from domain.organisations.addresses import AddressIndex
from domain.organisations.areas import Areas
from domain.organisations.model import (
    Building,
    District,
    Organisation,
    OrganisationKind,
    Polygon,
    Responsibility,
    Street,
    Territory,
    TerritoryKind,
)
from domain.organisations.routing import RoutingIndex
from domain.reference import City, Promises, Reference
from domain.sla.calendar import parse_calendar
from domain.sla.policy import parse_policy
from domain.values import Coordinates
from integrations.postgres import tables as t
from integrations.postgres.doors import PLATFORM
from integrations.postgres.incident_rows import read_incident
from integrations.postgres.session import translated

CALENDAR_YEARS_BACK, CALENDAR_YEARS_AHEAD = 10, 3
"""The nation's days off that calendars know: clocks of long ago are still counted again."""

Row = Mapping[str, Any]
Rows = Sequence[Row]


class PostgresReferences:
    """See domain.ports.References. `refresh` is called at start and then about each second."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._snapshots: dict[UUID, Reference] = {}
        self._read: dict[UUID, int] = {}
        self._boards: dict[UUID, tuple[_Versions, Board]] = {}

    def of(self, city: UUID) -> Reference:
        """The newest snapshot known."""
        try:
            return self._snapshots[city]
        except KeyError:
            raise Unavailable(what="reference") from None

    def cities(self) -> tuple[UUID, ...]:
        """The cities whose snapshot is known."""
        return tuple(self._snapshots)

    async def refresh(self, at: datetime) -> bool:
        """Read again what has changed; whether anything had. Raises Unavailable.

        A city that cannot be understood keeps its last snapshot and holds up no other; its
        fault is raised once, after all were read, and again only when it was changed.
        """
        changed, faults = False, []
        with translated():
            async with self._engine.connect() as connection:
                # One moment for all tables: a half-written import is never seen.
                await connection.execution_options(isolation_level="REPEATABLE READ")
                await connection.execute(text(PLATFORM.statement()))
                for row in await _rows(connection, select(t.city.c.id, t.city.c.reference_version)):
                    city, version = row["id"], row["reference_version"]
                    if version == self._read.get(city):
                        continue
                    self._read[city] = version
                    found = await _read(connection, city)
                    try:
                        # In a thread: building the indexes takes a second, the loop goes on.
                        self._snapshots[city] = await asyncio.to_thread(_assemble, found, at)
                        changed = True
                    except Exception as fault:
                        faults.append(fault)
                changed |= await self._read_boards(connection)
        if faults:
            raise faults[0]
        return changed

    async def _read_boards(self, connection: AsyncConnection) -> bool:
        """Put the live incidents into the snapshots, where they changed or the snapshot did."""
        live: dict[UUID, set[tuple[UUID, int]]] = {}
        for row in await _rows(connection, _LIVE):
            live.setdefault(row["city_id"], set()).add((row["id"], row["version"]))
        changed = False
        for city, snapshot in self._snapshots.items():
            versions = frozenset(live.get(city, ()))
            known, board = self._boards.get(city, (_NONE, snapshot.incidents))
            if known != versions:
                found = await _rows(connection, _live_of(city))
                board = Board(read_incident(row) for row in found)
                changed = True
            self._boards[city] = versions, board
            if snapshot.incidents is not board:
                self._snapshots[city] = replace(snapshot, incidents=board)
        return changed


_Versions = frozenset[tuple[UUID, int]]
_NONE: _Versions = frozenset()
_OF = t.incident.c
_IS_LIVE = _OF.status.in_([literal_column(f"'{status}'") for status in sorted(LIVE)])
_LIVE = select(_OF.city_id, _OF.id, _OF.version).where(_IS_LIVE)


def _live_of(city: UUID) -> Select[Any]:
    return select(t.incident).where(_OF.city_id == city, _IS_LIVE)


async def load(connection: AsyncConnection, city: UUID, at: datetime) -> Reference:
    """Read one city whole."""
    return _assemble(await _read(connection, city), at)


async def load_promises(connection: AsyncConnection, city: City, at: datetime) -> Promises:
    """Every version of a city's policies and calendars."""
    found = {
        table.name: await _rows(connection, select(table).where(_of_city(table, city.id)))
        for table in (t.calendar_version, t.policy_version, t.channel_policy, t.law_version)
    }
    return _promises(found, city, at)


async def _read(connection: AsyncConnection, city: UUID) -> Mapping[str, Rows]:
    """Every table of one city."""
    return {
        table.name: await _rows(connection, select(table).where(_of_city(table, city)))
        for table in (
            t.city, t.sphere, t.category, t.service_version, t.calendar_version,
            t.policy_version, t.channel_policy, t.law_version, t.organisation, t.district, t.street,
            t.building, t.territory, t.responsibility,
        )
    }  # fmt: skip


def _of_city(table: Any, city: UUID) -> Any:
    return (table.c.id if table is t.city else table.c.city_id) == city


async def _rows(connection: AsyncConnection, statement: Select[Any]) -> Rows:
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


def _assemble(found: Mapping[str, Rows], at: datetime) -> Reference:
    (row,) = found["city"]
    city = read_city(row)
    catalogue = _catalogue(found)
    organisations = [_organisation(one) for one in found["organisation"]]
    districts = [read_district(one) for one in found["district"]]
    streets = [read_street(one) for one in found["street"]]
    buildings = [read_building(one) for one in found["building"]]
    return Reference(
        version=row["reference_version"],
        city=city,
        bounds=Areas([(city.code, read_polygon(row["bounds"]))]),
        catalogue=catalogue,
        evidence={
            (row["code"], row["version"]): parse_evidence(row["content"]["evidence"])
            for row in found["service_version"]
            if "evidence" in row["content"]
        },
        forms=Forms(),
        search=SearchIndex(catalogue),
        promises=_promises(found, city, at),
        organisations={one.id: one for one in organisations},
        districts={one.code: one for one in districts},
        streets={one.id: one for one in streets},
        buildings={one.id: one for one in buildings},
        addresses=AddressIndex(streets, buildings),
        routing=RoutingIndex(
            organisations=organisations,
            districts=districts,
            streets=streets,
            buildings=buildings,
            territories=[read_territory(one) for one in found["territory"]],
            responsibilities=[read_responsibility(one) for one in found["responsibility"]],
            zone=city.zone_info(),
        ),
    )


def read_city(row: Row) -> City:
    """The city of a row."""
    return City(
        row["id"], row["code"], row["kato"], row["names"], row["zone"],
        tuple(row["languages"]), row["prefix"],
    )  # fmt: skip


def _catalogue(found: Mapping[str, Rows]) -> Catalogue:
    current = [row for row in found["service_version"] if row["current"]]
    spheres = {row["code"]: row["sphere"] for row in found["category"]}
    return Catalogue.ordered(
        [Sphere(r["code"], r["names"], r["position"]) for r in found["sphere"]],
        [Category(r["code"], r["sphere"], r["names"], r["position"]) for r in found["category"]],
        [read_service(r["content"], spheres[r["category"]], r["version"]) for r in current],
    )


def read_service(content: Row, sphere: str, version: int) -> Service:
    """The service of its stored content, in the form of Service.content()."""
    keywords = {language: tuple(words) for language, words in content.get("keywords", {}).items()}
    ended = content.get("valid_to")
    return Service(
        code=content["code"],
        version=version,
        category=content["category"],
        sphere=sphere,
        names=content["names"],
        description=content.get("description"),
        criticality=Criticality(content["criticality"]),
        policy=content["policy"],
        responsible=content["responsible"],
        public=content["public"],
        keywords=keywords,
        first_call_answer=content.get("first_call_answer"),
        form=content.get("form"),
        valid_from=date.fromisoformat(content["valid_from"]),
        valid_to=date.fromisoformat(ended) if ended else None,
        evidence=parse_evidence(content.get("evidence", {})),
    )


def _promises(found: Mapping[str, Rows], city: City, at: datetime) -> Promises:
    years = range(at.year - CALENDAR_YEARS_BACK, at.year + CALENDAR_YEARS_AHEAD + 1)
    return Promises(
        policies={
            (r["code"], r["version"]): parse_policy(r["content"], version=r["version"])
            for r in found["policy_version"]
        },
        calendars={
            (r["code"], r["version"]): parse_calendar(
                r["content"], version=r["version"], zone=city.zone, years=years
            )
            for r in found["calendar_version"]
        },
        by_channel={r["channel"]: r["policy"] for r in found["channel_policy"]},
        laws={
            r["version"]: parse_law(r["content"], version=r["version"])
            for r in found["law_version"]
        },
    )


def _organisation(row: Row) -> Organisation:
    return Organisation(
        row["id"], row["code"], row["parent_id"], OrganisationKind(row["kind"]), row["names"],
        row["contacts"], row["calendar"], row["district"], row["active"],
    )  # fmt: skip


def read_polygon(value: Any) -> Polygon:
    """The ring of a stored polygon."""
    return tuple((float(longitude), float(latitude)) for longitude, latitude in value)


def read_district(row: Row) -> District:
    """The district of a row."""
    border = read_polygon(row["polygon"]) if row["polygon"] else None
    return District(row["code"], row["names"], border, row["parent"])


def read_street(row: Row) -> Street:
    """The street of a row."""
    return Street(row["id"], row["code"], row["names"], tuple(row["aliases"]))


def read_building(row: Row) -> Building:
    """The building of a row."""
    point = Coordinates(row["latitude"], row["longitude"])
    return Building(row["id"], row["street_id"], row["number"], row["district"], point, row["kind"])


def read_territory(row: Row) -> Territory:
    """The territory of a row."""
    return Territory(
        id=row["id"],
        code=row["code"],
        names=row["names"],
        kind=TerritoryKind(row["kind"]),
        district=row["district"],
        street=row["street_id"],
        buildings=frozenset(row["buildings"]),
        polygon=read_polygon(row["polygon"]) if row["polygon"] else None,
    )


def read_responsibility(row: Row) -> Responsibility:
    """The rule of a row."""
    return Responsibility(
        row["id"], row["selector"], row["territory_id"], row["organisation_id"], row["priority"],
        row["calendar"], row["fallback_id"], row["valid_from"], row["valid_to"],
    )  # fmt: skip
