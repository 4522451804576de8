"""Semey for demonstrations, tests and rehearsals: a whole city from one seed.

The same on every machine: ids are uuid5 of codes, chances come from a fixed seed.
Streets and proportions are those of the real city; firms, contacts and houses are invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from uuid import UUID

from demo.semey.duties import responsibilities, territories
from demo.semey.firms import housing, lifts, public_bodies
from demo.semey.geography import DISTRICTS, SEMEY, City, homes, streets
from domain.organisations.model import (
    Building,
    District,
    Organisation,
    Responsibility,
    Street,
    Territory,
)

SEED = 109


@dataclass(frozen=True, slots=True)
class DemoCity:
    """Everything that routing needs to know about a city; `storeys` by building."""

    city: City
    organisations: tuple[Organisation, ...]
    districts: tuple[District, ...]
    streets: tuple[Street, ...]
    buildings: tuple[Building, ...]
    territories: tuple[Territory, ...]
    responsibilities: tuple[Responsibility, ...]
    storeys: Mapping[UUID, int]


@cache
def demo_city() -> DemoCity:
    """Semey; built once a process, in under a second or two."""
    random = Random(SEED)
    built, named = homes(random), streets()
    apartments = [home for home in built if home.building.kind == "apartments"]
    keepers, houses = housing(apartments, random)
    lifters, shafts = lifts(apartments, random)
    firms = (*public_bodies(), *keepers, *lifters)
    groups = {**houses, **shafts}
    return DemoCity(
        city=SEMEY,
        organisations=firms,
        districts=DISTRICTS,
        streets=named,
        buildings=tuple(home.building for home in built),
        territories=territories(firms, groups, named),
        responsibilities=responsibilities(firms, groups, named),
        storeys={home.building.id: home.storeys for home in built},
    )
