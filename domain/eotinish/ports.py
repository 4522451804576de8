"""What the exchange asks of the city's own register, within one unit of work."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.appeals.model import Appeal
from domain.eotinish.model import Case, MessageState


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the state as it lies in the inbox; `document` is the signed content."""

    id: UUID
    document: bytes
    attempts: int


class Exchange(Protocol):
    """The city's cases and what waits to be applied to them; all of it of the unit's city."""

    async def next(self, at: datetime) -> Received | None:
        """The oldest message whose turn it is, locked; those that others hold, and those before
        which one is missing, are left out.
        """

    async def case(self, number: str) -> Case | None:
        """The case of a national number; nobody else acts on that number until the unit ends."""

    async def case_of(self, appeal: Appeal) -> Case | None:
        """The case of an appeal that the unit has locked."""

    async def is_applied(self, number: str, version: int) -> bool:
        """Whether a message of this version was applied to the case."""

    async def open(self, case: Case, at: datetime) -> None:
        """A new case. Its appeal is written by the same unit."""

    async def save(self, case: Case) -> None:
        """Keep what changed of a case."""

    async def settle(
        self, received: UUID, state: MessageState, at: datetime, case: Case | None = None
    ) -> None:
        """The message is over: applied to `case`, or a repeat."""

    async def judge(
        self, id: UUID, state: MessageState, reason: str, judge: UUID, at: datetime
    ) -> None:
        """What an inspector makes of a message in quarantine. Raises NotFound."""
