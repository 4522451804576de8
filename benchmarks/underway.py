"""Messages on their way: from the commit of an event to its arrival, and where the time went.

commit   PostgreSQL's own time of the event's transaction
relayed  the beginning of the relay's turn that made the delivery
begun    the attempt's time: claimed, carried by the broker, taken by a worker
arrived  the receiver's clock; from `begun`: the lease taken over, a line opened, the POST
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import psycopg

from benchmarks.client import steady
from benchmarks.intake import intake
from benchmarks.scene import Scene
from benchmarks.stage import running, tokens

UNHEARD = "appeal.reopened"
"""A type that does not happen here: what waits for those who hear of it is put there by hand."""


@dataclass(frozen=True, slots=True)
class Way:
    """One message's, in Unix time."""

    commit: float
    relayed: float
    begun: float
    arrived: float

    @property
    def took(self) -> float:
        """Seconds from commit to arrival."""
        return self.arrived - self.commit

    @property
    def steps(self) -> tuple[float, float, float]:
        """Seconds until the relay's turn, from there to the attempt, and from there to arrival."""
        return (
            self.relayed - self.commit, self.begun - self.relayed, self.arrived - self.begun,
        )  # fmt: skip


@contextmanager
def at_work(here: Scene) -> Iterator[None]:
    """One worker and one scheduler."""
    with (
        running(here.environment, "worker") as worker,
        running(here.environment, "scheduler") as scheduler,
    ):
        here.pids = {"worker": worker, "scheduler": scheduler, "postgresql": here.postgres}
        yield


def awake(here: Scene, port: int) -> None:
    """Wait until everybody is at work: until what happened now has arrived."""
    while not appeals(here, port, 10, 2):
        pass
    until(lambda: not here.book.fresh(), "the receiver does not come to rest")


def until(condition: Callable[[], bool], otherwise: str, seconds: float = 60) -> None:
    """Wait for it. TimeoutError, saying `otherwise`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.1)


def appeals(here: Scene, port: int, rate: float, seconds: float) -> list[Way]:
    """The ways of all messages about so many appeals a second, each as it arrived first."""
    request = intake(tokens(here.home)["operator"])
    here.book.fresh()
    tally = asyncio.run(steady(port, request, rate=rate, seconds=seconds, lines=32, good=201))
    if tally.failed:
        raise RuntimeError(f"{tally.failed} appeals were not registered")
    _arrived(here)
    # The receiver writes its book down every twentieth of a second.
    time.sleep(0.1)
    first: dict[tuple[str, str], float] = {}
    for arrival in here.book.fresh():
        first.setdefault((arrival.id, arrival.path), arrival.at)
    with here.owner() as owner:
        rows = owner.execute(_WAYS, [list({id for id, _ in first})]).fetchall()
    ways = {
        (id, "/" + url.partition("//")[2].partition("/")[2]): (
            float(steps[0]),
            float(steps[1]),
            float(steps[2]),
        )
        for id, url, *steps in rows
    }
    return [Way(*ways[place], at) for place, at in first.items() if place in ways]


_WAYS = """
SELECT e.id::text, w.url, extract(epoch FROM pg_xact_commit_timestamp(e.xmin)),
       extract(epoch FROM d.created_at), extract(epoch FROM a.at)
  FROM event e JOIN delivery d ON d.event_id = e.id JOIN webhook_endpoint w ON w.id = d.endpoint_id
  JOIN delivery_attempt a ON a.delivery_id = d.id AND a.number = 1
 WHERE e.id::text = ANY(%s)
"""


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

    until(nothing_under_way, "messages are still under way")


def quantiles(took: Sequence[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and the longest, in milliseconds."""
    ordered = sorted(took)
    p50, p99 = (ordered[int(share * len(ordered))] * 1000 for share in (0.5, 0.99))
    return p50, p99, ordered[-1] * 1000


@contextmanager
def commits(here: Scene) -> Iterator[list[float]]:
    """What a commit of next to nothing takes meanwhile, over and over: how fast the machine is."""
    over = Event()
    took: list[float] = []

    def commit() -> None:
        with psycopg.connect(here.url, autocommit=True) as line:
            while not over.wait(0.02):
                began = time.perf_counter()
                line.execute("SELECT pg_logical_emit_message(true, 'bench', 'a line')")
                took.append(time.perf_counter() - began)

    thread = Thread(target=commit)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()
