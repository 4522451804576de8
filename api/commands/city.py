"""Cities: create one from a sheet, mend it, list them, write the sheet out."""

from pathlib import Path

from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.catalogue import write_files
from api.commands.console import Failure, note, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.sentences import refuse
from domain.cities import CityDraft, Standing
from domain.reference import City
from integrations.files import city_yaml
from integrations.postgres import office, places, reference_writer

COLUMNS = ("code", "kato", "name", "zone", "languages", "prefix", "appeals")
NEXT = (
    "Next: ikomek policies import, catalogue import, addresses import, organisations import, "
    "token issue (docs/operations.md, A city of one's own)."
)

app = App(name="city", help="Cities: create or mend one from a file, list them, export one.")


@app.command
def create(source: Path, /, *, dry_run: bool = False) -> None:
    """Create a city, or bring the one of the same code up to date; or say all that is wrong.

    Once a city has appeals, the prefix of their numbers stays.

    Parameters
    ----------
    source
        A YAML file of code, kato, names, zone, languages, prefix and bounds.
    dry_run
        Only say what would happen.
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        raise Failure(f"{source} cannot be read: {error.strerror}", status=2) from error
    city, done = in_office(lambda at: _create(at, source.name, data, dry_run=dry_run))
    say(f"The city '{city.code}' is {done}.")
    if dry_run:
        say("Nothing was changed: this was a dry run.")
    elif done == "created":
        note(NEXT)


@app.command(name="list")
def list_() -> None:
    """All cities of the register, by code."""
    rows = in_office(_listed)
    table(COLUMNS, rows)


@app.command
def export(code: str, target: Path | None = None, /, *, force: bool = False) -> None:
    """Write a city's sheet; creating it again changes nothing.

    Parameters
    ----------
    code
        The city's code.
    target
        A file that ends in .yaml; standard output, if left out.
    force
        Overwrite a file that is there.
    """
    data = city_yaml.encode(in_office(lambda at: _current(at, code)))
    if target is None:
        say(data.decode().rstrip())
        return
    write_files({target: data}, force=force)
    say(f"Written to {target}.")


async def _create(at: Office, name: str, data: bytes, *, dry_run: bool) -> tuple[City, str]:
    async with at.engine.connect() as connection:
        known = {city.code: city for city in await office.cities(connection)}
        standing = Standing(known, await places.numbered(connection))
        reading = city_yaml.read(name, data, standing)
        if reading.draft is None:
            raise refuse(reading.problems)
        done = await _write(connection, known, reading.draft)
        await (connection.rollback() if dry_run else connection.commit())
    return reading.draft.city, done


async def _write(connection: AsyncConnection, known: dict[str, City], draft: CityDraft) -> str:
    """Write what differs; a word for what was done."""
    former = known.get(draft.city.code)
    if former is not None:
        await office.lock_city(connection, former.id)
        stands = CityDraft(former, await places.bounds(connection, former.id))
        if stands == draft:
            return "unchanged"
    await reference_writer.write_city(connection, draft.city, draft.bounds)
    if former is None:
        return "created"
    await reference_writer.bump(connection, former.id)
    return "brought up to date"


async def _listed(at: Office) -> list[tuple[object, ...]]:
    async with at.engine.connect() as connection:
        return [
            (city.code, city.kato, city.names["ru"], city.zone, " ".join(city.languages),
             city.prefix, await office.count_appeals(connection, city.id))
            for city in await office.cities(connection)
        ]  # fmt: skip


async def _current(at: Office, code: str) -> CityDraft:
    async with at.engine.connect() as connection:
        city = await city_of(connection, code)
        return CityDraft(city, await places.bounds(connection, city.id))
