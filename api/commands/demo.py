"""The demonstration: the city of Semey, its people, and some days of its appeals."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import httpx2
from cyclopts import App

from api.commands import semey
from api.commands.console import Failure, note, progress, say, table
from api.commands.credentials import Credential, Credentials, executor_of
from api.commands.database import Office, in_office
from api.commands.environment import read_settings
from api.settings import Settings
from demo.context import ReplayContext
from domain.access import Role
from integrations.postgres import office

app = App(name="demo", help="The demonstration city Semey: load it, replay its days, show keys.")


@app.command
def load() -> None:
    """Load Semey: catalogue, promises, streets, organisations, people. Twice is as once."""
    credentials = in_office(semey.load, upgrade=True)
    say(f"Semey is loaded. {len(credentials.all)} tokens are in {credentials.path}.")
    show(credentials)


@app.command
def replay(*, url: str | None = None) -> None:
    """Replay the sample of appeals through the API of a platform that is running.

    Parameters
    ----------
    url
        Where the API answers; IKOMEK_PUBLIC_URL, else http://IKOMEK_HOST:IKOMEK_PORT.
    """

    async def work(at: Office) -> None:
        if not await semey.loaded(at):
            raise Failure("Semey is not loaded.", "Load it: ikomek demo load")
        await replay_sample(at, at.settings, url or at.settings.base_url)

    in_office(work)


@app.command
def credentials() -> None:
    """Show a token for each role of the demonstration."""
    known = Credentials(read_settings().home)
    if not known.all:
        raise Failure("There are no demonstration tokens yet.", "Make them: ikomek demo load")
    show(known)


def show(credentials: Credentials) -> None:
    """One token for each role; the file holds the others."""
    firsts: dict[Role, Credential] = {}
    for each in credentials.all:
        firsts.setdefault(each.role, each)
    rows = [(role, one.organisation, one.name, one.token) for role, one in firsts.items()]
    table(("role", "organisation", "name", "token"), rows, "Demonstration tokens, one per role")
    note(f"All of them: {credentials.path}")


async def replay_sample(at: Office, settings: Settings, base_url: str) -> None:
    """Replay through the API with a progress bar, until the city's clock is the real one."""
    # Only this command needs the sample.
    from demo.replay import replay as live

    credentials = await semey.people(at)
    with _reporting() as report:
        context = ReplayContext(
            base_url=base_url,
            tokens={role: [each.token for each in credentials.of(role)] for role in Role},
            token_for=_tokens_for(at, credentials),
            started=settings.warp_since,
            until=settings.warp_until,
            report=report,
        )
        try:
            seen = await live(context)
        finally:
            credentials.write()
    say(f"Replayed: {seen.registered} appeals in {seen.requests} requests.")
    for what, count in seen.unexpected.items():
        note(f"Answered as nobody expected: {what}, {count} times.")


async def replayed(at: Office) -> bool:
    """Whether the register of Semey holds appeals already."""
    async with at.engine.connect() as connection:
        return await office.count_appeals(connection, semey.semey().id) > 0


async def summary(base_url: str, token: str) -> None:
    """The closing table, from the platform's own statistics."""
    async with httpx2.AsyncClient(base_url=base_url, timeout=10) as client:
        answer = await client.get("/v1/statistics", headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
    said = answer.json()
    appeals, clocks, told = said["appeals"], said["clocks"], said["deliveries"]
    states = ", ".join(f"{state} {count}" for state, count in appeals["by_status"].items())
    first = said["first_contact"]
    rows = [
        ("appeals", f"{appeals['total']} ({states})"),
        ("closed at first contact", f"{first['closed']} ({_share(first['share'])})"),
        ("clocks", ", ".join(f"{state} {count}" for state, count in clocks.items())),
        ("deliveries", ", ".join(f"{state} {count}" for state, count in told.items())),
    ]
    table(("what", "how many"), rows, "Semey after the replay")


def _share(share: object) -> str:
    return f"{share:.0%}" if isinstance(share, int | float) else "none yet"


def _tokens_for(at: Office, credentials: Credentials) -> Callable[[str], Awaitable[str]]:
    turn = asyncio.Lock()

    async def token_for(organisation: str) -> str:
        # One at a time: two who ask for the same would make it twice.
        async with turn:
            person = executor_of(organisation)
            return (await credentials.one(at, semey.semey(), person)).token

    return token_for


@contextmanager
def _reporting() -> Iterator[Callable[[int, int, str], None]]:
    """A bar whose whole is told as the replay goes on."""
    with progress("Replaying five days of Semey", total=100) as advance:
        shown = 0

        def report(done: int, total: int, what: str) -> None:
            nonlocal shown
            percent = 100 * done // max(total, 1)
            if percent > shown:
                advance(percent - shown)
                shown = percent

        yield report
