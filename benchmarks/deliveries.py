"""Deliveries: how many a second, how soon after the commit, and what the dead cost the living.

    python -m benchmarks.deliveries [throughput] [latency] [dead] [--count 8000] [--rounds 3]
        [--seconds 20]

throughput: a backlog for 200 endpoints, sent by one worker and one scheduler, against the bare HTTP
client (bare.py) posting as many signed bodies to the same receiver; in turn, in the same run. Per
core means: for each second of a processor that was used, by worker, scheduler and PostgreSQL
together on our side, by the client alone on the other.

latency: appeals registered through the API so that a hundred events a second are committed;
from PostgreSQL's own time of the commit to the arrival at the receiver, step by step (underway.py).

dead: 20 healthy endpoints beside nobody, beside 200 living and beside 200 dead ones (isolation.py).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from benchmarks.isolation import dead
from benchmarks.receiver import Arrival
from benchmarks.scene import Scene, add_deliveries, add_endpoints, houses, scene, used
from benchmarks.stage import ROOT, free_port, serving
from benchmarks.underway import appeals, at_work, awake, commits, quantiles, until

MANY, OWNERS = 200, 10


@dataclass(frozen=True, slots=True)
class Run:
    """What so many messages took: seconds, and CPU seconds by who used them."""

    count: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.count / self.seconds

    @property
    def per_core(self) -> float:
        """Messages a second of a processor."""
        return self.count / sum(self.cpu.values())


def throughput(count: int, rounds: int) -> None:
    """Ours and the bare client's, in turn."""
    with scene() as here:
        urls = [f"http://127.0.0.1:{here.hooks}/ours/{number}" for number in range(MANY)]
        endpoints = add_endpoints(here, urls, owners=houses(here, OWNERS))
        with at_work(here):
            _drain(here, endpoints, 5)
            idle = _idle(here)
            print(f"with nothing to do, CPU of all three: {idle * 1000:.0f} ms a second")
            found = [_compare(here, endpoints, count, idle) for _ in range(rounds)]
    for place, name in enumerate(RATIOS):
        ratio = median(one[place] for one in found)
        print(f"deliveries / bare client, {name}, median of {rounds}: {ratio:.2f}")
    print("(aim 0.50 per core)")


RATIOS = (
    "per core",
    "per core, without what is used with nothing to do",
    "worker alone, per core",
    "by the clock",
    "per core, to a client that keeps its connections",
)


def _idle(here: Scene, seconds: float = 5) -> float:
    """CPU seconds a second that are used with nothing to do."""
    before = sum(map(used, here.pids.values()))
    time.sleep(seconds)
    return (sum(map(used, here.pids.values())) - before) / seconds


def _compare(here: Scene, endpoints: Sequence[UUID], count: int, idle: float) -> tuple[float, ...]:
    bare = _bare(here, count)
    ours = _drain(here, endpoints, count // len(endpoints))
    keeping = _bare(here, count, "--keep")
    spent = "  ".join(f"{name} {1e6 * cpu / ours.count:4.0f}" for name, cpu in ours.cpu.items())
    print(
        f"bare {bare.rate:5.0f}/s {1e6 / bare.per_core:4.0f} µs   keeping {keeping.rate:5.0f}/s"
        f" {1e6 / keeping.per_core:4.0f} µs   ours {ours.rate:5.0f}/s {1e6 / ours.per_core:4.0f} µs"
        f" ({spent})   per core {ours.per_core / bare.per_core:.2f}",
        flush=True,
    )
    alone = ours.count / ours.cpu["worker"]
    working = ours.count / (sum(ours.cpu.values()) - idle * ours.seconds)
    return (
        ours.per_core / bare.per_core,
        working / bare.per_core,
        alone / bare.per_core,
        ours.rate / bare.rate,
        ours.per_core / keeping.per_core,
    )


def _bare(here: Scene, count: int, *options: str) -> Run:
    command = [sys.executable, "-m", "benchmarks.bare", str(here.hooks), str(count), *options]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    here.book.fresh()
    said = json.loads(done.stdout)
    return Run(count, said["seconds"], {"client": said["cpu"]})


def _drain(here: Scene, endpoints: Sequence[UUID], each: int) -> Run:
    before = {name: used(pid) for name, pid in here.pids.items()}
    began = time.time()
    count = add_deliveries(here, endpoints, each)
    arrivals: list[Arrival] = []
    latest = time.monotonic() + 180
    while len({(one.id, one.path) for one in arrivals}) < count:
        if time.monotonic() > latest:
            raise TimeoutError(f"{len(arrivals)} of {count} arrived")
        time.sleep(0.1)
        arrivals += here.book.fresh()
    until(lambda: not _pending(here, endpoints), "the last attempts are not written down")
    cpu = {name: used(pid) - before[name] for name, pid in here.pids.items()}
    first = min(one.at for one in arrivals)
    assert first >= began
    return Run(count, max(one.at for one in arrivals) - first, cpu)


def _pending(here: Scene, endpoints: Sequence[UUID]) -> int:
    with here.owner() as owner:
        row = owner.execute(
            "SELECT count(*) FROM delivery WHERE state = 'pending' AND endpoint_id = ANY(%s)",
            [list(endpoints)],
        ).fetchone()
    return int(row[0]) if row else 0


def latency(seconds: float) -> None:
    """From the commit to the arrival, at a hundred events a second, step by step."""
    with scene() as here:
        add_endpoints(here, [f"http://127.0.0.1:{here.hooks}/ours"])
        port = free_port()
        with serving(here.environment, port, 1), at_work(here):
            awake(here, port)
            with commits(here) as beside:
                ways = appeals(here, port, 50, seconds)
    steps = {
        "commit to arrival": [way.took for way in ways],
        "commit to the relay's turn": [way.steps[0] for way in ways],
        "relay's turn to the attempt": [way.steps[1] for way in ways],
        "attempt to arrival": [way.steps[2] for way in ways],
        "a commit of next to nothing": beside,
    }
    print(f"{len(ways) / seconds:.0f} events a second, {len(ways)} messages")
    for name, took in steps.items():
        p50, p99, longest = quantiles(took)
        print(f"{name:28} p50 {p50:5.0f} ms  p99 {p99:5.0f} ms  longest {longest:5.0f} ms")
    print("(aim p50 100 ms, p99 500 ms, commit to arrival)")


PARTS = ("throughput", "latency", "dead")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=" ".join(PARTS))
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20)
    said = parser.parse_args()
    parts = said.parts or PARTS
    if strange := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(strange))}")
    print(f"cores {os.cpu_count()}")
    if "throughput" in parts:
        throughput(said.count, said.rounds)
    if "latency" in parts:
        latency(said.seconds)
    if "dead" in parts:
        dead(said.rounds, said.seconds)


if __name__ == "__main__":
    main()
