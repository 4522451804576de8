"""Clocks in a large register: how late a breach is acted on, what an idle tick costs, a storm.

    python -m benchmarks.clocks [--appeals 1000000] [--storm 10000] [--rate 50] [--seconds 30]

One appeal is registered and repeated until so many clocks are open; none of them is due. Then the
scheduler runs as a process of its own: `rate` breaches fall due each second, and at last `storm` of
them in one and the same second. Always on a server of its own: what it leaves is no city.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path
from statistics import median
from uuid import uuid4

import psycopg

from api.bootstrap import open_house
from api.settings import Settings
from api.worker.ticks import Clocks
from benchmarks.client import Line, post
from benchmarks.stage import Stage, memory, open_stage, running

REPEAT = """
INSERT INTO appeal SELECT r.* FROM appeal a, generate_series(%(first)s::int, %(last)s::int) n,
    LATERAL jsonb_populate_record(a, jsonb_build_object(
        'id', md5(n::text)::uuid, 'number', 'BIG-' || n)) r WHERE a.number = %(number)s;
INSERT INTO clock SELECT r.* FROM clock k JOIN appeal a ON a.id = k.appeal_id,
    generate_series(%(first)s::int, %(last)s::int) n,
    LATERAL jsonb_populate_record(k, jsonb_build_object(
        'appeal_id', md5(n::text)::uuid, 'next_at', now() + interval '20 days',
        'due_at', now() + interval '20 days')) r
  WHERE a.number = %(number)s AND k.stage = 'resolve'
"""
FALL_DUE = """
UPDATE clock SET step = 1, due_at = n.at, next_at = n.at
  FROM (SELECT md5(g::text)::uuid AS id, now() + interval '1 second' * (%(after)s::int
               + (g - %(first)s::int) * %(apart)s::float) AS at
          FROM generate_series(%(first)s::int, %(last)s::int) g) n
 WHERE clock.appeal_id = n.id
"""
# The xid's commit is not dated; the event's own time is that of the tick which wrote it.
LATE = """
SELECT extract(epoch FROM e.at - k.due_at)::float FROM event e JOIN clock k USING (appeal_id)
 WHERE e.type = 'clock.breached' AND k.appeal_id IN
       (SELECT md5(g::text)::uuid FROM generate_series(%(first)s::int, %(last)s::int) g) ORDER BY 1
"""
WAITING = """
SELECT count(*) FROM clock WHERE next_at < now() + interval '1 minute'
   AND breached_at IS NULL AND state = 'running'
"""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=1_000_000)
    parser.add_argument("--storm", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=30)
    said = parser.parse_args()
    with open_stage(1) as stage:
        _repeat(stage, asyncio.run(_register(stage)), said.appeals)
        asyncio.run(_idle(stage))
        with running(stage.environment, "scheduler"):
            time.sleep(5)
            steady = said.rate * said.seconds
            _breach(stage, 1, steady, rate=said.rate)
            _breach(stage, steady + 1, steady + said.storm, rate=0)
            print(f"MB resident of the scheduler: {memory('api.cli scheduler')}  (aim 300)")


async def _register(stage: Stage) -> str:
    body = {
        "service": "manholes.open-on-road", "kind": "complaint", "channel": "phone",
        "text": "Открытый люк на дороге.", "location": {"address": "Шакарима 12"},
        "answers": {"landmark": "возле магазина", "cover": "missing"},
    }  # fmt: skip
    line = Line(stage.port)
    await line.open()
    said = json.dumps(body, ensure_ascii=False).encode()
    status, answer = await line.ask(
        post("/v1/appeals", stage.tokens["operator"], str(uuid4()), said)
    )
    line.close()
    if status != 201:
        raise RuntimeError(answer.decode())
    return str(json.loads(answer)["number"])


def _repeat(stage: Stage, number: str, appeals: int) -> None:
    begun = time.monotonic()
    with psycopg.connect(stage.url, autocommit=True) as connection:
        for first in range(1, appeals + 1, 50_000):
            last = min(appeals, first + 49_999)
            values = {"first": first, "last": last, "number": number}
            with connection.transaction():
                for statement in REPEAT.split(";"):
                    connection.execute(statement.encode(), values)
        connection.execute("VACUUM ANALYZE")
    print(f"{appeals} open clocks, made in {time.monotonic() - begun:.0f} s")


async def _idle(stage: Stage) -> None:
    home = Path(stage.environment["IKOMEK_HOME"])
    async with open_house(Settings(database_url=stage.url, home=home)) as house:
        await house.references.refresh(house.now())
        clocks = Clocks(house)
        took = []
        for _ in range(200):
            begun = time.perf_counter()
            await clocks.turn()
            took.append((time.perf_counter() - begun) * 1000)
    print(f"idle tick p50 {median(took):.1f} ms  p99 {sorted(took)[197]:.1f} ms  (aim 5)")


def _breach(stage: Stage, first: int, last: int, *, rate: int) -> None:
    """Let them fall due in three seconds, and wait until the last is acted on."""
    apart = 1 / rate if rate else 0.0
    values = {"first": first, "last": last, "apart": apart, "after": 3}
    with psycopg.connect(stage.url, autocommit=True) as connection:
        begun = time.monotonic() + 3
        connection.execute(FALL_DUE.encode(), values)
        connection.execute("ANALYZE clock")
        while _one(connection, WAITING):
            time.sleep(0.1)
        took = time.monotonic() - begun
        late = [row[0] for row in connection.execute(LATE.encode(), values).fetchall()]
    if rate:
        shares = f"p50 {late[len(late) // 2]:.2f} s  p99 {late[int(len(late) * 0.99)]:.2f} s"
        print(f"{len(late)} breaches, {rate} a second: late by {shares}  (aim 1)")
    else:
        print(f"{len(late)} breaches in one second: drained in {took:.1f} s  (aim 10)")


def _one(connection: "psycopg.Connection[tuple[int]]", statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else 0


if __name__ == "__main__":
    main()
