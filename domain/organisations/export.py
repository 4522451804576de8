"""Organisations, territories and rules go out as plain data that `exchange.read` takes back."""

from collections.abc import Mapping
from uuid import UUID, uuid5

from domain.organisations.exchange import Draft, Known, rule_id
from domain.organisations.model import Organisation, Responsibility, Territory


def write(draft: Draft, known: Known) -> dict[str, list[dict[str, object]]]:
    """The entries as plain data under organisations, territories and responsibilities.

    `exchange.read` with the same `known` gives the same draft back. Ids are left out where the
    code gives them; empty fields are left out. Raises KeyError when the draft names
    something that neither it nor `known` holds.
    """
    firms = {each: code for code, each in known.organisations.items()}
    firms |= {each.id: each.code for each in draft.organisations}
    areas = {each: code for code, each in known.territories.items()}
    areas |= {each.id: each.code for each in draft.territories}
    streets = {each: code for code, each in known.streets.items()}
    houses = {each: code for code, each in known.buildings.items()}
    return {
        "organisations": [_organisation(each, firms, known) for each in draft.organisations],
        "territories": [_territory(each, streets, houses, known) for each in draft.territories],
        "responsibilities": [
            _responsibility(each, firms, areas, known) for each in draft.responsibilities
        ],
    }


def _organisation(each: Organisation, firms: Mapping[UUID, str], known: Known) -> dict[str, object]:
    derived = known.organisations.get(each.code) or uuid5(
        known.namespace, f"organisation:{each.code}"
    )
    return _filled(
        code=each.code,
        kind=each.kind.value,
        names=dict(each.names),
        parent=None if each.parent is None else firms[each.parent],
        contacts=dict(each.contacts),
        calendar=each.calendar,
        district=each.district,
        active=None if each.active else False,
        id=None if each.id == derived else str(each.id),
    )


def _territory(
    each: Territory, streets: Mapping[UUID, str], houses: Mapping[UUID, str], known: Known
) -> dict[str, object]:
    derived = known.territories.get(each.code) or uuid5(known.namespace, f"territory:{each.code}")
    return _filled(
        code=each.code,
        names=dict(each.names),
        kind=each.kind.value,
        district=each.district,
        street=None if each.street is None else streets[each.street],
        buildings=sorted(houses[house] for house in each.buildings),
        polygon=[list(point) for point in each.polygon or ()],
        id=None if each.id == derived else str(each.id),
    )


def _responsibility(
    each: Responsibility, firms: Mapping[UUID, str], areas: Mapping[UUID, str], known: Known
) -> dict[str, object]:
    territory, organisation = areas[each.territory], firms[each.organisation]
    derived = rule_id(known.namespace, each.selector, territory, organisation, each.valid_from)
    return _filled(
        selector=each.selector,
        territory=territory,
        organisation=organisation,
        priority=None if each.priority == 100 else each.priority,
        calendar=each.calendar,
        fallback=None if each.fallback is None else firms[each.fallback],
        valid_from=each.valid_from and each.valid_from.isoformat(),
        valid_to=each.valid_to and each.valid_to.isoformat(),
        id=None if each.id == derived else str(each.id),
    )


def _filled(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value not in (None, [], {})}
