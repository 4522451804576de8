"""The exchange with the national register, within one unit of work."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.access import Principal
from domain.appeals.model import Appeal, Kind
from domain.eotinish.left_behind import LEFT_BEHIND
from domain.eotinish.model import Case, MessageState, Origin, Told
from domain.eotinish.ports import Received, Released
from domain.errors import Conflict, NotFound
from domain.law.kinds import AppealKind
from domain.ports import Keyring
from domain.values import new_id
from integrations.postgres.exchange_turns import ADVANCED, HOLD, advance, give_up, hold
from integrations.postgres.lane import Lane

_NEXT = """
SELECT i.id, i.document, i.attempts, i.correlation_id FROM eotinish_inbox i
  LEFT JOIN eotinish_case c ON c.city_id = i.city_id AND c.number = i.number
 WHERE i.city_id = $1 AND i.state = 'pending' AND i.next_attempt_at <= $2
   AND (i.tale IS NULL OR i.number IS NULL OR i.version IS NULL OR i.version <= c.version + 1
        OR (c.number IS NULL AND i.tale = 'assigned'))
 ORDER BY i.received_at, i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED
"""
"""The oldest message whose turn it is. What comes before its predecessor stays where it is; what
nobody can apply waits for nothing.
"""

# Appeals are locked before their cases everywhere; a number that has none is held by its name.
_CASE = "SELECT * FROM eotinish_case WHERE city_id = $1 AND number = $2"
_CASE_OF = "SELECT * FROM eotinish_case WHERE appeal_id = $1 FOR UPDATE"

# Each of these follows keys: the cases without a number are many after a day without the gateway.
_HANDED_IN = """
SELECT c.own_number FROM eotinish_case c
 WHERE c.appeal_id IN (
         SELECT o.appeal_id FROM eotinish_case o WHERE o.city_id = $1 AND o.own_number = $2
         UNION ALL SELECT $3
         UNION ALL SELECT h.appeal_id FROM eotinish_message h WHERE h.id = $3)
   AND c.city_id = $1 AND c.origin = 'city' AND c.number IS NULL AND EXISTS (
         SELECT FROM eotinish_message m WHERE m.appeal_id = c.appeal_id AND m.notice = 'register'
            AND (m.attempts > 0 OR m.judged_by IS NOT NULL))
"""
"""What the state may know of, while we do not know it: a release begins anew to count the tries."""

_UNANSWERED = """
SELECT p.sealed FROM eotinish_message m JOIN appeal a ON a.id = m.appeal_id
  JOIN event_personal p ON p.event_id = m.id AND p.field = 'text'
 WHERE m.city_id = $1 AND m.state = 'pending' AND m.notice = 'register'
   AND (m.attempts > 0 OR m.judged_by IS NOT NULL)
   AND a.kind || '/' || coalesce(a.legal_kind, '') = ANY($2)
