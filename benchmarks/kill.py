"""Kills everything at random moments under load, and asks afterwards whether anything was lost.

    python -m benchmarks.kill [--rounds 100] [--seed 109] [--broker embedded|rabbitmq|redis]
        [--pairs 3] [--hurry]

(--rounds 0: three rounds that strike everybody, as the suite does.)

The API, two workers, two schedulers, the broker and PostgreSQL work under callers who repeat each
call until it is answered (callers.py). In every round some of them, chosen by the seed, are struck
by SIGKILL one after the other and started again (out of nursery.py, so that a round is no minute of
imports), or stand still for a while (SIGSTOP) and wake up
as if no time had passed; in every twentieth a worker stands still for longer than its leases last.
A receiver, in a process of its own, keeps what comes to its endpoints, beside which one never
answers; a reader of the feed goes on by its cursor. Appeals are registered and accepted, planned
works published and cancelled. Then the load ends, and what was promised is checked (evidence.py).
Leaves 1 where a promise was broken.

--hurry lets the minute that a dead worker's leases last go by at once, at the end alone.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.callers import Callers
from benchmarks.evidence import Evidence, hurry, subscribe
from benchmarks.nursery import Nursery
from benchmarks.reader import Reader
from benchmarks.receiver import Book, receiving
from benchmarks.stage import await_ready, environment_of, free_port, tokens
from benchmarks.victims import (
    Database,
    Group,
    Grown,
    Victim,
    await_broker,
    await_database,
    rabbitmq,
    redis_server,
)
from integrations.postgres.embedded import EmbeddedPostgres

BROKERS = {"rabbitmq": rabbitmq, "redis": redis_server}
ZOMBIE_EVERY = 20
ZOMBIE_SECONDS = 70.0
"""Longer than a lease of integrations/postgres/deliveries.py lasts."""
ANSWERS_AGAIN = 90.0
"""Seconds within which the city must answer after a round."""
DRAINED = 420.0
"""Seconds within which everything must have arrived once the load ended: leases and retries."""
HURRY = 2.0
"""Seconds between two hours that are let go by, where nobody may wait so long."""


@dataclass(frozen=True, slots=True)
class Blow:
    """What happens to one victim: `still` seconds of SIGSTOP, or SIGKILL where it is 0."""

    victim: str
    after: float
    still: float = 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """Blows in their order, then so many seconds until what was killed is started again."""

    blows: tuple[Blow, ...]
    pause: float


def plan(seed: int, rounds: int, victims: Sequence[str], *, zombies: bool) -> list[Round]:
    """What will happen, by the seed alone."""
    dice = Random(seed)
    made = []
    for number in range(1, rounds + 1):
        if zombies and number % ZOMBIE_EVERY == 0:
            made.append(Round((Blow("worker 1", dice.uniform(0.1, 1), ZOMBIE_SECONDS),), 0))
            continue
        struck = dice.sample(list(victims), min(len(victims), dice.choice((1, 1, 2, 3, 7))))
        blows = tuple(Blow(victim, dice.uniform(0, 0.6), _still(dice, victim)) for victim in struck)
        made.append(Round(blows, dice.uniform(0, 0.6)))
    return made


def brief(seed: int, victims: Sequence[str]) -> list[Round]:
    """Three rounds that strike everybody, one of them all at once, and let a worker stand still."""
    dice = Random(seed)
    order = dice.sample(list(victims), len(victims))
    half = len(order) // 2
    halves = [
        Round(tuple(Blow(one, dice.uniform(0, 0.3)) for one in part), dice.uniform(0, 0.3))
        for part in (order[:half], order[half:])
    ]
    still = Blow("worker 1", dice.uniform(0, 0.3), 1.0)
    everybody = tuple(Blow(one, 0.02) for one in dice.sample(order, len(order)))
    return [halves[0], Round((still, *halves[1].blows), halves[1].pause), Round(everybody, 0.1)]


def _still(dice: Random, victim: str) -> float:
    # The database and the broker are not ours to stop: a cluster that stands still is one that is
    # away, and that is what killing it shows.
    ours = victim.startswith(("api", "worker", "scheduler"))
    return dice.uniform(0.5, 4) if ours and dice.random() < 0.15 else 0.0


@dataclass(slots=True)
class Stage:
    """Everything at work, and what was done to it."""

    victims: dict[str, Victim]
    callers: Callers
    url: str
    broker: str | None
    blows: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def strike(self, round: Round) -> None:
        """One round; returns when the city answers again. TimeoutError if it does not."""
        killed: list[str] = []
        for blow in round.blows:
            time.sleep(blow.after)
            victim = self.victims[blow.victim]
            self.blows[blow.victim + (" stopped" if blow.still else "")] += 1
            if blow.still and isinstance(victim, Group):
                victim.stop()
                time.sleep(blow.still)
                victim.go()
            else:
                victim.kill()
                killed.append(blow.victim)
        time.sleep(round.pause)
        for name in killed:
            self.victims[name].start()
        began, before = time.monotonic(), self.callers.answers()
        # Two answers of each caller: what was under way, and one that began afterwards.
        while self.callers.answers() < before + 4:
            if time.monotonic() - began > ANSWERS_AGAIN:
                raise TimeoutError(f"no answer {ANSWERS_AGAIN:.0f} s after {round}")
            time.sleep(0.05)
        self.longest = max(self.longest, time.monotonic() - began)


@contextmanager
def standing(
    folder: Path, broker: str, pairs: int, pause: float
) -> Iterator[tuple[Stage, Evidence]]:
    """Everything started, with endpoints and their receiver; the load has not begun."""
    with ExitStack() as stack:
        nursery = Nursery()
        stack.callback(nursery.close)
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres", {}))
        url = postgres.url("postgres")
        environment = environment_of(url, folder)
        environment.pop("BROKER_URL", None)

        def ask(commands: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
            return nursery.run(commands, environment, folder)

        for command in (["migrate"], ["demo", "load"]):
            ((code, said),) = ask([command])
            if code:
                raise RuntimeError(said)
        victims: dict[str, Victim] = {"postgresql": Database(postgres)}
        if broker in BROKERS:
            program, broker_url = stack.enter_context(BROKERS[broker](folder / broker))
            environment["BROKER_URL"] = broker_url
            victims[broker] = program
            program.start()
            await_broker(program, broker_url)
        port, hooks = free_port(), free_port()
        # Links in messages begin alike, whoever makes them.
        environment["IKOMEK_PORT"] = str(port)
        for name, command in _platform(port).items():
            victim = Grown(nursery, command, environment, folder / f"{name}.log")
            victims[name] = victim
            victim.start()
            stack.callback(victim.kill)
        await_ready(port)
        book = folder / "arrivals"
        stack.enter_context(receiving(hooks, book))
        known = tokens(folder)
        ears = subscribe(port, known["head water"], hooks, free_port())
        reader = Reader(port, known["head water"])
        callers = Callers(port, known, pairs, pause)
        stage = Stage(victims, callers, url, environment.get("BROKER_URL"))
        yield stage, Evidence(url, ask, Book(book), ears, callers.heard, reader)


def _platform(port: int) -> dict[str, list[str]]:
    return {
        "api": ["serve", "--port", str(port), "--workers", "1"],
        "worker 1": ["worker"],
        "worker 2": ["worker"],
        "scheduler 1": ["scheduler"],
        "scheduler 2": ["scheduler"],
    }


def run(
    *, rounds: int, seed: int, broker: str = "embedded", pairs: int = 3, pause: float = 0.05,
    hurried: bool = False, tell: bool = True,
) -> list[str]:  # fmt: skip
    """Every broken promise, in words; nothing where all were kept. No rounds: the brief form."""
    with (
        tempfile.TemporaryDirectory(prefix="ikomek-kill-") as folder,
        standing(Path(folder), broker, pairs, pause) as (stage, evidence),
    ):
        names = list(stage.victims)
        blows = plan(seed, rounds, names, zombies=not hurried) if rounds else brief(seed, names)
        stage.callers.start()
        evidence.feed.start()
        try:
            for number, round in enumerate(blows, 1):
                stage.strike(round)
                evidence.gather()
                if tell:
                    print(f"round {number:3} {_told(round)}", flush=True)
        finally:
            stage.callers.finish(60)
        await_database(stage.url)
        drained = _drain(stage, evidence, hurried=hurried)
        evidence.feed.finish(60)
        broken = evidence.broken()
        if tell:
            _summary(stage, evidence, drained, seed)
        return broken


def _drain(stage: Stage, evidence: Evidence, *, hurried: bool) -> float:
    """Wait until everything has arrived, or until it should have; the seconds that it took."""
    began = hurried_at = time.monotonic()
    while time.monotonic() - began < DRAINED and not evidence.quiet():
        evidence.gather()
        time.sleep(0.25)
        # Not so often that on a busy machine what is on its way would lose its lease, and with it
        # one of its tries, before it could arrive.
        if hurried and time.monotonic() - hurried_at > HURRY:
            hurry(stage.url, evidence.ears.dead)
            hurried_at = time.monotonic()
    evidence.gather()
    return time.monotonic() - began


def _told(round: Round) -> str:
    return ", ".join(
        f"{blow.victim} stands still {blow.still:.1f} s" if blow.still else f"{blow.victim} killed"
        for blow in round.blows
    )


def _summary(stage: Stage, evidence: Evidence, drained: float, seed: int) -> None:
    heard = stage.callers.heard
    print(f"seed {seed}; struck: {dict(sorted(stage.blows.items()))}")
    print(
        f"acknowledged: {len(heard.numbers)} appeals, {len(heard.incidents)} planned works,"
        f" {heard.answers} answers;"
        f" asked again {heard.repeats} times"
    )
    print(
        f"arrived: {evidence.arrived} messages, {evidence.repeated} of them repeats under the same"
        f" id, all signed: {evidence.unsigned == 0}"
    )
    print(f"the feed told {len(evidence.feed.items)} messages, {len(evidence.noticed)} of notices")
    print(
        f"longest until the city answered again {stage.longest:.1f} s;"
        f" the last message came {drained:.1f} s after the load ended"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=109)
    parser.add_argument("--broker", choices=("embedded", *BROKERS), default="embedded")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--hurry", action="store_true")
    said = parser.parse_args()
    began = time.monotonic()
    broken = run(
        rounds=said.rounds, seed=said.seed, broker=said.broker, pairs=said.pairs,
        hurried=said.hurry,
    )  # fmt: skip
    for promise in broken:
        print(f"BROKEN: {promise}")
    kept = "every promise was kept" if not broken else f"{len(broken)} promises were broken"
    print(f"{said.rounds} rounds on {said.broker} in {time.monotonic() - began:.0f} s: {kept}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
