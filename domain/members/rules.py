"""Who manages whom, and which role is given where: pure functions.

An administrator manages their organisation and what is below it; the contact centre's manages
the city's. Nobody but the centre's gives a role that sees the whole register, whatever their own
organisation is, or a utility could read the city by inviting an auditor.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.access import CITY_WIDE, NOBODY, Permission, Principal, Role
from domain.errors import Conflict, Invalid, NotFound, NotPermitted
from domain.events import Actor
from domain.members.model import GIVEN, Member, MemberEvent
from domain.members.workflow import MemberAction, MemberState, guard
from domain.organisations.model import Organisation, OrganisationKind
from domain.reference import Reference
from domain.values import new_id

_K = OrganisationKind
WHERE: Mapping[Role, frozenset[OrganisationKind]] = {
    Role.OPERATOR: frozenset({_K.CONTACT_CENTRE}),
    Role.INSPECTOR: frozenset({_K.CONTACT_CENTRE}),
    Role.AKIM: frozenset({_K.AKIMAT, _K.DISTRICT_AKIMAT}),
    Role.AUDITOR: frozenset({_K.CONTACT_CENTRE, _K.AKIMAT}),
    Role.EXECUTOR: frozenset(OrganisationKind),
    Role.HEAD: frozenset(OrganisationKind),
    Role.ADMINISTRATOR: frozenset(OrganisationKind),
}
"""In which kinds of organisation a role is given."""


def manages_city(principal: Principal, reference: Reference) -> bool:
    """Whether the principal manages every organisation: an administrator of the contact centre,
    or the city's own people at the command line.
    """
    if principal.role is not Role.ADMINISTRATOR:
        return False
    if principal.id == NOBODY:
        return True
    home = reference.organisations.get(principal.organisation) if principal.organisation else None
    return home is not None and home.kind is OrganisationKind.CONTACT_CENTRE


def reach(principal: Principal, reference: Reference) -> frozenset[UUID] | None:
    """The organisations whose members exist for the principal; None for all of the city."""
    if principal.role is Role.AUDITOR or manages_city(principal, reference):
        return None
    return principal.organisations


def within(organisation: UUID, principal: Principal, reference: Reference) -> bool:
    """Whether the principal's reach covers an organisation."""
    reached = reach(principal, reference)
    return reached is None or organisation in reached


def home_for(id: UUID, principal: Principal, reference: Reference) -> Organisation:
    """An active organisation where the principal may let people in. Raises Invalid."""
    organisation = reference.organisations.get(id)
    if organisation is None or not organisation.active or not within(id, principal, reference):
        raise Invalid.at("/organisation", "unknown-organisation", value=str(id))
    return organisation


def place_for(
    role: Role,
    district: str | None,
    organisation: Organisation,
    principal: Principal,
    reference: Reference,
) -> str | None:
    """The district that goes with a role given in an organisation.

    Raises Invalid where the role is not given there, and NotPermitted where the principal may
    not give it.
    """
    if role not in GIVEN or organisation.kind not in WHERE[role]:
        raise Invalid.at("/role", "role-not-given-here", kind=str(organisation.kind))
    if _of_the_city(role, organisation) and not manages_city(principal, reference):
        raise NotPermitted(permission="members:give-city-wide", role=str(principal.role))
    return _district(role, district, organisation, reference)


def _of_the_city(role: Role, organisation: Organisation | None) -> bool:
    """Whether the city itself is in somebody's hands: they see it whole, or manage everybody in
    it, as the contact centre's administrators do, whoever stands above the centre in the tree.
    """
    centre = organisation is not None and organisation.kind is OrganisationKind.CONTACT_CENTRE
    return role in CITY_WIDE or (role is Role.ADMINISTRATOR and centre)


def _district(
    role: Role, said: str | None, organisation: Organisation, reference: Reference
) -> str | None:
    if role is not Role.AKIM:
        if said is not None:
            raise Invalid.at("/district", "akims-only")
        return None
    if said is not None and said not in reference.districts:
        raise Invalid.at("/district", "unknown-district", value=said)
    if organisation.kind is OrganisationKind.AKIMAT:
        return said
    # A district's akim sees the district, however the invitation was filled in.
    if organisation.district is None or said not in (None, organisation.district):
        raise Invalid.at("/district", "not-of-this-akimat")
    return organisation.district


def manageable(
    member: Member, action: MemberAction, principal: Principal, reference: Reference
) -> None:
    """Raise unless the principal may do this to the member.

    NotFound for a member beyond their reach; NotPermitted for anything but leaving that they
    would do to themselves, and for a role of the city that only the centre's people touch.
    """
    if member.id == principal.id:
        if action is not MemberAction.LEAVE:
            raise NotPermitted(permission="members:manage-oneself", role=str(principal.role))
        return
    principal.require(Permission.MANAGE_MEMBERS)
    if not within(member.organisation, principal, reference):
        raise NotFound(kind="member", id=str(member.id))
    home = reference.organisations.get(member.organisation)
    if _of_the_city(member.role, home) and not manages_city(principal, reference):
        raise NotPermitted(permission="members:give-city-wide", role=str(principal.role))


def act(
    member: Member,
    action: MemberAction,
    principal: Principal,
    at: datetime,
    reason: str | None,
    *,
    role: Role | None = None,
    district: str | None = None,
) -> tuple[Member, MemberEvent]:
    """The member after an action, and the fact. Raises InvalidTransition, Conflict."""
    row = guard(action, member.state)
    after = replace(member, state=row.to or member.state)
    if role is not None:
        after = replace(after, role=role, district=district)
    if after == member:
        raise Conflict(reason="nothing-changed")
    event = MemberEvent(
        id=new_id(), type=row.event, city=member.city, organisation=member.organisation,
        actor=actor_of(principal), role=after.role, district=after.district, member=member.id,
        reason=reason, at=at,
    )  # fmt: skip
    return after, event


def keeps_an_administrator(before: Member, after: Member, principal: Principal) -> bool:
    """Whether an organisation must have another administrator for this to happen.

    Who stands above may take the last one away, since they go on managing the organisation; who
    is of it may not: nobody could let the next one in.
    """
    was = before.role is Role.ADMINISTRATOR and before.state is MemberState.ACTIVE
    stays = after.role is Role.ADMINISTRATOR and after.state is MemberState.ACTIVE
    return was and not stays and principal.organisation == before.organisation


def actor_of(principal: Principal) -> Actor:
    """Who acts, as records name them: the command line is nobody in particular."""
    if principal.id == NOBODY:
        return Actor(str(Role.SYSTEM), NOBODY)
    return Actor.of(principal)
