"""What belongs to many appeals at once, each kind by one statement, however many they are.

The ids are of appeals that the caller has seen already; the scope is asked all the same.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.ports import Keyring
from integrations.postgres.doors import door_of
from integrations.postgres.queries import read_event
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import inside

Document = dict[str, Any]


class Bundles:
    """Histories and attachments of many appeals."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def events(
        self,
        principal: Principal,
        appeals: Sequence[UUID],
        *,
        internal: bool,
        after: int,
        limit: int,
    ) -> dict[UUID, list[Document]]:
        """As Queries.events, the first `limit` after `after` of each."""
        parameters = Parameters(list(appeals), after, limit)
        hidden = "" if internal else "AND NOT e.internal"
        found = await self._fetch(
            f"""
            SELECT a.id AS appeal, e.* FROM appeal a CROSS JOIN LATERAL (
                SELECT e.sequence, e.canonical, e.hash,
                       coalesce((SELECT json_object_agg(p.field, encode(p.sealed, 'hex'))
                          FROM event_personal p WHERE p.event_id = e.id), '{{}}') AS personal
                  FROM event e WHERE e.appeal_id = a.id AND e.sequence > $2 {hidden}
                 ORDER BY e.sequence LIMIT $3) e
             WHERE a.id = ANY($1) AND {visible(principal, parameters)}
             ORDER BY a.id, e.sequence
            """,
            principal,
            parameters,
        )
        gathered: dict[UUID, list[Document]] = {}
        for row in found:
            gathered.setdefault(row["appeal"], []).append(read_event(row, self._keyring))
        return gathered

    async def attachments(
        self, principal: Principal, appeals: Sequence[UUID]
    ) -> dict[UUID, list[Any]]:
        """As Queries.attachments, the oldest first."""
        parameters = Parameters(list(appeals))
        found = await self._fetch(
            f"""
            SELECT a.id AS appeal, x.* FROM appeal a CROSS JOIN LATERAL (
                SELECT y.* FROM attachment y WHERE y.appeal_id = a.id
                 UNION ALL
                SELECT y.* FROM shared_attachment s JOIN attachment y ON y.id = s.attachment_id
                 WHERE s.appeal_id = a.id) x
             WHERE a.id = ANY($1) AND {visible(principal, parameters)}
             ORDER BY a.id, x.created_at, x.id
            """,
            principal,
            parameters,
        )
        gathered: dict[UUID, list[Any]] = {}
        for row in found:
            gathered.setdefault(row["appeal"], []).append(row)
        return gathered

    async def _fetch(
        self, statement: str, principal: Principal, parameters: Parameters
    ) -> list[Any]:
        async with inside(self._engine, door_of(principal)) as driver:
            return list(await driver.fetch(statement, *parameters.values))
