"""Coverage: nobody is left alone unnoticed, and no rule stands idle unnoticed."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.organisations.checks import Checks, check
from domain.organisations.findings import AreaKind, Lack, Severity
from domain.organisations.model import Location, Responsibility
from domain.reference import Reference
from domain.values import Coordinates
from tests.domain.organisations.town import (
    BUILDINGS,
    FIRMS,
    HOUSES,
    NOON,
    SERVICES,
    STREETS,
    TERRITORIES,
    area,
    firm,
    found,
    ident,
    rule,
    service,
    town,
)

EVERYWHERE = rule(1, "*", 1, 10)


def lacks(reference: Reference) -> set[Lack]:
    return {each.lack for each in found(reference)}


def test_a_rule_for_everything_everywhere_leaves_nothing_to_mend() -> None:
    assert found(town(EVERYWHERE)) == []


def test_a_town_without_rules_is_one_gap_for_each_sphere() -> None:
    gaps = found(town())
    assert [(each.lack, each.subject[1], each.area and each.area.kind) for each in gaps] == [
        (Lack.UNCOVERED, "lifts", AreaKind.CITY), (Lack.UNCOVERED, "roads", AreaKind.CITY)
    ]  # fmt: skip
    assert gaps[0].services == ("lifts.emergency.noise", "lifts.emergency.trapped")
    assert {each.severity for each in gaps} == {Severity.ERROR}


def test_a_town_without_addresses_is_judged_by_what_it_does_without_one() -> None:
    drawn = [each for each in TERRITORIES if not each.buildings]
    assert lacks(town(buildings=(), territories=drawn)) == {Lack.UNCOVERED}
    assert found(town(EVERYWHERE, buildings=(), territories=drawn)) == []


@pytest.mark.parametrize(
    ("where", "kind", "code"),
    [(2, AreaKind.DISTRICT, "east"), (8, AreaKind.DISTRICT, "west")],
)
def test_a_gap_that_fills_a_district_is_called_by_its_name(
    where: int, kind: AreaKind, code: str
) -> None:
    (gap,) = found(town(rule(1, "*", where, 10)), Lack.UNCOVERED)[:1]
    assert gap.area is not None
    assert (gap.area.kind, gap.area.code, gap.districts) == (kind, code, (code,))


def test_houses_that_nobody_keeps_are_named_one_by_one() -> None:
    kept = [rule(1, "roads", 1, 10), rule(2, "lifts", 4, 10), rule(3, "lifts", 8, 11)]
    (gap,) = found(town(*kept), Lack.UNCOVERED)
    assert gap.area is not None
    assert gap.area.kind is AreaKind.BUILDINGS
    assert set(gap.area.buildings) == {HOUSES[1], HOUSES[3]}
    whole = found(town(*kept, rule(4, "lifts", 6, 12)), Lack.UNCOVERED)
    assert [each.area and each.area.buildings for each in whole] == [(HOUSES[3],)]


def test_streets_and_points_need_somebody_too() -> None:
    housed = [rule(n, "*", n, 10) for n in (2, 8)]
    assert lacks(town(*housed)) == {Lack.UNCOVERED_STREET}
    streets = [rule(4, "*", 4, 10), rule(5, "*", 24, 10)]
    both = [*TERRITORIES, area(24, "street", street=ident(901))]
    assert lacks(town(*streets, territories=both)) == {Lack.UNCOVERED_GROUND}
    drawn = [*both, area(25, "polygon", polygon=((80.5, 50.0), (81, 50), (81, 51), (80.5, 51)))]
    covered = [*streets, rule(7, "*", 7, 10), rule(8, "*", 25, 10)]
    assert found(town(*covered, territories=drawn)) == []
    halves = found(town(*covered[:3], territories=drawn))
    assert [(each.lack, each.subject[1], each.districts) for each in halves] == [
        (Lack.UNCOVERED_GROUND, sphere, ("east",)) for sphere in ("lifts", "roads")
    ]
    assert {each.severity for each in halves} == {Severity.WARNING}


def test_a_suspended_executor_leaves_the_gap_that_it_filled() -> None:
    asleep = [firm(10, active=False), *FIRMS[1:]]
    assert lacks(town(EVERYWHERE, firms=asleep)) == {Lack.UNCOVERED, Lack.SUSPENDED_EXECUTOR}


def test_hours_without_a_fallback_are_a_gap_at_night_only() -> None:
    by_day = rule(1, "*", 1, 10, calendar="days")
    gaps = found(town(by_day))
    assert {each.lack for each in gaps} == {Lack.UNCOVERED_OUTSIDE_HOURS}
    assert gaps[0].severity is Severity.WARNING
    assert found(town(replace(by_day, fallback=ident(11)))) == []
    by_night = rule(2, "*", 1, 11, calendar="nights", priority=2)
    shifts = [by_day, by_night, rule(3, "*", 1, 12, calendar="mornings", priority=3)]
    assert found(town(*shifts)) == []
    assert lacks(town(*shifts[:2])) == {Lack.UNCOVERED_OUTSIDE_HOURS}


def test_a_calendar_without_hours_is_no_help_and_is_told() -> None:
    never = rule(1, "*", 1, 10, calendar="never")
    assert lacks(town(never)) == {Lack.UNCOVERED, Lack.NO_HOURS}
    unknown = rule(1, "*", 1, 10, calendar="lunar")
    assert lacks(town(unknown)) == {Lack.UNCOVERED, Lack.UNKNOWN_CALENDAR}


def test_the_second_rule_for_the_same_house_is_shadowed_by_the_first() -> None:
    first, second = rule(2, "lifts", 5, 10), rule(3, "lifts", 5, 11)
    (lost,) = found(town(EVERYWHERE, first, second))
    assert (lost.lack, lost.rules) == (Lack.SHADOWED_RULE, (second.id, first.id))
    assert found(town(EVERYWHERE, first, replace(second, territory=ident(6)))) == []


def test_a_narrow_rule_under_a_broad_selector_loses_to_more_specific_selectors() -> None:
    services = [
        rule(2, "lifts.emergency.trapped", 1, 10), rule(3, "lifts.emergency.noise", 1, 11)
    ]  # fmt: skip
    district = rule(4, "lifts", 2, 12)
    (lost,) = found(town(EVERYWHERE, *services, district))
    assert lost.lack is Lack.SHADOWED_RULE
    assert set(lost.rules[1:]) == {each.id for each in services}
    assert found(town(EVERYWHERE, services[0], district)) == []


def test_a_net_under_the_whole_city_is_no_mistake() -> None:
    nets = [rule(2, "lifts", 1, 10), rule(3, "roads", 1, 11)]
    assert found(town(EVERYWHERE, *nets)) == []


def test_only_rules_that_last_stand_in_the_way_for_good() -> None:
    first = rule(2, "lifts", 5, 10)
    second = rule(3, "lifts", 5, 11)
    for passing in (
        replace(first, valid_to=date(2027, 1, 1)),
        replace(first, calendar="days"),
    ):
        assert Lack.SHADOWED_RULE not in lacks(town(EVERYWHERE, passing, second))


def test_a_rule_that_ended_is_told_and_one_that_is_to_come_is_not() -> None:
    ended = rule(2, "lifts", 1, 10, valid_to=date(2026, 3, 4))
    coming = rule(3, "lifts", 1, 10, valid_from=date(2026, 4, 1))
    assert [each.rules for each in found(town(EVERYWHERE, ended, coming))] == [(ended.id,)]


def test_who_cannot_be_reached_is_told_once() -> None:
    mute = [firm(10, contacts={"address": "Абай 1"}), *FIRMS[1:]]
    told = found(town(EVERYWHERE, rule(2, "lifts", 1, 10), firms=mute))
    assert [(each.lack, each.subject[1], len(each.rules)) for each in told] == [
        (Lack.NO_CONTACT, "org-10", 2)
    ]
    assert found(town(rule(1, "*", 1, 11), firms=mute)) == []
    mailed = [firm(10, contacts={"email": "a@semey.example"}), *FIRMS[1:]]
    assert found(town(EVERYWHERE, firms=mailed)) == []


def test_an_executor_without_a_calendar_is_told() -> None:
    timeless = [firm(10, calendar=""), *FIRMS[1:]]
    assert lacks(town(EVERYWHERE, firms=timeless)) == {Lack.NO_CALENDAR}
    lunar = [firm(10, calendar="lunar"), *FIRMS[1:]]
    assert lacks(town(EVERYWHERE, firms=lunar)) == {Lack.UNKNOWN_CALENDAR}


def test_a_fallback_must_work_when_it_is_needed() -> None:
    by_day = rule(2, "lifts", 1, 10, calendar="days", fallback=ident(11))
    assert found(town(EVERYWHERE, by_day)) == []
    sleeping = [FIRMS[0], firm(11, calendar="days"), *FIRMS[2:]]
    assert lacks(town(EVERYWHERE, by_day, firms=sleeping)) == {Lack.FALLBACK_CLOSED}
    gone = [FIRMS[0], firm(11, active=False), *FIRMS[2:]]
    assert lacks(town(EVERYWHERE, by_day, firms=gone)) == {Lack.SUSPENDED_FALLBACK}


def _hands_over(number: int, giver: int, taker: int, **parts: object) -> Responsibility:
    given = {"calendar": "days", "fallback": ident(taker), **parts}
    return rule(number, "lifts", 1, giver, priority=number, **given)


def test_a_circle_of_fallbacks_is_found() -> None:
    round_ = [_hands_over(2, 10, 11), _hands_over(3, 11, 12), _hands_over(4, 12, 10)]
    (circle,) = found(town(EVERYWHERE, *round_), Lack.FALLBACK_CIRCLE)
    assert circle.organisations == (ident(10), ident(11), ident(12))
    assert circle.services == ("lifts.emergency.noise", "lifts.emergency.trapped")
    (alone,) = found(town(EVERYWHERE, _hands_over(2, 10, 10)), Lack.FALLBACK_CIRCLE)
    assert alone.organisations == (ident(10),)


def test_who_relieve_each_other_or_never_meet_are_no_circle() -> None:
    shifts = [_hands_over(2, 10, 11), _hands_over(3, 11, 10, calendar="nights")]
    everyone = [*shifts, _hands_over(4, 12, 10, calendar="mornings")]
    apart = [
        rule(2, "lifts", 2, 10, calendar="days", fallback=ident(11)),
        rule(3, "lifts", 8, 11, calendar="days", fallback=ident(10)),
    ]
    others = [_hands_over(2, 10, 11), replace(_hands_over(3, 11, 10), selector="roads")]
    line = [_hands_over(2, 10, 11), _hands_over(3, 11, 12)]
    # Days and nights leave the morning, in which both are closed.
    assert Lack.FALLBACK_CIRCLE in lacks(town(EVERYWHERE, *everyone))
    whole = [_hands_over(2, 10, 11), _hands_over(3, 11, 10, calendar="always")]
    for harmless in (whole, apart, others, line):
        assert Lack.FALLBACK_CIRCLE not in lacks(town(EVERYWHERE, *harmless))


def test_rules_must_name_what_is_there() -> None:
    assert lacks(town(EVERYWHERE, rule(2, "lifts", 1, 77))) == {Lack.UNKNOWN_ORGANISATION}
    lost = rule(2, "lifts", 1, 10, calendar="days", fallback=ident(77))
    assert Lack.UNKNOWN_ORGANISATION in lacks(town(EVERYWHERE, lost))
    assert lacks(town(EVERYWHERE, rule(2, "lifts", 77, 10))) == {Lack.UNKNOWN_TERRITORY}


@pytest.mark.parametrize(
    ("selector", "lack"),
    [
        ("lights", Lack.UNKNOWN_SERVICE),
        ("lifts.emergency.gone", Lack.CLOSED_SERVICE),
        ("roads+kind:utility", Lack.UNUSED_SELECTOR),
        ("kind:akimat", Lack.UNUSED_SELECTOR),
    ],
)
def test_a_selector_that_no_service_answers_to_is_told(selector: str, lack: Lack) -> None:
    ended = service("lifts.emergency.gone", "utility", valid_to=date(2026, 3, 3))
    offered = [*SERVICES, ended]
    assert lacks(town(EVERYWHERE, rule(2, selector, 1, 11), services=offered)) == {lack}
    still = [*SERVICES, replace(ended, valid_to=date(2026, 3, 4))]
    if lack is Lack.CLOSED_SERVICE:
        assert found(town(EVERYWHERE, rule(2, selector, 1, 11), services=still)) == []


def test_territories_must_hold_houses_that_are_there() -> None:
    nowhere = area(20, "polygon", polygon=((1.0, 1.0), (2.0, 1.0), (2.0, 2.0)))
    ghosts = area(21, "buildings", buildings=frozenset({HOUSES[0], ident(999)}))
    drawn = [*TERRITORIES, nowhere, ghosts]
    assert lacks(town(EVERYWHERE, territories=drawn)) == {Lack.UNKNOWN_BUILDING}
    empty = found(town(EVERYWHERE, rule(2, "lifts", 20, 11), territories=drawn))
    assert [(each.lack, each.subject[1]) for each in empty] == [
        (Lack.EMPTY_TERRITORY, "t-20"), (Lack.UNKNOWN_BUILDING, "t-21")
    ]  # fmt: skip


def test_a_house_without_a_district_is_told() -> None:
    lost = replace(BUILDINGS[0], district="north")
    (told,) = found(town(EVERYWHERE, buildings=[lost, *BUILDINGS[1:]]))
    assert told.lack is Lack.BUILDING_WITHOUT_DISTRICT
    assert told.area is not None
    assert told.area.buildings == (lost.id,)


def test_a_check_is_kept_until_the_agreements_or_the_day_change() -> None:
    checks, here = Checks(), town()
    first = checks.of(here, NOON)
    assert checks.of(here, NOON + timedelta(hours=1)) is first
    assert checks.of(here, NOON + timedelta(days=1)) is not first
    other = replace(town(EVERYWHERE), version=here.version + 1)
    assert checks.of(other, NOON) == ()


def test_a_finding_keeps_its_id_as_long_as_it_stands() -> None:
    one, two = check(town(), NOON), check(town(), NOON + timedelta(days=1))
    assert [each.id for each in one] == [each.id for each in two]
    assert len({each.id for each in one}) == len(one)


# --- whatever the rules are ---------------------------------------------------------

WEEK = [NOON.replace(hour=hour) for hour in (0, 3, 5, 10, 14, 20)]
"""A moment in each of the calendars' hours, which are those of every day."""
SELECTORS = [
    "lifts.emergency.trapped", "lifts.emergency+kind:housing", "lifts.emergency", "lifts",
    "lifts+kind:lift-company", "roads", "kind:housing", "*",
]  # fmt: skip
rules_of_a_town = st.lists(
    st.builds(
        Responsibility,
        id=st.integers(1000, 2000).map(ident),
        selector=st.sampled_from(SELECTORS),
        territory=st.sampled_from([each.id for each in TERRITORIES]),
        organisation=st.integers(10, 14).map(ident),
        priority=st.integers(1, 3),
        calendar=st.sampled_from([None, None, "days", "nights", "mornings", "never"]),
        fallback=st.one_of(st.none(), st.integers(10, 14).map(ident)),
        valid_from=st.sampled_from([None, None, date(2026, 3, 4), date(2026, 3, 5)]),
        valid_to=st.sampled_from([None, None, date(2026, 3, 4), date(2026, 3, 5)]),
    ),
    max_size=14,
    unique_by=lambda each: each.id,
)
sleepers = st.lists(st.booleans(), min_size=5, max_size=5)


