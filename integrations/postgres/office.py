"""What the command line reads and writes beside the reference: members, residents, chains.

Each function runs inside the caller's transaction.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import NOBODY, Principal, Role
from domain.members.workflow import MemberEventType
from domain.organisations.model import Responsibility, Territory
from domain.ports import Keyring
from domain.reference import City
from domain.values import new_id
from integrations.postgres import tables as t
from integrations.postgres.reference import read_city, read_responsibility, read_territory

CHAINS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as far as anybody may know it. `role` is None for a resident's."""

    id: UUID
    name: str
    role: Role | None
    organisation: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Link:
    """One event as it stands in the register."""

    id: UUID
    city: UUID
    sequence: int
    type: str
    at: datetime
    internal: bool
    canonical: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """An appeal's head and all its events, oldest first."""

    appeal: UUID
    city: UUID
    number: str
    sequence: int
    head: bytes
    links: tuple[Link, ...]


async def cities(connection: AsyncConnection) -> list[City]:
    """The cities of the database, by code."""
    found = await connection.execute(select(t.city).order_by(t.city.c.code))
    return [read_city(dict(row)) for row in found.mappings()]


async def lock_city(connection: AsyncConnection, city: UUID) -> None:
    """Let nobody else change the city's reference until this transaction ends."""
    # Without key_share the lock would hold back every appeal, whose row refers to the city's.
    lock = select(t.city.c.id).where(t.city.c.id == city).with_for_update(key_share=True)
    await connection.execute(lock)


async def territories(connection: AsyncConnection, city: UUID) -> list[Territory]:
    """The territories of a city, by code."""
    table = t.territory
    found = await connection.execute(
        select(table).where(table.c.city_id == city).order_by(table.c.code)
    )
    return [read_territory(dict(row)) for row in found.mappings()]


async def responsibilities(connection: AsyncConnection, city: UUID) -> list[Responsibility]:
    """The rules of routing of a city, by selector."""
    table = t.responsibility
    found = await connection.execute(
        select(table).where(table.c.city_id == city).order_by(table.c.selector, table.c.id)
    )
    return [read_responsibility(dict(row)) for row in found.mappings()]


async def kind_of(connection: AsyncConnection, organisation: UUID) -> str:
    """What kind an organisation is of."""
    found = await connection.execute(
        select(t.organisation.c.kind).where(t.organisation.c.id == organisation)
    )
    return str(found.scalar_one())


async def organisation_id(connection: AsyncConnection, city: UUID, code: str) -> UUID | None:
    """The organisation with a code; None where there is none."""
    table = t.organisation
    found: UUID | None = await connection.scalar(
        select(table.c.id).where(table.c.city_id == city, table.c.code == code)
    )
    return found


async def ensure_member(
    connection: AsyncConnection,
    city: UUID,
    organisation: UUID,
    role: Role,
    name: str,
    *,
    district: str | None = None,
) -> UUID:
    """The active member of that name and role in an organisation, made if there is none."""
    table = t.member
    known: UUID | None = await connection.scalar(
        select(table.c.id).where(
            table.c.city_id == city,
            table.c.organisation_id == organisation,
            table.c.role == str(role),
            table.c.name == name,
            table.c.district.is_not_distinct_from(district),
            table.c.active,
        )
    )
    if known is not None:
        return known
    identity = new_id()
    values = {
        "id": identity, "city_id": city, "organisation_id": organisation, "role": str(role),
        "name": name, "district": district,
    }  # fmt: skip
    await connection.execute(insert(table).values(values))
    joined = {
        "id": new_id(), "city_id": city, "organisation_id": organisation, "member_id": identity,
        "type": str(MemberEventType.JOINED), "actor_id": NOBODY, "actor_role": str(Role.SYSTEM),
        "role": str(role), "district": district, "at": func.now(),
    }  # fmt: skip
    await connection.execute(insert(t.member_event).values(joined))
    return identity


async def member(connection: AsyncConnection, city: UUID, id: UUID) -> Principal | None:
    """An active member of a city, for what is done in their name; None where there is none."""
    table = t.member
    found = await connection.execute(
        select(table).where(table.c.city_id == city, table.c.id == id, table.c.active)
    )
    row = found.mappings().one_or_none()
    if row is None:
        return None
    home = row["organisation_id"]
    return Principal(row["id"], Role(row["role"]), city, row["name"], home, frozenset({home}))


