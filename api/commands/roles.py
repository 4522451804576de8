"""The single roles of a production: API, worker, scheduler. Each is stateless; run any number."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.commands.authorities import require_authorities
from api.commands.environment import environment, read_settings
from api.commands.exchanges import judged
from api.commands.providers import require_sound
from api.leaving import deafen, tell
from api.settings import Settings

APPLICATION = "api.app:serve_app"
THREADS = 8

Count = Annotated[int | None, Parameter(validator=Number(gte=1))]


def serve(*, host: str | None = None, port: int | None = None, workers: Count = None) -> None:
    """Serve the API until SIGTERM; open requests are finished first.

    Parameters
    ----------
    host
        Address to listen on; IKOMEK_HOST, else 127.0.0.1.
    port
        Port to listen on; IKOMEK_PORT, else 8109.
    workers
        Processes; IKOMEK_WORKERS, else 1.
    """
    settings = read_settings(host=host, port=port, workers=workers)
    require_sound(settings)
    with _database(settings) as settings:
        os.environ.update(environment(settings))
        _serve(settings)


def worker(*, threads: Annotated[int, Parameter(validator=Number(gte=1))] = THREADS) -> None:
    """Do the work that appeals cause (webhooks, files) until SIGTERM.

    Parameters
    ----------
    threads
        How many pieces of work at once.
    """
    from api.worker.process import run_worker

    settings = read_settings()
    if settings.eotinish is not None:
        judged(settings.eotinish)
    require_authorities(settings)
    with _database(settings) as settings:
        run_worker(settings, threads=threads)


def scheduler() -> None:
    """Watch the clocks and pass events on until SIGTERM; several share the work safely."""
    with _database(read_settings()) as settings:
        asyncio.run(_schedule(settings))


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """The named database as it is: /v1/ready tells whether it serves. Else the embedded one."""
    if settings.database_url is not None:
        yield settings
        return
    # A role that need not look after a server starts in half the time without all this.
    from api.commands.database import ready_database

    with ready_database(settings) as named:
        yield named


def _serve(settings: Settings) -> None:
    # Only this role needs the server; the other commands start faster without it.
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import MPServer

    class Serving(MPServer):
        """Granian, telling its processes that they are about to end before it ends them."""

        def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
            tell(worker.inner.pid for worker in self.wrks)
            super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]

    deafen()
    Serving(
        APPLICATION,
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=True,
        log_level=LogLevels[settings.log_level.lower()],
    ).serve()


async def _schedule(settings: Settings) -> None:
    from api.bootstrap import open_house
    from api.worker.scheduler import run_scheduler

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for order in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(order, stop.set)
    async with open_house(settings, name="ikomek-scheduler") as house:
        await run_scheduler(house, stop)
