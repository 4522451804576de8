"""One command stands the whole platform up, and leaves nothing behind when it ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from api.commands.environment import KEPT_BACK, environment, read_settings
from benchmarks.stage import free_port
from integrations.postgres.embedded import EmbeddedPostgres
from integrations.postgres.engine import open_engine
from integrations.vault.keyring import keyring_file
from tests.support.city import write_small_city

READY = 120.0
SOON = 20.0
"""A second or two, on a machine that has nothing else to do."""
STOPPED = 60.0


def _processes_of(home):
    """Every process whose command line or environment names the home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() in said and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def _wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    return condition()


def _answers(url):
    try:
        return httpx2.get(url, timeout=2).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
@pytest.mark.timeout(300)
def test_up_serves_revives_a_dead_api_and_stops_without_a_trace(tmp_path):
    home, port = tmp_path / "home", free_port()
    ready = f"http://127.0.0.1:{port}/v1/ready"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("IKOMEK_") and not name.endswith("_URL")
    }
    log = tmp_path / "up.log"
    with log.open("wb") as output:
        program = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "up", "--home", str(home), "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        assert _wait(lambda: "stop with Ctrl-C" in log.read_text(), READY), log.read_text()
        assert not _answers(ready), "without a city nobody can be served"
        _settle(home)
        assert _wait(lambda: _answers(ready), SOON), "a new city is seen within a second"
        children = [pid for pid in _processes_of(home) if pid != program.pid]
        assert len(children) >= 4, "API, scheduler, worker and PostgreSQL"
        (serving,) = [pid for pid in children if _is(pid, "serve", program.pid)]
        os.kill(serving, signal.SIGKILL)
        assert _wait(lambda: "The API ended (signal SIGKILL)" in log.read_text(), SOON)
        assert _wait(lambda: _answers(ready), READY), log.read_text()
        program.send_signal(signal.SIGTERM)
        assert program.wait(STOPPED) == 0, log.read_text()
        assert _wait(lambda: not _processes_of(home), SOON), _processes_of(home)
    finally:
        program.kill()
        program.wait()


def _settle(home):
    """Write the small city into the server that is running."""

    async def write(url):
        engine = open_engine(url, pool_size=1)
        try:
            await write_small_city(engine, keyring_file(home / "keys"))
        finally:
            await engine.dispose()

    with EmbeddedPostgres(home / "postgres") as server:
        assert not server.owned
        asyncio.run(write(server.url("ikomek")))


def _is(pid, role, parent):
    status = Path(f"/proc/{pid}/status").read_text()
    if f"PPid:\t{parent}\n" not in status:
        return False
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b"api.cli" in arguments and role.encode() in arguments


def test_a_taken_port_is_said_before_anything_is_started(nowhere, tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        answer = nowhere("up", "--home", tmp_path / "never", "--port", port)
    assert answer.status == 1
    assert str(port) in answer.err
    assert not (tmp_path / "never").exists()


def test_another_process_reads_exactly_the_settings_that_it_is_told(monkeypatch, tmp_path):
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    given = read_settings(
        home=tmp_path,
        database_url="postgresql:///city",
        database_owner_url="postgresql:///owner",
        port=9,
        warp_from=now,
        warp_since=now,
        warp_until=now,
        webhook_allow_http=True,
        webhook_allowed_networks=("127.0.0.0/8",),
    )
    for name in KEPT_BACK:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(given).items():
        monkeypatch.setenv(name, value)
    read = read_settings()
    assert read == given.model_copy(update={"database_owner_url": None})
