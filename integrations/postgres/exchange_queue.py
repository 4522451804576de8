"""What waits on the way to the state and from it: leased, tried, kept. Each method is one short
transaction through the city's own door, and no connection is held while the gateway is waited for.

A message goes out when every one before it of its appeal is over, and after the registration only
under the number that it brought. A lease's end is its token, as with webhooks (deliveries.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.appeals.model import Kind
from domain.eotinish.agreements import Selection
from domain.eotinish.model import Notice
from domain.eotinish.outgoing import Attached, Material
from domain.eotinish.ports import Arrived, Claimed, Posted
from domain.law.kinds import AppealKind
from domain.ports import Keyring
from domain.values import Language, new_id
from integrations.postgres.doors import city_door
from integrations.postgres.exchange_turns import advance, forwarded, hold
from integrations.postgres.session import inside

_JOIN = """
INSERT INTO eotinish_city (city_id, since, selection) VALUES ($1, $2, $3::jsonb)
    ON CONFLICT (city_id) DO UPDATE SET selection = excluded.selection
 WHERE eotinish_city.selection <> excluded.selection
"""

_CLAIM = """
WITH due AS (
    SELECT m.id FROM eotinish_message m JOIN eotinish_case c ON c.appeal_id = m.appeal_id
     WHERE m.city_id = $1 AND m.state = 'pending' AND m.next_attempt_at <= $2
       AND m.sent_at IS NULL AND (m.leased_until IS NULL OR m.leased_until <= $2)
       AND (m.notice = 'register' OR c.number IS NOT NULL)
       AND NOT EXISTS (SELECT FROM eotinish_message e WHERE e.appeal_id = m.appeal_id
                          AND e.state = 'pending' AND e.sequence < m.sequence)
       AND NOT EXISTS (SELECT FROM eotinish_city x WHERE x.city_id = $1 AND x.held_until > $2)
     ORDER BY m.next_attempt_at, m.id LIMIT $3 FOR UPDATE OF m SKIP LOCKED
)
UPDATE eotinish_message m SET leased_until = $4, attempts = attempts + 1 FROM due
 WHERE m.id = due.id RETURNING m.id, m.appeal_id, m.notice, m.attempts
"""

_MATERIAL = f"""
SELECT m.id, m.notice, c.own_number, c.number, e.canonical, a.kind, a.legal_kind, a.language,
       z.sealed AS citizen,
       {forwarded("m.appeal_id", "m.sequence")} AS forwarded,
       (SELECT json_agg(json_build_object('field', p.field, 'sealed', encode(p.sealed, 'hex')))
          FROM event_personal p WHERE p.event_id = e.id) AS personal
  FROM eotinish_message m JOIN eotinish_case c ON c.appeal_id = m.appeal_id
  JOIN event e ON e.id = m.id JOIN appeal a ON a.id = m.appeal_id
  LEFT JOIN citizen z ON z.id = a.citizen_id
 WHERE m.id = $1
"""

_FILES = """
SELECT id, filename, media_type, size, sha256, storage_key FROM attachment
 WHERE id = ANY($1::uuid[]) ORDER BY id
"""

_SENT = """
UPDATE eotinish_message SET state = 'done', finished_at = $3, leased_until = NULL,
       correlation_id = $4, fault = NULL, detail = NULL
 WHERE id = $1 AND state = 'pending' AND leased_until = $2 RETURNING id
"""

_POSTED = """
UPDATE eotinish_message SET sent_at = $3, correlation_id = $4, next_attempt_at = $5, asked = 0,
       leased_until = NULL, fault = NULL, detail = NULL
 WHERE id = $1 AND state = 'pending' AND leased_until = $2 RETURNING id
"""

_WATCHED = """
WITH due AS (
    SELECT m.id FROM eotinish_message m
     WHERE m.city_id = $1 AND m.state = 'pending' AND m.next_attempt_at <= $2
       AND m.sent_at IS NOT NULL AND (m.leased_until IS NULL OR m.leased_until <= $2)
       AND NOT EXISTS (SELECT FROM eotinish_city x WHERE x.city_id = $1 AND x.held_until > $2)
     ORDER BY m.next_attempt_at, m.id LIMIT $3 FOR UPDATE OF m SKIP LOCKED
)
UPDATE eotinish_message m SET leased_until = $4, asked = asked + 1 FROM due
 WHERE m.id = due.id
RETURNING m.id, m.appeal_id, m.notice, m.attempts, m.asked, m.sent_at, m.correlation_id
"""

_ASK_LATER = """
UPDATE eotinish_message SET next_attempt_at = $3, leased_until = NULL, fault = $4, detail = $5
 WHERE id = $1 AND state = 'pending' AND leased_until = $2 RETURNING id
