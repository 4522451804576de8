"""What the walls of PostgreSQL cost: intake and lists with and without them, and a search in words.

    python -m benchmarks.rls [--appeals 10000] [--pairs 60] [--turn 0.25]

Both ways run in one process over one database, in turn, each pair in a random order: with walls
as the platform does it; without, as a role that no policy binds, with no door to go through. A
pair's ratio is that of its two rates; told are the median over the pairs, the middle half of them,
and how sure the mean is (95 %). Over 1.10 is a defect. IKOMEK_BENCH_DATABASE and IKOMEK_HOME name
a city that stands already (benchmarks/stage.py), where searches are asked of a million appeals.
"""

import argparse
import asyncio
import math
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from statistics import fmean, median, quantiles, stdev
from typing import Any
from unittest.mock import patch

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from api.bootstrap import House, open_house
from api.settings import Settings
from benchmarks.stage import SETTINGS, prepare, tokens
from domain.access import Principal
from domain.appeals import intake as intakes
from domain.appeals.commands import Intake, Whereabouts
from domain.appeals.model import Applicant, Channel, Kind
from domain.questions import AppealFilter
from domain.values import Language
from integrations.postgres.doors import WORKER, Door
from integrations.postgres.embedded import EmbeddedPostgres
from integrations.postgres.engine import open_engine
from integrations.postgres.lists import Lists
from integrations.postgres.session import borrowed
from integrations.postgres.unit_of_work import UnitsOfWork

AIM, SEARCH_AIM = 1.10, 50.0
WORDS = ("мусор", "қоқыс", "детей, очень ждём", "аргентина", "юг", "подъезд темно", "люк")
PAGES = {"page of 50": AppealFilter(), "in progress": AppealFilter(statuses=("in_progress",))}
FINDERS = (
    "cards_of_city(timestamptz, timestamptz, int[], int[], uuid, text, int[]),"
    " cards_of_organisations(timestamptz, timestamptz, int[], int[], uuid, text)"
)

Operation = Callable[[], Awaitable[object]]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--turn", type=float, default=0.25)
    said = parser.parse_args()
    with _city(said.appeals) as (url, home), _finders_for_worker(url):
        asyncio.run(_measure(url, home, said.pairs, said.turn))


