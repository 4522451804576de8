"""Who answers for what in Semey: territories, and the rules of routing over them.

Each sphere has a city-wide default, so that every category reaches an executor for any
address, even an unknown one. A kind of organisation named by a service narrows the
choice; districts, heat zones, avenues, polyclinic areas and single buildings narrow it
further. At night offices hand over to the emergency dispatch or to the contact centre.
"""

from collections.abc import Iterator, Mapping, Sequence

from demo.semey.firms import Groups
from demo.semey.geography import DISTRICTS, SEMEY, ident
from domain.organisations.model import (
    Organisation,
    OrganisationKind,
    Polygon,
    Responsibility,
    Street,
    Territory,
    TerritoryKind,
)

_OFFICE = "office-hours"
_CITY = "city"
_DISPATCH, _CONTACT_CENTRE = "emergency-dispatch", "contact-centre-109"

# Sphere: its default, and who takes over at night.
SPHERES: Mapping[str, tuple[str, str]] = {
    "transport": ("dept-roads", _CONTACT_CENTRE),
    "housing": ("dept-housing-inspection", _DISPATCH),
    "lifts": ("dept-housing-inspection", _DISPATCH),
    "landscaping": ("dept-utilities", _DISPATCH),
    "waste": ("dept-utilities", _DISPATCH),
    "manholes": ("dept-utilities", _DISPATCH),
    "flooding": ("dept-utilities", _DISPATCH),
    "utilities": ("dept-utilities", _DISPATCH),
    "roads": ("dept-roads", _DISPATCH),
    "health": ("dept-health", _CONTACT_CENTRE),
    "education": ("dept-education", _CONTACT_CENTRE),
    "general": ("akimat", _CONTACT_CENTRE),
}

# What a kind means in any sphere, unless the sphere or the category says otherwise.
_EVERYWHERE = {
    "contact-centre": _CONTACT_CENTRE,
    "akimat": "akimat",
    "emergency-service": "rescue-112",
    "utility": _DISPATCH,
    "medical-institution": "@polyclinics",
    "district-akimat": "@akimats",
}

# Sphere or category: kind → organisation, or '@' and the name of a split by territory.
_SPECIAL: Mapping[str, Mapping[str, str]] = {
    "transport": {"utility": "buses-1"},
    "transport.stops": {"utility": "cleaning"},
    "transport.fares": {"utility": "buses-2"},
    "transport.vehicles": {"utility": "buses-3"},
    "housing.heating": {"utility": "@heat"},
    "housing.water": {"utility": "water"},
    "housing.sewerage": {"utility": "water"},
    "housing.electricity": {"utility": "@power"},
    "housing.fees": {"utility": "billing"},
    "landscaping.trees": {"utility": "greenery"},
    "landscaping.parks": {"utility": "greenery"},
    "landscaping.lighting": {"utility": "lighting"},
    "landscaping.playgrounds": {"utility": "greenery"},
    "landscaping.improvement": {"utility": "cleaning", "city-department": "dept-architecture"},
    "landscaping.animals": {"utility": "veterinary"},
    "waste": {"utility": "@waste"},
    "waste.dumps": {"utility": "landfill", "city-department": "dept-ecology"},
    "waste.cleaning": {"utility": "cleaning"},
    "manholes": {"utility": "water"},
    "flooding": {"utility": "storm-drains"},
    "flooding.homes": {"city-department": "dept-civil-protection"},
    "flooding.meltwater": {"city-department": "dept-civil-protection"},
    "utilities.water": {"utility": "water"},
    "utilities.sewerage": {"utility": "water"},
    "utilities.heat": {"utility": "@heat"},
    "utilities.electricity": {"utility": "@power"},
    "utilities.gas": {"utility": "gas", "emergency-service": "gas-104"},
    "utilities.billing": {"utility": "billing"},
    "roads": {"utility": "@roads"},
    "roads.signs": {"utility": "signals"},
    "roads.signals": {"utility": "signals"},
    "roads.parking": {"emergency-service": "police-102"},
    "health": {"emergency-service": "ambulance-103"},
    "health.ambulance": {"medical-institution": "hospital-emergency"},
    "education.cancellations": {"utility": "buses-1"},
    "general.109": {"city-department": "dept-internal-policy"},
    "general.documents": {"city-department": "dept-internal-policy"},
    "general.social": {"city-department": "dept-social"},
    "general.safety": {"city-department": "dept-civil-protection",
                       "emergency-service": "police-102"},
    "general.other": {"city-department": "dept-internal-policy"},
}  # fmt: skip

# Split: who answers without an address, then territory → organisation.
_POLYCLINICS = tuple(f"polyclinic-{number}" for number in range(1, 10))
_SPLITS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "@akimats": ("akimat", {f"district-{d.code}": f"akimat-{d.code}" for d in DISTRICTS}),
    "@power": ("power-ortalyk", {f"district-{d.code}": f"power-{d.code}" for d in DISTRICTS}),
    "@waste": ("waste-ortalyk", {f"district-{d.code}": f"waste-{d.code}" for d in DISTRICTS}),
    "@heat": ("heat-centre", {"heat-centre": "heat-centre", "heat-left-bank": "heat-left-bank",
                              "heat-boilers": "heat-boilers"}),
    "@roads": ("roads-right-bank", {"district-ertis": "roads-left-bank"}),
    "@polyclinics": ("hospital-city", {code: code for code in _POLYCLINICS}),
}  # fmt: skip

