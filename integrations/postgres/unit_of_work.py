"""One transaction of one principal.

Registering an appeal is a single statement, which goes with those of others. Everything else
reads first, under a lock, and then writes its change in one statement before COMMIT.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.model import Appeal, Applicant, Change
from domain.appeals.verdicts import verdict_of
from domain.errors import Conflict, NotFound, Unavailable, VersionConflict
from domain.ports import Answer, Counting, Keyring, KeyTaken, TakenFile, Upload
from integrations.postgres import rows
from integrations.postgres.calendars import SqlCalendars
from integrations.postgres.cards import card_row, holders_row
from integrations.postgres.consultations import SqlConsultations
from integrations.postgres.doors import door_of
from integrations.postgres.endpoints import SqlEndpoints
from integrations.postgres.exchange import SqlExchange
from integrations.postgres.gathering import Gathering
from integrations.postgres.histories import FIRST, TYPES, read_events
from integrations.postgres.idempotency import answer_row
from integrations.postgres.identities import resident_with_iin
from integrations.postgres.incidents import SqlIncidents
from integrations.postgres.lane import Lane
from integrations.postgres.members import SqlClients, SqlFirms, SqlInvitations, SqlMembers
from integrations.postgres.numbers import NumberPool
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import borrowed
from integrations.postgres.statements import (
    CARRIED,
    COUNTING_BY,
    DUE,
    LOCKED,
    REGISTER,
    WIDEN,
    WITH_EVENTS,
    saving,
)
from integrations.postgres.writes import Claim, Write, batches, gives


def _whole(row: Mapping[str, Any]) -> bool:
    """Whether all of a locked appeal is of one moment; see LOCKED."""
    return bool(row["seen"] == row["version"])


class SqlAppeals:
    """Appeals of one unit; writes wait for the commit."""

    def __init__(self, lane: Lane, principal: Principal, keyring: Keyring) -> None:
        self._lane = lane
        self._principal = principal
        self._keyring = keyring
        self.pending: list[Write] = []

    async def get(self, number: str) -> Appeal:
        """The appeal, locked until the unit ends. Raises NotFound."""
        await self._lane.begin()
        parameters = Parameters(number)
        scope = visible(self._principal, parameters)
        statement = f"SELECT {LOCKED} FROM appeal a WHERE a.number = $1 AND {scope} FOR UPDATE OF a"
        found = await self._lane.fetch(statement, *parameters.values)
        if found and not _whole(found[0]):
            found = await self._lane.fetch(statement, *parameters.values)
        if not found:
            raise NotFound(kind="appeal", id=number)
        return rows.read_appeal(found[0], self._keyring)

    async def due(
        self, at: datetime, limit: int, skipping: Collection[UUID] = ()
    ) -> Sequence[Appeal]:
        """Appeals with something due, locked; those that others hold are skipped."""
        await self._lane.begin()
        found = await self._lane.fetch(DUE, at, limit, self._principal.city, list(skipping))
        return [rows.read_appeal(row, self._keyring) for row in found if _whole(row)]

    async def unclaimed(self, phone: str, limit: int) -> Sequence[Appeal]:
        """Appeals that bear a phone and belong to no citizen, oldest first, locked."""
        await self._lane.begin()
        found = await self._lane.fetch(
            f"SELECT {LOCKED} FROM appeal a WHERE a.city_id = $1 AND a.citizen_id IS NULL"
            " AND a.phone_index = ANY($2::bytea[]) ORDER BY a.registered_at, a.id LIMIT $3"
            " FOR UPDATE OF a",
            self._principal.city, self._keyring.lookups(phone), limit,
        )  # fmt: skip
        return [rows.read_appeal(row, self._keyring) for row in found if _whole(row)]

    async def counting_by(
        self, calendar: str, before: int, limit: int, after: UUID | None, also: Collection[str] = ()
    ) -> Counting:
        """See domain.ports.Appeals."""
        # Whoever ordered it: the calendar is the city's, and so are all appeals that it counts.
        await self._lane.widen()
        city, start = self._principal.city, after or FIRST
        said = city, calendar, before, start, limit, list(also)
        near = await self._lane.fetch(COUNTING_BY, *said)
        ids = [row["appeal_id"] for row in near]
        found = await self._lane.fetch(WITH_EVENTS, ids, TYPES) if ids else []
        whole = [row for row in found if _whole(row)]
        return Counting(
            [(rows.read_appeal(row, self._keyring), read_events(row["told"])) for row in whole],
            ids[-1] if ids else None,
            len(ids) - len(whole),
        )

    def add(self, change: Change, number: int, year: int) -> None:
        """A new appeal with its first events."""
        self.pending.append((change, Claim(change.appeal.city, year, number)))

    def save(self, change: Change) -> None:
        """What an act did."""
        self.pending.append((change, None))


class SqlAttachments:
    """Uploads of the principal that no appeal has yet."""

    def __init__(self, lane: Lane, principal: Principal) -> None:
        self._lane = lane
        self._principal = principal

    async def take(self, ids: Sequence[UUID]) -> Mapping[UUID, TakenFile]:
        """Those that can be taken; locked."""
        if not ids:
            return {}
        # Whether a picture was shown before is asked of the whole city.
        await self._lane.widen()
        found = await self._lane.fetch(
            "SELECT x.id, x.kind, x.original_sha256, EXISTS (SELECT FROM attachment o"
            " WHERE o.original_sha256 = x.original_sha256 AND o.city_id = x.city_id"
            " AND num_nonnulls(o.appeal_id, o.incident_id) > 0) AS seen, x.created_at, x.sha256"
            " FROM attachment x WHERE x.id = ANY($1) AND x.owner_id = $2 AND x.city_id = $3"
            " AND x.appeal_id IS NULL AND x.incident_id IS NULL FOR UPDATE OF x",
            list(ids), self._principal.id, self._principal.city,
        )  # fmt: skip
        return {UUID(str(id)): TakenFile(*known) for id, *known in found}

    async def add(self, upload: Upload) -> None:
        """Keep what was uploaded. Raises Conflict when it is kept already."""
        await self._lane.begin()
        kept = await self._lane.fetch(
            "INSERT INTO attachment (id, city_id, owner_id, kind, media_type, filename, size,"
            " sha256, original_sha256, width, height, storage_key, created_at)"
            " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)"
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            upload.id, self._principal.city, self._principal.id, upload.kind, upload.media_type,
            upload.filename, upload.size, upload.sha256, upload.original_sha256,
            upload.width, upload.height, upload.storage_key, upload.created_at,
        )  # fmt: skip
        if not kept:
            raise Conflict(reason="file-exists")


class SqlCitizens:
    """What the city knows of its residents."""

    def __init__(self, lane: Lane, principal: Principal, keyring: Keyring) -> None:
        self._lane = lane
        self._principal = principal
        self._keyring = keyring

    async def applicant(self, citizen: UUID) -> Applicant:
        """Name and contacts of a citizen."""
        sealed = await self._lane.fetchval(
            "SELECT sealed FROM citizen WHERE id = $1 AND city_id = $2",
            citizen,
            self._principal.city,
        )
        if sealed is None:
            raise NotFound(kind="citizen", id=str(citizen))
        said = orjson.loads(self._keyring.open(bytes(sealed)))
        return Applicant(citizen, said.get("name"), said.get("phone"), said.get("email"))

    async def with_iin(self, iin: str) -> UUID | None:
        """The resident with an IIN, as a login would find them."""
        found = await resident_with_iin(self._lane, self._keyring, self._principal.city, iin)
        return None if found is None else UUID(str(found["id"]))


class _UnitNumbers:
    """The process's pool, remembering what this unit took, so that it can be given back."""

    def __init__(self, pool: NumberPool) -> None:
        self._pool = pool
        self.taken: list[Claim] = []

    async def take(self, city: UUID, year: int) -> int:
        number = await self._pool.take(city, year)
        self.taken.append(Claim(city, year, number))
        return number

    def give_back(self) -> None:
        for claim in reversed(self.taken):
            self._pool.give_back(claim.city, claim.year, claim.number)
        self.taken.clear()


