"""Members and invitations as they are read: by whose reach covers their organisation."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import NotFound
from domain.members.model import Invitation, Member
from domain.members.ports import MemberFilter
from domain.questions import Page
from integrations.postgres.doors import city_door
from integrations.postgres.members import INVITATION, read_invitation, read_member
from integrations.postgres.scope import Parameters
from integrations.postgres.session import inside

Reach = Collection[UUID] | None
"""Organisations; None for all of the city."""


class Rosters:
    """Who is who in the organisations of a city."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def members(
        self, city: UUID, reach: Reach, wanted: MemberFilter, after: Page | None, limit: int
    ) -> list[Member]:
        """Members, the newest first; those who left among them."""
        parameters = Parameters(city)
        narrowed = _reached("m", reach, parameters)
        if wanted.organisation is not None:
            narrowed += f" AND m.organisation_id = {parameters.add(wanted.organisation)}"
        if wanted.role is not None:
            narrowed += f" AND m.role = {parameters.add(str(wanted.role))}"
        if wanted.state is not None:
            narrowed += f" AND m.state = {parameters.add(str(wanted.state))}"
        narrowed += _onward("m", after, parameters)
        found = await self._fetch(
            city,
            f"SELECT m.* FROM member m WHERE m.city_id = $1{narrowed}"
            f" ORDER BY m.created_at DESC, m.id DESC LIMIT {parameters.add(limit)}",
            parameters,
        )
        return [read_member(row) for row in found]

    async def member(self, city: UUID, reach: Reach, id: UUID) -> tuple[Member, list[Any]]:
        """One member and all that became of them, oldest first. Raises NotFound."""
        parameters = Parameters(city, id)
        narrowed = _reached("m", reach, parameters)
        found = await self._fetch(
            city,
            f"SELECT m.* FROM member m WHERE m.city_id = $1 AND m.id = $2{narrowed}",
            parameters,
        )
        if not found:
            raise NotFound(kind="member", id=str(id))
        # The invitation that made them is part of their life.
        events = await self._fetch(
            city,
            "SELECT e.* FROM member_event e WHERE e.city_id = $1 AND (e.member_id = $2"
            " OR e.invitation_id IN (SELECT i.id FROM invitation i WHERE i.member_id = $2))"
            " ORDER BY e.at, e.id",
            Parameters(city, id),
        )
        return read_member(found[0]), events

    async def invitations(
        self, city: UUID, reach: Reach, after: Page | None, limit: int
    ) -> list[Invitation]:
        """Invitations, the newest first, whatever became of them."""
        parameters = Parameters(city)
        narrowed = _reached("i", reach, parameters) + _onward("i", after, parameters)
        found = await self._fetch(
            city,
            f"SELECT {INVITATION} FROM invitation i WHERE i.city_id = $1{narrowed}"
            f" ORDER BY i.created_at DESC, i.id DESC LIMIT {parameters.add(limit)}",
            parameters,
        )
        return [read_invitation(row) for row in found]

    async def _fetch(self, city: UUID, statement: str, parameters: Parameters) -> list[Any]:
        async with inside(self._engine, city_door(city, ())) as driver:
            return list(await driver.fetch(statement, *parameters.values))


def _reached(alias: str, reach: Reach, parameters: Parameters) -> str:
    if reach is None:
        return ""
    return f" AND {alias}.organisation_id = ANY({parameters.add(list(reach))})"


def _onward(alias: str, after: Page | None, parameters: Parameters) -> str:
    if after is None:
        return ""
    place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
    return f" AND ({alias}.created_at, {alias}.id) < {place}"
