"""Members, invitations and newly taken organisations, inside one unit of work."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from domain.access import Principal, Role
from domain.errors import Conflict, NotFound
from domain.identity.clients import Client
from domain.members.model import Invitation, Member, MemberEvent
from domain.members.workflow import MemberState
from domain.organisations.model import Organisation
from domain.ports import Keyring
from domain.values import new_id
from integrations.postgres.clients import CLIENT_ADDED, PROOF_ADDED, client_values
from integrations.postgres.lane import Lane

INVITATION = (
    "i.id, i.city_id, i.organisation_id, i.role, i.district, i.name, i.invited_by, i.created_at,"
    " i.ends_at, i.redeemed_at, i.member_id, i.revoked_at, i.iin_index IS NOT NULL AS bound"
)
"""The columns that read_invitation wants, of `invitation i`."""

EVENT_ADDED = (
    "INSERT INTO member_event (id, city_id, organisation_id, member_id, invitation_id, type,"
    " actor_id, actor_role, role, district, reason, at)"
    " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)"
)


class SqlMembers:
    """See domain.members.ports.Members."""

    def __init__(self, lane: Lane, principal: Principal) -> None:
        self._lane = lane
        self._principal = principal

    async def get(self, id: UUID) -> Member:
        """The member, locked."""
        await self._lane.widen()
        found = await self._lane.fetch(
            "SELECT m.* FROM member m WHERE m.id = $1 AND m.city_id = $2 FOR UPDATE",
            id, self._principal.city,
        )  # fmt: skip
        if not found:
            raise NotFound(kind="member", id=str(id))
        return read_member(found[0])

    async def save(self, member: Member, event: MemberEvent) -> None:
        """What an act did, and the fact."""
        await self._lane.widen()
        await self._lane.fetch(
            "UPDATE member SET role = $3, district = $4, state = $5"
            " WHERE id = $1 AND city_id = $2",
            member.id, self._principal.city, str(member.role), member.district, str(member.state),
        )  # fmt: skip
        await self._lane.fetch(EVENT_ADDED, *event_values(event))

    async def administrators(self, organisation: UUID) -> Collection[UUID]:
        """The active ones, locked in one order for everybody."""
        await self._lane.widen()
        found = await self._lane.fetch(
            "SELECT m.id FROM member m WHERE m.organisation_id = $1 AND m.city_id = $2"
            " AND m.role = $3 AND m.active ORDER BY m.id FOR UPDATE",
            organisation, self._principal.city, str(Role.ADMINISTRATOR),
        )  # fmt: skip
        return {UUID(str(row["id"])) for row in found}


class SqlInvitations:
    """See domain.members.ports.Invitations."""

    def __init__(self, lane: Lane, principal: Principal, keyring: Keyring) -> None:
        self._lane = lane
        self._principal = principal
        self._keyring = keyring

    async def get(self, id: UUID) -> Invitation:
        """The invitation, locked."""
        await self._lane.widen()
        found = await self._lane.fetch(
            f"SELECT {INVITATION} FROM invitation i WHERE i.id = $1 AND i.city_id = $2 FOR UPDATE",
            id, self._principal.city,
        )  # fmt: skip
        if not found:
            raise NotFound(kind="invitation", id=str(id))
        return read_invitation(found[0])

    async def add(
        self, invitation: Invitation, event: MemberEvent, *, hash: bytes, iin: str | None
    ) -> None:
        """A new one."""
        await self._lane.widen()
        await self._lane.fetch(
            "INSERT INTO invitation (id, city_id, organisation_id, role, district, name, hash,"
            " iin_index, sealed, invited_by, created_at, ends_at)"
            " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
            invitation.id, self._principal.city, invitation.organisation, str(invitation.role),
            invitation.district, invitation.name, hash,
            self._keyring.index(iin) if iin else None,
            self._keyring.seal(orjson.dumps({"iin": iin})) if iin else None,
            invitation.invited_by, invitation.created_at, invitation.ends_at,
        )  # fmt: skip
        await self._lane.fetch(EVENT_ADDED, *event_values(event))

    async def open_of(self, member: UUID, at: datetime) -> Sequence[Invitation]:
        """Those that a member sent and that could still be taken, locked."""
        await self._lane.widen()
        found = await self._lane.fetch(
            f"SELECT {INVITATION} FROM invitation i WHERE i.invited_by = $1 AND i.city_id = $2"
            " AND i.redeemed_at IS NULL AND i.revoked_at IS NULL AND i.ends_at > $3"
            " ORDER BY i.id FOR UPDATE",
            member, self._principal.city, at,
        )  # fmt: skip
        return [read_invitation(row) for row in found]

    async def revoke(self, invitation: Invitation, event: MemberEvent) -> None:
        """Take one back."""
        await self._lane.widen()
        await self._lane.fetch(
            "UPDATE invitation SET revoked_at = $3 WHERE id = $1 AND city_id = $2",
            invitation.id, self._principal.city, invitation.revoked_at,
        )  # fmt: skip
        await self._lane.fetch(EVENT_ADDED, *event_values(event))


class SqlFirms:
    """See domain.members.ports.Firms."""

    def __init__(self, lane: Lane, principal: Principal) -> None:
        self._lane = lane
        self._principal = principal

    async def add(self, organisation: Organisation) -> None:
        """A new organisation, and word of it to every process."""
        await self._lane.widen()
        city = self._principal.city
        try:
            await self._lane.fetch(
                "INSERT INTO organisation (id, city_id, code, parent_id, kind, names, contacts,"
                " calendar, district, active)"
                " VALUES ($1,$2,$3,$4,$5,$6::jsonb,$7::jsonb,$8,$9,$10)",
                organisation.id, city, organisation.code, organisation.parent,
                str(organisation.kind), orjson.dumps(dict(organisation.names)).decode(),
                orjson.dumps(dict(organisation.contacts)).decode(), organisation.calendar,
                organisation.district, organisation.active,
            )  # fmt: skip
        except asyncpg.UniqueViolationError as error:
            raise Conflict(reason="organisation-exists", code=organisation.code) from error
        await self._lane.fetch(
            "UPDATE city SET reference_version = reference_version + 1 WHERE id = $1", city
        )


class SqlClients:
    """See domain.members.ports.Clients."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def add(self, client: Client, at: datetime) -> None:
        """A new client, with the hashes of its secrets."""
        await self._lane.widen()
        await self._lane.fetch(CLIENT_ADDED, *client_values(client), at)
        for secret in client.secrets:
            await self._lane.fetch(PROOF_ADDED, new_id(), client.city, client.id, secret.hash, at)


def event_values(event: MemberEvent) -> tuple[object, ...]:
    """The values of EVENT_ADDED."""
    return (
        event.id, event.city, event.organisation, event.member, event.invitation, str(event.type),
        event.actor.id, event.actor.role, str(event.role), event.district, event.reason, event.at,
    )  # fmt: skip


def read_member(row: Any) -> Member:
    """The member of a row."""
    return Member(
        id=row["id"],
        city=row["city_id"],
        organisation=row["organisation_id"],
        role=Role(row["role"]),
        name=row["name"],
        state=MemberState(row["state"]),
        created_at=row["created_at"],
        district=row["district"],
    )


def read_invitation(row: Any) -> Invitation:
    """The invitation of a row."""
    return Invitation(
        id=row["id"],
        city=row["city_id"],
        organisation=row["organisation_id"],
        role=Role(row["role"]),
        invited_by=row["invited_by"],
        created_at=row["created_at"],
        ends_at=row["ends_at"],
        bound=row["bound"],
        name=row["name"],
        district=row["district"],
        redeemed_at=row["redeemed_at"],
        member=row["member_id"],
        revoked_at=row["revoked_at"],
    )
