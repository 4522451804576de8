"""Routing: every appeal goes to one organisation, or to the inspectors with a reason."""

import statistics
import time
from datetime import UTC, date, datetime
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.organisations.model import (
    Building,
    District,
    Location,
    Organisation,
    OrganisationKind,
    Responsibility,
    Street,
    Territory,
    TerritoryKind,
)
from domain.organisations.routing import Route, RouteReason, RoutingIndex
from domain.organisations.rules import Verdict, selectors
from domain.values import Coordinates

NOON = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)  # 12:00 in Almaty
NAMES = {"kk": "x", "ru": "x", "en": "x"}


def ident(number: int) -> UUID:
    return UUID(int=number)


def organisation(
    number: int, kind: str = "utility", *, active: bool = True, code: str | None = None
) -> Organisation:
    return Organisation(
        id=ident(number), code=code or f"org-{number}", parent=None, kind=OrganisationKind(kind),
        names=NAMES, contacts={}, calendar="around-the-clock", district=None, active=active,
    )  # fmt: skip


def territory(number: int, kind: str, **parts: Any) -> Territory:
    return Territory(
        id=ident(number), code=f"t-{number}", names=NAMES, kind=TerritoryKind(kind), **parts
    )


def rule(number: int, selector: str, where: int, who: int, **parts: Any) -> Responsibility:
    return Responsibility(
        id=ident(number),
        selector=selector,
        territory=ident(where),
        organisation=ident(who),
        **parts,
    )


WEST = ((80.0, 50.0), (80.5, 50.0), (80.5, 51.0), (80.0, 51.0))
EAST = ((80.5, 50.0), (81.0, 50.0), (81.0, 51.0), (80.5, 51.0))
YARD = ((80.2, 50.2), (80.3, 50.2), (80.3, 50.3), (80.2, 50.3))
DISTRICTS = [District("west", NAMES, WEST), District("east", NAMES, EAST)]
STREETS = [Street(ident(900), "shakarim", NAMES, ()), Street(ident(901), "abai", NAMES, ())]
BUILDINGS = [
    Building(ident(500), ident(900), "12", "west", Coordinates(50.25, 80.25), "apartments"),
    Building(ident(501), ident(900), "14", "west", Coordinates(50.4, 80.4), "house"),
    Building(ident(502), ident(901), "1", "east", Coordinates(50.4, 80.8), "apartments"),
]
TERRITORIES = [
    territory(1, "city"),
    territory(2, "district", district="west"),
    territory(3, "polygon", polygon=YARD),
    territory(4, "street", street=ident(900)),
    territory(5, "buildings", buildings=frozenset({ident(500)})),
    territory(6, "buildings", buildings=frozenset({ident(501), ident(502)})),
    territory(7, "polygon", polygon=WEST),
    territory(8, "district", district="east"),
]
TWELVE = Location(building=ident(500))


def index(*rules: Responsibility, organisations: list[Organisation] | None = None) -> RoutingIndex:
    return RoutingIndex(
        organisations=organisations or [organisation(n) for n in range(10, 20)],
        districts=DISTRICTS, streets=STREETS, buildings=BUILDINGS, territories=TERRITORIES,
        responsibilities=rules,
    )  # fmt: skip


def ask(
    routes: RoutingIndex, location: Location = TWELVE, *, at: datetime = NOON, open_: bool = True
) -> Route:
    return routes.route(
        service_code="lifts.person-trapped", category="lifts.emergency", sphere="lifts",
        responsible_kind="lift-company", location=location, at=at,
        is_working=lambda calendar, moment: open_,
    )  # fmt: skip


def test_a_stuck_lift_goes_to_the_lift_company_of_the_building() -> None:
    routes = index(rule(1, "lifts", 1, 10), rule(2, "lifts", 5, 11))
    answer = ask(routes)
    assert (answer.organisation, answer.responsibility) == (ident(11), ident(2))
    assert answer.reason is RouteReason.ASSIGNED
    assert ask(routes, Location(building=ident(501))).organisation == ident(10)


