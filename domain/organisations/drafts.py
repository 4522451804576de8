"""A city as it would be under organisations, territories and rules that are not in force yet."""

from dataclasses import replace

from domain.organisations.exchange import Draft
from domain.organisations.routing import RoutingIndex
from domain.reference import Reference


def under(reference: Reference, draft: Draft) -> Reference:
    """The snapshot after the draft's import: organisations and territories that it leaves out
    stay, the rules are replaced whole.
    """
    organisations = {**reference.organisations, **{each.id: each for each in draft.organisations}}
    drawn = {**reference.routing.territories, **{each.id: each for each in draft.territories}}
    routing = RoutingIndex(
        organisations=organisations.values(),
        districts=reference.districts.values(),
        streets=reference.streets.values(),
        buildings=reference.buildings.values(),
        territories=drawn.values(),
        responsibilities=draft.responsibilities,
        zone=reference.city.zone_info(),
    )
    return replace(reference, organisations=organisations, routing=routing)
