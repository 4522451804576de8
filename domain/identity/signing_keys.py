"""The life of the keys that sign tokens: made ahead, used, retired, gone.

A key is published before it signs, so that whoever keeps the key set has it in time, and stays
published until the last token that it signed has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.identity.tokens import REVOCATION_LASTS

KEY_LASTS = timedelta(days=30)
"""How long a key signs before the next takes over."""
AHEAD = timedelta(days=1)
"""How long the next key is published before it signs, when it comes by age."""
SOON = timedelta(minutes=5)
"""The same, when somebody orders a rotation: longer than any process needs to learn of it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair. `public` is a JWK (RFC 7517) with `kid`; `private` is PKCS #8 in PEM.

    `withdrawn_at`: nobody trusts it from then on, since somebody else may have it.
    """

    kid: str
    public: Mapping[str, Any]
    private: bytes = field(repr=False)
    signs_from: datetime
    withdrawn_at: datetime | None = None

    def stands(self, at: datetime) -> bool:
        """Whether it is trusted at a time."""
        return self.withdrawn_at is None or self.withdrawn_at > at


def signing(keys: Sequence[SigningKey], at: datetime) -> SigningKey | None:
    """The key that signs at a time: the youngest whose turn has come; None where there is none."""
    ready = [key for key in keys if key.signs_from <= at and key.stands(at)]
    return max(ready, key=lambda key: key.signs_from, default=None)


def published(keys: Sequence[SigningKey], at: datetime) -> tuple[SigningKey, ...]:
    """The keys that others must know at a time, the oldest first."""
    ordered = sorted((key for key in keys if key.stands(at)), key=lambda key: key.signs_from)
    successors = [*ordered[1:], None]
    return tuple(
        key
        for key, after in zip(ordered, successors, strict=True)
        if after is None or after.signs_from + REVOCATION_LASTS > at
    )


def next_turn(keys: Sequence[SigningKey], at: datetime) -> datetime | None:
    """When a key that has to be made now would begin to sign; None while none is needed."""
    current = signing(keys, at)
    if current is None:
        return at
    youngest = max(key.signs_from for key in keys if key.stands(at))
    ends = youngest + KEY_LASTS
    return max(ends, at + SOON) if at >= ends - AHEAD else None
