"""What the city knows already about a place: asked at intake, by triage, and by residents."""

from datetime import datetime, timedelta

from domain.appeals.model import Place
from domain.appeals.places import location_of
from domain.incidents.board import NOW
from domain.incidents.model import Incident
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
    """
    return reference.incidents.at(location_of(place), at, service=service, ahead=ahead)
