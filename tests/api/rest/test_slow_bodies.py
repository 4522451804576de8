"""A body that does not come is not waited for."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.types import Message, Receive, Scope, Send

from api import punctual
from api.settings import Settings
from domain.access import Role
from tests.support.live import serving
from tests.support.rest import Callers, make_callers_app

PATIENCE = 1.5


@pytest.fixture(scope="module")
def base(settings: Settings) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(punctual, "SECONDS", PATIENCE)
        with serving(make_callers_app(settings, rate_limit=0)) as url:
            yield url


class Line:
    """A connection over which a request is written by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, base: str) -> "Line":
        where = urlsplit(base)
        return cls(*await asyncio.open_connection(where.hostname, where.port))

    async def say(self, part: bytes) -> None:
        self._writer.write(part)
        await self._writer.drain()

    async def begin(self, path: str, length: int, **headers: str) -> None:
        told = {"host": "here", "content-length": str(length), **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
        await self.say(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode())

    async def answer(self) -> tuple[int, bytes]:
        async with asyncio.timeout(60):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await self._reader.readexactly(length)
        self._writer.close()
        return int(head.split(b" ")[1]), body


@pytest.fixture
def operator(callers: Callers) -> dict[str, str]:
    return {
        "authorization": f"Bearer {callers.tokens[Role.OPERATOR]}",
        "content_type": "application/json",
        "idempotency_key": "slow",
        "accept_language": "ru",
    }


async def test_whoever_stops_in_the_middle_is_told_so(base: str, operator: dict[str, str]):
    line = await Line.to(base)
    await line.begin("/v1/appeals", 5_000, **operator)
    await line.say(b'{"service": ')
    status, body = await line.answer()
    problem = json.loads(body)
    assert (status, problem["code"]) == (408, "body-too-slow")
    assert "Данные не пришли" in problem["detail"]


async def test_whoever_sends_drop_by_drop_is_not_waited_for(base: str, operator: dict[str, str]):
    line = await Line.to(base)
    await line.begin("/v1/appeals", 5_000, **operator)

    async def drop() -> None:
        while True:
            await line.say(b" ")
            await asyncio.sleep(0.1)

    dropping = asyncio.create_task(drop())
    status, _ = await line.answer()
    dropping.cancel()
    assert status == 408


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/graphql", "application/json"),
        ("/oauth/token", "application/x-www-form-urlencoded"),
        ("/v1/triage", "application/json"),
    ],
)
async def test_at_every_door(base: str, operator: dict[str, str], path: str, kind: str):
    line = await Line.to(base)
    who = operator if path.startswith("/v1") else {}
    await line.begin(path, 5_000, **{**who, "content_type": kind})
    await line.say(b"{")
    assert (await line.answer())[0] == 408


async def test_whoever_goes_on_sending_has_the_time_that_it_takes(
    base: str, operator: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    # Each part earns as much time as the pause after it takes, many times over.
    monkeypatch.setattr(punctual, "SLOWEST", 100)
    body = b'{"query": "{ __typename }"' + b" " * 4_000 + b"}"
    line = await Line.to(base)
    await line.begin("/graphql", len(body), content_type="application/json")
    for start in range(0, len(body), 1_000):
        await line.say(body[start : start + 1_000])
        await asyncio.sleep(PATIENCE / 2)
    status, answer = await line.answer()
    assert (status, json.loads(answer)["data"]) == (200, {"__typename": "Query"})


async def test_nobody_earns_a_long_silence_by_a_quick_beginning(
    base: str, operator: dict[str, str]
):
    line, loop = await Line.to(base), asyncio.get_running_loop()
    await line.begin("/v1/appeals", 900_000, **operator)
    # Worth fifty seconds, if it were saved up.
    await line.say(b" " * 400_000)
    begun = loop.time()
    assert (await line.answer())[0] == 408
    assert loop.time() - begun < 25


async def test_nobody_is_blamed_for_what_the_house_did_before_it_read(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(punctual, "SECONDS", 0.2)
    got: list[Message] = []

    async def busy(_: Scope, receive: Receive, __: Send) -> None:
        await asyncio.sleep(0.4)
        got.append(await receive())

    async def receive() -> Message:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(_: Message) -> None:
        """Nothing is answered."""

    await punctual.Punctual(busy)({"type": "http"}, receive, send)
    assert got[0]["body"] == b"{}"