@contextmanager
def _city(appeals: int) -> Iterator[tuple[str, Path]]:
    if standing := os.environ.get("IKOMEK_BENCH_DATABASE"):
        yield standing, Path(os.environ["IKOMEK_HOME"])
        return
    with (
        tempfile.TemporaryDirectory(prefix="ikomek-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "postgres", SETTINGS) as postgres,
    ):
        prepare(postgres.url("postgres"), Path(folder), appeals)
        yield postgres.url("postgres"), Path(folder)


@contextmanager
def _finders_for_worker(url: str) -> Iterator[None]:
    """Searches ask the finders either way; the platform's own role has no need of them."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"GRANT EXECUTE ON FUNCTION {FINDERS} TO {WORKER}")
        try:
            yield
        finally:
            owner.execute(f"REVOKE EXECUTE ON FUNCTION {FINDERS} FROM {WORKER}")


@asynccontextmanager
async def _bare(engine: AsyncEngine, door: Door, *, mode: str = "", setting: str = "") -> Any:
    """As it was before there were walls: a statement by itself, unless it needs a setting."""
    async with borrowed(engine) as driver:
        if not setting:
            yield driver
            return
        told = door.of(WORKER).statement()
        await driver.execute(f"BEGIN; {setting}; {told}")
        yield driver
        await driver.execute("COMMIT")


@contextmanager
def _without_walls() -> Iterator[None]:
    with (
        patch("integrations.postgres.lists.inside", _bare),
        patch("integrations.postgres.gathering.inside", _bare),
    ):
        yield


async def _measure(url: str, home: Path, pairs: int, turn: float) -> None:
    settings = Settings(database_url=url, home=home, pool_size=20)
    bare = open_engine(url, pool_size=20, role=WORKER)
    try:
        async with open_house(settings) as house:
            await house.references.refresh(house.now())
            await _compare(house, bare, await _people(house, home), pairs, turn)
    finally:
        await bare.dispose()


async def _people(house: House, home: Path) -> dict[str, Principal]:
    found = {}
    for role, token in tokens(home).items():
        known = await house.tokens.find(token)
        if known is None:
            raise RuntimeError(f"the token of {role} stands for nobody")
        found[role] = known[0]
    return found


async def _compare(
    house: House, bare: AsyncEngine, people: dict[str, Principal], pairs: int, turn: float
) -> None:
    lists, units = Lists(bare, house.keyring), UnitsOfWork(bare, house.keyring, "")
    operator = people["operator"]
    wanted: list[tuple[str, Operation, Operation]] = [
        ("intake, one caller", _intake(house, house.units, operator, 1),
         _intake(house, units, operator, 1)),
        ("intake, 16 callers", _intake(house, house.units, operator, 16),
         _intake(house, units, operator, 16)),
    ]  # fmt: skip
    for role in ("inspector", "executor water", "akim akimat-ertis", "citizen"):
        for name, asked in PAGES.items():
            who, said = people[role], f"list, {role}: {name}"
            wanted.append((said, _page(house.lists, who, asked), _page(lists, who, asked)))
    for name, with_walls, without in wanted:
        ratios = await _pairs(with_walls, without, pairs, turn)
        print(_told(name, ratios), flush=True)
    await _search(house, people)
    await units.numbers.release()
    await house.units.numbers.release()


async def _search(house: House, people: dict[str, Principal]) -> None:
    for role in ("inspector", "executor water", "akim akimat-ertis"):
        for words in WORDS:
            took, found = [], list[Any]()
            for _ in range(15):
                begun = time.perf_counter()
                found = await _page(house.lists, people[role], AppealFilter(text=words))()
                took.append((time.perf_counter() - begun) * 1000)
            slow = "" if median(took) <= SEARCH_AIM else f"   OVER {SEARCH_AIM:.0f} ms"
            print(
                f"search, {role}: {words!r} {median(took):.1f} ms, at most {max(took):.1f} ms,"
                f" {len(found)} found{slow}",
                flush=True,
            )


def _page(lists: Lists, who: Principal, wanted: AppealFilter) -> Callable[[], Awaitable[list[Any]]]:
    async def ask() -> list[Any]:
        return list(await lists.appeals(who, wanted, None, 51))

    return ask


def _intake(house: House, units: UnitsOfWork, who: Principal, callers: int) -> Operation:
    reference = house.references.of(who.city)
    building = next(iter(reference.buildings))

    async def one(at: datetime) -> None:
        said = Intake(
            service="general.unclassified", kind=Kind.COMPLAINT, channel=Channel.PHONE,
            language=Language.RU, text="Во дворе не вывезли мусор", answers={},
            where=Whereabouts(building=building),
            applicant=Applicant(None, "А. Серікова", "+77015550109", None),
        )  # fmt: skip
        async with units.open(who) as uow:
            await intakes.register(said, uow=uow, reference=reference, at=at)
            await uow.commit()

    async def all_of_them() -> None:
        await asyncio.gather(*(one(house.now()) for _ in range(callers)))

    return all_of_them


async def _pairs(with_walls: Operation, without: Operation, pairs: int, turn: float) -> list[float]:
    """How much longer each takes with walls, pair by pair."""
    ratios = []
    for number in range(pairs + 2):
        sides = [(True, with_walls), (False, without)]
        random.shuffle(sides)
        took: dict[bool, float] = {}
        for walled, operation in sides:
            if walled:
                took[walled] = await _seconds(operation, turn)
            else:
                with _without_walls():
                    took[walled] = await _seconds(operation, turn)
        if number >= 2:
            ratios.append(took[True] / took[False])
    return ratios


async def _seconds(operation: Operation, turn: float) -> float:
    """Seconds of one operation: the median of those that a turn has room for."""
    took: list[float] = []
    until = time.perf_counter() + turn
    while time.perf_counter() < until or not took:
        begun = time.perf_counter()
        await operation()
        took.append(time.perf_counter() - begun)
    return median(took)


def _told(name: str, ratios: list[float]) -> str:
    low, _, high = quantiles(ratios, n=4)
    logs = [math.log(ratio) for ratio in ratios]
    mean, error = fmean(logs), 1.96 * stdev(logs) / math.sqrt(len(logs))
    sure = f"{math.exp(mean - error):.3f}-{math.exp(mean + error):.3f}"
    over = f"   OVER {AIM}" if math.exp(mean) > AIM else ""
    return f"{name:40} ratio {median(ratios):.3f}   half {low:.3f}-{high:.3f}   mean {sure}{over}"


if __name__ == "__main__":
    main()
