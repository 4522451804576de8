"""The read side: plain selects into frozen views, scoped by the principal like everything."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.desk import entrusted
from domain.appeals.model import Appeal, Applicant
from domain.errors import NotFound
from domain.ports import Keyring
from integrations.postgres import rows
from integrations.postgres.doors import door_of
from integrations.postgres.personal import NOTED
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import borrowed, inside
from integrations.postgres.statements import LOADED

Row = Mapping[str, Any]


class Queries:
    """What can be asked about the register without changing it."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def appeal(self, principal: Principal, number: str) -> Appeal:
        """One appeal. Raises NotFound."""
        parameters = Parameters(number)
        scope = visible(principal, parameters)
        found = await self._fetch(
            f"SELECT {LOADED} FROM appeal a WHERE a.number = $1 AND {scope}", principal, parameters
        )
        if not found:
            raise NotFound(kind="appeal", id=number)
        return rows.read_appeal(found[0], self._keyring)

    async def events(
        self, principal: Principal, number: str, *, internal: bool, after: int, limit: int
    ) -> list[dict[str, Any]]:
        """The history of an appeal in order, each event with the texts that may be shown."""
        appeal = await self._id(principal, number)
        parameters = Parameters(appeal, after, limit)
        hidden = "" if internal else "AND NOT e.internal"
        found = await self._fetch(
            f"""
            SELECT e.canonical, e.hash, e.internal,
                   coalesce((SELECT json_object_agg(p.field, encode(p.sealed, 'hex'))
                      FROM event_personal p WHERE p.event_id = e.id), '{{}}') AS personal
              FROM event e WHERE e.appeal_id = $1 AND e.sequence > $2 {hidden}
             ORDER BY e.sequence LIMIT $3
            """,
            principal,
            parameters,
        )
        return [read_event(row, self._keyring) for row in found]

    async def attachments(self, principal: Principal, number: str) -> list[Row]:
        """What is attached to an appeal, oldest first."""
        appeal = await self._id(principal, number)
        return await self._fetch(
            "SELECT * FROM attachment WHERE appeal_id = $1 UNION ALL"
            " SELECT x.* FROM shared_attachment s JOIN attachment x ON x.id = s.attachment_id"
            " WHERE s.appeal_id = $1 ORDER BY created_at, id",
            principal,
            Parameters(appeal),
        )

    async def attachment(self, principal: Principal, id: UUID) -> Row:
        """One attachment: the uploader's own, or of an appeal that exists for the principal."""
        parameters = Parameters(id, principal.id, principal.city)
        scope = visible(principal, parameters)
        found = await self._fetch(
            "SELECT x.* FROM attachment x WHERE x.id = $1 AND x.city_id = $3"
            " AND ((x.appeal_id IS NULL AND x.owner_id = $2) OR EXISTS (SELECT 1 FROM"
            " (SELECT x.appeal_id AS id UNION ALL SELECT s.appeal_id FROM shared_attachment s"
            f" WHERE s.attachment_id = x.id) u JOIN appeal a ON a.id = u.id WHERE {scope}))",
            principal,
            parameters,
        )
        if not found:
            raise NotFound(kind="attachment", id=str(id))
        row: Row = found[0]
        return row

    async def applicant(
        self, principal: Principal, number: str, at: datetime
    ) -> tuple[Applicant | None, str | None]:
        """The applicant and the apartment in the clear; the reading itself is kept (law 6).

        Raises NotFound, or NotPermitted for an executor whose work the appeal is no more.
        """
        appeal = await self.appeal(principal, number)
        entrusted(appeal, principal)
        fields = ["name", "phone", "email", "apartment"]
        parameters = Parameters(
            appeal.city, appeal.id, appeal.applicant and appeal.applicant.citizen, principal.id,
            str(principal.role), principal.organisation, fields, "readApplicant", None, at,
        )  # fmt: skip
        await self._fetch(NOTED, principal, parameters)
        return appeal.applicant, appeal.place.apartment

    async def ready(self) -> str | None:
        """The revision that the database is at, None before the first.

        Raises Unavailable when it cannot be asked.
        """
        try:
            async with borrowed(self._engine) as driver:
                found = await driver.fetchval("SELECT version_num FROM alembic_version")
        except (asyncpg.PostgresError, exc.DBAPIError):
            # It answers, but has neither our tables nor our role yet.
            return None
        return None if found is None else str(found)

    async def _id(self, principal: Principal, number: str) -> UUID:
        parameters = Parameters(number)
        scope = visible(principal, parameters)
        found = await self._fetch(
            f"SELECT a.id FROM appeal a WHERE a.number = $1 AND {scope}", principal, parameters
        )
        if not found:
            raise NotFound(kind="appeal", id=number)
        return UUID(str(found[0]["id"]))

    async def _fetch(
        self, statement: str, principal: Principal, parameters: Parameters
    ) -> list[Any]:
        async with inside(self._engine, door_of(principal)) as driver:
            return list(await driver.fetch(statement, *parameters.values))


def read_event(row: Row, keyring: Keyring) -> dict[str, Any]:
    """The event of a row, as the register has it, with its hash and its texts unsealed."""
    texts = {
        name: keyring.open(bytes.fromhex(sealed)).decode()
        for name, sealed in row["personal"].items()
    }
    document: dict[str, Any] = orjson.loads(bytes(row["canonical"]))
    return document | {"hash": bytes(row["hash"]).hex(), "texts": texts}
