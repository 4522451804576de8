"""An organisation taken in at once: itself, its administrator's invitation, its program, its
address for news. All of it stands, or nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.access import Permission, Role
from domain.errors import Invalid, NotPermitted
from domain.identity.clients import (
    AuthMethod,
    Client,
    ClientKind,
    GrantType,
    Secret,
    check_client,
)
from domain.identity.clients import hash_secret as hash_client_secret
from domain.identity.clients import new_secret as new_client_secret
from domain.members.model import Invitation
from domain.members.rules import manages_city
from domain.members.use_cases import Invite, invite_into
from domain.organisations.model import Organisation, OrganisationKind
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.values import LocalizedText, new_id
from domain.webhooks.events import check_event_types
from domain.webhooks.model import Endpoint
from domain.webhooks.model import Secret as WebhookSecret
from domain.webhooks.urls import check_url
from domain.webhooks.use_cases import fresh_secret

SCOPES = frozenset(
    {"appeals:read", "appeals:perform", "applicants:read", "catalogue:read", "incidents:read"}
)
"""What an executor's dispatch system needs to do its work, and no more."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An organisation as who takes it in describes it; `parent` is the id of the one above it."""

    code: str
    kind: OrganisationKind
    names: LocalizedText
    parent: UUID | None = None
    calendar: str = "around-the-clock"
    district: str | None = None
    contacts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Onboard:
    """What is to stand at the end. Without a URL there is no endpoint."""

    organisation: Newcomer
    administrator: str | None = None
    iin: str | None = None
    client: str | None = None
    url: str | None = None
    event_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Onboarded:
    """What stands now. The secrets are told this once: the invitation's, the client's, and the
    endpoint's, which is the first of its `secrets`.
    """

    organisation: Organisation
    invitation: Invitation
    secret: str
    client: tuple[Client, str] | None
    endpoint: Endpoint | None


async def onboard(
    said: Onboard,
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    allow_http: bool,
) -> Onboarded:
    """Take an organisation in. Raises NotPermitted for anybody but an administrator of the
    contact centre, Invalid for what the city does not know, Conflict for a code that is taken.
    """
    uow.principal.require(Permission.ONBOARD)
    if not manages_city(uow.principal, reference):
        raise NotPermitted(permission=str(Permission.ONBOARD), role=str(uow.principal.role))
    home = _organisation(said.organisation, reference)
    await uow.firms.add(home)
    asked = Invite(home.id, Role.ADMINISTRATOR, name=said.administrator, iin=said.iin)
    invitation, secret = await _invited(home, asked, uow, reference, at)
    client = None
    if said.client is not None:
        client = await _client(home, said.client, uow, at)
    endpoint = None
    if said.url is not None:
        endpoint = _endpoint(uow.principal.city, home, said, at, allow_http)
        await uow.endpoints.add(endpoint)
    return Onboarded(home, invitation, secret, client, endpoint)


async def _invited(
    home: Organisation, asked: Invite, uow: UnitOfWork, reference: Reference, at: datetime
) -> tuple[Invitation, str]:
    try:
        return await invite_into(home, asked, uow=uow, reference=reference, at=at)
    except Invalid as refusal:
        faults = [replace(one, pointer=f"/administrator{one.pointer}") for one in refusal.faults]
        raise Invalid(faults) from None


async def _client(
    home: Organisation, name: str, uow: UnitOfWork, at: datetime
) -> tuple[Client, str]:
    """The program that comes for itself, as an executor of the organisation (RFC 6749 §4.4)."""
    secret = new_client_secret()
    client = Client(
        id=new_id(),
        city=uow.principal.city,
        name=name,
        kind=ClientKind.CONFIDENTIAL,
        auth_method=AuthMethod.BASIC,
        organisation=home.id,
        grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
        scopes=SCOPES,
        role=Role.EXECUTOR,
        secrets=(Secret(hash_client_secret(secret)),),
    )
    check_client(client)
    await uow.clients.add(client, at)
    return client, secret


def _organisation(said: Newcomer, reference: Reference) -> Organisation:
    if said.parent is not None and said.parent not in reference.organisations:
        raise Invalid.at("/organisation/parent", "unknown-organisation", value=str(said.parent))
    if said.district is not None and said.district not in reference.districts:
        raise Invalid.at("/organisation/district", "unknown-district", value=said.district)
    if said.calendar not in {code for code, _ in reference.promises.calendars}:
        raise Invalid.at("/organisation/calendar", "unknown-calendar", value=said.calendar)
    return Organisation(
        id=new_id(), code=said.code, parent=said.parent, kind=said.kind, names=said.names,
        contacts=said.contacts, calendar=said.calendar, district=said.district, active=True,
    )  # fmt: skip


def _endpoint(
    city: UUID, home: Organisation, said: Onboard, at: datetime, allow_http: bool
) -> Endpoint:
    url = said.url or ""
    try:
        check_url(url, allow_http)
        wanted = check_event_types(said.event_types)
    except Invalid as refusal:
        faults = [replace(one, pointer=f"/webhook{one.pointer}") for one in refusal.faults]
        raise Invalid(faults) from None
    return Endpoint(
        id=new_id(), city_id=city, organisation_id=home.id, url=url, event_types=wanted,
        description="", enabled=True, secrets=(WebhookSecret(fresh_secret()),), created_at=at,
    )  # fmt: skip
