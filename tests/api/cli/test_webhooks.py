"""Events at a developer's desk: a real server, a real program, the standard's verifier."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook

from api.app import create_app
from api.commands.webhooks import Listener
from domain.access import Role
from domain.webhooks.secrets import new_secret
from tests.support.appeals import SECRET, add_endpoint, register
from tests.support.city import KISHI
from tests.support.live import serving
from tests.support.sql import fetch

MINE = new_secret(bytes(range(1, 33)))


class Program:
    """A developer's program: keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.url = ""


@contextmanager
def program() -> Iterator[Program]:
    found = Program()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            head = {name.lower(): value for name, value in self.headers.items()}
            found.received.append((head, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_port}/hooks"
        try:
            yield found
        finally:
            server.shutdown()
            thread.join(10)


@pytest.fixture(scope="module")
async def token(house):
    return await house.tokens.issue(KISHI.id, name="dev", member=KISHI.ident("member-head"))


@pytest.fixture(scope="module")
def platform(settings):
    with serving(create_app(settings)) as url:
        yield url


def client(url, token):
    return httpx2.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60)


async def told(house):
    await register(house)
    await house.outbox.relay(house.now())


async def test_the_program_gets_what_a_webhook_would_bring_and_can_verify_it(
    house, platform, token, tmp_path, capsys
):
    endpoint = await add_endpoint(house)
    state = tmp_path / "cursor"
    with program() as mine, client(platform, token) as asking, httpx2.Client() as giving:
        ear = Listener(asking, giving, mine.url, MINE, state=state)
        ear.begin()
        await told(house)
        ear.turn()
        rows = await fetch(
            house,
            "SELECT event_id, payload FROM delivery WHERE endpoint_id = $1 ORDER BY sequence",
            endpoint.id,
        )
        assert [(head["webhook-id"], body) for head, body in mine.received] == [
            (str(row["event_id"]), bytes(row["payload"])) for row in rows
        ]
        for head, body in mine.received:
            assert Webhook(MINE).verify(body, head)["type"].startswith("appeal.")
        line = capsys.readouterr().out.splitlines()[-1].split()
        assert line[1] == "appeal.assigned"
        assert "204" in line

        # The next run goes on where this one stopped.
        await told(house)
        again = Listener(asking, giving, mine.url, MINE, state=state)
        again.begin()
        again.turn()
    assert len(mine.received) == 4
    assert len({head["webhook-id"] for head, _ in mine.received}) == 4


async def test_a_server_that_is_away_is_waited_for_and_nothing_is_missed(house, settings, token):
    waits: list[float] = []
    with program() as mine, httpx2.Client() as giving:
        with serving(create_app(settings)) as url, client(url, token) as asking:
            ear = Listener(asking, giving, mine.url, MINE, sleep=waits.append)
            ear.begin()
        await told(house)
        with client(url, token) as asking:
            ear.asking = asking
            ear.turn()
            ear.turn()
        assert waits == [1.0, 2.0]
        assert mine.received == []
        with serving(create_app(settings)) as url, client(url, token) as asking:
            ear.asking = asking
            ear.turn()
        assert len(mine.received) == 2


async def test_a_program_that_is_away_is_told_and_passed_over(house, platform, token, capsys):
    with client(platform, token) as asking, httpx2.Client() as giving:
        ear = Listener(asking, giving, "http://127.0.0.1:9/hooks", MINE)
        ear.begin()
        await told(house)
        ear.turn()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all("ConnectError" in line for line in lines)


async def test_a_program_whose_answer_cannot_be_read_ends_nothing(house, platform, token, capsys):
    def spoilt(request):
        return httpx2.Response(200, headers={"content-encoding": "gzip"}, content=b"no gzip")

    with (
        client(platform, token) as asking,
        httpx2.Client(transport=httpx2.MockTransport(spoilt)) as giving,
    ):
        ear = Listener(asking, giving, "http://127.0.0.1:9/hooks", MINE)
        ear.begin()
        await told(house)
        ear.turn()
    assert capsys.readouterr().out.count("DecodingError") == 2


async def test_an_example_is_sent_to_an_endpoint_of_ones_own(
    house, platform, token, nowhere, monkeypatch
):
    monkeypatch.setenv("IKOMEK_TOKEN", token)
    await fetch(house, "UPDATE webhook_endpoint SET removed_at = now(), enabled = false")
    endpoint = await add_endpoint(house, secrets=(SECRET,))
    answer = nowhere("webhooks", "trigger", "clock.breached", "--url", platform)
    assert answer.status == 0, answer.err
    (row,) = await fetch(
        house, "SELECT id, type, payload FROM delivery WHERE endpoint_id = $1", endpoint.id
    )
    assert answer.out.strip() == str(row["id"])
    assert row["type"] == "clock.breached"
    assert b"TEST-2026-000109" in bytes(row["payload"])
    refused = nowhere("webhooks", "trigger", "appeal.burned", "--url", platform)
    assert refused.status == 1
    assert "/type" in refused.err


def test_without_a_token_it_says_what_to_do(nowhere, monkeypatch):
    monkeypatch.delenv("IKOMEK_TOKEN", raising=False)
    answer = nowhere("webhooks", "listen", "--forward-to", "http://localhost:3000")
    assert answer.status == 2
    assert "IKOMEK_TOKEN" in answer.err


async def test_a_token_that_may_not_is_told_in_the_servers_own_words(
    house, platform, nowhere, monkeypatch
):
    operator = await house.tokens.issue(
        KISHI.id, name="op", member=KISHI.ident(f"member-{Role.OPERATOR}")
    )
    monkeypatch.setenv("IKOMEK_TOKEN", operator)
    began = time.monotonic()
    answer = nowhere(
        "webhooks", "listen", "--forward-to", "http://localhost:3000", "--url", platform
    )
    assert answer.status == 1
    assert "events:read" in answer.err
    assert time.monotonic() - began < 10
