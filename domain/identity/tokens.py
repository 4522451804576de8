"""Access tokens as values: what they claim (RFC 9068), and what makes one void."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.access import Principal, Role
from domain.identity.clients import Client
from domain.identity.model import Subject
from domain.identity.scopes import granted, parse_scopes, write_scopes

ACCESS_LASTS = timedelta(minutes=10)
CODE_LASTS = timedelta(seconds=60)
REQUEST_LASTS = timedelta(minutes=10)
REFRESH_LASTS = timedelta(days=30)
"""Of a refresh token that nobody uses."""
SESSION_LASTS = timedelta(days=180)
"""Of a login in all, however often it was refreshed."""
LEEWAY = 30
"""Seconds by which the clocks of machines may differ."""
APART = 1
"""Seconds by which the database's clock, which dates revocations, may be behind ours."""
REVOCATION_LASTS = ACCESS_LASTS + timedelta(seconds=2 * LEEWAY)
"""How long a revocation must be remembered: until every token that it voids has ended itself."""


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom a token is made: a subject through a client, or the client itself.

    `session` is the login that the token comes from, or the token's own family.
    """

    subject: Subject
    client: UUID
    session: UUID
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """An access token's claims after they were found sound. Times are Unix seconds."""

    subject: UUID
    client: UUID
    token: str
    session: UUID
    city: UUID
    role: Role
    organisation: UUID | None
    district: str | None
    scopes: frozenset[str]
    issued: int
    expires: int

    def principal(
        self, organisations: frozenset[UUID], districts: frozenset[str] = frozenset()
    ) -> Principal:
        """Whom the token stands for; `organisations` is the subtree that theirs heads, `districts`
        that of their district.
        """
        return Principal(
            id=self.subject,
            role=self.role,
            city=self.city,
            organisation=self.organisation,
            organisations=organisations,
            district=self.district,
            districts=districts,
            citizen=self.subject if self.role is Role.CITIZEN else None,
            granted=granted(self.scopes),
            client=self.client,
        )


class TokenVoid(Exception):
    """A token that stands for nobody; the message says why, for tests and never for callers."""


def itself(client: Client) -> Subject:
    """A client that comes for itself: it acts as its organisation.

    Raises ValueError for a client that has no role of its own.
    """
    if client.role is None:
        raise ValueError("a client without a role cannot come for itself")
    return Subject(client.id, client.city, client.role, client.organisation, client.name)


def write_claims(
    holder: Holder, *, issuer: str, audience: str, token: str, at: datetime
) -> dict[str, Any]:
    """The claims of a fresh access token, RFC 9068 §2.2 and ours."""
    subject = holder.subject
    issued = int(at.timestamp())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": str(subject.id),
        "client_id": str(holder.client),
        "jti": token,
        "iat": issued,
        "exp": issued + int(ACCESS_LASTS.total_seconds()),
        "scope": write_scopes(holder.scopes),
        "city": str(subject.city),
        "role": str(subject.role),
        "sid": str(holder.session),
    }
    if subject.organisation is not None:
        claims["org"] = str(subject.organisation)
    if subject.district is not None:
        claims["district"] = subject.district
    return claims


def read_claims(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: float
) -> AccessClaims:
    """The claims of a token whose signature is ours. Raises TokenVoid. `now`: Unix seconds."""
    try:
        if claims["iss"] != issuer or claims["aud"] != audience:
            raise TokenVoid("issuer or audience")
        issued, expires = _seconds(claims["iat"]), _seconds(claims["exp"])
        begins = max(issued, _seconds(claims.get("nbf", issued)))
        if expires + LEEWAY <= now or begins - LEEWAY > now:
            raise TokenVoid("time")
        return AccessClaims(
            subject=UUID(claims["sub"]),
            client=UUID(claims["client_id"]),
            token=_text(claims["jti"]),
            session=UUID(claims["sid"]),
            city=UUID(claims["city"]),
            role=Role(claims["role"]),
            organisation=UUID(claims["org"]) if "org" in claims else None,
            district=_text(claims["district"]) if "district" in claims else None,
            scopes=parse_scopes(_text(claims["scope"])),
            issued=issued,
            expires=expires,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TokenVoid("claims") from error


def _seconds(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a time is whole seconds")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value


@dataclass(frozen=True, slots=True)
class Revocations:
    """What was taken back lately. Subjects and clients: tokens issued until the time (Unix
    seconds), and within a second after it, are void.
    """

    tokens: frozenset[str] = frozenset()
    sessions: frozenset[UUID] = frozenset()
    subjects: Mapping[UUID, float] | None = None
    clients: Mapping[UUID, float] | None = None

    def void(self, claims: AccessClaims) -> bool:
        """Whether a token was taken back."""
        if claims.token in self.tokens or claims.session in self.sessions:
            return True
        issued = claims.issued - APART
        return issued <= (self.subjects or {}).get(claims.subject, -1) or (
            issued <= (self.clients or {}).get(claims.client, -1)
        )


def moment(seconds: float) -> datetime:
    """Unix seconds as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)
