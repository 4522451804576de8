"""A resident's record, given at their request."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from cyclopts import App

from api.commands.console import Failure, note, out, say
from api.commands.database import Office, city_of, in_office
from api.commands.token import canonical_phone
from api.records import whole_record
from domain.access import NOBODY, Principal, Role
from domain.identity.iin import IinMalformed, parse_iin
from domain.reference import City
from integrations.postgres import office
from integrations.postgres.personal import Personal
from integrations.postgres.records import Records

app = App(name="citizen", help="A resident: all that is held on them.")


@app.command
def export(
    citizen: UUID | None = None,
    /,
    *,
    purpose: str,
    file: Path | None = None,
    city: str | None = None,
) -> None:
    """Write all that is held on one resident as JSON; the reading is recorded.

    Parameters
    ----------
    citizen
        The resident's id. If it is left out, an IIN or a phone is read from standard input,
        since neither belongs into a command that others of this machine can see.
    purpose
        Why, for instance the number of the request; the resident can read it.
    file
        Where to, readable by its owner alone; standard output, if left out.
    city
        The city's code; needed where there are several.
    """
    told = None if citizen is not None else input().strip()

    async def work(at: Office) -> dict[str, Any]:
        async with at.engine.connect() as connection:
            place = await city_of(connection, city)
            found = citizen
            if told is not None:
                found = await office.find_citizen(connection, place.id, at.keyring, **_named(told))
        if found is None:
            raise Failure("There is no such resident, or more than one.", status=2)
        return await _record(at, place, found, purpose, at.now())

    record = orjson.dumps(
        in_office(work), default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
    if file is None:
        out.print(record.decode(), markup=False, end="")
        return
    _write(file, record)
    say(f"Written to {file}.")


async def _record(
    at: Office, place: City, citizen: UUID, purpose: str, now: datetime
) -> dict[str, Any]:
    records, reads = Records(at.engine, at.keyring), Personal(at.engine, at.keyring)
    who = Principal(NOBODY, Role.SYSTEM, place.id)
    return await whole_record(
        records, reads, who, citizen, operation="exportRecord", purpose=purpose, at=now
    )


def _named(told: str) -> dict[str, str]:
    try:
        return {"iin": parse_iin(told).digits}
    except IinMalformed:
        return {"phone": canonical_phone(told)}


def _write(file: Path, content: bytes) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failure(f"{file} is there already.", "Name another file.", status=2) from None
    with os.fdopen(handle, "wb") as written:
        written.write(content)
    note("It holds personal data: hand it over and remove it.")
