"""Signatures of Standard Webhooks 1.0, symmetric scheme v1: bytes in, headers out."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime

_PREFIX = "whsec_"
# A dot would let the id flow into the timestamp, since dots separate what is signed.
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHORTEST_KEY, _LONGEST_KEY = 24, 64


def headers(
    secrets: Sequence[str], message_id: str, timestamp: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of a message.

    `message_id` stays the same in every attempt (the receiver drops repeats by it);
    `timestamp` is the attempt's. One signature per secret, so that a receiver verifies
    with whichever it knows. ValueError for an id, a time or a secret that cannot be signed.
    """
    if timestamp.tzinfo is None:
        raise ValueError("the time of an attempt is aware")
    if not secrets:
        raise ValueError("a message is signed with at least one secret")
    seconds = int(timestamp.timestamp())
    signatures = [sign(key_of(secret), message_id, seconds, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, `v1,` and base64 of HMAC-SHA256 over id, Unix time and body."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("a message id holds letters, digits, '_' and '-' alone")
    signed = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + b64encode(digest).decode("ascii")


def key_of(secret: str) -> bytes:
    """The key inside a `whsec_…` secret; ValueError unless it is base64 of 24 to 64 bytes."""
    if not secret.startswith(_PREFIX):
        raise ValueError(f"a secret starts with {_PREFIX}")
    key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise ValueError(f"a secret holds {_SHORTEST_KEY} to {_LONGEST_KEY} bytes")
    return key
