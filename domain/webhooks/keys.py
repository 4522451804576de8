"""The platform's own keys for webhooks: Ed25519, the scheme v1a of Standard Webhooks 1.0.

Anybody can verify by the public half, so nobody shares a secret with us. All keys that still sign
sign beside each other: a receiver may verify with whichever it knows, and change at its leisure.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

OVERLAP = timedelta(days=30)
"""How long a key signs beside the next one: receivers who wrote it down have to change."""
SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class WebhookKey:
    """A key pair; `public` and `seed` are the 32 bytes each of RFC 8032.

    It signs until `signs_until`; None: until a rotation.
    """

    kid: str
    public: bytes
    seed: bytes = field(repr=False)
    created_at: datetime
    signs_until: datetime | None = None

    def signs(self, at: datetime) -> bool:
        """Whether messages are signed with it at a time."""
        return self.signs_until is None or self.signs_until > at

    @property
    def secret(self) -> str:
        """The private half as Standard Webhooks writes it."""
        return "whsk_" + b64encode(self.seed).decode("ascii")

    @property
    def shown(self) -> str:
        """The public half as Standard Webhooks writes it."""
        return "whpk_" + b64encode(self.public).decode("ascii")


def kid_of(public: bytes) -> str:
    """The thumbprint of RFC 7638 of a public key (RFC 8037 §2)."""
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{_url(public)}"}}'
    return _url(sha256(members.encode("ascii")).digest())


def jwk(key: WebhookKey) -> dict[str, Any]:
    """The public half as a JWK (RFC 8037), with its `whpk_…` form and the end of its signing."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _url(key.public),
        "kid": key.kid,
        "use": "sig",
        "alg": "EdDSA",
        "whpk": key.shown,
        "signs_until": key.signs_until,
    }


def signing(keys: Sequence[WebhookKey], at: datetime) -> tuple[WebhookKey, ...]:
    """The keys that sign at a time, the newest first: those are published as well."""
    standing = [key for key in keys if key.signs(at)]
    return tuple(sorted(standing, key=lambda key: (key.created_at, key.kid), reverse=True))


def _url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
