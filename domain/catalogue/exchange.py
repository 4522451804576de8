"""Carrying a whole catalogue in and out: a folder of YAML files, or one flat table.

Reading is all or nothing: either a sound draft, or the full list of problems. The
bytes are decoded in integrations/files; here the content is already plain data.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from domain.catalogue.evidence_fields import read_evidence
from domain.catalogue.fields import MAX_ANSWER, MAX_DESCRIPTION, MAX_NAME, Desk
from domain.catalogue.model import (
    Catalogue,
    Category,
    CategoryBranch,
    Criticality,
    Service,
    Sphere,
)
from domain.catalogue.problems import Problem, Spot

MAX_SERVICES = 50_000
FIRST_VERSION = 1
PLACES = frozenset({"code", "names", "position"})
NEEDED = ("code", "names", "criticality", "policy", "responsible", "valid_from")
OPTIONAL = (
    "description", "public", "keywords", "first_call_answer", "form", "evidence", "valid_to",
)  # fmt: skip
KNOWN = frozenset({*NEEDED, *OPTIONAL})


@dataclass(frozen=True, slots=True)
class References:
    """The words that services may refer to: SLA policy codes and organisation kinds."""

    policies: Collection[str]
    kinds: Collection[str]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One decoded YAML file: its content, and the lines of its parts by JSON Pointer."""

    name: str
    content: object
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A sound catalogue that is not in force yet; its services bear version 1 (see `diff`)."""

    spheres: tuple[Sphere, ...]
    categories: tuple[Category, ...]
    services: tuple[Service, ...]

    def catalogue(self) -> Catalogue:
        """The draft as the catalogue of a city that has none yet."""
        return Catalogue(self.spheres, self.categories, self.services)


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of an import: a draft, or (never both) every problem that stood against it."""

    draft: Draft | None
    problems: tuple[Problem, ...]


class Intake:
    """Gathers the entries of one import and refuses doubles."""

    def __init__(self, references: References) -> None:
        self.desk = Desk()
        self.references = references
        self.spheres: list[Sphere] = []
        self.categories: list[Category] = []
        self.services: list[Service] = []
        self._seen: dict[tuple[str, str], Spot] = {}

    def sphere(self, value: object, spot: Spot, *, default: int) -> str:
        """Take a sphere in; its code."""
        entry = self._place(value, spot)
        code = self.desk.code(entry.get("code"), spot.at("code"))
        names, position = self._naming(entry, spot, default)
        self._once("sphere", code, spot)
        self.spheres.append(Sphere(code, names, position))
        return code

    def category(self, value: object, sphere: str, spot: Spot, *, default: int) -> str:
        """Take a category of the sphere in; its code."""
        entry = self._place(value, spot, {"services"})
        code = self.desk.code(entry.get("code"), spot.at("code"), within=sphere)
        names, position = self._naming(entry, spot, default)
        self._once("category", code, spot)
        self.categories.append(Category(code, sphere, names, position))
        return code

    def service(self, value: object, category: str, sphere: str, spot: Spot) -> None:
        """Take a service in."""
        desk, entry = self.desk, self.desk.mapping(value, spot)
        desk.keys(entry, KNOWN, NEEDED, spot)
        code = desk.code(entry.get("code"), spot.at("code"), within=sphere)
        self._once("service", code, spot)
        valid_from, valid_to = self._validity(entry, spot)
        get, at = entry.get, spot.at
        service = Service(
            code=code,
            version=FIRST_VERSION,
            category=category,
            sphere=sphere,
            names=desk.texts(get("names"), MAX_NAME, at("names")),
            description=desk.texts(get("description"), MAX_DESCRIPTION, at("description")) or None,
            criticality=self._criticality(get("criticality"), at("criticality")),
            policy=self._policy(get("policy"), at("policy")),
            responsible=self._kind(get("responsible"), at("responsible")),
            public=desk.flag(get("public"), at("public"), default=True),
            keywords=desk.keywords(get("keywords"), at("keywords")),
            first_call_answer=self._answer(get("first_call_answer"), at("first_call_answer")),
            form=desk.form(get("form"), at("form")),
            valid_from=valid_from or date.min,
            valid_to=valid_to,
            evidence=read_evidence(desk, get("evidence"), at("evidence")),
        )
        self.services.append(service)

    def reading(self, problems: Iterable[Problem] = ()) -> Reading:
        """The draft when nothing at all stands against it, else all problems in file order."""
        if len(self.services) > MAX_SERVICES:
            self.desk.complain(Spot("", {}), "too-large", limit=MAX_SERVICES)
        found = [*problems, *self.desk.problems]
        if found:
            return Reading(None, tuple(sorted(found, key=lambda p: (p.file, p.line))))
        whole = Catalogue.ordered(self.spheres, self.categories, self.services)
        return Reading(Draft(whole.spheres, whole.categories, whole.services), ())

    def _place(self, value: object, spot: Spot, more: Collection[str] = ()) -> Mapping[str, object]:
        entry = self.desk.mapping(value, spot)
        self.desk.keys(entry, PLACES.union(more), ("code", "names"), spot)
        return entry

    def _naming(
        self, entry: Mapping[str, object], spot: Spot, default: int
    ) -> tuple[dict[str, str], int]:
        names = self.desk.texts(entry.get("names"), MAX_NAME, spot.at("names"))
        position = entry.get("position")
        return names, self.desk.position(position, spot.at("position"), default=default)

    def _once(self, what: str, code: str, spot: Spot) -> None:
        first = self._seen.setdefault((what, code), spot)
        if code and first is not spot:
            params = {"what": what, "value": code, "file": first.file, "line": first.line}
            self.desk.complain(spot.at("code"), "duplicate", **params)

    def _validity(self, entry: Mapping[str, object], spot: Spot) -> tuple[date | None, date | None]:
        begin = self.desk.day(entry.get("valid_from"), spot.at("valid_from"))
        end = self.desk.day(entry.get("valid_to"), spot.at("valid_to"))
        if begin and end and end < begin:
            self.desk.complain(spot.at("valid_to"), "ends-before-it-begins", valid_from=str(begin))
        return begin, end

    def _criticality(self, value: object, spot: Spot) -> Criticality:
        word = self.desk.choice(value, tuple(Criticality), spot, "unknown-criticality")
        return Criticality(word) if word in tuple(Criticality) else Criticality.NORMAL

    def _policy(self, value: object, spot: Spot) -> str:
        return self.desk.choice(value, self.references.policies, spot, "unknown-policy")

    def _kind(self, value: object, spot: Spot) -> str:
        return self.desk.choice(value, self.references.kinds, spot, "unknown-kind")

    def _answer(self, value: object, spot: Spot) -> dict[str, str] | None:
        return self.desk.texts(value, MAX_ANSWER, spot, lines=True) or None


