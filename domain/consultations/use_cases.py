"""Counting what was answered at once (the city's goal: 85 % of all who ask)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.access import Permission
from domain.appeals.model import Channel
from domain.appeals.services import available_service
from domain.consultations.model import Consultation
from domain.errors import Invalid
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.values import Language, new_id


@dataclass(frozen=True, slots=True)
class Answered:
    """What an operator says of a conversation that ended with an answer."""

    service: str
    channel: Channel
    language: Language
    contact: UUID | None = None
    district: str | None = None


async def record(
    answered: Answered, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> Consultation:
    """Count a consultation. Raises NotPermitted, or Invalid for an unknown service or district."""
    principal = uow.principal
    principal.require(Permission.RECORD_CONSULTATION)
    service = available_service(answered.service, None, principal, reference, at)
    if answered.district is not None and answered.district not in reference.districts:
        raise Invalid.at("/district", "unknown-district", value=answered.district)
    consultation = Consultation(
        id=new_id(),
        city=reference.city.id,
        service=service.code,
        channel=answered.channel,
        language=answered.language,
        operator=principal.id,
        at=at,
        contact=answered.contact,
        district=answered.district,
    )
    await uow.consultations.add(consultation)
    return consultation
