"""Of one appeal the public is told what it shares with enough others."""

from collections import Counter
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.publication.places import SIZES, Crowd, centre
from domain.publication.rows import FEWEST, TOLD, Detail, Kin, Shared
from domain.values import Coordinates

MONDAY = date(2026, 11, 23)
KINDS = {
    "roads.pit": ("roads.a", "roads"),
    "roads.hole": ("roads.a", "roads"),
    "roads.snow": ("roads.b", "roads"),
    "lifts.stuck": ("lifts.a", "lifts"),
}
DISTRICTS = (None, "left", "right")
kins = st.builds(
    lambda service, district: Kin(service, *KINDS[service], district, MONDAY),
    service=st.sampled_from(sorted(KINDS)),
    district=st.sampled_from(DISTRICTS),
)
points = st.builds(
    Coordinates,
    latitude=st.floats(50.39, 50.43),
    longitude=st.floats(80.2, 80.3),
)


def _shared(city: list[Kin]) -> Shared:
    return Shared((kin, None, 1) for kin in city)


@given(st.lists(kins, max_size=60))
def test_whatever_is_told_is_shared_by_enough_that_are_told_alike(city: list[Kin]):
    shared = _shared(city)
    told = Counter(kin.shared(shared.detail(kin)) for kin in city)
    hidden = [kin for kin in city if shared.detail(kin) is Detail.NOTHING]
    assert all(n >= FEWEST for name, n in told.items() if name not in {_nothing(k) for k in hidden})
    for more in TOLD:
        left = Counter(kin.shared(more) for kin in city if shared.detail(kin) < more)
        assert all(count < FEWEST for count in left.values()), "no less is told than may be"


def _nothing(kin: Kin) -> tuple[object, ...]:
    return kin.shared(Detail.NOTHING)


def test_the_odd_one_among_many_is_not_told_by_what_it_lacks():
    """The only row with a category and no service would be a class of one."""
    many = [Kin("roads.pit", "roads.a", "roads", "left", MONDAY)] * 6
    others = [Kin("roads.snow", "roads.b", "roads", "left", MONDAY)] * 9
    odd = Kin("roads.hole", "roads.a", "roads", "left", MONDAY)
    shared = _shared([*many, *others, odd])
    assert shared.detail(odd) is Detail.NOTHING
    assert shared.detail(many[0]) is shared.detail(others[0]) is Detail.SERVICE
    assert shared.counted("service", {}) == {"roads.snow": 9, None: 7}, "it hides in the totals"


def test_rare_services_are_told_as_their_category_and_a_lonely_one_not_at_all():
    snow = [Kin("roads.snow", "roads.winter", "roads", "left", MONDAY)] * 4
    ice = [Kin("roads.ice", "roads.winter", "roads", "left", MONDAY)] * 3
    pits = [Kin("roads.pit", "roads.holes", "roads", "left", MONDAY)] * 5
    lift = Kin("lifts.stuck", "lifts.all", "lifts", "left", MONDAY)
    shared = _shared([*snow, *ice, *pits, lift])
    assert shared.detail(snow[0]) is shared.detail(ice[0]) is Detail.CATEGORY
    assert shared.detail(lift) is Detail.NOTHING


@given(st.lists(st.tuples(kins, st.integers(1, 3)), max_size=60))
def test_a_cell_is_told_where_enough_of_a_class_lie_in_it(city: list[tuple[Kin, int]]):
    shared = Shared((kin, cell, 1) for kin, cell in city)
    lie = Counter((kin.shared(shared.detail(kin)), cell) for kin, cell in city)
    for kin, cell in city:
        assert shared.hides(kin, cell) is (lie[kin.shared(shared.detail(kin)), cell] >= FEWEST)


BY = ("service", "category", "sphere", "district")
SPHERES = sorted({sphere for _, sphere in KINDS.values()})


@given(st.lists(kins, max_size=90))
def test_nothing_is_left_of_one_grouping_when_another_is_taken_away(city: list[Kin]):
    """Whole numbers, which are not even told: every grouping under every condition, and what
    remains of one when that which it holds by another is subtracted."""
    shared = _shared(city)
    conditions: list[dict[str, str]] = [{}]
    conditions += [{"sphere": sphere} for sphere in SPHERES]
    conditions += [{"district": district} for district in DISTRICTS if district]
    conditions += [
        {**a, **b} for a in conditions for b in conditions if a and b and a.keys() != b.keys()
    ]
    told: dict[tuple[Any, ...], Counter[str | None]] = {
        (by, *sorted(each.items())): shared.counted(by, each) for each in conditions for by in BY
    }

    def fine(count: int) -> bool:
        return count == 0 or count >= FEWEST

    totals: dict[tuple[Any, ...], int] = {}
    for (_, *where), groups in told.items():
        assert all(fine(count) for count in groups.values())
        totals.setdefault(tuple(where), groups.total())
        assert totals[tuple(where)] == groups.total(), "all groupings have one total"
    for outer, total in totals.items():
        for narrower, part in totals.items():
            if set(outer) < set(narrower):
                assert fine(total - part)
        for by in BY:
            whole = told[by, *outer]
            for narrower in [each for each in totals if set(outer) < set(each)]:
                for key, count in told[by, *narrower].items():
                    if key is not None:
                        assert fine(whole[key] - count)
    for by in ("service", "category"):
        for key, group in told["sphere",].items():
            if key is not None:
                named = told[by, ("sphere", key)]
                assert fine(group - sum(n for name, n in named.items() if name is not None))


@given(st.lists(points, max_size=80), points)
def test_a_cell_that_is_told_holds_enough_houses(houses: list[Coordinates], point: Coordinates):
    crowd = Crowd(houses)
    cell = crowd.cell(point)
    if cell is not None:
        inside = [house for house in houses if _in(house, cell)]
        assert len(inside) >= FEWEST
        assert _in(point, cell)
        assert _in(centre(cell), cell)


def _in(point: Coordinates, cell: int) -> bool:
    import h3.api.basic_int as h3

    size = h3.get_resolution(cell)
    assert size in SIZES
    return bool(h3.latlng_to_cell(point.latitude, point.longitude, size) == cell)
