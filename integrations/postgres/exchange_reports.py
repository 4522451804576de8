"""The city's own side of a reconciliation, what it found, and what waits in quarantine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.workflow import Status
from domain.eotinish.left_behind import LEFT_BEHIND
from domain.eotinish.model import MessageState, Origin
from domain.eotinish.reconciling import ASIDE, OurCase, Report
from domain.ports import Keyring
from domain.questions import Page
from integrations.postgres.doors import city_door, door_of
from integrations.postgres.exchange_turns import forwarded
from integrations.postgres.session import inside

_CASES = f"""
SELECT c.appeal_id, c.own_number, c.number, c.origin, c.version, a.status, a.law_due_at,
       CASE WHEN a.law_due_at IS NOT NULL THEN c.deadline END AS deadline,
       coalesce((SELECT max(m.sequence) FROM eotinish_message m
                  WHERE m.appeal_id = c.appeal_id AND m.state = 'done'), 0) AS sent,
       (SELECT min(m.created_at) FROM eotinish_message m
         WHERE m.appeal_id = c.appeal_id AND m.state = 'pending') AS leaving,
       (SELECT min(i.received_at) FROM eotinish_inbox i
         WHERE i.city_id = c.city_id AND i.number = c.number AND i.state = 'pending') AS waiting,
       (SELECT count(*) FROM eotinish_message m
         WHERE m.appeal_id = c.appeal_id AND m.state = 'quarantined')
       + (SELECT count(*) FROM eotinish_inbox i WHERE i.city_id = c.city_id
             AND i.number = c.number AND i.state = 'quarantined') AS quarantined,
       (SELECT max(m.finished_at) FROM eotinish_message m
         WHERE m.appeal_id = c.appeal_id AND m.state = 'done') AS moved_at,
       {forwarded("c.appeal_id")} AS forwarded
  FROM eotinish_case c JOIN appeal a ON a.id = c.appeal_id
 WHERE c.city_id = $1 AND c.appeal_id > $2 ORDER BY c.appeal_id LIMIT $3
"""

_ASIDE = """
SELECT DISTINCT ON (i.number) i.number, i.state FROM eotinish_inbox i
 WHERE i.city_id = $1 AND i.number = ANY($2) AND i.tale = 'assigned'
 ORDER BY i.number, i.received_at DESC, i.id DESC
"""
"""The last that came of each: one that came after what was dropped is judged anew."""

_AGAIN = """
UPDATE eotinish_message m SET state = 'pending', next_attempt_at = $4, attempts = 0,
                              sent_at = NULL, finished_at = NULL, leased_until = NULL
  FROM eotinish_case c
 WHERE c.city_id = $1 AND c.own_number = $2 AND m.appeal_id = c.appeal_id AND m.sequence > $3
   AND m.state IN ('done', 'pending') AND (m.notice = 'register' OR c.number IS NOT NULL)
