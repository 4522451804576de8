"""What passes between a city's register and the national register of appeals (e-Өтініш).

A case is one appeal that stands in both. What the city tells is a `Notice`, in the order of the
appeal's own events; what the state tells is a `Told`, in the order of the state's versions of the
case. Neither side's transport is known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

STATE = UUID("e0710151-0000-8000-8000-000000000109")
"""Whom the register names where the national register spoke: a program, and no person."""


class Origin(StrEnum):
    """Where a case began."""

    CITY = "city"
    STATE = "state"


class Notice(StrEnum):
    """What the city tells the state."""

    REGISTER = "register"
    ACCEPTED = "accepted"
    REPLY = "reply"
    FINISHED = "finished"
    EXTENDED = "extended"
    REDIRECTED = "redirected"
    RELEASED = "released"
    FORWARDED = "forwarded"
    CLASSIFIED = "classified"
    CORRECTED = "corrected"
    ATTACHED = "attached"
    REOPENED = "reopened"
    RATED = "rated"
    WITHDRAWN = "withdrawn"


class Tale(StrEnum):
    """What the state tells the city."""

    ASSIGNED = "assigned"
    REGISTERED = "registered"
    PROGRESS = "progress"
    EXTENDED = "extended"
    REDIRECTED = "redirected"
    DECIDED = "decided"
    RATED = "rated"
    WITHDRAWN = "withdrawn"


class MessageState(StrEnum):
    """Where a message stands, on its way in or out."""

    PENDING = "pending"
    DONE = "done"
    REPEATED = "repeated"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"


class Delivery(StrEnum):
    """What the gateway says of a message that it took; the words are its own."""

    ON_DELIVERY = "ON_DELIVERY"
    DELIVERED = "DELIVERED"
    NOT_DELIVERED = "NOT_DELIVERED"
    DELIVERY_STOPPED = "DELIVERY_STOPPED"


class Remedy(StrEnum):
    """What helps against a fault: time, somebody who mends the exchange itself, or an inspector
    who looks at this one message.
    """

    RETRY = "retry"
    FIX = "fix"
    QUARANTINE = "quarantine"


class Channel(StrEnum):
    """The gateway's channels: a call with its answer, or letters that wait to be fetched."""

    SYNC = "sync"
    ASYNC = "async"


@dataclass(frozen=True, slots=True)
class Case:
    """One appeal in both registers. `number` is the national one, None until it was told;
    `version` the last of the state's versions that was applied here; `deadline` the state's own.
    """

    appeal: UUID
    city: UUID
    own_number: str
    origin: Origin
    number: str | None = None
    state: str | None = None
    version: int = 0
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the state about one case, read by the contract.

    `values` are its fields by their names in the contract's fields.yaml: texts, instants,
    numbers, lists of file ids.
    """

    tale: Tale
    number: str
    version: int
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A field as text, None where it is absent."""
        value = self.values.get(name)
        return None if value is None else str(value)

    @property
    def files(self) -> tuple[str, ...]:
        """What the state calls the files that go with it."""
        value = self.values.get("files")
        return tuple(map(str, value)) if isinstance(value, list | tuple) else ()

    def at(self, name: str) -> datetime | None:
        """A field that is an instant."""
        value = self.values.get(name)
        return value if isinstance(value, datetime) else None


class Poison(Exception):
    """A message that cannot be applied, whoever tries again: `fault` is a stable word."""

    def __init__(self, fault: str, detail: str = "") -> None:
        super().__init__(f"{fault} {detail}".strip())
        self.fault = fault
        self.detail = detail


class TooEarly(Exception):
    """A message whose time has not come: one before it is missing."""


class GatewayFault(Exception):
    """A call that brought no success. `fault` is a stable word, `code` the gateway's own, if any;
    `detail` never holds what a message was about.
    """

    def __init__(self, fault: str, remedy: Remedy, detail: str = "", code: str = "") -> None:
        super().__init__(" ".join(filter(None, (fault, code, detail))))
        self.fault = fault
        self.remedy = remedy
        self.detail = detail
        self.code = code
