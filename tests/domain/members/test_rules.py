"""Who manages whom, which role is given where, and what a membership can become."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.access import CITY_WIDE, NOBODY, Principal, Role
from domain.errors import Conflict, Invalid, InvalidTransition, NotFound, NotPermitted
from domain.identity.names import agree
from domain.members import rules
from domain.members.model import GIVEN, Member
from domain.members.workflow import TRANSITIONS, MemberAction, MemberState, diagram
from domain.organisations.model import District, Organisation, OrganisationKind
from domain.values import new_id

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CITY = new_id()
K = OrganisationKind


def firm(kind: K, parent: UUID | None = None, district: str | None = None) -> Organisation:
    return Organisation(
        new_id(), str(kind), parent, kind, {"kk": "Ұйым"}, {}, "around-the-clock", district, True
    )


CENTRE, AKIMAT = firm(K.CONTACT_CENTRE), firm(K.AKIMAT)
DISTRICT = firm(K.DISTRICT_AKIMAT, AKIMAT.id, "ertis")
DEPARTMENT = firm(K.CITY_DEPARTMENT)
WATER = firm(K.UTILITY, DEPARTMENT.id)
FIRMS = (CENTRE, AKIMAT, DISTRICT, DEPARTMENT, WATER)


class Reference:
    """What the rules ask of the city's reference."""

    organisations = {one.id: one for one in FIRMS}  # noqa: RUF012
    districts = {code: District(code, {"kk": code}, None) for code in ("ertis", "north")}  # noqa: RUF012


CITYS: Any = Reference()


def administrator(home: Organisation, *below: Organisation) -> Principal:
    own = frozenset({home.id, *(one.id for one in below)})
    return Principal(new_id(), Role.ADMINISTRATOR, CITY, "Ә.", home.id, own)


OF_CENTRE, OF_DEPARTMENT = administrator(CENTRE), administrator(DEPARTMENT, WATER)
OF_WATER = administrator(WATER)
COMMAND_LINE = Principal(NOBODY, Role.ADMINISTRATOR, CITY)


def member(
    home: Organisation = WATER,
    role: Role = Role.EXECUTOR,
    state: MemberState = MemberState.ACTIVE,
    **changes: Any,
) -> Member:
    return replace(Member(new_id(), CITY, home.id, role, "Б.", state, AT), **changes)


@pytest.mark.parametrize("action", MemberAction, ids=str)
@pytest.mark.parametrize("state", MemberState, ids=str)
def test_the_table_alone_decides_what_becomes_of_a_member(action, state):
    before, row = member(state=state), TRANSITIONS[action]
    given = {"role": Role.HEAD} if action is MemberAction.CHANGE_ROLE else {}
    if state not in row.sources:
        with pytest.raises(InvalidTransition):
            rules.act(before, action, OF_CENTRE, AT, "себеп", **given)
        return
    after, event = rules.act(before, action, OF_CENTRE, AT, "себеп", **given)
    assert after.state is (row.to or state)
    assert (event.type, event.member, event.reason, event.at) == (row.event, before.id, "себеп", AT)
    assert event.actor.id == OF_CENTRE.id
    assert (after.id, after.name) == (before.id, before.name)


def test_who_left_comes_back_by_an_invitation_alone():
    assert [row for row in TRANSITIONS.values() if MemberState.LEFT in row.sources] == []


def test_the_drawing_names_every_row():
    for row in TRANSITIONS.values():
        assert f": {row.action}" in diagram()


def test_a_change_that_changes_nothing_is_refused():
    with pytest.raises(Conflict, match="nothing-changed"):
        rules.act(member(), MemberAction.CHANGE_ROLE, OF_CENTRE, AT, None, role=Role.EXECUTOR)


@pytest.mark.parametrize(
    ("who", "home", "sees"),
    [
        (OF_CENTRE, WATER, True), (OF_CENTRE, CENTRE, True), (COMMAND_LINE, AKIMAT, True),
        (OF_DEPARTMENT, WATER, True), (OF_DEPARTMENT, DEPARTMENT, True),
        (OF_DEPARTMENT, CENTRE, False), (OF_WATER, WATER, True), (OF_WATER, DEPARTMENT, False),
    ],
)  # fmt: skip
def test_an_administrator_reaches_down_and_never_up_or_aside(who, home, sees):
    assert rules.within(home.id, who, CITYS) is sees
    asked = (member(home), MemberAction.SUSPEND, who, CITYS)
    if sees:
        rules.manageable(*asked)
        return
    with pytest.raises(NotFound):
        rules.manageable(*asked)


@pytest.mark.parametrize("action", MemberAction, ids=str)
def test_nobody_lifts_themselves_up(action):
    me = member(WATER, Role.ADMINISTRATOR, id=OF_WATER.id)
    if action is MemberAction.LEAVE:
        rules.manageable(me, action, OF_WATER, CITYS)
        return
    with pytest.raises(NotPermitted) as refused:
        rules.manageable(me, action, OF_WATER, CITYS)
    assert refused.value.params["permission"] == "members:manage-oneself"