class SqlUnitOfWork:
    """See domain.ports.UnitOfWork."""

    def __init__(
        self,
        lane: Lane,
        principal: Principal,
        keyring: Keyring,
        pool: NumberPool,
        gathering: Gathering,
        base_url: str,
    ) -> None:
        self.principal = principal
        self.appeals = SqlAppeals(lane, principal, keyring)
        self.attachments = SqlAttachments(lane, principal)
        self.consultations = SqlConsultations(lane)
        self.citizens = SqlCitizens(lane, principal, keyring)
        self.endpoints = SqlEndpoints(lane, principal, keyring)
        self.exchange = SqlExchange(lane, principal, keyring)
        self.incidents = SqlIncidents(lane, principal, keyring, base_url)
        self.members = SqlMembers(lane, principal)
        self.invitations = SqlInvitations(lane, principal, keyring)
        self.firms = SqlFirms(lane, principal)
        self.calendars = SqlCalendars(lane, principal)
        self.clients = SqlClients(lane)
        self.numbers = _UnitNumbers(pool)
        self._lane = lane
        self._keyring = keyring
        self._gathering = gathering
        self._holder = pool.holder

    async def commit(self, answer: Answer | None = None) -> None:
        """Write what waits, with the answer to be remembered, and commit."""
        kept = answer_row(answer, self.principal, self._keyring) if answer else None
        writes, self.appeals.pending = self.appeals.pending, []
        try:
            if len(writes) == 1 and writes[0][1] is not None and not self._lane.begun:
                await self._gather(writes[0], kept)
            else:
                await self._write_all(writes, kept)
                await self._lane.commit()
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == "pk_idempotency":
                raise KeyTaken from error
            raise
        self.numbers.taken.clear()

    async def _gather(self, write: Write, answer: Mapping[str, object] | None) -> None:
        """An intake that read nothing under a lock goes into the register with others."""
        document = rows.dumps(self._document(*write, answer))
        try:
            written = await self._gathering.write(document, self.principal.city, self.principal.id)
        except asyncio.CancelledError:
            if not self._gathering.waits(document):
                # It is being written, and with it its number.
                self.numbers.taken.clear()
            raise
        if not written:
            self.numbers.taken.clear()
            raise Unavailable(what="number")

    async def _write_all(
        self, writes: Sequence[Write], answer: Mapping[str, object] | None
    ) -> None:
        if writes:
            await self._lane.widen()
        for batch in batches(writes):
            await self._write(batch, answer)
            answer = None
        if answer is not None:
            await self._remember(answer)

    async def _write(self, batch: Sequence[Write], answer: Mapping[str, object] | None) -> None:
        documents = [self._document(*batch[0], answer)]
        documents += [self._document(*write, None) for write in batch[1:]]
        acts, said = batch[0][1] is None, rows.dumps(documents)
        statement = _saving(documents) if acts else REGISTER
        written = set(await self._lane.fetchval(statement, said))
        late = [change for place, (change, _) in enumerate(batch, 1) if place not in written]
        if late and acts:
            raise VersionConflict(expected=late[0].expected, actual=None)
        if late:
            self.numbers.taken.clear()
            raise Unavailable(what="number")
        if given := [change for change, _ in batch if acts and gives(change)]:
            holders = rows.dumps([holders_row(change) for change in given])
            await self._lane.fetch(WIDEN, holders, [change.appeal.id for change in given])

    async def _remember(self, row: Mapping[str, object]) -> None:
        if not self._lane.begun:
            await self._lane.begin()
        await self._lane.fetch(
            "INSERT INTO idempotency SELECT * FROM"
            " jsonb_populate_record(NULL::idempotency, $1::jsonb)",
            rows.dumps(row),
        )

    def _document(
        self, change: Change, claim: Claim | None, answer: Mapping[str, object] | None
    ) -> dict[str, object]:
        events = change.events
        return {
            "claim": claim and {
                "city_id": claim.city, "year": claim.year, "number": claim.number,
                "reserved_by": self._holder,
            },
            "expected": change.expected,
            "appeal": rows.appeal_row(change.appeal, self._keyring),
            "clock": [rows.clock_row(one, change) for one in change.clocks],
            "assignment": [rows.assignment_row(one, change) for one in change.assignments],
            "card": [card_row(change)],
            "completion": rows.completion_rows(change),
            "verdict": verdict_of(change),
            "judged_at": change.appeal.updated_at,
            "event": [rows.event_row(one, change) for one in events],
            "event_personal": [r for e in events for r in rows.personal_rows(e, self._keyring)],
            "outbox": [{"city_id": change.appeal.city, "event_id": one.id} for one in events],
            "idempotency": [answer] if answer else [],
            "attachments": change.attachments,
            "purpose": change.purpose,
        }  # fmt: skip


