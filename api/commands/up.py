"""The whole platform in one command: database, migrations, API, worker, scheduler."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import httpx2
from cyclopts import Parameter
from cyclopts.validators import Number

from api import clock
from api.bootstrap import read_keyring
from api.commands import demo as demonstration
from api.commands import semey
from api.commands.console import Failure, complain, note, say
from api.commands.credentials import Credentials
from api.commands.database import (
    Office,
    open_office,
    owner_url,
    revision_of,
    some_database,
)
from api.commands.environment import environment, read_settings
from api.commands.supervisor import Child
from api.settings import Settings
from demo.sample.rows import WINDOW
from integrations.postgres import migrate
from integrations.postgres.office import cities

if TYPE_CHECKING:
    from demo.replay import Summary

READY_WITHIN = 60.0
GRACES = {"API": 5.0, "scheduler": 3.0, "worker": 5.0}
"""Seconds that each role may take to end, in the order in which they are ended."""

LISTENERS = {"webhook_allow_http": True, "webhook_allowed_networks": ("127.0.0.0/8",)}
"""Settings of the demonstration, whose dispatch systems listen on this machine."""

Amount = Annotated[int, Parameter(validator=Number(gte=1))]


@dataclass(frozen=True, slots=True)
class Plan:
    """What of the demonstration is asked for."""

    demo: bool
    again: bool
    seconds: int


def up(
    *,
    demo: bool = False,
    again: bool = False,
    home: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    seconds: Amount = 90,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C or SIGTERM.

    Without DATABASE_URL a PostgreSQL of its own is started under home; it needs neither root
    nor a system package. A role that dies is started again.

    Parameters
    ----------
    demo
        Load the city of Semey and replay some days of its appeals through the API.
    again
        With --demo: load and replay once more, though it was done before.
    home
        Where database, files and keys live; IKOMEK_HOME, else ./var.
    host
        Address to listen on; IKOMEK_HOST, else 127.0.0.1.
    port
        Port to listen on; IKOMEK_PORT, else 8109.
    seconds
        How long the replay of five days takes; afterwards the city's clock is the real one.
    """
    settings = read_settings(home=home, host=host, port=port)
    _require_free(settings)
    # Made before the children start, so that all of them read the same keys.
    read_keyring(settings)
    with _interruptible(), some_database(settings) as named:
        note(f"The database answers, at revision {revision_of(named) or 'none'}.")
        migrate.upgrade(owner_url(named))
        asyncio.run(_run(named, Plan(demo, again, seconds)))


async def _run(settings: Settings, plan: Plan) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for order in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(order, stop.set)
    children: list[Child] = []
    work = asyncio.create_task(_stand(settings, plan, children))
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            await waiting
    finally:
        waiting.cancel()
        work.cancel()
        await asyncio.wait((work,))
        note("Stopping.")
        for child in children:
            await child.stop(GRACES[child.name])
    note("Stopped.")


async def _stand(settings: Settings, plan: Plan, children: list[Child]) -> None:
    """Prepare, start the roles, wait until they serve, and show what was asked for."""
    async with open_office(settings) as office:
        replay = plan.demo and await _load(office, again=plan.again)
        if replay:
            settings = _warped(settings, plan)
        if plan.demo:
            settings = settings.model_copy(update=LISTENERS)
        for name in GRACES:
            children.append(_child(name, settings, quiet=plan.demo))
            children[-1].start()
        base, inhabited = _base_url(settings), await _has_city(office)
        # Without a city nobody can be served, and /v1/ready rightly says so.
        await _until_answering(f"{base}/v1/{'ready' if inhabited else 'health'}")
        seen = await _replay(office, settings, base) if replay else None
        if plan.demo:
            await demonstration.close(Credentials(settings.home), base, seen)
        if not inhabited:
            note("There is no city yet: ikomek city create city.yaml, or ikomek demo load")
    say(f"API {base}/v1 — reference {base}/reference — stop with Ctrl-C")


async def _load(office: Office, *, again: bool) -> bool:
    """Load the city unless it stands; whether its days are to be replayed."""
    if again or not await semey.loaded(office):
        await semey.load(office)
    else:
        note("Semey is loaded already.")
        await semey.people(office)
    done = await demonstration.replayed(office)
    if done and not again:
        note("Its days were replayed before; replay them once more with --again.")
    return again or not done


async def _replay(office: Office, settings: Settings, base: str) -> "Summary | None":
    """A replay that fails says so and leaves the platform serving."""
    try:
        return await demonstration.replay_sample(office, settings, base)
    except Exception as error:
        complain(
            f"The replay stopped: {type(error).__name__}: {error}",
            "Run it again: ikomek demo replay",
        )
        return None


def _warped(settings: Settings, plan: Plan) -> Settings:
    """The city's clock begins five days back, runs fast, and meets the real one."""
    now = clock.real()
    start, end = now - WINDOW, now + timedelta(seconds=plan.seconds)
    return settings.model_copy(update={"warp_from": start, "warp_since": now, "warp_until": end})


def _child(name: str, settings: Settings, *, quiet: bool) -> Child:
    """A role; `quiet` sends what it says to a file, for the sake of the progress bar."""
    command = {"API": "serve"}.get(name, name)
    log = settings.home / "logs" / f"{command}.log" if quiet else None
    return Child(name, [command], environment(settings), log)


async def _has_city(office: Office) -> bool:
    async with office.engine.connect() as connection:
        return bool(await cities(connection))


async def _until_answering(url: str) -> None:
    """Wait until the API says that it serves. Raises Failure."""
    last = "nothing answers"
    async with httpx2.AsyncClient(timeout=5) as client:
        try:
            async with asyncio.timeout(READY_WITHIN):
                while True:
                    try:
                        answer = await client.get(url)
                        if answer.status_code == httpx2.codes.OK:
                            return
                        last = f"it answers {answer.status_code}"
                    except httpx2.TransportError as error:
                        last = str(error)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise Failure(
                f"The API is not ready after {READY_WITHIN:.0f} s: {last}.",
                "Its log says why (with --demo: home/logs/serve.log).",
            ) from None


def _base_url(settings: Settings) -> str:
    """Where this machine reaches the API."""
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104
    return f"http://{'127.0.0.1' if everywhere else settings.host}:{settings.port}"


def _require_free(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Failure(
                f"Port {settings.port} of {settings.host} cannot be taken: {error.strerror}.",
                "Stop the program that holds it, or choose another: --port 8110",
            ) from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """Until the loop takes over, SIGTERM unwinds what was started, as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
