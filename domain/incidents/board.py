"""The incidents that run or are announced, ready to be asked by service and place."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from domain.incidents.model import Incident, Matching
from domain.incidents.workflow import LIVE, IncidentStatus
from domain.organisations.areas import Areas
from domain.organisations.model import Location

NOW = timedelta(0)
LATE = timedelta(hours=24)
"""How long beyond its expected end an incident draws appeals by itself. Work that runs late is
common, and residents who call meanwhile mean it. A day on, through every shift of whoever was told
of it, nobody has named another end: then an appeal is likelier about something else, and one that
joined it would stand in nobody's queue.
"""


class Board:
    """What is known of a city's live incidents at one moment. Immutable; safe to share."""

    __slots__ = ("_areas", "_by_id", "_by_service")

    def __init__(self, incidents: Iterable[Incident] = ()) -> None:
        live = sorted(
            (one for one in incidents if one.status in LIVE),
            key=lambda one: (one.opened_at, one.id),
        )
        self._by_id = {one.id: one for one in live}
        self._by_service: dict[str, list[Incident]] = {}
        for one in live:
            for service in one.services:
                self._by_service.setdefault(service, []).append(one)
        self._areas = Areas(
            [(one.id, one.area.polygon) for one in live if one.area.polygon is not None]
        )

    @property
    def live(self) -> tuple[Incident, ...]:
        """All of them, the oldest first."""
        return tuple(self._by_id.values())

    def get(self, id: UUID) -> Incident | None:
        """One of them."""
        return self._by_id.get(id)

    def at(
        self,
        location: Location,
        at: datetime,
        *,
        service: str | None = None,
        ahead: timedelta = NOW,
    ) -> tuple[Incident, ...]:
        """Those that hold at a place at a time, the oldest first; of one service if it is named.

        What begins within `ahead` counts as well.
        """
        wanted = self._by_id.values() if service is None else self._by_service.get(service, ())
        due = [one for one in wanted if runs(one, at + ahead)]
        if not due:
            return ()
        point = location.coordinates
        around = frozenset(self._areas.at(point)) if point is not None else frozenset[UUID]()
        return tuple(one for one in due if one.id in around or _holds(one, location))


def runs(incident: Incident, at: datetime) -> bool:
    """Whether it holds then. Work outlasts its expected end until somebody says that it is done."""
    if incident.status is IncidentStatus.ACTIVE:
        return True
    return incident.planned_from is not None and incident.planned_from <= at


def overdue(incident: Incident, at: datetime) -> bool:
    """Whether it runs past its expected end."""
    end = incident.planned_to
    return incident.status is IncidentStatus.ACTIVE and end is not None and end <= at


def draws(incident: Incident, at: datetime) -> bool:
    """Whether a new appeal that it holds for joins it by itself."""
    end = incident.planned_to
    return incident.matching is Matching.AUTOMATIC and (end is None or at < end + LATE)


def _holds(incident: Incident, location: Location) -> bool:
    area = incident.area
    return (
        area.city
        or location.building in area.buildings
        or location.street in area.streets
        or location.district in area.districts
    )
