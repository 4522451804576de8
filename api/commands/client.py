"""Clients: programs with credentials of their own. A secret is shown once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
from cyclopts import App, Parameter
from cyclopts.validators import Number
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from sqlalchemy.ext.asyncio import AsyncConnection

from api.clock import real
from api.commands.console import Failure, note, out, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.sentences import need
from domain.access import Role
from domain.errors import Invalid, NotFound
from domain.identity.clients import (
    SECRET_GRACE,
    AuthMethod,
    Client,
    ClientKind,
    GrantType,
    Secret,
    check_client,
    hash_secret,
    new_secret,
)
from domain.identity.scopes import SCOPES
from domain.members.rules import WHERE
from domain.organisations.model import OrganisationKind
from domain.values import new_id
from integrations.postgres import office
from integrations.postgres.clients import Clients

SECRETIVE = frozenset({AuthMethod.BASIC, AuthMethod.POST})
SMALLEST_RSA = 2048

Many = Annotated[int | None, Parameter(validator=Number(gte=1))]
Texts = Annotated[tuple[str, ...], Parameter(negative="")]
Flag = Annotated[bool, Parameter(negative="")]

app = App(name="client", help="Programs with credentials of their own: create, list, rotate, stop.")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Program:
    """What is said of a program.

    Parameters
    ----------
    name
        What people are told that it is called.
    scope
        What it may ask for; repeat it for several. docs/oauth.md lists them.
    redirect
        Where people are sent back to, exactly; repeat it for several.
    organisation
        Whose program it is, by code; left out for the city's own and for third parties'.
    role
        What it is for itself: executor, head, operator …
    public
        It runs on people's own devices and keeps no secret.
    auth
        How it proves itself: by a secret in the header (basic) or the form (post), or by
        signatures (private_key_jwt).
    jwks
        A file with its public keys (RFC 7517), for private_key_jwt.
    staff
        Members of organisations log in through it, not residents.
    rate_limit
        Requests a minute.
    daily_quota
        Requests a day.
    """

    name: str
    scope: Texts
    redirect: Texts = ()
    organisation: str | None = None
    role: Role | None = None
    public: Flag = False
    auth: AuthMethod | None = None
    jwks: Path | None = None
    staff: Flag = False
    rate_limit: Many = None
    daily_quota: Many = None

    @property
    def method(self) -> AuthMethod:
        """How it proves itself."""
        return AuthMethod.NONE if self.public else self.auth or AuthMethod.BASIC

    def client(self, city: UUID, organisation: UUID | None, secret: str | None) -> Client:
        """The client of a city that it becomes. Raises Failure for an unsound one."""
        client = Client(
            id=new_id(),
            city=city,
            name=self.name,
            kind=ClientKind.PUBLIC if self.public else ClientKind.CONFIDENTIAL,
            auth_method=self.method,
            organisation=organisation,
            redirect_uris=self.redirect,
            grant_types=_grants(bool(self.redirect), self.role is not None),
            scopes=frozenset(self.scope),
            staff=self.staff,
            role=self.role,
            rate_limit=self.rate_limit,
            daily_quota=self.daily_quota,
            jwks=None if self.jwks is None else read_jwks(self.jwks),
            secrets=() if secret is None else (Secret(hash_secret(secret)),),
        )
        _require_sound(client)
        return client


@app.command
def create(program: Program, *, city: str | None = None) -> None:
    """Register a program, and show its id and its secret.

    With --redirect people log in through it; with --role it comes for itself and acts as its
    organisation. It may do both.

    Parameters
    ----------
    city
        The city's code; needed where there are several.
    """
    secret = new_secret() if program.method in SECRETIVE else None

    async def work(at: Office) -> Client:
        async with at.engine.connect() as connection:
            place = (await city_of(connection, city)).id
            firm = None
            if program.organisation is not None:
                firm = await office.organisation_id(connection, place, program.organisation)
                if firm is None:
                    sentence = f"There is no organisation '{program.organisation}'."
                    raise Failure(sentence, status=2)
                await _require_place(connection, firm, program.role)
        client = program.client(place, firm, secret)
        await Clients(at.engine).add(client, real())
        return client

    _tell(in_office(work).id, secret)


@app.command(name="list")
def list_(*, city: str | None = None) -> None:
    """All programs of a city, oldest first; never their secrets.

    Parameters
    ----------
    city
        The city's code; needed where there are several.
    """

    async def work(at: Office) -> list[Client]:
        async with at.engine.connect() as connection:
            place = (await city_of(connection, city)).id
        return list(await Clients(at.engine).of(place))

    columns = ("id", "name", "kind", "proof", "role", "scopes", "state")
    table(
        columns,
        [
            (one.id, one.name, one.kind, one.auth_method, one.role, " ".join(sorted(one.scopes)),
             "disabled" if one.disabled_at else "valid")
            for one in in_office(work)
        ],
    )  # fmt: skip


@app.command
def rotate_secret(id: UUID, /) -> None:
    """Give a program a new secret; the one before it opens for a week more.

    Parameters
    ----------
    id
        The program's id.
    """
    secret = new_secret()

    async def work(at: Office) -> None:
        try:
            await Clients(at.engine).rotate(id, hash_secret(secret), real())
        except NotFound:
            raise Failure("No program with a secret has this id.", "ikomek client list") from None

    in_office(work)
    _tell(id, secret)
    note(f"The secret before it ends in {SECRET_GRACE.days} days.")


@app.command
def disable(id: UUID, /) -> None:
    """Let a program in no more; its tokens end within a minute.

    Parameters
    ----------
    id
        The program's id.
    """

    async def work(at: Office) -> bool:
        return await Clients(at.engine).disable(id, real())

    if not in_office(work):
        raise Failure("No program with this id is let in.", "See: ikomek client list")
    say("Disabled.")


def read_jwks(path: Path) -> dict[str, Any]:
    """The public keys of a file, as they will be kept. Raises Failure."""
    try:
        keys = KeySet.import_key_set(orjson.loads(path.read_bytes())).keys
    except (OSError, JoseError, ValueError, KeyError, TypeError):
        raise Failure(f"'{path}' holds no key set.", 'RFC 7517: {"keys": […]}', status=2) from None
    if not keys or not all(map(_is_fit, keys)):
        raise Failure(
            f"'{path}' holds keys that are not fit.",
            f"Fit are P-256, Ed25519, and RSA from {SMALLEST_RSA} bits.",
            status=2,
        )
    if any(key.is_private for key in keys):
        raise Failure(f"'{path}' holds private keys.", "Keep them; give the public ones.", status=2)
    return {"keys": [key.as_dict(private=False) for key in keys]}


def _is_fit(key: object) -> bool:
    match key:
        case ECKey():
            return key.curve_name == "P-256"
        case OKPKey():
            return key.as_dict(private=False)["crv"] == "Ed25519"
        case RSAKey():
            return key.public_key.key_size >= SMALLEST_RSA
    return False


def _grants(persons: bool, itself: bool) -> frozenset[GrantType]:
    code = {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN} if persons else set()
    own = {GrantType.CLIENT_CREDENTIALS} if itself else set()
    return frozenset(code | own)


async def _require_place(connection: AsyncConnection, firm: UUID, role: Role | None) -> None:
    """A program has the roles that people of its organisation have. An akim's sees the whole city:
    a token of its own names no district.
    """
    kind = OrganisationKind(await office.kind_of(connection, firm))
    fits = role is None or kind in WHERE.get(role, frozenset())
    narrowed = role is Role.AKIM and kind is not OrganisationKind.AKIMAT
    need(fits and not narrowed, f"A program of such an organisation ({kind}) cannot be {role}.")


def _require_sound(client: Client) -> None:
    try:
        check_client(client)
    except Invalid as refusal:
        places = ", ".join(sorted({fault.pointer.strip("/") for fault in refusal.faults}))
        known = ", ".join(SCOPES)
        raise Failure(
            f"Such a program cannot be registered: {places}.",
            f"docs/oauth.md tells what goes together; the scopes are {known}.",
            status=2,
        ) from None


def _tell(id: UUID, secret: str | None) -> None:
    # Id and secret alone go to standard output, so that scripts can take them.
    out.print(str(id), markup=False)
    if secret is not None:
        out.print(secret, markup=False)
        note("The secret is shown once.")
