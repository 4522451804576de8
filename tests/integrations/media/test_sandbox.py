"""A file that takes its process over gets nowhere, and the next file is served."""

import asyncio
import os
import resource
import time
from pathlib import Path

import pytest

from domain.errors import Invalid, Unavailable
from integrations.media.cleaner import IMAGE_WORKER, MediaCleaner
from integrations.media.sandbox import Died, Limits, Sandbox
from tests.integrations.media import files

MEGABYTE = 1024 * 1024
TIGHT = Limits(memory=256 * MEGABYTE, cpu_seconds=1, wall_seconds=3.0)


@pytest.fixture
def sandboxed(tmp_path):
    """Runs a program's source on a file, as if a file had taken the worker over."""

    async def run(source: str, content: bytes = b"file", limits: Limits = TIGHT, **asked):
        program = tmp_path / "program.py"
        program.write_text(source)
        sandbox = Sandbox(program, limits, spares=0)
        try:
            return await sandbox.run(asked, content)
        finally:
            await sandbox.close()

    return run


async def test_an_answer_comes_back_with_its_bytes(sandboxed):
    source = "def work(asked, content): return {'n': asked['n']}, content[::-1]"
    answer = await sandboxed(source, b"abc" * MEGABYTE, n=7)
    assert (answer.header, answer.body) == ({"n": 7}, b"cba" * MEGABYTE)


async def test_memory_is_limited(sandboxed):
    source = "def work(asked, content): return {'taken': len(bytearray(asked['size']))}, b''"
    small = await sandboxed(source, size=50 * MEGABYTE)
    large = await sandboxed(source, size=300 * MEGABYTE)
    assert small.header == {"taken": 50 * MEGABYTE}
    assert large.header == {"fault": "out-of-memory"}


async def test_computing_time_is_limited(sandboxed):
    # Of the processor: on a busy machine a second of it takes many by the clock on the wall.
    limits = Limits(cpu_seconds=1, wall_seconds=60.0)
    before = computed_by_children()
    with pytest.raises(Died) as death:
        await sandboxed("def work(asked, content):\n while True: pass", limits=limits)
    assert death.value.reason == "crash"
    assert 0.9 < computed_by_children() - before < 2.9


def computed_by_children() -> float:
    """Seconds of the processor that ended children of this process have taken."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


async def test_waiting_time_is_limited(sandboxed):
    limits = Limits(wall_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(Died) as death:
        await sandboxed("import time\ndef work(asked, content): time.sleep(60)", limits=limits)
    assert death.value.reason == "time"
    assert time.monotonic() - began < 10, "not the minute that the file would take"


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        ("open('/etc/passwd').read()", "OSError"),
        ("open('/tmp/ikomek-left-behind', 'w')", "OSError"),
        ("socket.socket()", "OSError"),
        ("os.pipe()", "OSError"),
    ],
)
async def test_nothing_more_can_be_opened(sandboxed, deed, error):
    source = f"import os, socket\ndef work(asked, content):\n return {{'got': str({deed})}}, b''"
    answer = await sandboxed(source)
    assert answer.header == {"fault": "failed", "error": error}


async def test_no_secret_of_the_server_is_in_reach(sandboxed, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    source = "import os\ndef work(asked, content): return dict(os.environ), os.getcwd().encode()"
    answer = await sandboxed(source)
    assert set(answer.header) <= {"LC_ALL", "MALLOC_ARENA_MAX"}
    assert answer.body == b"/"


async def test_the_limits_stand_as_promised(sandboxed):
    source = (
        "import resource as r\ndef work(asked, content):\n"
        " return {n: r.getrlimit(getattr(r, n)) for n in asked['names']}, b''"
    )
    names = ["RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC"]
    answer = await sandboxed(source, limits=Limits(), names=names)
    expected = {**Limits().for_kernel(), "RLIMIT_NOFILE": 3}
    assert answer.header == {name: [expected[name]] * 2 for name in names}
    assert Limits().memory == 1024**3


async def test_children_of_a_hostile_file_die_with_it(tmp_path):
    """As root a fork is allowed, so the whole group must go; else the fork itself fails."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, time\ndef work(asked, content):\n"
        " child = os.fork()\n"
        " if not child: time.sleep(60)\n"
        " return {'child': child}, b''"
    )
    sandbox = Sandbox(program, spares=0)
    answer = await sandbox.run({}, b"")
    await sandbox.close()
    if "child" in answer.header:
        assert await gone(answer.header["child"])
    else:
        assert answer.header["fault"] == "failed"