def some_town(rules: list[Responsibility], awake: list[bool]) -> Reference:
    firms = [firm(10 + place, active=active) for place, active in enumerate(awake)]
    return town(*rules, firms=firms)


def taken(reference: Reference, code: str, location: Location) -> list[UUID | None]:
    """Which rule wins at each moment of the week, judged by the rules of today."""
    asked = reference.catalogue.service(code)

    def winner(moment: datetime) -> UUID | None:
        return reference.routing.route(
            service_code=asked.code, category=asked.category, sphere=asked.sphere,
            responsible_kind=asked.responsible, location=location, at=NOON,
            is_working=lambda calendar, _: reference.is_working(calendar, moment),
        ).responsibility  # fmt: skip

    return [winner(moment) for moment in WEEK]


@settings(max_examples=60, deadline=None)
@given(rules_of_a_town, sleepers)
def test_a_house_is_in_a_gap_just_when_routing_sends_its_appeals_nowhere(
    rules: list[Responsibility], awake: list[bool]
) -> None:
    here = some_town(rules, awake)
    gaps = {
        (lack, code, house)
        for lack in (Lack.UNCOVERED, Lack.UNCOVERED_OUTSIDE_HOURS)
        for each in found(here, lack)
        for code in each.services
        for house in (each.area.buildings if each.area else ())
    }
    for code in (each.code for each in SERVICES):
        for house in HOUSES:
            winners = taken(here, code, Location(building=house))
            assert ((Lack.UNCOVERED, code, house) in gaps) == (not any(winners))
            at_times = any(winners) and not all(winners)
            assert ((Lack.UNCOVERED_OUTSIDE_HOURS, code, house) in gaps) == at_times


