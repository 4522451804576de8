"""The demonstration city as a reference snapshot, without a database."""

from functools import cache
from pathlib import Path

import yaml

from demo.semey.city import demo_city
from domain.catalogue.exchange import References
from domain.catalogue.forms import Forms
from domain.catalogue.model import Catalogue
from domain.catalogue.search import SearchIndex
from domain.organisations.addresses import AddressIndex
from domain.organisations.areas import Areas
from domain.organisations.model import OrganisationKind
from domain.organisations.routing import RoutingIndex
from domain.reference import City, Promises, Reference
from domain.sla.calendar import parse_calendar
from domain.sla.policy import parse_policy
from integrations.files import catalogue_yaml

STARTER = Path(__file__).parents[2] / "catalogues" / "starter"


def starter_catalogue() -> Catalogue:
    """The starter catalogue, every service in its first version."""
    policies = yaml.safe_load((STARTER / "policies.yaml").read_text())
    files = {each.name: each.read_bytes() for each in STARTER.glob("*.yaml")}
    del files["policies.yaml"]
    known = References(
        {policy["code"] for policy in policies["policies"]},
        {str(kind) for kind in OrganisationKind},
    )
    draft = catalogue_yaml.read(files, known).draft
    assert draft is not None
    return Catalogue.ordered(draft.spheres, draft.categories, draft.services)


@cache
def semey() -> Reference:
    """Semey with the starter catalogue and its promises."""
    place, catalogue = demo_city(), starter_catalogue()
    city = City(
        place.city.id, place.city.code, place.city.kato, place.city.names, place.city.zone,
        place.city.languages, place.city.numbering,
    )  # fmt: skip
    return Reference(
        version=1,
        city=city,
        bounds=Areas([(city.code, place.city.polygon)]),
        catalogue=catalogue,
        forms=Forms(),
        search=SearchIndex(catalogue),
        promises=_promises(city.zone),
        organisations={one.id: one for one in place.organisations},
        districts={one.code: one for one in place.districts},
        streets={one.id: one for one in place.streets},
        buildings={one.id: one for one in place.buildings},
        addresses=AddressIndex(place.streets, place.buildings),
        routing=RoutingIndex(
            organisations=place.organisations, districts=place.districts, streets=place.streets,
            buildings=place.buildings, territories=place.territories,
            responsibilities=place.responsibilities, zone=city.zone_info(),
        ),
    )  # fmt: skip


def _promises(zone: str) -> Promises:
    document = yaml.safe_load((STARTER / "policies.yaml").read_text())
    plain = [p | {"effective_from": p["effective_from"].isoformat()} for p in document["policies"]]
    return Promises(
        {(p["code"], 1): parse_policy(p, version=1) for p in plain},
        {
            (c["code"], 1): parse_calendar(c, version=1, zone=zone, years=range(2025, 2029))
            for c in document["calendars"]
        },
        {c: e["policy"] for e in document["channel_policies"] for c in e["channels"]},
    )
