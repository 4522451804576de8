"""Law 5: a tenant sees its own; what is another's does not exist."""

from typing import Any

import pytest

from domain.access import Role
from domain.appeals.commands import Assign, Decline, Whereabouts
from domain.appeals.workflow import Action
from domain.errors import NotFound
from domain.questions import AppealFilter
from domain.values import new_id
from tests.support.appeals import perform, register
from tests.support.city import KISHI, SmallCity, write_small_city
from tests.support.districts import write_district

OTHER = SmallCity("ekinshi", "EKI")

SEEN = {
    Role.CITIZEN: {"own"},
    Role.OPERATOR: {"own", "water", "department", "declined"},
    Role.INSPECTOR: {"own", "water", "department", "declined"},
    Role.EXECUTOR: {"own", "water", "declined"},
    Role.HEAD: {"own", "water", "declined"},
    Role.AKIM: {"own", "water", "department", "declined"},
    Role.ADMINISTRATOR: set(),
    Role.AUDITOR: {"own", "water", "department", "declined"},
    Role.SYSTEM: {"own", "water", "department", "declined"},
}
"""Which appeals of KISHI exist for whom; an executor works at WATER, an administrator at 109."""


@pytest.fixture(scope="module")
async def appeals(house):
    """The numbers of appeals by what they are."""
    await write_small_city(house.engine, house.keyring, OTHER)
    await house.references.refresh(house.now())
    general: dict[str, Any] = {"service": "general.unclassified", "answers": {}}
    found = {
        "own": await register(house, role=Role.CITIZEN),
        "water": await register(house),
        "department": await register(house, **general),
        "declined": await register(house),
        "foreign": await register(house, city=OTHER),
    }
    await perform(house, found["declined"], Action.DECLINE, Decline("біздікі емес"))
    return {name: appeal.number for name, appeal in found.items()}


async def exists(house, who, number) -> bool:
    try:
        read = await house.queries.appeal(who, number)
    except NotFound:
        return False
    return bool(read.number == number)


@pytest.mark.parametrize("role", Role, ids=str)
async def test_everybody_sees_their_own_and_nothing_else(house, appeals, role):
    who = KISHI.principal(role)
    assert {n for n, number in appeals.items() if await exists(house, who, number)} == SEEN[role]
    listed = await house.lists.appeals(who, AppealFilter(), None, 100)
    assert {one.number for one in listed} == {appeals[name] for name in SEEN[role]}


@pytest.mark.parametrize("role", Role, ids=str)
async def test_what_cannot_be_read_cannot_be_acted_on(house, appeals, role):
    who = KISHI.principal(role)
    async with house.units.open(who) as uow:
        for name, number in appeals.items():
            if name in SEEN[role]:
                assert (await uow.appeals.get(number)).number == number
                continue
            with pytest.raises(NotFound):
                await uow.appeals.get(number)


async def test_a_foreign_appeal_is_told_as_one_that_does_not_exist(house, appeals):
    who, said = KISHI.principal(Role.INSPECTOR), []
    for number in (appeals["foreign"], "KIS-2026-999999"):
        with pytest.raises(NotFound) as refused:
            await house.queries.appeal(who, number)
        said.append({**refused.value.params, "id": None})
    assert said[0] == said[1]


@pytest.mark.parametrize("ask", ["events", "attachments", "applicant"])
async def test_nothing_of_a_foreign_appeal_is_told(house, appeals, ask):
    who, number, asked = KISHI.principal(Role.INSPECTOR), appeals["foreign"], house.queries
    questions = {
        "events": lambda: asked.events(who, number, internal=True, after=0, limit=9),
        "attachments": lambda: asked.attachments(who, number),
        "applicant": lambda: asked.applicant(who, number, house.now()),
    }
    with pytest.raises(NotFound):
        await questions[ask]()


async def test_a_parent_organisation_sees_what_its_children_have(house, appeals):
    above = KISHI.principal(Role.EXECUTOR, organisation=KISHI.department)
    below = KISHI.principal(Role.EXECUTOR)
    assert await exists(house, above, appeals["water"])
    assert not await exists(house, below, appeals["department"])


async def test_who_had_an_appeal_once_still_sees_what_became_of_it(house, appeals):
    moved = await register(house)
    await perform(house, moved, Action.REDIRECT, Assign(KISHI.department), role=Role.INSPECTOR)
    assert await exists(house, KISHI.principal(Role.EXECUTOR), moved.number)


async def test_the_akim_of_a_district_sees_the_district(house, appeals):
    nowhere = await register(house, service="general.unclassified", answers={}, where=Whereabouts())
    centre = KISHI.principal(Role.AKIM, district="centre")
    north = KISHI.principal(Role.AKIM, district="north")
    assert await exists(house, centre, appeals["water"])
    assert not await exists(house, centre, nowhere.number)
    assert not await exists(house, north, appeals["water"])


async def test_an_akim_sees_all_that_lies_in_their_district_and_nothing_beside_it(house, appeals):
    places = {
        "centre": KISHI.house,
        "rural": await write_district(house, "rural", "centre"),
        "village": await write_district(house, "village", "rural"),
        "left": await write_district(house, "left", None),
    }
    numbers = {
        district: (await register(house, where=Whereabouts(building=building))).number
        for district, building in places.items()
    }
    sees = {"centre": {"centre", "rural", "village"}, "rural": {"rural", "village"},
            "village": {"village"}, "left": {"left"}}  # fmt: skip
    for district, below in sees.items():
        who = KISHI.principal(Role.AKIM, district=district, districts=below)
        assert {one for one in numbers if await exists(house, who, numbers[one])} == below
        figures = await house.statistics.figures(who)
        listed = await house.lists.appeals(who, AppealFilter(), None, 100)
        assert {one.place.district for one in listed} == below
        assert figures["total"] == len(listed)
        for narrowed in numbers:
            asked = AppealFilter(district=narrowed)
            found = await house.lists.appeals(who, asked, None, 100)
            assert {one.place.district for one in found} == below & {narrowed}


async def test_an_organisation_counts_its_own_appeals_alone(house, appeals):
    stranger = KISHI.principal(Role.EXECUTOR, organisation=new_id())
    assert (await house.statistics.figures(stranger))["total"] == 0
    theirs = await house.statistics.figures(OTHER.principal(Role.AKIM))
    assert theirs["total"] == 1


async def test_an_assignment_of_another_organisation_is_not_in_the_queue(house, appeals):
    queue = await house.lists.assignments(KISHI.principal(Role.EXECUTOR), (), None, 100)
    assert {a.organisation for a, _ in queue} == {KISHI.water}
    foreign = await house.lists.assignments(OTHER.principal(Role.EXECUTOR), (), None, 100)
    assert {appeal.number for _, appeal in foreign} == {appeals["foreign"]}
