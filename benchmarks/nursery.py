"""Programs of the platform that are born grown: forked from a process that has imported them all.

    python -m benchmarks.nursery

A start of `ikomek worker` is two seconds of imports, and a machine that is struck starts half a
dozen of them at once: most of a round of benchmarks.kill would be Python reading itself. What is
forked here has imported the modules and done nothing else: it reads its environment, opens its
database and its sockets itself, and is killed like any process.

It reads a line of JSON for each order and answers with one:

    {"start": ["worker"], "environment": {…}, "log": "/…/worker.log"}  →  {"pid": 4711}
    {"ended": 4711}  →  {"code": null}, while it runs, else its exit code, or minus the signal

It has no thread, since it forks. What it bore ends with it, and it ends with its standard input.
"""

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GROWN = (
    "api.cli", "api.app", "api.worker.process", "api.worker.scheduler", "api.commands.roles",
    "api.commands.clocks", "api.commands.demo", "api.commands.migrate", "api.commands.register",
    "granian.server",
)  # fmt: skip
"""What the commands import when they are run."""


class Nursery:
    """The process, and who asks it. One at a time: it answers in turn."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.nursery"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Start `ikomek COMMAND` in a group of its own; its process id."""
        answer = self._ask(start=list(command), environment=dict(environment), log=str(log))
        return int(answer["pid"])

    def code(self, pid: int) -> int | None:
        """How it ended; None while it runs."""
        code = self._ask(ended=pid)["code"]
        return None if code is None else int(code)

    def run(
        self, commands: Sequence[Sequence[str]], environment: Mapping[str, str], folder: Path
    ) -> list[tuple[int, str]]:
        """Each command's exit code and what it said, once all of them have ended; side by side."""
        logs = [folder / f"command-{'-'.join(command)}.log" for command in commands]
        pids = [
            self.start(command, environment, log)
            for command, log in zip(commands, logs, strict=True)
        ]
        ended = []
        for pid, log in zip(pids, logs, strict=True):
            while (code := self.code(pid)) is None:
                time.sleep(0.02)
            ended.append((code, log.read_text(errors="replace")))
        return ended

    def close(self) -> None:
        """Let it go, and whatever it bore."""
        self._process.communicate()

    def _ask(self, **order: object) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the nursery is not open")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _serve() -> None:
    for name in GROWN:
        importlib.import_module(name)
    # What was made by now stays, and is shared by all that are born.
    gc.freeze()
    born: dict[int, int | None] = {}
    for line in sys.stdin:
        order = json.loads(line)
        _reap(born)
        if "start" in order:
            pid = _bear(order["start"], order["environment"], order["log"])
            born[pid] = None
            answer: dict[str, object] = {"pid": pid}
        else:
            answer = {"code": born[order["ended"]]}
        print(json.dumps(answer), flush=True)
    for pid, code in born.items():
        if code is None:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def _reap(born: dict[int, int | None]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        born[pid] = os.waitstatus_to_exitcode(status)


def _bear(command: Sequence[str], environment: Mapping[str, str], log: str) -> int:
    pid = os.fork()
    # Here and there: whoever strikes a moment later strikes its group.
    with suppress(OSError):
        os.setpgid(pid, pid)
    if pid:
        return pid
    code = 1
    try:
        _be(command, environment, log)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        # Neither what the nursery left to do at its end nor its standard input is ours.
        os._exit(code)
    return 0


def _be(command: Sequence[str], environment: Mapping[str, str], log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    book = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, place in ((nothing, 0), (book, 1), (book, 2)):
        os.dup2(source, place)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["ikomek", *command]
    from api.cli import main

    main()


if __name__ == "__main__":
    _serve()