"""

_FAILED = """
UPDATE eotinish_message SET state = $3, next_attempt_at = coalesce($4, next_attempt_at),
       leased_until = NULL, sent_at = NULL, fault = $5, detail = $6, finished_at = $7
 WHERE id = $1 AND state = 'pending' AND leased_until = $2 RETURNING id
"""

_HOLD = "UPDATE eotinish_city SET held_until = $2, held_fault = $3 WHERE city_id = $1"

_KEEP = """
INSERT INTO eotinish_inbox (id, city_id, message_id, correlation_id, number, version, tale,
                            document, received_at, next_attempt_at)
SELECT r.*, $9, $9 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[],
                               $6::int[], $7::text[], $8::bytea[]) r
    ON CONFLICT (city_id, message_id) DO UPDATE SET acknowledged_at = NULL
"""
"""A message that comes again was not known to be kept: it is acknowledged again."""

_UNACKNOWLEDGED = """
SELECT message_id FROM eotinish_inbox WHERE city_id = $1 AND acknowledged_at IS NULL
 ORDER BY received_at LIMIT $2
"""

_ACKNOWLEDGED = """
UPDATE eotinish_inbox SET acknowledged_at = $3 WHERE city_id = $1 AND message_id = ANY($2)
"""

_REFUSED = """
UPDATE eotinish_inbox SET state = $2, fault = $3, detail = $4, attempts = attempts + 1,
       next_attempt_at = coalesce($5, next_attempt_at), finished_at = $6
 WHERE id = $1 AND state = 'pending'
"""

_MINE = "SELECT correlation_id, version, document FROM eotinish_inbox WHERE id = $1"
_ALIKE = """
SELECT document FROM eotinish_inbox WHERE city_id = $1 AND id <> $2 AND number = $3 AND version = $4
   AND state IN ('quarantined', 'dropped')
"""
_ALIKE_UNREAD = """
SELECT document FROM eotinish_inbox WHERE city_id = $1 AND id <> $2 AND state = 'quarantined'
   AND (number IS NULL OR version IS NULL) AND correlation_id IS NOT DISTINCT FROM $3
 ORDER BY finished_at DESC LIMIT 100
"""
"""What may be the same message under another id of the gateway's."""