# A housing organisation answers for its houses, and in other spheres where a service says so.
_OF_HOUSING = (
    "housing",
    *(f"{sphere}+kind:housing" for sphere in
      ("lifts", "landscaping", "waste", "manholes", "flooding", "utilities")),
)  # fmt: skip
_OF_LIFTS = ("lifts",)


def territories(
    firms: Sequence[Organisation], groups: Groups, streets: Sequence[Street]
) -> tuple[Territory, ...]:
    """The city, its districts, zones, avenues, and the houses of each housing and lift firm."""
    names = {firm.code: firm.names for firm in firms}
    drawn = [Territory(ident("territory", _CITY), _CITY, SEMEY.names, TerritoryKind.CITY)]
    for district in DISTRICTS:
        code = f"district-{district.code}"
        drawn.append(Territory(ident("territory", code), code, district.names,
                               TerritoryKind.DISTRICT, district=district.code))  # fmt: skip
    for code, polygon in _zones():
        drawn.append(Territory(ident("territory", code), code, names[code],
                               TerritoryKind.POLYGON, polygon=polygon))  # fmt: skip
    for street in _avenues(streets):
        code = f"street-{street.code}"
        drawn.append(Territory(ident("territory", code), code, street.names,
                               TerritoryKind.STREET, street=street.id))  # fmt: skip
    for code, homes in groups.items():
        houses = frozenset(home.building.id for home in homes)
        drawn.append(Territory(ident("territory", code), code, names[code],
                               TerritoryKind.BUILDINGS, buildings=houses))  # fmt: skip
    return tuple(drawn)


def responsibilities(
    firms: Sequence[Organisation], groups: Groups, streets: Sequence[Street]
) -> tuple[Responsibility, ...]:
    """All rules of routing of the city."""
    by_code = {firm.code: firm for firm in firms}
    rows = [*_city_rows(), *_avenue_rows(streets), *_house_rows(by_code, groups)]
    return tuple(_rule(by_code, *row) for row in rows)


_Row = tuple[str, str, str]
"""Selector, territory code, organisation code."""


def _city_rows() -> Iterator[_Row]:
    for sphere, (default, _) in SPHERES.items():
        yield sphere, _CITY, default
        own = {"city-department": default} if default.startswith("dept-") else {}
        for kind, who in {**_EVERYWHERE, **own, **_SPECIAL.get(sphere, {})}.items():
            yield from _split_rows(f"{sphere}+kind:{kind}", who)
    for category, kinds in _SPECIAL.items():
        if category not in SPHERES:
            for kind, who in kinds.items():
                yield from _split_rows(f"{category}+kind:{kind}", who)
    yield "*", _CITY, _CONTACT_CENTRE


def _split_rows(selector: str, who: str) -> Iterator[_Row]:
    everywhere, parts = _SPLITS.get(who, (who, {}))
    yield selector, _CITY, everywhere
    for territory, organisation in parts.items():
        yield selector, territory, organisation


def _avenue_rows(streets: Sequence[Street]) -> Iterator[_Row]:
    for street in _avenues(streets):
        yield "roads+kind:utility", f"street-{street.code}", "roads-avenues"


def _house_rows(by_code: Mapping[str, Organisation], groups: Groups) -> Iterator[_Row]:
    for code in groups:
        housing = by_code[code].kind is OrganisationKind.HOUSING
        for selector in _OF_HOUSING if housing else _OF_LIFTS:
            yield selector, code, code


def _rule(
    by_code: Mapping[str, Organisation], selector: str, territory: str, organisation: str
) -> Responsibility:
    firm = by_code[organisation]
    office = firm.calendar == _OFFICE
    sphere = selector.partition("+")[0].partition(".")[0]
    return Responsibility(
        id=ident("responsibility", f"{selector}|{territory}|{organisation}"),
        selector=selector,
        territory=ident("territory", territory),
        organisation=firm.id,
        calendar=_OFFICE if office else None,
        fallback=by_code[SPHERES[sphere][1]].id if office else None,
    )


def _avenues(streets: Sequence[Street]) -> list[Street]:
    return [each for each in streets if each.names["ru"].startswith("проспект ")]


def _zones() -> Iterator[tuple[str, Polygon]]:
    """Heat zones follow the river and the railway; polyclinics share the city in a grid."""
    ertis, ortalyk, soltustik, shygys = (d.polygon or () for d in DISTRICTS)
    yield "heat-left-bank", ertis
    yield "heat-centre", ortalyk
    # North and east together: along the north's southern border, then the east's river bank.
    yield "heat-boilers", (*soltustik[:2], *shygys[:3], soltustik[3])
    (west, south), _, (east, north), _ = SEMEY.polygon
    wide, high = (east - west) / 3, (north - south) / 3
    for place, code in enumerate(_POLYCLINICS):
        x, y = west + place % 3 * wide, south + place // 3 * high
        yield code, ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))
