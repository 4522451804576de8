"""Members of organisations, as the city's own people let them in and out."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from cyclopts import App

from api.commands.console import Failure, note, out, say, table
from api.commands.database import Office, city_of, in_office
from domain.access import NOBODY, Principal, Role
from domain.members import use_cases
from domain.members.model import Invitation, Member
from domain.members.ports import MemberFilter
from domain.members.use_cases import Invite
from domain.members.workflow import MemberAction, MemberState
from domain.ports import UnitOfWork
from domain.reference import Reference
from integrations.postgres import office, reference
from integrations.postgres.rosters import Rosters
from integrations.postgres.unit_of_work import UnitsOfWork

MOST = 100_000

Result = TypeVar("Result")
Act = Callable[[UnitOfWork, Reference, datetime], Awaitable[Result]]

app = App(name="member", help="Members: invite, list, suspend, restore, leave.")


@app.command
def invite(
    *,
    organisation: str,
    role: Role,
    district: str | None = None,
    name: str | None = None,
    ask_iin: bool = False,
    city: str | None = None,
) -> None:
    """Invite somebody into an organisation; the invitation is shown once and lasts seven days.

    Parameters
    ----------
    organisation
        The organisation's code.
    role
        operator, inspector, executor, head, akim, administrator or auditor.
    district
        Narrows an akim to a district.
    name
        The member's name, where the login may not tell one.
    ask_iin
        Read an IIN from standard input: nobody else can take the invitation then.
    city
        The city's code; needed where there are several.
    """
    iin = input().strip() if ask_iin else None

    async def work(at: Office) -> tuple[Invitation, str]:
        async with at.engine.connect() as connection:
            place = await city_of(connection, city)
            home = await office.organisation_id(connection, place.id, organisation)
        if home is None:
            raise Failure(f"There is no organisation '{organisation}'.", status=2)
        said = Invite(home, role, district, name, iin)
        return await acting(
            at, city, lambda uow, known, now: use_cases.invite(
                said, uow=uow, reference=known, at=now
            )
        )  # fmt: skip

    invitation, secret = in_office(work)
    # The secret alone goes to standard output, so that scripts can take it.
    out.print(secret, markup=False)
    note(f"This is shown once. It may be taken until {invitation.ends_at:%Y-%m-%d %H:%M} UTC.")


@app.command(name="list")
def list_(
    *,
    organisation: str | None = None,
    state: MemberState | None = None,
    city: str | None = None,
) -> None:
    """Members, the newest first; those who left as well.

    Parameters
    ----------
    organisation
        Only of the organisation with this code.
    state
        active, suspended or left.
    city
        The city's code; needed where there are several.
    """

    async def work(at: Office) -> tuple[list[Member], Reference]:
        async with at.engine.connect() as connection:
            place = await city_of(connection, city)
            home = None
            if organisation is not None:
                home = await office.organisation_id(connection, place.id, organisation)
                if home is None:
                    raise Failure(f"There is no organisation '{organisation}'.", status=2)
            known = await reference.load(connection, place.id, at.now())
        wanted = MemberFilter(home, None, state)
        return await Rosters(at.engine).members(place.id, None, wanted, None, MOST), known

    members, known = in_office(work)
    firms = known.organisations
    rows = [
        (one.id, one.role, firms[one.organisation].code if one.organisation in firms else "",
         one.district, one.name, one.state, f"{one.created_at:%Y-%m-%d}")
        for one in members
    ]  # fmt: skip
    table(("id", "role", "organisation", "district", "name", "state", "since"), rows)


@app.command
def suspend(member: UUID, /, *, reason: str, city: str | None = None) -> None:
    """Let a member do nothing until they are let back; their tokens stand for nobody.

    Parameters
    ----------
    member
        The member's id, from `ikomek member list`.
    reason
        Why; it is kept with the fact.
    city
        The city's code; needed where there are several.
    """
    _act(member, MemberAction.SUSPEND, reason, city)


@app.command
def restore(member: UUID, /, *, reason: str, city: str | None = None) -> None:
    """Let a suspended member back.

    Parameters
    ----------
    member
        The member's id, from `ikomek member list`.
    reason
        Why; it is kept with the fact.
    city
        The city's code; needed where there are several.
    """
    _act(member, MemberAction.RESTORE, reason, city)


@app.command
def leave(member: UUID, /, *, reason: str | None = None, city: str | None = None) -> None:
    """Let a member go for good. What they did stays, under their name.

    Parameters
    ----------
    member
        The member's id, from `ikomek member list`.
    reason
        Why; it is kept with the fact.
    city
        The city's code; needed where there are several.
    """
    _act(member, MemberAction.LEAVE, reason, city)


def _act(id: UUID, action: MemberAction, reason: str | None, city: str | None) -> None:
    member = in_office(
        lambda at: acting(
            at, city, lambda uow, known, now: use_cases.act(
                id, action, reason, uow=uow, reference=known, at=now
            )
        )
    )  # fmt: skip
    say(f"{member.name}: {member.state}.")


async def acting(at: Office, city: str | None, act: Act[Result]) -> Result:
    """Do one act as the city's own people, who manage all of its organisations."""
    async with at.engine.connect() as connection:
        place = await city_of(connection, city)
        known = await reference.load(connection, place.id, at.now())
    units = UnitsOfWork(at.engine, at.keyring, at.settings.base_url)
    async with units.open(Principal(NOBODY, Role.ADMINISTRATOR, place.id)) as uow:
        done = await act(uow, known, at.now())
        await uow.commit()
    return done
