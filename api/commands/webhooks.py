"""Webhooks at a developer's desk: hear the city's events on one's own machine, and try a receiver.

Both commands speak to any server over HTTP with a token, and know no database.
"""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx2
import orjson
from cyclopts import App, Parameter

from api.clock import real
from api.commands.console import Failure, note, out, say
from domain.values import new_id
from domain.webhooks.secrets import SECRET_BYTES, new_secret
from integrations.webhooks.signing import headers as signed

WAIT = 25
"""Seconds that the server holds a question to which there is no answer yet."""
PATIENCE = 15.0
"""Seconds for the local program, as for every receiver."""
LONGEST_PAUSE = 30.0
GOING_ON = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may be another in a moment."""

app = App(name="webhooks", help="Webhooks at a developer's desk: listen, trigger.")

Texts = Annotated[tuple[str, ...], Parameter(name="--type", negative="")]
Flag = Annotated[bool, Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Server:
    """Which server, and who asks.

    Parameters
    ----------
    url
        Where the API is.
    token
        A token that may read events (listen) or manage endpoints (trigger); else IKOMEK_TOKEN.
    """

    url: str = "http://127.0.0.1:8109"
    token: str | None = None

    def open(self) -> httpx2.Client:
        """A client of the server. Raises Failure without a token."""
        token = self.token or os.environ.get("IKOMEK_TOKEN")
        if not token:
            raise Failure("There is no token.", "Name one: --token, or IKOMEK_TOKEN.", status=2)
        return httpx2.Client(
            base_url=self.url,
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(10.0, read=WAIT + 15.0),
        )


HERE = Server()


@app.command
def listen(
    *,
    forward_to: str,
    server: Server = HERE,
    types: Texts = (),
    secret: str | None = None,
    from_start: Flag = False,
    state: Path | None = None,
) -> None:
    """Forward your organisation's events to a program on this machine, signed as the platform does.

    The program sees what it would see behind a public address: the same body, the same three
    headers. What it answers is printed and not tried again. Ctrl-C ends it.

    Parameters
    ----------
    forward_to
        The program's URL, http://localhost:3000/hooks for instance.
    types
        Of these types only; repeat it for several.
    secret
        Sign with this whsec_… secret; else with a fresh one, which is printed.
    from_start
        Begin with the oldest event kept instead of with what comes.
    state
        A file that remembers how far it came, so that the next run goes on there.
    """
    chosen = secret or new_secret(secrets.token_bytes(SECRET_BYTES))
    with server.open() as asking, httpx2.Client(timeout=PATIENCE) as giving:
        ear = Listener(asking, giving, forward_to, chosen, types, from_start, state)
        ear.begin()
        say(f"Ready. Your signing secret is {chosen}")
        note(f"Forwarding to {forward_to}; Ctrl-C ends.")
        while True:
            ear.turn()


@app.command
def trigger(kind: str, /, *, endpoint: UUID | None = None, server: Server = HERE) -> None:
    """Send an example of a type of event to an endpoint of your own.

    Parameters
    ----------
    kind
        The type, clock.breached for instance; GET /v1/event-types names them all.
    endpoint
        The endpoint's id; needed where there are several.
    """
    with server.open() as asking:
        target = endpoint or _only_endpoint(asking)
        answer = asking.post(
            f"/v1/webhook-endpoints/{target}/trigger",
            json={"type": kind},
            headers={"idempotency-key": str(new_id())},
        )
        _require(answer)
        out.print(answer.json()["delivery"], markup=False)
        note(f"On its way; its log: GET /v1/webhook-endpoints/{target}/deliveries")


@dataclass
class Listener:
    """Reads the feed and gives on what it finds; a loss of either side is waited for."""

    asking: httpx2.Client
    giving: httpx2.Client
    target: str
    secret: str
    types: tuple[str, ...] = ()
    from_start: bool = False
    state: Path | None = None
    sleep: Callable[[float], None] = time.sleep
    cursor: str | None = field(default=None, init=False)
    failures: int = field(default=0, init=False)

    def begin(self) -> None:
        """Find the place to begin at, before anybody is told that it is ready. Raises Failure."""
        if self.state is not None and self.state.exists():
            self.cursor = self.state.read_text().strip() or None
        while self.cursor is None and not self.from_start:
            self._read({"start": "newest", "limit": 1})

    def turn(self) -> None:
        """One question to the feed, and whatever it brings given on. Raises Failure where asking
        again would bring no other answer.
        """
        query: dict[str, Any] = {"wait": WAIT, "type": list(self.types)}
        if self.cursor is not None:
            query["after"] = self.cursor
        for item in self._read(query):
            self._forward(item["id"], orjson.dumps(item["message"]))
        if self.state is not None and self.cursor is not None:
            self.state.write_text(self.cursor)

    def _read(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            answer = self.asking.get("/v1/events", params=query)
        except httpx2.TransportError as error:
            self._lost(type(error).__name__)
            return []
        if answer.status_code in GOING_ON:
            self._lost(f"it answers {answer.status_code}")
            return []
        _require(answer)
        if self.failures:
            note("The server is back; nothing was missed.")
        self.failures = 0
        found: dict[str, Any] = answer.json()
        self.cursor = found["next"]
        items: list[dict[str, Any]] = found["items"]
        return items

    def _lost(self, why: str) -> None:
        if self.failures == 0:
            note(f"The server is away ({why}); waiting for it.")
        self.failures += 1
        self.sleep(min(2.0 ** (self.failures - 1), LONGEST_PAUSE))

    def _forward(self, id: str, body: bytes) -> None:
        message = orjson.loads(body)
        head = {"content-type": "application/json", **signed([self.secret], id, real(), body)}
        began = time.monotonic()
        try:
            said = str(self.giving.post(self.target, content=body, headers=head).status_code)
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            said = type(error).__name__
        took = (time.monotonic() - began) * 1000
        about = message["data"].get("number") or message["data"].get("id", "")
        say(f"{real():%H:%M:%S}  {message['type']:<24}  {about:<18}  {said}  {took:.0f} ms  {id}")


def _only_endpoint(asking: httpx2.Client) -> str:
    answer = asking.get("/v1/webhook-endpoints")
    _require(answer)
    found: list[dict[str, str]] = answer.json()["items"]
    if len(found) != 1:
        raise Failure(
            f"Your organisation has {len(found)} endpoints.", "Name one: --endpoint.", status=2
        )
    return found[0]["id"]


def _require(answer: httpx2.Response) -> None:
    """Raise Failure in the server's own words unless it did what was asked."""
    if answer.is_success:
        return
    try:
        said = answer.json()
        faults = "; ".join(f"{one['pointer']} {one['message']}" for one in said.get("errors", ()))
        sentence = f"{said['title']}: {said['detail']} {faults}".strip()
    except (ValueError, KeyError, TypeError):
        sentence = f"The server answers {answer.status_code}, and no platform speaks so."
    raise Failure(sentence)
