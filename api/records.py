"""A resident's whole record, for the doors that give it: the API and the command line."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.access import Principal
from domain.questions import Page

READS_AT_MOST = 100_000
FIELDS = ("name", "phone", "email", "iin", "appeals")


class Records(Protocol):
    """What is held on residents."""

    async def of(self, city: UUID, citizen: UUID) -> dict[str, Any]:
        """All of it. Raises NotFound."""


class Reads(Protocol):
    """The log of readings."""

    async def note(
        self,
        principal: Principal,
        operation: str,
        fields: tuple[str, ...],
        citizen: UUID,
        at: datetime,
        purpose: str | None = None,
    ) -> None:
        """Keep that somebody read of a resident."""

    async def about(
        self, city: UUID, citizen: UUID, after: Page | None, limit: int
    ) -> Sequence[Any]:
        """Readings of one resident by others."""


async def whole_record(
    records: Records,
    reads: Reads,
    principal: Principal,
    citizen: UUID,
    *,
    operation: str,
    purpose: str | None,
    at: datetime,
) -> dict[str, Any]:
    """The record with the readings of it; this one is kept before anything is told.

    Raises NotFound.
    """
    record = await records.of(principal.city, citizen)
    await reads.note(principal, operation, FIELDS, citizen, at, purpose)
    found = await reads.about(principal.city, citizen, None, READS_AT_MOST)
    names = ("at", "operation", "role", "organisation_id", "fields", "purpose", "number")
    return record | {"reads": [{name: row[name] for name in names} for row in found]}
