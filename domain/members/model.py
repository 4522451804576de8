"""Members of organisations, the invitations that make them, and what became of both."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from domain.access import Role
from domain.events import Actor
from domain.members.workflow import MemberEventType, MemberState

PREFIX = "inv_"
SECRET_BYTES = 32
LASTS = timedelta(days=7)
"""How long an invitation may be taken."""

GIVEN = tuple(role for role in Role if role not in (Role.CITIZEN, Role.SYSTEM))
"""Roles that a member can have."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a role in an organisation; `district` narrows an akim.

    The name stays when the member has left: events name them by id for ever.
    """

    id: UUID
    city: UUID
    organisation: UUID
    role: Role
    name: str
    state: MemberState
    created_at: datetime
    district: str | None = None


class InvitationState(StrEnum):
    """Where an invitation stands."""

    OPEN = "open"
    REDEEMED = "redeemed"
    REVOKED = "revoked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A place in an organisation that waits for somebody, once. `bound`: for one IIN alone.

    `invited_by` is a member, or the nil UUID for the city's own people at the command line;
    `member` is who took it.
    """

    id: UUID
    city: UUID
    organisation: UUID
    role: Role
    invited_by: UUID
    created_at: datetime
    ends_at: datetime
    bound: bool = False
    name: str | None = None
    district: str | None = None
    redeemed_at: datetime | None = None
    member: UUID | None = None
    revoked_at: datetime | None = None

    def state(self, at: datetime) -> InvitationState:
        """Where it stands."""
        if self.redeemed_at is not None:
            return InvitationState.REDEEMED
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        return InvitationState.ENDED if self.ends_at <= at else InvitationState.OPEN


@dataclass(frozen=True, slots=True)
class MemberEvent:
    """One fact about a member or an invitation, which nobody edits or removes.

    `role` and `district` are those after it.
    """

    id: UUID
    type: MemberEventType
    city: UUID
    organisation: UUID
    actor: Actor
    role: Role
    at: datetime
    district: str | None = None
    member: UUID | None = None
    invitation: UUID | None = None
    reason: str | None = None


def new_secret() -> str:
    """What the invited is given: 32 random bytes that are shown once."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> bytes:
    """What the database knows of it. 256 random bits need no salt and no slow hash."""
    return sha256(secret.encode()).digest()
