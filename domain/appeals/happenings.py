"""What happens, as those hear of it who follow appeals while they happen.

A happening is one event of an appeal with what decides who may hear of it. Who hears what is said
here once more than in SQL (integrations/postgres/scope.py: visible), since one reader tells
thousands; tests/integrations/postgres/test_happenings.py holds the two to each other.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from domain.access import CITY_WIDE, Permission, Principal, Role
from domain.appeals.workflow import Status
from domain.events import EventType

NOWHERE = UUID(int=0)


class Place(NamedTuple):
    """Where an event stands in the order of all: its transaction, and its id within that.

    Ids alone are no order: what commits late may bear a lower one (law 2).
    """

    transaction: int
    id: UUID = NOWHERE


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of an appeal, and who has to do with the appeal.

    `status` and `organisation` (the executor's) are those after the event; `organisations` are all
    to whom the appeal was ever given. `rendered` keeps what doors made of it for one hearer that
    serves the next as well; it goes with the happening.
    """

    place: Place
    city: UUID
    appeal: UUID
    number: str
    sequence: int
    type: EventType
    at: datetime
    internal: bool
    status: Status
    service: str
    organisation: UUID | None
    actor: str
    citizen: UUID | None
    district: str | None
    organisations: frozenset[UUID]
    rendered: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody follows. Each condition that is not None must hold.

    `organisations`: given to one of them, now or ever (an organisation's queue); asked anew for
    each happening, since who stands below an organisation changes while somebody follows it.
    """

    city: UUID
    number: str | None = None
    organisations: Callable[[], frozenset[UUID]] | None = None
    types: frozenset[EventType] | None = None
    statuses: frozenset[Status] | None = None
    services: frozenset[str] | None = None
    districts: frozenset[str] | None = None

    def fits(self, happening: Happening) -> bool:
        """Whether it is followed."""
        return (
            happening.city == self.city
            and self.number in (None, happening.number)
            and (self.organisations is None or bool(self.organisations() & happening.organisations))
            and (self.types is None or happening.type in self.types)
            and (self.statuses is None or happening.status in self.statuses)
            and (self.services is None or happening.service in self.services)
            and (self.districts is None or happening.district in self.districts)
        )


def hears(principal: Principal, happening: Happening) -> bool:
    """Whether somebody may hear of it: of appeals that exist for them, and of what is internal
    only with the right to it.
    """
    if happening.city != principal.city or not principal.may(Permission.READ_APPEAL):
        return False
    if happening.internal and not principal.may(Permission.READ_INTERNAL):
        return False
    if principal.role is Role.CITIZEN:
        return principal.citizen is not None and happening.citizen == principal.citizen
    if principal.role not in CITY_WIDE:
        return bool(principal.organisations & happening.organisations)
    districts = principal.confined
    return districts is None or happening.district in districts


class Happenings(Protocol):
    """Events in their order, below the oldest running transaction, so that none is passed over."""

    async def floor(self) -> Place:
        """The place below which everything stands still. Raises Unavailable."""
        ...

    async def holds(self, place: Place) -> bool:
        """Whether the event of a place is in the register, which forgets none unless it was taken
        back to an earlier moment. Raises Unavailable.
        """
        ...

    async def after(
        self, place: Place, floor: Place, limit: int, wanted: Wanted | None = None
    ) -> Sequence[Happening]:
        """At most `limit` happenings after a place and below the floor, in order; of an appeal or
        a city alone where `wanted` names them. Raises Unavailable.
        """
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something may have happened, until cancelled. Raises Unavailable
        when the way is lost; nothing is lost with it, since who reads goes by places.
        """
        ...


Judge = Callable[[], Awaitable[Principal]]
"""Judges a hearer again. Raises the refusal by which they hear nothing more."""
