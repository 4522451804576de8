"""Appeals that were passed on in a circle are counted by circle and service."""

import pytest

from domain.organisations.findings import Finding, Lack, Severity
from domain.organisations.returns import Trail, returns
from tests.domain.organisations.town import FIRMS, ident, town

A, B, C, D = (ident(number) for number in (10, 11, 12, 13))


def told(*trails: Trail, days: int = 90) -> list[Finding]:
    return list(returns(trails, town(), days))


def test_a_circle_of_two_is_told_with_its_numbers():
    (found,) = told(*[Trail("lifts", (A, B, A))] * 3, Trail("lifts", (A, B)), days=30)
    assert (found.lack, found.severity) == (Lack.REDIRECT_CIRCLE, Severity.WARNING)
    assert found.subject == ("organisation", FIRMS[0].code)
    assert (found.organisations, found.services) == ((A, B), ("lifts",))
    assert found.facts == {"count": 3, "value": "30"}


def test_a_circle_is_the_same_wherever_it_was_entered_and_however_often_it_was_gone():
    (found,) = told(Trail("lifts", (A, B, A, B, A)), Trail("lifts", (B, A, B)))
    assert (found.organisations, found.facts["count"]) == ((A, B), 2)


def test_services_are_counted_apart():
    trails = [Trail(service, (A, B, A)) for service in ("lifts", "roads") for _ in range(2)]
    assert [each.services for each in told(*trails)] == [("lifts",), ("roads",)]
    assert told(Trail("lifts", (A, B, A)), Trail("roads", (A, B, A))) == []


def test_longer_circles_keep_their_direction():
    around, back = Trail("lifts", (C, D, A, B, C)), Trail("lifts", (D, C, B, A, D))
    assert [each.organisations for each in told(around, around)] == [(A, B, C, D)]
    assert told(around, back) == [], "one each"


@pytest.mark.parametrize("line", [(A, B, C), (A, A, B), (A,), ()], ids=str)
def test_who_never_comes_back_goes_in_no_circle(line):
    assert told(*[Trail("lifts", line)] * 5) == []


def test_an_organisation_that_is_gone_is_named_by_its_id():
    (found,) = told(*[Trail("lifts", (ident(98), ident(99), ident(98)))] * 2)
    assert found.subject == ("organisation", str(ident(98)))
