"""By what lists of appeals can be narrowed: the conditions of the REST API, and places."""

import enum
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api.graphql.enums import AppealStatus, Channel, Criticality, Kind
from api.graphql.fast import optional
from api.graphql.saying import as_query
from api.rest.appeals import AppealsQuery, wanted_appeals
from api.rest.operation import malformed
from domain.questions import AppealFilter as Wanted
from domain.questions import Order
from domain.values import Box, Circle, Coordinates

FARTHEST = 100_000
"""Metres."""


@strawberry.input(description="A piece of the map between two parallels and two meridians.")
class BoundingBox:
    """WGS 84 degrees; a box does not cross the 180th meridian, nor does Kazakhstan."""

    south: float = strawberry.field(description="The least latitude.")
    west: float = strawberry.field(description="The least longitude.")
    north: float = strawberry.field(description="The greatest latitude.")
    east: float = strawberry.field(description="The greatest longitude.")


@strawberry.input(description="What lies about a point.")
class Around:
    """Measured on the sphere."""

    latitude: float = strawberry.field(description="Degrees north, WGS 84.")
    longitude: float = strawberry.field(description="Degrees east, WGS 84.")
    metres: float = strawberry.field(description="How far at most, up to 100,000.")


@strawberry.input(description="Which appeals; conditions are joined by 'and'.")
class AppealFilter:
    """What is null or left out does not narrow."""

    status: list[AppealStatus] | None = optional("In one of these statuses.")
    service: str | None = optional("Of this service, by code.")
    category: str | None = optional("Of this category, by code.")
    sphere: str | None = optional("Of this sphere, by code.")
    district: str | None = optional("In this district, by code.")
    organisation: UUID | None = optional("With this organisation now.")
    channel: Channel | None = optional("Come by this road.")
    kind: Kind | None = optional("Of this kind.")
    criticality: Criticality | None = optional("Of this criticality.")
    emergency: bool | None = optional("Only emergencies, or only what is none.")
    incident: UUID | None = optional("Joined to this incident.")
    overdue: bool | None = optional("True: only what is past due. False narrows nothing.")
    registered_from: datetime | None = optional("Registered at this time or later.")
    registered_to: datetime | None = optional("Registered before this time.")
    text: str | None = optional("Words, anywhere in text, address and number.")
    within: BoundingBox | None = optional("In this piece of the map.")
    around: Around | None = optional("So near to a point.")


@strawberry.enum(description="By what appeals are ordered.")
class AppealOrderBy(enum.Enum):
    """Columns of the register."""

    REGISTERED_AT = "registered_at"
    DUE_AT = "due_at"


@strawberry.enum(description="Which way a list goes.")
class Direction(enum.Enum):
    """Up or down."""

    ASC = "asc"
    DESC = "desc"


@strawberry.input(
    description="In which order appeals come. By `DUE_AT` only those whose promise still counts."
)
class AppealOrder:
    """The newest first, unless it says otherwise."""

    # A default that is an enum cannot be told by introspection (strawberry on graphql-core 3.3).
    by: AppealOrderBy | None = optional("By what; `REGISTERED_AT` unless it is said.")
    direction: Direction | None = optional("Which way; `DESC` unless it is said.")

    def order(self) -> Order:
        """As the house has it."""
        by = self.by or AppealOrderBy.REGISTERED_AT
        return Order(by.value, self.direction is Direction.ASC)


_NAMES = {"text": "q"}


def wanted(said: AppealFilter | None, context: Any) -> Wanted:
    """The filter as the house has it. Raises Malformed."""
    if said is None:
        return Wanted()
    given = {_NAMES.get(name, name): value for name, value in vars(said).items()}
    if not given["overdue"]:
        del given["overdue"]
    within, around = given.pop("within"), given.pop("around")
    found = wanted_appeals(as_query(AppealsQuery, given, "/filter"), context.at)
    return replace(found, box=_box(within), circle=_circle(around))


def _box(said: BoundingBox | None) -> Box | None:
    if said is None:
        return None
    for low, high, most in (("south", "north", 90), ("west", "east", 180)):
        if not -most <= getattr(said, low) <= getattr(said, high) <= most:
            raise malformed("filter", f"/filter/within/{low}", "out-of-range", ge=-most, le=most)
    return Box(said.south, said.west, said.north, said.east)


def _circle(said: Around | None) -> Circle | None:
    if said is None:
        return None
    for name, least, most in (
        ("latitude", -90, 90), ("longitude", -180, 180), ("metres", 0, FARTHEST)
    ):  # fmt: skip
        if not least <= getattr(said, name) <= most:
            raise malformed("filter", f"/filter/around/{name}", "out-of-range", ge=least, le=most)
    return Circle(Coordinates(said.latitude, said.longitude), said.metres)
