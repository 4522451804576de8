"""Runs one program on one hostile file in a process of its own that can do no harm.

Each file gets a fresh process (`confined.py`), so that a file which takes its process
over meets no other resident's file there. One process waits ready in advance, because
to start Python and Pillow costs more than to redraw a usual photo.
"""

import asyncio
import contextlib
import json
import os
import signal
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from domain.errors import Unavailable

CONFINED = Path(__file__).with_name("confined.py")
LENGTHS = struct.Struct(">II")
MAX_HEADER = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process may use: bytes, seconds, descriptors."""

    memory: int = 1024**3
    cpu_seconds: int = 10
    wall_seconds: float = 15.0
    written_bytes: int = 0
    open_files: int = 32
    answer_bytes: int = 96 * 1024**2

    def for_kernel(self) -> Mapping[str, int]:
        """The limits that the process lays upon itself, by name of setrlimit(2)."""
        return {
            "RLIMIT_AS": self.memory,
            "RLIMIT_CPU": self.cpu_seconds,
            "RLIMIT_FSIZE": self.written_bytes,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_NPROC": 0,
            "RLIMIT_CORE": 0,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program said: facts and bytes. Both come from a hostile place."""

    header: Mapping[str, Any]
    body: bytes


class Died(Exception):
    """The process gave no answer. `reason` is `time` or `crash`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sandbox:
    """At most `at_once` files at a time, with `spares` processes ready in advance."""

    def __init__(
        self, program: Path, limits: Limits | None = None, *, at_once: int = 2, spares: int = 1
    ) -> None:
        self._program = program
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(at_once)
        self._wanted = spares
        self._spares: list[Process] = []
        self._refilling: asyncio.Task[None] | None = None

    async def run(self, header: Mapping[str, Any], content: bytes) -> Answer:
        """The program's answer. Raises Died, or Unavailable when no process can start."""
        async with self._turns:
            process = self._living_spare() or await self._start()
            try:
                async with asyncio.timeout(self._limits.wall_seconds):
                    return await self._exchange(process, header, content)
            except TimeoutError:
                raise Died("time") from None
            except (OSError, EOFError, ValueError):
                raise Died("crash") from None
            finally:
                await _end(process)
                self._refill()

    async def warm(self) -> None:
        """Make the spare processes ready now rather than after the first file."""
        while len(self._spares) < self._wanted:
            self._spares.append(await self._start())

    async def close(self) -> None:
        """End the spare processes. A sandbox may be used again afterwards."""
        if self._refilling:
            await self._refilling
        while self._spares:
            await _end(self._spares.pop())

    def _living_spare(self) -> Process | None:
        # A spare that was killed while it waited must not be held against the next file.
        while self._spares:
            if (spare := self._spares.pop()).returncode is None:
                return spare
        return None

    def _refill(self) -> None:
        if self._refilling is None or self._refilling.done():
            self._refilling = asyncio.create_task(self._warm_quietly())

    async def _warm_quietly(self) -> None:
        # No spare is no harm: the next file then starts its own, or hears that it cannot.
        with contextlib.suppress(Unavailable):
            await self.warm()

    async def _start(self) -> Process:
        try:
            process = await self._spawn()
        except OSError:
            raise Unavailable(what="media-sandbox") from None
        try:
            async with asyncio.timeout(self._limits.wall_seconds):
                await self._read(process)
        except (TimeoutError, OSError, EOFError, ValueError):
            await _end(process)
            raise Unavailable(what="media-sandbox") from None
        return process

    async def _spawn(self) -> Process:
        limits = json.dumps(self._limits.for_kernel())
        # A session of its own, to be killed as a group; no environment, so no secrets.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", str(CONFINED), str(self._program), limits),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},
            start_new_session=True,
        )

    async def _exchange(
        self, process: Process, header: Mapping[str, Any], content: bytes
    ) -> Answer:
        stdin = cast(asyncio.StreamWriter, process.stdin)
        encoded = json.dumps(header).encode()
        stdin.write(LENGTHS.pack(len(encoded), len(content)) + encoded)
        stdin.write(content)
        await stdin.drain()
        return await self._read(process)

    async def _read(self, process: Process) -> Answer:
        stdout = cast(asyncio.StreamReader, process.stdout)
        prefix = await stdout.readexactly(LENGTHS.size)
        header_length, body_length = LENGTHS.unpack(prefix)
        if header_length > MAX_HEADER or body_length > self._limits.answer_bytes:
            raise ValueError("an answer beyond its bounds")
        header = json.loads(await stdout.readexactly(header_length))
        if not isinstance(header, dict):
            raise ValueError("an answer without a header")
        return Answer(header, await stdout.readexactly(body_length))


async def _end(process: Process) -> None:
    """Kill the process with all that it started, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # An answer that nobody reads to its end would keep its pipe open, and `wait` with it.
    process._transport.close()  # type: ignore[attr-defined]
    await process.wait()