"""
"""What waits for a number goes nowhere before the registration, however often it is sent."""

_BEGIN = """
INSERT INTO eotinish_report (id, city_id, day, at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (city_id, day) DO UPDATE SET at = excluded.at
 WHERE eotinish_report.finished_at IS NULL AND eotinish_report.at < excluded.at - interval '1 hour'
RETURNING id
"""
"""A night's comparison is made once; one that died in the middle is made again after an hour."""

_FINISH = """
UPDATE eotinish_report SET finished_at = $2, ours = $3, theirs = $4, differences = $5::jsonb,
                           repaired = $6 WHERE id = $1
"""

_REPORTS = """
SELECT * FROM eotinish_report
 WHERE city_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3))
 ORDER BY at DESC, id DESC LIMIT $4
"""

_COLUMNS = "id, {0}, fault, detail, attempts, finished_at AS at, reason"
_OUT = _COLUMNS.format(
    "'out' AS direction, notice AS subject, appeal_id, NULL::text AS number, sequence AS place,"
    " NULL::bytea AS document"
)
_IN = _COLUMNS.format(
    "'in' AS direction, tale AS subject, appeal_id, number, version AS place, document"
)
_FILE = _COLUMNS.format(
    f"CASE fault WHEN '{LEFT_BEHIND}' THEN 'out' ELSE 'in' END AS direction,"
    " 'file' AS subject, appeal_id, NULL::text AS number, NULL::int AS place,"
    " NULL::bytea AS document"
)
_QUARANTINE = f"""
SELECT q.*, c.own_number, coalesce(q.number, c.number) AS national FROM (
    SELECT {_OUT} FROM eotinish_message WHERE city_id = $1 AND state = 'quarantined'
    UNION ALL
    SELECT {_IN} FROM eotinish_inbox WHERE city_id = $1 AND state = 'quarantined'
    UNION ALL
    SELECT {_FILE} FROM eotinish_file WHERE city_id = $1 AND state = 'quarantined') q
  LEFT JOIN eotinish_case c ON c.city_id = $1
        AND (c.appeal_id = q.appeal_id OR c.number = q.number)
 WHERE $2::timestamptz IS NULL OR (q.at, q.id) < ($2, $3)
 ORDER BY q.at DESC, q.id DESC LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in quarantine. `document` is what came, for those who may read it."""

    id: UUID
    direction: str
    subject: str | None
    number: str | None
    own_number: str | None
    place: int | None
    fault: str
    detail: str
    attempts: int
    at: datetime
    document: bytes | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison as it is kept; `differences` as JSON."""

    id: UUID
    day: str | None
    at: datetime
    finished_at: datetime | None
    ours: int
    theirs: int
    repaired: int
    differences: Sequence[Any]


class ExchangeReports:
    """See the module. Every method raises Unavailable."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def cases(self, city: UUID, after: UUID | None, limit: int) -> Sequence[OurCase]:
        """See domain.eotinish.reconciling.Ours."""
        async with inside(self._engine, city_door(city, ())) as driver:
            rows = await driver.fetch(_CASES, city, after or UUID(int=0), limit)
        return [_case(row) for row in rows]

    async def set_aside(self, city: UUID, numbers: Sequence[str]) -> Mapping[str, MessageState]:
        """See domain.eotinish.reconciling.Ours."""
        async with inside(self._engine, city_door(city, ())) as driver:
            rows = await driver.fetch(_ASIDE, city, list(numbers)) if numbers else []
        found = {row["number"]: MessageState(row["state"]) for row in rows}
        return {number: state for number, state in found.items() if state in ASIDE}

    async def send_again(self, city: UUID, own_number: str, after: int, at: datetime) -> int:
        """See domain.eotinish.reconciling.Ours."""
        async with inside(self._engine, city_door(city, ())) as driver:
            done = await driver.execute(_AGAIN, city, own_number, after, at)
        return int(done.rpartition(" ")[2])

    async def begin(self, id: UUID, city: UUID, day: str | None, at: datetime) -> UUID | None:
        """A comparison begins; None where that of the day was made or is being made."""
        async with inside(self._engine, city_door(city, ())) as driver:
            begun: UUID | None = await driver.fetchval(_BEGIN, id, city, day, at)
        return begun

    async def finish(self, city: UUID, report: Report) -> None:
        """Keep what a comparison found."""
        told = orjson.dumps([asdict(one) for one in report.differences]).decode()
        async with inside(self._engine, city_door(city, ())) as driver:
            await driver.execute(
                _FINISH, report.id, report.finished_at, report.ours, report.theirs, told,
                report.repaired,
            )  # fmt: skip

    async def reports(
        self, principal: Principal, after: Page | None, limit: int
    ) -> Sequence[Compared]:
        """Comparisons, the newest first."""
        rows = await self._page(_REPORTS, principal, after, limit)
        return [
            Compared(**{name: row[name] for name in Compared.__dataclass_fields__}) for row in rows
        ]

    async def quarantine(
        self, principal: Principal, after: Page | None, limit: int
    ) -> Sequence[Kept]:
        """Messages that wait for an inspector, the newest first."""
        rows = await self._page(_QUARANTINE, principal, after, limit)
        return [self._kept(row) for row in rows]

    async def _page(
        self, statement: str, principal: Principal, after: Page | None, limit: int
    ) -> list[Any]:
        place = (after.at, after.id) if after else (None, None)
        async with inside(self._engine, door_of(principal)) as driver:
            return list(await driver.fetch(statement, principal.city, *place, limit))

    def _kept(self, row: Any) -> Kept:
        sealed = row["document"]
        return Kept(
            id=row["id"],
            direction=row["direction"],
            subject=row["subject"],
            number=row["national"],
            own_number=row["own_number"],
            place=row["place"],
            fault=row["fault"] or "",
            detail=row["detail"] or "",
            attempts=row["attempts"],
            at=row["at"],
            document=self._keyring.open(bytes(sealed)) if sealed is not None else None,
        )


def _case(row: Any) -> OurCase:
    waiting = [at for at in (row["leaving"], row["waiting"]) if at is not None]
    return OurCase(
        appeal=row["appeal_id"],
        own_number=row["own_number"],
        number=row["number"],
        status=Status(row["status"]),
        version=row["version"],
        sent=row["sent"],
        own=row["origin"] == Origin.CITY,
        waiting_since=min(waiting, default=None),
        quarantined=row["quarantined"],
        moved_at=row["moved_at"],
        forwarded=row["forwarded"],
        deadlines=tuple(filter(None, (row["deadline"], row["law_due_at"]))),
    )
