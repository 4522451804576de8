"""Every list, filter and figure, in a large register and in one of 10,000 appeals, in one run.

    python -m benchmarks.reads [--appeals 1000000] [--small 10000] [--days 365] [--times 40]
                               [--slow-city] [--only control]

Both are on one server, asked in turn, over one kept line each. A ratio tells how much longer the
large one takes (medians); the aim is 1.2.

The small register is the same city's after its first days: as many appeals come in an hour, so as
many are open. With --slow-city it is one whose 10,000 appeals took a year. Both are asked for as
many rows as the small one has, at most 50: a page of three is no measure for one of fifty. The
control counts what was answered in as many days of both, which the small one has. What the small
one answers with nothing and the large one with something is no comparison of like with like: it is
told, marked `alone`, and stands apart from what is over the aim.

In a city the scheduler has added up what its figures are made of, tallies and holdings. None runs
beside this, so both registers' are added up here by its own function before anybody asks, and
vacuumed as autovacuum would have.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import urlencode

import psycopg

from benchmarks.client import Line, get
from benchmarks.generator import DAYS
from benchmarks.stage import Stage, beside, open_stage
from integrations.postgres.doors import WORKER
from integrations.postgres.engine import open_engine
from integrations.postgres.statistics import Statistics

AIM = 1.2
LISTS: Mapping[str, Mapping[str, str]] = {
    "page of 50": {},
    "status registered": {"status": "registered"},
    "status in_progress": {"status": "in_progress"},
    "status withdrawn": {"status": "withdrawn"},
    "status closed": {"status": "closed"},
    "service, common": {"service": "waste.overflowing"},
    "service, rare": {"service": "lifts.person-trapped"},
    "service, never": {"service": "roads.none-such"},
    "category": {"category": "manholes.open"},
    "sphere": {"sphere": "lifts"},
    "district": {"district": "ertis"},
    "channel, common": {"channel": "phone"},
    "channel, rare": {"channel": "e-otinish"},
    "kind": {"kind": "complaint"},
    "kind, never": {"kind": "thanks"},
    "criticality": {"criticality": "emergency"},
    "emergency": {"emergency": "true"},
    "no emergency": {"emergency": "false"},
    "overdue": {"overdue": "true"},
    "period": {"registered_from": "2026-05-01T00:00:00Z", "registered_to": "2026-05-08T00:00:00Z"},
    "district, rare channel": {"district": "ertis", "channel": "e-otinish"},
    "nothing: sphere, service": {"sphere": "lifts", "service": "waste.overflowing"},
    "nothing: status, kind": {"status": "in_progress", "kind": "thanks"},
    "rare, withdrawn": {"service": "lifts.person-trapped", "status": "withdrawn"},
    "words, common": {"q": "мусор"},
    "words, kk": {"q": "қоқыс"},
    "words, phrase": {"q": "детей, очень ждём"},
    "words, never": {"q": "аргентина"},
    "words, two letters": {"q": "юг"},
    "words and service": {"q": "подъезд", "service": "lifts.person-trapped"},
}
ROLES = ("inspector", "executor water", "akim akimat-ertis", "citizen", "administrator")
OTHERS = (
    ("clocks", "inspector", "/v1/clocks?limit=50"),
    ("clocks breached", "inspector", "/v1/clocks?limit=50&state=breached"),
    ("clocks cancelled", "inspector", "/v1/clocks?limit=50&state=cancelled&stage=secure"),
    ("clocks", "executor water", "/v1/clocks?limit=50"),
    ("clocks", "akim akimat-ertis", "/v1/clocks?limit=50"),
    ("assignments", "executor water", "/v1/assignments?limit=50"),
    ("assignments offered", "executor water", "/v1/assignments?limit=50&state=offered"),
    ("statistics", "inspector", "/v1/statistics"),
    ("statistics", "akim akimat-ertis", "/v1/statistics"),
    ("statistics", "administrator", "/v1/statistics"),
    ("control by organisation", "inspector", "/v1/control/organisations?since={since}"),
    ("control by territory", "akim akimat-ertis", "/v1/control/territories?since={since}"),
    ("control overdue", "inspector", "/v1/control/appeals?limit=50"),
    ("control overdue", "akim akimat-ertis", "/v1/control/appeals?limit=50"),
)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--days", type=float, default=DAYS, help="in which the large came")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--slow-city", action="store_true")
    parser.add_argument("--only", default="", help="questions whose names begin so")
    said = parser.parse_args()
    days = DAYS if said.slow_city else said.days * said.small / said.appeals
    with open_stage(1, said.appeals) as large, beside(large, 1, said.small, days) as small:
        asyncio.run(_compare(large, small, days, said.times, said.only))


async def _compare(large: Stage, small: Stage, days: float, times: int, only: str) -> None:
    for stage in (large, small):
        await _add_up(stage)
    over, alone = [], 0
    lists = [
        (name, role, f"/v1/appeals?{urlencode({'limit': '50', **query})}")
        for role in ROLES for name, query in LISTS.items()
    ]  # fmt: skip
    since = f"{datetime.now(UTC) - timedelta(days=min(days, 30)):%Y-%m-%dT%H:%M:%SZ}"
    others = [(name, role, path.format(since=since)) for name, role, path in OTHERS]
    asked = [one for one in (*lists, *others) if one[0].startswith(only)]
    for name, role, path in asked:
        few, many, rows = await _timed(small, large, role, path, times)
        ratio, like = many / few, rows[0] > 0 or rows[1] == 0
        alone += not like
        if ratio > AIM and like:
            over.append((ratio, f"{role}: {name}"))
        print(
            f"{role:18} {name:26} {min(rows):3} rows {few:7.2f} ms {many:7.2f} ms"
            f"   ratio {ratio:5.2f}{'' if like else '  alone'}",
            flush=True,
        )
    print(f"over {AIM}: {len(over)} of {len(asked) - alone}; {alone} the large one answers alone")
    for ratio, name in sorted(over, reverse=True):
        print(f"  {ratio:5.2f} {name}")


async def _add_up(stage: Stage) -> None:
    """What the scheduler of a city would have done by now."""
    engine = open_engine(stage.url, pool_size=1, name="ikomek-bench", role=WORKER)
    try:
        statistics = Statistics(engine)
        while await statistics.add_up():
            pass
    finally:
        await engine.dispose()
    with psycopg.connect(stage.url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE tally, holding")


async def _timed(
    small: Stage, large: Stage, role: str, path: str, times: int
) -> tuple[float, float, list[int]]:
    """Median milliseconds of both, asked in turn, and how many rows a page of 50 has of each."""
    took: tuple[list[float], list[float]] = ([], [])
    lines = []
    for stage in (small, large):
        line = Line(stage.port)
        await line.open()
        lines.append((line, stage.tokens[role]))
    rows = [await _rows(line, path, token) for line, token in lines]
    path = path.replace("limit=50", f"limit={max(1, min(rows))}")
    for turn in range(times + 5):
        for which, (line, token) in enumerate(lines):
            begun = time.perf_counter()
            await _asked(line, path, token)
            if turn >= 5:
                took[which].append((time.perf_counter() - begun) * 1000)
    for line, _ in lines:
        line.close()
    return median(took[0]), median(took[1]), rows


async def _asked(line: Line, path: str, token: str) -> bytes:
    status, body = await line.ask(get(path, token))
    if status != 200:
        raise RuntimeError(f"{path}: {status} {body[:200]!r}")
    return body


async def _rows(line: Line, path: str, token: str) -> int:
    answer = json.loads(await _asked(line, path, token))
    return len(answer.get("items", ()))


if __name__ == "__main__":
    main()
