"""What a list is asked for: which part of it, in which order, of which kind, of which time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.values import Box, Circle


@dataclass(frozen=True, slots=True)
class Page:
    """Where a list goes on: after this time and id.

    `mark` tells entries of one time and id apart, where a list can have such.
    """

    at: datetime
    id: UUID
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """In which order appeals are listed: by registration, or by when they are next due."""

    by: Literal["registered_at", "due_at"] = "registered_at"
    ascending: bool = False


NEWEST_FIRST = Order()


@dataclass(frozen=True, slots=True)
class AppealFilter:
    """Which appeals are wanted; what is None or empty does not narrow."""

    statuses: Sequence[str] = ()
    service: str | None = None
    category: str | None = None
    sphere: str | None = None
    district: str | None = None
    organisation: UUID | None = None
    channel: str | None = None
    kind: str | None = None
    criticality: str | None = None
    emergency: bool | None = None
    incident: UUID | None = None
    overdue_at: datetime | None = None
    registered_from: datetime | None = None
    registered_to: datetime | None = None
    text: str | None = None
    box: Box | None = None
    circle: Circle | None = None


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents are wanted; what is None or empty does not narrow."""

    statuses: Sequence[str] = ()
    kind: str | None = None
    service: str | None = None
    organisation: UUID | None = None
    ids: Collection[UUID] | None = None
    overdue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """What was reported done from `begin` on and before `end`; of one service or executor alone
    where they are named, and each service apart where `by_service` is set.
    """

    begin: datetime
    end: datetime
    service: str | None = None
    organisation: UUID | None = None
    by_service: bool = False
