"""Signing secrets of endpoints, in the form of Standard Webhooks 1.0: whsec_ + base64."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.webhooks.model import Secret

PREFIX = "whsec_"
SECRET_BYTES = 32
KEPT = timedelta(hours=24)
"""How long the secret before signs beside a fresh one, unless the caller says otherwise."""
LONGEST_KEPT = timedelta(days=30)
"""As long as a caller may say."""
MOST = 5
"""Secrets that sign beside each other."""


def new_secret(randomness: bytes) -> str:
    """A new secret from 32 random bytes; ValueError for any other number of them."""
    if len(randomness) != SECRET_BYTES:
        raise ValueError(f"a secret is made of {SECRET_BYTES} bytes")
    return PREFIX + b64encode(randomness).decode("ascii")


def rotated(
    secrets: Sequence[Secret], fresh: str, at: datetime, keep: timedelta
) -> tuple[Secret, ...]:
    """The secrets after a rotation: the fresh one first, then those that still sign beside it.

    Whatever signed until a rotation signs for `keep` more, and nothing signs longer than before.
    """
    ends = at + keep
    beside = [
        Secret(one.value, ends if one.until is None else min(one.until, ends)) for one in secrets
    ]
    return (Secret(fresh), *(one for one in beside if one.signs(at)))
