"""Tokens for people and programs: issue, list, revoke. A token is shown once."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import phonenumbers
from cyclopts import App, Parameter
from cyclopts.validators import Number

from api.commands.console import Failure, note, out, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.sentences import need
from domain.access import Role
from integrations.postgres import office

REGION = "KZ"
NOT_ISSUED = frozenset({Role.CITIZEN, Role.SYSTEM})

Days = Annotated[int | None, Parameter(validator=Number(gte=1, lte=3650))]

app = App(name="token", help="Bearer tokens: issue, list and revoke them.")


@app.command
def issue(
    *,
    role: Role,
    organisation: str,
    name: str,
    district: str | None = None,
    days: Days = None,
    city: str | None = None,
) -> None:
    """Make a member of an organisation, unless there is one of that name, and give a token.

    Parameters
    ----------
    role
        operator, inspector, executor, head, akim, administrator or auditor.
    organisation
        The organisation's code.
    name
        The member's name.
    district
        Narrows an akim to a district.
    days
        The token ends after so many days; never, if left out.
    city
        The city's code; needed where there are several.
    """
    need(role not in NOT_ISSUED, f"A member cannot be {role}.", "See: ikomek token issue --help")
    need(district is None or role is Role.AKIM, "Only an akim is narrowed to a district.")

    async def work(at: Office) -> str:
        async with at.engine.begin() as connection:
            place = (await city_of(connection, city)).id
            firm = await office.organisation_id(connection, place, organisation)
            if firm is None:
                raise Failure(f"There is no organisation '{organisation}'.", status=2)
            member = await office.ensure_member(
                connection, place, firm, role, name, district=district
            )
        return await at.tokens.issue(place, name=name, member=member, expires_at=_end(at, days))

    _tell(in_office(work))


@app.command
def issue_citizen(*, phone: str, name: str, days: Days = None, city: str | None = None) -> None:
    """Make a resident known by a phone, unless there is one, and give a token.

    Parameters
    ----------
    phone
        The phone number; +7 may be left out.
    name
        The resident's name.
    days
        The token ends after so many days; never, if left out.
    city
        The city's code; needed where there are several.
    """
    number = canonical_phone(phone)

    async def work(at: Office) -> str:
        async with at.engine.begin() as connection:
            place = (await city_of(connection, city)).id
            citizen = await office.ensure_citizen(
                connection, place, at.keyring, name=name, phone=number
            )
        return await at.tokens.issue(
            place, name="resident", citizen=citizen, expires_at=_end(at, days)
        )

    _tell(in_office(work))


@app.command
def revoke(token: str, /) -> None:
    """Let a token stand for nobody, at once.

    Parameters
    ----------
    token
        The token itself, or its id from `ikomek token list`.
    """

    async def work(at: Office) -> bool:
        try:
            identity = UUID(token)
        except ValueError:
            return await at.tokens.revoke(token, at.now())
        async with at.engine.begin() as connection:
            return await office.revoke_token(connection, identity, at.now())

    if not in_office(work):
        raise Failure("No such token stands for anybody.", "See: ikomek token list")
    say("Revoked.")


@app.command(name="list")
def list_(*, city: str | None = None) -> None:
    """All tokens ever issued, newest first; never the tokens themselves.

    Parameters
    ----------
    city
        The city's code; needed where there are several.
    """

    async def work(at: Office) -> tuple[datetime, list[office.IssuedToken]]:
        async with at.engine.connect() as connection:
            place = await city_of(connection, city)
            return at.now(), await office.issued_tokens(connection, place.id)

    now, tokens = in_office(work)
    columns = ("id", "role", "organisation", "name", "issued", "state")
    rows = [
        (each.id, each.role or Role.CITIZEN, each.organisation, each.name,
         f"{each.created_at:%Y-%m-%d %H:%M}", _state(each, now))
        for each in tokens
    ]  # fmt: skip
    table(columns, rows)


def canonical_phone(phone: str) -> str:
    """The number in E.164. Raises Failure."""
    try:
        number = phonenumbers.parse(phone, REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise Failure(f"'{phone}' is no phone number.", "Write it as +77015550109.", status=2)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _end(at: Office, days: int | None) -> datetime | None:
    return None if days is None else at.now() + timedelta(days=days)


def _state(token: office.IssuedToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_at is None:
        return "valid"
    return f"{'ended' if token.expires_at <= now else 'valid until'} {token.expires_at:%Y-%m-%d}"


def _tell(token: str) -> None:
    # The token alone goes to standard output, so that scripts can take it.
    out.print(token, markup=False)
    note("This is shown once. Send it as: Authorization: Bearer …")
