"""Who acts in the city, where everything stands, and who answers for what where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from domain.errors import Invalid
from domain.values import Coordinates, LocalizedText

Polygon = tuple[tuple[float, float], ...]
"""The outer ring of an area: (longitude, latitude) in WGS 84 degrees; closing is implied."""


class OrganisationKind(StrEnum):
    """What an organisation is to the city; a service names the kind that must act."""

    CONTACT_CENTRE = "contact-centre"
    AKIMAT = "akimat"
    DISTRICT_AKIMAT = "district-akimat"
    CITY_DEPARTMENT = "city-department"
    UTILITY = "utility"
    EMERGENCY_SERVICE = "emergency-service"
    HOUSING = "housing"
    LIFT_COMPANY = "lift-company"
    MEDICAL_INSTITUTION = "medical-institution"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A tenant of the platform and a possible executor.

    `calendar` is the code of its working hours; `district` the code of the district
    it belongs to, None when it serves the whole city. `contacts` maps a channel
    (phone, email, address, …) to its value.
    """

    id: UUID
    code: str
    parent: UUID | None
    kind: OrganisationKind
    names: LocalizedText
    contacts: Mapping[str, str]
    calendar: str
    district: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class District:
    """A district of the city; `polygon` None when its border was never drawn. `parent` is the
    district that it lies in: of a village, that of the rural district or of the city's district.
    """

    code: str
    names: LocalizedText
    polygon: Polygon | None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Street:
    """A street, with the former and colloquial names by which residents still call it."""

    id: UUID
    code: str
    names: LocalizedText
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Building:
    """A numbered building; `kind` is apartments, house, school, hospital, office, …"""

    id: UUID
    street: UUID
    number: str
    district: str
    coordinates: Coordinates
    kind: str


class TerritoryKind(StrEnum):
    """How a territory is drawn, from the broadest to the narrowest."""

    CITY = "city"
    DISTRICT = "district"
    POLYGON = "polygon"
    STREET = "street"
    BUILDINGS = "buildings"


@dataclass(frozen=True, slots=True)
class Territory:
    """A part of the city for which somebody answers.

    The field that its kind names must be set: `district` (code), `street`,
    `buildings` or `polygon`; the city needs none.
    Raises Invalid (`required`) otherwise.
    """

    id: UUID
    code: str
    names: LocalizedText
    kind: TerritoryKind
    district: str | None = None
    street: UUID | None = None
    buildings: frozenset[UUID] = field(default_factory=frozenset)
    polygon: Polygon | None = None

    def __post_init__(self) -> None:
        if self.kind is TerritoryKind.CITY:
            return
        if not getattr(self, self.kind):
            raise Invalid.at(f"/{self.kind}", "required", territory=self.code)
        if self.polygon is not None and len(self.polygon) < 3:
            raise Invalid.at("/polygon", "too-few-points", territory=self.code)


@dataclass(frozen=True, slots=True)
class Responsibility:
    """One rule of routing: these services, in this territory, belong to this organisation.

    `selector` is '*', a sphere code, a category code, a service code,
    'kind:<organisation kind>' (services that name this kind as responsible), or a
    sphere or category narrowed by a kind: 'lifts+kind:lift-company'.
    A lower `priority` goes first. With a `calendar` the rule holds only in those hours;
    outside them the appeal goes to `fallback`, if there is one. In force from the day
    `valid_from` up to, not including, the day `valid_to` (city's days).
    """

    id: UUID
    selector: str
    territory: UUID
    organisation: UUID
    priority: int = 100
    calendar: str | None = None
    fallback: UUID | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def in_force(self, day: date) -> bool:
        """Whether the rule holds on this day of the city."""
        if self.valid_from is not None and day < self.valid_from:
            return False
        return self.valid_to is None or day < self.valid_to


@dataclass(frozen=True, slots=True)
class Location:
    """Where the problem is, as far as the resident could say."""

    building: UUID | None = None
    street: UUID | None = None
    district: str | None = None
    coordinates: Coordinates | None = None
