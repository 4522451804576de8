"""Auditing with all cores: lines of an export are judged beside, and put together in order."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson

from api.commands.console import Failure
from domain.register.audit import Audit
from domain.register.checkpoint import Key, parse_key
from domain.register.export import FORM, Digest, Other, read
from integrations.vault.signer import verify

CHUNK = 4000
"""Lines that are judged at a time; fewer are not worth a process."""

Lines = list[bytes]
Tell = Callable[[int], None]


async def judge(
    audit: Audit, city: str, chunks: AsyncIterator[Lines], tell: Tell, *, processes: int = 0
) -> None:
    """Bring all chunks before the audit, in order. `tell` hears how many lines are done."""
    workers = processes or os.cpu_count() or 1
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
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


async def audit_file(
    export: Path, keys: Sequence[str], kept: Sequence[Path], tell: Tell, *, processes: int = 0
) -> Audit:
    """Audit an export alone. Raises Failure where it is none."""
    with export.open("rb") as file:
        head = _header(file.readline(), export)

        async def chunks() -> AsyncIterator[Lines]:
            for lines in gathered(iter(file)):
                yield lines

        audit = make_audit(head["origin"], keys or head["keys"], kept)
        await judge(audit, head["city"], chunks(), tell, processes=processes)
    return audit


def make_audit(origin: str, keys: Sequence[str], kept: Sequence[Path]) -> Audit:
    """An audit that trusts these keys and knows these older checkpoints. Raises Failure."""
    return Audit(origin, trusted(keys), verify, [path.read_text() for path in kept])


def trusted(keys: Sequence[str]) -> list[Key]:
    """Verifier keys of their texts. Raises Failure."""
    try:
        return [parse_key(key) for key in keys]
    except ValueError as error:
        raise Failure(f"A key cannot be read: {error}.", status=2) from error


def _header(line: bytes, export: Path) -> dict[str, Any]:
    try:
        head: dict[str, Any] = orjson.loads(line)
        if head["register"] == FORM and {"origin", "city", "keys"} <= set(head):
            return head
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise Failure(f"{export} is no export of a register.", "Write one: ikomek register export FILE")
