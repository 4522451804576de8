"""Deliveries: how many a second, how soon after the commit, and what the dead cost the living.

    python -m benchmarks.deliveries [throughput] [latency] [dead] [--count 8000] [--rounds 3]
        [--seconds 20]

throughput: a backlog for 200 endpoints, sent by one worker and one scheduler, against the bare HTTP
client (bare.py) posting as many signed bodies to the same receiver; in turn, in the same run. Per
core means: for each second of a processor that was used, by worker, scheduler and PostgreSQL
together on our side, by the client alone on the other.

latency: appeals registered through the API so that a hundred events a second are committed;
from PostgreSQL's own time of the commit to the arrival at the receiver.

dead: 20 healthy endpoints, beside nobody and beside 200 dead ones (refusing, hanging, slow, without
a name in DNS) with a backlog and news of their own, in turn.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from threading import Event, Thread
from uuid import UUID

from benchmarks.client import steady
from benchmarks.intake import intake
from benchmarks.receiver import Arrival
from benchmarks.scene import Scene, add_deliveries, add_endpoints, scene, used
from benchmarks.stage import ROOT, free_port, running, serving, tokens

MANY, HEALTHY, DEAD = 200, 20, 200
UNHEARD = "appeal.reopened"
"""What the dead hear of, and nobody does here: what waits for them is put there by hand."""


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
        endpoints = add_endpoints(here, urls)
        with at_work(here):
            _drain(here, endpoints, 5)
            idle = _idle(here)
            print(f"with nothing to do, CPU of all three: {idle * 1000:.0f} ms a second")
            found = [_compare(here, endpoints, count, idle) for _ in range(rounds)]
    for place, name in enumerate(RATIOS):
        ratio = median(one[place] for one in found)
        print(f"deliveries / bare client, {name}, median of {rounds}: {ratio:.2f}")
    print("(aim 0.50 per core)")


@contextmanager
def at_work(here: Scene) -> Iterator[None]:
    """One worker and one scheduler."""
    with (
        running(here.environment, "worker") as worker,
        running(here.environment, "scheduler") as scheduler,
    ):
        here.pids = {"worker": worker, "scheduler": scheduler, "postgresql": here.postgres}
        yield


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
    until = time.monotonic() + 180
    while len({(one.id, one.path) for one in arrivals}) < count:
        if time.monotonic() > until:
            raise TimeoutError(f"{len(arrivals)} of {count} arrived")
        time.sleep(0.1)
        arrivals += here.book.fresh()
    _until(lambda: not _pending(here, endpoints), "the last attempts are not written down")
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


def _until(condition: Callable[[], bool], otherwise: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(otherwise)
        time.sleep(0.1)


def latency(seconds: float) -> None:
    """From the commit to the arrival, at a hundred events a second."""
    with scene() as here:
        add_endpoints(here, [f"http://127.0.0.1:{here.hooks}/ours"])
        port = free_port()
        with serving(here.environment, port, 1), at_work(here):
            _awake(here, port)
            took = _appeals(here, port, 50, seconds)
    _tell(f"{len(took) / seconds:.0f} events a second, commit to arrival", took)
    print("(aim p50 100 ms, p99 500 ms)")


def _awake(here: Scene, port: int) -> None:
    """Wait until everybody is at work: until what happened now has arrived."""
    while not _appeals(here, port, 10, 2):
        pass
    _until(lambda: not here.book.fresh(), "the receiver does not come to rest")


def _appeals(here: Scene, port: int, rate: float, seconds: float) -> list[float]:
    """Seconds from commit to first arrival, for each message about so many appeals a second."""
    request = intake(tokens(here.home)["operator"])
    here.book.fresh()
    tally = asyncio.run(steady(port, request, rate=rate, seconds=seconds, lines=32, good=201))
    if tally.failed:
        raise RuntimeError(f"{tally.failed} appeals were not registered")
    _arrived(here)
    first: dict[tuple[str, str], float] = {}
    for arrival in here.book.fresh():
        first.setdefault((arrival.id, arrival.path), arrival.at)
    with here.owner() as owner:
        committed = owner.execute(
            "SELECT e.id::text, extract(epoch FROM pg_xact_commit_timestamp(e.xmin))"
            " FROM event e WHERE e.id::text = ANY(%s)",
            [[id for id, _ in first]],
        ).fetchall()
    commits = {id: float(at) for id, at in committed}
    return [at - commits[id] for (id, _), at in first.items() if id in commits]


def _arrived(here: Scene) -> None:
    """Wait until all that the healthy were to hear has arrived: what is late counts as late."""

    def nothing_under_way() -> bool:
        with here.owner() as owner:
            found = owner.execute(
                "SELECT NOT EXISTS (SELECT FROM outbox) AND NOT EXISTS"
                " (SELECT FROM delivery WHERE state = 'pending' AND type <> %s)",
                [UNHEARD],
            ).fetchone()
        return found == (True,)

    _until(nothing_under_way, "messages are still under way")


def _tell(what: str, took: Sequence[float]) -> float:
    ordered = sorted(took)
    p50, p99 = (ordered[int(share * len(ordered))] * 1000 for share in (0.5, 0.99))
    print(f"{what}: p50 {p50:.0f} ms  p99 {p99:.0f} ms  ({len(took)} messages)", flush=True)
    return p99


def dead(rounds: int, seconds: float) -> None:
    """The healthy ones' p99 beside nobody and beside 200 dead ones, in turn."""
    with scene() as here:
        add_endpoints(here, [f"http://127.0.0.1:{here.hooks}/well/{n}" for n in range(HEALTHY)])
        hollow = _add_dead(here)
        port = free_port()
        with serving(here.environment, port, 1), at_work(here):
            _awake(here, port)
            alone, beside = [], []
            for _ in range(rounds):
                alone.append(_tell("beside nobody", _appeals(here, port, 5, seconds)))
                add_deliveries(here, hollow, 50, UNHEARD)
                with _news(here, hollow):
                    time.sleep(5)
                    beside.append(_tell("beside the dead", _appeals(here, port, 5, seconds)))
                _bury(here, hollow)
    moved = median(beside) / median(alone) - 1
    print(f"healthy p99: {median(alone):.0f} ms alone, {median(beside):.0f} ms beside 200 dead")
    print(f"it moves by {moved:+.0%} (aim under 10 %)")


def _add_dead(here: Scene) -> list[UUID]:
    closed = free_port()
    kinds = (
        f"http://127.0.0.1:{closed}/",
        f"http://127.0.0.1:{here.hooks}/hang/",
        f"http://127.0.0.1:{here.hooks}/slow/",
        "http://nobody.invalid/",
    )
    urls = [f"{kinds[number % len(kinds)]}{number}" for number in range(DEAD)]
    return add_endpoints(here, urls, f"{{{UNHEARD}}}")


@contextmanager
def _news(here: Scene, hollow: Sequence[UUID]) -> Iterator[None]:
    """A hundred messages a second for the dead, as long as it lasts."""
    over = Event()

    def feed() -> None:
        while not over.wait(len(hollow) / 100):
            add_deliveries(here, hollow, 1, UNHEARD)

    feeder = Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        over.set()
        feeder.join()


def _bury(here: Scene, hollow: Sequence[UUID]) -> None:
    """Nothing waits for the dead any more, and the last attempts have ended."""
    with here.owner() as owner:
        owner.execute(
            "UPDATE delivery SET state = 'cancelled', finished_at = now(), next_attempt_at = NULL"
            " WHERE state = 'pending' AND endpoint_id = ANY(%s)",
            [list(hollow)],
        )
    time.sleep(17)


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
