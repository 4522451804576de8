"""What a login remembers on its way: from here to a provider, and from there to the decision.

Each step is kept under a secret that the browser carries (the state, then the ticket of the form),
bound to that browser by its cookie, lives ten minutes, and is taken once.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from domain.identity.model import Person

LASTS = timedelta(minutes=10)
"""How long a person may take for one step."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why somebody logs in: for a client whose request waits under `handle`, or to take an
    `invitation`; one of the two. `language` is that of the pages.
    """

    language: str
    handle: str | None = None
    invitation: str | None = None


@dataclass(frozen=True, slots=True)
class Departed:
    """Somebody is at a provider. `nonce` and `verifier` are told to nobody else meanwhile."""

    provider: str
    purpose: Purpose
    nonce: str
    verifier: str | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody came back as `person`, and decides now what the client may."""

    provider: str
    purpose: Purpose
    person: Person


class Attempts(Protocol):
    """Where steps are kept. A secret of another browser, an old or a used one finds nothing."""

    async def departed(self, state: str, browser: str, step: Departed) -> None:
        """Keep a departure under its state."""

    async def returned(self, state: str, browser: str, provider: str) -> Departed | None:
        """Take a departure to this provider, once."""

    async def arrived(self, ticket: str, browser: str, step: Arrived) -> None:
        """Keep an arrival under the ticket of its form."""

    async def decided(self, ticket: str, browser: str) -> Arrived | None:
        """Take an arrival, once."""


def new_secret() -> str:
    """256 bits for a state, a nonce, a ticket or a browser, safe in addresses."""
    return secrets.token_urlsafe(32)
