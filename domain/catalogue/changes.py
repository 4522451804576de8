"""What taking in a draft would change, told before anything changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

from domain.catalogue.exchange import FIRST_VERSION, Draft
from domain.catalogue.model import Catalogue, Category, Service, Sphere

Place = TypeVar("Place", Sphere, Category)


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between the catalogue in force and a draft.

    `spheres` and `categories` are those new or changed. `changed` and `ended` services
    bear the next version; a service that the draft leaves out is never removed, it ends.
    """

    spheres: tuple[Sphere, ...]
    categories: tuple[Category, ...]
    added: tuple[Service, ...]
    changed: tuple[Service, ...]
    ended: tuple[Service, ...]
    unchanged: tuple[Service, ...]

    def __bool__(self) -> bool:
        """Whether anything changes at all."""
        return any((self.spheres, self.categories, self.added, self.changed, self.ended))

    def applied(self, current: Catalogue) -> Catalogue:
        """The catalogue once these changes of it have been made."""
        spheres = {item.code: item for item in (*current.spheres, *self.spheres)}
        categories = {item.code: item for item in (*current.categories, *self.categories)}
        services = (*self.added, *self.changed, *self.ended, *self.unchanged)
        order = {service.code: number for number, service in enumerate(current.services)}
        kept = sorted(services, key=lambda service: order.get(service.code, len(order)))
        return Catalogue.ordered(spheres.values(), categories.values(), kept)


def diff(current: Catalogue, draft: Draft, *, day: date) -> Changes:
    """What the draft changes in the current catalogue when in force from the (local) day.

    A service missing from the draft ends the day before; one already ended stays as it is.
    """
    added: list[Service] = []
    changed: list[Service] = []
    unchanged: list[Service] = []
    for service in draft.services:
        if service.code not in current:
            added.append(replace(service, version=FIRST_VERSION))
            continue
        known = current.service(service.code)
        same = known.fingerprint() == service.fingerprint()
        (unchanged if same else changed).append(known if same else _next(known, service))
    missing = _missing(current, draft)
    over = [service for service in missing if service.valid_to and service.valid_to < day]
    ended = [_ended(service, day) for service in missing if service not in over]
    return Changes(
        spheres=_new(current.spheres, draft.spheres),
        categories=_new(current.categories, draft.categories),
        added=tuple(added),
        changed=tuple(changed),
        ended=tuple(ended),
        unchanged=(*unchanged, *over),
    )


def _missing(current: Catalogue, draft: Draft) -> list[Service]:
    named = {service.code for service in draft.services}
    return [service for service in current.services if service.code not in named]


def _next(known: Service, service: Service) -> Service:
    return replace(service, version=known.version + 1)


def _ended(service: Service, day: date) -> Service:
    last = day - timedelta(days=1)
    # What would only have begun later must not begin: its validity shrinks to a day gone by.
    begin = min(service.valid_from, last)
    return replace(service, version=service.version + 1, valid_from=begin, valid_to=last)


def _new(known: Iterable[Place], drafted: Iterable[Place]) -> tuple[Place, ...]:
    before = {place.code: place for place in known}
    return tuple(place for place in drafted if before.get(place.code) != place)
