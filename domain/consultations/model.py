"""A consultation: a question that was answered and needs no case in the register."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.appeals.model import Channel
from domain.values import Language


@dataclass(frozen=True, slots=True)
class Consultation:
    """What is kept of it: enough to count, nothing that could name who asked.

    `contact` is the conversation's id in the telephony or chat system; `operator` who answered,
    NOBODY where residents found the answer themselves.
    """

    id: UUID
    city: UUID
    service: str
    channel: Channel
    language: Language
    operator: UUID
    at: datetime
    contact: UUID | None = None
    district: str | None = None
