"""What the dead cost the living: the `dead` part of benchmarks.deliveries.

20 healthy endpoints hear of five appeals a second, and 400 more stand beside them in turn:

    alone    nothing is told to any other
    living   a hundred messages a second for 200 others, of ten organisations, who answer at once
    dead     as many for 200 who are dead, for whom some 50 messages each wait already; their
             breakers are open and let one through in ten minutes, each in its own moment
    falling  as many, and all 200 die in this second, with their 50 messages each due

A quarter of the dead refuse, a quarter take a message and never answer, a quarter answer after six
seconds, and a quarter's name is not known to DNS.

`dead` against `living` says how well they are kept apart: the same messages are written for as many
endpoints in both, so that what differs is that they are dead. `dead` against `alone` has in it what
writing a hundred messages a second costs a machine that also measures itself; the dead are not to
blame for that. `falling` is not a state but a blow: 1,600 attempts begin, and 400 of them end
fifteen seconds later in one moment.

In brackets: where the slowest hundredth spent its time on average, as the steps of underway.py.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import mean, median
from threading import Event, Thread
from uuid import UUID

import psycopg

from benchmarks.messages import bodies
from benchmarks.scene import Scene, add_deliveries, add_endpoints, houses, scene, used
from benchmarks.stage import free_port, serving
from benchmarks.underway import UNHEARD, Way, appeals, at_work, awake, quantiles, until

HEALTHY, OTHERS, OWNERS = 20, 200, 10
KINDS = ("alone", "living", "dead", "falling")
APPEALS = 5
"""A second; each is two events, and each event a message to every healthy endpoint."""
SETTLED = 17.0
"""Seconds after which no attempt of a round is in the air: fifteen, and a moment."""


class Town:
    """The endpoints beside the healthy ones."""

    def __init__(self, here: Scene) -> None:
        self._here = here
        owners = houses(here, 2 * OWNERS)
        at = f"http://127.0.0.1:{here.hooks}"
        self.living = add_endpoints(
            here, [f"{at}/else/{n}" for n in range(OTHERS)], f"{{{UNHEARD}}}", owners[:OWNERS]
        )
        kinds = (f"http://127.0.0.1:{free_port()}/", f"{at}/hang/", "http://nobody.invalid/",
                 f"{at}/slow/")  # fmt: skip
        urls = [f"{kinds[n % len(kinds)]}{n}" for n in range(OTHERS)]
        self.dead = add_endpoints(here, urls, f"{{{UNHEARD}}}", owners[OWNERS:])
        self._slow = self.dead[3::4]
        self._failing = [one for one in self.dead if one not in self._slow]

    def die(self) -> None:
        """Nobody has noticed yet, and fifty messages are due for each."""
        self._owner("DELETE FROM endpoint_health WHERE endpoint_id = ANY(%s)", self.dead)
        self._owner(
            "UPDATE delivery SET next_attempt_at = now()"
            " WHERE state = 'pending' AND endpoint_id = ANY(%s)",
            self.dead,
        )

    def wait(self, each: int) -> None:
        """So many messages wait for each of the dead."""
        add_deliveries(self._here, self._failing, each, UNHEARD)

    def noticed(self) -> bool:
        """Whether every breaker is open that will be."""
        with self._here.owner() as owner:
            row = owner.execute(
                "SELECT count(*) FROM endpoint_health WHERE open_until IS NOT NULL"
                " AND endpoint_id = ANY(%s)",
                [self._failing],
            ).fetchone()
        return row == (len(self._failing),)

    def lie(self, *, probed: bool) -> None:
        """As they lie for days: each is tried once in ten minutes, or not now."""
        wait = "random() * interval '10 minutes'" if probed else "interval '1 hour'"
        self._owner(
            f"UPDATE endpoint_health SET opened = 9, open_until = now() + {wait}"
            " WHERE endpoint_id = ANY(%s)",
            self._failing,
        )

    def bury(self) -> None:
        """Nothing waits any more for those who are slow, and the last attempts have ended."""
        self._owner(
            "UPDATE delivery SET state = 'cancelled', finished_at = now(), next_attempt_at = NULL"
            " WHERE state = 'pending' AND endpoint_id = ANY(%s)",
            self._slow,
        )
        time.sleep(SETTLED)

    def _owner(self, statement: str, endpoints: Sequence[UUID]) -> None:
        with self._here.owner() as owner:
            owner.execute(statement, [list(endpoints)])


def dead(rounds: int, seconds: float) -> None:
    """The healthy ones' ways beside everybody, in turn."""
    with scene() as here:
        add_endpoints(here, [f"http://127.0.0.1:{here.hooks}/well/{n}" for n in range(HEALTHY)])
        town, port = Town(here), free_port()
        found: dict[str, list[list[Way]]] = {kind: [] for kind in KINDS}
        spent: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
        with serving(here.environment, port, 1), at_work(here):
            awake(here, port)
            town.wait(50)
            until(town.noticed, "the breakers do not open")
            time.sleep(SETTLED)
            for number in range(rounds):
                # In another order each time, so that nothing is always the first.
                for place in range(len(KINDS)):
                    kind = KINDS[(number + place) % len(KINDS)]
                    ways, cpu = _round(here, town, kind, port, seconds)
                    found[kind].append(ways)
                    spent[kind].append(cpu)
                    _line(kind, ways, cpu)
    _sum_up(found, spent)


