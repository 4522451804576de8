"""What a login asks of the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.model import Person, Subject


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes to log in, and what must be kept until it comes back.

    `verifier` is PKCE's (RFC 7636), None where the provider knows none.
    """

    url: str
    verifier: str | None = None


class IdentityProvider(Protocol):
    """Somebody else's login: eGov, Aitu Passport, an organisation's own OpenID provider."""

    @property
    def code(self) -> str:
        """Its name in settings, addresses and records."""

    async def depart(
        self, *, state: str, nonce: str, redirect_uri: str, language: str
    ) -> Departure:
        """Where to send the browser. Raises LoginRefused where the provider cannot be asked."""

    async def arrive(
        self, *, code: str, redirect_uri: str, nonce: str, verifier: str | None
    ) -> Person:
        """Who came back with this code. Raises LoginRefused, with the reason."""


class People(Protocol):
    """The city's residents and its organisations' members, found by who they are."""

    async def resident(self, city: UUID, person: Person, at: datetime) -> Subject:
        """The resident that a person is; made at the first login, brought up to date at others."""

    async def meet(self, city: UUID, person: Person, at: datetime) -> UUID:
        """The resident of an IIN that somebody else tells; made where the city has not met them.
        Of one whom it has nothing is changed: whoever tells it has verified nothing.
        """

    async def members(self, city: UUID, person: Person) -> Sequence[Subject]:
        """Every membership of the person that stands: not suspended, not left."""

    async def invited_to(self, invitation: str) -> tuple[UUID, UUID] | None:
        """The city and the organisation that an invitation leads to; None for an unknown one."""

    async def redeem(self, invitation: str, person: Person, at: datetime) -> Subject:
        """The member that an invitation makes of a person.

        Raises NotFound for an unknown one, Conflict for one that ended, was used, or was made for
        somebody else's IIN.
        """

    async def linkable(self, resident: Subject, person: Person) -> int:
        """How many earlier appeals bear the phone that the provider verified, and are nobody's."""

    async def link(self, resident: Subject, person: Person, at: datetime) -> int:
        """Give them to the resident, who consented; how many."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks a person to allow, after its request was found sound.

    `staff`: the client is one for members of organisations, not for residents. `returns_to`: the
    origin (or the scheme, with its colon) that the browser goes back to, '' where it is not told.
    """

    city: UUID
    client_id: str
    client_name: str
    scopes: frozenset[str]
    staff: bool
    language: str
    returns_to: str = ""


class Authorizations(Protocol):
    """Requests for authorization that wait until the person has logged in (RFC 6749 §4.1)."""

    async def asked(self, handle: str) -> Asked:
        """What a waiting request asks. Raises NotFound for one unknown, ended or answered."""

    async def grant(
        self, handle: str, subject: Subject, scopes: frozenset[str], at: datetime
    ) -> str:
        """Where the browser goes with the client's code. Raises NotFound."""

    async def refuse(self, handle: str, error: str, at: datetime) -> str:
        """Where the browser goes with an error of RFC 6749 §4.1.2.1. Raises NotFound."""
