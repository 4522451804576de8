"""Cursors: where a list goes on, opaque and signed, so that a forged one is refused."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from api.rest.operation import malformed
from domain.ports import Keyring, Page

_MARK = 8


def write_cursor(at: datetime, id: UUID, keyring: Keyring) -> str:
    """The cursor after an entry."""
    said = f"{at.isoformat()} {id}".encode()
    mark = keyring.index(f"cursor {said.decode()}")[:_MARK]
    return urlsafe_b64encode(mark + said).decode().rstrip("=")


def read_cursor(cursor: str | None, keyring: Keyring) -> Page | None:
    """Where to go on. Raises Malformed for what we did not write."""
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mark, said = raw[:_MARK], raw[_MARK:].decode()
        genuine = hmac.compare_digest(mark, keyring.index(f"cursor {said}")[:_MARK])
        at, id = said.split(" ")
        if genuine:
            return Page(datetime.fromisoformat(at), UUID(id))
    except ValueError:
        pass
    raise malformed("cursor", "/cursor", "cursor")


def page(items: list[Any], shown: list[Any], limit: int, after: str | None) -> dict[str, Any]:
    """A list's answer: one more was asked for than is shown, to know whether it goes on."""
    return {"items": shown, "next": after if len(items) > limit else None}
