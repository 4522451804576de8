"""The address list in and out: everything is taken, or nothing and all why."""

from collections.abc import Mapping
from pathlib import Path

from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.catalogue import write_files
from api.commands.console import Failure, note, progress, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.sentences import refuse
from domain.organisations.address_list import (
    PARTS,
    AddressList,
    Count,
    Draft,
    Known,
    read,
)
from domain.reference import City
from integrations.files import address_list as files
from integrations.files.address_list import FILES, Decoded
from integrations.postgres import office, places, reference_writer

app = App(
    name="addresses",
    help="Districts, streets and buildings of a city: check, import and export them.",
)


@app.command
def check(source: Path, /, *, city: str | None = None) -> None:
    """Read an address list and say everything that is wrong with it; nothing is loaded.

    Parameters
    ----------
    source
        A folder with any of districts.yaml, streets.csv and buildings.csv, or one of the files.
    city
        The city's code; needed where there are several.
    """
    decoded = read_source(source)
    draft = in_office(lambda at: _check(at, decoded, city))
    _show(draft.counts)
    say("The address list is sound.")


@app.command(name="import")
def import_(source: Path, /, *, city: str | None = None, dry_run: bool = False) -> None:
    """Take an address list in: everything, or nothing and every reason why.

    What the files leave out stays, since appeals refer to it; the table tells how much it is.

    Parameters
    ----------
    source
        A folder with any of districts.yaml, streets.csv and buildings.csv, or one of the files.
    city
        The city's code; needed where there are several.
    dry_run
        Only say what would change.
    """
    decoded = read_source(source)
    draft = in_office(lambda at: _import(at, decoded, city, dry_run=dry_run))
    _show(draft.counts)
    if missing := sum(count.missing for count in draft.counts.values()):
        note(f"{missing} entries are no longer in the files; they stay.")
    say("Nothing was changed: this was a dry run." if dry_run else "The address list is taken.")


@app.command
def export(target: Path, /, *, city: str | None = None, force: bool = False) -> None:
    """Write the address list; importing it again changes nothing.

    Parameters
    ----------
    target
        A folder for districts.yaml, streets.csv and buildings.csv.
    city
        The city's code; needed where there are several.
    force
        Overwrite files that are there.
    """
    addresses = in_office(lambda at: _current(at, city))
    encoded = files.encode(addresses)
    write_files({target / name: data for name, data in encoded.items()}, force=force)
    table(PARTS, [[len(getattr(addresses, part)) for part in PARTS]])
    say(f"Written to {target}.")


def read_source(source: Path) -> Decoded:
    """The entries of a folder or a file. Raises Failure, or Reported with what is broken."""
    try:
        paths = sorted(source.iterdir()) if source.is_dir() else [source]
        found = {path.name: path.read_bytes() for path in paths if path.name in FILES}
    except OSError as error:
        raise Failure(f"{source} cannot be read: {error.strerror}", status=2) from error
    if not found:
        raise Failure(f"{source} is, or holds, none of {', '.join(FILES)}.", status=2)
    with progress(f"Reading {source}"):
        decoded = files.decode(found)
    if decoded.broken:
        raise refuse(decoded.problems)
    return decoded


async def _check(at: Office, decoded: Decoded, code: str | None) -> Draft:
    async with at.engine.connect() as connection:
        return await _sound(connection, decoded, await city_of(connection, code))


async def _import(at: Office, decoded: Decoded, code: str | None, *, dry_run: bool) -> Draft:
    async with at.engine.connect() as connection:
        city = await city_of(connection, code)
        await office.lock_city(connection, city.id)
        draft = await _sound(connection, decoded, city)
        fresh = draft.fresh
        if dry_run or fresh == AddressList():
            return draft
        with progress("Writing"):
            await reference_writer.write_addresses(
                connection, city.id, fresh.districts, fresh.streets, fresh.buildings
            )
            await reference_writer.bump(connection, city.id)
            await connection.commit()
    note("Every process of the platform sees the change within seconds.")
    return draft


async def _sound(connection: AsyncConnection, decoded: Decoded, city: City) -> Draft:
    known = Known(
        city.id,
        await places.bounds(connection, city.id),
        await places.address_list(connection, city.id),
    )
    with progress("Checking"):
        reading = read(decoded.rows, known, decoded.problems)
    if reading.draft is None:
        raise refuse([files.in_columns(problem) for problem in reading.problems])
    return reading.draft


async def _current(at: Office, code: str | None) -> AddressList:
    async with at.engine.connect() as connection:
        return await places.address_list(connection, (await city_of(connection, code)).id)


def _show(counts: Mapping[str, Count]) -> None:
    rows = [(part, c.added, c.changed, c.unchanged, c.missing) for part, c in counts.items()]
    table(("part", "added", "changed", "unchanged", "no longer in the file"), rows)
