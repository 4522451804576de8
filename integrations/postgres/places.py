"""What the command line reads of cities and their address lists, without a whole snapshot."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.organisations.address_list import AddressList
from domain.organisations.model import Polygon
from integrations.postgres import tables as t
from integrations.postgres.reference import (
    read_building,
    read_district,
    read_polygon,
    read_street,
)


async def bounds(connection: AsyncConnection, city: UUID) -> Polygon:
    """The ring that bounds a city."""
    found = await connection.execute(select(t.city.c.bounds).where(t.city.c.id == city))
    return read_polygon(found.scalar_one())


async def numbered(connection: AsyncConnection) -> frozenset[str]:
    """The codes of the cities that have given a registration number to an appeal."""
    given = select(t.appeal.c.id).where(t.appeal.c.city_id == t.city.c.id).exists()
    found = await connection.execute(select(t.city.c.code).where(given))
    return frozenset(found.scalars())


async def address_list(connection: AsyncConnection, city: UUID) -> AddressList:
    """Districts and streets by code, buildings by street."""
    districts = select(t.district).where(t.district.c.city_id == city).order_by(t.district.c.code)
    streets = select(t.street).where(t.street.c.city_id == city).order_by(t.street.c.code)
    buildings = (
        select(t.building)
        .join(t.street, t.street.c.id == t.building.c.street_id)
        .where(t.building.c.city_id == city)
        .order_by(t.street.c.code, t.building.c.number)
    )
    return AddressList(
        tuple(map(read_district, await _rows(connection, districts))),
        tuple(map(read_street, await _rows(connection, streets))),
        tuple(map(read_building, await _rows(connection, buildings))),
    )


async def _rows(connection: AsyncConnection, statement: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
