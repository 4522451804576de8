"""Signing secrets of endpoints, in the form of Standard Webhooks 1.0: whsec_ + base64."""

from base64 import b64encode
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret(randomness: bytes) -> str:
    """A new secret from 32 random bytes; ValueError for any other number of them."""
    if len(randomness) != SECRET_BYTES:
        raise ValueError(f"a secret is made of {SECRET_BYTES} bytes")
    return PREFIX + b64encode(randomness).decode("ascii")


def rotated(secrets: Sequence[str], fresh: str) -> tuple[str, ...]:
    """The secrets after a rotation: the fresh one first, then the one it takes over from."""
    return (fresh, *secrets[:1])
