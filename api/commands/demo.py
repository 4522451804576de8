"""The demonstration: the city of Semey, its people, and some days of its appeals."""

import asyncio
from itertools import cycle
from typing import TYPE_CHECKING

from cyclopts import App
from rich.console import Console

from api.bootstrap import read_now
from api.commands import semey
from api.commands.console import Failure, err, note, out, say, table
from api.commands.credentials import Credential, Credentials, executor_of
from api.commands.database import Office, in_office
from api.commands.environment import read_settings
from api.settings import Settings
from demo.semey.city import demo_city
from domain.access import Role
from integrations.postgres import office

if TYPE_CHECKING:
    from demo.replay import Summary

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
        base = url or at.settings.base_url
        seen = await replay_sample(at, at.settings, base)
        await close(Credentials(at.settings.home), base, seen)

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
    columns = ("role", "organisation", "name", "token")
    rows = [(c.role, c.organisation, c.name, c.token) for c in one_per_role(credentials)]
    table(columns, rows, "Demonstration tokens, one per role")
    note(f"All of them: {credentials.path}")


def one_per_role(credentials: Credentials) -> list[Credential]:
    """The first of each role."""
    firsts: dict[Role, Credential] = {}
    for each in credentials.all:
        firsts.setdefault(each.role, each)
    return list(firsts.values())


async def replay_sample(at: Office, settings: Settings, base_url: str) -> "Summary":
    """Replay through the API with a progress bar, until the city's clock is the real one."""
    # Only who replays waits for the sample.
    from demo.replay import replay as live

    people = Actors(at, await semey.people(at))
    now = read_now(settings)
    try:
        return await live(
            base_url, people, now=now, until=settings.warp_until or now(), console=err
        )
    finally:
        people.credentials.write()


async def close(credentials: Credentials, base_url: str, seen: "Summary | None") -> None:
    """The closing table: the platform's own counts, what the actors saw, and the keys."""
    from demo.table import closing_table

    (auditor, *_) = credentials.of(Role.AUDITOR)
    people = [(str(each.role), each.name, each.token) for each in one_per_role(credentials)]
    await closing_table(base_url, auditor.token, console=_wide(), summary=seen, people=people)
    note(f"All keys: {credentials.path}")


class Actors:
    """See demo.replay.Credentials: tokens of members in turn, executors' as they are needed."""

    def __init__(self, at: Office, credentials: Credentials) -> None:
        self.credentials = credentials
        self._at = at
        self._turns = {role: cycle(credentials.of(role)) for role in Role}
        self._codes = {str(each.id): each.code for each in demo_city().organisations}
        self._one_by_one = asyncio.Lock()
        self._known: dict[tuple[str, Role], str] = {}

    async def role(self, role: str) -> str:
        """The token of somebody of the role, everybody in turn."""
        return next(self._turns[Role(role)]).token

    async def executor(self, organisation: str) -> str:
        """The token of the organisation's dispatcher."""
        return await self._of(organisation, Role.EXECUTOR)

    async def head(self, organisation: str) -> str:
        """The token of the organisation's head."""
        return await self._of(organisation, Role.HEAD)

    async def _of(self, organisation: str, role: Role) -> str:
        async with self._one_by_one:
            key = (str(organisation), role)
            if key not in self._known:
                person = executor_of(self._codes[key[0]], role)
                found = await self.credentials.one(self._at, semey.semey(), person)
                self._known[key] = found.token
            return self._known[key]


async def replayed(at: Office) -> bool:
    """Whether the register of Semey holds appeals already."""
    async with at.engine.connect() as connection:
        return await office.count_appeals(connection, semey.semey().id) > 0


def _wide() -> Console:
    """Where nobody's screen sets a width, tokens stay in one piece."""
    return out if out.is_terminal else Console(width=160)
