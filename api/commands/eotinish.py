"""The exchange with the national register of appeals: check its file, compare both registers."""

import asyncio
from datetime import timedelta
from pathlib import Path

from cyclopts import App

from api.bootstrap import open_exchange, open_house
from api.commands.console import Failure, Reported, complain, say
from api.commands.database import ready_database
from api.commands.environment import read_settings
from api.commands.exchanges import judged
from api.settings import Settings
from api.worker.comparing import reconcile as compare
from domain.eotinish.model import GatewayFault
from domain.eotinish.reconciling import GRACE, Report

app = App(name="eotinish", help="The national register of appeals (e-Өтініш): check, reconcile.")

MOST_TOLD = 200


@app.command
def check(file: Path | None = None) -> None:
    """Judge the file of the exchange and the contract that it names, without asking anybody.

    Parameters
    ----------
    file
        The YAML file; that of IKOMEK_EOTINISH, if left out.
    """
    path = file or read_settings().eotinish
    if path is None:
        raise Failure("No file: set IKOMEK_EOTINISH or name one.", status=2)
    cities, seen, recalled = judged(path)
    say(f"The exchange of {', '.join(cities)} can begin; of the contract {seen} things were seen in"
        f" a public source and {recalled} are recalled.")  # fmt: skip


@app.command
def reconcile(*, city: str | None = None, repair: bool = False, fresh: bool = False) -> None:
    """Compare both registers by number and state, and name every difference.

    Ends with 1 where any was found. The report is kept (GET /v1/eotinish/reconciliations).

    Parameters
    ----------
    city
        Only this city; every one of the file, if left out.
    repair
        Do what is safe: ask the state for its messages again, send ours again.
    fresh
        Name also what is younger than an hour, and may only be on its way.
    """
    settings = read_settings()
    if settings.eotinish is None:
        raise Failure("There is no exchange: set IKOMEK_EOTINISH.", status=2)
    with ready_database(settings) as named:
        reports = asyncio.run(_reconcile(named, city, mend=repair, fresh=fresh))
    for code, report in reports.items():
        _tell(code, report)
    if any(report.differences for report in reports.values()):
        raise Reported


async def _reconcile(
    settings: Settings, city: str | None, *, mend: bool, fresh: bool
) -> dict[str, Report]:
    grace = timedelta(0) if fresh else GRACE
    found: dict[str, Report] = {}
    async with open_house(settings) as house, open_exchange(settings) as lines:
        await house.references.refresh(house.now())
        known = {house.references.of(id).city.code: id for id in house.references.cities()}
        wanted = [city] if city is not None else list(lines)
        for code in wanted:
            if code not in lines or code not in known:
                raise Failure(f"There is no exchange of a city {code}.", status=2)
            try:
                report = await compare(house, lines[code], known[code], mend=mend, grace=grace)
            except GatewayFault as fault:
                raise Failure(f"The state's register of {code} was not read: {fault}.") from None
            if report is not None:
                found[code] = report
    return found


def _tell(code: str, report: Report) -> None:
    for one in report.differences[:MOST_TOLD]:
        done = " (begun)" if one.repaired else ""
        say(f"{one.number or '—'} {one.own_number or '—'} {one.lack}: here {one.ours}, there "
            f"{one.theirs}; {one.repair}{done}")  # fmt: skip
    counted = f"{report.ours} cases here, {report.theirs} there"
    if report.differences:
        complain(f"{code}: {len(report.differences)} differences, {report.repaired} being mended; "
                 f"{counted}.")  # fmt: skip
    else:
        say(f"{code}: both registers agree, {counted}.")