def test_the_more_specific_selector_wins_even_over_a_narrower_territory() -> None:
    ladder = [
        "lifts.person-trapped", "lifts.emergency+kind:lift-company", "lifts.emergency",
        "lifts+kind:lift-company", "lifts", "kind:lift-company", "*",
    ]  # fmt: skip
    for upper, lower in pairwise(ladder):
        assert ask(index(rule(1, upper, 1, 10), rule(2, lower, 5, 11))).organisation == ident(10)


def test_the_narrower_territory_wins_over_a_better_priority() -> None:
    ladder = [5, 4, 3, 2, 1]
    for narrow, broad in pairwise(ladder):
        routes = index(
            rule(1, "lifts", narrow, 10, priority=9), rule(2, "lifts", broad, 11, priority=1)
        )
        assert ask(routes).organisation == ident(10)


def test_a_lower_priority_number_goes_first_and_a_tie_is_broken_by_id() -> None:
    assert ask(index(rule(1, "*", 1, 10, priority=2), rule(2, "*", 1, 11, priority=1))
               ).organisation == ident(11)  # fmt: skip
    assert ask(index(rule(2, "*", 1, 11), rule(1, "*", 1, 10))).organisation == ident(10)


def test_at_night_the_appeal_goes_to_the_fallback() -> None:
    routes = index(rule(1, "lifts", 5, 10, calendar="office-hours", fallback=ident(11)))
    assert ask(routes).organisation == ident(10)
    night = ask(routes, open_=False)
    assert (night.organisation, night.reason) == (ident(11), RouteReason.AFTER_HOURS)
    assert night.responsibility == ident(1)


def test_at_night_a_rule_without_fallback_gives_way_to_the_broader_one() -> None:
    routes = index(rule(1, "lifts", 5, 10, calendar="office-hours"), rule(2, "*", 1, 11))
    night = ask(routes, open_=False)
    assert night.organisation == ident(11)
    assert [each.verdict for each in night.considered] == [Verdict.OUTSIDE_HOURS, Verdict.CHOSEN]


def test_an_appeal_that_nobody_takes_at_night_waits_for_the_inspectors() -> None:
    night = ask(index(rule(1, "lifts", 5, 10, calendar="office-hours")), open_=False)
    assert (night.organisation, night.reason) == (None, RouteReason.OUTSIDE_HOURS)


def test_a_closed_organisation_is_skipped_and_cannot_be_a_fallback() -> None:
    firms = [organisation(10, active=False), organisation(11)]
    routes = index(rule(1, "lifts", 5, 10), rule(2, "lifts", 1, 11), organisations=firms)
    assert ask(routes).organisation == ident(11)
    dead = rule(3, "lifts", 5, 11, calendar="office-hours", fallback=ident(10))
    assert ask(index(dead, organisations=firms), open_=False).organisation is None


def test_a_rule_begins_and_ends_at_midnight_of_the_city() -> None:
    routes = index(rule(1, "*", 1, 10, valid_from=date(2026, 3, 4), valid_to=date(2026, 3, 5)))
    first, after = datetime(2026, 3, 3, 19, tzinfo=UTC), datetime(2026, 3, 4, 19, tzinfo=UTC)
    assert ask(routes, at=first).organisation == ident(10)
    assert ask(routes, at=after).organisation is None
    assert ask(routes, at=datetime(2026, 3, 3, 18, 59, tzinfo=UTC)).organisation is None


def test_without_an_address_the_broader_rule_takes_over() -> None:
    routes = index(rule(1, "lifts", 5, 10), rule(2, "*", 1, 11))
    assert ask(routes, Location()).organisation == ident(11)
    assert ask(routes, Location(building=ident(999))).organisation == ident(11)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (Location(), RouteReason.NO_ADDRESS),
        (Location(building=ident(999)), RouteReason.UNKNOWN_ADDRESS),
        (Location(district="north"), RouteReason.UNKNOWN_ADDRESS),
        (Location(building=ident(502)), RouteReason.NO_RESPONSIBILITY),
        (Location(coordinates=Coordinates(10.0, 10.0)), RouteReason.NO_RESPONSIBILITY),
    ],
)
def test_nothing_goes_nowhere_and_the_inspectors_learn_why(
    location: Location, reason: RouteReason
) -> None:
    answer = ask(index(rule(1, "lifts", 5, 10)), location)
    assert (answer.organisation, answer.reason) == (None, reason)


