"""Child processes kept alive: one that ends is started again, later each time it ends at once."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from api.commands.console import note
from api.commands.environment import KEPT_BACK
from integrations.postgres.descent import die_with_parent

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY = 60.0
"""Seconds after which a child counts as having stood."""


class Child:
    """One role of the platform in a process group of its own.

    `log` is the file that takes its output; None: it shares ours.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path | None = None,
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", "api.cli", *arguments]
        kept = {name: value for name, value in os.environ.items() if name not in KEPT_BACK}
        self._environment = {**kept, **environment}
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and keep it running from now on."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self, grace: float) -> None:
        """Ask it to end; after `grace` seconds whatever is left of its group is killed."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace)
        if process.returncode is None:
            note(f"The {self.name} did not end within {grace:.0f} s and is killed.")
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _keep(self) -> None:
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while True:
            began = loop.time()
            self._process = await self._spawn()
            status = await self._process.wait()
            # What the dead one leaves behind would hold its port.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process = None
            if loop.time() - began > STEADY:
                pause = FIRST_PAUSE
            note(f"The {self.name} ended ({_reason(status)}); it starts again in {pause:g} s.")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _spawn(self) -> asyncio.subprocess.Process:
        if self._log is None:
            return await self._execute(None)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        # Opening and closing a local file does not hold the loop up.
        with open(self._log, "ab") as output:  # noqa: ASYNC230
            return await self._execute(output.fileno())

    async def _execute(self, output: int | None) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C reaches us alone, so that we can end the children in their order.
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


def _reason(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
