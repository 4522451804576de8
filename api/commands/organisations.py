"""Organisations, territories and rules in and out: everything is taken, or nothing and all why."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncConnection

from api import clock
from api.commands.catalogue import write_files
from api.commands.console import Failure, note, progress, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.onboarding import onboard
from api.commands.sentences import refuse
from domain.organisations.exchange import Draft, Known, Reading
from domain.reference import City, Reference
from integrations.files import organisations_csv, organisations_yaml
from integrations.files.catalogue_yaml import SUFFIXES
from integrations.postgres import office, reference, reference_writer

PARTS = ("organisations", "territories", "responsibilities")

app = App(
    name="organisations",
    help="Who acts in the city and for what: check, import, export, take one in.",
)
app.command(onboard)


@app.command
def check(source: Path, /, *, city: str | None = None) -> None:
    """Read organisations and say everything that is wrong with them; nothing is loaded.

    Parameters
    ----------
    source
        A YAML file, a folder of YAML files, or a folder of organisations.csv,
        territories.csv and responsibilities.csv.
    city
        The city's code; needed where there are several.
    """
    draft = in_office(lambda at: _read(at, source, city))
    _show(draft)
    say("The organisations are sound.")


@app.command(name="import")
def import_(source: Path, /, *, city: str | None = None, dry_run: bool = False) -> None:
    """Take organisations in: everything, or nothing and every reason why.

    The rules of before are replaced whole; organisations and territories that the files leave
    out stay.

    Parameters
    ----------
    source
        A YAML file, a folder of YAML files, or a folder of CSV tables.
    city
        The city's code; needed where there are several.
    dry_run
        Only say what would be taken.
    """
    draft = in_office(lambda at: _import(at, source, city, dry_run))
    _show(draft)
    say("Nothing was changed: this was a dry run." if dry_run else "The organisations are taken.")


@app.command
def export(
    target: Path, /, *, city: str | None = None, csv: bool = False, force: bool = False
) -> None:
    """Write the organisations, territories and rules in force.

    Parameters
    ----------
    target
        A file that ends in .yaml, or with --csv a folder for three tables.
    city
        The city's code; needed where there are several.
    csv
        Write CSV tables.
    force
        Overwrite files that are there.
    """
    draft, known = in_office(lambda at: _current(at, city))
    if csv:
        encoded = organisations_csv.encode(draft, known)
        files = {target / name: data for name, data in encoded.items()}
    else:
        files = {target: organisations_yaml.encode(draft, known)}
    write_files(files, force=force)
    _show(draft)
    say(f"Written to {target}.")


def read_source(source: Path, known: Known) -> Reading:
    """The draft of a file or a folder, or its problems. Raises Failure."""
    try:
        paths = sorted(source.iterdir()) if source.is_dir() else [source]
        yamls = {path.name: path.read_bytes() for path in paths if path.suffix in SUFFIXES}
        tables = {path.name: path.read_bytes() for path in paths if path.suffix == ".csv"}
    except OSError as error:
        raise Failure(f"{source} cannot be read: {error.strerror}", status=2) from error
    if bool(yamls) == bool(tables):
        raise Failure(f"{source} holds neither YAML nor CSV alone.", status=2)
    return organisations_yaml.read(yamls, known) if yamls else organisations_csv.read(tables, known)


async def _read(at: Office, source: Path, code: str | None) -> Draft:
    async with at.engine.connect() as connection:
        return await _sound(connection, source, await city_of(connection, code))


async def _import(at: Office, source: Path, code: str | None, dry_run: bool) -> Draft:
    async with at.engine.connect() as connection:
        city = await city_of(connection, code)
        await office.lock_city(connection, city.id)
        draft = await _sound(connection, source, city)
        if dry_run:
            return draft
        with progress("Writing"):
            await reference_writer.write_organisations(
                connection, city.id, draft.organisations, draft.territories, draft.responsibilities
            )
            await reference_writer.bump(connection, city.id)
            await connection.commit()
    note("Every process of the platform sees the change within a second.")
    return draft


async def _sound(connection: AsyncConnection, source: Path, city: City) -> Draft:
    known = await _known(connection, city)
    with progress(f"Reading {source}"):
        reading = read_source(source, known)
    if reading.draft is None:
        raise refuse(reading.problems)
    return reading.draft


async def _current(at: Office, code: str | None) -> tuple[Draft, Known]:
    async with at.engine.connect() as connection:
        city = await city_of(connection, code)
        snapshot = await reference.load(connection, city.id, clock.real())
        drawn = await office.territories(connection, city.id)
        rules = await office.responsibilities(connection, city.id)
    firms = sorted(snapshot.organisations.values(), key=lambda each: each.code)
    known = knowledge(city, snapshot, {each.code: each.id for each in drawn})
    return Draft(tuple(firms), tuple(drawn), tuple(rules)), known


async def _known(connection: AsyncConnection, city: City) -> Known:
    snapshot = await reference.load(connection, city.id, clock.real())
    drawn = await office.territories(connection, city.id)
    return knowledge(city, snapshot, {each.code: each.id for each in drawn})


def knowledge(city: City, snapshot: Reference, territories: Mapping[str, UUID]) -> Known:
    """What an import of organisations may name in a city."""
    services = snapshot.catalogue
    selectors = {each.code for each in services.spheres}
    selectors |= {each.code for each in services.categories}
    selectors |= {each.code for each in services.services}
    streets = {each.id: each.code for each in snapshot.streets.values()}
    return Known(
        namespace=city.id,
        calendars=frozenset(name for name, _ in snapshot.promises.calendars),
        selectors=frozenset(selectors),
        districts=frozenset(snapshot.districts),
        streets={code: id for id, code in streets.items()},
        buildings={
            f"{streets[each.street]}/{each.number}": each.id for each in snapshot.buildings.values()
        },
        organisations={each.code: each.id for each in snapshot.organisations.values()},
        territories=territories,
    )


def _show(draft: Draft) -> None:
    table(PARTS, [[len(getattr(draft, part)) for part in PARTS]])
