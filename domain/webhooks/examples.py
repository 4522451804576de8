"""An example of each message, as one would be sent: for the catalogue, and to try endpoints with.

What it tells of does not exist; its number says so.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.appeals.workflow import PauseReason, Status
from domain.catalogue.evidence import Piece
from domain.events import EventType, IncidentEventType
from domain.incidents.model import IncidentKind
from domain.incidents.workflow import IncidentStatus
from domain.sla.clock import ClockState
from domain.sla.policy import Recipient, Stage
from domain.webhooks.events import message
from domain.webhooks.messages import (
    CHECKPOINT_TYPE,
    DATA,
    DETAILS,
    NOTICE_TYPES,
    TEST_TYPE,
    AppealLinks,
    CheckpointData,
    EndpointLinks,
    IncidentData,
    IncidentLinks,
    NoticeData,
    TestData,
)
from domain.webhooks.model import DisabledReason

AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
NUMBER = "TEST-2026-000109"
BASE = "https://109.example.kz"
_APPEAL = UUID("0193a5c4-7d2e-7000-8000-000000000109")
_INCIDENT = UUID("0193a5c4-7d2e-7000-8000-000000000110")
_ENDPOINT = UUID("0193a5c4-7d2e-7000-8000-000000000112")
_ORGANISATION = UUID("0193a5c4-7d2e-7000-8000-000000000007")

_STATUS: Mapping[EventType, Status] = {
    EventType.REGISTERED: Status.ASSIGNED,
    EventType.ANSWERED: Status.ANSWERED,
    EventType.ASSIGNED: Status.ASSIGNED,
    EventType.DECLINED: Status.REGISTERED,
    EventType.REDIRECTED: Status.ASSIGNED,
    EventType.PAUSED: Status.PAUSED,
    EventType.RESOLVED: Status.RESOLVED,
    EventType.DECIDED: Status.RESOLVED,
    EventType.STATE_DECIDED: Status.RESOLVED,
    EventType.FORWARDED: Status.ANSWERED,
    EventType.CHECKED: Status.CHECKED,
    EventType.CONFIRMED: Status.CLOSED,
    EventType.CLOSED: Status.CLOSED,
    EventType.WITHDRAWN: Status.WITHDRAWN,
}
_NOBODYS = frozenset(
    {EventType.ANSWERED, EventType.DECLINED, EventType.FORWARDED, EventType.WITHDRAWN}
)
_INCIDENT_STATUS: Mapping[IncidentEventType, IncidentStatus] = {
    IncidentEventType.RESOLVED: IncidentStatus.RESOLVED,
    IncidentEventType.CLOSED: IncidentStatus.CLOSED,
    IncidentEventType.CANCELLED: IncidentStatus.CANCELLED,
}

_FACTS: Mapping[str, Any] = {
    "stage": Stage.SECURE,
    "evidence": (Piece.PHOTO,),
    "reason": PauseReason.PARTS,
    "until": AT + timedelta(days=3),
    "stages": (Stage.RESOLVE,),
    "round": 1,
    "due_at": AT + timedelta(hours=3),
    "policy": "manhole",
    "policy_version": 2,
    "to": Recipient.HEAD,
    "level": 1,
    "calendar": "around-the-clock",
    "due_before": AT + timedelta(hours=24),
    "due_after": AT + timedelta(hours=36),
    "state_before": ClockState.RUNNING,
    "state_after": ClockState.RUNNING,
    "by": "PT12H",
    "incident": _INCIDENT,
}


def example(kind: str, at: datetime = AT) -> bytes:
    """A message of the type, in the bytes that a webhook would carry. KeyError for no type."""
    return message(kind, at, _data(kind))


def _data(kind: str) -> object:
    if kind == CHECKPOINT_TYPE:
        root = "a3" * 32
        note = f"109.example.kz/semey\n1024\n{root}\n\n— 109.example.kz/semey …\n"
        return CheckpointData("109.example.kz/semey", 1024, root, note)
    if kind == TEST_TYPE:
        return TestData(_ENDPOINT)
    if kind in NOTICE_TYPES:
        return _notice(kind)
    if kind.startswith("incident."):
        return _incident(IncidentEventType(kind))
    return _appeal(EventType(kind))


def _notice(kind: str) -> NoticeData:
    sound, over = kind == "endpoint.recovered", kind == "endpoint.disabled"
    return NoticeData(
        id=UUID("0193a5c4-7d2e-7000-8000-000000000111"),
        endpoint=_ENDPOINT,
        delivery=UUID("0193a5c4-7d2e-7000-8000-000000000113"),
        number=NUMBER,
        failures=0 if sound else 5,
        failing_since=None if sound else AT - timedelta(minutes=5),
        status=204 if sound else 500,
        error=None,
        disabled_reason=DisabledReason.FAILING if over else None,
        links=EndpointLinks(f"{BASE}/v1/webhook-endpoints/{_ENDPOINT}"),
    )


def _appeal(kind: EventType) -> object:
    said: dict[str, Any] = {
        "id": _APPEAL,
        "number": NUMBER,
        "sequence": 3,
        "status": _STATUS.get(kind, Status.IN_PROGRESS),
        "service": "wells.manhole.open",
        "organisation_id": None if kind in _NOBODYS else _ORGANISATION,
        "links": AppealLinks(f"{BASE}/v1/appeals/{NUMBER}"),
    }
    if details := DETAILS.get(kind):
        chosen = {one.name: _FACTS[one.name] for one in fields(details)}
        said["details"] = details(**chosen)
    return DATA[kind](**said)


def _incident(kind: IncidentEventType) -> IncidentData:
    return IncidentData(
        id=_INCIDENT,
        sequence=2,
        status=_INCIDENT_STATUS.get(kind, IncidentStatus.ACTIVE),
        kind=IncidentKind.OUTAGE,
        services=("water.cold.none",),
        organisation_id=_ORGANISATION,
        links=IncidentLinks(f"{BASE}/v1/incidents/{_INCIDENT}"),
    )
