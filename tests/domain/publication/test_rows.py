"""Of one appeal the public is told what it shares with enough others."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.publication.figures import FEWEST
from domain.publication.places import SIZES, Crowd, centre
from domain.publication.rows import TOLD, Detail, Kin, Shared
from domain.values import Coordinates

MONDAY = date(2026, 11, 23)
kins = st.builds(
    Kin,
    service=st.sampled_from(["roads.pit", "roads.snow", "lifts.stuck"]),
    category=st.sampled_from(["roads.a", "lifts.a"]),
    sphere=st.sampled_from(["roads", "lifts"]),
    district=st.sampled_from([None, "left", "right"]),
    day=st.integers(0, 13).map(lambda n: MONDAY + timedelta(days=n)),
)
points = st.builds(
    Coordinates,
    latitude=st.floats(50.39, 50.43),
    longitude=st.floats(80.2, 80.3),
)


@given(st.lists(kins, max_size=60))
def test_whatever_is_told_is_shared_by_enough(city: list[Kin]):
    shared = Shared((kin, 1) for kin in city)
    for kin in city:
        detail = shared.detail(kin)
        if detail is not Detail.NOTHING:
            alike = [other for other in city if other.shared(detail) == kin.shared(detail)]
            assert len(alike) >= FEWEST
        for more in [each for each in TOLD if each > detail]:
            alike = [other for other in city if other.shared(more) == kin.shared(more)]
            assert len(alike) < FEWEST, "no less is told than may be"


def test_a_rare_service_is_told_as_its_category_and_a_lonely_one_not_at_all():
    snow = [Kin("roads.snow", "roads.winter", "roads", "left", MONDAY)] * 4
    ice = [Kin("roads.ice", "roads.winter", "roads", "left", MONDAY)]
    lift = Kin("lifts.stuck", "lifts.all", "lifts", "left", MONDAY)
    shared = Shared([(kin, 1) for kin in (*snow, *ice, lift)])
    assert shared.detail(snow[0]) is Detail.CATEGORY
    assert shared.detail(lift) is Detail.NOTHING


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
