"""The suite's other processes on a server that is shared, whose transactions hold up our looks.

What is relayed, sealed or told lies below the oldest running transaction (law 2), and PostgreSQL
means the oldest of the whole server. A city looks again a moment later; a test that looks once
would now and then see nothing. So whoever looks in a test first lets end what others have begun.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import psycopg
import pytest

from integrations.postgres.checkpoints import Checkpoints
from integrations.postgres.outbox import Outbox
from integrations.postgres.sealer import Sealer

PATIENCE = 20.0
"""Seconds; who has begun longer ago and still runs is not waited for."""

_LOOKS: tuple[tuple[type, str], ...] = (
    (Outbox, "relay"),
    (Sealer, "seal"),
    (Checkpoints, "sign"),
)
_BEGUN = """
SELECT backend_xid::text FROM pg_stat_activity
 WHERE backend_xid IS NOT NULL AND datname IS DISTINCT FROM %s
"""

_SHARED: dict[str, psycopg.Connection[Any]] = {}

_Look = Callable[..., Coroutine[Any, Any, Any]]


@contextmanager
def patience(url: str) -> Iterator[None]:
    """Looks of this process wait for the transactions of other databases on the server of `url`."""
    with psycopg.connect(url, autocommit=True) as server, pytest.MonkeyPatch.context() as patch:
        patch.setitem(_SHARED, "server", server)
        for kind, name in _LOOKS:
            patch.setattr(kind, name, _patient(getattr(kind, name), server))
        yield


def _patient(look: _Look, server: psycopg.Connection[Any]) -> _Look:
    @wraps(look)
    async def waiting(self: Any, *args: Any, **named: Any) -> Any:
        await _ended(server, self._engine.url.database)
        return await look(self, *args, **named)

    return waiting


async def settled() -> None:
    """Let end what runs now: who follows from here on is told of nothing that was written before.
    Where the server is nobody else's there is nothing to wait for.
    """
    if server := _SHARED.get("server"):
        await _ended(server, "")


async def _ended(server: psycopg.Connection[Any], but: str) -> None:
    until = time.monotonic() + PATIENCE
    begun = _running(server, but)
    while begun & _running(server, but) and time.monotonic() < until:
        await asyncio.sleep(0.01)


def _running(server: psycopg.Connection[Any], but: str) -> set[str]:
    return {str(xid) for (xid,) in server.execute(_BEGUN, (but,))}
