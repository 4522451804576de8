"""What the city tells the state: which events are told, as what, and what a notice holds.

A notice is made from its event's own bytes and the texts sealed beside them, so that it says the
same however often it is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.appeals.model import Kind
from domain.appeals.workflow import Status
from domain.eotinish.agreements import Agreements
from domain.eotinish.model import STATE, Notice
from domain.events import AMONG_COLLEAGUES, EventType
from domain.law.kinds import AppealKind
from domain.reference import Promises, Reference
from domain.sla.durations import parse_duration
from domain.sla.policy import Stage
from domain.values import Language, in_language

NOTICES: Mapping[str, Notice] = {
    EventType.REGISTERED: Notice.REGISTER,
    EventType.ACCEPTED: Notice.ACCEPTED,
    EventType.COMMENTED: Notice.REPLY,
    EventType.BROADCAST: Notice.REPLY,
    EventType.ANSWERED: Notice.FINISHED,
    EventType.RESOLVED: Notice.FINISHED,
    EventType.DECIDED: Notice.FINISHED,
    EventType.SUMMONED: Notice.REPLY,
    EventType.HEARD: Notice.REPLY,
    EventType.PROLONGED: Notice.EXTENDED,
    EventType.FORWARDED: Notice.FORWARDED,
    EventType.REDIRECTED: Notice.REDIRECTED,
    EventType.DECLINED: Notice.RELEASED,
    EventType.CLASSIFIED: Notice.CLASSIFIED,
    EventType.CORRECTED: Notice.CORRECTED,
    EventType.ATTACHED: Notice.ATTACHED,
    EventType.RETURNED: Notice.REOPENED,
    EventType.REOPENED: Notice.REOPENED,
    EventType.CONFIRMED: Notice.RATED,
    EventType.WITHDRAWN: Notice.WITHDRAWN,
}
"""The events that the state hears of. The others are the city's own housekeeping: who checked,
what waits, whose clock warns.
"""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of an appeal, as it is told: where it lies, and its hex SHA-256."""

    id: UUID
    filename: str
    media_type: str
    size: int
    sha256: str
    storage_key: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that a notice is made of.

    `forwarded`: the appeal stood with another body after the event; `term` is when the law's term
    ends that the event set, if it set one.
    """

    id: UUID
    notice: Notice
    own_number: str
    number: str | None
    event: Mapping[str, Any]
    personal: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Attached] = ()
    kind: Kind = Kind.MESSAGE
    lawful: AppealKind | None = None
    iin: str | None = None
    address: str | None = None
    executor: str | None = None
    language: Language = Language.RU
    forwarded: bool = False
    term: datetime | None = None


def notice_of(event: Mapping[str, Any]) -> Notice | None:
    """What an event is told as; None for what is not told: the rest, what colleagues say among
    themselves, and what the state said itself.
    """
    if event["actor"]["id"] == str(STATE):
        return None
    data = event["data"]
    if event["type"] == EventType.COMMENTED and data.get("internal"):
        return None
    if event["type"] == EventType.COMMENTED and event["actor"]["role"] == "citizen":
        return None
    return NOTICES.get(event["type"])


def values_of(material: Material, agreements: Agreements) -> dict[str, object]:
    """The notice's fields, by the names of fields.yaml."""
    event, notice = material.event, material.notice
    status = Status(event["about"]["status"])
    values: dict[str, object] = {
        "message_id": str(material.id),
        "own_number": material.own_number,
        "number": material.number,
        "sequence": event["sequence"],
        "at": datetime.fromisoformat(event["at"]),
        "state": agreements.state_of(status, forwarded=material.forwarded),
        "text": _words(event["type"], material.personal),
        "executor": event["data"].get("body") or material.executor,
    }
    if notice is Notice.REGISTER:
        values |= _registration(material, agreements)
    if notice in (Notice.CLASSIFIED, Notice.CORRECTED):
        values |= _anew(material, agreements)
    if notice is Notice.EXTENDED and (due := event["data"].get("due_after")):
        values["deadline"] = datetime.fromisoformat(due)
    if notice is Notice.REOPENED:
        values["deadline"] = material.term
    if notice is Notice.RATED:
        values |= {"rating": event["data"].get("rating"), "satisfied": True}
    return {name: value for name, value in values.items() if value is not None}


def _anew(material: Material, agreements: Agreements) -> dict[str, object]:
    """What the record says after a classification or a correction."""
    data, lawful = material.event["data"], material.lawful
    if material.notice is Notice.CLASSIFIED:
        lawful = AppealKind(kind) if (kind := data.get("kind")) else None
    known = lawful is not None or material.kind in agreements.types
    return {
        # What is none of the state's types any more keeps there the one that it had.
        "type": agreements.type_of(material.kind, lawful) if known else None,
        "address": material.address,
        "deadline": material.term,
    }


def _words(type_: str, personal: Mapping[str, str]) -> str | None:
    """What an event says to the applicant, by whichever name it says it. What colleagues write to
    each other stays here: the applicant reads the national register too.
    """
    hidden = AMONG_COLLEAGUES.get(type_)
    names = (name for name in ("text", "preliminary", "minutes", "reason") if name != hidden)
    return next(filter(None, map(personal.get, names)), None)


def _registration(material: Material, agreements: Agreements) -> dict[str, object]:
    data, personal = material.event["data"], material.personal
    return {
        "type": agreements.type_of(material.kind, material.lawful),
        "language": agreements.languages[Language(data["language"])],
        "name": personal.get("name"),
        "phone": personal.get("phone"),
        "email": personal.get("email"),
        # Who stays anonymous is known to the city by their login alone, and to nobody else.
        "iin": None if data["anonymous"] else material.iin,
        "address": material.address,
        "anonymous": data["anonymous"],
    }


def term_of(data: Mapping[str, Any], promises: Promises) -> datetime | None:
    """When the law's term ends that an event began; None where it began none."""
    for one in data.get("promises", ()):
        if one["stage"] == Stage.CONSIDER:
            calendar = promises.calendars[one["calendar"], one["calendar_version"]]
            begun = datetime.fromisoformat(one["from"])
            return calendar.add(begun, parse_duration(one["target"]))
    return None


def address_of(place: str | None, reference: Reference) -> str | None:
    """The words of a sealed place: those of the caller, else street and house of the city's list;
    the flat with them.
    """
    if place is None:
        return None
    said = orjson.loads(place)
    words = said.get("address") or _listed(said.get("building"), reference)
    parts = (words, said.get("apartment"))
    return ", ".join(str(one) for one in parts if one) or None


def _listed(id: str | None, reference: Reference) -> str | None:
    building = reference.buildings.get(UUID(id)) if id else None
    street = reference.streets.get(building.street) if building else None
    if building is None or street is None:
        return None
    return f"{in_language(street.names, Language.RU)}, {building.number}"
