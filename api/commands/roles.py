"""The single roles of a production: API, worker, scheduler. Each is stateless; run any number."""

import asyncio
import os
import signal
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.bootstrap import open_house
from api.commands.database import read_settings, ready_database
from api.settings import Settings

APPLICATION = "api.app:create_app"
THREADS = 8
PASSED_ON = ("home", "host", "port", "workers", "warp_from", "warp_since", "warp_until")

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
    with ready_database(read_settings(host=host, port=port, workers=workers)) as settings:
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

    with ready_database(read_settings()) as settings:
        run_worker(settings, threads=threads)


def scheduler() -> None:
    """Watch the clocks and pass events on until SIGTERM; several share the work safely."""
    with ready_database(read_settings()) as settings:
        asyncio.run(_schedule(settings))


def environment(settings: Settings) -> dict[str, str]:
    """What another process of the platform must be told to stand in the same place.

    The owner's URL is left out: no role that runs for long needs it (law 1).
    """
    told = {"DATABASE_URL": settings.database_url}
    told |= {f"IKOMEK_{name.upper()}": _text(getattr(settings, name)) for name in PASSED_ON}
    told["IKOMEK_HOME"] = str(settings.home.resolve())
    return {name: value for name, value in told.items() if value is not None}


def _text(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def _serve(settings: Settings) -> None:
    # Only this role needs the server; the other commands start faster without it.
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        APPLICATION,
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=False,
        log_level=LogLevels[settings.log_level.lower()],
        process_name="ikomek serve",
    ).serve()


async def _schedule(settings: Settings) -> None:
    from api.worker.scheduler import run_scheduler

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for order in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(order, stop.set)
    async with open_house(settings, name="ikomek-scheduler") as house:
        await run_scheduler(house, stop)
