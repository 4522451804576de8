"""Whole lives over HTTP in a large register: create, assign, accept, resolve, find, search.

    python -m benchmarks.lifecycle [--appeals 1000000] [--lines 16] [--seconds 20] [--step 10]
        [--alone]

First as many lives a second as the callers can live, each call waiting for its answer, and again
without the look-up by number, which the aim (create → assign → resolve → search) does not name;
then lives that begin at 1, 15, 1, 25, 2, 35 and 10 a second whether or not earlier ones have ended,
so many seconds each. The appeal names a place that nobody knows, so that an inspector assigns it;
it is found by its number and searched for by its words. Scheduler and worker run beside, as in a
city: events are sealed and relayed, clocks watched, and the executor's webhooks go to a receiver,
a process that costs little. Before lives and spike a bare loop of additions says how fast this
machine is just now. With --alone nothing runs beside, as on a machine that only answers.
"""

import argparse
import asyncio
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote
from uuid import uuid4

from benchmarks.client import Line, Tally, get, post
from benchmarks.receiver import Book, receiving
from benchmarks.stage import Stage, free_port, memory, open_stage, processor, running
from demo.semey.geography import ident

SPIKE = (1, 15, 1, 25, 2, 35, 10)
WATER = str(ident("organisation", "water"))
STEPS = ("create", "assign", "accept", "resolve", "find", "search")
NAMED = tuple(step for step in STEPS if step != "find")
"""What the aim names, and the acceptance that must come before the resolution."""
SAID = "Слабый напор воды, третий день"


class Lives:
    """What callers do, and how long each call took."""

    def __init__(self, stage: Stage, steps: tuple[str, ...] = STEPS) -> None:
        self._stage = stage
        self._steps = steps
        self._numbers: Iterator[int] = count()
        self.calls: dict[str, Tally] = defaultdict(Tally)
        self.whole = Tally()
        self.faults: list[str] = []

    async def live(self, line: Line, since: float | None = None) -> None:
        """One life over one line; it ends early where a call is not answered as it should be."""
        begun = time.perf_counter() if since is None else since
        operator = self._stage.tokens["operator"]
        inspector = self._stage.tokens["inspector"]
        executor = self._stage.tokens["executor water"]
        created = await self._call("create", line, _post("/v1/appeals", operator, self._body()))
        if created is None:
            return
        number = created["number"]
        done = (
            ("assign", _act(number, "assign", inspector, {"organisation": WATER})),
            ("accept", _act(number, "accept", executor, {})),
            ("resolve", _act(number, "resolve", executor, _RESOLVED)),
            ("find", get(f"/v1/appeals?limit=10&q={quote(number)}", inspector)),
            ("search", get(f"/v1/appeals?limit=10&q={quote(SAID)}", inspector)),
        )
        for name, request in done:
            if name in self._steps and await self._call(name, line, request) is None:
                return
        self.whole.took.append(time.perf_counter() - begun)

    async def _call(self, name: str, line: Line, request: bytes) -> "dict[str, str] | None":
        begun = time.perf_counter()
        status, body = await line.ask(request)
        tally = self.calls[name]
        if status not in (200, 201):
            tally.failed += 1
            self.faults.append(f"{name} {status} {body[:160].decode(errors='replace')}")
            return None
        tally.took.append(time.perf_counter() - begun)
        answer: dict[str, str] = json.loads(body)
        return answer

    def _body(self) -> object:
        number = next(self._numbers)
        return {
            "service": "general.unclassified",
            "kind": "complaint",
            "channel": "phone",
            "text": f"{SAID}, квартира на {number % 9 + 1} этаже.",
            "location": {"address": f"у старого рынка, место {number}"},
            "applicant": {"name": "Айгуль Серикова", "phone": "+77001234567"},
        }

    def tell(self, title: str) -> None:
        """Print what the calls took."""
        failed = sum(tally.failed for tally in self.calls.values())
        print(f"{title}: {len(self.whole.took)} lives, failed {failed}")
        for name in self._steps:
            tally = self.calls[name]
            print(
                f"  {name:8} p50 {tally.quantile(0.5):6.1f} ms  p95 {tally.quantile(0.95):6.1f} ms"
                f"  p99 {tally.quantile(0.99):6.1f} ms"
            )
        whole = self.whole
        print(f"  whole    p50 {whole.quantile(0.5):6.1f} ms  p95 {whole.quantile(0.95):6.1f} ms")
        for fault in self.faults[:5]:
            print(f"  {fault}")


