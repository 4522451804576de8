"""The order in which events enter the log: by transaction, and each appeal's own in sequence.

A transaction takes its number before it waits for an appeal, so that the numbers of two of
them may stand the other way round than their events. Whoever reads by transaction sets this
right, and holds back an event whose predecessor is still to come.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from uuid import UUID

Place = tuple[UUID, int]
"""An appeal, and the sequence of an event in it."""


@dataclass(frozen=True, slots=True)
class News:
    """An event that the log does not hold yet. `xid` is the transaction that wrote it."""

    xid: int
    id: UUID
    city: UUID
    appeal: UUID
    sequence: int
    hash: bytes

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.appeal, self.sequence

    @property
    def before(self) -> Place:
        """Where its predecessor stands."""
        return self.appeal, self.sequence - 1


def predecessors(news: Sequence[News]) -> set[Place]:
    """The places that events build on and that are not among them."""
    given = {one.place for one in news}
    return {one.before for one in news if one.sequence > 1} - given


def in_order(news: Sequence[News], waiting: Set[Place]) -> tuple[list[News], list[News]]:
    """What can be sealed, in order, and what is held back.

    `waiting` are the predecessors that stand in the register and are not sealed. One that is
    missing altogether holds nobody back: the gap is the audit's to tell.
    """
    given = {one.place for one in news}
    done: set[Place] = set()
    ready: list[News] = []
    parked: dict[Place, News] = {}
    for one in news:
        if one.before in waiting or (one.before in given and one.before not in done):
            parked[one.before] = one
            continue
        freed: News | None = one
        while freed is not None:
            ready.append(freed)
            done.add(freed.place)
            freed = parked.pop(freed.place, None)
    return ready, list(parked.values())