def test_no_rule_at_all_is_no_responsibility_whatever_the_address() -> None:
    assert ask(index(), Location()).reason is RouteReason.NO_RESPONSIBILITY


def test_a_point_on_the_map_implies_its_district_and_areas() -> None:
    routes = index(rule(1, "*", 2, 10), rule(2, "lifts", 3, 11))
    assert ask(routes, Location(coordinates=Coordinates(50.9, 80.1))).organisation == ident(10)
    assert ask(routes, Location(coordinates=Coordinates(50.25, 80.25))).organisation == ident(11)
    assert routes.district_of(Location(coordinates=Coordinates(50.5, 80.9))) == "east"


def test_a_building_implies_its_street_and_its_areas() -> None:
    assert ask(index(rule(1, "*", 4, 10))).organisation == ident(10)
    assert ask(index(rule(1, "*", 3, 10))).organisation == ident(10)
    assert ask(index(rule(1, "*", 4, 10)), Location(street=ident(900))).organisation == ident(10)


def test_a_territory_without_its_shape_is_refused() -> None:
    for kind in ("district", "street", "buildings", "polygon"):
        with pytest.raises(Invalid):
            territory(1, kind)
    with pytest.raises(Invalid):
        territory(1, "polygon", polygon=((1.0, 1.0), (2.0, 2.0)))


# --- the slow, obvious reference -------------------------------------------------

RANKS = {
    "lifts.person-trapped": 0, "lifts.emergency+kind:lift-company": 1, "lifts.emergency": 2,
    "lifts+kind:lift-company": 3, "lifts": 4, "kind:lift-company": 5, "*": 6,
}  # fmt: skip
NARROW = ["buildings", "street", "polygon", "district", "city"]


def inside(ring: tuple[tuple[float, float], ...], point: Coordinates) -> bool:
    (west, south), (east, north) = ring[0], ring[2]
    return west <= point.longitude <= east and south <= point.latitude <= north


def holds(area: Territory, place: Location) -> bool:
    home = next((each for each in BUILDINGS if each.id == place.building), None)
    street = home.street if home else place.street
    point = home.coordinates if home else place.coordinates
    district = home.district if home else place.district
    if district is None and point:
        district = next((d.code for d in DISTRICTS if d.polygon and inside(d.polygon, point)), None)
    return {
        "city": True,
        "district": area.district == district,
        "street": area.street == street,
        "buildings": bool(home and home.id in area.buildings),
        "polygon": bool(point and area.polygon and inside(area.polygon, point)),
    }[area.kind]


def reference(
    firms: list[Organisation], rules: list[Responsibility], place: Location, working: bool
) -> UUID | None:
    areas = {each.id: each for each in TERRITORIES}
    alive = {each.id for each in firms if each.active}
    fitting = sorted(
        (RANKS[r.selector], NARROW.index(areas[r.territory].kind), r.priority, r.id)
        for r in rules
        if r.selector in RANKS and holds(areas[r.territory], place)
    )
    by_id = {each.id: each for each in rules}
    for *_, key in fitting:
        found = by_id[key]
        if found.organisation not in alive or not found.in_force(date(2026, 3, 4)):
            continue
        if found.calendar is None or working:
            return found.organisation
        if found.fallback in alive:
            return found.fallback
    return None


