"""Incidents as tests want them: what matters is named, the rest hidden."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from api.bootstrap import House
from domain.access import Role
from domain.appeals.model import Appeal
from domain.events import IncidentEventType
from domain.incidents import commands as i
from domain.incidents import use_cases
from domain.incidents.history import bind_incident
from domain.incidents.model import (
    Area,
    Incident,
    IncidentFact,
    IncidentKind,
    Matching,
)
from domain.incidents.workflow import IncidentAction, IncidentStatus
from tests.support.city import KISHI, MANHOLE, SmallCity
from tests.support.rest import Callers

TEXTS = {"kk": "Су жоқ", "ru": "Нет воды", "en": "No water"}


def opening(city: SmallCity = KISHI) -> dict[str, Any]:
    """The body of an incident that nobody else sees."""
    return {
        "kind": "outage", "services": [MANHOLE], "area": {"buildings": [str(city.flats)]},
        "texts": TEXTS, "executor": str(city.water), "public": False,
    }  # fmt: skip


OPENING = opening()

_STEPS: dict[str, tuple[tuple[str, Any, Role], ...]] = {
    "accepted": (("accept", {}, Role.EXECUTOR),),
    "resolved": (
        ("accept", {}, Role.EXECUTOR),
        ("resolve", {"text": "ok", "no_photo_reason": "түн"}, Role.EXECUTOR),
    ),
}


def make_opening(city: SmallCity = KISHI, **changes: Any) -> i.OpenIncident:
    """Every manhole of Abai street stands open."""
    said: dict[str, Any] = {
        "kind": IncidentKind.OUTAGE,
        "services": (MANHOLE,),
        "area": Area(streets=frozenset({city.street})),
        "texts": TEXTS,
        "executor": city.water,
    }
    return i.OpenIncident(**said | changes)


async def open_incident(
    house: House,
    *,
    city: SmallCity = KISHI,
    role: Role = Role.INSPECTOR,
    organisation: UUID | None = None,
    at: datetime | None = None,
    **changes: Any,
) -> Incident:
    """Open one incident, committed, and let this process know of it."""
    async with house.units.open(city.principal(role, organisation=organisation)) as uow:
        incident = await use_cases.open_incident(
            make_opening(city, **changes),
            uow=uow,
            reference=house.references.of(city.id),
            at=at or house.now(),
        )
        await uow.commit()
    await house.references.refresh(house.now())
    return incident


async def act(
    house: House,
    incident: Incident,
    action: IncidentAction,
    command: i.IncidentCommand,
    *,
    city: SmallCity = KISHI,
    role: Role = Role.EXECUTOR,
    at: datetime | None = None,
) -> Incident:
    """Do one action on an incident, committed."""
    async with house.units.open(city.principal(role)) as uow:
        done = await use_cases.perform(
            incident.id,
            action,
            command,
            uow=uow,
            reference=house.references.of(city.id),
            at=at or house.now(),
        )
        await uow.commit()
    return done


async def join(
    house: House, incident: Incident, appeals: Sequence[Appeal], *, city: SmallCity = KISHI
) -> Incident:
    """Join appeals by an inspector's hand, committed."""
    async with house.units.open(city.principal(Role.INSPECTOR)) as uow:
        done = await use_cases.join_appeals(
            incident.id,
            [appeal.number for appeal in appeals],
            uow=uow,
            reference=house.references.of(city.id),
            at=house.now(),
        )
        await uow.commit()
    return done


async def keep_incident(house: House, id: UUID, city: SmallCity = KISHI) -> None:
    """An incident of this very id, whatever it is about."""
    at = house.now()
    incident = Incident(
        id, city.id, IncidentKind.OTHER, IncidentStatus.ACTIVE, Matching.SUGGESTED, True, (),
        Area(city=True), frozenset(), TEXTS, city.centre, city.water, city.centre, at, at,
    )  # fmt: skip
    who = city.principal(Role.INSPECTOR)
    change = bind_incident(incident, [IncidentFact(IncidentEventType.OPENED)], who, at)
    async with house.units.open(who) as uow:
        await uow.incidents.add(change)
        await uow.commit()


async def incident_at(callers: Callers, status: str) -> str:
    """An incident that was brought to a status by those whose work it is."""
    coming = {"planned_from": "2090-01-01T00:00:00Z"} if status == "announced" else {}
    made = await callers.call("POST", "/v1/incidents", opening(callers.city) | coming)
    assert made.status_code == 201, made.text
    path = f"/v1/incidents/{made.json()['id']}"
    for action, body, role in _STEPS.get(status, ()):
        done = await callers.call("POST", f"{path}/{action}", body, role=role)
        assert done.status_code == 200, done.text
    return str(made.json()["id"])
