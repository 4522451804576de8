"""What the use cases about members ask of the world."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.access import Role
from domain.identity.clients import Client
from domain.members.model import Invitation, Member, MemberEvent
from domain.members.workflow import MemberState
from domain.organisations.model import Organisation


class Members(Protocol):
    """Memberships of the principal's city."""

    async def get(self, id: UUID) -> Member:
        """The member, locked until the unit ends. Raises NotFound."""

    async def save(self, member: Member, event: MemberEvent) -> None:
        """What an act did to a member that was read in this unit, and the fact."""

    async def administrators(self, organisation: UUID) -> Collection[UUID]:
        """The active administrators of an organisation, locked until the unit ends, so that no
        two of them leave at once.
        """


class Invitations(Protocol):
    """Invitations of the principal's city."""

    async def get(self, id: UUID) -> Invitation:
        """The invitation, locked until the unit ends. Raises NotFound."""

    async def add(
        self, invitation: Invitation, event: MemberEvent, *, hash: bytes, iin: str | None
    ) -> None:
        """A new one; of its secret the SHA-256 is kept, of the IIN a blind index and a seal."""

    async def open_of(self, member: UUID, at: datetime) -> Sequence[Invitation]:
        """Those that a member sent and that could still be taken, locked."""

    async def revoke(self, invitation: Invitation, event: MemberEvent) -> None:
        """Take one back that was read in this unit; `revoked_at` says when."""


class Firms(Protocol):
    """Organisations of the principal's city, as they are taken in one by one."""

    async def add(self, organisation: Organisation) -> None:
        """A new one; every process knows it within a second. Raises Conflict for a code that is
        taken.
        """


class Clients(Protocol):
    """Programs with credentials of their own, as they are taken in."""

    async def add(self, client: Client, at: datetime) -> None:
        """Keep a new client with the hashes of its secrets."""


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Which members are wanted; what is None does not narrow."""

    organisation: UUID | None = None
    role: Role | None = None
    state: MemberState | None = None
