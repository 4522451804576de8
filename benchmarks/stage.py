"""A stage for benchmarks: a durable PostgreSQL of its own, the demo city, a served API.

Nothing is tuned for the occasion: fsync is on, the server has its defaults but for the
number of connections.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from integrations.postgres.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[1]
SETTINGS = {"max_connections": "200"}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is: the server, the database's URL, the API's port, tokens by role."""

    postgres: EmbeddedPostgres
    url: str
    port: int
    tokens: dict[str, str]

    def bin(self, name: str) -> Path:
        """A program of the server's installation."""
        return self.postgres.bin(name)


@contextmanager
def open_stage(workers: int) -> Iterator[Stage]:
    """Start everything, and take it down again."""
    with tempfile.TemporaryDirectory(prefix="ikomek-bench-") as folder:
        home = Path(folder)
        with EmbeddedPostgres(home / "postgres", SETTINGS) as postgres:
            url = postgres.url("postgres")
            environment = _environment(url, home)
            for command in (["migrate"], ["demo", "load"]):
                _run(command, environment)
            port = free_port()
            with serving(environment, port, workers):
                yield Stage(postgres, url, port, _tokens(home))


@contextmanager
def serving(environment: dict[str, str], port: int, workers: int) -> Iterator[None]:
    """`ikomek serve` as a process of its own, ready."""
    serve = ["serve", "--port", str(port), "--workers", str(workers)]
    command = [sys.executable, "-m", "api.cli", *serve]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        _await_ready(port)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(url: str, home: Path) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": url,
        "IKOMEK_HOME": str(home),
        "IKOMEK_RATE_LIMIT": "0",
        "IKOMEK_LOG_LEVEL": "WARNING",
    }


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "api.cli", *command],
        env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _await_ready(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urlopen(f"http://127.0.0.1:{port}/v1/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("the API did not become ready")


def _tokens(home: Path) -> dict[str, str]:
    found = json.loads((home / "demo-credentials.json").read_text())["credentials"]
    return {entry["role"]: entry["token"] for entry in reversed(found)}
