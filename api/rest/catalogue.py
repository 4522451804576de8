"""The catalogue as residents and operators see it: tree, search, one service and its form."""

from typing import Any

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.evidence import NeedView, evidence_view
from api.rest.operation import Call, Operation, Reply
from domain.access import Permission, Principal
from domain.catalogue.localised import localise
from domain.catalogue.model import Service
from domain.errors import NotFound
from domain.values import in_language


class ServicesQuery(f.Query):
    """`q` as it is being typed, in any of the languages, with typos."""

    q: f.Word | None = None
    sphere: f.Code | None = None
    category: f.Code | None = None
    limit: f.Limit = 20


class ServiceBrief(TypedDict):
    """A service in a list."""

    code: str
    version: int
    name: str
    category: str
    sphere: str
    criticality: str
    public: bool
    has_form: bool
    first_call: bool


class ServiceView(ServiceBrief):
    """A service whole, in the caller's language. `evidence` is what its stages will need."""

    description: str | None
    policy: str
    responsible: str
    keywords: list[str]
    first_call_answer: str | None
    evidence: list[NeedView]
    valid_from: str
    valid_to: str | None


class ServiceList(TypedDict):
    """Services, the best first."""

    items: list[ServiceBrief]


class CategoryNode(TypedDict):
    """A category with its services."""

    code: str
    name: str
    services: list[ServiceBrief]


class SphereNode(TypedDict):
    """A sphere with its categories."""

    code: str
    name: str
    categories: list[CategoryNode]


class CatalogueTree(TypedDict):
    """The whole catalogue. `version` changes whenever anything in it does."""

    version: int
    spheres: list[SphereNode]


def service_brief(service: Service, language: str) -> ServiceBrief:
    """A service as lists show it, its name in the caller's language."""
    return {
        "code": service.code,
        "version": service.version,
        "name": in_language(service.names, language),
        "category": service.category,
        "sphere": service.sphere,
        "criticality": service.criticality,
        "public": service.public,
        "has_form": service.form is not None,
        "first_call": service.first_call_answer is not None,
    }


def _whole(service: Service, language: str) -> ServiceView:
    answer, description = service.first_call_answer, service.description
    return {
        **service_brief(service, language),
        "description": in_language(description, language) if description else None,
        "policy": service.policy,
        "responsible": service.responsible,
        "keywords": list(service.keywords.get(language, ())),
        "first_call_answer": in_language(answer, language) if answer else None,
        "evidence": evidence_view(service.evidence, language),
        "valid_from": service.valid_from.isoformat(),
        "valid_to": service.valid_to.isoformat() if service.valid_to else None,
    }


def public_only(principal: Principal) -> bool:
    """Whether they know only what a resident may choose."""
    return not principal.may(Permission.REGISTER_FOR_OTHERS)


def _today(call: Call) -> Any:
    return call.reference.city.local(call.at).date()


def _found(call: Call) -> Service:
    code = call.path["code"]
    service = call.reference.catalogue.service(code)
    if public_only(call.principal) and not service.public:
        raise NotFound(kind="service", id=code)
    return service


async def read_tree(call: Call) -> Reply:
    """Spheres, categories and the services in force today."""
    reference, language = call.reference, call.language
    branches = reference.catalogue.tree(day=_today(call), public_only=public_only(call.principal))
    spheres = [
        {
            "code": branch.sphere.code,
            "name": in_language(branch.sphere.names, language),
            "categories": [
                {
                    "code": node.category.code,
                    "name": in_language(node.category.names, language),
                    "services": [service_brief(service, language) for service in node.services],
                }
                for node in branch.categories
            ],
        }
        for branch in branches
    ]
    tag = f'"{reference.version}-{language}-{int(public_only(call.principal))}-{_today(call)}"'
    return Reply({"version": reference.version, "spheres": spheres}, headers={"etag": tag})


async def list_services(call: Call) -> Reply:
    """Services that the words mean; without words, in catalogue order."""
    query: ServicesQuery = call.query
    services = found_services(query, call)[: query.limit]
    return Reply({"items": [service_brief(service, call.language) for service in services]})


def found_services(query: ServicesQuery, call: Call, *, everything: bool = False) -> list[Service]:
    """Services that a query means, the best first: at least the first `limit`, or all."""
    return [
        service
        for service in _candidates(call, query, everything)
        if query.sphere in (None, service.sphere) and query.category in (None, service.category)
    ]


def _candidates(call: Call, query: ServicesQuery, everything: bool) -> list[Service]:
    reference, hidden, today = call.reference, public_only(call.principal), _today(call)
    if query.q is None:
        return [
            service
            for service in reference.catalogue.services
            if service.valid_on(today) and (service.public or not hidden)
        ]
    narrowed = everything or query.sphere is not None or query.category is not None
    hits = reference.search.search(
        query.q,
        language=call.language,
        limit=len(reference.catalogue.services) if narrowed else query.limit,
        public_only=hidden,
        day=today,
    )
    return [hit.service for hit in hits]


async def read_service(call: Call) -> Reply:
    """One service."""
    return Reply(_whole(_found(call), call.language))


async def read_form(call: Call) -> Reply:
    """The extra questions as JSON Schema 2020-12, titles in the caller's language."""
    service = _found(call)
    form = service.form if service.form is not None else {"type": "object", "properties": {}}
    return Reply(
        localise(form, call.language),
        headers={"etag": f'"{service.code}-{service.version}-{call.language}"'},
        media_type="application/schema+json",
    )


_MAY = Permission.READ_CATALOGUE

OPERATIONS = (
    Operation(
        "readCatalogue", "GET", "/v1/catalogue", "Catalogue",
        "Read the tree of spheres, categories and services",
        reads=read_tree, permission=_MAY, answer=CatalogueTree, etag=True,
    ),
    Operation(
        "listServices", "GET", "/v1/services", "Catalogue",
        "Search services as one types, in kk, ru and en, with typos",
        reads=list_services, permission=_MAY, query=ServicesQuery, answer=ServiceList,
    ),
    Operation(
        "readService", "GET", "/v1/services/{code}", "Catalogue", "Read a service",
        reads=read_service, permission=_MAY, answer=ServiceView, refusals=(404,),
    ),
    Operation(
        "readForm", "GET", "/v1/services/{code}/form", "Catalogue",
        "Read the form of a service as JSON Schema 2020-12",
        reads=read_form, permission=_MAY, answer=dict[str, Any],
        media_type="application/schema+json", refusals=(404,), etag=True,
    ),
)  # fmt: skip
