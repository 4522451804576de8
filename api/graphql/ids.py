"""Global ids (Relay): what a thing is, and which one, in one opaque word."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from uuid import UUID

LONGEST = 200


def global_id(kind: str, key: UUID | str) -> str:
    """The id of a thing of a kind (`Appeal`, `Service`, …)."""
    return urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def parse_id(id: str) -> tuple[str, str] | None:
    """Kind and key; None for what we did not write."""
    if len(id) > LONGEST:
        return None
    try:
        kind, found, key = urlsafe_b64decode(id + "=" * (-len(id) % 4)).decode().partition(":")
    except (Error, ValueError):
        return None
    return (kind, key) if found and kind and key else None


def parse_uuid(key: str) -> UUID | None:
    """A key as a UUID; None for what is none."""
    try:
        return UUID(key)
    except ValueError:
        return None
