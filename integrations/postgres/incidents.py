"""Incidents in one unit of work: read under a lock, written at once, told to subscribers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.access import Principal
from domain.appeals.model import Appeal
from domain.errors import NotFound
from domain.events import IncidentEventType
from domain.incidents.model import Incident, IncidentChange, IncidentEvent
from domain.ports import Keyring
from domain.values import new_id
from domain.webhooks.payloads import incident_payload
from integrations.postgres import rows
from integrations.postgres import tables as t
from integrations.postgres.incident_rows import (
    incident_event_row,
    incident_row,
    read_incident,
    read_incident_event,
)
from integrations.postgres.lane import Lane
from integrations.postgres.scope import Parameters, known
from integrations.postgres.statements import LOCKED

_FIXED = frozenset({"id", "city_id", "owner_id", "opened_by", "opened_at"})
_NAMES = [column.name for column in t.incident.columns if column.name not in _FIXED]

_ADD = "INSERT INTO incident SELECT * FROM jsonb_populate_record(NULL::incident, $1::jsonb)"
_SAVE = (
    f"UPDATE incident i SET ({', '.join(_NAMES)}) = ROW({', '.join('r.' + n for n in _NAMES)})"
    " FROM jsonb_populate_record(NULL::incident, $1::jsonb) r WHERE i.id = r.id"
)
_EVENTS = (
    "INSERT INTO incident_event SELECT *"
    " FROM jsonb_populate_recordset(NULL::incident_event, $1::jsonb)"
)

_LAGGING = f"""
WITH behind AS (
    SELECT a.id FROM incident i CROSS JOIN LATERAL (
        SELECT a.id FROM appeal a
         WHERE a.incident_id = i.id AND a.incident_followed < i.acts AND a.id <> ALL($3::uuid[])
         ORDER BY a.incident_followed LIMIT $2) a
     WHERE i.city_id = $1 AND NOT i.settled LIMIT $2
)
SELECT {LOCKED} FROM appeal a WHERE a.id IN (SELECT id FROM behind) AND a.incident_id IS NOT NULL
   FOR UPDATE OF a SKIP LOCKED
"""
"""Joined appeals that have acts to follow: found by the index on how far each has come, for the
few incidents that are not settled.
"""

_HEARER = """
WITH RECURSIVE hearer AS (
    SELECT id, parent_id FROM organisation
     WHERE city_id = $1 AND (id = ANY($2) OR kind = 'contact-centre')
    UNION
    SELECT o.id, o.parent_id FROM hearer h JOIN organisation o ON o.id = h.parent_id
)
"""
"""Who hears of an incident: its owner, its executor, those above them, and the contact centre."""

_HEARERS = f"""
{_HEARER}
SELECT w.id, w.event_types, w.enabled FROM webhook_endpoint w
  JOIN hearer h ON h.id = w.organisation_id
 WHERE w.city_id = $1 AND w.removed_at IS NULL
   AND (w.services = '{{}}' AND w.spheres = '{{}}' OR w.services && $3::text[]
        OR EXISTS (SELECT FROM service_version v JOIN category c
                       ON c.city_id = v.city_id AND c.code = v.category
                    WHERE v.city_id = $1 AND v.current AND v.code = ANY($3)
                      AND c.sphere = ANY(w.spheres)))
   AND (w.districts = '{{}}' OR w.districts && $4::text[])
"""
"""Their endpoints, each as its filters let through of the incident's services and districts."""

_DELIVER = """
INSERT INTO delivery (id, city_id, endpoint_id, message_id, type, payload, state, reason,
                      created_at, next_attempt_at, finished_at)
SELECT d.id, d.city_id, d.endpoint_id, d.message_id, d.type, d.payload,
       CASE WHEN d.enabled THEN 'pending' ELSE 'cancelled' END,
       CASE WHEN NOT d.enabled THEN 'endpoint-disabled' END, clock_timestamp(),
       CASE WHEN d.enabled THEN clock_timestamp() END,
       CASE WHEN NOT d.enabled THEN clock_timestamp() END
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[],
              $6::bytea[], $7::bool[])
       d(id, city_id, endpoint_id, message_id, type, payload, enabled)
"""

_MESSAGES = f"""
{_HEARER}
INSERT INTO incident_message (id, city_id, incident_id, sequence, type, at, organisations, payload)
SELECT id, $1, $3, sequence, type, at, (SELECT array_agg(id) FROM hearer), payload
  FROM unnest($4::uuid[], $5::int[], $6::text[], $7::timestamptz[], $8::bytea[])
       m(id, sequence, type, at, payload)
"""
"""The relay gives them to the feed (outbox.py)."""