def test_who_is_no_administrator_manages_nobody_but_leaves():
    me = member()
    who = Principal(me.id, Role.EXECUTOR, CITY, "Б.", WATER.id, frozenset({WATER.id}))
    rules.manageable(me, MemberAction.LEAVE, who, CITYS)
    with pytest.raises(NotPermitted):
        rules.manageable(member(), MemberAction.LEAVE, who, CITYS)


@pytest.mark.parametrize("role", sorted(CITY_WIDE & set(GIVEN)), ids=str)
def test_no_utility_gives_a_role_that_reads_the_city(role):
    home = CENTRE if role in (Role.OPERATOR, Role.INSPECTOR) else AKIMAT
    of_akimat = administrator(AKIMAT)
    with pytest.raises((NotPermitted, Invalid)):
        rules.place_for(role, None, WATER, OF_WATER, CITYS)
    with pytest.raises(NotPermitted) as refused:
        rules.place_for(role, None, home, of_akimat, CITYS)
    assert refused.value.params["permission"] == "members:give-city-wide"
    assert rules.place_for(role, None, home, OF_CENTRE, CITYS) is None


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.SYSTEM])
def test_nobody_is_invited_as_a_resident_or_as_the_platform(role):
    with pytest.raises(Invalid):
        rules.place_for(role, None, CENTRE, COMMAND_LINE, CITYS)


def test_an_akim_of_a_district_never_sees_the_city():
    assert rules.place_for(Role.AKIM, None, DISTRICT, OF_CENTRE, CITYS) == "ertis"
    assert rules.place_for(Role.AKIM, "ertis", DISTRICT, OF_CENTRE, CITYS) == "ertis"
    with pytest.raises(Invalid) as refused:
        rules.place_for(Role.AKIM, "north", DISTRICT, OF_CENTRE, CITYS)
    assert refused.value.faults[0].rule == "not-of-this-akimat"
    assert rules.place_for(Role.AKIM, None, AKIMAT, OF_CENTRE, CITYS) is None
    assert rules.place_for(Role.AKIM, "north", AKIMAT, OF_CENTRE, CITYS) == "north"


@pytest.mark.parametrize(
    ("role", "home", "district", "rule"),
    [
        (Role.EXECUTOR, WATER, "ertis", "akims-only"),
        (Role.AKIM, AKIMAT, "nowhere", "unknown-district"),
        (Role.AKIM, WATER, None, "role-not-given-here"),
        (Role.OPERATOR, WATER, None, "role-not-given-here"),
    ],
)
def test_a_place_that_cannot_be_is_refused(role, home, district, rule):
    with pytest.raises(Invalid) as refused:
        rules.place_for(role, district, home, OF_CENTRE, CITYS)
    assert refused.value.faults[0].rule == rule


def test_the_last_administrator_is_taken_away_from_above_alone():
    before = member(WATER, Role.ADMINISTRATOR)
    gone = replace(before, state=MemberState.LEFT)
    demoted = replace(before, role=Role.EXECUTOR)
    for after in (gone, demoted):
        assert rules.keeps_an_administrator(before, after, OF_WATER)
        assert not rules.keeps_an_administrator(before, after, OF_DEPARTMENT)
        assert not rules.keeps_an_administrator(before, after, COMMAND_LINE)
    executor = member()
    left = replace(executor, state=MemberState.LEFT)
    assert not rules.keeps_an_administrator(executor, left, OF_WATER)


def test_the_command_line_is_nobody_in_particular():
    _, event = rules.act(member(), MemberAction.SUSPEND, COMMAND_LINE, AT, None)
    assert (event.actor.id, event.actor.role) == (NOBODY, "system")


@pytest.mark.parametrize(
    ("known", "told", "same"),
    [
        ("Айгүл Серікова", "Серікова Айгүл Маратқызы", True),
        ("Айгуль Серикова", "Серікова Айгүл", False),
        ("Серикова А.", "Серікова Айгүл", True),
        ("Серікова", "СЕРІКОВА АЙГҮЛ", True),
        (None, "Серікова Айгүл", True),
        ("Болатова Жанар", "Серікова Айгүл", False),
        ("Серікова Дана", "Серікова Айгүл", False),
        ("Фёдор", "Федор Иванов", True),
    ],
)  # fmt: skip
def test_names_contradict_each_other_or_do_not(known, told, same):
    assert agree(known, told) is same
    assert agree(told, known) is same


def test_whoever_stands_above_the_contact_centre_does_not_get_the_city_into_their_hands():
    # In many cities the centre is a part of the akimat.
    of_akimat = administrator(AKIMAT, CENTRE, DISTRICT)
    with pytest.raises(NotPermitted):
        rules.place_for(Role.ADMINISTRATOR, None, CENTRE, of_akimat, CITYS)
    assert rules.place_for(Role.ADMINISTRATOR, None, DISTRICT, of_akimat, CITYS) is None
    assert rules.place_for(Role.ADMINISTRATOR, None, CENTRE, OF_CENTRE, CITYS) is None
    for action in (MemberAction.SUSPEND, MemberAction.CHANGE_ROLE, MemberAction.LEAVE):
        with pytest.raises(NotPermitted):
            rules.manageable(member(CENTRE, Role.ADMINISTRATOR), action, of_akimat, CITYS)
