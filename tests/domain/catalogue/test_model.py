from dataclasses import replace
from datetime import date

import orjson
import pytest

from domain.catalogue.model import Catalogue, Category, Sphere
from domain.errors import NotFound
from tests.domain.catalogue import make


def test_a_seasonal_service_is_offered_on_its_first_and_last_day_and_not_outside():
    rink = make.service(valid_from=date(2026, 11, 1), valid_to=date(2027, 3, 31))
    offered = [date(2026, 11, 1), date(2027, 3, 31)]
    assert [rink.valid_on(day) for day in offered] == [True, True]
    assert not rink.valid_on(date(2026, 10, 31))
    assert not rink.valid_on(date(2027, 4, 1))


def test_a_service_without_an_end_is_offered_for_good():
    assert make.service().valid_on(date(2126, 1, 1))


def test_two_versions_that_say_the_same_have_one_fingerprint():
    first = make.service()
    assert first.fingerprint() == replace(first, version=9).fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"names": make.names("Иначе")},
        {"category": "lifts.breakdown"},
        {"policy": "default"},
        {"public": False},
        {"keywords": {"ru": ("лифт",)}},
        {"form": make.form()},
        {"valid_to": date(2027, 1, 1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_content_changes_the_fingerprint(change):
    first = make.service()
    assert first.fingerprint() != replace(first, **change).fingerprint()


def test_the_content_is_plain_data_without_version():
    content = make.service(keywords={"ru": ("застрял",)}).content()
    assert "version" not in content
    assert orjson.loads(orjson.dumps(content)) == content


def test_an_unknown_service_is_not_found():
    with pytest.raises(NotFound) as refusal:
        make.catalogue(make.service()).service("lifts.unheard-of")
    assert refusal.value.params == {"kind": "service", "id": "lifts.unheard-of"}


def test_the_tree_shows_a_resident_only_what_they_may_choose():
    secret = make.service("lifts.internal", public=False)
    closed = make.service("lifts.gone", valid_to=date(2026, 2, 1))
    catalogue = make.catalogue(make.service(), secret, closed)
    (sphere,) = catalogue.tree(day=date(2026, 6, 1), public_only=True)
    assert [s.code for s in sphere.categories[0].services] == ["lifts.person-trapped"]
    assert len(catalogue.tree()[0].categories[0].services) == 3


def test_the_tree_keeps_the_order_of_positions_and_leaves_empty_branches_out():
    spheres = [Sphere("roads", make.names("Дороги"), 1), Sphere("lifts", make.names("Лифты"), 0)]
    categories = [
        Category("lifts.breakdown", "lifts", make.names("Поломки"), 1),
        Category("lifts.emergency", "lifts", make.names("Срочно"), 0),
    ]
    catalogue = Catalogue.ordered(spheres, categories, [make.service()])
    whole = catalogue.tree(empty=True)
    assert [branch.sphere.code for branch in whole] == ["lifts", "roads"]
    assert [b.category.code for b in whole[0].categories] == ["lifts.emergency", "lifts.breakdown"]
    assert [branch.sphere.code for branch in catalogue.tree()] == ["lifts"]
