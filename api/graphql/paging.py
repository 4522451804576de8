"""The bounds of a page, judged as the REST API judges `limit` and `cursor`."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from api.errors import Malformed
from api.graphql.nodes import MOST, Connection, page
from api.rest.cursors import read_cursor
from api.rest.operation import malformed
from domain.ports import Keyring
from domain.questions import Order, Page

LONGEST = 200
_SEAL = 8


@dataclass(frozen=True, slots=True)
class Bounds:
    """`first` entries after a cursor. Raises Malformed."""

    first: int
    after: str | None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= MOST:
            raise malformed("first", "/first", "out-of-range", ge=1, le=MOST)
        if self.after is not None and len(self.after) > LONGEST:
            raise malformed("after", "/after", "too-long", max_length=LONGEST)


def marked(order: Order) -> str:
    """What tells the places of one order from those of another; of the usual one as over REST."""
    return "" if order == Order() else f"{order.by}/{'asc' if order.ascending else 'desc'}"


def resumed(after: str | None, keyring: Keyring, mark: str = "") -> Page | None:
    """Where a list of the register goes on. Raises Malformed for what we did not write, or not
    for this order.
    """
    try:
        place = read_cursor(after, keyring)
    except Malformed:
        raise malformed("after", "/after", "cursor") from None
    if place is not None and place.mark != mark:
        raise malformed("after", "/after", "cursor")
    return place


def veiled(at: datetime, id: UUID, keyring: Keyring) -> str:
    """The cursor after an entry for those who may know neither its moment nor its id: what others
    can read in a cursor of ours is sealed in theirs.
    """
    said = keyring.seal(f"{at.isoformat()} {id}".encode())
    mark: bytes = keyring.index(f"veiled {said.hex()}")[:_SEAL]
    return urlsafe_b64encode(mark + said).decode().rstrip("=")


def unveiled(after: str | None, keyring: Keyring) -> Page | None:
    """Where a list goes on after a veiled cursor. Raises Malformed for what we did not write."""
    if after is None:
        return None
    try:
        raw = urlsafe_b64decode(after + "=" * (-len(after) % 4))
        said = raw[_SEAL:]
        if hmac.compare_digest(raw[:_SEAL], keyring.index(f"veiled {said.hex()}")[:_SEAL]):
            at, id = keyring.open(said).decode().split(" ")
            return Page(datetime.fromisoformat(at), UUID(id))
    except (KeyError, ValueError):
        # KeyError: of a key that was taken away since.
        pass
    raise malformed("after", "/after", "cursor")


def placed(
    of: str, nodes: list[Any], keys: list[str], bounds: Bounds, context: Any
) -> Connection[Any]:
    """A page of a list that is known whole; each node is placed by its key, which the cursor seals
    with the list's name.

    Raises Malformed for a cursor that we did not write for this list. What was taken off the list
    since then has no place in it any more: the list begins anew.
    """
    keyring = context.house.keyring
    start = 0
    if bounds.after is not None:
        key = _read(of, bounds.after, keyring)
        start = keys.index(key) + 1 if key in keys else 0
    end = start + bounds.first + 1
    cursors = [partial(_write, of, key, keyring) for key in keys[start:end]]
    return page(nodes[start:end], cursors, first=bounds.first, began=start > 0)


def _write(of: str, key: str, keyring: Any) -> str:
    seal: bytes = keyring.index(f"place {of} {key}")[:_SEAL]
    return urlsafe_b64encode(seal + key.encode()).decode().rstrip("=")


def _read(of: str, cursor: str, keyring: Any) -> str:
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = raw[_SEAL:].decode()
    except ValueError:
        raise malformed("after", "/after", "cursor") from None
    if not hmac.compare_digest(raw[:_SEAL], keyring.index(f"place {of} {key}")[:_SEAL]):
        raise malformed("after", "/after", "cursor")
    return key
