"""Operations as streams of server-sent events: the distinct connections mode of `graphql-sse`.

`event: next` carries an execution result, `event: complete` ends the operation. What cannot begin
is told by one `next` with errors and the end, since an EventSource reads no other answer. A comment
each few seconds keeps the way open through proxies, and shows who has gone.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from graphql import OperationType
from starlette.responses import StreamingResponse

from api.errors import TimedOut
from api.graphql.answers import encode, refuse
from api.graphql.calls import Caller, Prepared
from api.graphql.engine import Engine, Refused

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE = 12.0
"""Seconds."""
COMPLETE = b"event: complete\ndata: \n\n"
ALIVE = b":\n\n"


def stream(engine: Engine, prepared: Prepared, caller: Caller) -> StreamingResponse:
    """The response that tells an operation event by event."""
    return StreamingResponse(
        _told(engine, prepared, caller),
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        media_type=f"{MEDIA_TYPE}; charset=utf-8",
    )


def _next(body: bytes) -> bytes:
    return b"event: next\ndata: " + body + b"\n\n"


async def _told(engine: Engine, prepared: Prepared, caller: Caller) -> AsyncIterator[bytes]:
    # At once, so that the caller knows that the way is open.
    yield ALIVE
    if prepared.kind is not OperationType.SUBSCRIPTION:
        try:
            yield _next(encode(await engine.run(prepared, caller)))
        except TimedOut as refusal:
            yield _next(encode(refuse(refusal, caller.voice)))
    else:
        async with aclosing(_followed(engine, prepared, caller)) as events:
            async for event in events:
                yield event
    yield COMPLETE


async def _followed(
    engine: Engine, prepared: Prepared, caller: Caller
) -> AsyncGenerator[bytes, None]:
    events = engine.follow(prepared, caller)
    waiting: asyncio.Task[bytes] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({waiting}, timeout=KEEP_ALIVE)
            if not done:
                yield ALIVE
                continue
            told, waiting = waiting.result(), None
            yield _next(told)
    except StopAsyncIteration:
        return
    except Refused as refused:
        yield _next(encode(refused.body))
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})
        await events.aclose()
