"""Programs that come with credentials of their own, and what each of them may ask for."""

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from domain.access import Role
from domain.errors import Fault, Invalid
from domain.identity.scopes import CLIENTS_NEVER, SCOPES

SECRET_PREFIX = "109s_"  # noqa: S105
SECRET_BYTES = 32
SECRETS_AT_ONCE = 2
SECRET_GRACE = timedelta(days=7)
"""How long the secret that was rotated away still opens the door."""
MOST_URIS = 20
LONGEST_URI = 500

_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_SIGNS = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]+")
LOOPBACK = frozenset({"127.0.0.1", "::1"})


class ClientKind(StrEnum):
    """Whether a program can keep a secret (RFC 6749 §2.1)."""

    PUBLIC = "public"
    CONFIDENTIAL = "confidential"


class AuthMethod(StrEnum):
    """How a client proves that it is itself; the names of RFC 7591 §2."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"


class GrantType(StrEnum):
    """The ways to a token that the server knows."""

    AUTHORIZATION_CODE = "authorization_code"
    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Secret:
    """What is known of a secret: its SHA-256, and when it ends (None: never)."""

    hash: bytes
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A program that the city knows.

    `organisation` is whose program it is, None for the city's own and for third parties. `staff`:
    members of organisations log in through it, not residents. `role` is what it is when it comes
    for itself (client credentials). `rate_limit` counts requests a minute, `daily_quota` those of
    a day (UTC); None: no limit of its own. `jwks` is its public keys as RFC 7517 writes them.
    """

    id: UUID
    city: UUID
    name: str
    kind: ClientKind
    auth_method: AuthMethod
    organisation: UUID | None = None
    redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[GrantType] = frozenset()
    scopes: frozenset[str] = frozenset()
    staff: bool = False
    role: Role | None = None
    rate_limit: int | None = None
    daily_quota: int | None = None
    jwks: Mapping[str, Any] | None = None
    secrets: Sequence[Secret] = field(default=(), repr=False)
    disabled_at: datetime | None = None

    def knows(self, secret: str, at: datetime) -> bool:
        """Whether a secret is the client's; every hash is compared, whichever fits."""
        said = hash_secret(secret)
        fitting = [
            compare_digest(said, each.hash)
            for each in self.secrets
            if each.expires_at is None or each.expires_at > at
        ]
        return any(fitting)

    def redirects_to(self, uri: str) -> bool:
        """Whether a redirect URI is registered: exactly, but for a loopback's port.

        A native app listens on whatever port is free (RFC 8252 §7.3); public clients alone are
        native apps.
        """
        if uri in self.redirect_uris:
            return True
        if self.kind is not ClientKind.PUBLIC:
            return False
        bare = _without_port(uri)
        return bare is not None and bare in {_without_port(each) for each in self.redirect_uris}

    def may_ask(self, scopes: Collection[str]) -> bool:
        """Whether it was registered for all of these scopes."""
        return self.scopes.issuperset(scopes)


def new_secret() -> str:
    """A fresh secret; only its hash is kept."""
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> bytes:
    """What the city keeps of a secret, code, handle or refresh token.

    They are random, 256 bits; a slow hash would protect nothing that this one does not.
    """
    return sha256(secret.encode()).digest()


def check_client(client: Client) -> None:
    """Raise Invalid, naming every fault, for a client that must not be registered."""
    faults = [*_credentials(client), *_grants(client), *_places(client)]
    unknown = sorted(client.scopes - set(SCOPES))
    faults += [Fault("/scopes", "unknown", {"value": name}) for name in unknown]
    if not client.scopes:
        faults.append(Fault("/scopes", "required", {}))
    if faults:
        raise Invalid(faults)


def _credentials(client: Client) -> list[Fault]:
    public = client.kind is ClientKind.PUBLIC
    faults = []
    if public != (client.auth_method is AuthMethod.NONE):
        faults.append(Fault("/auth_method", "mismatch", {}))
    if (client.auth_method is AuthMethod.PRIVATE_KEY_JWT) != (client.jwks is not None):
        faults.append(Fault("/jwks", "mismatch", {}))
    return faults


def _grants(client: Client) -> list[Fault]:
    own = GrantType.CLIENT_CREDENTIALS in client.grant_types
    code = GrantType.AUTHORIZATION_CODE in client.grant_types
    faults = []
    if not (own or code):
        faults.append(Fault("/grant_types", "required", {}))
    if own and client.kind is ClientKind.PUBLIC:
        faults.append(Fault("/grant_types", "mismatch", {}))
    if GrantType.REFRESH_TOKEN in client.grant_types and not code:
        faults.append(Fault("/grant_types", "mismatch", {}))
    if own != (client.role is not None) or client.role in CLIENTS_NEVER:
        faults.append(Fault("/role", "mismatch", {}))
    if own and client.organisation is None:
        faults.append(Fault("/organisation", "required", {}))
    if code != bool(client.redirect_uris):
        faults.append(Fault("/redirect_uris", "required", {}))
    return faults


def _places(client: Client) -> list[Fault]:
    if len(client.redirect_uris) > MOST_URIS:
        return [Fault("/redirect_uris", "too-many", {"max_items": MOST_URIS})]
    public = client.kind is ClientKind.PUBLIC
    return [
        Fault(f"/redirect_uris/{place}", "redirect-uri", {"value": uri})
        for place, uri in enumerate(client.redirect_uris)
        if not is_redirect(uri, native=public)
    ]


def is_redirect(uri: str, *, native: bool) -> bool:
    """Whether a URI may be registered: https; a native app's loopback or own scheme as well.

    An own scheme is a domain name turned round (RFC 8252 §7.1). No wildcard, no fragment, no
    user, nothing that a browser would read in another way than we do.
    """
    if len(uri) > LONGEST_URI or not _SIGNS.fullmatch(uri) or "*" in uri:
        return False
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or "/../" in uri or parts.path.endswith("/.."):
        return False
    if parts.scheme == "https":
        return bool(host)
    if not native:
        return False
    if parts.scheme == "http":
        return host in LOOPBACK
    return bool(_SCHEME.fullmatch(parts.scheme)) and not parts.netloc


def _without_port(uri: str) -> str | None:
    """A loopback URI as it is but for the port; None for any other URI."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or host not in LOOPBACK or "@" in parts.netloc or parts.fragment:
        return None
    return f"{host}{parts.path}?{parts.query}"
