"""Five days of a city in a minute and a half: residents, operators, inspectors and executors
act as they would, and only through the API.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush

import httpx2
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from api import clock
from demo.client import Client, Problem
from demo.people import Case, Credentials, People
from demo.receiver import Inbox, Receiver, dead_url, open_receiver
from demo.sample.rows import WINDOW, ZONE, Sample, read_sample, schedule
from demo.semey.geography import ident

AT_ONCE = 16
"""Acts under way at any moment."""

SICK, DEAD = 1, 2
"""Which of the busy executors has a dispatch system that fails at first, and one that is gone."""

PACE = timedelta(seconds=90)
"""How long the days take where the platform's clock is the real one."""

Now = Callable[[], datetime]

_BLINK = 0.02
_LAST_POST = 10.0
"""Seconds that a receiver of our own waits for the deliveries still under way."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was done, as those who acted saw it."""

    registered: int
    planned: int
    actions: Mapping[str, int]
    requests: int
    retries: int
    unexpected: Mapping[str, int]
    problems: Sequence[Problem]
    inboxes: Mapping[str, Inbox]
    dead: str | None


async def replay(
    base_url: str,
    credentials: Credentials,
    *,
    now: Now,
    until: datetime,
    console: Console,
    sample: Sample | None = None,
    receiver: Receiver | None = None,
) -> Summary:
    """Live through the five city days that end at `until`, on the city's clock `now`.

    Where those days are over already (the clock is the real one) the acts keep their order
    and pace, and the register says that all of it happened just now. The busiest executors
    get webhook endpoints at a receiver on this machine; one that is given stays open
    afterwards. Raises DemoFailed when the platform answers 5xx other than 503, or nothing.
    """
    if now() >= until:
        begin = now()
        until = begin + PACE
        now = clock.warped(until - WINDOW, begin, until, now)
    chosen = sample or read_sample()
    limits = httpx2.Limits(max_connections=AT_ONCE)
    async with AsyncExitStack() as stack:
        http = httpx2.AsyncClient(base_url=base_url, timeout=30, limits=limits)
        client = Client(await stack.enter_async_context(http))
        mine = receiver
        if mine is None:
            mine = await stack.enter_async_context(open_receiver())
        dead = await _subscribe(client, credentials, mine, chosen.busy)
        days = _Days(People(client, credentials), now, until)
        for due, row in schedule(chosen.rows, until - WINDOW):
            days.plan(due, Case(row))
        await _live(days, client, stack.enter_context(_bar(console)))
        if receiver is None:
            await _last_post(mine)
        return Summary(
            days.people.registered, len(chosen.rows), days.people.actions, client.requests,
            client.retries, client.unexpected, client.problems, mine.inboxes, dead,
        )  # fmt: skip


async def _subscribe(
    client: Client, credentials: Credentials, receiver: Receiver, busy: Sequence[str]
) -> str | None:
    """An endpoint for each busy organisation; the code of the one that leads nowhere."""
    dead = None
    for place, code in enumerate(busy):
        head = await credentials.head(str(ident("organisation", code)))
        lost = place == DEAD
        url = dead_url() if lost else receiver.url_of(code, sick=place == SICK)
        body = {"url": url, "description": f"Dispatch system of {code}"}
        made = await client.post("/v1/webhook-endpoints", head, f"endpoint-{place}", body)
        if lost:
            dead = code
        elif made:
            receiver.inboxes[code].secret = made["secret"]
    return dead


@dataclass(slots=True)
class _Days:
    """What is still to happen, the earliest first."""

    people: People
    now: Now
    until: datetime
    _heap: list[tuple[datetime, int, Case]] = field(default_factory=list)
    _count: int = 0

    def plan(self, due: datetime, case: Case) -> None:
        """Let the case's next step happen at `due`, if the days last so long."""
        if due < self.until:
            self._count += 1
            heappush(self._heap, (due, self._count, case))

    def take(self) -> Case | None:
        """The case whose time has come, if any."""
        if self._heap and self._heap[0][0] <= self.now():
            return heappop(self._heap)[2]
        return None

    @property
    def waiting(self) -> bool:
        """Whether anything is planned."""
        return bool(self._heap)

    async def do(self, case: Case) -> None:
        """One step of a case, and the next one planned."""
        due = await self.people.step(case, self.now)
        if due is not None:
            self.plan(due, case)


@dataclass(frozen=True, slots=True)
class _Bar:
    """How far the days are, with what was done so far."""

    progress: Progress
    task: TaskID

    def show(self, days: _Days, client: Client) -> None:
        """Draw it anew."""
        begin = days.until - WINDOW
        gone = min(max(days.now() - begin, timedelta(0)), WINDOW)
        unexpected = sum(client.unexpected.values())
        self.progress.update(
            self.task,
            completed=gone.total_seconds(),
            clock=f"{(begin + gone).astimezone(ZONE):%a %d %b %H:%M}",
            appeals=days.people.registered,
            actions=sum(days.people.actions.values()),
            trouble=f"{unexpected} unexpected" if unexpected else "",
        )


@contextmanager
def _bar(console: Console) -> Iterator[_Bar]:
    columns = (
        TextColumn("Semey, {task.fields[clock]}"), BarColumn(),
        TextColumn("{task.fields[appeals]} appeals, {task.fields[actions]} actions"),
        TextColumn("{task.fields[trouble]}", style="red"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        total = WINDOW.total_seconds()
        task = progress.add_task("", total=total, clock="", appeals=0, actions=0, trouble="")
        yield _Bar(progress, task)


async def _live(days: _Days, client: Client, bar: _Bar) -> None:
    """Every step in its time, until the days are over and all that was begun is done."""
    running: set[asyncio.Task[None]] = set()
    try:
        while days.waiting or running:
            bar.show(days, client)
            if len(running) < AT_ONCE and (case := days.take()) is not None:
                running.add(asyncio.create_task(days.do(case)))
                continue
            running = await _some(running)
        bar.show(days, client)
    finally:
        for task in running:
            task.cancel()


async def _some(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait a blink, or until a task is done; those that are not. Raises what a task raised."""
    if not running:
        await asyncio.sleep(_BLINK)
        return running
    done, still = await asyncio.wait(running, timeout=_BLINK, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return still


async def _last_post(receiver: Receiver) -> None:
    """Wait until a second passes without a delivery, or it has been long enough."""
    loop = asyncio.get_running_loop()
    end, before = loop.time() + _LAST_POST, -1
    while loop.time() < end and (arrived := receiver.arrived) != before:
        before = arrived
        await asyncio.sleep(1)
