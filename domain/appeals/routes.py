"""Why an appeal goes where it goes: asked of the routing itself, and read from its events."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.appeals.model import Place
from domain.appeals.places import location_of
from domain.catalogue.model import Service
from domain.events import EventType
from domain.organisations.model import Location
from domain.organisations.routing import Explanation, Question, Route, RouteReason
from domain.reference import Reference


def question(service: Service, place: Place, reference: Reference, at: datetime) -> Question:
    """What routing is asked about a service at a place."""
    return Question(
        service_code=service.code,
        category=service.category,
        sphere=service.sphere,
        responsible_kind=service.responsible,
        location=location_of(place),
        at=at,
        is_working=reference.is_working,
    )


def unplaced(service: Service, place: Place, reference: Reference) -> Route | None:
    """The inspectors' queue, where any answer of the routing would be a guess; else None.

    Words that name no place the city knows go to the inspectors, who know it better; so does
    an appeal without any where the answer hangs on one: the city's default would be a guess.
    """
    if location_of(place) != Location():
        return None
    which = (service.code, service.category, service.sphere, service.responsible)
    if place.address:
        return Route(None, None, RouteReason.UNKNOWN_ADDRESS, ())
    if reference.routing.needs_address(*which):
        return Route(None, None, RouteReason.NO_ADDRESS, ())
    return None


def explain_route(
    service: Service, place: Place, reference: Reference, at: datetime
) -> Explanation:
    """The same answer as intake.find_route, with every rule that had a say or had none."""
    told = reference.routing.explain(**question(service, place, reference, at))
    if (guess := unplaced(service, place, reference)) is None:
        return told
    considered = tuple(each.responsibility for each in told.route.considered)
    return replace(told, route=guess, unasked=(*considered, *told.unasked))


@dataclass(frozen=True, slots=True)
class Decision:
    """What the routing decided when the appeal was registered, by the register's own words.

    `reference` is the version of the city's agreements then, None in events that do not tell.
    """

    at: datetime
    reason: str
    organisation: UUID | None
    responsibility: UUID | None
    reference: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """One later step from executor to executor: what happened, by whom, and their words."""

    type: str
    at: datetime
    actor: Mapping[str, Any]
    former: UUID | None
    organisation: UUID | None
    reason: str | None


Documents = Iterable[Mapping[str, Any]]
"""Events as the register shows them, the oldest first, with the texts that the reader may see."""


def decision(documents: Documents) -> Decision | None:
    """What was decided at registration; None without its event."""
    told: Decision | None = None
    for each in documents:
        data = each["data"]
        if each["type"] == EventType.REGISTERED:
            at = datetime.fromisoformat(each["at"])
            told = Decision(at, data["route"], None, None, data.get("reference"))
        elif told is not None and _by_route(each):
            organisation, rule = UUID(data["organisation"]), data.get("responsibility")
            return replace(told, organisation=organisation, responsibility=rule and UUID(rule))
    return told


def moves(documents: Documents) -> Iterator[Move]:
    """How the appeal went on from executor to executor."""
    redirected = False
    for each in documents:
        # A redirection is told by two events: who had it, and the new assignment.
        if each["type"] in _MOVES and not _by_route(each) and not redirected:
            yield _move(each)
        redirected = each["type"] == EventType.REDIRECTED


_MOVES = frozenset({EventType.ASSIGNED, EventType.REDIRECTED, EventType.DECLINED})


def _by_route(document: Mapping[str, Any]) -> bool:
    return bool(document["type"] == EventType.ASSIGNED and document["data"].get("by") == "route")


def _move(document: Mapping[str, Any]) -> Move:
    data = document["data"]
    declined = document["type"] == EventType.DECLINED
    former = data["organisation"] if declined else data.get("from")
    given = None if declined else data.get("to", data.get("organisation"))
    return Move(
        type=document["type"],
        at=datetime.fromisoformat(document["at"]),
        actor=document["actor"],
        former=UUID(former) if former else None,
        organisation=UUID(given) if given else None,
        reason=document["texts"].get("reason"),
    )
