"""The board: what holds where and when, asked at intake; and the table of an incident's life."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.access import GRANTS, Permission, Role
from domain.errors import InvalidTransition
from domain.events import EventType, IncidentEventType
from domain.incidents import following
from domain.incidents.board import Board, draws, overdue
from domain.incidents.history import FOLLOWED
from domain.incidents.model import Area, Incident, IncidentKind, Matching
from domain.incidents.rules import RULES
from domain.incidents.workflow import (
    ENDED,
    LIVE,
    TRANSITIONS,
    IncidentAction,
    IncidentStatus,
    allowed,
    guard,
)
from domain.organisations.model import Location
from domain.values import Coordinates

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUSE, STREET, OTHER = (UUID(int=n) for n in (1, 2, 3))
RING = ((80.0, 50.0), (80.1, 50.0), (80.1, 50.1), (80.0, 50.1))
INSIDE, OUTSIDE = Coordinates(50.05, 80.05), Coordinates(50.5, 80.5)
HERE = Location(building=HOUSE, street=STREET, district="centre", coordinates=OUTSIDE)
S = IncidentStatus


def incident(area: Area, **changes):
    said = Incident(
        id=UUID(int=9), city=UUID(int=8), kind=IncidentKind.OUTAGE, status=S.ACTIVE,
        matching=Matching.AUTOMATIC, public=True, services=("water.none",), area=area,
        districts=frozenset(), texts={}, owner=OTHER, executor=OTHER, opened_by=OTHER,
        opened_at=NOON, updated_at=NOON,
    )  # fmt: skip
    return replace(said, **changes)


HOLDING = {
    "city": Area(city=True),
    "district": Area(districts=frozenset({"centre"})),
    "street": Area(streets=frozenset({STREET})),
    "building": Area(buildings=frozenset({HOUSE})),
}


@pytest.mark.parametrize("area", HOLDING.values(), ids=HOLDING)
def test_a_place_is_found_by_every_kind_of_area(area):
    board = Board([incident(area)])
    assert board.at(HERE, NOON, service="water.none")
    assert board.at(HERE, NOON)
    assert not board.at(HERE, NOON, service="heat.none")
    elsewhere = Location(building=OTHER, street=OTHER, district="north")
    assert bool(board.at(elsewhere, NOON)) == area.city


def test_a_polygon_holds_the_points_within_it():
    board = Board([incident(Area(polygon=RING))])
    assert board.at(Location(coordinates=INSIDE), NOON)
    assert not board.at(Location(coordinates=OUTSIDE), NOON)
    assert not board.at(Location(), NOON)


def test_an_unknown_place_lies_in_no_part_of_the_city():
    board = Board([incident(replace(area, city=False)) for area in HOLDING.values()])
    assert board.at(Location(), NOON) == ()


def test_what_is_announced_holds_from_its_time_on_and_outlasts_its_end():
    works = incident(
        Area(city=True),
        status=S.ANNOUNCED,
        planned_from=NOON,
        planned_to=NOON + timedelta(hours=4),
    )
    board = Board([works])
    early = NOON - timedelta(seconds=1)
    assert not board.at(HERE, early)
    assert board.at(HERE, early, ahead=timedelta(days=1))
    assert board.at(HERE, NOON)
    assert Board([replace(works, status=S.ACTIVE)]).at(HERE, NOON + timedelta(days=9))


@pytest.mark.parametrize("status", S, ids=str)
@pytest.mark.parametrize("hours", [None, -1, 0, 1])
def test_what_is_active_and_past_its_expected_end_is_overdue(status, hours):
    end = None if hours is None else NOON - timedelta(hours=hours)
    works = incident(Area(city=True), status=status, planned_to=end)
    assert overdue(works, NOON) == (status is S.ACTIVE and hours is not None and hours >= 0)


def test_appeals_join_what_runs_late_by_themselves_for_a_day_and_no_longer():
    works = incident(Area(city=True), planned_to=NOON)
    assert draws(works, NOON - timedelta(days=9))
    assert draws(works, NOON + timedelta(hours=23, minutes=59))
    assert not draws(works, NOON + timedelta(hours=24))
    later = replace(works, planned_to=NOON + timedelta(hours=1))
    assert draws(later, NOON + timedelta(hours=24)), "somebody said that it takes longer"
    assert draws(replace(works, planned_to=None), NOON + timedelta(days=99)), "no end was promised"
    assert not draws(replace(works, matching=Matching.SUGGESTED), NOON)
    assert Board([works]).at(HERE, NOON + timedelta(days=9)), "it is told of all the same"


@pytest.mark.parametrize("status", sorted(set(S) - LIVE), ids=str)
def test_what_is_over_is_known_no_more(status):
    assert Board([incident(Area(city=True), status=status)]).at(HERE, NOON) == ()


def test_every_action_has_its_row_and_its_rule():
    assert set(TRANSITIONS) == set(IncidentAction)
    assert set(RULES) == set(IncidentAction) - {IncidentAction.JOIN, IncidentAction.PART}
    assert set(following._FOLLOW) == FOLLOWED


@pytest.mark.parametrize("status", S, ids=str)
def test_a_state_allows_its_own_actions_and_names_them(status):
    for action in IncidentAction:
        if str(action) in allowed(status):
            assert guard(action, status).action is action
            continue
        with pytest.raises(InvalidTransition) as refused:
            guard(action, status)
        assert refused.value.params["allowed"] == allowed(status)
    assert (status in ENDED) == (allowed(status) == ())


def test_no_act_of_an_incident_can_be_a_residents_word():
    words = {EventType.CONFIRMED, EventType.CLOSED, EventType.WITHDRAWN}
    assert not {str(one) for one in words} & {str(one) for one in IncidentEventType}
    asked = {row.permission for row in TRANSITIONS.values()}
    assert not asked & {Permission.CONFIRM, Permission.WITHDRAW, Permission.ANSWER}
    assert not asked & GRANTS[Role.CITIZEN]
