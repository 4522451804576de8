"""How people come into an organisation, what becomes of them there, and how they go.

Taking an invitation is no use case of a principal, since who takes one is nobody yet: it stands
at the login's door (domain/identity/ports.py: People.redeem).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.access import Permission, Role
from domain.errors import Conflict, Invalid, NotFound
from domain.identity.iin import IinMalformed, parse_iin
from domain.members import rules
from domain.members.model import (
    LASTS,
    Invitation,
    InvitationState,
    Member,
    MemberEvent,
    hash_secret,
    new_secret,
)
from domain.members.workflow import MemberAction, MemberEventType
from domain.organisations.model import Organisation
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.values import new_id


@dataclass(frozen=True, slots=True)
class Invite:
    """Whom to let in: into which organisation, as what, and if it is known for whom alone."""

    organisation: UUID
    role: Role
    district: str | None = None
    name: str | None = None
    iin: str | None = None


async def invite(
    said: Invite, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> tuple[Invitation, str]:
    """A new invitation and its secret, which is told this once.

    Raises NotPermitted, and Invalid for an organisation, a role or a district that cannot be.
    """
    uow.principal.require(Permission.MANAGE_MEMBERS)
    home = rules.home_for(said.organisation, uow.principal, reference)
    return await invite_into(home, said, uow=uow, reference=reference, at=at)


async def invite_into(
    home: Organisation, said: Invite, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> tuple[Invitation, str]:
    """The same, into an organisation that is at hand."""
    who = uow.principal
    district = rules.place_for(said.role, said.district, home, who, reference)
    iin = _sound_iin(said.iin)
    secret = new_secret()
    invitation = Invitation(
        id=new_id(), city=who.city, organisation=home.id, role=said.role, invited_by=who.id,
        created_at=at, ends_at=at + LASTS, bound=iin is not None, name=said.name,
        district=district,
    )  # fmt: skip
    event = _told(invitation, MemberEventType.INVITED, uow, at)
    await uow.invitations.add(invitation, event, hash=hash_secret(secret), iin=iin)
    return invitation, secret


async def revoke(
    id: UUID, reason: str | None, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> Invitation:
    """Take an invitation back. Raises NotPermitted, NotFound, Conflict for one that is over."""
    uow.principal.require(Permission.MANAGE_MEMBERS)
    invitation = await uow.invitations.get(id)
    if not rules.within(invitation.organisation, uow.principal, reference):
        raise NotFound(kind="invitation", id=str(id))
    if invitation.state(at) is not InvitationState.OPEN:
        raise Conflict(reason="invitation-over")
    return await _take_back(invitation, reason, uow, at)


async def act(
    id: UUID,
    action: MemberAction,
    reason: str | None,
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
) -> Member:
    """Suspend, restore, or let go. Raises NotPermitted, NotFound, InvalidTransition, and
    Conflict for the last administrator who would leave an organisation with nobody.
    """
    uow.principal.require(Permission.LEAVE)
    if id != uow.principal.id:
        # Asked before the member is, or the refusal would tell that there is one of that id.
        uow.principal.require(Permission.MANAGE_MEMBERS)
    before = await uow.members.get(id)
    rules.manageable(before, action, uow.principal, reference)
    after, event = rules.act(before, action, uow.principal, at, reason)
    return await _settle(before, after, event, uow, at)


async def change_role(
    id: UUID,
    role: Role,
    district: str | None,
    reason: str | None,
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
) -> Member:
    """Give a member another role, or an akim another district. Raises as `act`, and Invalid."""
    uow.principal.require(Permission.MANAGE_MEMBERS)
    before = await uow.members.get(id)
    action = MemberAction.CHANGE_ROLE
    rules.manageable(before, action, uow.principal, reference)
    home = rules.home_for(before.organisation, uow.principal, reference)
    placed = rules.place_for(role, district, home, uow.principal, reference)
    after, event = rules.act(before, action, uow.principal, at, reason, role=role, district=placed)
    return await _settle(before, after, event, uow, at)


async def _settle(
    before: Member, after: Member, event: MemberEvent, uow: UnitOfWork, at: datetime
) -> Member:
    """Keep what was done, unless an organisation were left with nobody to let others in.

    Who may invite no more takes their open invitations along: otherwise one that an
    administrator kept back would let them in again.
    """
    if rules.keeps_an_administrator(before, after, uow.principal):
        others = set(await uow.members.administrators(before.organisation)) - {before.id}
        if not others:
            raise Conflict(reason="last-administrator")
    await uow.members.save(after, event)
    if before.role is Role.ADMINISTRATOR:
        for invitation in await uow.invitations.open_of(before.id, at):
            await _take_back(invitation, None, uow, at)
    return after


async def _take_back(
    invitation: Invitation, reason: str | None, uow: UnitOfWork, at: datetime
) -> Invitation:
    after = replace(invitation, revoked_at=at)
    event = _told(after, MemberEventType.INVITATION_REVOKED, uow, at, reason)
    await uow.invitations.revoke(after, event)
    return after


def _told(
    invitation: Invitation,
    type: MemberEventType,
    uow: UnitOfWork,
    at: datetime,
    reason: str | None = None,
) -> MemberEvent:
    return MemberEvent(
        id=new_id(), type=type, city=invitation.city, organisation=invitation.organisation,
        actor=rules.actor_of(uow.principal), role=invitation.role, district=invitation.district,
        invitation=invitation.id, reason=reason, at=at,
    )  # fmt: skip


def _sound_iin(said: str | None) -> str | None:
    if said is None:
        return None
    try:
        return parse_iin(said).digits
    except IinMalformed:
        # The number itself is told nowhere, not even to who typed it (law 6).
        raise Invalid.at("/iin", "iin") from None
