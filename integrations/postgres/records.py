"""All that is held on one resident, opened, for the resident."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import NotFound
from domain.events import AMONG_COLLEAGUES
from domain.ports import Keyring
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

_APPEALS = """
SELECT id, number, status, kind, channel, language, service, category, text, address, apartment,
       district, latitude, longitude, answers, applicant, confirmation, registered_at, closed_at
  FROM appeal WHERE citizen_id = $1 AND city_id = $2 ORDER BY registered_at, id
"""

_EVENTS = """
SELECT e.appeal_id, e.sequence, e.type, e.at,
       coalesce((SELECT json_object_agg(p.field, encode(p.sealed, 'hex'))
          FROM event_personal p WHERE p.event_id = e.id), '{}') AS texts
  FROM event e JOIN appeal a ON a.id = e.appeal_id
 WHERE a.citizen_id = $1 AND a.city_id = $2 AND NOT e.internal ORDER BY e.appeal_id, e.sequence
"""

_FILES = """
SELECT x.filename, x.media_type, x.size, x.sha256, x.created_at, a.number AS appeal
  FROM attachment x LEFT JOIN appeal a ON a.id = x.appeal_id
 WHERE x.city_id = $2 AND (a.citizen_id = $1 OR x.owner_id = $1) ORDER BY x.created_at, x.id
"""

_LOGINS = "SELECT provider, created_at FROM identity WHERE citizen_id = $1 AND city_id = $2"

# What the resident allowed which program, and since when.
_SESSIONS = """
SELECT c.name AS client, s.scopes, s.begun_at, s.expires_at, s.ended_at
  FROM login_session s JOIN client c ON c.id = s.client_id
 WHERE s.subject_id = $1 AND s.city_id = $2 AND s.resident ORDER BY s.begun_at, s.id
"""

_TOKENS = """
SELECT name, created_at, expires_at, revoked_at FROM access_token
 WHERE citizen_id = $1 AND city_id = $2 ORDER BY created_at, id
"""


class Records:
    """Reads everything of one resident in one snapshot."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def of(self, city: UUID, citizen: UUID) -> dict[str, Any]:
        """The record: the resident, logins, sessions, tokens, appeals with their texts, files.

        What colleagues wrote among themselves is left out. Raises NotFound.
        """
        who = (citizen, city)
        snapshot = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
        async with inside(self._engine, PLATFORM, mode=snapshot) as driver:
            person = await driver.fetchrow(
                "SELECT sealed, created_at FROM citizen WHERE id = $1 AND city_id = $2", *who
            )
            if person is None:
                raise NotFound(kind="citizen", id=str(citizen))
            events = await driver.fetch(_EVENTS, *who)
            appeals = await driver.fetch(_APPEALS, *who)
            return {
                "id": citizen,
                "person": self._opened(person["sealed"]),
                "known_since": person["created_at"],
                "logins": [dict(row) for row in await driver.fetch(_LOGINS, *who)],
                "sessions": [dict(row) for row in await driver.fetch(_SESSIONS, *who)],
                "tokens": [dict(row) for row in await driver.fetch(_TOKENS, *who)],
                "appeals": [self._appeal(row, events) for row in appeals],
                "attachments": [dict(row) for row in await driver.fetch(_FILES, *who)],
            }

    def _appeal(self, row: Any, events: list[Any]) -> dict[str, Any]:
        said = {name: row[name] for name in row.keys() if name not in ("id", "applicant")}  # noqa: SIM118
        told = [self._event(event) for event in events if event["appeal_id"] == row["id"]]
        return said | {"applicant": self._opened(row["applicant"]), "events": told}

    def _event(self, row: Mapping[str, Any]) -> dict[str, Any]:
        hidden = AMONG_COLLEAGUES.get(row["type"])
        texts = {
            name: self._keyring.open(bytes.fromhex(sealed)).decode()
            for name, sealed in row["texts"].items()
            if name != hidden
        }
        return {name: row[name] for name in ("sequence", "type", "at")} | {"texts": texts}

    def _opened(self, sealed: bytes | None) -> Any:
        return None if sealed is None else orjson.loads(self._keyring.open(bytes(sealed)))
