"""The exchange with the national register, within one unit of work."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.access import Principal
from domain.appeals.model import Appeal
from domain.eotinish.model import Case, MessageState, Origin, Told
from domain.eotinish.ports import Received
from domain.errors import NotFound
from domain.ports import Keyring
from integrations.postgres.lane import Lane

_NEXT = """
SELECT i.id, i.document, i.attempts FROM eotinish_inbox i
  LEFT JOIN eotinish_case c ON c.city_id = i.city_id AND c.number = i.number
 WHERE i.city_id = $1 AND i.state = 'pending' AND i.next_attempt_at <= $2
   AND (i.tale IS NULL OR i.version <= c.version + 1 OR (c.number IS NULL AND i.tale = 'assigned'))
 ORDER BY i.received_at, i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED
"""
"""The oldest message whose turn it is. What comes before its predecessor stays where it is."""

# Appeals are locked before their cases everywhere; a number that has none is held by its name.
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended($1::text || '/' || $2, 109))"
_CASE = "SELECT * FROM eotinish_case WHERE city_id = $1 AND number = $2"
_CASE_OF = "SELECT * FROM eotinish_case WHERE appeal_id = $1 FOR UPDATE"

_OPEN = """
INSERT INTO eotinish_case (appeal_id, city_id, own_number, origin, number, state, version,
                           deadline, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_SAVE = """
UPDATE eotinish_case SET number = $2, state = $3, version = greatest(version, $4), deadline = $5
 WHERE appeal_id = $1
"""

_SETTLE = """
UPDATE eotinish_inbox SET state = $2, finished_at = $3, appeal_id = $4, attempts = attempts + 1,
                          fault = NULL, detail = NULL, number = $5, version = $6, tale = $7
 WHERE id = $1
"""

_JUDGE_OUT = """
UPDATE eotinish_message SET state = $3, reason = $4, judged_by = $5, attempts = 0,
       next_attempt_at = $6::timestamptz,
       finished_at = CASE WHEN $3 = 'pending' THEN NULL ELSE $6::timestamptz END
 WHERE id = $1 AND city_id = $2 AND state = 'quarantined' RETURNING id
"""
_JUDGE_IN = _JUDGE_OUT.replace("eotinish_message", "eotinish_inbox")


class SqlExchange:
    """See domain.eotinish.ports.Exchange."""

    def __init__(self, lane: Lane, principal: Principal, keyring: Keyring) -> None:
        self._lane = lane
        self._city = principal.city
        self._keyring = keyring

    async def next(self, at: datetime) -> Received | None:
        """The oldest message whose turn it is, locked."""
        await self._lane.widen()
        found = await self._lane.fetch(_NEXT, self._city, at)
        if not found:
            return None
        row = found[0]
        return Received(row["id"], self._keyring.open(bytes(row["document"])), row["attempts"])

    async def case(self, number: str) -> Case | None:
        """The case of a national number, held until the unit ends."""
        await self._lane.widen()
        await self._lane.fetch(_HOLD, str(self._city), number)
        return _read(await self._lane.fetch(_CASE, self._city, number))

    async def case_of(self, appeal: Appeal) -> Case | None:
        """The case of an appeal that the unit has locked."""
        await self._lane.widen()
        return _read(await self._lane.fetch(_CASE_OF, appeal.id))

    async def is_applied(self, number: str, version: int) -> bool:
        """Whether a message of this version was applied."""
        return bool(
            await self._lane.fetchval(
                "SELECT EXISTS (SELECT FROM eotinish_inbox WHERE city_id = $1 AND number = $2"
                " AND version = $3 AND state = 'done')",
                self._city, number, version,
            )
        )  # fmt: skip

    async def open(self, case: Case, at: datetime) -> None:
        """A new case; its appeal is written when the unit commits."""
        await self._lane.widen()
        await self._lane.fetch(
            _OPEN, case.appeal, case.city, case.own_number, str(case.origin), case.number,
            case.state, case.version, case.deadline, at,
        )  # fmt: skip

    async def save(self, case: Case) -> None:
        """Keep what changed of a case."""
        await self._lane.widen()
        await self._lane.fetch(
            _SAVE, case.appeal, case.number, case.state, case.version, case.deadline
        )

    async def settle(
        self, received: UUID, told: Told, state: MessageState, at: datetime, case: Case
    ) -> None:
        """The message is over."""
        await self._lane.widen()
        said = (told.number, told.version, str(told.tale))
        await self._lane.fetch(_SETTLE, received, str(state), at, case.appeal, *said)

    async def judge(
        self, id: UUID, state: MessageState, reason: str, judge: UUID, at: datetime
    ) -> None:
        """What an inspector makes of a message in quarantine. Raises NotFound."""
        await self._lane.widen()
        for statement in (_JUDGE_OUT, _JUDGE_IN):
            said = (id, self._city, str(state), reason, judge, at)
            if await self._lane.fetch(statement, *said):
                return
        raise NotFound(kind="message", id=str(id))


def _read(found: list[Any]) -> Case | None:
    if not found:
        return None
    row = found[0]
    return Case(
        appeal=row["appeal_id"],
        city=row["city_id"],
        own_number=row["own_number"],
        origin=Origin(row["origin"]),
        number=row["number"],
        state=row["state"],
        version=row["version"],
        deadline=row["deadline"],
    )
