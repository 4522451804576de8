"""Organisations, territories and rules come in: all of it, or nothing and every reason why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from uuid import UUID, uuid5

from domain.catalogue.problems import Problem, Spot
from domain.errors import Conflict
from domain.organisations.fields import Fields
from domain.organisations.model import (
    Organisation,
    OrganisationKind,
    Responsibility,
    Territory,
    TerritoryKind,
)
from domain.organisations.tree import OrganisationTree

Row = tuple[Spot, object]
"""Where an entry stands in its file, and its decoded content (a mapping, if it is sound)."""

_FIELDS = {
    "organisations": ("code", "kind", "names", "parent", "contacts", "calendar", "district",
                      "active", "id"),
    "territories": ("code", "names", "kind", "district", "street", "buildings", "polygon", "id"),
    "responsibilities": ("selector", "territory", "organisation", "priority", "calendar",
                         "fallback", "valid_from", "valid_to", "id"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What the city already has and an import may name.

    `streets`, `organisations` and `territories` by code, `buildings` by
    '<street code>/<number>'. `selectors`: codes of spheres, categories and services.
    `namespace` makes the ids of new entries from their codes.
    """

    namespace: UUID
    calendars: frozenset[str]
    selectors: frozenset[str]
    districts: frozenset[str] = frozenset()
    streets: Mapping[str, UUID] = field(default_factory=dict)
    buildings: Mapping[str, UUID] = field(default_factory=dict)
    organisations: Mapping[str, UUID] = field(default_factory=dict)
    territories: Mapping[str, UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """The decoded entries of an import, in the order of their files."""

    organisations: Sequence[Row] = ()
    territories: Sequence[Row] = ()
    responsibilities: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A sound import that is not in force yet."""

    organisations: tuple[Organisation, ...]
    territories: tuple[Territory, ...]
    responsibilities: tuple[Responsibility, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of an import: a draft, or (never both) every problem that stood against it."""

    draft: Draft | None
    problems: tuple[Problem, ...]


def read(rows: Rows, known: Known, problems: Iterable[Problem] = ()) -> Reading:
    """The draft of an import, or all its problems; `problems` are those met while decoding."""
    intake = _Intake(known, rows, list(problems))
    organisations = intake.organisations(rows.organisations)
    territories = intake.territories(rows.territories)
    responsibilities = intake.responsibilities(rows.responsibilities)
    intake.refuse_doubles(organisations, territories, responsibilities)
    if not intake.problems:
        intake.refuse_cycles(organisations)
    if intake.problems:
        ordered = sorted(intake.problems, key=lambda each: (each.file, each.line, each.field))
        return Reading(None, tuple(ordered))
    draft = Draft(
        tuple(each for _, each in organisations),
        tuple(each for _, each in territories),
        tuple(each for _, each in responsibilities),
    )
    return Reading(draft, ())


class _Intake:
    """Reads entries against what is known and what comes along, and gathers problems."""

    def __init__(self, known: Known, rows: Rows, problems: list[Problem]) -> None:
        self.known, self.problems = known, problems
        self._firms = self._ids("organisation", rows.organisations, known.organisations)
        self._areas = self._ids("territory", rows.territories, known.territories)

    def organisations(self, rows: Iterable[Row]) -> list[tuple[Spot, Organisation]]:
        found = []
        for spot, row in self._entries("organisations", rows):
            code = row.text("code")
            each = Organisation(
                id=row.identity(self._firms.get(code, self.known.namespace)),
                code=code,
                parent=row.optional_reference("parent", self._firms),
                kind=row.one_of("kind", OrganisationKind, OrganisationKind.UTILITY),
                names=row.names(),
                contacts=row.texts("contacts"),
                calendar=row.listed("calendar", self.known.calendars),
                district=row.optional_listed("district", self.known.districts),
                active=row.flag("active", default=True),
            )
            found.append((spot, each))
        return found

    def territories(self, rows: Iterable[Row]) -> list[tuple[Spot, Territory]]:
        found = []
        for spot, row in self._entries("territories", rows):
            code, kind = row.text("code"), row.one_of("kind", TerritoryKind, TerritoryKind.CITY)
            row.refuse_other_shapes(kind)
            names = row.names()
            identity = row.identity(self._areas.get(code, self.known.namespace))
            district = street = polygon = None
            buildings: frozenset[UUID] = frozenset()
            if kind is TerritoryKind.DISTRICT:
                district = row.listed("district", self.known.districts)
            elif kind is TerritoryKind.STREET:
                street = row.reference("street", self.known.streets)
            elif kind is TerritoryKind.BUILDINGS:
                buildings = row.references("buildings", self.known.buildings)
            elif kind is TerritoryKind.POLYGON:
                polygon = row.polygon("polygon")
            if row.sound:  # A territory without its shape cannot even be built.
                area = Territory(identity, code, names, kind, district, street, buildings, polygon)
                found.append((spot, area))
        return found

    def responsibilities(self, rows: Iterable[Row]) -> list[tuple[Spot, Responsibility]]:
        found = []
        for spot, row in self._entries("responsibilities", rows):
            since, until = row.day("valid_from"), row.day("valid_to")
            if since and until and until <= since:
                row.refuse("valid_to", "not-after", valid_from=since.isoformat())
            each = Responsibility(
                id=row.identity(self._rule_id(row, since)),
                selector=self._selector(row),
                territory=row.reference("territory", self._areas),
                organisation=row.reference("organisation", self._firms),
                priority=row.whole("priority", default=100),
                calendar=row.optional_listed("calendar", self.known.calendars),
                fallback=row.optional_reference("fallback", self._firms),
                valid_from=since,
                valid_to=until,
            )
            found.append((spot, each))
        return found

    def refuse_doubles(self, *groups: Sequence[tuple[Spot, object]]) -> None:
        """An id or a code stands once in an import."""
        for group in groups:
            for name in ("id", "code"):
                seen = Counter(getattr(each, name, None) for _, each in group)
                self.problems += [
                    spot.at(name).problem("duplicate", value=str(getattr(each, name)))
                    for spot, each in group
                    if getattr(each, name, "") and seen[getattr(each, name)] > 1
                ]

    def refuse_cycles(self, organisations: Sequence[tuple[Spot, Organisation]]) -> None:
        """Nobody stands above themselves. Parents outside the import end the climb."""
        inside = {each.id for _, each in organisations}
        for spot, each in organisations:
            if each.parent == each.id:
                self.problems.append(spot.at("parent").problem("organisation-cycle"))
        if self.problems:
            return
        rooted = [_rooted(each, inside) for _, each in organisations]
        try:
            OrganisationTree.of(rooted)
        except Conflict as refusal:
            guilty = refusal.params["organisation"]
            spot = next(spot for spot, each in organisations if each.id == guilty)
            self.problems.append(spot.at("parent").problem("organisation-cycle"))

    def _entries(self, what: str, rows: Iterable[Row]) -> Iterable[tuple[Spot, Fields]]:
        for spot, content in rows:
            yield spot, Fields(spot, content, _FIELDS[what], self.problems)

    def _ids(self, what: str, rows: Iterable[Row], known: Mapping[str, UUID]) -> Mapping[str, UUID]:
        ids = dict(known)
        for spot, content in rows:
            # Complaints are made once, when the entry itself is read.
            row = Fields(spot, content, _FIELDS["organisations"] + _FIELDS["territories"], [])
            code = row.text("code")
            derived = ids.get(code) or uuid5(self.known.namespace, f"{what}:{code}")
            ids[code] = row.identity(derived)
        return ids

    def _rule_id(self, row: Fields, since: date | None) -> UUID:
        selector, territory, organisation = (
            str(row.get(name)) for name in ("selector", "territory", "organisation")
        )
        return rule_id(self.known.namespace, selector, territory, organisation, since)

    def _selector(self, row: Fields) -> str:
        selector = row.text("selector")
        if selector and not self._selects(selector):
            row.refuse("selector", "unknown", value=selector)
        return selector

    def _selects(self, selector: str) -> bool:
        code, _, kind = selector.rpartition("+")
        if kind.startswith("kind:"):
            known = kind.removeprefix("kind:") in OrganisationKind.__members__.values()
            return known and ("+" not in selector or code in self.known.selectors)
        return selector == "*" or selector in self.known.selectors


def rule_id(
    namespace: UUID, selector: str, territory: str, organisation: str, since: date | None
) -> UUID:
    """The id of a rule that came without one: the same rule is the same row at each import."""
    key = f"responsibility:{selector}|{territory}|{organisation}"
    return uuid5(namespace, f"{key}|{since.isoformat()}" if since else key)


def _rooted(each: Organisation, inside: set[UUID]) -> Organisation:
    if each.parent is None or each.parent in inside:
        return each
    values = {one.name: getattr(each, one.name) for one in fields(each)}
    return Organisation(**{**values, "parent": None})
