"""The routing looked over before residents do: gaps, lost rules, executors out of reach."""

import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
from cyclopts import App, Parameter, validators

from api import clock
from api.commands.console import Reported, complain, note, progress, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.organisations import knowledge, read_source
from api.commands.sentences import refuse
from api.routing_words import describe
from domain.access import NOBODY, Principal, Role
from domain.organisations.checks import check as look_over
from domain.organisations.drafts import under
from domain.organisations.findings import Finding, Severity
from domain.organisations.returns import DAYS, Trail, returns
from domain.reference import Reference
from domain.values import Language
from integrations.postgres import reference
from integrations.postgres.trails import Trails

COLUMNS = ("severity", "code", "subject", "what is wrong", "how to mend it")

app = App(name="routing", help="Who gets which appeal: check that nobody is left alone.")


@app.command
def check(
    *,
    city: str | None = None,
    draft: Annotated[Path | None, Parameter(name="--with")] = None,
    on: date | None = None,
    days: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=3650))] = DAYS,
    strict: bool = False,
    json: bool = False,
    language: Language = Language.EN,
) -> None:
    """Find services and addresses that nobody answers for, and what else is wrong.

    Exit code 0: nothing to mend, 1: errors, 2: the command was given wrongly.

    Parameters
    ----------
    city
        The city's code; needed where there are several.
    draft
        Check the city as it would be after `ikomek organisations import` of these files.
    on
        The day to check, YYYY-MM-DD; today if left out.
    days
        How far back to look for appeals that were passed on in a circle; 0 for not at all.
    strict
        Take warnings for errors.
    json
        Write one JSON document.
    language
        The language of the sentences: kk, ru or en.
    """
    seen, at, gone = in_office(lambda office: _load(office, city, draft, on, days))
    with progress("Checking"):
        everything = (*look_over(seen, at), *returns(gone, seen, days))
        found = sorted(everything, key=lambda each: each.order)
    if json:
        document = _document(seen, at, found, language)
        sys.stdout.write(
            orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2).decode() + "\n"
        )
    else:
        _show(seen, found, language)
    errors = [each for each in found if strict or each.severity is Severity.ERROR]
    if errors:
        raise Reported


async def _load(
    at: Office, code: str | None, source: Path | None, on: date | None, days: int
) -> tuple[Reference, datetime, list[Trail]]:
    async with at.engine.connect() as connection:
        city = await city_of(connection, code)
        snapshot = await reference.load(connection, city.id, clock.real())
    since, system = at.now() - timedelta(days=days), Principal(NOBODY, Role.SYSTEM, city.id)
    gone = await Trails(at.engine).of(system, since) if days > 0 else []
    if source is not None:
        territories = {each.code: each.id for each in snapshot.routing.territories.values()}
        reading = read_source(source, knowledge(city, snapshot, territories))
        if reading.draft is None:
            raise refuse(reading.problems)
        snapshot = under(snapshot, reading.draft)
    moment = datetime.combine(on, time(12), city.zone_info()) if on else at.now()
    return snapshot, moment, gone


def _show(seen: Reference, found: Sequence[Finding], language: str) -> None:
    rows = []
    for each in found:
        words = describe(each, seen, language)
        rows.append((each.severity, each.lack, words.subject, words.what, words.mend))
    if rows:
        table(COLUMNS, rows)
    counts = _counts(found)
    if not found:
        say("Every service reaches an executor at every address; nothing is to be mended.")
    elif counts["errors"]:
        complain(f"Errors: {counts['errors']}, warnings: {counts['warnings']}.")
    else:
        note(f"No errors, warnings: {counts['warnings']}.")


def _document(
    seen: Reference, at: datetime, found: Sequence[Finding], language: str
) -> Mapping[str, Any]:
    return {
        "city": seen.city.code,
        "version": seen.version,
        "day": seen.city.local(at).date(),
        **_counts(found),
        "findings": [_entry(each, seen, language) for each in found],
    }


def _entry(finding: Finding, seen: Reference, language: str) -> dict[str, Any]:
    words, area = describe(finding, seen, language), finding.area
    return {
        "id": finding.id,
        "severity": finding.severity,
        "lack": finding.lack,
        "subject": {"kind": finding.subject[0], "code": finding.subject[1], "name": words.subject},
        "area": area
        and {
            "kind": area.kind,
            "code": area.code,
            "name": words.area,
            "districts": area.districts,
            "buildings": area.buildings,
        },
        "services": finding.services,
        "rules": finding.rules,
        "organisations": finding.organisations,
        "what": words.what,
        "mend": words.mend,
    }


def _counts(found: Sequence[Finding]) -> dict[str, int]:
    errors = sum(each.severity is Severity.ERROR for each in found)
    return {"errors": errors, "warnings": len(found) - errors}
