"""A worker in a process of its own: it does what is due until it is told to stop."""

import asyncio
import gc
import resource
import signal
import threading
from types import FrameType

import structlog
import uvloop
from dramatiq import Worker
from dramatiq.middleware import AsyncIO

from api import logs
from api.settings import Settings
from api.worker.actors import SLOTS, Workshop, declare_actors
from api.worker.broker import make_broker

log = structlog.get_logger()

FILES = SLOTS * 2
"""Open files wanted: a socket for every attempt in the air, and ample room beside."""


def run_worker(settings: Settings, *, threads: int) -> None:
    """Work until SIGTERM or SIGINT; what is in the air then has a moment to end.

    Call from the main thread. `threads` take messages off the broker; attempts that wait
    for an answer take none.
    """
    logs.configure(settings.log_level)
    _allow_files()
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    for order in (signal.SIGTERM, signal.SIGINT):
        signal.signal(order, ask)
    # The loop that dramatiq makes for its actors, where all attempts are made.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    workshop = Workshop(settings)
    broker = make_broker(settings, [AsyncIO(), workshop])
    declare_actors(broker, workshop)
    worker = Worker(broker, worker_threads=threads, worker_timeout=100)
    worker.start()
    # What was made by now stays, and need not be looked through for what does not.
    gc.freeze()
    log.info("worker_started", threads=threads)
    stop.wait()
    log.info("worker_stopping")
    worker.stop()
    broker.close()


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    wanted = max(soft, FILES if unlimited else min(FILES, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
