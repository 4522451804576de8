"""Consultations: written once, counted, never changed."""

from domain.consultations.model import Consultation
from integrations.postgres.lane import Lane


class SqlConsultations:
    """See domain.ports.Consultations."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def add(self, consultation: Consultation) -> bool:
        """Keep one, for good; False where one of this id is kept already."""
        await self._lane.widen()
        kept = await self._lane.fetch(
            "INSERT INTO consultation (id, city_id, service, channel, language, operator_id,"
            " contact_id, district, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            consultation.id, consultation.city, consultation.service,
            str(consultation.channel), str(consultation.language), consultation.operator,
            consultation.contact, consultation.district, consultation.at,
        )  # fmt: skip
        return bool(kept)
