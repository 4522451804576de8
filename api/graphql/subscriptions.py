"""Subscriptions: what happens to one appeal, to those of a filter, to an organisation's queue.

Each entry carries a cursor; who comes back with the last one they had misses nothing and gets
nothing twice. What happened is told thin and costs no query; `appeal` is the appeal as it stands
when the entry is told, by the same road as every other.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import strawberry

from api.errors import Malformed, TooSlow
from api.graphql import appeals as a
from api.graphql import loading
from api.graphql.appeals import Appeal
from api.graphql.derive import enum_type
from api.graphql.enums import AppealStatus
from api.graphql.fast import optional, quick
from api.graphql.hub import Hub
from api.graphql.organisations import Organisation, organisation_of
from api.rest.cursors import unveiled, veiled
from domain.access import CITY_WIDE, Permission, Principal, Role
from domain.appeals.happenings import Happening, Judge, Place, Wanted
from domain.errors import Fault, NotFound
from domain.events import EventType
from domain.ports import Keyring

_SEAL = 8
Kind = enum_type(EventType)
ActorRole = enum_type(Role)


def write_place(place: Place, keyring: Keyring) -> str:
    """The cursor of an entry: sealed so that no place can be made up, its transaction veiled, since
    those of all cities are counted together.
    """
    said = f"{veiled(place.transaction, keyring)} {place.id}"
    seal = keyring.index(f"happening {said}")[:_SEAL]
    return urlsafe_b64encode(seal + said.encode()).decode().rstrip("=")


def read_place(cursor: str | None, keyring: Keyring) -> Place | None:
    """Where to go on. Raises Malformed for what we did not write."""
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        seal, said = raw[:_SEAL], raw[_SEAL:].decode()
        if hmac.compare_digest(seal, keyring.index(f"happening {said}")[:_SEAL]):
            transaction, id = said.split(" ")
            return Place(int(unveiled(transaction, keyring)), UUID(id))
    except ValueError:
        pass
    raise Malformed("cursor", [Fault("/after", "cursor", {})])


@dataclass(frozen=True, slots=True)
class Stream:
    """How one caller follows what happens."""

    hub: Hub
    judge: Judge

    async def follow(
        self, context: Any, wanted: Wanted, after: str | None
    ) -> AsyncGenerator[Happening, None]:
        """What happens, until they may hear no more. Who is too slow, or was away for too long,
        is told by `after` where to go on.
        """
        keyring = context.house.keyring
        place = read_place(after, keyring)

        async def judge() -> Principal:
            # Who they are now is who asks for what is told beside the event.
            context.principal = await self.judge()
            now: Principal = context.principal
            return now

        told = self.hub.follow(context.require(), wanted, judge, place)
        try:
            async for happening in told:
                place = happening.place
                yield happening
        except TooSlow as refusal:
            last = refusal.params.get("place") or place
            cursor = write_place(last, keyring) if isinstance(last, Place) else after
            raise TooSlow(kept=refusal.params["kept"], after=cursor) from None
        finally:
            await told.aclose()


@strawberry.type(description="Something that happened to an appeal.")
class AppealUpdate:
    """A happening; what it says is the same for everybody who may hear of it."""

    _said: strawberry.Private[Happening]

    @property
    def rendered(self) -> dict[Any, Any]:
        """What was made of it for each audience (api/graphql/audiences.py)."""
        return self._said.rendered

    @quick("The place among all that happens: `after` of a subscription that goes on from here.")
    def cursor(self, info: strawberry.Info) -> str:
        """Sealed."""
        return write_place(self._said.place, info.context.house.keyring)

    @quick("The event's id, as webhooks and the history have it.")
    def id(self) -> UUID:
        """One for each event."""
        return self._said.place.id

    @quick("What happened.")
    def type(self) -> Kind:  # type: ignore[valid-type]
        """Of the register's kinds."""
        return self._said.type

    @quick("The registration number of the appeal.")
    def number(self) -> str:
        """As residents know it."""
        return self._said.number

    @quick("The place of the event in the history of the appeal, from 1.")
    def sequence(self) -> int:
        """Without gaps, though some may not be yours to hear."""
        return self._said.sequence

    @quick("When it happened.")
    def at(self) -> datetime:
        """By the city's clock."""
        return self._said.at

    @quick("Where the appeal stood after it.")
    def status(self) -> AppealStatus:
        """After the event."""
        return self._said.status

    @quick("The code of the appeal's service.")
    def service_code(self) -> str:
        """After the event."""
        return self._said.service

    @quick("Who had the appeal after it; null where nobody had.")
    def organisation(self, info: strawberry.Info) -> Organisation | None:
        """From the snapshot."""
        return organisation_of(self._said.organisation, info)

    @quick("The role of who did it.")
    def by(self) -> ActorRole:  # type: ignore[valid-type]
        """Not who."""
        return Role(self._said.actor)

    @quick("Whether it is shown to colleagues alone.")
    def internal(self) -> bool:
        """Residents hear of none of these."""
        return self._said.internal

    @strawberry.field(  # type: ignore[untyped-decorator]
        description="The appeal as it stands now; null where it is no longer yours to see."
    )
    async def appeal(self, info: strawberry.Info) -> Appeal | None:
        """By the same road as `Query.appeal`."""
        load = loading.appeals_by(info.context, "number", a.parts_below(info._raw_info))
        sketch = await load.load(self._said.number)
        return a.made(sketch) if sketch is not None else None