_RESOLVED = {"text": "Давление восстановлено.", "no_photo_reason": "Работы под землёй."}


def _post(path: str, token: str, body: object) -> bytes:
    return post(path, token, str(uuid4()), json.dumps(body, ensure_ascii=False).encode())


def _act(number: str, action: str, token: str, body: object) -> bytes:
    return _post(f"/v1/appeals/{number}/{action}", token, body)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--step", type=float, default=10)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--alone", action="store_true", help="no worker, no scheduler")
    said = parser.parse_args()
    with ExitStack() as opened:
        stage = opened.enter_context(open_stage(said.workers, said.appeals))
        for beside in () if said.alone else ("worker", "scheduler"):
            opened.enter_context(running(stage.environment, beside))
        receiver = free_port()
        file = Path(opened.enter_context(TemporaryDirectory())) / "arrivals"
        opened.enter_context(receiving(receiver, file))
        asyncio.run(_subscribe(stage, receiver))
        book = Book(file)
        print(f"this machine: {speed():.0f} million additions a second")
        for steps in (STEPS, NAMED):
            asyncio.run(_saturate(stage, steps, said.lines, said.seconds))
        arrived = len(book.fresh())
        print(f"webhooks received by then: {arrived}")
        print(f"this machine: {speed():.0f} million additions a second")
        asyncio.run(_spike(stage, said.step))
        print(f"MB resident of each API process: {memory(f'serve --port {stage.port}')}  (aim 300)")
        print(f"MB resident of the worker: {memory('api.cli worker')}  (aim 300)")
        print(f"MB resident of the scheduler: {memory('api.cli scheduler')}")
        print(f"webhooks received in all: {arrived + _await_quiet(book)}")


def speed() -> float:
    """Millions of additions that one core makes in a second in a bare loop, now."""
    begun, total = time.perf_counter(), 0
    for number in range(3_000_000):
        total += number
    return 3 / (time.perf_counter() - begun)


async def _subscribe(stage: Stage, receiver: int) -> None:
    """Let the executor's events go to the receiver's port."""
    line = Line(stage.port)
    await line.open()
    body = {"url": f"http://127.0.0.1:{receiver}/109"}
    request = _post("/v1/webhook-endpoints", stage.tokens["head water"], body)
    status, answer = await line.ask(request)
    line.close()
    if status != 201:
        raise RuntimeError(answer.decode())


def _await_quiet(book: Book, seconds: float = 30) -> int:
    """Wait until nothing came for two seconds; how many came meanwhile."""
    until, count = time.monotonic() + seconds, 0
    while (more := len(book.fresh())) and time.monotonic() < until:
        count += more
        time.sleep(2)
    return count


async def _saturate(stage: Stage, steps: tuple[str, ...], lines: int, seconds: float) -> None:
    lives = Lives(stage, steps)
    spent = _processor(stage)
    until = time.perf_counter() + seconds

    async def caller() -> None:
        line = Line(stage.port)
        await line.open()
        while time.perf_counter() < until:
            await lives.live(line)
        line.close()

    await asyncio.gather(*(caller() for _ in range(lines)))
    lived = len(lives.whole.took)
    each = (_processor(stage) - spent) / max(lived, 1) * 1000
    lives.tell(
        f"{lived / seconds:.0f} lives of {len(steps)} calls a second (aim 100),"
        f" {each:.1f} ms of processor each"
    )


def _processor(stage: Stage) -> float:
    """Seconds of the processor that API, PostgreSQL and these callers took so far."""
    served = processor(f"serve --port {stage.port}") + processor("postgres")
    return served + time.process_time()


async def _spike(stage: Stage, step: float) -> None:
    lives = Lives(stage)
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(64):
        line = Line(stage.port)
        await line.open()
        free.put_nowait(line)

    async def one(due: float) -> None:
        line = await free.get()
        await lives.live(line, due)
        free.put_nowait(line)

    running, due = [], time.perf_counter()
    for rate in SPIKE:
        for _ in range(int(rate * step)):
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            running.append(asyncio.create_task(one(due)))
            due += 1 / rate
    await asyncio.gather(*running)
    lives.tell(f"spike {' '.join(map(str, SPIKE))} a second (aim: none failed, p95 under 500 ms)")


if __name__ == "__main__":
    main()
