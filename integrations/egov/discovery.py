"""Where an OpenID provider is asked, and by which keys it signs: read from itself, kept a while."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from integrations.egov.config import Provider

KEPT = 3600.0
"""Seconds that endpoints and keys are believed."""
SPARED = 60.0
"""Seconds in which a provider is asked for new keys once at most, whatever tokens name."""
WELL_KNOWN = "/.well-known/openid-configuration"

T = TypeVar("T")


class MetadataUnsound(ValueError):
    """What the provider says of itself cannot be relied upon."""


@dataclass(frozen=True, slots=True)
class Places:
    """A provider's endpoints, all that it has."""

    authorize: str
    token: str
    jwks: str | None
    person: str | None
    phone: str | None


def well_known(provider: Provider) -> str:
    """Where a provider tells about itself (OpenID Connect Discovery 1.0 §4)."""
    return (provider.issuer or "").rstrip("/") + WELL_KNOWN


def read_places(provider: Provider, told: Mapping[str, Any] | None) -> Places:
    """The endpoints of the file, else those that the provider tells. Raises MetadataUnsound."""
    said, own = told or {}, provider.endpoints
    if told is not None and told.get("issuer") != provider.issuer:
        raise MetadataUnsound("another issuer")
    return Places(
        authorize=own.authorize or _required(provider, said, "authorization_endpoint"),
        token=own.token or _required(provider, said, "token_endpoint"),
        jwks=own.jwks or _endpoint(provider, said, "jwks_uri"),
        person=own.person or _endpoint(provider, said, "userinfo_endpoint"),
        phone=own.phone,
    )


def _required(provider: Provider, said: Mapping[str, Any], name: str) -> str:
    found = _endpoint(provider, said, name)
    if found is None:
        raise MetadataUnsound(f"no {name}")
    return found


def _endpoint(provider: Provider, said: Mapping[str, Any], name: str) -> str | None:
    url = said.get(name)
    if url is None:
        return None
    # No downgrade: a provider that is asked by TLS names nothing without it.
    wanted = urlsplit(provider.issuer or "").scheme
    if not isinstance(url, str) or urlsplit(url).scheme != wanted or not urlsplit(url).hostname:
        raise MetadataUnsound(f"{name} is no URL of {wanted}")
    return url


def read_keys(told: Mapping[str, Any]) -> KeySet:
    """The keys of a JWKS (RFC 7517), without unknown kinds. Raises MetadataUnsound."""
    try:
        return KeySet.import_key_set(told)  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise MetadataUnsound("no keys") from None


class Kept(Generic[T]):
    """A value read from afar, believed for KEPT seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._held: tuple[T, float] | None = None

    def get(self) -> T | None:
        """The value, if it is fresh enough."""
        if self._held is None or self.age() > KEPT:
            return None
        return self._held[0]

    def age(self) -> float:
        """Seconds since it was read."""
        return self._monotonic() - self._held[1] if self._held else float("inf")

    def put(self, value: T) -> T:
        """Keep it from now."""
        self._held = (value, self._monotonic())
        return value