async def ensure_citizen(
    connection: AsyncConnection, city: UUID, keyring: Keyring, *, name: str, phone: str
) -> UUID:
    """The resident known by a phone (E.164) alone, made if unknown; name and phone are sealed.

    Who has logged in is known by more, and is never found by a phone that somebody typed.
    """
    table, index = t.citizen, keyring.index(phone)
    sealed = keyring.seal(orjson.dumps({"name": name, "phone": phone}))
    row = {"id": new_id(), "city_id": city, "sealed": sealed, "phone_index": index}
    known = select(table.c.id).where(
        table.c.city_id == city,
        table.c.phone_index.in_(keyring.lookups(phone)),
        table.c.iin_index.is_(None),
    )
    found: UUID | None = await connection.scalar(known)
    if found is not None:
        return found
    await connection.execute(insert(table).values(row).on_conflict_do_nothing())
    made: UUID = (await connection.execute(known)).scalar_one()
    return made


async def find_citizen(
    connection: AsyncConnection,
    city: UUID,
    keyring: Keyring,
    *,
    iin: str | None = None,
    phone: str | None = None,
) -> UUID | None:
    """The one resident with an IIN, or with a phone (E.164); None where there is none, or where
    several share the phone.
    """
    table = t.citizen
    column, said = (table.c.iin_index, iin) if iin else (table.c.phone_index, phone)
    found = await connection.execute(
        select(table.c.id)
        .where(table.c.city_id == city, column.in_(keyring.lookups(said or "")))
        .limit(2)
    )
    ids = found.scalars().all()
    return ids[0] if len(ids) == 1 else None


async def issued_tokens(connection: AsyncConnection, city: UUID) -> list[IssuedToken]:
    """All tokens of a city, newest first."""
    table = t.access_token
    found = await connection.execute(
        select(
            table.c.id, table.c.name, t.member.c.role, t.organisation.c.code.label("organisation"),
            table.c.created_at, table.c.expires_at, table.c.revoked_at,
        )
        .outerjoin(t.member, t.member.c.id == table.c.member_id)
        .outerjoin(t.organisation, t.organisation.c.id == t.member.c.organisation_id)
        .where(table.c.city_id == city)
        .order_by(table.c.created_at.desc(), table.c.id)
    )  # fmt: skip
    return [
        IssuedToken(
            row["id"], row["name"], Role(row["role"]) if row["role"] else None,
            row["organisation"], row["created_at"], row["expires_at"], row["revoked_at"],
        )
        for row in found.mappings()
    ]  # fmt: skip


async def revoke_token(connection: AsyncConnection, id: UUID, at: datetime) -> bool:
    """Let the token with an id stand for nobody; whether it stood for somebody."""
    table = t.access_token
    done = await connection.execute(
        table.update().where(table.c.id == id, table.c.revoked_at.is_(None)).values(revoked_at=at)
    )
    return bool(done.rowcount)


async def count_appeals(
    connection: AsyncConnection, city: UUID | None = None, number: str | None = None
) -> int:
    """How many appeals there are, in one city or everywhere, perhaps of one number."""
    counted: Select[Any] = select(func.count()).select_from(t.appeal)
    statement = _narrowed(counted, city, number)
    return int(await connection.scalar(statement) or 0)


async def chains(
    connection: AsyncConnection, city: UUID | None = None, number: str | None = None
) -> AsyncIterator[Chain]:
    """The chains in order of the appeals' ids, read in portions. Run in one snapshot."""
    after: UUID | None = None
    while True:
        heads: Select[Any] = select(
            t.appeal.c.id, t.appeal.c.city_id, t.appeal.c.number, t.appeal.c.sequence,
            t.appeal.c.head,
        )  # fmt: skip
        statement = _narrowed(heads, city, number).order_by(t.appeal.c.id)
        if after is not None:
            statement = statement.where(t.appeal.c.id > after)
        rows = (await connection.execute(statement.limit(CHAINS_AT_ONCE))).all()
        if not rows:
            return
        links = await _links(connection, [row.id for row in rows])
        for row in rows:
            chain = tuple(links.get(row.id, ()))
            yield Chain(row.id, row.city_id, row.number, row.sequence, bytes(row.head), chain)
        after = rows[-1].id


def _narrowed(statement: Select[Any], city: UUID | None, number: str | None) -> Select[Any]:
    if city is not None:
        statement = statement.where(t.appeal.c.city_id == city)
    return statement if number is None else statement.where(t.appeal.c.number == number)


async def _links(connection: AsyncConnection, appeals: Sequence[UUID]) -> dict[UUID, list[Link]]:
    table = t.event
    found = await connection.execute(
        select(
            table.c.appeal_id, table.c.id, table.c.city_id, table.c.sequence, table.c.type,
            table.c.at, table.c.internal, table.c.canonical, table.c.hash,
        )
        .where(table.c.appeal_id.in_(appeals))
        .order_by(table.c.appeal_id, table.c.sequence)
    )  # fmt: skip
    links: dict[UUID, list[Link]] = {}
    for row in found:
        link = Link(
            row.id, row.city_id, row.sequence, row.type, row.at, row.internal,
            bytes(row.canonical), bytes(row.hash),
        )  # fmt: skip
        links.setdefault(row.appeal_id, []).append(link)
    return links
