"""Schedulers and workers for tests: here, or in a process that can be killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import dramatiq
from dramatiq.middleware import AsyncIO

from api.bootstrap import House
from api.settings import Settings
from api.worker.actors import Workshop, declare_actors
from api.worker.broker import make_broker
from api.worker.scheduler import run_scheduler

_WORKER = """
from api.settings import Settings
from api.worker.process import run_worker
run_worker(Settings(), threads=4)
"""


@asynccontextmanager
async def scheduling(house: House) -> AsyncIterator[None]:
    """A scheduler at work in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_scheduler(house, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker at work in this process."""
    workshop = Workshop(settings)
    broker = make_broker(settings, [AsyncIO(), workshop])
    declare_actors(broker, workshop)
    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=100)
    await asyncio.to_thread(worker.start)
    try:
        yield
    finally:
        await asyncio.to_thread(worker.stop)
        broker.close()


@contextmanager
def worker_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own; killed at the end if it still lives."""
    told = {
        "DATABASE_URL": settings.database_url or "",
        "IKOMEK_HOME": str(settings.home),
        "IKOMEK_KEYS": settings.keys or "",
        "IKOMEK_WEBHOOK_ALLOW_HTTP": "true",
        "IKOMEK_WEBHOOK_ALLOWED_NETWORKS": json.dumps(settings.webhook_allowed_networks),
    }
    if settings.eotinish is not None:
        told["IKOMEK_EOTINISH"] = str(settings.eotinish)
    if settings.broker_url:
        told["BROKER_URL"] = settings.broker_url
    process = subprocess.Popen([sys.executable, "-c", _WORKER], env={**os.environ, **told})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(10)


async def eventually(
    condition: Callable[[], Awaitable[bool]], within: float = 60.0, pause: float = 0.05
) -> float:
    """Wait for a condition; the seconds that it took. AssertionError when it does not come."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < within, "waited in vain"
        await asyncio.sleep(pause)
    return time.monotonic() - began
