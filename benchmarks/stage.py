"""A stage for benchmarks: a durable PostgreSQL of its own, the demo city, a served API.

Nothing is tuned for the occasion: fsync is on, the server has its defaults but for the
number of connections. IKOMEK_BENCH_DATABASE names a database that stands already (migrated, with
the demo city and its appeals) and IKOMEK_HOME its keys and tokens; it is used as it is.
"""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg

from benchmarks.generator import DAYS
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
    environment: dict[str, str]

    def bin(self, name: str) -> Path:
        """A program of the server's installation."""
        return self.postgres.bin(name)


@contextmanager
def open_stage(workers: int, appeals: int = 0) -> Iterator[Stage]:
    """Start everything, and take it down again; so many appeals are there at the beginning."""
    standing = os.environ.get("IKOMEK_BENCH_DATABASE")
    with tempfile.TemporaryDirectory(prefix="ikomek-bench-") as folder:
        home = Path(folder)
        postgres = EmbeddedPostgres(home / "postgres", SETTINGS)
        if standing and appeals:
            home = Path(os.environ["IKOMEK_HOME"])
            with _played(postgres, standing, home, workers) as stage:
                yield stage
            return
        with postgres:
            prepare(postgres.url("postgres"), home, appeals)
            with _played(postgres, postgres.url("postgres"), home, workers) as stage:
                yield stage


@contextmanager
def beside(stage: Stage, workers: int, appeals: int, days: float) -> Iterator[Stage]:
    """Another city on the same server, of so many appeals in so many days; gone afterwards."""
    name = f"beside_{os.getpid()}"
    url = re.sub(r"/[^/?]+(?=\?|$)", f"/{name}", stage.url, count=1)
    with (
        psycopg.connect(stage.url, autocommit=True) as owner,
        tempfile.TemporaryDirectory(prefix="ikomek-bench-") as folder,
    ):
        owner.execute(f"CREATE DATABASE {name}")
        try:
            prepare(url, Path(folder), appeals, days)
            with _played(stage.postgres, url, Path(folder), workers) as other:
                yield other
        finally:
            owner.execute(f"DROP DATABASE {name} WITH (FORCE)")


def prepare(url: str, home: Path, appeals: int, days: float = DAYS) -> None:
    """The demo city in an empty database, with so many appeals of the last so many days."""
    environment = environment_of(url, home)
    for command in (["migrate"], ["demo", "load"]):
        _run(command, environment)
    if appeals:
        command = [
            sys.executable, "-m", "benchmarks.generator",
            "--appeals", str(appeals), "--days", str(days),
        ]  # fmt: skip
        subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _played(postgres: EmbeddedPostgres, url: str, home: Path, workers: int) -> Iterator[Stage]:
    environment, port = environment_of(url, home), free_port()
    with serving(environment, port, workers):
        yield Stage(postgres, url, port, tokens(home), environment)


@contextmanager
def running(environment: dict[str, str], *command: str) -> Iterator[int]:
    """`ikomek COMMAND` as a process of its own; its id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *command],
        env=environment, cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def memory(pattern: str) -> list[int]:
    """Megabytes resident of each process of this program whose command line holds the pattern."""
    found = [
        int(status.split("VmRSS:")[1].split()[0]) // 1024
        for status in _told(pattern, "status")
        if "VmRSS" in status
    ]
    return sorted(found, reverse=True)


def processor(pattern: str) -> float:
    """Seconds of the processor that these processes took so far: whoever shares the machine
    makes them wait, and takes nothing of this.
    """
    # The name of the program comes before, in brackets, and may hold anything.
    fields = [stat.rpartition(")")[2].split() for stat in _told(pattern, "stat")]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def _told(pattern: str, file: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if pattern in line:
                found.append((folder / file).read_text())
        except OSError:
            continue
    return found


@contextmanager
def serving(environment: dict[str, str], port: int, workers: int) -> Iterator[None]:
    """`ikomek serve` as a process of its own, ready."""
    serve = ["serve", "--port", str(port), "--workers", str(workers)]
    command = [sys.executable, "-m", "api.cli", *serve]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        await_ready(port)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port nobody listens on, below those that the system gives to whoever asks for any.

    Among those it could be a caller's before a slow program has taken it, or while one that was
    killed is away.
    """
    first = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32_768
    while True:
        port = secrets.randbelow(max(first, 20_000) - 10_000) + 10_000
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment_of(url: str, home: Path) -> dict[str, str]:
    """The environment of the platform's programs on this stage."""
    return os.environ | {
        "DATABASE_URL": url,
        "IKOMEK_HOME": str(home),
        "IKOMEK_RATE_LIMIT": "0",
        "IKOMEK_GRAPHQL_BUDGET": "0",
        "IKOMEK_GRAPHQL_PUBLIC_BUDGET": "0",
        "IKOMEK_LOG_LEVEL": "WARNING",
        "IKOMEK_WEBHOOK_ALLOW_HTTP": "true",
        "IKOMEK_WEBHOOK_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    }


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "api.cli", *command],
        env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def await_ready(port: int, seconds: float = 60) -> None:
    """Wait until the API serves a city. TimeoutError if it does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urlopen(f"http://127.0.0.1:{port}/v1/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("the API did not become ready")


def tokens(home: Path) -> dict[str, str]:
    """The demo city's tokens by role, and by role and organisation."""
    found = json.loads((home / "demo-credentials.json").read_text())["credentials"]
    by_role = {entry["role"]: entry["token"] for entry in reversed(found)}
    return by_role | {f"{e['role']} {e['organisation']}": e["token"] for e in found}
