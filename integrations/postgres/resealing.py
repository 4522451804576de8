"""Sealing anew under another key, in portions, while the city works.

This is the owner's work, since the platform's role may not change what it only adds to
(`event_personal`). Of an event no byte is touched: its bytes hold salted hashes, and what is
sealed beside them stays the same text. A portion is one short transaction; a value that somebody
changed meanwhile is left to the next pass, so that nothing newer is ever written over.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from domain.ports import Keyring
from integrations.postgres.identities import subject_key

PORTION = 500


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values; `key` names the primary key's columns and their types."""

    table: str
    column: str
    key: tuple[tuple[str, str], ...] = (("id", "uuid"),)

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


SEALED = (
    SealedColumn("citizen", "sealed"),
    SealedColumn("appeal", "applicant"),
    SealedColumn("event_personal", "sealed", (("event_id", "uuid"), ("field", "text"))),
    SealedColumn("incident_event", "sealed", (("incident_id", "uuid"), ("sequence", "int"))),
    SealedColumn("webhook_endpoint", "secrets"),
    SealedColumn("webhook_endpoint", "headers"),
    SealedColumn("webhook_key", "sealed", (("kid", "text"),)),
    SealedColumn("member", "sealed"),
    SealedColumn("invitation", "sealed"),
    SealedColumn("identity", "sealed"),
    SealedColumn("token_key", "sealed", (("kid", "text"),)),
    SealedColumn("login_attempt", "sealed", (("hash", "bytea"),)),
    SealedColumn("login_signing", "sealed", (("page", "bytea"),)),
    SealedColumn("eotinish_inbox", "document"),
    SealedColumn("idempotency", "answer", (("principal_id", "uuid"), ("key", "text"))),
)
"""Every sealed column; tests/house holds it to the tables."""


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """A column of blind indexes, and what each is made of: of the opened `source` of its row."""

    table: str
    column: str
    source: str
    said: Callable[[Mapping[str, Any], Mapping[str, Any]], str | None]

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


def _field(name: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], str | None]:
    return lambda opened, _: opened.get(name)


INDEXED = (
    IndexColumn("citizen", "phone_index", "sealed", _field("phone")),
    IndexColumn("citizen", "iin_index", "sealed", _field("iin")),
    IndexColumn("appeal", "phone_index", "applicant", _field("phone")),
    IndexColumn("member", "iin_index", "sealed", _field("iin")),
    IndexColumn("invitation", "iin_index", "sealed", _field("iin")),
    IndexColumn(
        "identity",
        "subject_index",
        "sealed",
        lambda opened, row: subject_key(row["provider"], opened["subject"]),
    ),
)
"""Every column of blind indexes."""

Connection = Any


@asynccontextmanager
async def owner_connection(url: str) -> AsyncIterator[Connection]:
    """A connection of the owner, which no wall binds for as long as it lasts; it binds everybody
    else as before. Where a policy would hide rows from it all the same, it is told so by an error:
    a pass that saw half of the rows would call the other half sealed anew.

    Whoever is cut off in the middle leaves the owner unbound; `ikomek doctor` names the tables, and
    the next call binds it again.
    """
    connection = await asyncpg.connect(
        url,
        server_settings={
            "row_security": "off", "lock_timeout": "5s", "application_name": "ikomek-keys",
        },
    )  # fmt: skip
    try:
        bound = not await connection.fetchval(_UNBOUND)
        try:
            if bound:
                await _bind(connection, "NO FORCE")
            yield connection
        finally:
            if bound:
                await _bind(connection, "FORCE")
    finally:
        await connection.close()


_UNBOUND = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


async def _bind(connection: Connection, how: str) -> None:
    for table in dict.fromkeys(place.table for place in (*SEALED, *INDEXED)):
        await connection.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")


async def counts(connection: Connection) -> dict[str, dict[int, int]]:
    """How many values each key seals, by column."""
    found: dict[str, dict[int, int]] = {}
    for place in SEALED:
        rows = await connection.fetch(
            f"SELECT get_byte({place.column}, 0) AS id, count(*) AS n FROM {place.table}"
            f" WHERE {place.column} IS NOT NULL GROUP BY 1"
        )
        found[str(place)] = {row["id"]: row["n"] for row in rows}
    return found


