"""Residents and members by who they are: what a login asks of the city.

Nobody is a principal here yet, so the city is named by the caller, and nothing of what is found
leaves but the Subject.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import NOBODY, Principal, Role
from domain.appeals.claims import claim
from domain.errors import Conflict, NotFound
from domain.events import Actor
from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.model import Person, Subject
from domain.identity.names import agree
from domain.members.model import Invitation, InvitationState, MemberEvent, hash_secret
from domain.members.workflow import MemberEventType
from domain.ports import Keyring, References
from domain.values import new_id
from integrations.postgres.doors import PLATFORM
from integrations.postgres.identities import resident_with_iin, subject_key
from integrations.postgres.members import (
    EVENT_ADDED,
    INVITATION,
    event_values,
    read_invitation,
)
from integrations.postgres.session import inside
from integrations.postgres.unit_of_work import UnitsOfWork

_OF_IDENTITY = """
SELECT c.* FROM identity i JOIN citizen c ON c.id = i.citizen_id
 WHERE i.city_id = $1 AND i.provider = $2 AND i.subject_index = ANY($3::bytea[])
"""

# Known by the phone and by nothing else: whoever has logged in is known by more.
_BY_PHONE = """
SELECT c.* FROM citizen c
 WHERE c.city_id = $1 AND c.phone_index = ANY($2::bytea[]) AND c.iin_index IS NULL
   AND NOT EXISTS (SELECT FROM identity i WHERE i.citizen_id = c.id)
"""

_PHONE_TAKEN = """
SELECT EXISTS (SELECT FROM citizen c WHERE c.city_id = $1 AND c.phone_index = ANY($2::bytea[])
   AND c.iin_index IS NULL AND c.id <> $3)
"""

_MEMBERSHIPS = """
SELECT m.*, o.active AS standing FROM member m JOIN organisation o ON o.id = m.organisation_id
 WHERE m.city_id = $1 AND m.state <> 'left'
   AND (m.iin_index = ANY($2::bytea[]) OR EXISTS (SELECT FROM identity i WHERE i.member_id = m.id
        AND i.provider = $3 AND i.subject_index = ANY($4::bytea[])))
 ORDER BY m.created_at, m.id
"""

_MAY_INVITE = """
SELECT EXISTS (SELECT FROM member WHERE id = $1 AND active AND role = 'administrator')
    OR EXISTS (SELECT FROM client WHERE id = $1 AND disabled_at IS NULL)
