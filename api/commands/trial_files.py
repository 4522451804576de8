"""The files of a trial: the same that the imports take, read against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands import catalogue, organisations, policies
from api.commands.sentences import need, refuse, refuse_document
from domain.errors import Invalid
from domain.law.fields import parse_law
from domain.organisations.exchange import Draft as OrganisationsDraft
from domain.organisations.model import Responsibility, Territory
from domain.reference import City, Promises, Reference
from domain.sla.calendar import parse_calendar
from domain.sla.policy import parse_policy
from domain.trials.draft import Agreed, Drawn, Trial, on_trial, with_catalogue, with_promises
from domain.trials.laws import untried
from domain.trials.terms import standing
from integrations.postgres import office
from integrations.postgres.reference import CALENDAR_YEARS_AHEAD, CALENDAR_YEARS_BACK


@dataclass(frozen=True, slots=True)
class Sources:
    """The files that are tried, by kind."""

    policies: Path | None = None
    catalogue: Path | None = None
    organisations: Path | None = None

    def check(self) -> None:
        """Raise Failure where there is nothing to try, or a file is not there."""
        given = [each for each in (self.policies, self.catalogue, self.organisations) if each]
        need(
            bool(given),
            "There is nothing to try.",
            "Name files: --policies, --catalogue, --organisations.",
        )
        for path in given:
            need(path.exists(), f"There is no {path}.")


@dataclass(frozen=True, slots=True)
class Read:
    """A trial, and every rule of routing that either of its states has."""

    trial: Trial
    rules: Sequence[Responsibility]


async def read(
    connection: AsyncConnection, reference: Reference, sources: Sources, at: datetime
) -> Read:
    """Read the files against the city, and each against those before it.

    Raises Reported once every fault of a file was shown.
    """
    city, day = reference.city, reference.city.local(at).date()
    territories = await office.territories(connection, city.id)
    rules = await office.responsibilities(connection, city.id)
    agreed = _agreed(sources.policies, city, reference, at) if sources.policies else None
    drafted = _with(reference, agreed, day)
    if agreed is not None:
        _need_law(standing(reference.promises, day), drafted.promises)
    shelf = None
    if sources.catalogue is not None:
        codes = {code for code, _ in drafted.promises.policies}
        shelf = catalogue.sound(catalogue.read_source(sources.catalogue, codes))
        drafted, _ = with_catalogue(drafted, shelf, day)
    staff = None
    if sources.organisations is not None:
        staff = _organisations(sources.organisations, city, drafted, territories)
    trial = on_trial(
        reference,
        Drawn(territories, rules),
        day,
        agreed=agreed,
        catalogue=shelf,
        organisations=staff,
    )
    return Read(trial, [*rules, *(staff.responsibilities if staff else ())])


def _with(reference: Reference, agreed: Agreed | None, day: date) -> Reference:
    if agreed is None:
        return reference
    return with_promises(replace(reference, promises=standing(reference.promises, day)), agreed)


def _need_law(now: Promises, drafted: Promises) -> None:
    """Raise Failure for a law under which nobody can tell what would have been."""
    parts = untried(now, drafted)
    need(
        not parts,
        f"A trial cannot tell what would have been with another {', '.join(parts)} of the law.",
        "Which appeals are before the law, and from which day, is not counted anew. "
        "Leave them as they are in force, and try the rest.",
    )


def _agreed(source: Path, city: City, reference: Reference, at: datetime) -> Agreed:
    document = policies.read_document(source)
    try:
        policies.validate(document, city.zone, policies.Standing.of(reference.promises))
    except Invalid as invalid:
        raise refuse_document(source.name, invalid) from invalid
    years = range(at.year - CALENDAR_YEARS_BACK, at.year + CALENDAR_YEARS_AHEAD + 1)
    return Agreed(
        [
            parse_calendar(entry, version=1, zone=city.zone, years=years)
            for entry in document.get("calendars", ())
        ],
        [parse_policy(entry, version=1) for entry in document.get("policies", ())],
        _channels(document),
        parse_law(document["law"], version=1) if "law" in document else None,
    )


def _channels(document: Mapping[str, Any]) -> Mapping[str, str] | None:
    if "channel_policies" not in document:
        return None
    return {
        channel: entry["policy"]
        for entry in document["channel_policies"]
        for channel in entry["channels"]
    }


def _organisations(
    source: Path, city: City, drafted: Reference, territories: Sequence[Territory]
) -> OrganisationsDraft:
    known = organisations.knowledge(city, drafted, {each.code: each.id for each in territories})
    reading = organisations.read_source(source, known)
    if reading.draft is None:
        raise refuse(reading.problems)
    return reading.draft
