"""The feed: what webhooks tell an organisation, for those who ask instead of being called."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

KEPT = timedelta(days=90)
"""How long an entry can be read for certain; the sweep leaves a day more."""

SWEPT = KEPT + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far somebody has read: the position, id and time of the entry that stood there.

    A database that was taken back to an earlier moment gives its positions a second time; by id
    and time such a mark is known. At position 0 nothing stood yet.
    """

    position: int
    id: UUID
    at: datetime


START = Mark(0, UUID(int=0), datetime.fromtimestamp(0, UTC))
"""Before everything."""


@dataclass(frozen=True, slots=True)
class Told:
    """One entry: `payload` are the bytes, and `id` the webhook-id, that a webhook would carry."""

    mark: Mark
    payload: bytes

    @property
    def id(self) -> UUID:
        """The message's."""
        return self.mark.id


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Entries in order, and up to where everything that was wanted has been read.

    `until` is the time of that place: of the last entry, where there may be more behind it.
    """

    entries: tuple[Told, ...]
    mark: Mark
    until: datetime
    more: bool
