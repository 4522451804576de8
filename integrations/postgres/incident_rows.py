"""Between incidents and their rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from domain.events import Actor, IncidentEventType
from domain.incidents.model import (
    Area,
    Incident,
    IncidentEvent,
    IncidentKind,
    Matching,
)
from domain.incidents.rules import area_document
from domain.incidents.workflow import IncidentStatus
from domain.ports import Keyring
from domain.sla.policy import Stage

Row = Mapping[str, Any]

_TIMES = (
    "opened_at", "updated_at", "planned_from", "planned_to", "started_at", "accepted_at",
    "resolved_at", "ended_at",
)  # fmt: skip
_COUNTS = ("version", "sequence", "acts")


def incident_row(incident: Incident) -> dict[str, object]:
    """The row of `incident`; one that changed may have something to follow."""
    return {
        "id": incident.id,
        "city_id": incident.city,
        "kind": incident.kind,
        "status": incident.status,
        "matching": incident.matching,
        "public": incident.public,
        "services": incident.services,
        "area": area_document(incident.area),
        "districts": sorted(incident.districts),
        "texts": incident.texts,
        "owner_id": incident.owner,
        "executor_id": incident.executor,
        "opened_by": incident.opened_by,
        "reported": sorted(incident.reported),
        "settled": False,
        **{name: getattr(incident, name) for name in (*_TIMES, *_COUNTS)},
    }


def read_incident(row: Row) -> Incident:
    """The incident of a row."""
    return Incident(
        id=row["id"],
        city=row["city_id"],
        kind=IncidentKind(row["kind"]),
        status=IncidentStatus(row["status"]),
        matching=Matching(row["matching"]),
        public=row["public"],
        services=tuple(row["services"]),
        area=read_area(row["area"]),
        districts=frozenset(row["districts"]),
        texts=row["texts"],
        owner=row["owner_id"],
        executor=row["executor_id"],
        opened_by=row["opened_by"],
        reported=frozenset(map(Stage, row["reported"])),
        **{name: row[name] for name in (*_TIMES, *_COUNTS)},
    )


def read_area(said: Row) -> Area:
    """The area of its document."""
    ring = said["polygon"]
    return Area(
        city=said["city"],
        districts=frozenset(said["districts"]),
        streets=frozenset(map(UUID, said["streets"])),
        buildings=frozenset(map(UUID, said["buildings"])),
        polygon=tuple((point[0], point[1]) for point in ring) if ring else None,
    )


def incident_event_row(event: IncidentEvent, city: UUID, keyring: Keyring) -> dict[str, object]:
    """The row of `incident_event`; what may name people is sealed."""
    return {
        "incident_id": event.incident,
        "sequence": event.sequence,
        "city_id": city,
        "type": event.type,
        "at": event.at,
        "actor_role": event.actor.role,
        "actor_id": event.actor.id,
        "actor_organisation": event.actor.organisation,
        "act": event.act,
        "data": event.data,
        "sealed": keyring.seal(orjson.dumps(event.texts)) if event.texts else None,
    }


def read_incident_event(row: Row, keyring: Keyring) -> IncidentEvent:
    """The event of a row."""
    sealed = row["sealed"]
    return IncidentEvent(
        incident=row["incident_id"],
        sequence=row["sequence"],
        type=IncidentEventType(row["type"]),
        at=row["at"],
        actor=Actor(row["actor_role"], row["actor_id"], row["actor_organisation"]),
        act=row["act"],
        data=row["data"],
        texts=orjson.loads(keyring.open(bytes(sealed))) if sealed else {},
    )
