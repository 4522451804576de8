"""The catalogue: what a resident may ask the city for, in spheres, categories and services.

A snapshot is frozen. A service is known by its code and version; a version never
changes its content, so an appeal keeps the words and the promise it began under.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import orjson

from domain.catalogue.evidence import Evidence, evidence_document
from domain.errors import NotFound
from domain.values import LocalizedText


class Criticality(StrEnum):
    """How much harm waiting does, from danger to life down to none."""

    EMERGENCY = "emergency"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Sphere:
    """A field of city life (`lifts`, `roads`); `position` orders the spheres on a screen."""

    code: str
    names: LocalizedText
    position: int


@dataclass(frozen=True, slots=True)
class Category:
    """A group of services inside one sphere; its code begins with the sphere's."""

    code: str
    sphere: str
    names: LocalizedText
    position: int


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of the catalogue, in one version.

    `policy` names the SLA policy, `responsible` the kind of organisation that acts,
    `form` the JSON Schema of the extra questions (see domain/catalogue/forms.py).
    It is offered from `valid_from` to `valid_to`, both days included. `evidence` is what must
    be shown before a stage of it counts.
    """

    code: str
    version: int
    category: str
    sphere: str
    names: LocalizedText
    description: LocalizedText | None
    criticality: Criticality
    policy: str
    responsible: str
    public: bool
    keywords: Mapping[str, tuple[str, ...]]
    first_call_answer: LocalizedText | None
    form: Mapping[str, object] | None
    valid_from: date
    valid_to: date | None
    evidence: Evidence = field(default_factory=dict)

    def valid_on(self, day: date) -> bool:
        """Whether the service is offered on the (local) day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def content(self) -> dict[str, object]:
        """Everything but the version, as plain data: the YAML form plus `category`.

        Absent optional parts are left out, dates are ISO 8601 strings.
        """
        parts: dict[str, object] = {
            "code": self.code,
            "category": self.category,
            "names": dict(self.names),
            "description": self.description and dict(self.description),
            "criticality": self.criticality.value,
            "policy": self.policy,
            "responsible": self.responsible,
            "public": self.public,
            "keywords": {language: list(words) for language, words in self.keywords.items()},
            "first_call_answer": self.first_call_answer and dict(self.first_call_answer),
            "form": self.form,
            "evidence": evidence_document(self.evidence) or None,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to and self.valid_to.isoformat(),
        }
        return {name: value for name, value in parts.items() if value is not None}

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the content; two versions with equal fingerprints say the same."""
        return hashlib.sha256(orjson.dumps(self.content(), option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class CategoryBranch:
    """A category with its services, in catalogue order."""

    category: Category
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class SphereBranch:
    """A sphere with its categories, in order of position."""

    sphere: Sphere
    categories: tuple[CategoryBranch, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A frozen snapshot of the whole catalogue: the current version of every service."""

    spheres: tuple[Sphere, ...]
    categories: tuple[Category, ...]
    services: tuple[Service, ...]
    _services: Mapping[str, Service] = field(init=False, repr=False, compare=False)
    _by_category: Mapping[str, tuple[Service, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shelves: dict[str, list[Service]] = {}
        for service in self.services:
            shelves.setdefault(service.category, []).append(service)
        by_category = {code: tuple(services) for code, services in shelves.items()}
        object.__setattr__(self, "_services", {s.code: s for s in self.services})
        object.__setattr__(self, "_by_category", by_category)

    @classmethod
    def ordered(
        cls,
        spheres: Iterable[Sphere],
        categories: Iterable[Category],
        services: Iterable[Service],
    ) -> "Catalogue":
        """A snapshot in catalogue order: by position, then code; services keep their order."""
        shelf = sorted(spheres, key=lambda sphere: (sphere.position, sphere.code))
        rank = {sphere.code: number for number, sphere in enumerate(shelf)}
        groups = sorted(categories, key=lambda c: (rank.get(c.sphere, -1), c.position, c.code))
        order = {category.code: number for number, category in enumerate(groups)}
        entries = sorted(services, key=lambda service: order.get(service.category, -1))
        return cls(tuple(shelf), tuple(groups), tuple(entries))

    def __contains__(self, code: str) -> bool:
        return code in self._services

    def service(self, code: str) -> Service:
        """The service with the code. Raises NotFound."""
        try:
            return self._services[code]
        except KeyError:
            raise NotFound(kind="service", id=code) from None

    def of_category(self, category: str) -> tuple[Service, ...]:
        """The services of a category, none where there is no such category."""
        return self._by_category.get(category, ())

    def tree(
        self, *, day: date | None = None, public_only: bool = False, empty: bool = False
    ) -> tuple[SphereBranch, ...]:
        """Spheres, categories and services as a tree.

        With `day` only what is offered on it, with `public_only` only what a resident
        may choose. Branches without services are left out unless `empty`.
        """
        branches: dict[str, list[CategoryBranch]] = {}
        for category in self.categories:
            services = tuple(self._offered(category.code, day, public_only))
            if services or empty:
                branches.setdefault(category.sphere, []).append(CategoryBranch(category, services))
        return tuple(
            SphereBranch(sphere, tuple(branches.get(sphere.code, ())))
            for sphere in self.spheres
            if empty or sphere.code in branches
        )

    def _offered(self, category: str, day: date | None, public_only: bool) -> Iterator[Service]:
        for service in self._by_category.get(category, ()):
            if (service.public or not public_only) and (day is None or service.valid_on(day)):
                yield service
