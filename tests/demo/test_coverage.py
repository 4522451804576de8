"""Semey's own routing, looked over: nobody in it is left alone, and a hurt to it is found."""

import time
from collections.abc import Iterable
from dataclasses import replace

import pytest

from domain.organisations.checks import check
from domain.organisations.drafts import under
from domain.organisations.exchange import Draft
from domain.organisations.findings import AreaKind, Finding, Lack, Severity
from domain.organisations.model import (
    Organisation,
    OrganisationKind,
    Responsibility,
    TerritoryKind,
)
from domain.reference import Reference
from tests.domain.organisations.town import NOON
from tests.support.semey import semey


@pytest.fixture(scope="module")
def found() -> tuple[Finding, ...]:
    return check(semey(), NOON)


def test_semey_has_no_error_and_nothing_but_rules_kept_for_services_to_come(
    found: tuple[Finding, ...],
) -> None:
    assert {each.lack for each in found} == {Lack.UNUSED_SELECTOR}
    assert {each.severity for each in found} == {Severity.WARNING}
    assert len(found) == len(semey().catalogue.spheres)


def test_a_whole_city_is_looked_over_in_a_second() -> None:
    spent = []
    for _ in range(3):
        started = time.process_time()
        check(semey(), NOON)
        spent.append(time.process_time() - started)
    assert min(spent) < 1


def _without_nets(city: Reference) -> Reference:
    """The city where only those who are named for a part of it act."""
    drawn = city.routing.territories
    rules = [
        each
        for each in city.routing.responsibilities.values()
        if drawn[each.territory].kind is not TerritoryKind.CITY
    ]
    return _under(city, rules=rules)


def _under(
    city: Reference,
    *,
    firms: Iterable[Organisation] = (),
    rules: Iterable[Responsibility] = (),
) -> Reference:
    """The city with other organisations, or other rules."""
    draft = Draft(tuple(firms), (), tuple(rules) or tuple(city.routing.responsibilities.values()))
    return under(city, draft)


def test_without_its_nets_the_city_is_parted_by_who_keeps_which_house() -> None:
    gaps = [each for each in check(_without_nets(semey()), NOON) if each.lack is Lack.UNCOVERED]
    kept = {
        house
        for each in semey().routing.territories.values()
        if each.code.startswith(("osi-", "ksk-", "pt-"))
        for house in each.buildings
    }
    of_housing = [each for each in gaps if "housing" in each.subject[1]]
    assert len(of_housing) == len(semey().districts)
    bare = {house for each in of_housing if each.area for house in each.area.buildings}
    assert bare == set(semey().buildings) - kept
    roads = [each for each in gaps if each.subject[1] == "roads"]
    assert [each.area and each.area.kind for each in roads] == [AreaKind.CITY]
    assert len(gaps) < 60


def test_a_lift_company_that_is_suspended_is_found_and_its_houses_fall_to_the_net() -> None:
    city = semey()
    lifts = next(
        each for each in city.organisations.values() if each.kind is OrganisationKind.LIFT_COMPANY
    )
    firms = tuple(replace(each, active=each.id != lifts.id) for each in city.organisations.values())
    told = [each for each in check(_under(city, firms=firms), NOON)
            if each.lack is not Lack.UNUSED_SELECTOR]  # fmt: skip
    assert [(each.lack, each.subject[1]) for each in told] == [
        (Lack.SUSPENDED_EXECUTOR, lifts.code)
    ]