@strawberry.input(description="Which of what happens; conditions are joined by 'and'.")
class UpdateFilter:
    """What is null or left out does not narrow."""

    types: list[Kind] | None = optional("One of these kinds of events.")  # type: ignore[valid-type]
    statuses: list[AppealStatus] | None = optional(
        "The appeal stands in one of these statuses after it."
    )
    services: list[str] | None = optional("The appeal is of one of these services, by code.")
    districts: list[str] | None = optional("The place is in one of these districts, by code.")


@strawberry.type(
    description="What happens, while it happens, over graphql-transport-ws or as server-sent"
    " events. Needs a token; ends with it."
)
class Subscription:
    """Each narrows what the caller may hear; none widens it."""

    @strawberry.subscription(description="What happens to one appeal.")  # type: ignore[untyped-decorator]
    async def appeal(
        self, info: strawberry.Info, number: str, after: str | None = None
    ) -> AsyncGenerator[AppealUpdate, None]:
        """Raises NotFound as every other question about an appeal."""
        principal = info.context.require(Permission.READ_APPEAL)
        load = loading.appeals_by(info.context, "number", frozenset({"id"}))
        if await load.load(number) is None:
            raise NotFound(kind="appeal", id=number)
        return _updates(info.context, Wanted(principal.city, number=number), after)

    @strawberry.subscription(description="What happens to appeals that you may see.")  # type: ignore[untyped-decorator]
    async def appeals(
        self, info: strawberry.Info, filter: UpdateFilter | None = None, after: str | None = None
    ) -> AsyncGenerator[AppealUpdate, None]:
        """All of them without a filter."""
        principal = info.context.require(Permission.READ_APPEAL)
        return _updates(info.context, _wanted(principal, filter), after)

    @strawberry.subscription(  # type: ignore[untyped-decorator]
        description="What happens in the queue of an organisation: to appeals that were ever given"
        " to it or to one below it. An appeal that leaves is told by the event that moves it."
    )
    async def queue(
        self,
        info: strawberry.Info,
        organisation: UUID,
        filter: UpdateFilter | None = None,
        after: str | None = None,
    ) -> AsyncGenerator[AppealUpdate, None]:
        """Raises NotFound for an organisation that is not the caller's, unless they see all."""
        principal = info.context.require(Permission.READ_APPEAL)
        known = info.context.reference.organisations
        theirs = principal.role in CITY_WIDE or organisation in principal.organisations
        if organisation not in known or not theirs:
            raise NotFound(kind="organisation", id=str(organisation))
        below = partial(info.context.house.trees.below, principal.city, organisation)
        return _updates(info.context, _wanted(principal, filter, below), after)


def _wanted(
    principal: Principal,
    said: UpdateFilter | None,
    organisations: Callable[[], frozenset[UUID]] | None = None,
) -> Wanted:
    if said is None:
        return Wanted(principal.city, organisations=organisations)
    return Wanted(
        principal.city,
        organisations=organisations,
        types=_set(said.types),
        statuses=_set(said.statuses),
        services=_set(said.services),
        districts=_set(said.districts),
    )


def _set(said: list[Any] | None) -> frozenset[Any] | None:
    return None if said is None else frozenset(said)


async def _updates(
    context: Any, wanted: Wanted, after: str | None
) -> AsyncGenerator[AppealUpdate, None]:
    told = context.stream.follow(context, wanted, after)
    async with aclosing(told) as happenings:
        async for happening in happenings:
            yield AppealUpdate(_said=happening)
