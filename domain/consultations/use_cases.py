"""Counting what was answered at once (the city's goal: 85 % of all who ask)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.access import NOBODY, Permission, Principal, Role
from domain.appeals.intake import foreign_channel
from domain.appeals.model import Channel
from domain.appeals.services import available_service
from domain.consultations.model import Consultation
from domain.errors import Invalid
from domain.ports import Keyring, UnitOfWork
from domain.reference import Reference
from domain.values import Language, new_id

SPELL = timedelta(minutes=10)
"""In so long what residents find themselves counts once for a service and a resident."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said of a conversation that ended with an answer."""

    service: str
    channel: Channel
    language: Language
    contact: UUID | None = None
    district: str | None = None


async def record(
    answered: Answered, *, uow: UnitOfWork, reference: Reference, keyring: Keyring, at: datetime
) -> tuple[Consultation, bool]:
    """Count a consultation; False where a resident's own had been counted a moment ago.

    A resident's app, bot or page counts what answered them. Raises NotPermitted, or Invalid for
    an unknown service or district, or a channel that is not theirs.
    """
    principal = uow.principal
    principal.require(Permission.RECORD_CONSULTATION)
    alone = principal.role is Role.CITIZEN
    if not alone:
        principal.require(Permission.RECORD_FOR_OTHERS)
    elif faults := foreign_channel(answered.channel):
        raise Invalid(faults)
    service = available_service(answered.service, None, principal, reference, at)
    if answered.district is not None and answered.district not in reference.districts:
        raise Invalid.at("/district", "unknown-district", value=answered.district)
    consultation = Consultation(
        id=_own_id(principal, service.code, keyring, at) if alone else new_id(),
        city=reference.city.id,
        service=service.code,
        channel=answered.channel,
        language=answered.language,
        operator=NOBODY if alone else principal.id,
        at=at,
        contact=answered.contact,
        district=answered.district,
    )
    return consultation, await uow.consultations.add(consultation)


def _own_id(principal: Principal, service: str, keyring: Keyring, at: datetime) -> UUID:
    """The id of a resident's own: the same for the same service in the same ten minutes, so that
    it counts once in however many processes. A blind index, since it must not tell who asked.
    """
    spell = (at - _EPOCH) // SPELL
    told = keyring.index(f"consultation/{principal.id}/{service}/{spell}")
    # A UUIDv8: the bits of the version and the variant are not the hash's.
    value = int.from_bytes(told[:16]) & ~(0xF << 76) & ~(0b11 << 62)
    return UUID(int=value | 0x8 << 76 | 0b10 << 62)