class ExchangeQueue:
    """See the module. Every method raises Unavailable."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def join(self, city: UUID, selection: Selection, at: datetime) -> None:
        """The city exchanges from now on what the selection says; what was begun goes on."""
        said = {"services": list(selection.services), "never": list(selection.never)}
        await self._fetch(city, _JOIN, city, at, orjson.dumps(said).decode())

    async def claim(
        self, city: UUID, at: datetime, limit: int, lease: datetime
    ) -> Sequence[Claimed]:
        """Lease up to `limit` messages that are due, until `lease`."""
        rows = await self._fetch(city, _CLAIM, city, at, limit, lease)
        return [
            Claimed(row["id"], row["appeal_id"], Notice(row["notice"]), row["attempts"], lease)
            for row in rows
        ]

    async def material(self, city: UUID, id: UUID) -> Material:
        """Everything that a message is made of."""
        async with inside(self._engine, city_door(city, ())) as driver:
            row = (await driver.fetch(_MATERIAL, id))[0]
            event = orjson.loads(row["canonical"])
            listed = event["data"].get("attachments") or []
            ids = [UUID(one["id"] if isinstance(one, dict) else one) for one in listed]
            files = await driver.fetch(_FILES, ids) if ids else []
        return Material(
            id=row["id"],
            notice=Notice(row["notice"]),
            own_number=row["own_number"],
            number=row["number"],
            event=event,
            personal=self._personal(row["personal"]),
            files=[Attached(**dict(one)) for one in files],
            kind=Kind(row["kind"]),
            lawful=AppealKind(row["legal_kind"]) if row["legal_kind"] else None,
            iin=self._iin(row["citizen"]),
            language=Language(row["language"]),
            forwarded=row["forwarded"],
        )

    async def sent(self, city: UUID, claimed: Claimed, correlation: str, at: datetime) -> bool:
        """The state has it; whether this holder's word was taken."""
        return bool(await self._fetch(city, _SENT, claimed.id, claimed.lease, at, correlation))

    async def posted(
        self, city: UUID, claimed: Claimed, message: str, at: datetime, ask_at: datetime
    ) -> None:
        """The gateway took it as `message`; what became of it is asked at `ask_at`."""
        await self._fetch(city, _POSTED, claimed.id, claimed.lease, at, message, ask_at)

    async def watched(
        self, city: UUID, at: datetime, limit: int, lease: datetime
    ) -> Sequence[Posted]:
        """Lease up to `limit` messages that the gateway has, and of which it is due to be asked."""
        rows = await self._fetch(city, _WATCHED, city, at, limit, lease)
        return [
            Posted(
                Claimed(row["id"], row["appeal_id"], Notice(row["notice"]), row["attempts"], lease),
                row["correlation_id"], row["sent_at"], row["asked"],
            )
            for row in rows
        ]  # fmt: skip

    async def ask_later(
        self, city: UUID, claimed: Claimed, fault: str | None, detail: str, until: datetime
    ) -> None:
        """It is on its way still, or nobody could say; ask again at `until`."""
        said = (claimed.id, claimed.lease, until, fault, detail[:500] or None)
        await self._fetch(city, _ASK_LATER, *said)

    async def postpone(
        self, city: UUID, claimed: Claimed, fault: str, detail: str, until: datetime
    ) -> None:
        """Try again at `until`."""
        said = (claimed.id, claimed.lease, "pending", until, fault, detail[:500], None)
        await self._fetch(city, _FAILED, *said)

    async def quarantine(
        self, city: UUID, claimed: Claimed, fault: str, detail: str, at: datetime
    ) -> None:
        """Nobody tries again before an inspector says so."""
        said = (claimed.id, claimed.lease, "quarantined", None, fault, detail[:500], at)
        await self._fetch(city, _FAILED, *said)

    async def hold(self, city: UUID, until: datetime | None, fault: str | None) -> None:
        """Send nothing of a city before then: something of the exchange itself must be mended."""
        await self._fetch(city, _HOLD, city, until, fault)

    async def keep(self, city: UUID, arrived: Sequence[Arrived], at: datetime) -> None:
        """Keep what came, each message once, sealed."""
        # One that is listed twice would be written twice by one statement, which fails as a whole.
        arrived = list({one.message_id: one for one in arrived}.values())
        columns: list[list[Any]] = [
            [new_id() for _ in arrived],
            [city for _ in arrived],
            [one.message_id for one in arrived],
            [one.correlation_id for one in arrived],
            [one.number for one in arrived],
            [one.version for one in arrived],
            [one.tale for one in arrived],
            [self._keyring.seal(one.document) for one in arrived],
        ]
        await self._fetch(city, _KEEP, *columns, at)

    async def unacknowledged(self, city: UUID, limit: int) -> Sequence[str]:
        """Messages of which the gateway does not know yet that they are kept."""
        rows = await self._fetch(city, _UNACKNOWLEDGED, city, limit)
        return [row["message_id"] for row in rows]

    async def acknowledged(self, city: UUID, messages: Sequence[str], at: datetime) -> None:
        """The gateway knows."""
        await self._fetch(city, _ACKNOWLEDGED, city, list(messages), at)

    async def refuse(self, city: UUID, id: UUID, fault: str, detail: str, at: datetime) -> None:
        """A message that came cannot be applied: into quarantine with it, and its case goes on. One
        of the same content that was sent again is a repeat of what lies there already.
        """
        async with inside(self._engine, city_door(city, ())) as driver:
            number = await hold(driver, city, id)
            again = await self._lies_there(driver, city, id, number)
            state = "repeated" if again else "quarantined"
            await driver.fetch(_REFUSED, id, state, fault, detail[:500], None, at)
            if number is not None:
                await advance(driver, city, number)

    async def later(self, city: UUID, id: UUID, fault: str, detail: str, until: datetime) -> None:
        """A message that came is tried again at `until`."""
        await self._fetch(city, _REFUSED, id, "pending", fault, detail[:500], until, None)

    async def _lies_there(self, driver: Any, city: UUID, id: UUID, number: str | None) -> bool:
        [mine] = await driver.fetch(_MINE, id)
        if number is None or mine["version"] is None:
            alike = await driver.fetch(_ALIKE_UNREAD, city, id, mine["correlation_id"])
        else:
            alike = await driver.fetch(_ALIKE, city, id, number, mine["version"])
        own = self._keyring.open(bytes(mine["document"])) if alike else b""
        return any(self._keyring.open(bytes(one["document"])) == own for one in alike)

    async def _fetch(self, city: UUID, statement: str, *values: object) -> list[Any]:
        async with inside(self._engine, city_door(city, ())) as driver:
            return list(await driver.fetch(statement, *values))

    def _personal(self, told: Any) -> Mapping[str, str]:
        rows = orjson.loads(told) if isinstance(told, str) else told
        return {
            row["field"]: self._keyring.open(bytes.fromhex(row["sealed"])).decode()
            for row in rows or ()
        }

    def _iin(self, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        said: str | None = orjson.loads(self._keyring.open(bytes(sealed))).get("iin")
        return said
