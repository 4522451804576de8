"""The check of a city's routing: every finding, errors first."""

from datetime import date, datetime
from uuid import UUID

from domain.organisations import upkeep
from domain.organisations.circles import circles
from domain.organisations.coverage import gaps, gaps_between
from domain.organisations.findings import Finding
from domain.organisations.shadows import shadows
from domain.organisations.survey import survey
from domain.reference import Reference


def check(reference: Reference, at: datetime) -> tuple[Finding, ...]:
    """Everything that is wrong with the routing on the day of `at` and in the week from it on."""
    seen = survey(reference, at)
    found = (
        *gaps(seen),
        *gaps_between(seen),
        *shadows(seen),
        *circles(seen),
        *upkeep.executors(seen),
        *upkeep.calendars(seen),
        *upkeep.names(seen),
        *upkeep.services(seen),
        *upkeep.territories(seen),
        *upkeep.addresses(seen),
    )
    return tuple(sorted(found, key=lambda each: each.order))


class Checks:
    """The newest check of each city, made anew when its agreements or its day have changed."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[UUID, tuple[int, date, tuple[Finding, ...]]] = {}

    def of(self, reference: Reference, at: datetime) -> tuple[Finding, ...]:
        """See `check`."""
        city, day = reference.city.id, reference.city.local(at).date()
        known = self._found.get(city)
        if known is None or known[:2] != (reference.version, day):
            known = self._found[city] = reference.version, day, check(reference, at)
        return known[2]
