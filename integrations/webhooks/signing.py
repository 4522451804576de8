"""Signatures of Standard Webhooks 1.0: bytes in, headers out.

v1 is HMAC-SHA256 by a secret that the receiver knows as well, v1a Ed25519 by a key whose public
half everybody may know.
"""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PREFIX, _PRIVATE = "whsec_", "whsk_"
# A dot would let the id flow into the timestamp, since dots separate what is signed.
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHORTEST_KEY, _LONGEST_KEY = 24, 64
_SEED = 32


def headers(
    secrets: Sequence[str], message_id: str, timestamp: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of a message.

    Each secret is a `whsec_…` (v1) or a `whsk_…` (v1a).
    `message_id` stays the same in every attempt (the receiver drops repeats by it);
    `timestamp` is the attempt's. One signature per secret, so that a receiver verifies
    with whichever it knows. ValueError for an id, a time or a secret that cannot be signed.
    """
    if timestamp.tzinfo is None:
        raise ValueError("the time of an attempt is aware")
    if not secrets:
        raise ValueError("a message is signed with at least one secret")
    seconds = int(timestamp.timestamp())
    signatures = [_signature(secret, message_id, seconds, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, `v1,` and base64 of HMAC-SHA256 over id, Unix time and body."""
    digest = hmac.new(key, _signed(message_id, timestamp, body), hashlib.sha256).digest()
    return "v1," + b64encode(digest).decode("ascii")


def sign_openly(seed: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, `v1a,` and base64 of Ed25519 (RFC 8032) over the same; `seed` is 32 bytes."""
    signature = _private(seed).sign(_signed(message_id, timestamp, body))
    return "v1a," + b64encode(signature).decode("ascii")


def seed_of(secret: str) -> bytes:
    """The seed inside a `whsk_…` key; ValueError unless it is base64 of 32 bytes."""
    seed = b64decode(secret.removeprefix(_PRIVATE), validate=True)
    if not secret.startswith(_PRIVATE) or len(seed) != _SEED:
        raise ValueError(f"a private key is {_PRIVATE} and {_SEED} bytes")
    return seed


def key_of(secret: str) -> bytes:
    """The key inside a `whsec_…` secret; ValueError unless it is base64 of 24 to 64 bytes."""
    if not secret.startswith(_PREFIX):
        raise ValueError(f"a secret starts with {_PREFIX}")
    key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise ValueError(f"a secret holds {_SHORTEST_KEY} to {_LONGEST_KEY} bytes")
    return key


def _signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    if secret.startswith(_PRIVATE):
        return sign_openly(seed_of(secret), message_id, timestamp, body)
    return sign(key_of(secret), message_id, timestamp, body)


def _signed(message_id: str, timestamp: int, body: bytes) -> bytes:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("a message id holds letters, digits, '_' and '-' alone")
    return b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)


@lru_cache(maxsize=16)
def _private(seed: bytes) -> Ed25519PrivateKey:
    """The platform has few keys and signs many messages."""
    return Ed25519PrivateKey.from_private_bytes(seed)
