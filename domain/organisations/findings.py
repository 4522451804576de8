"""What a check of the routing can find, and how grave it is. The words are in api/routing_texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5


class Severity(StrEnum):
    """An error leaves residents without an executor; a warning is what leads there."""

    ERROR = "error"
    WARNING = "warning"


class Lack(StrEnum):
    """What is wrong."""

    UNCOVERED = "uncovered"
    UNCOVERED_OUTSIDE_HOURS = "uncovered-outside-hours"
    UNCOVERED_STREET = "uncovered-street"
    UNCOVERED_GROUND = "uncovered-ground"
    SHADOWED_RULE = "shadowed-rule"
    EXPIRED_RULE = "expired-rule"
    SUSPENDED_EXECUTOR = "suspended-executor"
    SUSPENDED_FALLBACK = "suspended-fallback"
    FALLBACK_CLOSED = "fallback-closed"
    FALLBACK_CIRCLE = "fallback-circle"
    REDIRECT_CIRCLE = "redirect-circle"
    NO_CONTACT = "no-contact"
    NO_CALENDAR = "no-calendar"
    NO_HOURS = "no-hours"
    UNKNOWN_CALENDAR = "unknown-calendar"
    UNKNOWN_ORGANISATION = "unknown-organisation"
    UNKNOWN_TERRITORY = "unknown-territory"
    UNKNOWN_SERVICE = "unknown-service"
    CLOSED_SERVICE = "closed-service"
    UNUSED_SELECTOR = "unused-selector"
    EMPTY_TERRITORY = "empty-territory"
    UNKNOWN_BUILDING = "unknown-building"
    BUILDING_WITHOUT_DISTRICT = "building-without-district"


_WARNINGS = frozenset(
    {
        Lack.UNCOVERED_OUTSIDE_HOURS,
        Lack.UNCOVERED_STREET,
        Lack.UNCOVERED_GROUND,
        Lack.SHADOWED_RULE,
        Lack.EXPIRED_RULE,
        Lack.SUSPENDED_EXECUTOR,
        Lack.SUSPENDED_FALLBACK,
        Lack.FALLBACK_CLOSED,
        Lack.REDIRECT_CIRCLE,
        Lack.CLOSED_SERVICE,
        Lack.UNUSED_SELECTOR,
        Lack.EMPTY_TERRITORY,
        Lack.UNKNOWN_BUILDING,
    }
)


class AreaKind(StrEnum):
    """How the place of a cell is named; `buildings` is a group of houses without a name."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    TERRITORY = "territory"
    BUILDINGS = "buildings"


@dataclass(frozen=True, slots=True)
class Area:
    """The houses of a cell: all those, and no others, that fare alike.

    `code` names the district, street or territory that they fill; '' for the city and for a
    group without a name. `districts` are those that any of them stands in.
    """

    kind: AreaKind
    code: str
    districts: tuple[str, ...]
    buildings: tuple[UUID, ...] = field(repr=False)

    @property
    def mark(self) -> str:
        """What tells the houses of this area from those of another, however many they are."""
        return sha256(b"".join(each.bytes for each in self.buildings)).hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the routing of a city.

    `subject` names what is to be mended by its kind and its code or id. `services` are the codes
    that it concerns, `rules` the responsibilities, `organisations` the executors, the subject's
    own first. `facts` fill the words.
    """

    lack: Lack
    subject: tuple[str, str]
    services: tuple[str, ...] = ()
    area: Area | None = None
    rules: tuple[UUID, ...] = ()
    organisations: tuple[UUID, ...] = ()
    districts: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """Whether residents are left alone, or may come to be."""
        return Severity.WARNING if self.lack in _WARNINGS else Severity.ERROR

    @property
    def id(self) -> UUID:
        """The same for the same finding, as long as it stands."""
        place = (self.area.kind, self.area.code, self.area.mark) if self.area else ""
        said = (self.lack, self.subject, self.services, place, self.rules, self.organisations)
        return uuid5(NAMESPACE_URL, repr(said))

    @property
    def order(self) -> tuple[str, str, tuple[str, str], str, tuple[str, ...]]:
        """Errors first, then alike by alike."""
        place = f"{self.area.code} {self.area.mark}" if self.area else ""
        return self.severity, self.lack, self.subject, place, self.services
