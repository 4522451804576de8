"""The read side: plain selects into frozen views, scoped by the principal like everything."""

from collections.abc import Mapping, Sequence
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
from domain.ports import AppealFilter, Keyring, Page
from integrations.postgres import rows
from integrations.postgres.scope import Parameters, counted, receiving, visible
from integrations.postgres.session import borrowed
from integrations.postgres.statements import LOADED

Row = Mapping[str, Any]


_EQUALS = (
    ("service", "service"),
    ("category", "category"),
    ("sphere", "sphere"),
    ("district", "district"),
    ("organisation", "organisation_id"),
    ("channel", "channel"),
    ("kind", "kind"),
    ("criticality", "criticality"),
    ("emergency", "emergency"),
    ("incident", "incident_id"),
)


def _conditions(wanted: AppealFilter, parameters: Parameters) -> list[str]:
    found = [
        f"a.{column} = {parameters.add(value)}"
        for field, column in _EQUALS
        if (value := getattr(wanted, field)) is not None
    ]
    if wanted.statuses:
        found.append(f"a.status = ANY({parameters.add(list(wanted.statuses))})")
    if wanted.overdue_at is not None:
        found.append(f"a.due_at < {parameters.add(wanted.overdue_at)}")
    if wanted.registered_from is not None:
        found.append(f"a.registered_at >= {parameters.add(wanted.registered_from)}")
    if wanted.registered_to is not None:
        found.append(f"a.registered_at < {parameters.add(wanted.registered_to)}")
    if wanted.text is not None:
        words = parameters.add(_like(wanted.text))
        found.append(f"(a.text ILIKE {words} OR a.address ILIKE {words} OR a.number ILIKE {words})")
    return found


