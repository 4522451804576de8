"""The chain of an appeal: each event carries the hash of the one before it."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.events import Actor, Event, Fact, Sealed
from domain.register.canonical import (
    FORMAT,
    GENESIS,
    canonical_bytes,
    commitment,
    instant,
    leaf_hash,
)
from domain.values import new_id

SALT_BYTES = 16
NewSalt = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of an appeal's chain: how many events, and the hash of the last."""

    sequence: int = 0
    hash: bytes = GENESIS


def _salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def extend(
    head: Head,
    facts: Iterable[Fact],
    *,
    city: UUID,
    appeal: UUID,
    about: Mapping[str, object],
    actor: Actor,
    at: datetime,
    salt: NewSalt = _salt,
) -> tuple[Head, tuple[Event, ...]]:
    """Bind facts to the end of the chain, in order; the new head and the events.

    `about` says what the appeal is after the act (number, status, service, organisation),
    so that whoever tells of an event needs nothing but the event.
    """
    events: list[Event] = []
    for fact in facts:
        event = _bind(
            head, fact, city=city, appeal=appeal, about=about, actor=actor, at=at, salt=salt
        )
        head = Head(event.sequence, event.hash)
        events.append(event)
    return head, tuple(events)


def broken_link(links: Sequence[tuple[bytes, str]]) -> int | None:
    """The index of the first link whose `previous` is not the hash before it, or None.

    `links` are (canonical bytes, `previous` as hex named in them), oldest first.
    """
    expected = GENESIS
    for index, (canonical, previous) in enumerate(links):
        if previous != expected.hex():
            return index
        expected = leaf_hash(canonical)
    return None


def _bind(
    head: Head,
    fact: Fact,
    *,
    city: UUID,
    appeal: UUID,
    about: Mapping[str, object],
    actor: Actor,
    at: datetime,
    salt: NewSalt,
) -> Event:
    identity = new_id()
    personal = {name: Sealed(text, salt()) for name, text in fact.personal.items()}
    canonical = canonical_bytes(
        {
            "format": FORMAT,
            "id": str(identity),
            "city": str(city),
            "appeal": str(appeal),
            "sequence": head.sequence + 1,
            "type": str(fact.type),
            "at": instant(at),
            "about": dict(about),
            "actor": {
                "role": actor.role,
                "id": str(actor.id),
                "organisation": str(actor.organisation) if actor.organisation else None,
            },
            "data": dict(fact.data),
            "personal": {name: commitment(s.value, s.salt) for name, s in personal.items()},
            "previous": head.hash.hex(),
        }
    )
    return Event(
        id=identity,
        appeal=appeal,
        sequence=head.sequence + 1,
        type=fact.type,
        at=at,
        internal=fact.internal,
        personal=personal,
        canonical=canonical,
        hash=leaf_hash(canonical),
    )
