"""Fills a database with appeals and their whole histories, as a city would have written them.

    python -m benchmarks.generator --appeals 1000000 [--seed 109] [--until 2026-11-20T00:00+05:00]
        [--days 365] [--since 2024-11-20]

DATABASE_URL names the database: migrated, with the demo city in it (`ikomek migrate`, `ikomek demo
load`), and IKOMEK_HOME the keys. What is there already stays, so that a register can be made to
grow. Nobody appeals before there are promises, and the starter catalogue's begin with 2026; --since
lets them begin earlier, in this database alone. The same seed, number and end give the same
appeals, but for the ciphertext of what is sealed.

Histories are lived through the domain (histories.py), varied (stamps.py) and written by COPY, from
as many processes as there are cores. Nothing is put into the outbox: all was told long ago.
"""

import argparse
import asyncio
import gc
import os
import time
from array import array
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

import psycopg

from api.bootstrap import read_keyring
from api.settings import Settings
from benchmarks import press
from benchmarks.bareness import bare, restore
from benchmarks.press import Chunk, Plan, Press
from benchmarks.stamps import TABLES

DAYS = 365
RESIDENTS = 100
"""One resident of so many appeals' number acts for themselves, several times a year."""
AT_ONCE = 2000
"""Appeals of one chunk, and of one transaction."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make."""

    url: str
    appeals: int
    seed: int = 109
    until: datetime | None = None
    processes: int = os.cpu_count() or 1
    days: float = DAYS

    @property
    def end(self) -> datetime:
        """Where the histories stop: the last whole hour, unless a time is named."""
        return self.until or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def main() -> None:
    """Fill, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=109)
    parser.add_argument("--until", type=datetime.fromisoformat)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--days", type=float, default=DAYS, help="how long they took to come")
    parser.add_argument("--since", type=date.fromisoformat, help="let the promises begin then")
    said = parser.parse_args()
    url = os.environ["DATABASE_URL"]
    begun = time.monotonic()
    if said.since:
        press.promise_since(url, said.since)
    wanted = Wanted(url, said.appeals, said.seed, said.until, said.processes, said.days)
    fill(wanted, tell=True)
    print(f"{said.appeals} appeals in {time.monotonic() - begun:.0f} s")


def fill(wanted: Wanted, *, tell: bool = False) -> None:
    """Write the appeals, raise the numbers' series past them, and gather statistics.

    Where as many come as are there, or more, indexes and keys are built anew when all are written;
    those that an earlier filling left behind are built in any case.
    """
    restore(wanted.url)
    if _outnumber(wanted):
        with bare(wanted.url, [table.name for table in TABLES]):
            _write(wanted, tell=tell)
            # Whoever reads a row first marks it as seen: once, not with every index.
            _vacuum(wanted.url)
    else:
        _write(wanted, tell=tell)
    _vacuum(wanted.url)


def _outnumber(wanted: Wanted) -> bool:
    with psycopg.connect(wanted.url) as connection:
        count = "SELECT count(*) FROM (SELECT FROM appeal LIMIT %s) a"
        row = connection.execute(count, (wanted.appeals + 1,)).fetchone()
    return row is not None and row[0] <= wanted.appeals


def _write(wanted: Wanted, *, tell: bool) -> None:
    done = 0
    with ProcessPoolExecutor(
        wanted.processes, initializer=_begin, initargs=(wanted.url, wanted.seed, wanted.end)
    ) as pool:
        for count in pool.map(_work, chunks(wanted)):
            done += count
            if tell and done % (AT_ONCE * 25) == 0:
                print(f"  {done}", flush=True)


def _vacuum(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


def chunks(wanted: Wanted) -> Iterator[Chunk]:
    """The arrivals in order of time, numbered, some thousands at once."""
    plan = Press.plan(wanted.url, wanted.end)
    plan.settle(wanted.appeals // RESIDENTS, read_keyring(Settings(database_url=wanted.url)))
    times = arrivals(wanted, plan)
    years: dict[int, int] = {}
    for begin in range(0, len(times), AT_ONCE):
        part = times[begin : begin + AT_ONCE]
        of, numbers = array("l"), array("l")
        for moment in part:
            year = plan.year(moment)
            if year not in years:
                years[year] = plan.filled_to(year)
            years[year] += 1
            of.append(year)
            numbers.append(years[year])
        yield Chunk(begin // AT_ONCE, part, of, numbers)
    plan.fill_to(years)


def arrivals(wanted: Wanted, plan: Plan) -> "array[float]":
    """When each appeal comes, as seconds of the epoch: by hour of the week, more in winter."""
    end = wanted.end
    begin = max(plan.promised_from(), end - timedelta(days=wanted.days))
    slots = [begin + timedelta(hours=n) for n in range(int((end - begin) / timedelta(hours=1)))]
    weights = []
    for slot in slots:
        local = slot + plan.zone_offset
        winter = 1.3 if local.month in (12, 1, 2) else 1.0
        # Nobody is asleep in a whole city: even the quietest hour has a call.
        weights.append(winter * (plan.hours[local.weekday() * 24 + local.hour] + 2))
    random = Random(wanted.seed)
    chosen = random.choices(slots, cum_weights=list(accumulate(weights)), k=wanted.appeals)
    return array("d", sorted(slot.timestamp() + random.random() * 3600 for slot in chosen))


_press: Press | None = None
_runner: asyncio.Runner | None = None


def _begin(url: str, seed: int, end: datetime) -> None:
    global _press, _runner
    _press, _runner = Press(url, seed, end), asyncio.Runner()
    # A city is much to look through, again and again, for garbage that is never in it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000)


def _work(chunk: Chunk) -> int:
    if _press is None or _runner is None:
        raise AssertionError("the process was not begun")
    return _runner.run(_press.write(chunk))


if __name__ == "__main__":
    main()