"""


class SqlPeople:
    """See domain.identity.ports.People."""

    def __init__(
        self, engine: AsyncEngine, keyring: Keyring, units: UnitsOfWork, references: References
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._units = units
        self._references = references

    async def resident(self, city: UUID, person: Person, at: datetime) -> Subject:
        """The resident that a person is; made at the first login, brought up to date at others.

        The IIN decides, else the provider's own name of them. Who was known by a phone alone is
        the same one where the provider verified that phone and no name contradicts it. Two IINs
        are never one resident: where the provider's name is another's already, nobody is logged
        in. Raises LoginRefused.
        """
        async with inside(self._engine, PLATFORM) as driver:
            await self._alone(driver, city, person)
            known = await driver.fetchrow(_OF_IDENTITY, city, person.provider, self._seen(person))
            found = await self._found(driver, city, person, known)
            if found is None:
                id = await self._made(driver, city, person, at)
            else:
                id = await self._renewed(driver, found, person)
            if known is None:
                await self._identify(driver, city, person, at, citizen=id)
        return Subject(id, city, Role.CITIZEN, name=person.full_name)

    async def meet(self, city: UUID, person: Person, at: datetime) -> UUID:
        """The resident of an IIN that somebody else tells; made where the city has not met them."""
        async with inside(self._engine, PLATFORM) as driver:
            await self._alone(driver, city, person)
            found = await resident_with_iin(driver, self._keyring, city, person.iin or "")
            id: UUID = found["id"] if found else await self._made(driver, city, person, at)
        return id

    async def members(self, city: UUID, person: Person) -> Sequence[Subject]:
        """Every membership of the person that stands, in an organisation that stands."""
        async with inside(self._engine, PLATFORM) as driver:
            rows = await self._memberships(driver, city, person)
        return [_subject(row) for row in rows if row["active"] and row["standing"]]

    async def invited_to(self, invitation: str) -> tuple[UUID, UUID] | None:
        """The city and the organisation that an invitation leads to; None for an unknown one."""
        async with inside(self._engine, PLATFORM) as driver:
            row = await driver.fetchrow(
                "SELECT city_id, organisation_id FROM invitation WHERE hash = $1",
                hash_secret(invitation),
            )
        return None if row is None else (row["city_id"], row["organisation_id"])

    async def redeem(self, invitation: str, person: Person, at: datetime) -> Subject:
        """The member that an invitation makes of a person. Raises NotFound, Conflict."""
        async with inside(self._engine, PLATFORM) as driver:
            row = await driver.fetchrow(
                f"SELECT {INVITATION}, i.iin_index, o.active AS standing FROM invitation i"
                " JOIN organisation o ON o.id = i.organisation_id WHERE i.hash = $1"
                " FOR UPDATE OF i",
                hash_secret(invitation),
            )
            if row is None:
                raise NotFound(kind="invitation", id="")
            asked = read_invitation(row)
            await self._alone(driver, asked.city, person)
            self._check(asked, row, person, at)
            if asked.invited_by != NOBODY and not await driver.fetchval(
                _MAY_INVITE, asked.invited_by
            ):
                # Whoever was let go, or a program that was stopped, lets nobody in afterwards.
                raise Conflict(reason="invitation-revoked")
            for one in await self._memberships(driver, asked.city, person):
                _check_no_double(asked, one)
            return await self._joined(driver, asked, person, at)

    async def linkable(self, resident: Subject, person: Person) -> int:
        """How many earlier appeals bear the phone that the provider verified, and are nobody's."""
        if person.phone is None:
            return 0
        async with inside(self._engine, PLATFORM) as driver:
            found = await driver.fetchval(
                "SELECT count(*) FROM appeal a WHERE a.city_id = $1 AND a.citizen_id IS NULL"
                " AND a.phone_index = ANY($2::bytea[])",
                resident.city, self._keyring.lookups(person.phone),
            )  # fmt: skip
        return int(found)

    async def link(self, resident: Subject, person: Person, at: datetime) -> int:
        """Give them to the resident, who consented; how many. In portions, each of which stands
        by itself.
        """
        if person.phone is None:
            return 0
        who = Principal(resident.id, Role.CITIZEN, resident.city, citizen=resident.id)
        reference, linked = self._references.of(resident.city), 0
        while True:
            async with self._units.open(Principal(NOBODY, Role.SYSTEM, resident.city)) as uow:
                portion = await claim(person.phone, who, uow=uow, reference=reference, at=at)
                await uow.commit()
            if not portion:
                return linked
            linked += portion

    # --- residents ---------------------------------------------------------------------

    async def _found(
        self, driver: Any, city: UUID, person: Person, known: Any
    ) -> Mapping[str, Any] | None:
        """The row of the resident, as far as one is known."""
        if person.iin is not None:
            row = await resident_with_iin(driver, self._keyring, city, person.iin)
            other = known is not None and known["iin_index"] is not None
            if other and (row is None or row["id"] != known["id"]):
                raise LoginRefused(person.provider, LoginReason.PERSON_MALFORMED)
            if row is not None:
                return dict(row)
        if known is not None:
            return dict(known)
        return await self._known_by_phone(driver, city, person)

    async def _known_by_phone(
        self, driver: Any, city: UUID, person: Person
    ) -> Mapping[str, Any] | None:
        if person.phone is None:
            return None
        rows = await driver.fetch(_BY_PHONE, city, self._keyring.lookups(person.phone))
        same = [row for row in rows if agree(self._opened(row).get("name"), person.full_name)]
        return dict(same[0]) if len(same) == 1 else None

    async def _made(self, driver: Any, city: UUID, person: Person, at: datetime) -> UUID:
        id = new_id()
        await driver.execute(
            "INSERT INTO citizen (id, city_id, sealed, phone_index, iin_index, created_at)"
            " VALUES ($1,$2,$3,$4,$5,$6)",
            id, city, self._keyring.seal(orjson.dumps(_said(person))),
            await self._phone_index(driver, city, id, person, person.iin is not None),
            self._keyring.index(person.iin) if person.iin else None, at,
        )  # fmt: skip
        return id

    async def _renewed(self, driver: Any, row: Mapping[str, Any], person: Person) -> UUID:
        """What a provider tells anew takes the place of what was known; the rest stays."""
        id: UUID = row["id"]
        before = self._opened(row)
        after = before | {name: value for name, value in _said(person).items() if value}
        if after == before:
            return id
        iin, phone = after.get("iin"), row["phone_index"]
        if person.phone is not None and before.get("phone") != person.phone:
            phone = await self._phone_index(driver, row["city_id"], id, person, iin is not None)
        await driver.execute(
            "UPDATE citizen SET sealed = $2, phone_index = $3, iin_index = $4 WHERE id = $1",
            id, self._keyring.seal(orjson.dumps(after)), phone,
            self._keyring.index(iin) if iin else None,
        )  # fmt: skip
        return id

    async def _phone_index(
        self, driver: Any, city: UUID, id: UUID, person: Person, has_iin: bool
    ) -> bytes | None:
        """The index of a phone, unless somebody else is known by it and by nothing else."""
        if person.phone is None:
            return None
        lookups = self._keyring.lookups(person.phone)
        if not has_iin and await driver.fetchval(_PHONE_TAKEN, city, lookups, id):
            return None
        return self._keyring.index(person.phone)

    # --- members -----------------------------------------------------------------------

    async def _memberships(self, driver: Any, city: UUID, person: Person) -> list[Any]:
        by_iin = self._keyring.lookups(person.iin) if person.iin else ()
        return list(
            await driver.fetch(_MEMBERSHIPS, city, by_iin, person.provider, self._seen(person))
        )

    def _check(self, asked: Invitation, row: Any, person: Person, at: datetime) -> None:
        state = asked.state(at)
        if state is InvitationState.REDEEMED:
            raise Conflict(reason="invitation-used")
        if state is InvitationState.REVOKED:
            raise Conflict(reason="invitation-revoked")
        if state is InvitationState.ENDED:
            raise Conflict(reason="invitation-ended")
        bound = row["iin_index"]
        lookups = self._keyring.lookups(person.iin) if person.iin else ()
        if bound is not None and bytes(bound) not in lookups:
            raise Conflict(reason="invitation-of-another")
        if not row["standing"]:
            raise Conflict(reason="organisation-inactive")
        if not (person.full_name or asked.name):
            raise Conflict(reason="name-unknown")

    async def _joined(
        self, driver: Any, asked: Invitation, person: Person, at: datetime
    ) -> Subject:
        id, name = new_id(), person.full_name or str(asked.name)
        await driver.execute(
            "INSERT INTO member (id, city_id, organisation_id, role, name, district, iin_index,"
            " sealed, created_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            id, asked.city, asked.organisation, str(asked.role), name, asked.district,
            self._keyring.index(person.iin) if person.iin else None,
            self._keyring.seal(orjson.dumps({"iin": person.iin})) if person.iin else None, at,
        )  # fmt: skip
        await driver.execute(
            "UPDATE invitation SET redeemed_at = $2, member_id = $3 WHERE id = $1",
            asked.id, at, id,
        )  # fmt: skip
        await self._identify(driver, asked.city, person, at, member=id)
        event = MemberEvent(
            id=new_id(), type=MemberEventType.JOINED, city=asked.city,
            organisation=asked.organisation, member=id, invitation=asked.id,
            actor=Actor(str(asked.role), id, asked.organisation), role=asked.role,
            district=asked.district, at=at,
        )  # fmt: skip
        await driver.execute(EVENT_ADDED, *event_values(event))
        return Subject(id, asked.city, asked.role, asked.organisation, name, asked.district)

    # --- both --------------------------------------------------------------------------

    async def _identify(
        self,
        driver: Any,
        city: UUID,
        person: Person,
        at: datetime,
        *,
        citizen: UUID | None = None,
        member: UUID | None = None,
    ) -> None:
        await driver.execute(
            "INSERT INTO identity (id, city_id, provider, subject_index, sealed, citizen_id,"
            " member_id, created_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
            new_id(), city, person.provider,
            self._keyring.index(subject_key(person.provider, person.subject)),
            self._keyring.seal(orjson.dumps({"subject": person.subject})), citizen, member, at,
        )  # fmt: skip

    async def _alone(self, driver: Any, city: UUID, person: Person) -> None:
        """Let no other login of the same person decide at the same time: without this, two first
        logins would make two residents.
        """
        names = [person.iin, person.phone, subject_key(person.provider, person.subject)]
        marks = {self._keyring.index(f"login {city} {name}") for name in names if name}
        for mark in sorted(int.from_bytes(one[:8], "big", signed=True) for one in marks):
            await driver.execute("SELECT pg_advisory_xact_lock($1)", mark)

    def _seen(self, person: Person) -> Sequence[bytes]:
        return self._keyring.lookups(subject_key(person.provider, person.subject))

    def _opened(self, row: Mapping[str, Any]) -> dict[str, Any]:
        opened: dict[str, Any] = orjson.loads(self._keyring.open(bytes(row["sealed"])))
        return opened


def _said(person: Person) -> dict[str, str | None]:
    return {
        "name": person.full_name or None,
        "phone": person.phone,
        "email": person.email,
        "iin": person.iin,
    }


def _check_no_double(asked: Invitation, row: Any) -> None:
    """Who is suspended does not come in again by an invitation that was kept back."""
    if row["organisation_id"] != asked.organisation:
        return
    if not row["active"]:
        raise Conflict(reason="member-suspended")
    if (row["role"], row["district"]) == (str(asked.role), asked.district):
        raise Conflict(reason="member-already")


def _subject(row: Any) -> Subject:
    return Subject(
        row["id"], row["city_id"], Role(row["role"]), row["organisation_id"], row["name"],
        row["district"],
    )  # fmt: skip
