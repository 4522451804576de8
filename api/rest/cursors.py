"""Cursors: where a list goes on, opaque and signed, so that a forged one is refused."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

from api.rest.operation import malformed
from domain.ports import Keyring
from domain.questions import Page

_SEAL = 8


def write_cursor(at: datetime, id: UUID, keyring: Keyring, mark: str = "") -> str:
    """The cursor after an entry; `mark` is the mark of domain.ports.Page."""
    said = f"{at.isoformat()} {id} {mark}".encode()
    seal = keyring.index(f"cursor {said.decode()}")[:_SEAL]
    return urlsafe_b64encode(seal + said).decode().rstrip("=")


def read_cursor(cursor: str | None, keyring: Keyring) -> Page | None:
    """Where to go on. Raises Malformed for what we did not write."""
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        seal, said = raw[:_SEAL], raw[_SEAL:].decode()
        genuine = hmac.compare_digest(seal, keyring.index(f"cursor {said}")[:_SEAL])
        at, id, mark = said.split(" ")
        if genuine:
            return Page(datetime.fromisoformat(at), UUID(id), mark)
    except ValueError:
        pass
    raise malformed("cursor", "/cursor", "cursor")
