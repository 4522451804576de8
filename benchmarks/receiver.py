"""A receiver of webhooks in a process of its own: it keeps whatever arrives, byte by byte.

    python -m benchmarks.receiver PORT FILE

It costs little, since it shares the machine with what it is to measure, so it judges nothing while
it runs: a `Book` gives back what came, and `Arrival.verified` asks the standard's own library.
The path tells how it answers: `/slow` after six seconds, `/hang` never, any other at once.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import uvloop
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
SLOW = 6.0
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it came; `at` is Unix time in seconds."""

    at: float
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The id by which a receiver drops repeats."""
        return self.headers.get("webhook-id", "")

    def said(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    def verified(self, secrets: Sequence[str]) -> bool:
        """Whether the reference library takes it with every one of these secrets.

        It judges the age of a message by its own clock, so ask within five minutes.
        """
        return all(self._taken(secret) for secret in secrets)

    def _taken(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, dict(self.headers))
        except WebhookVerificationError:
            return False
        return True


class _Line(asyncio.Protocol):
    def __init__(self, book: IO[bytes]) -> None:
        self._book = book
        self._held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(_END)) >= 0:
            head = bytes(self._held[:end])
            start = head.lower().find(b"content-length:") + len(b"content-length:")
            length = int(head[start:].split(b"\r\n", 1)[0])
            stop = end + len(_END) + length
            if len(self._held) < stop:
                return
            self._keep(head, bytes(self._held[end + len(_END) : stop]))
            del self._held[:stop]

    def _keep(self, head: bytes, body: bytes) -> None:
        self._book.write(b"%.6f %d %d\n%s%s" % (time.time(), len(head), len(body), head, body))
        path = head.split(b" ", 2)[1]
        if path.startswith(b"/slow"):
            asyncio.get_running_loop().call_later(SLOW, self._answer)
        elif not path.startswith(b"/hang"):
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(OK)


async def _serve(port: int, file: Path) -> None:
    loop = asyncio.get_running_loop()
    with file.open("ab") as book:
        await loop.create_server(lambda: _Line(book), "127.0.0.1", port, backlog=4096)
        print("ready", flush=True)
        while True:
            await asyncio.sleep(0.05)
            book.flush()


class Book:
    """What a receiver writes down, read as it grows."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._place = 0

    def fresh(self) -> list[Arrival]:
        """What arrived since the last look and is written down whole, in its order."""
        with self._file.open("rb") as book:
            book.seek(self._place)
            held = book.read()
        found, place = [], 0
        while (end := held.find(b"\n", place)) >= 0:
            at, head, body = held[place:end].split(b" ")
            middle, stop = end + 1 + int(head), end + 1 + int(head) + int(body)
            if stop > len(held):
                break
            found.append(_arrival(float(at), held[end + 1 : middle], held[middle:stop]))
            place = stop
        self._place += place
        return found


def _arrival(at: float, head: bytes, body: bytes) -> Arrival:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    return Arrival(at, first.split(" ")[1], headers, body)


@contextmanager
def receiving(port: int, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A receiver at work on this port, writing into this file."""
    command = [sys.executable, "-m", "benchmarks.receiver", str(port), str(file)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise RuntimeError("the receiver does not listen")
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
