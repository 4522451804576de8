"""The intake, a read and a list, each against pgbench on the same PostgreSQL in the same run.

    python -m benchmarks.intake [--seconds 8] [--rounds 3] [--lines 16] [--workers 2]

pgbench makes the same writes without any application (yardstick.sql). Rounds alternate, and the
medians of the ratios are told, since one machine's minutes differ.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median
from uuid import uuid4

import psycopg

from benchmarks.client import Request, Tally, get, post, saturate, steady
from benchmarks.stage import Stage, open_stage

YARDSTICK = Path(__file__).with_name("yardstick.sql")
POOL = 200_000
ADDRESSES = ("Шакарима 12", "Кабанбай батыра 40", "Абая 7", "проспект Ауэзова 15", "Глинки 3")


def main() -> None:
    """Run and print."""
    wanted = _arguments()
    with open_stage(wanted.workers) as stage:
        _prepare_yardstick(stage)
        print(f"cores {os.cpu_count()}, API processes {wanted.workers}, callers {wanted.lines}")
        _rounds(stage, wanted)
        asyncio.run(_latencies(stage))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=16)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _rounds(stage: Stage, wanted: argparse.Namespace) -> None:
    ratios = []
    request = intake(stage.tokens["operator"])
    asyncio.run(saturate(stage.port, request, lines=wanted.lines, seconds=3, good=201))
    for number in range(1, wanted.rounds + 1):
        bench = _pgbench(stage, wanted.seconds, wanted.lines)
        tally = asyncio.run(
            saturate(stage.port, request, lines=wanted.lines, seconds=wanted.seconds, good=201)
        )
        ratios.append(tally.rate / bench)
        print(
            f"round {number}: pgbench {bench:7.0f}/s   intake {tally.rate:7.0f}/s"
            f"   ratio {ratios[-1]:.2f}   p50 {tally.quantile(0.5):.1f} ms"
            f"   p99 {tally.quantile(0.99):.1f} ms   failed {tally.failed}"
        )
    print(f"intake / pgbench, median of {wanted.rounds}: {median(ratios):.2f}  (aim 0.25)")


async def _latencies(stage: Stage) -> None:
    operator = stage.tokens["operator"]
    number = _some_number(stage)
    rows = (
        ("intake at 100/s", intake(operator), 100, 201, "p99 50 ms"),
        ("read one at 100/s", lambda: get(f"/v1/appeals/{number}", operator), 100, 200, "5 ms"),
        ("list of 50 at 20/s", lambda: get("/v1/appeals?limit=50", operator), 20, 200, "-"),
        ("search at 50/s", lambda: get("/v1/services?q=lift", operator), 50, 200, "20 ms"),
    )
    for name, request, rate, good, aim in rows:
        tally = await steady(stage.port, request, rate=rate, seconds=10, lines=32, good=good)
        _tell(name, tally, aim)


def _tell(name: str, tally: Tally, aim: str) -> None:
    print(
        f"{name:20} p50 {tally.quantile(0.5):6.1f} ms   p99 {tally.quantile(0.99):6.1f} ms"
        f"   failed {tally.failed}   (aim {aim})"
    )


def intake(token: str) -> Request:
    """Requests that register an appeal, each a new one."""
    numbers: Iterator[int] = count()

    def make() -> bytes:
        number = next(numbers)
        body = {
            "service": "manholes.open-on-road",
            "kind": "complaint",
            "channel": "phone",
            "text": "Открытый люк на дороге, ночью не видно, дети ходят рядом. " * 2,
            "location": {"address": ADDRESSES[number % len(ADDRESSES)]},
            "answers": {"landmark": "возле магазина", "cover": "missing"},
            "applicant": {"name": "Айгуль Серикова", "phone": "+77001234567"},
        }
        encoded = json.dumps(body, ensure_ascii=False).encode()
        return post("/v1/appeals", token, str(uuid4()), encoded)

    return make


def _prepare_yardstick(stage: Stage) -> None:
    with psycopg.connect(stage.url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE yardstick")
        connection.execute(
            "INSERT INTO number_pool (city_id, year, number)"
            " SELECT id, 2000, n FROM city, generate_series(1, %s) n",
            (POOL,),
        )
        # No other table: one that was found empty is read whole by every check of a foreign key,
        # until it is looked at again.
        connection.execute("VACUUM ANALYZE number_pool")


def _pgbench(stage: Stage, seconds: float, clients: int) -> float:
    sockets = str(stage.postgres.sockets)
    command = [
        str(stage.bin("pgbench")), "-h", sockets, "-U", "postgres", "-n", "-M", "prepared",
        "-f", str(YARDSTICK), "-c", str(clients), "-j", "2", "-T", str(int(seconds)), "postgres",
    ]  # fmt: skip
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", told)
    if found is None:
        raise RuntimeError(told)
    return float(found.group(1))


def _some_number(stage: Stage) -> str:
    with psycopg.connect(stage.url) as connection:
        row = connection.execute(
            "SELECT number FROM appeal WHERE number LIKE 'SEM-%' ORDER BY number LIMIT 1"
        ).fetchone()
    return str(row[0]) if row else ""


if __name__ == "__main__":
    main()
