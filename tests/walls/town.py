"""Two cities and everybody in them: whose walls are tried, and who tries them.

Kishi has two quarters that differ in all that a wall can stand on: district, executor (two
utilities of one department) and resident. In one of them lies a village, which has a district of
its own and nothing else. Ulken is another city with the same roles. Everybody is known by one
name; whoever is of Ulken has `elsewhere-` before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette

from api.bootstrap import House
from domain.access import Role
from domain.organisations.model import (
    Building,
    District,
    Organisation,
    OrganisationKind,
    Responsibility,
    Street,
    Territory,
    TerritoryKind,
)
from domain.values import Coordinates
from integrations.postgres import reference_writer as writer
from tests.support.city import KISHI, MANHOLE, ULKEN, SmallCity, ident, names, write_small_city
from tests.support.rest import Callers, issue_tokens
from tests.support.sql import fetch

NOBODY = "nobody"


class Place(StrEnum):
    """Where an object is."""

    OURS = "ours"
    """District `centre`, WATER's, the first resident's."""
    BELOW = "below"
    """District `village`, which lies in `centre`; WATER's and the first resident's as well."""
    THEIRS = "theirs"
    """District `left` of the same city, HEAT's, the neighbour's."""
    ELSEWHERE = "elsewhere"
    """The other city."""


class Quarter(SmallCity):
    """The other quarter of Kishi, with its own house, utility and resident."""

    def __init__(self) -> None:
        super().__init__()
        self.street = self.ident("street-left")
        self.house = self.ident("house-left")
        self.flats = self.ident("flats-left")
        self.water = self.ident("heat")
        self.citizen = self.ident("neighbour")


class Village(SmallCity):
    """The village of Kishi's centre, with its own houses."""

    def __init__(self) -> None:
        super().__init__()
        self.street = self.ident("street-village")
        self.house = self.ident("house-village")
        self.flats = self.ident("flats-village")


LEFT, VILLAGE = Quarter(), Village()
QUARTERS: Mapping[Place, SmallCity] = {
    Place.OURS: KISHI, Place.BELOW: VILLAGE, Place.THEIRS: LEFT, Place.ELSEWHERE: ULKEN,
}  # fmt: skip


@dataclass(frozen=True)
class Who:
    """Somebody who asks. `home` is where the things are that they name in what they send."""

    name: str
    role: Role | None
    home: Place = Place.OURS
    organisation: UUID | None = None
    district: str | None = None


def _everybody() -> tuple[Who, ...]:
    roles = [role for role in Role if role is not Role.SYSTEM]
    plain = [Who(str(role), role) for role in roles]
    elsewhere = [Who(f"elsewhere-{role}", role, Place.ELSEWHERE) for role in roles]
    heat, department, water = LEFT.water, KISHI.department, KISHI.water
    return (
        Who(NOBODY, None),
        *plain,
        Who("neighbour", Role.CITIZEN, Place.THEIRS),
        Who("akim-of-centre", Role.AKIM, Place.OURS, department, "centre"),
        Who("akim-of-village", Role.AKIM, Place.BELOW, department, "village"),
        Who("akim-of-left", Role.AKIM, Place.THEIRS, department, "left"),
        Who("own-administrator", Role.ADMINISTRATOR, Place.OURS, water),
        Who("sibling-executor", Role.EXECUTOR, Place.THEIRS, heat),
        Who("sibling-head", Role.HEAD, Place.THEIRS, heat),
        Who("sibling-administrator", Role.ADMINISTRATOR, Place.THEIRS, heat),
        Who("parent-executor", Role.EXECUTOR, Place.OURS, department),
        Who("parent-head", Role.HEAD, Place.OURS, department),
        Who("parent-administrator", Role.ADMINISTRATOR, Place.OURS, department),
        *elsewhere,
    )


EVERYBODY = _everybody()


@dataclass(frozen=True)
class Town:
    """Both cities behind one API."""

    app: Starlette
    house: House
    tokens: Mapping[str, str]

    def callers(self, place: Place) -> Callers:
        """Those who make things in a place: its own utility and resident, its city's desks."""
        city = QUARTERS[place]
        crew = dict(
            zip(Role, (self.tokens.get(_in(place, role), "") for role in Role), strict=True)
        )
        return Callers(self.app, self.house, city, crew)


def _in(place: Place, role: Role) -> str:
    if place is Place.ELSEWHERE:
        return f"elsewhere-{role}"
    if place is Place.THEIRS and role in (Role.EXECUTOR, Role.HEAD, Role.ADMINISTRATOR):
        return f"sibling-{role}"
    if role is Role.CITIZEN and place is Place.THEIRS:
        return "neighbour"
    return "own-administrator" if role is Role.ADMINISTRATOR else str(role)


