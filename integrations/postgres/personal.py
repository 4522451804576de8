"""Readings of personal data: who is looked for by phone or IIN, and the log of who looked.

What is found and the row that tells of it stand in one transaction: there is no reading that
left no trace.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.model import Appeal
from domain.ports import Keyring
from domain.questions import Page
from integrations.postgres import rows
from integrations.postgres.doors import PLATFORM, door_of
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import inside
from integrations.postgres.statements import LOADED

FOUND_AT_MOST = 100

NOTED = (
    "INSERT INTO personal_read (city_id, appeal_id, citizen_id, reader_id, role, organisation_id,"
    " fields, operation, purpose, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"
)

_READS = """
SELECT r.id, r.at, r.operation, r.purpose, r.role, r.reader_id, r.organisation_id, r.fields,
       r.citizen_id, a.number, m.name AS reader_name
  FROM personal_read r LEFT JOIN appeal a ON a.id = r.appeal_id
  LEFT JOIN member m ON m.id = r.reader_id
"""


@dataclass(frozen=True, slots=True)
class _Reading:
    """Why somebody reads: by which operation, which fields, and for what."""

    operation: str
    fields: tuple[str, ...]
    purpose: str | None = None


class Personal:
    """What is asked about people, and what is kept of it."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def search(
        self,
        principal: Principal,
        *,
        phone: str | None,
        iin: str | None,
        purpose: str,
        at: datetime,
    ) -> list[Appeal]:
        """The newest appeals, FOUND_AT_MOST, of whoever has this phone (E.164) or IIN, as far as
        they exist for the principal. Anonymous ones are nobody's here as everywhere.

        A search that finds nothing is kept too: it was asked.
        """
        column, said = ("phone", phone) if phone is not None else ("iin", iin)
        parameters = Parameters(principal.city, self._keyring.lookups(said or ""))
        theirs = (
            "a.citizen_id IN (SELECT c.id FROM citizen c WHERE c.city_id = $1"
            f" AND c.{column}_index = ANY($2::bytea[]))"
        )
        if phone is not None:
            theirs = f"(a.phone_index = ANY($2::bytea[]) OR {theirs})"
        scope = visible(principal, parameters)
        reading = _Reading("searchApplicants", (column,), purpose)
        async with inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetch(
                f"SELECT {LOADED} FROM appeal a WHERE {theirs} AND {scope}"
                f" ORDER BY a.registered_at DESC, a.id DESC LIMIT {FOUND_AT_MOST}",
                *parameters.values,
            )
            appeals = [rows.read_appeal(row, self._keyring) for row in found]
            known = [one for one in appeals if _is_named(one)]
            about = [(one.id, one.applicant.citizen if one.applicant else None) for one in known]
            await _note(driver, principal, reading, about or [(None, None)], at)
        return known

    async def note(
        self,
        principal: Principal,
        operation: str,
        fields: tuple[str, ...],
        citizen: UUID,
        at: datetime,
        purpose: str | None = None,
    ) -> None:
        """Keep that somebody read of a resident; before what was read is told."""
        async with inside(self._engine, PLATFORM) as driver:
            reading = _Reading(operation, fields, purpose)
            await _note(driver, principal, reading, [(None, citizen)], at)

    async def about(self, city: UUID, citizen: UUID, after: Page | None, limit: int) -> list[Any]:
        """Readings of one resident by others, the newest first."""
        parameters = Parameters(citizen, city)
        onward = _onward(after, parameters)
        statement = (
            f"{_READS} WHERE r.id IN (SELECT id FROM personal_read WHERE citizen_id = $1"
            " UNION SELECT p.id FROM personal_read p JOIN appeal o ON o.id = p.appeal_id"
            " WHERE o.citizen_id = $1) AND r.city_id = $2 AND r.reader_id <> $1"
            f" {onward} ORDER BY r.at DESC, r.id DESC LIMIT {parameters.add(limit)}"
        )
        return await self._fetch(statement, parameters)

    async def log(
        self,
        city: UUID,
        organisations: Collection[UUID] | None,
        reader: UUID | None,
        after: Page | None,
        limit: int,
    ) -> list[Any]:
        """The log, the newest first: of readers in some organisations, or (None) of all."""
        parameters = Parameters(city)
        narrowed = ""
        if organisations is not None:
            narrowed += f" AND r.organisation_id = ANY({parameters.add(list(organisations))})"
        if reader is not None:
            narrowed += f" AND r.reader_id = {parameters.add(reader)}"
        onward = _onward(after, parameters)
        statement = (
            f"{_READS} WHERE r.city_id = $1 {narrowed} {onward}"
            f" ORDER BY r.at DESC, r.id DESC LIMIT {parameters.add(limit)}"
        )
        return await self._fetch(statement, parameters)

    async def _fetch(self, statement: str, parameters: Parameters) -> list[Any]:
        async with inside(self._engine, PLATFORM) as driver:
            return list(await driver.fetch(statement, *parameters.values))


async def _note(
    driver: Any,
    principal: Principal,
    reading: _Reading,
    about: Sequence[tuple[UUID | None, UUID | None]],
    at: datetime,
) -> None:
    await driver.executemany(
        NOTED,
        [
            (
                principal.city, appeal, citizen, principal.id, str(principal.role),
                principal.organisation, list(reading.fields), reading.operation, reading.purpose,
                at,
            )
            for appeal, citizen in about
        ],
    )  # fmt: skip


def _is_named(appeal: Appeal) -> bool:
    said = appeal.applicant
    return said is not None and any((said.name, said.phone, said.email))


def _onward(after: Page | None, parameters: Parameters) -> str:
    if after is None:
        return ""
    # The log's own numbers are no UUIDs; the cursor carries them as one.
    return f"AND (r.at, r.id) < ({parameters.add(after.at)}, {parameters.add(after.id.int)})"
