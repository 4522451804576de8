"""Consultations: what was answered at once, counted without an appeal."""

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply
from domain.access import NOBODY, Permission
from domain.appeals.model import Channel
from domain.consultations.use_cases import Answered, record
from domain.ports import UnitOfWork
from domain.values import Language


class ConsultationBody(f.Body):
    """A conversation that ended with an answer. Nothing here may name the resident: `contact` is
    the id that the telephony or chat system gave the conversation, never a phone number. Residents
    count what answered themselves, by the channels by which they register; a service counts once
    in ten minutes.
    """

    service: f.Code
    channel: Channel
    language: Language = Language.RU
    contact: f.Id | None = None
    district: f.Code | None = None


class ConsultationView(TypedDict):
    """What is kept of a consultation. `operator` is null where residents found the answer
    themselves. `counted` is false where the same was counted for them a moment ago."""

    id: UUID
    service: str
    channel: str
    language: str
    operator: UUID | None
    contact: UUID | None
    district: str | None
    at: datetime
    counted: bool


async def record_consultation(call: Call, uow: UnitOfWork) -> Reply:
    """Count a consultation."""
    body: ConsultationBody = call.body
    answered = Answered(body.service, body.channel, body.language, body.contact, body.district)
    kept, counted = await record(
        answered, uow=uow, reference=call.reference, keyring=call.house.keyring, at=call.at
    )
    view: ConsultationView = {
        "id": kept.id,
        "service": kept.service,
        "channel": kept.channel,
        "language": kept.language,
        "operator": kept.operator if kept.operator != NOBODY else None,
        "contact": kept.contact,
        "district": kept.district,
        "at": kept.at,
        "counted": counted,
    }
    return Reply(view, 201)


OPERATIONS = (
    Operation(
        "recordConsultation", "POST", "/v1/consultations", "Triage",
        "Count a question that was answered at once, without an appeal",
        writes=record_consultation, permission=Permission.RECORD_CONSULTATION,
        body=ConsultationBody, answer=ConsultationView, status=201,
    ),
)  # fmt: skip
