"""Cursors: where a list goes on, opaque and signed, so that a forged one is refused."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
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


def read_cursor(
    cursor: str | None, keyring: Keyring, fits: Callable[[Page], bool] = lambda _: True
) -> Page | None:
    """Where to go on. Raises Malformed for what we did not write, or wrote for another list, as
    far as that can be told: what `fits` says no to.
    """
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        seal, said = raw[:_SEAL], raw[_SEAL:].decode()
        genuine = hmac.compare_digest(seal, keyring.index(f"cursor {said}")[:_SEAL])
        at, id, mark = said.split(" ")
        page = Page(datetime.fromisoformat(at), UUID(id), mark)
        if genuine and fits(page):
            return page
    except ValueError:
        pass
    raise malformed("cursor", "/cursor", "cursor")


_VEIL = "~"


def veiled(said: str | int, keyring: Keyring) -> str:
    """A mark that we alone can read: of numbers that are given out one after another to everybody,
    two tell how much went on between them.
    """
    return _VEIL + urlsafe_b64encode(keyring.seal(str(said).encode())).decode().rstrip("=")


def unveiled(mark: str, keyring: Keyring) -> str:
    """What a mark says. Raises ValueError for the mark of another list."""
    if not mark.startswith(_VEIL):
        raise ValueError(mark)
    sealed = mark.removeprefix(_VEIL)
    try:
        return keyring.open(urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))).decode()
    except KeyError as error:
        raise ValueError("of a key that was taken away since") from error
