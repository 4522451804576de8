"""The feed: what webhooks tell an organisation, for those who ask instead of being called."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

KEPT = timedelta(days=90)
"""How long an entry can be read for certain; the sweep leaves a day more."""

SWEPT = KEPT + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """One entry: `payload` are the bytes, and `id` the webhook-id, that a webhook would carry."""

    position: int
    at: datetime
    id: UUID
    payload: bytes


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Entries in order, and up to where everything that was wanted has been read.

    `until` is the time of that place: of the last entry, where there may be more behind it.
    """

    entries: tuple[Told, ...]
    position: int
    until: datetime
    more: bool
