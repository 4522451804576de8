"""Between the domain's frozen values and rows: every status is an enum again on the way in."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from domain.appeals.model import (
    Appeal,
    Applicant,
    Assignment,
    AssignmentState,
    Change,
    Channel,
    Confirmation,
    Extension,
    Kind,
    Membership,
    Pause,
    Place,
    Route,
    Waiver,
)
from domain.appeals.verdicts import is_done
from domain.appeals.workflow import PauseReason, Status
from domain.catalogue.evidence import Piece
from domain.catalogue.model import Criticality
from domain.events import Event
from domain.incidents.likeness import cell_of
from domain.ports import Keyring
from domain.register.chain import Head
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import Stage
from domain.values import Coordinates, Language
from integrations.postgres.instants import parse_instant
from integrations.postgres.legal_rows import read_legal, read_outside, write_legal

Row = Mapping[str, Any]


def dumps(value: object) -> str:
    """JSON that jsonb_populate_record reads back: bytes as \\x…, intervals in seconds."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, UUID):  # the driver's own subclass
        return str(value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} seconds"
    raise TypeError(type(value).__name__)


def appeal_row(appeal: Appeal, keyring: Keyring) -> dict[str, object]:
    """The row of `appeal`."""
    place, applicant, assignment = appeal.place, appeal.applicant, appeal.assignment
    point, member = place.coordinates, appeal.membership
    return {
        "id": appeal.id,
        "city_id": appeal.city,
        "number": appeal.number,
        "status": appeal.status,
        "kind": appeal.kind,
        "channel": appeal.channel,
        "language": appeal.language,
        "service": appeal.service,
        "service_version": appeal.service_version,
        "category": appeal.category,
        "sphere": appeal.sphere,
        "criticality": appeal.criticality,
        "emergency": appeal.emergency,
        "text": appeal.text,
        "building_id": place.building,
        "street_id": place.street,
        "district": place.district,
        "address": place.address,
        "apartment": place.apartment,
        "latitude": point.latitude if point else None,
        "longitude": point.longitude if point else None,
        "cell": cell_of(point) if point else None,
        "answers": appeal.answers,
        "citizen_id": applicant.citizen if applicant else None,
        "applicant": _sealed_applicant(applicant, keyring),
        "phone_index": keyring.index(applicant.phone) if applicant and applicant.phone else None,
        "operator_id": appeal.operator,
        "contact": appeal.contact,
        "organisation_id": assignment.organisation if assignment else None,
        "assignment_id": assignment.id if assignment else None,
        "route": appeal.route,
        "pause": appeal.pause,
        "pause_until": appeal.pause.until if appeal.pause else None,
        "waivers": appeal.waivers,
        "extension": appeal.extension,
        "confirmation": appeal.confirmation,
        "incident_id": member.incident if member else None,
        "incident_joined_at": member.joined_at if member else None,
        "incident_followed": member.followed if member else None,
        **_legal_columns(appeal),
        "first_contact": appeal.first_contact,
        "reopened": appeal.reopened,
        "redirected": appeal.redirected,
        "due_at": appeal.due_at,
        "registered_at": appeal.registered_at,
        "updated_at": appeal.updated_at,
        "closed_at": appeal.closed_at,
        "national_number": appeal.national_number,
        "version": appeal.version,
        "sequence": appeal.head.sequence,
        "head": appeal.head.hash,
    }


def _legal_columns(appeal: Appeal) -> dict[str, object]:
    legal = appeal.legal
    if legal is None:
        return {"legal": write_legal(appeal), "legal_kind": None, "law_due_at": None,
                "hearing_at": None, "prolonged": False}  # fmt: skip
    hearing = legal.hearing
    return {
        "legal": write_legal(appeal),
        "legal_kind": legal.kind,
        "law_due_at": appeal.law_due_at,
        "hearing_at": hearing.at if hearing and hearing.outcome is None else None,
        "prolonged": legal.prolonged > 0,
    }


def clock_row(clock: Clock, change: Change) -> dict[str, object]:
    """The row of `clock`."""
    return {
        "city_id": change.appeal.city,
        "appeal_id": change.appeal.id,
        "district": change.appeal.place.district,
        "organisation_id": change.appeal.executor,
        **{name: getattr(clock, name) for name in _CLOCK},
    }


_CLOCK = tuple(Clock.__dataclass_fields__)


def assignment_row(assignment: Assignment, change: Change) -> dict[str, object]:
    """The row of `assignment`."""
    return {
        "id": assignment.id,
        "city_id": change.appeal.city,
        "appeal_id": change.appeal.id,
        "organisation_id": assignment.organisation,
        "state": assignment.state,
        "offered_at": assignment.offered_at,
        "answered_at": assignment.answered_at,
        "done_at": assignment.done_at,
        "reason": assignment.reason,
    }


def completion_rows(change: Change) -> list[dict[str, object]]:
    """The row of `completion` that a 'done' makes; its number follows from those before it."""
    appeal = change.appeal
    if appeal.assignment is None or not is_done(change):
        return []
    return [
        {
            "city_id": appeal.city,
            "appeal_id": appeal.id,
            "organisation_id": appeal.assignment.organisation,
            "service": appeal.service,
            "district": appeal.place.district,
            "done_at": appeal.assignment.done_at,
        }
    ]


def event_row(event: Event, change: Change) -> dict[str, object]:
    """The row of `event`."""
    return {
        "id": event.id,
        "city_id": change.appeal.city,
        "appeal_id": event.appeal,
        "sequence": event.sequence,
        "type": event.type,
        "at": event.at,
        "internal": event.internal,
        "canonical": event.canonical,
        "hash": event.hash,
    }


