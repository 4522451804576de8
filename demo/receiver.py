"""What an executor's dispatch system does with webhooks: verifies each, drops repeats."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import AF_INET, SOCK_STREAM, socket

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

SICK_FOR = 3
"""So many first tries the sick endpoint answers with 500."""


@dataclass(slots=True)
class Inbox:
    """What one endpoint got. `arrived` counts requests, `taken` different messages."""

    secret: str = ""
    sick_for: int = 0
    arrived: int = 0
    turned_away: int = 0
    refused: int = 0
    repeated: int = 0
    seen: set[str] = field(default_factory=set)

    @property
    def taken(self) -> int:
        """Verified messages, each counted once."""
        return len(self.seen)


@dataclass(slots=True)
class Receiver:
    """A server on this machine with one inbox for each organisation, by its code."""

    url: str
    inboxes: dict[str, Inbox] = field(default_factory=dict)

    @property
    def arrived(self) -> int:
        """Requests so far, of whatever worth."""
        return sum(inbox.arrived for inbox in self.inboxes.values())

    def url_of(self, code: str, *, sick: bool = False) -> str:
        """Where an organisation takes its events."""
        self.inboxes[code] = Inbox(sick_for=SICK_FOR if sick else 0)
        return f"{self.url}/{code}"

    async def take(self, request: web.Request) -> web.Response:
        """204 for a verified message, old or new; 401 for any other."""
        inbox = self.inboxes[request.match_info["code"]]
        inbox.arrived += 1
        if inbox.sick_for > 0:
            inbox.sick_for -= 1
            inbox.turned_away += 1
            return web.Response(status=500, text="the dispatch system is being restarted")
        try:
            Webhook(inbox.secret).verify(await request.read(), dict(request.headers))
        except WebhookVerificationError as error:
            inbox.refused += 1
            return web.Response(status=401, text=str(error))
        message = request.headers["webhook-id"]
        inbox.repeated += message in inbox.seen
        inbox.seen.add(message)
        return web.Response(status=204)


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    """Listen on a free port of 127.0.0.1 until the block ends."""
    with socket(AF_INET, SOCK_STREAM) as listening:
        listening.bind(("127.0.0.1", 0))
        receiver = Receiver(f"http://127.0.0.1:{listening.getsockname()[1]}")
        app = web.Application()
        app.router.add_post("/{code}", receiver.take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            yield receiver
        finally:
            await runner.cleanup()


def dead_url() -> str:
    """Where nobody listens: a port that was free a moment ago."""
    with socket(AF_INET, SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/dead"
