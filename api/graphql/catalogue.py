"""The catalogue as nodes of the graph: spheres, categories, services, all from the snapshot."""

from datetime import date
from typing import Any

import strawberry

from api.graphql.derive import EDGES, Edge
from api.graphql.enums import Criticality, Language
from api.graphql.fast import plain, quick
from api.graphql.needs import Need
from api.graphql.nodes import Node, make
from api.graphql.scalars import JSON
from api.rest.catalogue import ServiceBrief, public_only
from api.rest.evidence import evidence_view
from api.rest.incident_views import CodeAndName
from api.rest.views import ServiceName
from domain.catalogue import model
from domain.catalogue.localised import localise
from domain.reference import Reference
from domain.values import in_language


@strawberry.type(description="A field of city life: roads, lifts, water, …")
class Sphere(Node):
    """The first shelf."""

    _said: strawberry.Private[model.Sphere]
    _city: strawberry.Private[Reference]
    code: str = plain("The code, unique in the city.")

    @quick("The name, in the language asked for or the request's own.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Localised."""
        return in_language(self._said.names, language or info.context.language)

    @quick("Its categories, in the order of the catalogue.")
    def categories(self) -> "list[Category]":
        """The second shelf."""
        catalogue = self._city.catalogue
        return [
            made_category(each, self._city)
            for each in catalogue.categories
            if each.sphere == self._said.code
        ]


@strawberry.type(description="A group of services within a sphere.")
class Category(Node):
    """The second shelf."""

    _said: strawberry.Private[model.Category]
    _city: strawberry.Private[Reference]
    code: str = plain("The code; it begins with that of its sphere.")

    @quick("The name, in the language asked for or the request's own.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Localised."""
        return in_language(self._said.names, language or info.context.language)

    @quick("Its services that are offered today, in the order of the catalogue.")
    def services(self, info: strawberry.Info) -> "list[Service]":
        """As the REST API offers them."""
        return [
            made(each, self._city, info)
            for each in self._city.catalogue.of_category(self._said.code)
            if offered(each, self._city, info.context)
        ]


@strawberry.type(description="A service of the catalogue, in the version that is in force.")
class Service(Node):
    """Residents know those that they may choose, and so do other cities; its own staff know all."""

    _said: strawberry.Private[model.Service]
    _city: strawberry.Private[Reference]
    code: str = plain("The code, unique in the city.")
    version: int = plain("The version; it never changes its content.")
    criticality: Criticality = plain("How much harm waiting does.")
    public: bool = plain("Whether a resident may choose it alone.")

    @quick("The name, in the language asked for or the request's own.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Localised."""
        return in_language(self._said.names, language or info.context.language)

    @quick("What it is about, in the language asked for or the request's own.")
    def description(self, info: strawberry.Info, language: Language | None = None) -> str | None:
        """Localised."""
        return _told(self._said.description, language or info.context.language)

    @quick("The answer that ends most calls at once, in the language asked for.")
    def first_call_answer(
        self, info: strawberry.Info, language: Language | None = None
    ) -> str | None:
        """Localised."""
        return _told(self._said.first_call_answer, language or info.context.language)

    @quick("Words by which it is found, in the language asked for or the request's own.")
    def keywords(self, info: strawberry.Info, language: Language | None = None) -> list[str]:
        """Localised."""
        return list(self._said.keywords.get(language or info.context.language, ()))

    @quick("The category.")
    def category(self) -> Category | None:
        """The shelf that it stands on."""
        return category_in(self._said.category, self._city)

    @quick("The sphere.")
    def sphere(self) -> Sphere | None:
        """The shelf that its category stands on."""
        return sphere_in(self._said.sphere, self._city)

    @quick("The code of the policy that promises its terms.")
    def policy(self) -> str:
        """A code of the promises."""
        return self._said.policy

    @quick("The kind of organisation that must act.")
    def responsible(self) -> str:
        """A kind of organisation."""
        return self._said.responsible

    @quick("Extra questions as JSON Schema 2020-12, titles in the language asked for.")
    def form(self, info: strawberry.Info, language: Language | None = None) -> JSON | None:
        """None where nothing more is asked."""
        form = self._said.form
        return form and localise(form, language or info.context.language)  # type: ignore[return-value]

    @quick("What must be shown before a stage of it counts.")
    def evidence(self, info: strawberry.Info) -> list[Need]:
        """By stage."""
        return evidence_view(self._said.evidence, info.context.language)

    @quick("The first day on which it is offered.")
    def valid_from(self) -> date:
        """A day of the city."""
        return self._said.valid_from

    @quick("The last day on which it is offered; null for no end.")
    def valid_to(self) -> date | None:
        """A day of the city."""
        return self._said.valid_to


def _told(text: Any, language: str) -> str | None:
    return in_language(text, language) if text else None


def offered(service: model.Service, city: Reference, context: Any) -> bool:
    """Whether the caller may choose the service today."""
    return service.valid_on(city.city.local(context.at).date()) and known_to(service, city, context)


def known_to(service: model.Service, city: Reference, context: Any) -> bool:
    """Whether the service of a city exists for the caller: what is not public is for those of the
    same city who write down what others say.
    """
    principal = context.principal
    own = principal is not None and principal.city == city.city.id
    return service.public or (own and not public_only(principal))


def made(service: model.Service, city: Reference, info: Any) -> Service:
    """The node of a service of a city; one for each request."""
    known = info.context.loader("services", _known)
    key = (city.city.code, service.code)
    node: Service | None = known.get(key)
    if node is None:
        node = known[key] = make(
            Service,
            "/".join(key),
            code=service.code,
            version=service.version,
            criticality=service.criticality,
            public=service.public,
            _said=service,
            _city=city,
        )
    return node


def made_category(category: model.Category, city: Reference) -> Category:
    """The node of a category."""
    key = f"{city.city.code}/{category.code}"
    return make(Category, key, code=category.code, _said=category, _city=city)


def made_sphere(sphere: model.Sphere, city: Reference) -> Sphere:
    """The node of a sphere."""
    key = f"{city.city.code}/{sphere.code}"
    return make(Sphere, key, code=sphere.code, _said=sphere, _city=city)


def category_in(code: str, city: Reference) -> Category | None:
    """The node of a category of a city."""
    known = city.catalogue.categories
    return next((made_category(each, city) for each in known if each.code == code), None)


def sphere_in(code: str, city: Reference) -> Sphere | None:
    """The node of a sphere of a city."""
    known = city.catalogue.spheres
    return next((made_sphere(each, city) for each in known if each.code == code), None)


def service_in(code: str, city: Reference, info: Any) -> Service | None:
    """The node of a service of a city that exists for the caller."""
    if code not in city.catalogue:
        return None
    found = city.catalogue.service(code)
    return made(found, city, info) if known_to(found, city, info.context) else None


def service_of(code: str, info: Any) -> Service | None:
    """The node of a service of the caller's own city."""
    return service_in(code, info.context.reference, info)


def _known(_: Any) -> dict[tuple[str, str], Service]:
    return {}


for _view in (ServiceName, ServiceBrief, CodeAndName):
    EDGES[_view] = Edge(Service, lambda view, info: service_of(view["code"], info))
