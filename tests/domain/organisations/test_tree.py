"""The tree of organisations: an akim sees everybody below, nobody stands above themselves."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Conflict, NotFound
from domain.organisations.model import Organisation, OrganisationKind
from domain.organisations.tree import OrganisationTree, ancestors, subtree


def ident(number: int) -> UUID:
    return UUID(int=number)


def organisation(number: int, parent: int | None) -> Organisation:
    return Organisation(
        ident(number), f"o{number}", None if parent is None else ident(parent),
        OrganisationKind.CITY_DEPARTMENT, {}, {}, "office-hours", None, True,
    )  # fmt: skip


CITY = [organisation(1, None), organisation(2, 1), organisation(3, 2), organisation(4, 1)]


def test_the_akimat_has_everybody_below_it() -> None:
    assert subtree(CITY, ident(1)) == {ident(n) for n in (1, 2, 3, 4)}
    assert subtree(CITY, ident(2)) == {ident(2), ident(3)}


def test_the_nearest_superior_comes_first() -> None:
    assert ancestors(CITY, ident(3)) == (ident(2), ident(1))
    assert ancestors(CITY, ident(1)) == ()


def test_a_cycle_is_refused() -> None:
    with pytest.raises(Conflict) as refusal:
        OrganisationTree.of([organisation(1, 3), organisation(2, 1), organisation(3, 2)])
    assert refusal.value.params["reason"] == "organisation-cycle"


def test_an_organisation_is_not_moved_under_its_own_department() -> None:
    tree = OrganisationTree.of(CITY)
    tree.check_move(ident(3), ident(4))
    tree.check_move(ident(3), None)
    for parent in (3, 2):
        with pytest.raises(Conflict):
            tree.check_move(ident(2), ident(parent))


def test_a_missing_parent_or_organisation_is_not_found() -> None:
    with pytest.raises(NotFound):
        OrganisationTree.of([organisation(1, 9)])
    with pytest.raises(NotFound):
        subtree(CITY, ident(9))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_below_and_above_are_two_views_of_one_tree(choices: list[int]) -> None:
    city = [organisation(0, None)]
    city += [organisation(n, choice % n) for n, choice in enumerate(choices, start=1)]
    tree = OrganisationTree.of(city)
    for each in city:
        for other in city:
            above = each.id == other.id or each.id in tree.ancestors(other.id)
            assert above == (other.id in tree.subtree(each.id))
