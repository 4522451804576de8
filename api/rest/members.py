"""Members of organisations: who they are, how they are let in, what becomes of them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.operation import Call, Operation, Reply
from api.rest.views import Named, organisation_name
from domain.access import Permission, Role
from domain.members import use_cases
from domain.members.model import Invitation, InvitationState, Member
from domain.members.ports import MemberFilter
from domain.members.rules import reach
from domain.members.use_cases import Invite
from domain.members.workflow import MemberAction, MemberState
from domain.ports import UnitOfWork

GivenRole = Literal[
    Role.OPERATOR, Role.INSPECTOR, Role.EXECUTOR, Role.HEAD, Role.AKIM, Role.ADMINISTRATOR,
    Role.AUDITOR,
]  # fmt: skip


class InvitationBody(f.Body):
    """Whom to let in, as what. With an `iin` nobody else can take the invitation; `name` is for
    those whose login tells none. `district` narrows an akim.
    """

    organisation: f.Id
    role: GivenRole
    district: f.Code | None = None
    name: f.Name | None = None
    iin: f.Iin | None = None


class WhyBody(f.Body):
    """Why; it is kept with the fact."""

    reason: f.ShortText


class MaybeWhyBody(f.Body):
    """Why, if there is a reason to tell; it is kept with the fact."""

    reason: f.ShortText | None = None


class RoleBody(WhyBody):
    """The role, or an akim's district, that a member has from now on, and why."""

    role: GivenRole
    district: f.Code | None = None


class MembersQuery(f.PageQuery):
    """Which members."""

    organisation: f.Id | None = None
    role: GivenRole | None = None
    state: MemberState | None = None


class InvitationView(TypedDict):
    """An invitation. `for_one_alone`: it was made for one IIN. `member` is who took it."""

    id: UUID
    organisation: Named
    role: str
    district: str | None
    name: str | None
    for_one_alone: bool
    state: InvitationState
    invited_by: UUID
    created_at: datetime
    ends_at: datetime
    member: UUID | None


class InvitationWithSecret(InvitationView):
    """An invitation with its secret; shown this once."""

    secret: str


class InvitationPage(TypedDict):
    """A page of invitations, the newest first."""

    items: list[InvitationView]
    next: str | None


class MemberView(TypedDict):
    """A member. The name stays when they have left: the register names them by id for ever."""

    id: UUID
    organisation: Named
    role: str
    district: str | None
    name: str
    state: MemberState
    created_at: datetime


class MemberPage(TypedDict):
    """A page of members, the newest first."""

    items: list[MemberView]
    next: str | None


class MemberActorView(TypedDict):
    """Who did it; at the command line, nobody in particular."""

    id: UUID
    role: str


class MemberEventView(TypedDict):
    """One fact; `role` and `district` are those after it."""

    type: str
    at: datetime
    actor: MemberActorView
    role: str
    district: str | None
    reason: str | None


class MemberWithEvents(MemberView):
    """A member and all that became of them, oldest first."""

    events: list[MemberEventView]


def invitation_view(invitation: Invitation, call: Call, home: Named | None = None) -> Any:
    """An InvitationView; `home` where the organisation is newer than what the process knows."""
    return {
        "id": invitation.id,
        "organisation": home
        or organisation_name(invitation.organisation, call.reference, call.language),
        "role": invitation.role,
        "district": invitation.district,
        "name": invitation.name,
        "for_one_alone": invitation.bound,
        "state": invitation.state(call.at),
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "ends_at": invitation.ends_at,
        "member": invitation.member,
    }


def _member_view(member: Member, call: Call) -> Any:
    return {
        "id": member.id,
        "organisation": organisation_name(member.organisation, call.reference, call.language),
        "role": member.role,
        "district": member.district,
        "name": member.name,
        "state": member.state,
        "created_at": member.created_at,
    }


async def invite(call: Call, uow: UnitOfWork) -> Reply:
    """A new invitation."""
    body: InvitationBody = call.body
    said = Invite(body.organisation, body.role, body.district, body.name, body.iin)
    made, secret = await use_cases.invite(said, uow=uow, reference=call.reference, at=call.at)
    view = {**invitation_view(made, call), "secret": secret}
    return Reply(view, 201, {"cache-control": "no-store"})


async def list_invitations(call: Call) -> Reply:
    """Invitations, the newest first."""
    query: f.PageQuery = call.query
    after = read_cursor(query.cursor, call.house.keyring)
    reached = reach(call.principal, call.reference)
    found = await call.house.rosters.invitations(
        call.principal.city, reached, after, query.limit + 1
    )
    return _page(found, query.limit, invitation_view, call)