async def write_town(house: House) -> dict[str, str]:
    """Write what the small city of the template lacks; everybody's token by name."""
    await write_small_city(house.engine, house.keyring, ULKEN)
    async with house.engine.begin() as connection:
        await _write_quarter(connection)
        await _write_village(connection)
        await writer.bump(connection, KISHI.id)
    for city in (KISHI, ULKEN):
        await _write_own_codes(house, city)
    return await _write_people(house)


def only_service(city: SmallCity) -> str:
    """The code of a service that one city has and the other has not."""
    return f"manholes.only-{city.code}"


def only_policy(city: SmallCity) -> str:
    """The code of a policy that one city has and the other has not."""
    return f"only-{city.code}"


async def _write_own_codes(house: House, city: SmallCity) -> None:
    await fetch(
        house,
        "INSERT INTO service_version (city_id, code, version, category, content, valid_from)"
        " SELECT city_id, $2, version, category, content || jsonb_build_object('code', $2::text),"
        " valid_from FROM service_version WHERE city_id = $1 AND code = $3 AND current",
        city.id, only_service(city), MANHOLE,
    )  # fmt: skip
    await fetch(
        house,
        "INSERT INTO policy_version (city_id, code, version, content, effective_from)"
        " SELECT city_id, $2, version, content || jsonb_build_object('code', $2::text),"
        " effective_from FROM policy_version WHERE city_id = $1 AND code = 'open-manhole'",
        city.id, only_policy(city),
    )  # fmt: skip


async def _write_quarter(connection: AsyncConnection) -> None:
    ring = ((80.5, 50.5), (81.0, 50.5), (81.0, 51.0), (80.5, 51.0))
    point = Coordinates(50.75, 80.75)
    await writer.write_addresses(
        connection,
        KISHI.id,
        [District("left", names("Сол жағалау"), ring)],
        [Street(LEFT.street, "left-street", names("Сол көше"), ())],
        [
            Building(LEFT.house, LEFT.street, "12", "left", point, "house"),
            Building(LEFT.flats, LEFT.street, "14", "left", point, "apartments"),
        ],
    )
    everywhere = Territory(ident("everywhere"), "city", names("Қала"), TerritoryKind.CITY)
    left = Territory(ident("left"), "left", names("Сол"), TerritoryKind.DISTRICT, "left")
    heat = Organisation(
        LEFT.water, "heat", KISHI.department, OrganisationKind.UTILITY, names("heat"), {},
        "around-the-clock", None, True,
    )  # fmt: skip
    rules = [
        Responsibility(ident("rule-all"), "*", everywhere.id, KISHI.department),
        Responsibility(ident("rule-water"), "manholes", everywhere.id, KISHI.water, 10),
        Responsibility(ident("rule-heat"), "manholes", left.id, LEFT.water, 5),
    ]
    await writer.write_organisations(
        connection, KISHI.id, [*KISHI.organisations(), heat], [everywhere, left], rules
    )


async def _write_village(connection: AsyncConnection) -> None:
    point = Coordinates(50.11, 80.11)
    await writer.write_addresses(
        connection,
        KISHI.id,
        [District("village", names("Ауыл"), None, "centre")],
        [Street(VILLAGE.street, "village-street", names("Ауыл көшесі"), ())],
        [
            Building(VILLAGE.house, VILLAGE.street, "12", "village", point, "house"),
            Building(VILLAGE.flats, VILLAGE.street, "14", "village", point, "apartments"),
        ],
    )


async def _write_people(house: House) -> dict[str, str]:
    issued = await issue_tokens(house)
    abroad = await issue_tokens(house, ULKEN)
    tokens = {str(role): token for role, token in issued.items()}
    tokens |= {f"elsewhere-{role}": token for role, token in abroad.items()}
    tokens["neighbour"] = await _resident(house, LEFT)
    for who in EVERYBODY:
        if who.organisation is not None:
            tokens[who.name] = await _member(house, who)
    return tokens


async def _member(house: House, who: Who) -> str:
    id = ident(f"member-{who.name}")
    await fetch(
        house,
        "INSERT INTO member (id, city_id, organisation_id, role, name, district)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        id, KISHI.id, who.organisation, str(who.role), f"B. {who.name}", who.district,
    )  # fmt: skip
    return await house.tokens.issue(KISHI.id, name="test", member=id)


async def _resident(house: House, city: SmallCity) -> str:
    await fetch(
        house,
        "INSERT INTO citizen (id, city_id, sealed) VALUES ($1, $2, $3)",
        city.citizen, city.id,
        house.keyring.seal('{"name":"Болат Ахметов","phone":null,"email":null}'.encode()),
    )  # fmt: skip
    return await house.tokens.issue(city.id, name="test", citizen=city.citizen)
