"""Loading the demonstration city: whole or not at all, and as often as one likes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.catalogue import policies_beside, read_source, sound, take_in
from api.commands.console import progress
from api.commands.credentials import PEOPLE, Credentials
from api.commands.database import Office
from api.commands.policies import Standing, read_document, validate
from demo.semey.city import DemoCity, demo_city
from domain.reference import City
from integrations.postgres import office, reference_writer

STARTER = Path(__file__).parents[2] / "catalogues" / "starter"
LAW = STARTER.parent / "law" / "kz.yaml"


def semey() -> City:
    """Semey as the platform knows a city."""
    place = demo_city().city
    return City(
        place.id, place.code, place.kato, place.names, place.zone, place.languages, place.numbering
    )


async def loaded(at: Office) -> bool:
    """Whether the city stands in the database."""
    async with at.engine.connect() as connection:
        return semey().code in {city.code for city in await office.cities(connection)}


async def load(at: Office) -> Credentials:
    """City, policies, catalogue, addresses, organisations in one transaction; then people."""
    with progress("Loading Semey", total=5) as advance:
        place, city = demo_city(), semey()
        advance(1)
        async with at.engine.begin() as connection:
            await reference_writer.write_city(connection, city, place.city.polygon)
            await office.lock_city(connection, city.id)
            await _write_catalogue(connection, at, city)
            advance(1)
            await _write_places(connection, city, place)
            advance(1)
            await reference_writer.bump(connection, city.id)
        advance(1)
        credentials = await people(at)
        advance(1)
    return credentials


async def people(at: Office) -> Credentials:
    """The demonstration's members and residents, each with a living token."""
    credentials = Credentials(at.settings.home)
    await credentials.ensure(at, semey(), PEOPLE)
    return credentials


async def _write_catalogue(connection: AsyncConnection, at: Office, city: City) -> None:
    document = read_document(STARTER / "policies.yaml")
    validate(document, city.zone)
    await reference_writer.write_policies(connection, city.id, document)
    await _write_law(connection, city, document)
    draft = sound(read_source(STARTER, policies_beside(STARTER) or ()))
    await take_in(connection, city, draft, city.local(at.now()).date())


async def _write_law(connection: AsyncConnection, city: City, promised: Mapping[str, Any]) -> None:
    law = read_document(LAW)
    standing = Standing(
        {
            part: frozenset(entry["code"] for entry in promised[part])
            for part in ("calendars", "policies")
        }
    )
    validate(law, city.zone, standing)
    await reference_writer.write_policies(connection, city.id, law)


async def _write_places(connection: AsyncConnection, city: City, place: DemoCity) -> None:
    await reference_writer.write_addresses(
        connection, city.id, place.districts, place.streets, place.buildings
    )
    await reference_writer.write_organisations(
        connection, city.id, place.organisations, place.territories, place.responsibilities
    )