def _mark(said: str) -> tuple[str, int]:
    """Stage and round: an appeal may have several clocks that are due at one time."""
    stage, _, round_ = said.partition("/")
    return stage, int(round_ or 0)


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


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
            f"SELECT {LOADED} FROM appeal a WHERE a.number = $1 AND {scope}", parameters
        )
        if not found:
            raise NotFound(kind="appeal", id=number)
        return rows.read_appeal(found[0], self._keyring)

    async def appeals(
        self, principal: Principal, wanted: AppealFilter, after: Page | None, limit: int
    ) -> list[Appeal]:
        """Appeals, the newest registration first."""
        parameters = Parameters()
        conditions = [visible(principal, parameters), *_conditions(wanted, parameters)]
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            conditions.append(f"(a.registered_at, a.id) < {place}")
        found = await self._fetch(
            f"SELECT {LOADED} FROM appeal a WHERE {' AND '.join(conditions)}"
            f" ORDER BY a.registered_at DESC, a.id DESC LIMIT {parameters.add(limit)}",
            parameters,
        )
        return [rows.read_appeal(row, self._keyring) for row in found]

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
            parameters,
        )
        return [self._event(row) for row in found]

    async def attachments(self, principal: Principal, number: str) -> list[Row]:
        """What is attached to an appeal, oldest first."""
        appeal = await self._id(principal, number)
        return await self._fetch(
            "SELECT * FROM attachment WHERE appeal_id = $1 UNION ALL"
            " SELECT x.* FROM shared_attachment s JOIN attachment x ON x.id = s.attachment_id"
            " WHERE s.appeal_id = $1 ORDER BY created_at, id",
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
            appeal.city, appeal.id, principal.id, str(principal.role), fields, at
        )
        await self._fetch(
            "INSERT INTO personal_read (city_id, appeal_id, reader_id, role, fields, at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            parameters,
        )
        return appeal.applicant, appeal.place.apartment

    async def assignments(
        self,
        principal: Principal,
        states: Sequence[str],
        after: Page | None,
        limit: int,
        *,
        joined: bool | None = None,
    ) -> list[tuple[Any, Appeal]]:
        """Assignments to the principal's organisations with their appeals, newest first."""
        parameters = Parameters(principal.city, list(principal.organisations))
        conditions = ["s.city_id = $1", "s.organisation_id = ANY($2)"]
        if states:
            conditions.append(f"s.state = ANY({parameters.add(list(states))})")
        if joined is not None:
            conditions.append(f"(a.incident_id IS NOT NULL) = {parameters.add(joined)}")
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            conditions.append(f"(s.offered_at, s.id) < {place}")
        found = await self._fetch(
            f"SELECT {LOADED}, to_jsonb(s) AS given FROM assignment s"
            f" JOIN appeal a ON a.id = s.appeal_id WHERE {' AND '.join(conditions)}"
            f" ORDER BY s.offered_at DESC, s.id DESC LIMIT {parameters.add(limit)}",
            parameters,
        )
        return [
            (rows.read_assignment(row["given"]), rows.read_appeal(row, self._keyring))
            for row in found
        ]

    async def clocks(
        self,
        principal: Principal,
        *,
        states: Sequence[str],
        stage: str | None,
        due_before: datetime | None,
        after: Page | None,
        limit: int,
    ) -> list[tuple[Any, str, UUID]]:
        """Clocks of visible appeals by due time: (clock, appeal number, appeal id)."""
        parameters = Parameters(principal.city)
        conditions = ["k.city_id = $1", visible(principal, parameters)]
        if states:
            conditions.append(f"k.state = ANY({parameters.add(list(states))})")
        if stage is not None:
            conditions.append(f"k.stage = {parameters.add(stage)}")
        if due_before is not None:
            conditions.append(f"k.due_at < {parameters.add(due_before)}")
        if after is not None:
            names = [parameters.add(one) for one in (after.at, after.id, *_mark(after.mark))]
            conditions.append(f"(k.due_at, k.appeal_id, k.stage, k.round) > ({', '.join(names)})")
        found = await self._fetch(
            "SELECT a.number, a.id, to_jsonb(k) || jsonb_build_object("
            "'target', extract(epoch FROM k.target),"
            " 'paused_for', extract(epoch FROM k.paused_for)) AS clock"
            f" FROM clock k JOIN appeal a ON a.id = k.appeal_id WHERE {' AND '.join(conditions)}"
            " ORDER BY k.due_at, k.appeal_id, k.stage, k.round"
            f" LIMIT {parameters.add(limit)}",
            parameters,
        )
        return [(rows.read_clock(row["clock"]), row["number"], row["id"]) for row in found]

    async def deliveries(
        self, principal: Principal, endpoint: UUID, after: Page | None, limit: int
    ) -> list[Row]:
        """The log of one endpoint of the principal's organisation, newest first."""
        parameters = Parameters(endpoint, principal.organisation, principal.city)
        condition = ""
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            condition = f"AND (d.created_at, d.id) < {place}"
        return await self._fetch(
            f"""
            SELECT d.*, coalesce((SELECT json_agg(t ORDER BY t.number)
                     FROM delivery_attempt t WHERE t.delivery_id = d.id), '[]') AS tries
              FROM delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
             WHERE w.id = $1 AND w.organisation_id = $2 AND w.city_id = $3 {condition}
             ORDER BY d.created_at DESC, d.id DESC LIMIT {parameters.add(limit)}
            """,
            parameters,
        )

    async def statistics(self, principal: Principal) -> Row:
        """Counts for the city's table: appeals, first contact, consultations, clocks, deliveries.

        Deliveries are those to the principal's own organisations, for who sees less than a city.
        """
        parameters = Parameters()
        scope = visible(principal, parameters)
        addressed = receiving(principal, parameters)
        answered = counted(principal, parameters)
        found = await self._fetch(
            f"""
            WITH seen AS (SELECT a.id, a.status, a.first_contact FROM appeal a WHERE {scope})
            SELECT
              (SELECT coalesce(json_object_agg(status, n), '{{}}') FROM
                 (SELECT status, count(*) n FROM seen GROUP BY status) s) AS by_status,
              (SELECT count(*) FROM seen) AS total,
              (SELECT count(*) FROM seen WHERE status = 'closed') AS closed,
              (SELECT count(*) FROM seen WHERE status = 'closed' AND first_contact) AS first_closed,
              (SELECT count(*) FROM consultation n WHERE {answered}) AS consultations,
              (SELECT coalesce(json_object_agg(state, n), '{{}}') FROM
                 (SELECT CASE WHEN k.state = 'met' AND k.breached_at IS NOT NULL THEN 'met_late'
                              ELSE k.state END AS state, count(*) n
                    FROM clock k JOIN seen ON seen.id = k.appeal_id GROUP BY 1) c) AS clocks,
              (SELECT coalesce(json_object_agg(state, n), '{{}}') FROM
                 (SELECT d.state, count(*) n FROM delivery d
                    JOIN webhook_endpoint w ON w.id = d.endpoint_id WHERE {addressed}
                   GROUP BY d.state) d) AS deliveries
            """,
            parameters,
        )
        row: Row = found[0]
        return row

    async def ready(self) -> str | None:
        """The revision that the database is at, None before the first.

        Raises Unavailable when it cannot be asked.
        """
        try:
            found = await self._fetch("SELECT version_num FROM alembic_version", Parameters())
        except (asyncpg.PostgresError, exc.DBAPIError):
            # It answers, but has neither our tables nor our role yet.
            return None
        return str(found[0]["version_num"]) if found else None

    def _event(self, row: Row) -> dict[str, Any]:
        texts = {
            name: self._keyring.open(bytes.fromhex(sealed)).decode()
            for name, sealed in row["personal"].items()
        }
        document: dict[str, Any] = orjson.loads(bytes(row["canonical"]))
        return document | {"hash": bytes(row["hash"]).hex(), "texts": texts}

    async def _id(self, principal: Principal, number: str) -> UUID:
        parameters = Parameters(number)
        scope = visible(principal, parameters)
        found = await self._fetch(
            f"SELECT a.id FROM appeal a WHERE a.number = $1 AND {scope}", parameters
        )
        if not found:
            raise NotFound(kind="appeal", id=number)
        return UUID(str(found[0]["id"]))

    async def _fetch(self, statement: str, parameters: Parameters) -> list[Any]:
        async with borrowed(self._engine) as driver:
            return list(await driver.fetch(statement, *parameters.values))
