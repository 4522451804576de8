"""Programs that can be killed at any moment and started again: what `benchmarks.kill` strikes."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pika
import psycopg
import redis

from benchmarks.nursery import Nursery
from benchmarks.stage import ROOT, free_port
from integrations.postgres.embedded import EmbeddedPostgres


class Victim(Protocol):
    """What can be struck and started again."""

    def start(self) -> None:
        """Start it; it may take a moment to work."""

    def kill(self) -> None:
        """SIGKILL to it and to every child of its own, at once."""


class Group(ABC):
    """A process and all that it started, in a group of their own, so that all can be struck."""

    def __init__(self) -> None:
        self._pid: int | None = None

    def kill(self) -> None:
        """SIGKILL to it and to every child of its own, at once."""
        self._signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """Let it stand still (SIGSTOP): it knows nothing of the time that goes by."""
        self._signal(signal.SIGSTOP)

    def go(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, number)

    @abstractmethod
    def _wait(self) -> None:
        """Until it has ended."""


ENDS = 3
LAST_WORDS = 2000
"""Characters of what it said."""


class Program(Group):
    """A program that is executed."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        super().__init__()
        self._command, self._environment, self._log = command, environment, log
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = 0

    def start(self) -> None:
        """Start it; it may take a moment to work."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=dict(self._environment), cwd=ROOT, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._pid = self._process.pid

    def revive(self) -> None:
        """Start it again if it ended. RuntimeError, with its last words, the third time."""
        if self._process is None or self._process.poll() is None:
            return
        self._ended += 1
        if self._ended == ENDS:
            words = self._log.read_text(errors="replace")[-LAST_WORDS:]
            raise RuntimeError(f"{self._command[0]} ended {ENDS} times: {words}")
        self.start()

    def _wait(self) -> None:
        if self._process is not None:
            self._process.wait()


class Grown(Group):
    """One of the platform's own programs, out of the nursery."""

    def __init__(
        self, nursery: Nursery, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        super().__init__()
        self._nursery, self._command = nursery, command
        self._environment, self._log = environment, log

    def start(self) -> None:
        """Start it; it may take a moment to work."""
        self._pid = self._nursery.start(self._command, self._environment, self._log)

    def _wait(self) -> None:
        while self._pid is not None and self._nursery.code(self._pid) is None:
            time.sleep(0.01)


class Database:
    """The embedded PostgreSQL, with the sessions, each of which is in a group of its own."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres

    def start(self) -> None:
        """Start it, and let it recover."""
        self._postgres.start()

    def kill(self) -> None:
        """SIGKILL to the postmaster first, so that it can't tidy up, then to all its children."""
        postmaster = self._postgres.pid
        if postmaster is None:
            return
        children = _children(postmaster)
        for pid in (postmaster, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            # After the name in brackets: state, then the parent.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
    return found


@contextmanager
def rabbitmq(home: Path) -> Iterator[tuple[Program, str]]:
    """A RabbitMQ of our own, not started yet, and its URL."""
    # The same port may be free twice.
    port, beside = free_port(), free_port()
    while beside == port:
        beside = free_port()
    home.mkdir()
    (home / "plugins").write_text("[].\n")
    # A file of its own: that of the machine says where another one listens.
    (home / "rabbitmq.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{port}\n")
    environment = os.environ | {
        "HOME": str(home),
        "RABBITMQ_NODENAME": f"ikomek-{os.getpid()}@localhost",
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_DIST_PORT": str(beside),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
    }
    program = Program([_found(RABBITMQ)], environment, home / "output.log")
    try:
        yield program, f"amqp://guest:guest@127.0.0.1:{port}"
    finally:
        program.kill()


@contextmanager
def redis_server(home: Path) -> Iterator[tuple[Program, str]]:
    """A Redis of our own that writes each message down, not started yet, and its URL."""
    port = free_port()
    home.mkdir()
    command = [
        _found(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home),
        "--appendonly", "yes", "--save", "",
    ]  # fmt: skip
    program = Program(command, os.environ, home / "output.log")
    try:
        yield program, f"redis://127.0.0.1:{port}/0"
    finally:
        program.kill()


RABBITMQ = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
"""Debian's command on the path goes through `su`; the one beside the library does not."""
REDIS = ("redis-server", "valkey-server")


def has(names: tuple[str, ...]) -> bool:
    """Whether one of these programs is on this machine."""
    return any(map(shutil.which, names))


def _found(names: tuple[str, ...]) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"none of these is on this machine: {', '.join(names)}")


def await_broker(program: Program, url: str, seconds: float = 120) -> None:
    """Wait until the broker answers in its own protocol. TimeoutError if it does not.

    RuntimeError if it does not stay.
    """
    answers = _ask_rabbitmq if url.startswith("amqp") else _ask_redis

    def ask() -> None:
        program.revive()
        answers(url)

    _await(ask, f"the broker at {url}", seconds)


def await_database(url: str, seconds: float = 60) -> None:
    """Wait until the database takes connections. TimeoutError if it does not."""
    _await(lambda: psycopg.connect(url, connect_timeout=2).close(), "the database", seconds)


def _ask_rabbitmq(url: str) -> None:
    pika.BlockingConnection(pika.URLParameters(url)).close()


def _ask_redis(url: str) -> None:
    redis.Redis.from_url(url).ping()


def _await(ask: Callable[[], object], what: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            ask()
        except (OSError, psycopg.Error, pika.exceptions.AMQPError, redis.RedisError) as error:
            if time.monotonic() > until:
                raise TimeoutError(f"{what} does not answer") from error
            time.sleep(0.1)
        else:
            return
