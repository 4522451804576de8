"""What a city has agreed on, as one frozen snapshot: catalogue, organisations, promises.

Use cases read it, never the tables behind it; the adapter renews it when the city's
reference version moves, so that one request sees one state of it from start to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.catalogue.evidence import Evidence
from domain.catalogue.forms import Forms
from domain.catalogue.model import Catalogue
from domain.catalogue.search import SearchIndex
from domain.errors import NotFound
from domain.incidents.board import Board
from domain.law.model import Law
from domain.organisations.addresses import AddressIndex
from domain.organisations.areas import Areas
from domain.organisations.model import Building, District, Organisation, Street
from domain.organisations.routing import RoutingIndex
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock
from domain.sla.policy import Policy, Promise
from domain.values import Coordinates, LocalizedText


@dataclass(frozen=True, slots=True)
class City:
    """A jurisdiction with one 109 register. `prefix` opens its registration numbers."""

    id: UUID
    code: str
    kato: str
    names: LocalizedText
    zone: str
    languages: tuple[str, ...]
    prefix: str

    def zone_info(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.zone)

    def local(self, at: datetime) -> datetime:
        """The city's wall clock at an instant."""
        return at.astimezone(self.zone_info())

    def number(self, year: int, sequence: int) -> str:
        """The registration number that residents see: SEM-2026-000123."""
        return f"{self.prefix}-{year}-{sequence:06d}"


@dataclass(frozen=True, slots=True)
class Promises:
    """Policies and calendars, every version, since a running case keeps the one it began under."""

    policies: Mapping[tuple[str, int], Policy]
    calendars: Mapping[tuple[str, int], Calendar]
    by_channel: Mapping[str, str]
    laws: Mapping[int, Law] = field(default_factory=dict)

    def law(self, on: date) -> Law | None:
        """The newest version of the law in force on a day; None for a city that took none in."""
        fitting = [law for law in self.laws.values() if law.effective_from <= on]
        return max(fitting, key=lambda law: (law.effective_from, law.version), default=None)

    def policy(self, code: str, on: date) -> Policy:
        """The newest version in effect on a day of the city. Raises NotFound."""
        fitting = [p for (c, _), p in self.policies.items() if c == code and p.effective_from <= on]
        if not fitting:
            raise NotFound(kind="policy", id=code)
        return max(fitting, key=lambda p: (p.effective_from, p.version))

    def calendar(self, code: str) -> Calendar:
        """The newest version of a calendar. Raises NotFound."""
        fitting = [c for (name, _), c in self.calendars.items() if name == code]
        if not fitting:
            raise NotFound(kind="calendar", id=code)
        return max(fitting, key=lambda c: c.version)

    def of(self, clock: Clock) -> tuple[Promise, Calendar]:
        """The promise and the calendar that a clock began under. Raises NotFound."""
        policy = self.policies.get((clock.policy, clock.policy_version))
        promise = policy.promise(clock.stage) if policy else None
        calendar = self.calendars.get((clock.calendar, clock.calendar_version))
        if promise is None or calendar is None:
            raise NotFound(kind="policy", id=f"{clock.policy}@{clock.policy_version}")
        return promise, calendar


@dataclass(frozen=True, slots=True)
class Reference:
    """The snapshot. `version` grows with every change of anything in it but the live
    incidents, which come and go without it.

    `evidence` holds what services demand by code and version, every version of those that
    demand any, since an appeal is judged by the one that it was registered under.
    """

    version: int
    city: City
    bounds: Areas[str]
    catalogue: Catalogue
    forms: Forms
    search: SearchIndex
    promises: Promises
    organisations: Mapping[UUID, Organisation]
    districts: Mapping[str, District]
    streets: Mapping[UUID, Street]
    buildings: Mapping[UUID, Building]
    addresses: AddressIndex
    routing: RoutingIndex
    evidence: Mapping[tuple[str, int], Evidence] = field(default_factory=dict)
    incidents: Board = field(default_factory=Board)

    def inside(self, point: Coordinates) -> bool:
        """Whether a point lies within the city's bounds."""
        return bool(self.bounds.at(point))

    def is_working(self, calendar: str, at: datetime) -> bool:
        """Whether a calendar of the city works at an instant; one that it lacks never does."""
        try:
            return self.promises.calendar(calendar).is_working(at)
        except NotFound:
            return False
