"""The embedded server keeps the register whatever happens to the processes around it."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from integrations.postgres.descent import Descent, into_user_namespace, stay, to_nobody
from integrations.postgres.embedded import EmbeddedPostgres
from integrations.postgres.postmaster import EmbeddedPostgresError, read_postmaster

FAST = {"shared_buffers": "16MB", "max_connections": "20"}

OWNER = """
import signal, sys
from pathlib import Path
from integrations.postgres.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), {"shared_buffers": "16MB"})
server.start()
print(server.pid, server.owned, flush=True)
sys.stdin.read()
server.stop()
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to descend")


def ask(server: EmbeddedPostgres, statement: str) -> object:
    with psycopg.connect(server.url()) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def eventually(condition: Callable[[], bool], within: float = 15.0) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(FileNotFoundError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return True


@contextmanager
def another_process(home: Path) -> Iterator[tuple[subprocess.Popen[str], int, bool]]:
    """A second process of the platform over the same home: it, the server's pid, its ownership."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        pid, owned = process.stdout.readline().split()
        yield process, int(pid) if pid != "None" else 0, owned == "True"
        process.kill()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home, FAST) as server:
        yield server


def test_the_server_speaks_kazakh_and_utc(server: EmbeddedPostgres) -> None:
    assert server.owned
    assert ask(server, "select lower('ӘЖҰМЫС Қазақ')") == "әжұмыс қазақ"
    assert ask(server, "show timezone") == "UTC"
    assert ask(server, "select setting from pg_settings where name = 'max_connections'") == "20"


def test_the_packaged_programs_read_its_address(server: EmbeddedPostgres) -> None:
    said = subprocess.check_output([server.bin("psql"), server.url(), "-XAtc", "select 109"])
    assert said.strip() == b"109"


async def test_one_address_serves_every_driver(server: EmbeddedPostgres) -> None:
    raw = await asyncpg.connect(server.url())
    assert await raw.fetchval("select 109") == 109
    await raw.close()
    engine = create_async_engine(make_url(server.url()).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("select 109")) == 109
    await engine.dispose()


def test_the_socket_is_closed_to_other_users(server: EmbeddedPostgres) -> None:
    assert server.sockets.stat().st_mode & 0o777 == 0o700
    assert ask(server, "show listen_addresses") == ""


@needs_root
@pytest.mark.parametrize("descent", [into_user_namespace, to_nobody])
def test_root_starts_the_server_by_either_descent(
    home: Path, descent: Callable[[], Descent]
) -> None:
    if descent is into_user_namespace and not _namespaces_are_allowed():
        pytest.skip("this kernel or container refuses user namespaces")
    with EmbeddedPostgres(home, FAST, descent=descent()) as server:
        assert ask(server, "select 1") == 1
        assert server.data.stat().st_uid == descent().uid


@needs_root
def test_the_data_follow_from_one_descent_to_another(home: Path) -> None:
    with EmbeddedPostgres(home, FAST, descent=to_nobody()) as server:
        ask(server, "create table kept as select 109 as number")
    with EmbeddedPostgres(home, FAST) as server:
        assert ask(server, "select number from kept") == 109


def _namespaces_are_allowed() -> bool:
    run = [sys.executable, "-c", "pass"]
    try:
        return subprocess.run(run, preexec_fn=into_user_namespace().step).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


@needs_root
def test_an_ordinary_user_starts_the_server_directly() -> None:
    nobody = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(prefix="ikomek-user-"))
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # the interpreter itself may be closed to nobody, so it is not started anew
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            with EmbeddedPostgres(place / "home", FAST) as server:
                os.write(writer, f"{os.geteuid()} {ask(server, 'select 109')}".encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        answer = said.read()
    os.waitpid(child, 0)
    shutil.rmtree(place)
    if "PermissionError" in answer:
        pytest.skip(f"this checkout is closed to other users: {answer}")
    assert answer == f"{nobody.pw_uid} 109"


def test_data_survive_a_restart(server: EmbeddedPostgres) -> None:
    ask(server, "create table kept as select 109 as number")
    server.stop()
    assert read_postmaster(server.data) is None
    server.start()
    assert ask(server, "select number from kept") == 109


def test_a_killed_server_recovers_what_it_had_acknowledged(server: EmbeddedPostgres) -> None:
    ask(server, "create table kept (number int)")
    ask(server, "insert into kept values (109)")
    pid = server.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_alive(pid))
    server.start()
    assert server.pid != pid
    assert ask(server, "select number from kept") == 109


def test_a_stranger_with_the_number_of_a_dead_server_is_left_alone(home: Path) -> None:
    with EmbeddedPostgres(home, FAST) as server:
        note = (server.data / "postmaster.pid").read_text().splitlines(keepends=True)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (server.data / "postmaster.pid").write_text("".join([f"{stranger.pid}\n", *note[1:]]))
        server.start()
        assert server.owned
        assert ask(server, "select 1") == 1
        server.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_server_ends_when_its_owner_is_killed(home: Path) -> None:
    with another_process(home) as (owner, pid, owned):
        assert owned
        owner.kill()
        assert eventually(lambda: not is_alive(pid))
    with EmbeddedPostgres(home, FAST) as server:
        assert server.owned


def test_a_successor_takes_over_at_once_from_a_killed_owner(home: Path) -> None:
    with another_process(home) as (owner, pid, _):
        owner.kill()
        with EmbeddedPostgres(home, FAST) as server:
            assert server.owned
            assert server.pid != pid
            assert ask(server, "select 1") == 1


def test_a_second_process_joins_the_running_server(home: Path) -> None:
    with another_process(home) as (_, pid, _):
        with EmbeddedPostgres(home, FAST) as guest:
            assert not guest.owned
            assert guest.pid is None
            assert ask(guest, "select 1") == 1
        assert is_alive(pid)


def test_of_two_that_start_together_one_owns_the_server(home: Path) -> None:
    with EmbeddedPostgres(home, FAST):
        pass
    command = [sys.executable, "-c", OWNER, str(home)]
    starters = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [starter.stdout.readline().split()[1] for starter in starters if starter.stdout]
    for starter in starters:
        starter.communicate()
    assert sorted(said) == ["False", "True"]


def test_a_home_with_a_long_name_gets_a_short_socket(tmp_path: Path) -> None:
    home = tmp_path / ("жолаушылар-көлігі-" * 5) / "home"
    assert len(os.fsencode(home)) > 107
    with EmbeddedPostgres(home, FAST) as server:
        assert len(os.fsencode(server.sockets)) < 107
        assert server.sockets.stat().st_mode & 0o777 == 0o700
        assert ask(server, "select 1") == 1
        with EmbeddedPostgres(home) as guest:
            assert guest.sockets == server.sockets
        sockets = server.sockets
    assert not sockets.exists()


def test_half_made_data_are_made_anew(home: Path) -> None:
    (home / "data.incoming").mkdir(parents=True)
    (home / "data.incoming" / "PG_VERSION").write_text("18")
    with EmbeddedPostgres(home, FAST) as server:
        assert ask(server, "select 1") == 1


def test_a_wrong_setting_is_named_and_not_retried(home: Path) -> None:
    server = EmbeddedPostgres(home, {"max_connections": "many"})
    with pytest.raises(EmbeddedPostgresError, match="max_connections"):
        server.start()
    with EmbeddedPostgres(home, FAST) as healthy:
        assert healthy.owned


def test_a_thread_that_may_end_cannot_start_the_server(home: Path) -> None:
    refusals: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedPostgres(home).start()
        except EmbeddedPostgresError as error:
            refusals.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(refusals[0])


def test_an_ordinary_user_stays_who_they_are() -> None:
    assert stay().uid == os.geteuid()