async def gone(pid: int) -> bool:
    for _ in range(100):
        if state(pid) in ("gone", "Z"):
            # An orphan may wait for its reaper; it runs no more.
            return True
        await asyncio.sleep(0.02)
    return False


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


@pytest.mark.parametrize(
    "said",
    [
        "b''",
        "b'x'",
        "b'\\xff' * 8",
        "b'\\0\\0\\0\\2\\0\\0\\0\\0[]'",
        "b'\\0\\0\\0\\2\\0\\0\\0\\0{{'",
        "b'\\0\\0\\0\\2\\x7f\\0\\0\\0{}'",
    ],
)
async def test_a_lying_answer_is_no_answer(sandboxed, said):
    source = f"import os\ndef work(asked, content): os.write(1, {said}); os._exit(0)"
    with pytest.raises(Died):
        await sandboxed(source)


async def test_an_answer_too_long_to_be_read_holds_nobody_up(sandboxed):
    """The pipe is widened, so that more arrives at once than the reader takes."""
    source = (
        "import fcntl, os\ndef work(asked, content):\n"
        " fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)\n"
        " while True: os.write(1, b'\\xff' * (1 << 19))"
    )
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        async with asyncio.timeout(10):
            with pytest.raises(Died):
                await sandboxed(source)
    await asyncio.sleep(0.05)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


async def test_a_process_that_dies_while_it_is_written_to_is_no_answer(sandboxed):
    source = "import os\ndef work(asked, content): os.kill(os.getpid(), 11)"
    with pytest.raises(Died):
        await sandboxed(source, bytes(8 * MEGABYTE))


async def test_a_program_that_cannot_start_is_not_the_files_fault(sandboxed):
    with pytest.raises(Unavailable):
        await sandboxed("raise RuntimeError")


async def test_a_picture_beyond_the_memory_is_refused_and_the_next_one_is_served():
    limits = Limits(memory=150 * MEGABYTE)
    cleaner = MediaCleaner(Sandbox(IMAGE_WORKER, limits))
    async with cleaner:
        with pytest.raises(Invalid) as refusal:
            await cleaner.clean(files.picture("PNG", (6000, 6000), "L"), None)
        assert refusal.value.faults[0].rule == "too-many-pixels"
        assert (await cleaner.clean(files.picture(), None)).width == 64


@pytest.mark.parametrize(
    "said",
    [
        "{'media_type': 'text/html', 'width': 1, 'height': 1}, b'<html>'",
        "{'media_type': 'image/jpeg', 'width': 1, 'height': 1}, b'<html>'",
        "{'media_type': 'image/jpeg', 'width': 10**9, 'height': 1}, b'\\xff\\xd8\\xff'",
        "{'media_type': ['image/jpeg'], 'width': 1, 'height': 1}, b'\\xff\\xd8\\xff'",
        "{}, b''",
    ],
)
async def test_a_worker_that_was_taken_over_is_not_believed(tmp_path, said):
    program = tmp_path / "program.py"
    program.write_text(f"def work(asked, content): return {said}")
    async with MediaCleaner(Sandbox(program)) as cleaner:
        with pytest.raises(Invalid) as refusal:
            await cleaner.clean(files.picture(), None)
    assert refusal.value.faults[0].rule == "damaged"


async def test_no_more_files_at_once_than_allowed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import time\ndef work(asked, content): time.sleep(0.3); return {}, b''")
    sandbox = Sandbox(program, at_once=2, spares=2)
    await sandbox.warm()
    began = time.monotonic()
    await asyncio.gather(*(sandbox.run({}, b"") for _ in range(4)))
    await sandbox.close()
    assert time.monotonic() - began >= 0.6


async def test_a_closed_cleaner_leaves_no_process_behind():
    before = children()
    async with MediaCleaner() as cleaner:
        assert children() - before
        await cleaner.clean(files.picture(), None)
    assert not children() - before


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_a_spare_process_that_died_is_replaced():
    before = children()
    async with MediaCleaner() as cleaner:
        for pid in map(int, children() - before):
            os.kill(pid, 9)
            # Reaped by our own loop, not by init: then the pool can know of it.
            assert await gone(pid)
        await asyncio.sleep(0.2)
        assert (await cleaner.clean(files.picture(), None)).width == 64