def _round(
    here: Scene, town: Town, kind: str, port: int, seconds: float
) -> tuple[list[Way], dict[str, float]]:
    town.lie(probed=kind == "dead")
    if kind == "falling":
        town.die()
    before = {name: used(pid) for name, pid in here.pids.items()}
    began = time.monotonic()
    told = {"alone": (), "living": town.living}.get(kind, town.dead)
    with _news(here, told):
        ways = appeals(here, port, APPEALS, seconds)
    took = time.monotonic() - began
    cpu = {name: (used(pid) - before[name]) / took for name, pid in here.pids.items()}
    if kind in ("dead", "falling"):
        town.bury()
    return ways, cpu


@contextmanager
def _news(here: Scene, endpoints: Sequence[UUID]) -> Iterator[None]:
    """A hundred messages a second for these, as long as it lasts, twenty at a time."""
    over = Event()
    (body,) = bodies(1)

    def feed() -> None:
        with psycopg.connect(here.url, autocommit=True) as line:
            place = 0
            while not over.wait(0.2):
                some = list(endpoints[place : place + 20])
                place = (place + 20) % len(endpoints)
                line.execute(
                    "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state,"
                    " created_at, next_attempt_at) SELECT gen_random_uuid(), city_id, id, %s, %s,"
                    " 'pending', now(), now() FROM webhook_endpoint WHERE id = ANY(%s)",
                    [UNHEARD, body, some],
                )

    feeder = Thread(target=feed)
    if endpoints:
        feeder.start()
    try:
        yield
    finally:
        over.set()
        if endpoints:
            feeder.join()


def _line(kind: str, ways: Sequence[Way], cpu: dict[str, float]) -> None:
    p50, p99, longest = quantiles([way.took for way in ways])
    slowest = sorted(ways, key=lambda way: -way.took)[: max(1, len(ways) // 100)]
    where = "+".join(
        f"{1000 * mean(step):.0f}" for step in zip(*(way.steps for way in slowest), strict=True)
    )
    spent = "  ".join(f"{name} {1000 * share:3.0f}" for name, share in cpu.items())
    print(
        f"{kind:8} p50 {p50:4.0f}  p99 {p99:5.0f} ({where})  longest {longest:5.0f} ms of"
        f" {len(ways)};"
        f"  CPU, ms a second: {spent}",
        flush=True,
    )


def _sum_up(found: dict[str, list[list[Way]]], spent: dict[str, list[dict[str, float]]]) -> None:
    worst = {
        kind: [quantiles([way.took for way in ways])[1] for ways in rounds]
        for kind, rounds in found.items()
    }
    for kind, rounds in found.items():
        p50, p99, _ = quantiles([way.took for ways in rounds for way in ways])
        cpu = median(sum(one.values()) for one in spent[kind])
        print(
            f"{kind:8} of all rounds p50 {p50:.0f} p99 {p99:.0f} ms; median of p99"
            f" {median(worst[kind]):.0f} ms ({min(worst[kind]):.0f} to {max(worst[kind]):.0f});"
            f" CPU of the three {1000 * cpu:.0f} ms a second"
        )
    for ours, than in (("dead", "living"), ("dead", "alone"), ("falling", "living"),
                       ("falling", "alone")):  # fmt: skip
        moved = [a / b - 1 for a, b in zip(worst[ours], worst[than], strict=True)]
        print(
            f"p99 {ours} against {than}: {median(moved):+.0%} in the median of"
            f" {len(moved)} rounds ({min(moved):+.0%} to {max(moved):+.0%})"
        )
    print("(aim: dead against living under +10 %)")