days = st.sampled_from([None, date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5)])
rules_of_a_city = st.lists(
    st.builds(
        Responsibility,
        id=st.integers(1000, 2000).map(ident),
        selector=st.sampled_from([*RANKS, "roads", "lifts.breakdown"]),
        territory=st.sampled_from([each.id for each in TERRITORIES]),
        organisation=st.integers(10, 14).map(ident),
        priority=st.integers(1, 3),
        calendar=st.sampled_from([None, "office-hours"]),
        fallback=st.one_of(st.none(), st.integers(10, 14).map(ident)),
        valid_from=days,
        valid_to=days,
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)
points = st.builds(
    Coordinates, st.floats(50.01, 50.99).map(lambda n: round(n, 2)), st.sampled_from(
        [80.01, 80.25, 80.31, 80.45, 80.6, 81.5])
)  # fmt: skip
places = st.builds(
    Location,
    building=st.sampled_from([None, ident(500), ident(501), ident(502), ident(999)]),
    street=st.sampled_from([None, ident(900), ident(901), ident(998)]),
    district=st.sampled_from([None, None, "west", "east", "north"]),
    coordinates=st.one_of(st.none(), points),
)


@settings(max_examples=300, deadline=None)
@given(rules_of_a_city, places, st.booleans(), st.lists(st.booleans(), min_size=5, max_size=5))
def test_routing_agrees_with_reading_all_rules_one_by_one(
    rules: list[Responsibility], place: Location, working: bool, alive: list[bool]
) -> None:
    firms = [organisation(10 + n, active=active) for n, active in enumerate(alive)]
    answer = ask(index(*rules, organisations=firms), place, open_=working)
    assert answer.organisation == reference(firms, rules, place, working)
    assert (answer.organisation is None) == (
        answer.reason not in (RouteReason.ASSIGNED, RouteReason.AFTER_HOURS)
    )


@settings(max_examples=50, deadline=None)
@given(rules_of_a_city, places, st.randoms())
def test_the_order_of_the_rules_in_the_file_changes_nothing(
    rules: list[Responsibility], place: Location, random: Random
) -> None:
    shuffled = list(rules)
    random.shuffle(shuffled)
    assert ask(index(*rules), place) == ask(index(*shuffled), place)


# --- a city of full size ------------------------------------------------------------


def test_a_whole_city_is_indexed_in_two_seconds_and_routed_in_microseconds() -> None:
    homes = [
        Building(ident(10_000 + n), ident(900 + n % 2), str(n), "west" if n % 2 else "east",
                 Coordinates(50 + n % 100 / 100, 80 + n % 97 / 97), "apartments")
        for n in range(15_000)
    ]  # fmt: skip
    areas = [
        *TERRITORIES,
        *(territory(20_000 + n, "buildings", buildings=frozenset(
            each.id for each in homes[n * 5:n * 5 + 5])) for n in range(2_900)),
        *(territory(30_000 + n, "polygon", polygon=tuple(
            (x + n / 1000, y + n / 1000) for x, y in YARD)) for n in range(100)),
    ]  # fmt: skip
    rules = [
        *(rule(40_000 + n, "lifts", 20_000 + n % 2_900, 10 + n % 750) for n in range(6_000)),
        *(rule(50_000 + n, "kind:utility", 30_000 + n, 10 + n) for n in range(100)),
        *(rule(60_000 + n, f"lifts.service-{n}", 1, 10) for n in range(2_500)),
    ]
    started = time.process_time()
    routes = RoutingIndex(
        organisations=[organisation(10 + n) for n in range(750)], districts=DISTRICTS,
        streets=STREETS, buildings=homes, territories=areas, responsibilities=rules,
    )  # fmt: skip
    assert time.process_time() - started < 2
    spent = []
    for home in homes[:2_000]:
        before = time.perf_counter()
        ask(routes, Location(building=home.id))
        spent.append(time.perf_counter() - before)
    assert statistics.median(spent) < 50e-6


def test_who_answers_at_a_place_are_all_with_a_rule_in_force_there() -> None:
    gone = date(2026, 1, 1)
    routes = index(
        rule(1, "lifts", 1, 10), rule(2, "lifts.person-trapped", 5, 11), rule(3, "lifts", 8, 12),
        rule(4, "lifts", 2, 13, valid_to=gone), rule(5, "lifts", 2, 14), rule(6, "*", 1, 15),
        organisations=[organisation(n, active=n != 14) for n in range(10, 20)],
    )  # fmt: skip
    wanted = selectors("lifts.person-trapped", "lifts.emergency", "lifts", "lift-company")
    assert routes.answering(wanted, TWELVE, NOON) == {ident(10), ident(11)}
    assert routes.answering(wanted, Location(building=ident(502)), NOON) == {ident(10), ident(12)}
    others = selectors("roads.pothole", "roads.holes", "roads", "utility")
    assert routes.answering(others, TWELVE, NOON) == {ident(15)}
