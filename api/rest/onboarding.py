"""An organisation taken in by one call: everything of it stands, or nothing."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.members import InvitationWithSecret, invitation_view
from api.rest.operation import Call, Operation, Reply
from api.rest.webhooks import EndpointWithSecret, EventTypes, Url, endpoint_with_secret
from domain.access import Permission
from domain.members.onboarding import Newcomer, Onboard, onboard
from domain.organisations.model import OrganisationKind
from domain.ports import UnitOfWork
from domain.values import in_language

Slug = Annotated[f.Code, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")]


class NamesBody(f.Body):
    """A name in the city's languages."""

    kk: f.Name
    ru: f.Name
    en: f.Name | None = None


class ContactsBody(f.Body):
    """How the organisation is reached; anybody of the city's staff can read it."""

    phone: f.Phone | None = None
    email: f.Email | None = None
    address: f.Word | None = None


class NewcomerBody(f.Body):
    """The organisation: its code in the city, what it is, and the one above it."""

    code: Slug
    kind: OrganisationKind
    names: NamesBody
    parent: f.Id | None = None
    calendar: f.Code = "around-the-clock"
    district: f.Code | None = None
    contacts: ContactsBody = ContactsBody()


class AdministratorBody(f.Body):
    """Who will manage it: for whom alone the invitation is, as far as it is known."""

    name: f.Name | None = None
    iin: f.Iin | None = None


class WebhookBody(f.Body):
    """Where it wants to hear of its appeals."""

    url: Url
    event_types: EventTypes = ()


class OnboardBody(f.Body):
    """An organisation, its administrator, the name of its program, its address for news."""

    organisation: NewcomerBody
    administrator: AdministratorBody = AdministratorBody()
    client: f.Name | None = None
    webhook: WebhookBody | None = None


class NewOrganisation(TypedDict):
    """The organisation as it stands now."""

    id: UUID
    code: str
    name: str
    parent: UUID | None


class ClientWithSecret(TypedDict):
    """The program's credentials for `client_credentials`; shown this once."""

    client_id: UUID
    client_secret: str
    scopes: list[str]


class OnboardedView(TypedDict):
    """What stands now. Every secret is shown this once."""

    organisation: NewOrganisation
    invitation: InvitationWithSecret
    client: ClientWithSecret | None
    webhook: EndpointWithSecret | None


async def onboard_organisation(call: Call, uow: UnitOfWork) -> Reply:
    """An organisation with all that it needs to begin."""
    done = await onboard(
        as_said(call.body),
        uow=uow,
        reference=call.reference,
        at=call.at,
        allow_http=call.house.settings.webhook_allow_http,
    )
    home = done.organisation
    name = in_language(home.names, call.language)
    invited = invitation_view(done.invitation, call, {"id": home.id, "name": name})
    view = {
        "organisation": {"id": home.id, "code": home.code, "name": name, "parent": home.parent},
        "invitation": {**invited, "secret": done.secret},
        "client": _client(done.client),
        "webhook": endpoint_with_secret(done.endpoint) if done.endpoint else None,
    }
    where = f"{call.house.settings.base_url}/v1/organisations/{home.id}"
    return Reply(view, 201, {"location": where, "cache-control": "no-store"})


def _client(made: Any) -> Any:
    if made is None:
        return None
    client, secret = made
    return {"client_id": client.id, "client_secret": secret, "scopes": sorted(client.scopes)}


def as_said(body: OnboardBody) -> Onboard:
    """As the domain wants it."""
    said, hook = body.organisation, body.webhook
    names = {"kk": said.names.kk, "ru": said.names.ru}
    if said.names.en is not None:
        names["en"] = said.names.en
    return Onboard(
        organisation=Newcomer(
            code=said.code,
            kind=said.kind,
            names=names,
            parent=said.parent,
            calendar=said.calendar,
            district=said.district,
            contacts=said.contacts.model_dump(exclude_none=True),
        ),
        administrator=body.administrator.name,
        iin=body.administrator.iin,
        client=body.client,
        url=hook.url if hook else None,
        event_types=tuple(map(str, hook.event_types)) if hook else (),
    )


OPERATIONS = (
    Operation(
        "onboardOrganisation", "POST", "/v1/organisations/onboard", "Members",
        "Take an organisation in: itself, its administrator's invitation, a program, a webhook",
        writes=onboard_organisation, permission=Permission.ONBOARD, body=OnboardBody,
        answer=OnboardedView, status=201, refusals=(409,),
    ),
)  # fmt: skip
