"""The clocks, proved from the events: every one is what its events tell; else it is named."""

import asyncio
import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.console import Reported, complain, progress, say
from api.commands.database import Office, city_of, in_office
from api.commands.recompute import recompute
from domain.appeals.replay import check as differences_of
from domain.ports import History
from domain.reference import City, Promises
from integrations.postgres import office, reference
from integrations.postgres.histories import Histories

MOST_TOLD = 200
"""Lines about differences; where there are more, they have one cause."""

Known = Mapping[UUID, Promises]

app = App(name="clocks", help="The clocks: check them against the events, count them again.")
app.command(recompute)


@dataclass(slots=True)
class Findings:
    """What a walk over the clocks found."""

    appeals: int = 0
    clocks: int = 0
    wrong: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, portion: Sequence[History], promises: Known) -> None:
        """Check a portion."""
        for history in portion:
            found = differences_of(history.clocks, history.events, promises[history.city])
            self.appeals, self.clocks = self.appeals + 1, self.clocks + len(history.clocks)
            self.wrong += bool(found)
            self.lines += [f"{history.number} {one}" for one in found]


@app.command
def check(
    *, city: str | None = None, open_: Annotated[bool, Parameter(name="--open")] = False
) -> None:
    """Count every clock again from its events and name each that is stored otherwise.

    Ends with 1 where anything differs. The city may work meanwhile.

    Parameters
    ----------
    city
        Only this city; all, if left out.
    open_
        Only appeals with a clock that is not finished.
    """
    began = time.perf_counter()
    found = in_office(lambda at: _check(at, city, open_only=open_))
    for line in found.lines[:MOST_TOLD]:
        say(line)
    if found.wrong:
        said = f"The clocks of {found.wrong} of {found.appeals} appeals"
        complain(f"{said} are not what their events tell.")
        raise Reported
    pace = f"{found.appeals / (time.perf_counter() - began):.0f} appeals a second"
    counted = f"{found.appeals} appeals, {found.clocks} clocks, {pace}"
    say(f"Every clock is what its events tell: {counted}.")


async def _check(at: Office, code: str | None, *, open_only: bool) -> Findings:
    async with at.engine.connect() as connection:
        place = None if code is None else await city_of(connection, code)
        promises = await _promises(connection, at, place)
        total = await office.count_appeals(connection, place.id if place else None)
    found = Findings()
    # What is loaded by now stays; looking for dust in it again and again would cost a third.
    gc.freeze()
    walk = Histories(at.engine, at.keyring).walk
    portions = walk(place.id if place else None, open_only=open_only)
    with progress("Counting the clocks", None if open_only else total) as advance:
        coming = asyncio.ensure_future(anext(portions, None))
        while portion := await coming:
            # The database reads the next portion while this one is counted.
            coming = asyncio.ensure_future(anext(portions, None))
            await asyncio.to_thread(found.add, portion, promises)
            advance(len(portion))
    return found


async def _promises(connection: AsyncConnection, at: Office, city: City | None) -> Known:
    cities = [city] if city else await office.cities(connection)
    return {each.id: await reference.load_promises(connection, each, at.now()) for each in cities}
