"""A small city: one street, two houses, three organisations, a member for every role."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from uuid import NAMESPACE_DNS, UUID, uuid5

import orjson
import yaml
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.access import Principal, Role
from domain.catalogue.changes import diff
from domain.catalogue.evidence import ActForm, Need
from domain.catalogue.exchange import References
from domain.catalogue.model import Catalogue, Service
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
from domain.ports import Keyring
from domain.reference import City
from domain.sla.policy import Stage
from domain.values import Coordinates
from integrations.files import catalogue_yaml
from integrations.postgres import reference_writer as writer
from integrations.postgres import tables as t
from integrations.postgres.doors import PLATFORM

STARTER = Path(__file__).parents[2] / "catalogues" / "starter"
LAW = STARTER.parent / "law" / "kz.yaml"
SPHERES = ("general", "lifts", "manholes")
BOUNDS = ((80.0, 50.0), (81.0, 50.0), (81.0, 51.0), (80.0, 51.0))

MANHOLE = "manholes.open-on-road"
"""A service with two promises (fence in 3 hours, close in 24), routed to WATER."""
MANHOLE_ANSWERS = {"landmark": "Дүкен алдында", "cover": "missing"}

EVIDENCED = "manholes.open-in-yard"
"""The one service of the small city that demands evidence (EVIDENCE): of the rest the starter's
demands are taken off, so that no test needs a photo that is not about one."""
ACT = ActForm("[0-9]{1,6}/[0-9]{4}", "118/2026")
EVIDENCE = {Stage.SECURE: Need(photos=1), Stage.RESOLVE: Need(photos=2, within=100, act=ACT)}
CITIZEN_PHONE = "+77015550109"


def ident(code: str, city: str = "kishi") -> UUID:
    """The id of a thing of a small city: the same in every run."""
    return uuid5(NAMESPACE_DNS, f"{code}.{city}.ikomek109.example")


def names(text: str) -> dict[str, str]:
    return {"kk": text, "ru": text, "en": text}


class SmallCity:
    """Ids and values of one small city; two of different codes share nothing."""

    def __init__(self, code: str = "kishi", prefix: str = "KIS") -> None:
        self.code = code
        self.id = self.ident("city")
        self.city = City(
            self.id, code, "101010000", names("Кіші қала"), "Asia/Almaty", ("kk", "ru"), prefix
        )
        self.centre = self.ident("centre")
        self.department = self.ident("department")
        """A department of the akimat, above WATER; the rest of the services end there."""
        self.water = self.ident("water")
        """A utility of the department; manholes are its business."""
        self.street = self.ident("street")
        self.house = self.ident("house-12")
        self.flats = self.ident("house-14")
        self.citizen = self.ident("citizen")

    def ident(self, thing: str) -> UUID:
        return ident(thing, self.code)

    def organisations(self) -> list[Organisation]:
        kinds = OrganisationKind
        return [
            self._organisation("centre", kinds.CONTACT_CENTRE),
            self._organisation("department", kinds.CITY_DEPARTMENT),
            self._organisation("water", kinds.UTILITY, self.department),
        ]

    def _organisation(
        self, code: str, kind: OrganisationKind, parent: UUID | None = None
    ) -> Organisation:
        return Organisation(
            self.ident(code), code, parent, kind, names(code), {}, "around-the-clock", None, True
        )

    def home_of(self, role: Role) -> UUID:
        """The organisation where the member of a role works."""
        if role in (Role.EXECUTOR, Role.HEAD):
            return self.water
        return self.department if role is Role.AKIM else self.centre

    def principal(
        self,
        role: Role = Role.OPERATOR,
        *,
        organisation: UUID | None = None,
        district: str | None = None,
        districts: Iterable[str] = (),
    ) -> Principal:
        """The member of a role, or the resident; of another organisation if one is named."""
        if role is Role.CITIZEN:
            return Principal(self.citizen, role, self.id, citizen=self.citizen)
        home = organisation or self.home_of(role)
        own = {home, self.water} if home == self.department else {home}
        return Principal(
            self.ident(f"member-{role}"),
            role,
            self.id,
            f"A. {role}",
            home,
            frozenset(own),
            district,
            frozenset(districts),
        )


KISHI = SmallCity()
ULKEN = SmallCity("ulken", "ULK")
"""Another city, for tests that want strangers; they write it themselves."""


def make_principal(
    role: Role = Role.OPERATOR, city: SmallCity = KISHI, **kwargs: object
) -> Principal:
    """See SmallCity.principal."""
    return city.principal(role, **kwargs)  # type: ignore[arg-type]


async def write_small_city(engine: AsyncEngine, keyring: Keyring, city: SmallCity = KISHI) -> None:
    """Write a small city: reference, members of every role (executors in WATER), a citizen."""
    async with engine.begin() as connection:
        await connection.execute(text(PLATFORM.statement()))
        await _write_reference(connection, city)
        await _write_people(connection, city, keyring)
        await writer.bump(connection, city.id)


async def _write_reference(connection: AsyncConnection, city: SmallCity) -> None:
    policies = yaml.safe_load((STARTER / "policies.yaml").read_text())
    files = {f"{name}.yaml": (STARTER / f"{name}.yaml").read_bytes() for name in SPHERES}
    codes = {policy["code"] for policy in policies["policies"]}
    references = References(codes, {str(kind) for kind in OrganisationKind})
    draft = catalogue_yaml.read(files, references).draft
    assert draft is not None
    draft = replace(draft, services=tuple(map(_with_test_evidence, draft.services)))
    day = min(service.valid_from for service in draft.services)
    await writer.write_city(connection, city.city, BOUNDS)
    await writer.write_policies(connection, city.id, policies)
    await writer.write_policies(connection, city.id, yaml.safe_load(LAW.read_text()))
    changes = diff(Catalogue.ordered([], [], []), draft, day=day)
    await writer.write_catalogue(connection, city.id, changes)
    point = Coordinates(50.41, 80.25)
    await writer.write_addresses(
        connection,
        city.id,
        [District("centre", names("Орталық"), BOUNDS)],
        [Street(city.street, "abai", names("Абай көшесі"), ())],
        [
            Building(city.house, city.street, "12", "centre", point, "house"),
            Building(city.flats, city.street, "14", "centre", point, "apartments"),
        ],
    )
    everywhere = Territory(city.ident("everywhere"), "city", names("Қала"), TerritoryKind.CITY)
    rules = [
        Responsibility(city.ident("rule-all"), "*", everywhere.id, city.department),
        Responsibility(city.ident("rule-water"), "manholes", everywhere.id, city.water, 10),
    ]
    await writer.write_organisations(connection, city.id, city.organisations(), [everywhere], rules)


def _with_test_evidence(service: Service) -> Service:
    return replace(service, evidence=EVIDENCE if service.code == EVIDENCED else {})


async def _write_people(connection: AsyncConnection, city: SmallCity, keyring: Keyring) -> None:
    staff = [role for role in Role if role not in (Role.CITIZEN, Role.SYSTEM)]
    members = [
        {
            "id": city.ident(f"member-{role}"),
            "city_id": city.id,
            "organisation_id": city.home_of(role),
            "role": str(role),
            "name": f"A. {role}",
        }
        for role in staff
    ]
    await connection.execute(insert(t.member).values(members))
    said = {"name": "Айгүл Серікова", "phone": CITIZEN_PHONE, "email": None}
    resident = {
        "id": city.citizen,
        "city_id": city.id,
        "sealed": keyring.seal(orjson.dumps(said)),
        "phone_index": keyring.index(CITIZEN_PHONE),
    }
    await connection.execute(insert(t.citizen).values(resident))
