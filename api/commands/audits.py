"""Auditing with all cores: lines of an export are judged beside, and put together in order."""

import asyncio
import gc
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from api.commands.console import Failure
from domain.ports import Keyring
from domain.register.audit import BEHIND, MOST, Audit
from domain.register.checkpoint import COSIGNATURE, NOTE, Key, parse_key
from domain.register.export import FORM, Digest, Other, aware, read
from domain.register.findings import Finding
from integrations.postgres import account_rows
from integrations.postgres.account_rows import EVERYTHING, Stretch
from integrations.postgres.doors import WORKER
from integrations.postgres.engine import open_engine
from integrations.postgres.log_export import LogExport, open_export
from integrations.vault.signer import verify

CHUNK = 4000
"""Lines that are judged at a time; fewer are not worth a process."""

Lines = list[bytes]
Tell = Callable[[int], None]


SELDOM = (100_000, 20, 100)
"""See gc.set_threshold."""


async def judge(
    audit: Audit, city: str, chunks: AsyncIterator[Lines], tell: Tell, *, processes: int = 0
) -> None:
    """Bring all chunks before the audit, in order. `tell` hears how many lines are done."""
    workers = processes or os.cpu_count() or 1
    loop = asyncio.get_running_loop()
    with _pool(workers) as pool, _seldom_collected():
        waiting: deque[tuple[asyncio.Future[list[Digest | Other]], int]] = deque()

        async def settle() -> None:
            judged, count = waiting.popleft()
            audit.take(await judged)
            tell(count)

        async for lines in chunks:
            if len(lines) < CHUNK and not waiting:
                audit.take(read(lines, city))
                tell(len(lines))
                continue
            judged = loop.run_in_executor(pool, read, lines, city)
            waiting.append((judged, len(lines)))
            if len(waiting) > 2 * workers:
                await settle()
        while waiting:
            await settle()


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_seldom)


def _seldom() -> None:
    """What is read is judged and let go, and never turns in a circle: a collector that looked for
    circles among thousands of rows took more than half of the reading.
    """
    gc.freeze()
    gc.set_threshold(*SELDOM)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """The same for the process that puts together what the others judged, while it does."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def judge_rows(
    log: LogExport, city: UUID, url: str, keyring: Keyring, tell: Tell
) -> list[Finding]:
    """Hold the rows of all appeals to their events. `tell` hears how many appeals are done.

    Each process reads and judges stretches for itself, all of one moment: to hand rows from one to
    another costs more than to judge them.
    """
    parts = await log.stretches()
    if len(parts) == 1:
        return await rows_of(log, keyring, tell)
    loop, found, moment = asyncio.get_running_loop(), list[Finding](), await log.share()
    jobs = [_Job(url, moment, city, keyring, part) for part in parts]
    with _pool(os.cpu_count() or 1) as pool, _seldom_collected():
        for running in [loop.run_in_executor(pool, _work, job) for job in jobs]:
            odd, count = await running
            found += odd[: MOST - len(found)]
            tell(count)
    return found


async def rows_of(
    log: LogExport,
    keyring: Keyring,
    tell: Tell,
    stretch: Stretch = EVERYTHING,
    number: str | None = None,
) -> list[Finding]:
    """What is wrong with the rows of a stretch of appeals, or of the one of a number."""
    found: list[Finding] = []
    async with aclosing(log.wholes(stretch, number)) as portions:
        async for portion in portions:
            found += account_rows.judge(portion, keyring)[: MOST - len(found)]
            tell(len(portion))
    return found


@dataclass(frozen=True, slots=True)
class _Job:
    """One stretch, for a process of its own."""

    url: str
    moment: str
    city: UUID
    keyring: Keyring
    stretch: Stretch


def _work(job: _Job) -> tuple[list[Finding], int]:
    return asyncio.run(_judge_stretch(job))


async def _judge_stretch(job: _Job) -> tuple[list[Finding], int]:
    engine = open_engine(job.url, pool_size=1, name="ikomek-audit", role=WORKER)
    seen: list[int] = []
    try:
        async with open_export(engine, job.city, shared=job.moment) as log:
            return await rows_of(log, job.keyring, seen.append, job.stretch), sum(seen)
    finally:
        await engine.dispose()


def gathered(lines: Iterator[bytes]) -> Iterator[Lines]:
    """Lines in chunks."""
    chunk: Lines = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@dataclass(frozen=True, slots=True)
class Believed:
    """What the auditor brings along: keys of the log and of witnesses, older checkpoints.

    Without `keys` the register's own word is taken. `behind` is how far a witness may be.
    """

    keys: Sequence[str] = ()
    witnesses: Sequence[str] = ()
    kept: Sequence[Path] = ()
    behind: timedelta = BEHIND


async def audit_file(export: Path, believed: Believed, tell: Tell, *, processes: int = 0) -> Audit:
    """Audit an export alone. Raises Failure where it is none."""
    with export.open("rb") as file:
        head = _header(file.readline(), export)

        async def chunks() -> AsyncIterator[Lines]:
            for lines in gathered(iter(file)):
                yield lines

        audit = make_audit(head["origin"], head["keys"], aware(head["at"]), believed)
        await judge(audit, head["city"], chunks(), tell, processes=processes)
    return audit


def make_audit(origin: str, own: Sequence[str], at: datetime, believed: Believed) -> Audit:
    """An audit of a register that names its `own` keys and was told `at`. Raises Failure."""
    return Audit(
        origin, trusted(believed.keys or own, NOTE), verify, at,
        kept=[path.read_text() for path in believed.kept],
        watch=trusted(believed.witnesses, COSIGNATURE), behind=believed.behind,
    )  # fmt: skip


def trusted(keys: Sequence[str], kind: int) -> list[Key]:
    """Verifier keys of their texts, all of one kind. Raises Failure."""
    try:
        found = [parse_key(key) for key in keys]
    except ValueError as error:
        raise Failure(f"A key cannot be read: {error}.", status=2) from error
    if any(key.kind != kind for key in found):
        raise Failure("--key takes a key of the log, --witness one of a witness.", status=2)
    return found


def _header(line: bytes, export: Path) -> dict[str, Any]:
    try:
        head: dict[str, Any] = orjson.loads(line)
        if head["register"] == FORM and {"origin", "city", "keys"} <= set(head):
            aware(head["at"])
            return head
    except (ValueError, KeyError, TypeError):
        pass
    raise Failure(f"{export} is no export of a register.", "Write one: ikomek register export FILE")