class SqlIncidents:
    """See domain.ports.Incidents."""

    def __init__(self, lane: Lane, principal: Principal, keyring: Keyring, base_url: str) -> None:
        self._lane = lane
        self._principal = principal
        self._keyring = keyring
        self._base_url = base_url

    async def get(self, id: UUID) -> Incident:
        """The incident, locked until the unit ends. Appeals may refer to it meanwhile."""
        await self._lane.begin()
        parameters = Parameters(id)
        found = await self._lane.fetch(
            f"SELECT i.* FROM incident i WHERE i.id = $1 AND {known(self._principal, parameters)}"
            " FOR NO KEY UPDATE OF i",
            *parameters.values,
        )
        if not found:
            raise NotFound(kind="incident", id=str(id))
        return read_incident(found[0])

    async def add(self, change: IncidentChange) -> None:
        """A new incident with its first events."""
        await self._lane.widen()
        await self._lane.fetch(_ADD, rows.dumps(incident_row(change.incident)))
        await self._record(change)

    async def save(self, change: IncidentChange) -> None:
        """What an act did."""
        await self._lane.widen()
        await self._lane.fetch(_SAVE, rows.dumps(incident_row(change.incident)))
        await self._record(change)
        if change.evidence:
            await self._lane.fetch(
                "UPDATE attachment SET incident_id = $1, purpose = 'evidence' WHERE id = ANY($2)",
                change.incident.id, list(change.evidence),
            )  # fmt: skip

    async def to_start(self, at: datetime, limit: int) -> Sequence[Incident]:
        """Announced incidents whose time has come."""
        await self._lane.begin()
        found = await self._lane.fetch(
            "SELECT * FROM incident WHERE city_id = $1 AND status = 'announced'"
            " AND status IN ('announced', 'active') AND planned_from <= $2"
            " ORDER BY planned_from LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
            self._principal.city, at, limit,
        )  # fmt: skip
        return [read_incident(row) for row in found]

    async def past(self, ids: Collection[UUID], at: datetime) -> Sequence[tuple[Incident, bool]]:
        """Those that run past their expected end, locked, and whether that was told."""
        await self._lane.begin()
        found = await self._lane.fetch(
            "SELECT * FROM incident WHERE id = ANY($1) AND city_id = $2 AND status = 'active'"
            " AND planned_to <= $3 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
            list(ids), self._principal.city, at,
        )  # fmt: skip
        # Asked when they are locked: what another scheduler told of them before us is seen.
        told = await self._lane.fetch(
            "SELECT DISTINCT e.incident_id FROM incident i"
            " JOIN incident_event e ON e.incident_id = i.id AND e.at >= i.planned_to"
            " WHERE i.id = ANY($1) AND e.type = $2",
            [row["id"] for row in found], str(IncidentEventType.OVERDUE),
        )  # fmt: skip
        known = {row["incident_id"] for row in told}
        return [(read_incident(row), row["id"] in known) for row in found]

    async def lagging(self, limit: int, skipping: Collection[UUID] = ()) -> Sequence[Appeal]:
        """Joined appeals that have acts to follow, locked."""
        await self._lane.begin()
        found = await self._lane.fetch(_LAGGING, self._principal.city, limit, list(skipping))
        # One whose row changed while we waited is of two moments: the next turn takes it.
        whole = [row for row in found if row["seen"] == row["version"]]
        return [rows.read_appeal(row, self._keyring) for row in whole]

    async def acts(
        self, ids: Collection[UUID]
    ) -> Mapping[UUID, tuple[Incident, Sequence[IncidentEvent]]]:
        """Incidents as they stand, each with its acts in order."""
        if not ids:
            return {}
        wanted = list(ids)
        # The acts first: one that is added meanwhile makes the incident newer, never older.
        acts = await self._lane.fetch(
            "SELECT * FROM incident_event WHERE incident_id = ANY($1) AND act IS NOT NULL"
            " ORDER BY incident_id, sequence",
            wanted,
        )
        found = await self._lane.fetch("SELECT * FROM incident WHERE id = ANY($1)", wanted)
        events: dict[UUID, list[IncidentEvent]] = {one: [] for one in wanted}
        for row in acts:
            events[row["incident_id"]].append(read_incident_event(row, self._keyring))
        return {row["id"]: (read_incident(row), events[row["id"]]) for row in found}

    async def followed(self, appeals: Collection[UUID], act: int) -> None:
        """These appeals, locked, are up to date without having changed."""
        await self._lane.fetch(
            "UPDATE appeal SET incident_followed = $2 WHERE id = ANY($1)", list(appeals), act
        )

    async def share(self, appeal: UUID, evidence: Collection[UUID]) -> None:
        """Show evidence with an appeal."""
        await self._lane.fetch(
            "INSERT INTO shared_attachment (appeal_id, attachment_id)"
            " SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING",
            appeal, list(evidence),
        )  # fmt: skip

    async def _record(self, change: IncidentChange) -> None:
        city = change.incident.city
        events = [incident_event_row(one, city, self._keyring) for one in change.events]
        await self._lane.fetch(_EVENTS, rows.dumps(events))
        await self._tell(change)

    async def _tell(self, change: IncidentChange) -> None:
        """On their way in the transaction of the fact itself: nothing is told that did not happen,
        and nothing that happened is not told (law 2).
        """
        incident = change.incident
        hearers = await self._lane.fetch(
            _HEARERS, incident.city, list(incident.organisations), sorted(incident.services),
            sorted(incident.districts),
        )  # fmt: skip
        told = [
            (new_id(), event, incident_payload(incident, event, self._base_url))
            for event in change.events
        ]
        if told:
            said = [(id, e.sequence, str(e.type), e.at, payload) for id, e, payload in told]
            await self._lane.fetch(
                _MESSAGES, incident.city, list(incident.organisations), incident.id,
                *map(list, zip(*said, strict=True)),
            )  # fmt: skip
        sent = [
            (new_id(), incident.city, row["id"], id, str(event.type), payload, row["enabled"])
            for id, event, payload in told
            for row in hearers
            if not row["event_types"] or event.type in row["event_types"]
        ]
        if sent:
            await self._lane.fetch(_DELIVER, *map(list, zip(*sent, strict=True)))
