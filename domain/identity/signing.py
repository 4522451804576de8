"""A login by signature: eGov Mobile reads a code off the screen and signs a document of ours.

The browser knows the secret of its page, the telephone that of its code; neither learns the
other's, so that whoever photographs the screen cannot come back in the browser's place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from domain.identity.model import Person

LASTS = timedelta(minutes=5)
"""How long a document waits for its signature (the protocol's usual 2 to 5 minutes)."""


@dataclass(frozen=True, slots=True)
class Signing:
    """A document on its way. `telephone` is the secret of the code, `token` what API 1 gives for
    API 2, `document` the XML that must come back signed, with a nonce of its own; `state` and
    `redirect_uri` lead the browser back once it is signed.
    """

    provider: str
    telephone: str
    token: str
    document: str
    state: str
    redirect_uri: str
    language: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A signing as it stands."""

    signing: Signing
    expires_at: datetime
    signed: bool


class Signings(Protocol):
    """Where documents wait. What is older than LASTS is not found."""

    async def open(self, page: str, signing: Signing) -> None:
        """Let a document wait, for the browser under `page`."""

    async def of_page(self, page: str) -> Standing | None:
        """How the document of a page stands."""

    async def of_telephone(self, telephone: str) -> Standing | None:
        """How the document of a code stands."""

    async def signed(self, telephone: str, person: Person) -> bool:
        """Keep who signed; whether nobody had before."""

    async def take(self, page: str) -> Person | None:
        """Who signed the document of a page, once."""


class Signatures(Protocol):
    """Judges of signatures under XML."""

    async def signer(self, xml: str) -> Person:
        """Who signed, by a certificate that is good now: IIN and names, `provider` empty.

        Raises LoginRefused (SIGNATURE_REFUSED), Unavailable where nobody can judge.
        """


class Mobile(Protocol):
    """The protocol of eGov Mobile's signing, for one city's settings."""

    @property
    def provider(self) -> str:
        """The code of its way in."""

    def link(self, signing: Signing) -> str:
        """What opens the application on the same telephone."""

    def code(self, signing: Signing) -> str:
        """What the code on the screen holds."""

    def described(self, standing: Standing) -> Mapping[str, Any]:
        """API 1: what is to be signed, until when, and where it is."""

    def document(self, signing: Signing) -> Mapping[str, Any]:
        """API 2, GET: the document."""

    async def signed(self, signing: Signing, body: bytes) -> Person:
        """API 2, PUT: who signed it.

        Raises LoginRefused (SIGNATURE_REFUSED, PERSON_MALFORMED), Unavailable.
        """