"""

_OPEN = """
INSERT INTO eotinish_case (appeal_id, city_id, own_number, origin, number, state, version,
                           deadline, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_SAVE = f"""
{ADVANCED.format("$4::int", "c.appeal_id = $1", "$6")}
UPDATE eotinish_case SET number = $2::text, state = $3, deadline = $5,
                         version = (SELECT max(p.version) FROM passed p)
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
_JUDGE_FILE = _JUDGE_OUT.replace("eotinish_message", "eotinish_file")

_RELEASE = """
WITH oldest AS (
    SELECT id FROM {0} WHERE city_id = $1 AND state = 'quarantined' AND fault = $2
     ORDER BY finished_at, id LIMIT $6 FOR UPDATE)
UPDATE {0} q SET state = 'pending', reason = $3, judged_by = $4, attempts = 0,
       next_attempt_at = $5, finished_at = NULL
  FROM oldest WHERE q.id = oldest.id RETURNING q.id
"""
_REMAINING = "SELECT count(*) FROM {0} WHERE city_id = $1 AND state = 'quarantined' AND fault = $2"
AT_ONCE = 5000
"""Messages of each kind that are let go by one call."""
_TABLES = ("eotinish_message", "eotinish_inbox", "eotinish_file")

_STAYS = f"""
SELECT true FROM eotinish_file
 WHERE id = $1 AND city_id = $2 AND state = 'quarantined' AND fault = '{LEFT_BEHIND}'
"""

_EXPECT = """
INSERT INTO eotinish_file (id, city_id, appeal_id, identifier, created_at, next_attempt_at)
SELECT f.id, $3, $4, f.identifier, $5, $5 FROM unnest($1::uuid[], $2::text[]) f (id, identifier)
    ON CONFLICT (appeal_id, identifier) DO NOTHING
"""

_AWAITS = "SELECT true FROM eotinish_file WHERE id = $1 AND state = 'pending' FOR UPDATE"

_HAS_FILE = """
SELECT EXISTS (SELECT FROM attachment WHERE appeal_id = $1
                  AND (sha256 = ANY($2) OR original_sha256 = ANY($2)))
"""

_SETTLE_FILE = """
UPDATE eotinish_file SET state = $2, finished_at = $3, leased_until = NULL, fault = NULL,
                         detail = NULL WHERE id = $1
"""


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
        document = self._keyring.open(bytes(row["document"]))
        return Received(row["id"], document, row["attempts"], row["correlation_id"])

    async def case(self, number: str) -> Case | None:
        """The case of a national number, held until the unit ends."""
        await self._lane.widen()
        await self._lane.fetch(HOLD, str(self._city), number)
        return _read(await self._lane.fetch(_CASE, self._city, number))

    async def case_of(self, appeal: Appeal) -> Case | None:
        """The case of an appeal that the unit has locked."""
        await self._lane.widen()
        return _read(await self._lane.fetch(_CASE_OF, appeal.id))

    async def handed_in(self, own_number: str | None, correlation: str | None) -> str | None:
        """Our number of an appeal that was handed in and not answered, as the state names it."""
        id = _id(correlation)
        if own_number is None and id is None:
            return None
        found: str | None = await self._lane.fetchval(_HANDED_IN, self._city, own_number, id)
        return found

    async def unanswered(self, kinds: Sequence[tuple[Kind, AppealKind | None]]) -> Sequence[str]:
        """The words of the appeals of these kinds that await their answer."""
        named = [f"{kind}/{law or ''}" for kind, law in kinds]
        rows = await self._lane.fetch(_UNANSWERED, self._city, named)
        return [self._keyring.open(bytes(row["sealed"])).decode() for row in rows]

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
        if case.number is not None:
            await advance(self._lane, case.city, case.number)

    async def save(self, case: Case) -> None:
        """Keep what changed of a case."""
        await self._lane.widen()
        await self._lane.fetch(
            _SAVE, case.appeal, case.number, case.state, case.version, case.deadline, case.city
        )

    async def settle(
        self, received: UUID, told: Told, state: MessageState, at: datetime, case: Case
    ) -> None:
        """The message is over."""
        await self._lane.widen()
        said = (told.number, told.version, str(told.tale))
        await self._lane.fetch(_SETTLE, received, str(state), at, case.appeal, *said)

    async def expect(self, case: Case, identifiers: Sequence[str], at: datetime) -> None:
        """Files are to be fetched, each once."""
        if not identifiers:
            return
        await self._lane.widen()
        named = list(dict.fromkeys(identifiers))
        ids = [new_id() for _ in named]
        await self._lane.fetch(_EXPECT, ids, named, self._city, case.appeal, at)

    async def awaits(self, file: UUID) -> bool:
        """Whether a file is still to come, held until the unit ends."""
        await self._lane.widen()
        return bool(await self._lane.fetchval(_AWAITS, file))

    async def has_file(self, appeal: Appeal, hashes: Collection[str]) -> bool:
        """Whether a file of one of these hashes is attached to an appeal."""
        return bool(await self._lane.fetchval(_HAS_FILE, appeal.id, list(hashes)))

    async def settle_file(self, file: UUID, state: MessageState, at: datetime) -> None:
        """The file is over."""
        await self._lane.widen()
        await self._lane.fetch(_SETTLE_FILE, file, str(state), at)

    async def judge(
        self, id: UUID, state: MessageState, reason: str, judge: UUID, at: datetime
    ) -> None:
        """What an inspector makes of a message in quarantine. Raises NotFound, Conflict."""
        await self._lane.widen()
        if state is MessageState.PENDING and await self._lane.fetch(_STAYS, id, self._city):
            # It is as large as before; what was said of it went without it.
            raise Conflict(reason="file-left-behind")
        number = await hold(self._lane, self._city, id)
        for statement in (_JUDGE_OUT, _JUDGE_IN, _JUDGE_FILE):
            said = (id, self._city, str(state), reason, judge, at)
            if await self._lane.fetch(statement, *said):
                if number is not None and state is MessageState.DROPPED:
                    await give_up(self._lane, self._city, id, number)
                return
        raise NotFound(kind="message", id=str(id))

    async def release(self, fault: str, reason: str, judge: UUID, at: datetime) -> Released:
        """Let the oldest messages in quarantine go that one fault brought there."""
        await self._lane.widen()
        released = remaining = 0
        for table in _TABLES:
            said = (self._city, fault, reason, judge, at, AT_ONCE)
            released += len(await self._lane.fetch(_RELEASE.format(table), *said))
            left = await self._lane.fetchval(_REMAINING.format(table), self._city, fault)
            remaining += int(left)
        return Released(released, remaining)


def _id(said: str | None) -> UUID | None:
    try:
        return UUID(said or "")
    except ValueError:
        return None


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
