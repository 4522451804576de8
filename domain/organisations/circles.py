"""Circles of fall-back: at night each hands over to the next, and the last to the first."""

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from domain.organisations.findings import Finding, Lack
from domain.organisations.model import Responsibility
from domain.organisations.survey import Kin, Survey
from domain.organisations.terrain import Mask

LONGEST = 6
"""Organisations in a circle that is looked for."""

_Link = tuple[Responsibility, Mask]


def circles(seen: Survey) -> Iterator[Finding]:
    """Rules that meet at some house and hand an appeal round while all of them are closed."""
    links = [
        (each.rule, each.places)
        for found in seen.book.values()
        for each in found
        if each.rule.calendar is not None and each.rule.fallback is not None
    ]
    while True:
        # Who hands over to somebody that hands over to nobody stands in no circle.
        giving = {rule.organisation for rule, _ in links}
        left = [link for link in links if link[0].fallback in giving]
        if len(left) == len(links):
            break
        links = left
    told: dict[frozenset[UUID], tuple[list[Responsibility], list[str]]] = {}
    for kin in seen.kins if links else ():
        met = {frozenset(rule.organisation for rule in each): each
               for each in _of_kin(seen, kin, links)}  # fmt: skip
        for firms, circle in met.items():
            told.setdefault(firms, (circle, []))[1].extend(kin.services)
    for circle, services in told.values():
        yield _finding(seen, circle, services)


def _of_kin(seen: Survey, kin: Kin, links: list[_Link]) -> Iterator[list[Responsibility]]:
    givers: dict[object, list[_Link]] = defaultdict(list)
    for rule, places in links:
        if rule.selector in kin.wanted:
            givers[rule.organisation].append((rule, places))
    for found in givers.values():
        for rule, places in found:
            yield from _round(seen, givers, [rule], places)


def _round(
    seen: Survey, givers: dict[object, list[_Link]], path: list[Responsibility], places: Mask
) -> Iterator[list[Responsibility]]:
    if path[-1].fallback == path[0].organisation:
        if seen.closing.together({rule.calendar for rule in path if rule.calendar}):
            yield path
        return
    met = {rule.organisation for rule in path}
    if len(path) == LONGEST or path[-1].fallback in met:
        return
    for rule, others in givers.get(path[-1].fallback, ()):
        if shared := places & others:
            yield from _round(seen, givers, [*path, rule], shared)


def _finding(seen: Survey, circle: list[Responsibility], services: list[str]) -> Finding:
    first = min(range(len(circle)), key=lambda place: circle[place].organisation)
    ordered = circle[first:] + circle[:first]
    return Finding(
        Lack.FALLBACK_CIRCLE,
        ("organisation", seen.reference.organisations[ordered[0].organisation].code),
        services=tuple(sorted(services)),
        rules=tuple(rule.id for rule in ordered),
        organisations=tuple(rule.organisation for rule in ordered),
        facts={"count": len(ordered)},
    )
