from dataclasses import replace
from datetime import date

from domain.catalogue.changes import diff
from domain.catalogue.exchange import Draft
from domain.catalogue.model import Sphere
from tests.domain.catalogue import make

TODAY = date(2026, 11, 22)
YESTERDAY = date(2026, 11, 21)


def draft(*services):
    catalogue = make.catalogue(*services)
    return Draft(catalogue.spheres, catalogue.categories, catalogue.services)


def test_the_same_catalogue_changes_nothing():
    current = make.catalogue(make.service(version=7))
    changes = diff(current, draft(make.service()), day=TODAY)
    assert not changes
    assert changes.unchanged == current.services


def test_a_new_service_begins_with_its_first_version():
    changes = diff(make.catalogue(), draft(make.service()), day=TODAY)
    assert [service.version for service in changes.added] == [1]
    assert changes.spheres


def test_a_changed_service_gets_the_next_version():
    current = make.catalogue(make.service(version=7))
    (changed,) = diff(current, draft(make.service(policy="default")), day=TODAY).changed
    assert (changed.version, changed.policy) == (8, "default")


def test_a_service_left_out_ends_and_is_not_removed():
    left = make.service("lifts.left", version=2)
    current = make.catalogue(make.service(), left)
    changes = diff(current, draft(make.service()), day=TODAY)
    (ended,) = changes.ended
    assert (ended.version, ended.valid_to) == (3, YESTERDAY)
    assert not ended.valid_on(TODAY)
    assert ended.valid_on(YESTERDAY)
    assert "lifts.left" in changes.applied(current)


def test_a_service_left_out_before_it_began_never_begins():
    current = make.catalogue(make.service(valid_from=date(2027, 1, 1)))
    (ended,) = diff(current, draft(), day=TODAY).ended
    assert not any(ended.valid_on(day) for day in (TODAY, date(2027, 1, 1)))
    assert ended.valid_to
    assert ended.valid_from <= ended.valid_to


def test_a_service_that_ended_long_ago_stays_as_it_is():
    current = make.catalogue(make.service(valid_to=date(2026, 5, 1)))
    changes = diff(current, draft(), day=TODAY)
    assert not changes
    assert changes.unchanged == current.services


def test_a_renamed_sphere_is_a_change_and_its_services_are_not():
    current = make.catalogue(make.service())
    sphere = Sphere("lifts", make.names("Лифтовое хозяйство"), 0)
    changes = diff(current, replace(draft(make.service()), spheres=(sphere,)), day=TODAY)
    assert changes.spheres == (sphere,)
    assert not changes.changed
    assert changes.applied(current).spheres == (sphere,)


def test_applied_twice_nothing_is_left_to_change():
    current = make.catalogue(make.service(), make.service("lifts.left"))
    wanted = draft(make.service(public=False), make.service("roads.hole", "Яма"))
    after = diff(current, wanted, day=TODAY).applied(current)
    assert len(after.services) == 3
    assert not diff(after, wanted, day=TODAY)
