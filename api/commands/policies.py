"""What the city promises: calendars and policies from one YAML file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncConnection

from api import clock
from api.commands.console import Failure, say
from api.commands.database import Office, city_of, in_office
from api.commands.sentences import refuse_document
from domain.errors import Fault, Invalid
from domain.law.fields import parse_law
from domain.law.terms import Agreed, Drafted, term_faults
from domain.reference import City, Promises
from domain.sla.calendar import parse_calendar
from domain.sla.policy import parse_policy
from integrations.postgres import office, reference, reference_writer

PARTS = ("calendars", "policies", "channel_policies", "law")
LISTS = PARTS[:3]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the city has already: the codes by part, and what the law's terms are judged with."""

    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    agreed: Agreed = Agreed()

    @classmethod
    def of(cls, promises: Promises) -> "Standing":
        """Of a city's snapshot."""
        newest = {code: promises.calendar(code) for code, _ in promises.calendars}
        return cls(
            {
                "calendars": frozenset(newest),
                "policies": frozenset(c for c, _ in promises.policies),
            },
            Agreed(
                [promises.laws[version] for version in sorted(promises.laws)],
                [promises.policies[one] for one in sorted(promises.policies)],
                newest,
            ),
        )


NOTHING = Standing()

app = App(name="policies", help="What the city promises for its services: calendars and policies.")


@app.command(name="import")
def import_(source: Path, /, *, city: str | None = None, dry_run: bool = False) -> None:
    """Take in calendars, policies, the policies of channels, and the law; clocks keep theirs.

    A part that the file does not have stays as it is.

    Parameters
    ----------
    source
        A YAML file such as catalogues/starter/policies.yaml or catalogues/law/kz.yaml.
    city
        The city's code; needed where there are several.
    dry_run
        Only say what would change.
    """
    document = read_document(source)
    calendars, policies = in_office(lambda at: _import(at, source, document, city, dry_run))
    say(f"New versions: {calendars} calendars, {policies} policies.")
    if dry_run:
        say("Nothing was changed: this was a dry run.")


def read_document(source: Path) -> Mapping[str, Any]:
    """The decoded file. Raises Failure."""
    try:
        document = yaml.safe_load(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Failure(f"{source} cannot be read: {error}", status=2) from error
    if not isinstance(document, Mapping):
        raise Failure(f"{source} holds no calendars and policies.", status=2)
    return document


def validate(document: Mapping[str, Any], zone: str, standing: Standing = NOTHING) -> None:
    """Raise Invalid with every fault of the whole document.

    `standing`: the calendars, policies and laws that the city has already.
    """
    faults = [Fault(f"/{name}", "unknown-field", {}) for name in document if name not in PARTS]
    for part in LISTS:
        if not isinstance(document.get(part, []), list):
            faults.append(Fault(f"/{part}", "not-a-list", {}))
    if not faults:
        faults = [*_calendar_faults(document, zone), *_policy_faults(document)]
        faults += _law_faults(document)
        faults += _unknown_names(document, standing)
        faults += _term_faults(document, zone, standing.agreed)
    if faults:
        raise Invalid(faults)


def _calendar_faults(document: Mapping[str, Any], zone: str) -> Iterator[Fault]:
    years = _years()
    for place, entry in enumerate(document.get("calendars", ())):
        try:
            parse_calendar(entry, version=1, zone=zone, years=years)
        except Invalid as invalid:
            yield from _below(f"/calendars/{place}", invalid)


def _policy_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    for place, entry in enumerate(document.get("policies", ())):
        try:
            parse_policy(entry, version=1)
        except Invalid as invalid:
            yield from _below(f"/policies/{place}", invalid)


def _law_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    if "law" not in document:
        return
    try:
        parse_law(document["law"], version=1)
    except Invalid as invalid:
        yield from _below("/law", invalid)


def _term_faults(document: Mapping[str, Any], zone: str, agreed: Agreed) -> Iterator[Fault]:
    try:
        draft = _drafted(document, zone)
    except Invalid:
        return  # told already, by its own place
    yield from term_faults(draft, agreed)


def _drafted(document: Mapping[str, Any], zone: str) -> Drafted:
    """What can be read in all its parts: a term is judged with its policy and its calendar."""
    years = _years()
    return Drafted(
        parse_law(document["law"], version=1) if "law" in document else None,
        {
            place: parse_policy(entry, version=1)
            for place, entry in enumerate(document.get("policies", ()))
        },
        {
            place: parse_calendar(entry, version=1, zone=zone, years=years)
            for place, entry in enumerate(document.get("calendars", ()))
        },
    )


def _years() -> range:
    year = clock.real().year
    return range(year, year + 2)


def _below(pointer: str, invalid: Invalid) -> Iterator[Fault]:
    for fault in invalid.faults:
        yield Fault(f"{pointer}{fault.pointer}", fault.rule, fault.params)


def _unknown_names(document: Mapping[str, Any], standing: Standing) -> Iterator[Fault]:
    """Policies name calendars, channels policies, of document or city; no code stands twice."""
    known: dict[str, set[str]] = {}
    for part in ("calendars", "policies"):
        known[part] = set()
        for place, entry in enumerate(document.get(part, ())):
            code = entry.get("code") if isinstance(entry, Mapping) else None
            if code in known[part]:
                yield Fault(f"/{part}/{place}/code", "duplicate", {"value": code})
            known[part].add(str(code))
    for pointer, part, value in _names(document):
        if value not in known[part] | standing.codes.get(part, frozenset()):
            yield Fault(pointer, "unknown", {"value": value})


def _names(document: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    for place, entry in enumerate(document.get("policies", ())):
        stages = entry.get("stages") if isinstance(entry, Mapping) else None
        for number, stage in enumerate(stages if isinstance(stages, list) else ()):
            if isinstance(stage, Mapping):
                pointer = f"/policies/{place}/stages/{number}/calendar"
                yield pointer, "calendars", stage.get("calendar")
    for place, entry in enumerate(document.get("channel_policies", ())):
        policy = entry.get("policy") if isinstance(entry, Mapping) else None
        yield f"/channel_policies/{place}/policy", "policies", policy
    law = document.get("law")
    if not isinstance(law, Mapping):
        return
    for name, part in (("receipt", "calendar"), ("threat", "policy")):
        entry = law.get(name)
        value = entry.get(part) if isinstance(entry, Mapping) else None
        yield f"/law/{name}/{part}", "calendars" if part == "calendar" else "policies", value
    for place, entry in enumerate(law.get("kinds") or ()):
        policy = entry.get("policy") if isinstance(entry, Mapping) else None
        yield f"/law/kinds/{place}/policy", "policies", policy


async def _import(
    at: Office, source: Path, document: Mapping[str, Any], code: str | None, dry_run: bool
) -> tuple[int, int]:
    async with at.engine.connect() as connection:
        city = await city_of(connection, code)
        try:
            validate(document, city.zone, await _standing(connection, city))
        except Invalid as invalid:
            raise refuse_document(source.name, invalid) from invalid
        await office.lock_city(connection, city.id)
        renewed = await reference_writer.write_policies(connection, city.id, document)
        await reference_writer.bump(connection, city.id)
        await (connection.rollback() if dry_run else connection.commit())
    return renewed


async def _standing(connection: AsyncConnection, city: City) -> Standing:
    return Standing.of((await reference.load(connection, city.id, clock.real())).promises)
