"""Explanations: what is told of a route is what the routing did."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hypothesis import given, settings

from domain.appeals.intake import find_route
from domain.appeals.model import Place
from domain.appeals.routes import decision, explain_route, moves
from domain.organisations.model import Location, Responsibility
from domain.organisations.routing import RouteReason
from domain.organisations.rules import Verdict
from tests.domain.organisations.test_coverage import rules_of_a_town, sleepers, some_town
from tests.domain.organisations.test_routing import places
from tests.domain.organisations.town import HOUSES, NOON, SERVICES, ident, rule, town


@settings(max_examples=100, deadline=None)
@given(rules_of_a_town, sleepers, places)
def test_the_winner_that_is_told_is_the_one_that_was_sent(
    rules: list[Responsibility], awake: list[bool], location: Location
) -> None:
    here = some_town(rules, awake)
    place = Place(
        location.building, location.street, location.district, None, None, location.coordinates
    )
    for service in SERVICES:
        told = explain_route(service, place, here, NOON)
        assert told.route == find_route(service, place, here, NOON)
        fitting = [each.responsibility for each in told.route.considered] + list(told.unasked)
        everything = [*fitting, *told.elsewhere, *told.other]
        assert len(set(everything)) == len(everything)
        selected = {each.id for each in rules if each.id in {*fitting, *told.elsewhere}}
        assert selected == {*fitting, *told.elsewhere}


def test_every_rule_says_why_it_was_passed_over() -> None:
    here = town(
        rule(1, "*", 1, 10),
        rule(2, "lifts", 5, 11, calendar="never"),
        rule(3, "lifts", 1, 12, priority=1),
        rule(4, "lifts", 1, 13, priority=2),
        rule(5, "lifts", 8, 13),
        rule(6, "roads", 1, 14),
    )
    told = explain_route(SERVICES[0], Place(building=HOUSES[0]), here, NOON)
    assert [(each.responsibility.int, each.verdict) for each in told.route.considered] == [
        (2, Verdict.OUTSIDE_HOURS), (3, Verdict.CHOSEN)
    ]  # fmt: skip
    assert [each.int for each in told.unasked] == [4, 1]
    assert [each.int for each in told.elsewhere] == [5]
    assert [each.int for each in told.other] == [6]


def test_without_a_place_the_rules_were_not_asked() -> None:
    here = town(rule(1, "*", 1, 10), rule(2, "lifts", 5, 11))
    told = explain_route(SERVICES[0], Place(), here, NOON)
    assert told.route.reason is RouteReason.NO_ADDRESS
    assert told.route.considered == ()
    assert [each.int for each in told.unasked] == [1]


def event(type: str, texts: Mapping[str, str] | None = None, **data: Any) -> dict[str, Any]:
    actor = {"role": "inspector", "id": str(ident(7)), "organisation": None}
    at = "2026-03-04T07:00:00.000000Z"
    return {"type": type, "at": at, "actor": actor, "data": data, "texts": dict(texts or {})}


ONE, TWO, RULE = (str(ident(number)) for number in (1, 2, 3))
SENT = [
    event("appeal.registered", route="after-hours", reference=5),
    event("appeal.assigned", organisation=ONE, by="route", reason="after-hours",
          responsibility=RULE),
]  # fmt: skip


def test_what_was_decided_is_read_from_the_events_of_then() -> None:
    told = decision(SENT)
    assert told is not None
    assert (told.reason, told.organisation, told.responsibility, told.reference) == (
        "after-hours", UUID(ONE), UUID(RULE), 5
    )  # fmt: skip
    assert told.at == NOON


def test_an_old_event_does_not_tell_the_version_and_a_queue_has_no_rule() -> None:
    told = decision([event("appeal.registered", route="no-address")])
    assert told is not None
    assert (told.organisation, told.responsibility, told.reference) == (None, None, None)
    by_hand = event("appeal.assigned", organisation=ONE, by="hand")
    later = decision([event("appeal.registered", route="no-address"), by_hand])
    assert later is not None
    assert later.organisation is None


def test_each_later_step_tells_from_whom_to_whom_and_why() -> None:
    history = [
        *SENT,
        event("appeal.declined", {"reason": "Біздікі емес"}, organisation=ONE),
        event("appeal.assigned", organisation=TWO, by="hand"),
        event("appeal.redirected", {"reason": "Қате"}, **{"from": TWO, "to": ONE}),
        event("appeal.assigned", {"reason": "Қате"}, organisation=ONE, by="hand"),
        event("appeal.accepted", organisation=ONE),
    ]
    told = [(each.type, each.former, each.organisation, each.reason) for each in moves(history)]
    assert told == [
        ("appeal.declined", UUID(ONE), None, "Біздікі емес"),
        ("appeal.assigned", None, UUID(TWO), None),
        ("appeal.redirected", UUID(TWO), UUID(ONE), "Қате"),
    ]
