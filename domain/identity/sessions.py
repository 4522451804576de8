"""A login at a client, and what was issued from it: its code, its refresh tokens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LoginSession:
    """What a subject allowed a client, from the login to its end; the family of its tokens."""

    id: UUID
    city: UUID
    client: UUID
    subject: UUID
    resident: bool
    scopes: frozenset[str]
    begun_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def stands(self, at: datetime) -> bool:
        """Whether anything may still be issued from it."""
        return self.ended_at is None and self.expires_at > at


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code as the city keeps it (RFC 6749 §4.1.2); `challenge` is PKCE's."""

    hash: bytes
    session: LoginSession
    redirect_uri: str
    nonce: str | None
    challenge: str
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token as the city keeps it; each is used once."""

    hash: bytes
    session: LoginSession
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sound request for authorization, RFC 6749 §4.1.1, while the person logs in."""

    city: UUID
    client: UUID
    redirect_uri: str
    scopes: frozenset[str]
    state: str | None
    nonce: str | None
    challenge: str
    language: str
