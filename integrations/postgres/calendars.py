"""Calendars as an administrator changes them: a next version beside those before it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from domain.access import Principal
from domain.errors import Conflict
from domain.sla.calendar import Calendar
from integrations.postgres.lane import Lane


class SqlCalendars:
    """See domain.ports.Calendars."""

    def __init__(self, lane: Lane, principal: Principal) -> None:
        self._lane = lane
        self._principal = principal

    async def newest(self, code: str) -> tuple[int, Mapping[str, Any]] | None:
        """The newest version of a calendar and its row; None for one that there is not."""
        found = await self._lane.fetch(
            "SELECT version, content::text AS content FROM calendar_version"
            " WHERE city_id = $1 AND code = $2 ORDER BY version DESC LIMIT 1",
            self._principal.city,
            code,
        )
        if not found:
            return None
        return found[0]["version"], orjson.loads(found[0]["content"])

    async def add(self, calendar: Calendar, content: Mapping[str, Any], *, at: datetime) -> None:
        """Keep a next version, with who wrote it, and tell every process."""
        await self._lane.widen()
        city = self._principal.city
        try:
            await self._lane.fetch(
                "INSERT INTO calendar_version (city_id, code, version, content, created_at,"
                " written_by) VALUES ($1, $2, $3, $4::jsonb, $5, $6)",
                city, calendar.code, calendar.version, orjson.dumps(dict(content)).decode(), at,
                self._principal.id,
            )  # fmt: skip
        except asyncpg.UniqueViolationError as error:
            raise Conflict(reason="calendar-changed-meanwhile") from error
        await self._lane.fetch(
            "UPDATE city SET reference_version = reference_version + 1 WHERE id = $1", city
        )
