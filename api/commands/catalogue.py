"""The catalogue in and out: everything is taken, or nothing and all why."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import yaml
from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncConnection

from api import clock
from api.commands.console import Failure, note, progress, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.sentences import need, refuse
from domain.catalogue.changes import Changes, diff
from domain.catalogue.exchange import Draft, Reading, References
from domain.catalogue.model import Catalogue
from domain.organisations.model import OrganisationKind
from domain.reference import City, Reference
from integrations.files import catalogue_csv, catalogue_yaml
from integrations.postgres import office, reference, reference_writer

POLICIES = "policies.yaml"

app = App(
    name="catalogue",
    help="The services that residents can ask for: check, import and export them.",
)


@app.command
def check(source: Path, /, *, city: str | None = None) -> None:
    """Read a catalogue and say everything that is wrong with it; nothing is loaded.

    Parameters
    ----------
    source
        A folder of YAML files (one sphere each) or one CSV file.
    city
        Check against this city's policies. Without it, a policies.yaml that lies beside
        the catalogue is taken, and no database is needed.
    """
    beside = policies_beside(source) if city is None else None
    if beside is None:
        beside = in_office(lambda at: _policies_of(at, city))
    draft = sound(read_source(source, beside))
    say(f"The catalogue is sound: {_counted(draft.catalogue())}.")


@app.command(name="import")
def import_(source: Path, /, *, city: str | None = None, dry_run: bool = False) -> None:
    """Take a catalogue in: everything, or nothing and every reason why.

    Services that the files leave out are not removed; they end the day before. Appeals keep
    the version that they began under.

    Parameters
    ----------
    source
        A folder of YAML files (one sphere each) or one CSV file.
    city
        The city's code; needed where there are several.
    dry_run
        Only say what would change.
    """
    need(source.exists(), f"There is no {source}.")
    changes = in_office(lambda at: _import(at, source, city, dry_run=dry_run))
    summarise(changes)
    if dry_run:
        say("Nothing was changed: this was a dry run.")


@app.command
def export(target: Path, /, *, city: str | None = None, force: bool = False) -> None:
    """Write the catalogue in force; importing it again changes nothing.

    Parameters
    ----------
    target
        A folder for YAML files, or a file that ends in .csv.
    city
        The city's code; needed where there are several.
    force
        Overwrite files that are there.
    """
    catalogue = in_office(lambda at: _current(at, city))
    if target.suffix == ".csv":
        files = {target: catalogue_csv.encode(catalogue)}
    else:
        encoded = catalogue_yaml.encode(catalogue)
        files = {target / name: data for name, data in encoded.items()}
    write_files(files, force=force)
    say(f"Written to {target}: {_counted(catalogue)}.")


def read_source(source: Path, policies: Iterable[str]) -> Reading:
    """The draft of a folder or a CSV file, or its problems. Raises Failure."""
    references = References(frozenset(policies), frozenset(OrganisationKind))
    try:
        if source.is_dir():
            return catalogue_yaml.read_folder(source, references)
        if source.suffix == ".csv":
            return catalogue_csv.read(source.name, source.read_bytes(), references)
        if source.suffix in catalogue_yaml.SUFFIXES:
            return catalogue_yaml.read({source.name: source.read_bytes()}, references)
    except OSError as error:
        raise Failure(f"{source} cannot be read: {error.strerror}", status=2) from error
    raise Failure(f"{source} is neither a folder nor a .csv or .yaml file.", status=2)


def sound(reading: Reading) -> Draft:
    """The draft, once every problem was shown where there is one."""
    if reading.draft is None:
        raise refuse(reading.problems)
    return reading.draft


def policies_beside(source: Path) -> frozenset[str] | None:
    """The codes of the policies that lie beside the catalogue, if they do."""
    path = (source if source.is_dir() else source.parent) / POLICIES
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return frozenset(str(entry["code"]) for entry in document["policies"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None


def write_files(files: Mapping[Path, bytes], *, force: bool) -> None:
    """Write the files. Raises Failure where one stands already."""
    standing = [str(path) for path in files if path.exists()]
    if standing and not force:
        raise Failure(f"{standing[0]} is there already.", "Overwrite with --force.")
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def summarise(changes: Changes) -> None:
    """How much came, changed, ended and stayed."""
    columns = ("added", "changed", "ended", "unchanged")
    table(columns, [[len(getattr(changes, name)) for name in columns]], "Services")


async def take_in(connection: AsyncConnection, city: City, draft: Draft, day: date) -> Changes:
    """Write what the draft changes, within the caller's transaction."""
    current = await _snapshot(connection, city)
    changes = diff(current.catalogue, draft, day=day)
    if changes:
        await reference_writer.write_catalogue(connection, city.id, changes)
        await reference_writer.bump(connection, city.id)
    return changes


async def _import(at: Office, source: Path, code: str | None, *, dry_run: bool) -> Changes:
    policies = await _policies_of(at, code)
    with progress(f"Reading {source}"):
        draft = sound(read_source(source, policies))
    with progress("Comparing and writing"):
        async with at.engine.connect() as connection:
            city = await city_of(connection, code)
            await office.lock_city(connection, city.id)
            changes = await take_in(connection, city, draft, city.local(at.now()).date())
            await (connection.rollback() if dry_run else connection.commit())
    if changes and not dry_run:
        note("Every process of the platform sees the change within a second.")
    return changes


async def _policies_of(at: Office, code: str | None) -> frozenset[str]:
    async with at.engine.connect() as connection:
        snapshot = await _snapshot(connection, await city_of(connection, code))
        return frozenset(name for name, _ in snapshot.promises.policies)


async def _current(at: Office, code: str | None) -> Catalogue:
    async with at.engine.connect() as connection:
        return (await _snapshot(connection, await city_of(connection, code))).catalogue


async def _snapshot(connection: AsyncConnection, city: City) -> Reference:
    return await reference.load(connection, city.id, clock.real())


def _counted(catalogue: Catalogue) -> str:
    spheres, services = len(catalogue.spheres), len(catalogue.services)
    return f"{spheres} spheres, {len(catalogue.categories)} categories, {services} services"
