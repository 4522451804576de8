"""How long a request may take to come in whole.

A body that comes drop by drop holds a connection and a task for as long as its sender likes, where
the graph is public before anybody has said who they are.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooSlow

SECONDS = 30.0
"""What every body has, however small; and how long nothing may come."""
SLOWEST = 8_000
"""Bytes a second: what came earns so much more. The slowest of telephones in a yard sends more."""


class Punctual:
    """Refuses a body of which less came than could have (BodyTooSlow), while it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        left, whole = SECONDS, False

        async def patiently() -> Message:
            nonlocal left, whole
            if whole:
                # Nothing comes any more but that the caller hung up.
                return await receive()
            # Only what is waited for them counts: nobody is blamed for what we did meanwhile.
            begun = loop.time()
            try:
                async with asyncio.timeout(left):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(seconds=round(SECONDS), least=SLOWEST) from None
            # Nobody is silent for longer than anybody may be, whatever came before.
            earned = len(message.get("body", b"")) / SLOWEST
            left = min(left - (loop.time() - begun) + earned, SECONDS)
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, patiently, send)
