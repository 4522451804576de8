"""A client as light as one can be in Python: keep-alive sockets, requests made beforehand.

It shares the machine's cores with what it measures, so it must cost little: about 40 µs a call.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Request = Callable[[], bytes]


@dataclass(slots=True)
class Tally:
    """What came back: seconds of each call, and how many calls were not answered as hoped."""

    took: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.took) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Milliseconds within which this share of the calls was answered."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


class Line:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        length = int(lower[start : lower.index(b"\r\n", start)])
        body = await self._reader.readexactly(length)
        return int(head[9:12]), body

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def saturate(port: int, request: Request, *, lines: int, seconds: float, good: int) -> Tally:
    """As many calls as `lines` connections can make, each waiting for its answer."""
    tally = Tally()
    started = time.perf_counter()

    async def one() -> None:
        line = Line(port)
        await line.open()
        while time.perf_counter() - started < seconds:
            await _timed(line, request(), good, tally)
        line.close()

    await asyncio.gather(*(one() for _ in range(lines)))
    tally.seconds = time.perf_counter() - started
    return tally


async def steady(
    port: int, request: Request, *, rate: float, seconds: float, lines: int, good: int
) -> Tally:
    """Calls at a fixed rate whether or not earlier ones were answered (open loop).

    A call's time counts from when it was due, so that a stall is not hidden.
    """
    tally = Tally()
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(lines):
        line = Line(port)
        await line.open()
        free.put_nowait(line)

    async def one(due: float) -> None:
        line = await free.get()
        await _timed(line, request(), good, tally, since=due)
        free.put_nowait(line)

    started = time.perf_counter()
    calls = []
    for number in range(int(rate * seconds)):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        calls.append(asyncio.create_task(one(due)))
    await asyncio.gather(*calls)
    tally.seconds = time.perf_counter() - started
    while not free.empty():
        free.get_nowait().close()
    return tally


async def _timed(
    line: Line, request: bytes, good: int, tally: Tally, since: float | None = None
) -> None:
    begun = time.perf_counter() if since is None else since
    status, _ = await line.ask(request)
    if status == good:
        tally.took.append(time.perf_counter() - begun)
    else:
        tally.failed += 1


def get(path: str, token: str) -> bytes:
    """A GET as bytes."""
    return (
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n"
    ).encode()


def post(path: str, token: str, key: str, body: bytes) -> bytes:
    """A POST of JSON as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        f"idempotency-key: {key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body
