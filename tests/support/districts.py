"""Districts that lie in others, each with a street and a house."""

from uuid import UUID

from api.bootstrap import House
from domain.organisations.model import Building, District, Street
from domain.values import Coordinates
from integrations.postgres import reference_writer as writer
from tests.support.city import KISHI, SmallCity, names

FAR = ((80.0, 50.0), (80.2, 50.0), (80.2, 50.2), (80.0, 50.2))
POINT = Coordinates(50.1, 80.1)


async def write_district(
    house: House, code: str, parent: str | None, city: SmallCity = KISHI
) -> UUID:
    """Write a district that lies in another, or put it there; the id of its one house."""
    street, building = city.ident(f"street-of-{code}"), city.ident(f"house-of-{code}")
    road = Street(street, f"street-of-{code}", names(code), ())
    home = Building(building, street, "1", code, POINT, "house")
    async with house.engine.begin() as connection:
        await writer.write_addresses(
            connection, city.id, [District(code, names(code), FAR, parent)], [road], [home]
        )
        await writer.bump(connection, city.id)
    await house.references.refresh(house.now())
    return building
