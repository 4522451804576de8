"""Circles among real redirections: appeals that were passed on and came back to who had them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from domain.organisations.findings import Finding, Lack
from domain.reference import Reference

AT_LEAST = 2
"""Appeals that went the same circle before it is told: one may be a slip."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Which organisations had an appeal of a service, one after the other."""

    service: str
    organisations: tuple[UUID, ...]


def returns(trails: Iterable[Trail], reference: Reference, days: int) -> Iterator[Finding]:
    """Each circle that appeals of a service went in so many days, and how many went it."""
    counted = Counter(
        (circle, trail.service) for trail in trails for circle in _circles(trail.organisations)
    )
    for (circle, service), count in counted.items():
        if count < AT_LEAST:
            continue
        first = reference.organisations.get(circle[0])
        yield Finding(
            Lack.REDIRECT_CIRCLE,
            ("organisation", first.code if first else str(circle[0])),
            services=(service,),
            organisations=circle,
            facts={"count": count, "value": str(days)},
        )


def _circles(had: tuple[UUID, ...]) -> set[tuple[UUID, ...]]:
    """The circles of one appeal, each once however often it was gone, wherever it was entered."""
    found = set()
    last: dict[UUID, int] = {}
    for place, one in enumerate(had):
        before = last.get(one)
        if before is not None and before < place - 1:
            found.add(_from_its_least(had[before:place]))
        last[one] = place
    return found


def _from_its_least(circle: tuple[UUID, ...]) -> tuple[UUID, ...]:
    first = circle.index(min(circle))
    return circle[first:] + circle[:first]