def personal_rows(event: Event, keyring: Keyring) -> list[dict[str, object]]:
    """The rows of `event_personal`."""
    return [
        {
            "event_id": event.id,
            "field": field,
            "salt": sealed.salt,
            "sealed": keyring.seal(sealed.value.encode()),
        }
        for field, sealed in event.personal.items()
    ]


def _sealed_applicant(applicant: Applicant | None, keyring: Keyring) -> bytes | None:
    if applicant is None:
        return None
    said = {"name": applicant.name, "phone": applicant.phone, "email": applicant.email}
    return keyring.seal(orjson.dumps(said))


def read_applicant(
    sealed: bytes | None, citizen: UUID | None, keyring: Keyring
) -> Applicant | None:
    """The applicant of a row; None where the appeal is anonymous."""
    if sealed is None:
        return None
    return Applicant(citizen=citizen, **orjson.loads(keyring.open(sealed)))


def read_place(row: Row) -> Place:
    """The place of a row."""
    known = row["latitude"] is not None
    return Place(
        building=row["building_id"],
        street=row["street_id"],
        district=row["district"],
        address=row["address"],
        apartment=row["apartment"],
        coordinates=Coordinates(row["latitude"], row["longitude"]) if known else None,
    )


def read_appeal(row: Row, keyring: Keyring) -> Appeal:
    """The appeal of a row that carries `clocks` and `assignment` as JSON beside its columns."""
    assignment = row["assignment"]
    return Appeal(
        id=row["id"],
        city=row["city_id"],
        number=row["number"],
        status=Status(row["status"]),
        kind=Kind(row["kind"]),
        channel=Channel(row["channel"]),
        language=Language(row["language"]),
        service=row["service"],
        service_version=row["service_version"],
        category=row["category"],
        sphere=row["sphere"],
        criticality=Criticality(row["criticality"]),
        emergency=row["emergency"],
        text=row["text"],
        place=read_place(row),
        answers=row["answers"],
        applicant=read_applicant(row["applicant"], row["citizen_id"], keyring),
        operator=row["operator_id"],
        contact=row["contact"],
        assignment=read_assignment(assignment) if assignment else None,
        clocks=tuple(read_clock(one) for one in row["clocks"]),
        route=read_route(row["route"]),
        pause=read_pause(row["pause"]),
        waivers=tuple(map(_read_waiver, row["waivers"])),
        extension=_read_extension(row["extension"]),
        confirmation=read_confirmation(row["confirmation"]),
        membership=_read_membership(row),
        legal=read_legal(row["legal"]),
        **read_outside(row["legal"])._asdict(),
        first_contact=row["first_contact"],
        reopened=row["reopened"],
        redirected=row["redirected"],
        registered_at=row["registered_at"],
        updated_at=row["updated_at"],
        closed_at=row["closed_at"],
        national_number=row["national_number"],
        version=row["version"],
        head=Head(row["sequence"], bytes(row["head"])),
    )


def _read_waiver(said: Row) -> Waiver:
    # Rows from before the two were told apart lack it.
    piece = None if said["piece"] is None else Piece(said["piece"])
    return Waiver(Stage(said["stage"]), piece, said.get("termination", False))


def read_assignment(said: Row) -> Assignment:
    """The assignment of a JSON row."""
    return Assignment(
        id=UUID(said["id"]),
        organisation=UUID(said["organisation_id"]),
        state=AssignmentState(said["state"]),
        offered_at=parse_instant(said["offered_at"]),
        answered_at=parse_instant(said["answered_at"]) if said["answered_at"] else None,
        done_at=parse_instant(said["done_at"]) if said["done_at"] else None,
        reason=said["reason"],
    )


_CLOCK_TIMES = ("started_at", "due_at", "paused_at", "met_at", "breached_at", "cancelled_at", "next_at")  # fmt: skip  # noqa: E501
_CLOCK_SPANS = ("target", "paused_for")


def read_clock(said: Row) -> Clock:
    """The clock of a JSON row whose intervals are given in seconds."""
    values = {name: said[name] for name in _CLOCK}
    values |= {n: parse_instant(said[n]) if said[n] else None for n in _CLOCK_TIMES}
    values |= {name: timedelta(seconds=said[name]) for name in _CLOCK_SPANS}
    return Clock(**values | {"stage": Stage(said["stage"]), "state": ClockState(said["state"])})


def read_route(said: Row) -> Route:
    """The route of a JSON row."""
    rule = said["responsibility"]
    return Route(said["reason"], UUID(rule) if rule else None)


def read_pause(said: Row | None) -> Pause | None:
    """The pause of a JSON row."""
    if said is None:
        return None
    return Pause(
        PauseReason(said["reason"]), parse_instant(said["since"]), parse_instant(said["until"])
    )


def _read_extension(said: Row | None) -> Extension | None:
    if said is None:
        return None
    return Extension(
        Stage(said["stage"]), said["round"], parse_instant(said["until"]),
        UUID(said["assignment"]), parse_instant(said["asked_at"]),
    )  # fmt: skip


def _read_membership(row: Row) -> Membership | None:
    if row["incident_id"] is None:
        return None
    return Membership(row["incident_id"], row["incident_joined_at"], row["incident_followed"])


def read_confirmation(said: Row | None) -> Confirmation | None:
    """The confirmation of a JSON row."""
    if said is None:
        return None
    return Confirmation(
        UUID(said["by"]), said["role"], said["how"], parse_instant(said["at"]), said["rating"]
    )