async def revoke(call: Call, uow: UnitOfWork) -> Reply:
    """An invitation taken back."""
    invitation = await use_cases.revoke(
        call.id("invitation"), call.body.reason,
        uow=uow, reference=call.reference, at=call.at,
    )  # fmt: skip
    return Reply(invitation_view(invitation, call))


async def list_members(call: Call) -> Reply:
    """Members, the newest first."""
    query: MembersQuery = call.query
    after = read_cursor(query.cursor, call.house.keyring)
    wanted = MemberFilter(query.organisation, query.role, query.state)
    reached = reach(call.principal, call.reference)
    found = await call.house.rosters.members(
        call.principal.city, reached, wanted, after, query.limit + 1
    )
    return _page(found, query.limit, _member_view, call)


def _page(found: list[Any], limit: int, view: Any, call: Call) -> Reply:
    items = found[:limit]
    last = items[-1] if len(found) > limit else None
    keyring = call.house.keyring
    following = write_cursor(last.created_at, last.id, keyring) if last else None
    return Reply({"items": [view(one, call) for one in items], "next": following})


async def read_member(call: Call) -> Reply:
    """One member, and their life."""
    reached = reach(call.principal, call.reference)
    member, events = await call.house.rosters.member(
        call.principal.city, reached, call.id("member")
    )
    names = ("type", "at", "role", "district", "reason")
    told = [
        {name: event[name] for name in names}
        | {"actor": {"id": event["actor_id"], "role": event["actor_role"]}}
        for event in events
    ]
    return Reply({**_member_view(member, call), "events": told})


def _acting(action: MemberAction) -> Any:
    async def act(call: Call, uow: UnitOfWork) -> Reply:
        member = await use_cases.act(
            call.id("member"), action, call.body.reason,
            uow=uow, reference=call.reference, at=call.at,
        )  # fmt: skip
        return Reply(_member_view(member, call))

    return act


async def change_role(call: Call, uow: UnitOfWork) -> Reply:
    """Another role, or another district."""
    body: RoleBody = call.body
    member = await use_cases.change_role(
        call.id("member"), body.role, body.district, body.reason,
        uow=uow, reference=call.reference, at=call.at,
    )  # fmt: skip
    return Reply(_member_view(member, call))


_MANAGE = Permission.MANAGE_MEMBERS
_ONE = "/v1/members/{id}"

OPERATIONS = (
    Operation(
        "inviteMember", "POST", "/v1/invitations", "Members",
        "Invite somebody into an organisation; the secret is shown once and lasts seven days",
        writes=invite, permission=_MANAGE, body=InvitationBody, answer=InvitationWithSecret,
        status=201,
    ),
    Operation(
        "listInvitations", "GET", "/v1/invitations", "Members",
        "See who was invited, and what became of it",
        reads=list_invitations, permission=_MANAGE, query=f.PageQuery, answer=InvitationPage,
    ),
    Operation(
        "revokeInvitation", "POST", "/v1/invitations/{id}/revoke", "Members",
        "Take an invitation back",
        writes=revoke, permission=_MANAGE, body=MaybeWhyBody, answer=InvitationView,
        refusals=(404, 409),
    ),
    Operation(
        "listMembers", "GET", "/v1/members", "Members",
        "See who works in an organisation, and who did",
        reads=list_members, permission=Permission.READ_MEMBERS, query=MembersQuery,
        answer=MemberPage,
    ),
    Operation(
        "readMember", "GET", _ONE, "Members", "Read a member and all that became of them",
        reads=read_member, permission=Permission.READ_MEMBERS, answer=MemberWithEvents,
        refusals=(404,),
    ),
    Operation(
        "suspendMember", "POST", f"{_ONE}/suspend", "Members",
        "Let a member do nothing until they are let back",
        writes=_acting(MemberAction.SUSPEND), permission=_MANAGE, body=WhyBody, answer=MemberView,
        refusals=(404, 409),
    ),
    Operation(
        "restoreMember", "POST", f"{_ONE}/restore", "Members", "Let a suspended member back",
        writes=_acting(MemberAction.RESTORE), permission=_MANAGE, body=WhyBody, answer=MemberView,
        refusals=(404, 409),
    ),
    Operation(
        "endMembership", "POST", f"{_ONE}/leave", "Members",
        "Leave, or let a member go; who comes back is invited anew",
        writes=_acting(MemberAction.LEAVE), permission=Permission.LEAVE, body=MaybeWhyBody,
        answer=MemberView, refusals=(404, 409),
    ),
    Operation(
        "changeRole", "POST", f"{_ONE}/role", "Members",
        "Give a member another role, or an akim another district",
        writes=change_role, permission=_MANAGE, body=RoleBody, answer=MemberView,
        refusals=(404, 409),
    ),
)  # fmt: skip