@settings(max_examples=60, deadline=None)
@given(rules_of_a_town, sleepers, st.floats(50.01, 50.99), st.floats(80.01, 80.99))
def test_a_street_and_a_point_are_in_a_gap_just_when_nobody_takes_them(
    rules: list[Responsibility], awake: list[bool], north: float, east: float
) -> None:
    here, point = some_town(rules, awake), Location(coordinates=Coordinates(north, east))
    told = found(here)
    for code in (each.code for each in SERVICES):
        ours = [each for each in told if code in each.services]
        whole = any(
            each.lack is Lack.UNCOVERED and each.area and each.area.kind is AreaKind.CITY
            for each in ours
        )
        bare = [each.facts["streets"] for each in ours if each.lack is Lack.UNCOVERED_STREET]
        alone = tuple(
            street.code
            for street in STREETS
            if not any(taken(here, code, Location(street=street.id)))
        )
        assert bare == ([alone] if alone and not whole else [])
        if not whole and not any(taken(here, code, point)):
            grounds = [each for each in ours if each.lack is Lack.UNCOVERED_GROUND]
            assert here.routing.district_of(point) in {
                d for each in grounds for d in each.districts
            }


@settings(max_examples=60, deadline=None)
@given(rules_of_a_town, sleepers, st.floats(50.01, 50.99), st.floats(80.01, 80.99))
def test_a_shadowed_rule_wins_nowhere(
    rules: list[Responsibility], awake: list[bool], north: float, east: float
) -> None:
    here = some_town(rules, awake)
    lost = {each.rules[0] for each in found(here, Lack.SHADOWED_RULE)}
    places = [
        *(Location(building=house) for house in HOUSES),
        *(Location(street=street.id) for street in STREETS),
        Location(coordinates=Coordinates(north, east)),
        Location(),
    ]
    for code in (each.code for each in SERVICES):
        for place in places:
            assert lost.isdisjoint(taken(here, code, place))