def read_files(
    files: Sequence[SourceFile], references: References, problems: Iterable[Problem] = ()
) -> Reading:
    """The catalogue of a folder, one sphere a file; `problems` are those met while decoding."""
    intake = Intake(references)
    for number, file in enumerate(files):
        _read_file(intake, file, number)
    return intake.reading(problems)


def _read_file(intake: Intake, file: SourceFile, number: int) -> None:
    spot, desk = Spot(file.name, {"": 1, **file.lines}), intake.desk
    content = desk.mapping(file.content, spot)
    desk.keys(content, ("sphere", "categories"), ("sphere", "categories"), spot)
    sphere = intake.sphere(content.get("sphere") or {}, spot.entry("sphere"), default=number)
    listed = desk.sequence(content.get("categories") or [], spot.at("categories"))
    for index, value in enumerate(listed):
        place = spot.entry("categories", index)
        category = intake.category(value, sphere, place, default=index)
        services = value.get("services") if isinstance(value, Mapping) else None
        for order, service in enumerate(desk.sequence(services or [], place.at("services"))):
            intake.service(service, category, sphere, place.entry("services", order))


def write_files(catalogue: Catalogue) -> dict[str, dict[str, object]]:
    """The catalogue as files by name, `<sphere>.yaml`; read back, they give the same draft."""
    return {
        f"{branch.sphere.code}.yaml": {
            "sphere": {
                "code": branch.sphere.code,
                "names": dict(branch.sphere.names),
                "position": branch.sphere.position,
            },
            "categories": [_category_form(category) for category in branch.categories],
        }
        for branch in catalogue.tree(empty=True)
    }


def _category_form(branch: CategoryBranch) -> dict[str, object]:
    return {
        "code": branch.category.code,
        "names": dict(branch.category.names),
        "position": branch.category.position,
        "services": [service_form(service) for service in branch.services],
    }


def service_form(service: Service) -> dict[str, object]:
    """A service as it stands in a file, where its place says the category; dates are dates."""
    entry = {name: value for name, value in service.content().items() if name != "category"}
    entry["valid_from"] = service.valid_from
    if service.valid_to:
        entry["valid_to"] = service.valid_to
    return entry
