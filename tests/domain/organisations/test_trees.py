"""The tree of a city is made once for all who ask, and again only when its organisations change."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.organisations.model import District, Organisation
from domain.organisations.tree import OrganisationTree
from domain.organisations.trees import Trees
from domain.reference import Reference
from tests.domain.organisations.test_tree import CITY, ident, organisation
from tests.domain.organisations.town import town


class Cities:
    """References of cities that a test changes."""

    def __init__(self, *cities: UUID) -> None:
        self._known = {city: town() for city in cities}
        for city in cities:
            self.change(city, CITY)

    def change(self, city: UUID, organisations: list[Organisation]) -> None:
        known = {each.id: each for each in organisations}
        self._known[city] = replace(self._known[city], organisations=known)

    def move(self, city: UUID, **parents: str | None) -> None:
        known = {code: District(code, {}, None, parent) for code, parent in parents.items()}
        self._known[city] = replace(self._known[city], districts=known)

    def of(self, city: UUID) -> Reference:
        return self._known[city]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[OrganisationTree]:
    """The trees that were made."""
    trees: list[OrganisationTree] = []
    of = OrganisationTree.of

    def counted(organisations: Any) -> OrganisationTree:
        trees.append(of(organisations))
        return trees[-1]

    monkeypatch.setattr(OrganisationTree, "of", counted)
    return trees


def test_one_tree_serves_all_organisations_of_a_city(made: list[OrganisationTree]):
    here, there = ident(100), ident(101)
    trees = Trees(Cities(here, there))
    assert trees.below(here, ident(1)) == {ident(n) for n in (1, 2, 3, 4)}
    assert trees.below(here, ident(2)) == {ident(2), ident(3)}
    assert trees.below(here, ident(2)) is trees.below(here, ident(2)), "found once"
    assert len(made) == 1
    assert trees.below(there, ident(2)) == {ident(2), ident(3)}
    assert len(made) == 2


def test_another_tree_is_made_when_the_organisations_are_others(made: list[OrganisationTree]):
    here = ident(100)
    cities = Cities(here)
    trees = Trees(cities)
    before = trees.standing(here)
    assert trees.below(here, ident(4)) == {ident(4)}
    assert trees.standing(here) is before
    cities.change(here, [*CITY, organisation(5, 4)])
    assert trees.standing(here) is not before
    assert trees.below(here, ident(4)) == {ident(4), ident(5)}
    assert len(made) == 2


def test_who_left_the_city_is_alone(made: list[OrganisationTree]):
    assert Trees(Cities(ident(100))).below(ident(100), ident(9)) == {ident(9)}
    assert made == []


def test_in_a_district_lies_what_lies_in_what_lies_in_it():
    here, there = ident(100), ident(101)
    cities = Cities(here, there)
    cities.move(here, left=None, rural="left", village="rural", right=None)
    trees = Trees(cities)
    assert trees.lying_in(here, "left") == {"left", "rural", "village"}
    assert trees.lying_in(here, "left") is trees.lying_in(here, "left"), "found once"
    assert trees.lying_in(here, "village") == {"village"}
    assert trees.lying_in(here, "nowhere") == {"nowhere"}
    assert trees.lying_in(there, "left") == {"left"}, "a city of its own"


def test_districts_that_move_are_found_where_they_lie_now():
    here = ident(100)
    cities = Cities(here)
    cities.move(here, left=None, village="left", right=None)
    trees = Trees(cities)
    before = trees.districts(here)
    assert trees.lying_in(here, "left") == {"left", "village"}
    assert trees.districts(here) is before
    cities.move(here, left=None, village="right", right=None)
    assert trees.districts(here) is not before
    assert trees.lying_in(here, "left") == {"left"}
    assert trees.lying_in(here, "right") == {"right", "village"}


def test_districts_that_were_put_into_each_other_lie_in_each_other():
    here = ident(100)
    cities = Cities(here)
    cities.move(here, left="right", right="left")
    assert Trees(cities).lying_in(here, "left") == {"left", "right"}