async def outlast(connection: Connection) -> None:
    """Return when every transaction is over that runs now."""
    until = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    running = "SELECT pg_snapshot_xmin(pg_current_snapshot()) < $1::text::xid8"
    while await connection.fetchval(running, until):
        await connection.execute("SELECT pg_sleep(0.1)")


async def reseal(
    connection: Connection, place: SealedColumn, keyring: Keyring, current: int
) -> AsyncIterator[int]:
    """Seal a column anew wherever another key than `current` sealed it; how many, by portion.

    Whoever is cut off begins again: what is done is passed over.
    """
    after: Sequence[object] | None = None
    names = [name for name, _ in place.key]
    while True:
        rows = await _page(connection, place, after, current)
        if not rows:
            return
        after = [rows[-1][name] for name in names]
        stale = [row for row in rows if row["old"] is not None]
        yield await _renew(connection, place, stale, keyring) if stale else 0


async def _page(
    connection: Connection, place: SealedColumn, after: Sequence[object] | None, current: int
) -> list[Any]:
    names = ", ".join(name for name, _ in place.key)
    marks = ", ".join(f"${n}::{kind}" for n, (_, kind) in enumerate(place.key, 3))
    onward = "" if after is None else f"AND ({names}) > ({marks})"
    return list(
        await connection.fetch(
            f"SELECT {names}, CASE WHEN get_byte({place.column}, 0) <> $1 THEN {place.column} END"
            f" AS old FROM {place.table} WHERE {place.column} IS NOT NULL {onward}"
            f" ORDER BY {names} LIMIT $2",
            current, PORTION, *(after or ()),
        )
    )  # fmt: skip


async def _renew(
    connection: Connection, place: SealedColumn, stale: Sequence[Any], keyring: Keyring
) -> int:
    columns = [[row[name] for row in stale] for name, _ in place.key]
    old = [row["old"] for row in stale]
    new = [keyring.seal(keyring.open(value)) for value in old]
    arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(place.key, 3))
    names = [name for name, _ in place.key]
    same = " AND ".join(f"t.{name} = v.{name}" for name in names)
    done = await connection.execute(
        f"UPDATE {place.table} t SET {place.column} = v.fresh"
        f" FROM unnest($1::bytea[], $2::bytea[], {arrays}) v (old, fresh, {', '.join(names)})"
        f" WHERE {same} AND t.{place.column} = v.old",
        old, new, *columns,
    )  # fmt: skip
    return int(done.rpartition(" ")[2])


async def reindex(
    connection: Connection, place: IndexColumn, keyring: Keyring, *, write: bool = True
) -> AsyncIterator[int]:
    """Make a column of blind indexes anew under today's index key; how many, by portion.

    Without `write`, only count those that another key made.
    """
    after = None
    extra = ", provider" if place.table == "identity" else ""
    while True:
        onward = "" if after is None else "AND id > $2::uuid"
        rows = await connection.fetch(
            f"SELECT id, {place.column} AS old, {place.source} AS source{extra} FROM {place.table}"
            f" WHERE {place.column} IS NOT NULL {onward} ORDER BY id LIMIT $1",
            PORTION, *(() if after is None else (after,)),
        )  # fmt: skip
        if not rows:
            return
        after = rows[-1]["id"]
        stale = [(row["id"], row["old"], fresh) for row in rows
                 if (fresh := _index(place, row, keyring)) not in (None, row["old"])]  # fmt: skip
        if write and stale:
            await connection.execute(
                f"UPDATE {place.table} t SET {place.column} = v.fresh"
                " FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) v (id, old, fresh)"
                f" WHERE t.id = v.id AND t.{place.column} = v.old",
                *map(list, zip(*stale, strict=True)),
            )
        yield len(stale)


def _index(place: IndexColumn, row: Any, keyring: Keyring) -> bytes | None:
    if row["source"] is None:
        return None
    said = place.said(orjson.loads(keyring.open(row["source"])), row)
    return keyring.index(said) if said else None
