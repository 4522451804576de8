"""What the city knows already about a place: asked at intake, by triage, and by residents."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.appeals.model import Place
from domain.appeals.places import location_of
from domain.incidents.board import NOW
from domain.incidents.model import Incident
from domain.organisations.model import Location, OrganisationKind
from domain.organisations.rules import selectors
from domain.reference import Reference

SOON = timedelta(days=7)
"""How far ahead whoever asks before registering is told of what is announced."""


def find_incidents(
    reference: Reference,
    service: str | None,
    place: Place,
    at: datetime,
    *,
    ahead: timedelta = NOW,
) -> tuple[Incident, ...]:
    """The incidents known at a place at a time, the oldest first; pure, in memory, quick.

    With a service (its code) only those of that service, else of any; with `ahead` also those
    that begin within it. The snapshot is about a second old at most.

    What an organisation publishes by itself holds where its duties do and nowhere else, however
    wide its area is drawn: it would draw appeals away from their executors.
    """
    location = location_of(place)
    found = reference.incidents.at(location, at, service=service, ahead=ahead)
    return tuple(one for one in found if _on_duty(one, service, location, reference, at))


def _on_duty(
    incident: Incident,
    service: str | None,
    location: Location,
    reference: Reference,
    at: datetime,
) -> bool:
    """Whether whoever it is of answers here for the service, or for any of its own."""
    owner = reference.organisations.get(incident.owner)
    if owner is not None and owner.kind is OrganisationKind.CONTACT_CENTRE:
        return True
    catalogue = reference.catalogue
    asked = incident.services if service is None else (service,)
    return any(
        _reaches(incident, organisation, reference)
        for one in (catalogue.service(code) for code in asked if code in catalogue)
        for organisation in reference.routing.answering(
            selectors(one.code, one.category, one.sphere, one.responsible), location, at
        )
    )


def _reaches(incident: Incident, organisation: UUID, reference: Reference) -> bool:
    """Whether the duties of an organisation are the incident's: its executor's, or of whoever
    stands below who published it.
    """
    if organisation == incident.executor:
        return True
    above: UUID | None = organisation
    while above is not None and above != incident.owner:
        known = reference.organisations.get(above)
        above = known.parent if known is not None else None
    return above is not None
