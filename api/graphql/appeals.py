"""Appeals as nodes of the graph. What is shown of one, and masked, is what the REST API shows."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api.graphql import loading
from api.graphql.catalogue import Service, service_of
from api.graphql.derive import EDGES, Edge
from api.graphql.enums import AppealAction, AppealStatus, Channel, Criticality, Kind, Language
from api.graphql.fast import field, plain, quick
from api.graphql.incidents import Incident, seen
from api.graphql.nodes import Node, make
from api.graphql.organisations import District, Organisation, district_of, organisation_of
from api.graphql.scalars import JSON
from api.graphql.selection import needs_of, parts
from api.graphql.shapes import (
    AppealEvent,
    Applicant,
    Assignment,
    Attachment,
    Clock,
    Confirmation,
    Evidence,
    Extension,
    Leading,
    Legal,
    Location,
    Pause,
    Route,
)
from api.rest import views
from api.rest.attachments import attachment_view
from api.rest.evidence import asked_view
from api.rest.history import event_view
from api.rest.legal_views import leading_view, legal_view
from domain.access import Permission, Role
from domain.appeals.workflow import allowed
from domain.values import in_language

MOST_EVENTS = 100


def _own(info: Any) -> bool:
    return info.context.require().role is Role.CITIZEN


@strawberry.type(
    description="One resident's request, complaint, proposal or thanks, as the caller may see it."
)
class Appeal(Node):
    """Attributes are the parts that were read (integrations/postgres/sketches.py)."""

    id: strawberry.ID = plain("The global id.", "id")
    uuid: UUID = plain("The id as the REST API has it.", "id")
    number: str = plain("The registration number that residents know: SEM-2026-000123.")
    status: AppealStatus = plain("Where the appeal stands.")
    kind: Kind = plain("What the resident wants.")
    channel: Channel = plain("By which road it came.")
    language: Language = plain("The language in which the resident wrote or spoke.")
    service_code: str = plain("The code of the service.", "service")
    service_version: int = plain("The version of the service that it was registered under.")
    category: str = plain("The code of the service's category.")
    sphere: str = plain("The code of the service's sphere.")
    criticality: Criticality = plain("How much harm waiting does.")
    emergency: bool = plain("Whether it became an emergency.")
    text: str = plain("What the resident said.")
    answers: JSON = plain("The answers to the service's extra questions.")
    contact: str | None = plain("By which conversation it came, as its channel calls it.")
    first_contact: bool = plain("Whether it was answered at first contact.")
    reopened: int = plain("How often the resident said no.")
    redirected: int = plain("How often it was sent on to another body.")
    national_number: str | None = plain(
        "The number in the national register of appeals (e-Өтініш), where it stands there."
    )
    registered_at: datetime = plain("When it was registered.")
    updated_at: datetime = plain("When something last happened to it.")
    closed_at: datetime | None = plain("When it was closed or withdrawn.")
    due_at: datetime | None = plain("When the next promise falls due; null where none counts.")
    version: int = plain("Its version: the `ifVersion` of a careful mutation.")

    @quick("The service, as it is in the catalogue today; null where it is no longer in it.",
           "service")  # fmt: skip
    def service(self, info: strawberry.Info) -> Service | None:
        """From the snapshot."""
        return service_of(self._service, info)  # type: ignore[attr-defined]

    @quick("The name of the service, in the language asked for or the request's own.", "service")
    def service_name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Also where the catalogue has it no more, or hides it: then the code."""
        code: str = self.service_code
        catalogue = info.context.reference.catalogue
        names = catalogue.service(code).names if code in catalogue else {}
        return in_language(names, language or info.context.language) or code

    @quick("The organisation that has it now; null where nobody has.", "executor")
    def organisation(self, info: strawberry.Info) -> Organisation | None:
        """From the snapshot."""
        return organisation_of(self._executor, info)  # type: ignore[attr-defined]

    @quick("The district of the place.", "district")
    def district(self, info: strawberry.Info) -> District | None:
        """From the snapshot."""
        return district_of(self._district, info)  # type: ignore[attr-defined]

    @quick("Where the problem is; the flat is shown to the resident alone.", "place")
    def location(self, info: strawberry.Info) -> Location:
        """Masked as by REST."""
        return views.location_view(self._place, shown=_own(info))  # type: ignore[attr-defined]

    @quick("Who asks, masked; null where nobody is known.", "applicant")
    def applicant(self, info: strawberry.Info) -> Applicant | None:
        """Masked as by REST."""
        return views.applicant_view(self._applicant, shown=_own(info))  # type: ignore[attr-defined]

    @quick("The member who wrote it down. For staff.", "operator")
    def operator(self, info: strawberry.Info) -> UUID | None:
        """Not told to residents."""
        found: UUID | None = None if _own(info) else self._operator  # type: ignore[attr-defined]
        return found

    @quick("The appeal at its executor; null where nobody has it.", "assignment")
    def assignment(self, info: strawberry.Info) -> Assignment | None:
        """With the organisation as a node."""
        context = info.context
        given = self._assignment  # type: ignore[attr-defined]
        return views.assignment_view(given, context.reference, context.language)

    @quick("Every promise and how it stands, by due time.", "clocks")
    def clocks(self) -> list[Clock]:
        """As by REST."""
        return views.clock_views(self._clocks)  # type: ignore[attr-defined]

    @quick("Why it went where it went.", "route")
    def route(self) -> Route:
        """The reason's code, and the rule."""
        route = self._route  # type: ignore[attr-defined]
        return {"reason": route.reason, "responsibility": route.responsibility}

    @quick("The wait that it is in.", "pause")
    def pause(self) -> Pause | None:
        """None where its clocks run."""
        return views.pause_view(self._pause)  # type: ignore[attr-defined]

    @quick("The resident's word, once it was given.", "confirmation")
    def confirmation(self, info: strawberry.Info) -> Confirmation | None:
        """Masked as by REST."""
        said = self._confirmation  # type: ignore[attr-defined]
        return views.confirmation_view(said, info.context.require())

    @quick("What the acts ahead will need.", "whole")
    def evidence(self, info: strawberry.Info) -> list[Evidence]:
        """By the rules, which see the appeal whole."""
        context = info.context
        whole = self._whole  # type: ignore[attr-defined]
        asked = views.evidence_ahead(whole, context.reference)
        return [asked_view(each, context.language) for each in asked]

    @quick("How it stands before the law; null for a request for service.", "legal",
           "state_deadline")  # fmt: skip
    def legal(self, info: strawberry.Info) -> Legal | None:
        """By the version of the law that it was registered under."""
        context = info.context
        legal = self._legal  # type: ignore[attr-defined]
        day = self._state_deadline  # type: ignore[attr-defined]
        return legal_view(legal, day, context.reference, context.language)

    @quick("The stricter of the law's term and the city's standard; null where neither counts"
           " still.", "whole")  # fmt: skip
    def leading(self, info: strawberry.Info) -> Leading | None:
        """By the rules, which see the appeal whole."""
        context = info.context
        whole = self._whole  # type: ignore[attr-defined]
        return leading_view(whole, context.reference, context.language)

    @quick("More time that the executor asked for and nobody has decided on. For staff.", "whole")
    def extension(self, info: strawberry.Info) -> Extension | None:
        """As by REST."""
        whole = self._whole  # type: ignore[attr-defined]
        return views.wish_view(whole, info.context.require())

    @quick("What the caller may do with it now; the rules may know more.", "status")
    def allowed(self, info: strawberry.Info) -> list[AppealAction]:
        """By the transition table and the caller's role."""
        return list(allowed(self.status, info.context.require()))

    @field("The incident that it is joined to, where it exists for the caller.", "incident")
    async def incident(self, info: strawberry.Info) -> Incident | None:
        """Batched."""
        id = self._incident  # type: ignore[attr-defined]
        found = await loading.incidents(info.context).load(id) if id is not None else None
        return seen(found, info.context) if found is not None else None

    @field("The history, oldest first, `first` events after the sequence number `after`.", "id")
    async def events(
        self, info: strawberry.Info, first: int = 50, after: int = 0
    ) -> list[AppealEvent]:
        """Batched; masked as by REST."""
        principal = info.context.require(Permission.READ_APPEAL)
        found = await loading.events(
            info.context,
            internal=principal.may(Permission.READ_INTERNAL),
            after=max(after, 0),
            limit=min(max(first, 1), MOST_EVENTS),
        ).load(self.uuid)
        return [event_view(document, principal) for document in found]

    @field("What is attached, the oldest first.", "id")
    async def attachments(self, info: strawberry.Info) -> list[Attachment]:
        """Batched."""
        principal = info.context.require(Permission.READ_APPEAL)
        found = await loading.attachments(info.context).load(self.uuid)
        call = info.context.call(principal)
        return [attachment_view(row, call) for row in found]


NEEDED = needs_of(Appeal)


def parts_below(info: Any, *path: str) -> frozenset[str]:
    """The parts of appeals that the selections below a resolved field ask for."""
    return parts(info, NEEDED, *path)


def made(sketch: dict[str, Any]) -> Appeal:
    """The node of a sketch. Parts that a field shows as they are stand under their own names,
    those that it makes something of under a hidden one.
    """
    values = {_SHOWN.get(part, f"_{part}"): value for part, value in sketch.items()}
    if "service" in sketch:
        values["_service"] = sketch["service"]
    return make(Appeal, sketch["id"], **values)


_SHOWN = {
    **{
        each.python_name: each.python_name
        for each in Appeal.__strawberry_definition__.fields  # type: ignore[attr-defined]
        if each.base_resolver is None
    },
    "id": "uuid",
    "service": "service_code",
}


async def _by_number(view: Any, info: strawberry.Info) -> Appeal | None:
    """The node of an appeal that a view shows whole."""
    wanted = parts_below(info._raw_info)
    sketch = await loading.appeals_by(info.context, "number", wanted).load(view["number"])
    return made(sketch) if sketch is not None else None


EDGES[views.AppealView] = Edge(Appeal, _by_number)