def _saving(documents: Sequence[Mapping[str, object]]) -> str:
    carried = frozenset(key for key in CARRIED if any(one[key] for one in documents))
    return saving(carried, alone=len(documents) == 1)


LONGEST_WAIT = 5.0
"""Seconds that a unit waits for its turn."""


class UnitsOfWork:
    """Opens units on an engine; one pool of reserved numbers per process. `base_url` is where
    links in messages begin.
    """

    def __init__(self, engine: AsyncEngine, keyring: Keyring, base_url: str) -> None:
        self._engine = engine
        self._keyring = keyring
        self._base_url = base_url
        self.numbers = NumberPool(self._fetch)
        self._gathering = Gathering(engine)
        # A unit may hold a connection while it asks for numbers on another, and while intakes
        # are written on a third: were all of them held by units, each would wait for the rest.
        self._turns = asyncio.Semaphore(max(1, engine.pool.size() - 2))  # type: ignore[attr-defined]

    @asynccontextmanager
    async def open(self, principal: Principal) -> AsyncIterator[SqlUnitOfWork]:
        """One unit; rolled back unless it was committed. Raises Unavailable."""
        async with AsyncExitStack() as stack:

            async def borrow() -> Any:
                await stack.enter_async_context(self._turn())
                return await stack.enter_async_context(borrowed(self._engine))

            lane = Lane(borrow, door_of(principal))
            unit = SqlUnitOfWork(
                lane, principal, self._keyring, self.numbers, self._gathering, self._base_url
            )
            try:
                yield unit
            finally:
                unit.numbers.give_back()
                await lane.rollback()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable(what="database") from None
        try:
            yield
        finally:
            self._turns.release()

    async def _fetch(self, statement: str, *values: object) -> list[Any]:
        async with borrowed(self._engine) as driver:
            return list(await driver.fetch(statement, *values))
