"""The replay against the whole platform: API, worker and scheduler on a city's database."""

import asyncio
import subprocess
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import cycle

import pytest
from rich.console import Console

from api import clock
from api.commands import semey
from api.commands.credentials import executor_of
from api.commands.database import open_office
from benchmarks.stage import free_port
from demo.replay import replay
from demo.sample.rows import WINDOW, Sample, read_sample
from demo.semey.city import demo_city
from demo.table import closing_table
from domain.access import Role
from tests.conftest import make_settings
from tests.support.roles import start, until_ready

ROWS, SECONDS, START = 40, 8, 8


class Actors:
    """demo.people.Credentials over the demonstration's people."""

    def __init__(self, office, credentials):
        self.office, self.credentials = office, credentials
        self.turns = {role: cycle(credentials.of(role)) for role in Role}
        self.codes = {str(firm.id): firm.code for firm in demo_city().organisations}
        self.lock = asyncio.Lock()

    async def role(self, role):
        return next(self.turns[Role(role)]).token

    async def executor(self, organisation):
        return await self._of(organisation, Role.EXECUTOR)

    async def head(self, organisation):
        return await self._of(organisation, Role.HEAD)

    async def _of(self, organisation, role):
        async with self.lock:
            person = executor_of(self.codes[organisation], role)
            (found,) = await self.credentials.ensure(self.office, semey.semey(), [person])
            return found.token


@pytest.fixture(scope="module")
def served(database, tmp_path_factory):
    """Settings of a platform that is warped and whose port is free."""
    return make_settings(database, tmp_path_factory.mktemp("home"), port=free_port())


@pytest.fixture
def processes():
    """A list of processes that are ended after the test."""
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        process.terminate()
    for process in running:
        process.wait(60)


def part_of_the_sample() -> Sample:
    """Every tenth row, and one of each story."""
    rows = read_sample().rows
    one_of_each = {row.story: row for row in reversed(rows)}
    chosen = {row.number: row for row in one_of_each.values()}
    chosen |= {row.number: row for row in rows[:: len(rows) // (ROWS - len(chosen))]}
    return Sample(tuple(chosen[number] for number in sorted(chosen)[:ROWS]), read_sample().busy)


async def test_forty_appeals_live_through_five_days(served, processes, tmp_path, monkeypatch):
    # A machine that is too slow to serve in time plays at the same pace on the real clock.
    monkeypatch.setattr("demo.replay.PACE", timedelta(seconds=SECONDS))
    sample = part_of_the_sample()
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(open_office(served))
        people = Actors(office, await semey.load(office))
        since = datetime.now(UTC) + timedelta(seconds=START)
        until = since + timedelta(seconds=SECONDS)
        warp = {"warp_from": until - WINDOW, "warp_since": since, "warp_until": until}
        settings = served.model_copy(update=warp)
        for role in ("serve", "worker", "scheduler"):
            processes.append(start(role, settings, tmp_path / f"{role}.log"))
        await until_ready(served.base_url)
        console = Console(file=StringIO(), width=120)
        summary = await replay(
            served.base_url,
            people,
            now=clock.warped(until - WINDOW, since, until),
            until=until,
            console=console,
            sample=sample,
        )
        assert summary.registered == len(sample.rows)
        assert summary.unexpected == {}, summary.problems
        assert sum(summary.actions.values()) > len(sample.rows)
        assert sum(box.taken for box in summary.inboxes.values()) > 0
        assert all(box.refused == 0 for box in summary.inboxes.values())
        auditor = people.credentials.of(Role.AUDITOR)[0].token
        with console.capture() as captured:
            await closing_table(
                served.base_url,
                auditor,
                console=console,
                summary=summary,
                people=[("auditor", "Аудитор", auditor)],
            )
        shown = captured.get()
        assert "/reference" in shown
        assert auditor in shown.replace("\n", "")
        (tmp_path / "table").write_text(shown)
