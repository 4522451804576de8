"""Decisions tried first: drafts run over the past days of the register. Nothing is written."""

import csv
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.console import Failure, note, progress, say
from api.commands.database import Office, city_of, in_office
from api.commands.sentences import need
from api.commands.trial_files import Sources
from api.commands.trial_tables import KEYS, LINE, cells, keys, show
from api.commands.trial_work import SLICE, Job, Ready, count, count_apart, prepare
from domain.reference import City
from domain.trials.report import Report, examples, report
from domain.trials.tally import Tally
from integrations.postgres import trials
from integrations.postgres.trials import Window

LONGEST = 3660
FEW = 2
"""Slices below which a second process costs more than it gives."""


def trial(
    *,
    policies: Path | None = None,
    catalogue: Path | None = None,
    organisations: Path | None = None,
    days: int = 90,
    city: str | None = None,
    json: bool = False,
    csv: Path | None = None,
    all: bool = False,
    processes: int | None = None,
) -> None:
    """Try drafts on the appeals of the past days: what would have been kept, late, elsewhere?

    The files are those that the imports take. They bind nothing: the database is read in one
    snapshot and not written. What the draft does not change counts as it was.

    Parameters
    ----------
    policies
        Calendars and policies, as `ikomek policies import` takes them.
    catalogue
        A catalogue, as `ikomek catalogue import` takes it.
    organisations
        Organisations, territories and rules, as `ikomek organisations import` takes them.
    days
        How many days back from now.
    city
        The city's code; needed where there are several.
    json
        Print the whole report as JSON instead of tables.
    csv
        Write a table by service, stage and policy to this file.
    all
        Show every line, not only those that changed, and of long tables the whole.
    processes
        How many processes count; two, where there are as many processors.
    """
    need(0 < days <= LONGEST, f"Days are 1 to {LONGEST}.")
    need(processes is None or 0 < processes <= 64, "Processes are 1 to 64.")
    sources = Sources(policies, catalogue, organisations)
    sources.check()
    found = in_office(lambda at: _try(at, sources, city, timedelta(days=days), processes))
    if csv is not None:
        _write(found.report, csv)
    if json:
        _print_json(found)
        return
    _print_head(found)
    show(found.report, everything=all)
    if csv is not None:
        say(f"Written to {csv}: {len(found.report['services'])} lines.")


class Outcome:
    """A finished trial."""

    __slots__ = ("city", "report", "since", "until")

    def __init__(self, city: City, since: datetime, until: datetime, report: Report) -> None:
        self.city, self.since, self.until, self.report = city, since, until, report


async def _try(
    at: Office, sources: Sources, code: str | None, back: timedelta, processes: int | None
) -> Outcome:
    now = at.now()
    async with trials.snapshot(at.engine) as connection:
        city = await city_of(connection, code)
        with progress("Reading the drafts"):
            ready = await prepare(connection, city.id, sources, now)
        whole = Window(now - back, now)
        windows = await trials.windows(connection, city.id, whole, SLICE)
        tally = await _count(at, connection, ready, sources, windows, now, processes)
        numbers = await trials.numbers(connection, examples(tally))
    found = report(tally, ready.read.trial, ready.codes, numbers)
    return Outcome(city, whole.since, now, found)


async def _count(
    at: Office,
    connection: AsyncConnection,
    ready: Ready,
    sources: Sources,
    windows: list[Window],
    now: datetime,
    processes: int | None,
) -> Tally:
    wanted = processes or min(2, os.cpu_count() or 1)
    since = windows[0].since if windows else now
    with progress(f"Counting in slices of {SLICE} appeals", len(windows)) as advance:
        if wanted == 1 or (processes is None and len(windows) <= FEW):
            return await count(connection, ready, windows, since, now, advance)
        name = await trials.share(connection)
        city, url = ready.history.city.id, at.settings.database_url or ""
        parts = [windows[start::wanted] for start in range(wanted)]
        jobs = [Job(url, name, city, sources, since, now, tuple(part)) for part in parts if part]
        return await count_apart(jobs, wanted, advance)


def _print_head(found: Outcome) -> None:
    one = found.report
    since, until = (found.city.local(each).strftime("%Y-%m-%d %H:%M") for each in
                    (found.since, found.until))  # fmt: skip
    say(f"{found.city.code}: {one['appeals']} appeals registered from {since} to {until}.")
    draft = one["draft"]
    parts = {
        "policies": draft["policies"], "calendars": draft["calendars"],
        "channels": draft["channels"], "law": draft["law"],
        "services": sorted({each["service"] for each in draft["services"]}),
    }  # fmt: skip
    said = [f"{name} {_few(codes)}" for name, codes in parts.items() if codes]
    said += ["routing"] if draft["routing"] else []
    say(f"The draft changes {'; '.join(said)}." if said else "The draft changes nothing.")
    check = one["check"]
    known = check["alike"] + check["unlike"]
    say(f"Counted by their own rules, {check['alike']} of {known} clocks come out as stored.")
    if check["unlike"]:
        note(f"The others are of appeals such as {', '.join(check['examples'])}.")


def _few(codes: list[str]) -> str:
    return ", ".join(codes[:8]) + (f" and {len(codes) - 8} more" if len(codes) > 8 else "")


def _print_json(found: Outcome) -> None:
    head = {"city": found.city.code, "since": found.since, "until": found.until}
    sys.stdout.write(orjson.dumps(head | dict(found.report)).decode() + "\n")


def _write(found: Report, target: Path) -> None:
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            _write_lines(found, file)
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}", status=2) from error


def _write_lines(found: Report, file: TextIO) -> None:
    writer = csv.writer(file)
    writer.writerow((*KEYS, *LINE))
    writer.writerows((*keys(line), *cells(line)) for line in found["services"])
