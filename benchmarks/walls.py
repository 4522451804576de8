"""Many callers of different organisations at once: how many rows of another's does anybody get?

    python -m benchmarks.walls [--appeals 3000] [--requests 10000] [--lines 64] [--workers 2]

The API runs as it does in production, in processes of their own, each with fewer connections to
the database than there are callers. Each caller asks for lists, searches, assignments, clocks and
single appeals, their own and others'; every answer is held against what the database's owner says
is theirs. The aim is 0. IKOMEK_BENCH_DATABASE names a city that stands already.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import asyncpg

from benchmarks.client import Line, get
from benchmarks.stage import Stage, open_stage
from domain.access import Principal
from integrations.postgres.engine import open_engine
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.tokens import Tokens

PATHS = (
    "/v1/appeals?limit=50", "/v1/appeals?limit=50&status=in_progress",
    f"/v1/appeals?limit=50&q={quote('мусор')}", "/v1/assignments?limit=50", "/v1/clocks?limit=50",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """A token, whom it stands for, and an appeal of theirs and one of another's, if there is."""

    token: str
    who: Principal
    own: str | None
    foreign: str | None


def main() -> None:
    """Run and print; ends with 1 where anybody was told of another's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=3000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    said = parser.parse_args()
    with open_stage(said.workers, said.appeals) as stage:
        leaks = asyncio.run(_run(stage, said.requests, said.lines))
    raise SystemExit(1 if leaks else 0)


async def _run(stage: Stage, requests: int, lines: int) -> int:
    owner = await asyncpg.connect(stage.url)
    try:
        callers = await _callers(stage, owner)
        left = iter(range(requests))
        begun = time.perf_counter()
        seen = await asyncio.gather(
            *(
                _call(stage.port, caller, left, random.Random(number))
                for number, caller in enumerate(islice(cycle(callers), lines))
            )
        )
        seconds = time.perf_counter() - begun
        strange = [(caller, number) for found in seen for caller, number in found[1]]
        shown = {(c.token, n): c for found in seen for c, n in found[0]}
        for (_, number), caller in shown.items():
            if number not in await _theirs(owner, caller.who, number):
                strange.append((caller, number))
    finally:
        await owner.close()
    print(
        f"{requests} requests of {len(callers)} tokens over {lines} lines in {seconds:.1f} s:"
        f" {len(shown)} appeals shown, {len(strange)} of another's"
    )
    for caller, number in strange[:20]:
        print(f"  {caller.who.role} {caller.who.name}: {number}")
    return len(strange)


async def _callers(stage: Stage, owner: Any) -> list[Caller]:
    engine, found = open_engine(stage.url, pool_size=1), []
    try:
        for token in sorted(set(stage.tokens.values())):
            known = await Tokens(engine).find(token)
            if known is None:
                raise RuntimeError("a token of the demo city stands for nobody")
            who, parameters = known[0], Parameters()
            scope = visible(who, parameters)
            asked = "SELECT a.number FROM appeal a WHERE {} LIMIT 1"
            own = await owner.fetchval(asked.format(scope), *parameters.values)
            foreign = await owner.fetchval(asked.format(f"NOT ({scope})"), *parameters.values)
            found.append(Caller(token, who, own, foreign))
    finally:
        await engine.dispose()
    return found


async def _theirs(owner: Any, who: Principal, number: str) -> set[str]:
    parameters = Parameters(number)
    scope = visible(who, parameters)
    asked = f"SELECT a.number FROM appeal a WHERE a.number = $1 AND {scope}"
    return {row["number"] for row in await owner.fetch(asked, *parameters.values)}


_Seen = tuple[set[tuple[Caller, str]], list[tuple[Caller, str]]]


async def _call(port: int, caller: Caller, left: Iterator[int], turn: random.Random) -> _Seen:
    """What a caller was shown, and which of another's appeals they were not refused."""
    shown: set[tuple[Caller, str]] = set()
    strange: list[tuple[Caller, str]] = []
    line = Line(port)
    await line.open()
    for _ in left:
        number = turn.choice((caller.own, caller.foreign, None, None, None))
        path = f"/v1/appeals/{number}" if number else turn.choice(PATHS)
        status, body = await _answered(line, get(path, caller.token))
        if status == 200:
            said = json.loads(body)
            shown |= {(caller, one) for one in _numbers(said)}
            if number is not None and number == caller.foreign:
                strange.append((caller, number))
        elif status not in (403, 404) or (number is not None and number == caller.own):
            raise RuntimeError(f"{path}: {status} {body[:200]!r}")
    line.close()
    return shown, strange


async def _answered(line: Line, request: bytes) -> tuple[int, bytes]:
    """The answer; who found every connection taken for five seconds comes again, as told."""
    status, body = await line.ask(request)
    for _ in range(20):
        if status != 503:
            break
        await asyncio.sleep(0.5)
        status, body = await line.ask(request)
    return status, body


def _numbers(said: Any) -> Iterator[str]:
    """The registration numbers anywhere in an answer."""
    if isinstance(said, dict):
        for name, value in said.items():
            if name == "number" and isinstance(value, str) and value.count("-") == 2:
                yield value
            else:
                yield from _numbers(value)
    elif isinstance(said, list):
        for value in said:
            yield from _numbers(value)


if __name__ == "__main__":
    main()
