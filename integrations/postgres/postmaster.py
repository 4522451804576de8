"""What a PostgreSQL server leaves on the disk: its lock file and its socket."""

import hashlib
import os
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from integrations.postgres.descent import Descent

PORT = 5432

_SHORTEST = "/tmp"  # noqa: S108  (the directory made there is checked and closed)
_SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path before its closing zero


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be had; the message says why, with the end of its log."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What postmaster.pid says of a server."""

    pid: int
    sockets: Path
    status: str


def running_over(data: Path) -> Postmaster | None:
    """The live server over these data, if any; a stale file that names a stranger is none."""
    postmaster = read_postmaster(data)
    if postmaster is None or not _is_server_of(data, postmaster.pid):
        return None
    return postmaster


def read_postmaster(data: Path) -> Postmaster | None:
    """postmaster.pid: process, data, time, port, sockets, address, memory, status (one a line)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        sockets = Path(lines[4]) if len(lines) > 4 else data
        return Postmaster(int(lines[0]), sockets, lines[7].strip() if len(lines) > 7 else "")
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _is_server_of(data: Path, pid: int) -> bool:
    """Whether that process is a PostgreSQL over these data, and not one that got its number."""
    words = _command_line(pid)
    return bool(words) and Path(words[0]).name == "postgres" and str(data) in words


def _command_line(pid: int) -> list[str]:
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True)
    return listing.stdout.decode(errors="replace").split()


def socket_directory(home: Path, descent: Descent) -> Path:
    """A closed directory for the socket: in the home, or in the temporary one if that is long."""
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    candidates = [home / "socket"] + [
        Path(base) / f"ikomek-{descent.uid}-{name}" for base in (tempfile.gettempdir(), _SHORTEST)
    ]
    sockets = next((c for c in candidates if _fits(c)), candidates[-1])
    with suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
    found = sockets.lstat()
    # In a directory open to all, somebody may have been there before us.
    ours = sockets.parent == home or found.st_uid in {os.geteuid(), descent.uid}
    if not stat.S_ISDIR(found.st_mode) or not ours:
        raise EmbeddedPostgresError(f"{sockets} belongs to somebody else")
    sockets.chmod(0o700)
    descent.own(sockets)
    return sockets


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_LIMIT
