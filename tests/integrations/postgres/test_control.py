"""The end-to-end control: what it counts, of whom, by which plans, and the list behind a figure."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.bootstrap import House
from domain.access import Principal, Role
from domain.appeals import commands as c
from domain.appeals.model import Appeal
from domain.appeals.workflow import Action
from domain.control.model import (
    NOTHING,
    Basis,
    Cell,
    Figures,
    Horizon,
    Matter,
    Part,
    below,
    roll_up,
)
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, HearingWay
from domain.questions import Page
from integrations.postgres.control import counting, keeping, listing
from integrations.postgres.doors import door_of
from tests.integrations.postgres.test_plans import plan
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.districts import write_district
from tests.support.sql import fetch

A = Action
DAY = timedelta(days=1)


def horizon(house: House) -> Horizon:
    return Horizon.of(house.now(), KISHI.city.zone_info())


async def cells(
    house: House, role: Role = Role.INSPECTOR, basis=Basis.LEADING, **who
) -> list[Cell]:
    since = house.now() - 30 * DAY
    return await house.control.cells(
        KISHI.principal(role, **who), basis, horizon(house), since
    )  # fmt: skip


async def total(
    house: House, role: Role = Role.INSPECTOR, basis: Basis = Basis.LEADING, **who: Any
) -> Figures:
    return sum((one.figures for one in await cells(house, role, basis, **who)), NOTHING)


@pytest.fixture(scope="module")
async def lived(house: House) -> House:
    """A late one, one put off, one sent on, one to be heard, one decided, one nobody has."""
    now = house.now()
    await register(house, at=now - 3 * DAY)
    lawful: dict[str, Any] = {"appeal_kind": AppealKind.APPLICATION}
    longer = await register(house, **lawful)
    await perform(house, longer, A.ACCEPT, c.Accept())
    await perform(house, longer, A.PROLONG, c.Prolong(3, "сараптама"), role=Role.HEAD)
    moved = await register(house, **lawful)
    said = c.Assign(KISHI.department, "құзыреті")
    await perform(house, moved, A.REDIRECT, said, role=Role.INSPECTOR)
    called = await register(house, **lawful)
    await perform(house, called, A.ACCEPT, c.Accept())
    summons = c.Summon(now + 20 * DAY, HearingWay.VIDEO, "бас тарту")
    await perform(house, called, A.SUMMON, summons)
    for at in (now, now - 40 * DAY):
        settled = await register(house, at=at - 40 * DAY if at != now else at, **lawful)
        await perform(house, settled, A.ACCEPT, c.Accept())
        await perform(house, settled, A.DECIDE, c.Decide(Decision.ANSWERED, "жауап"))
    return house


async def test_what_stands_open_is_counted_once(lived: House):
    found = await total(lived)
    assert (found.open, found.overdue) == (4, 1)
    assert (found.prolonged, found.redirected, found.hearing) == (1, 1, 1)
    assert found.overdue + found.today + found.soon <= found.open


async def test_what_was_answered_in_the_period_is_counted_with_its_share_in_time(lived: House):
    found = await total(lived)
    # One was decided on its first day, the other eighty days after its receipt.
    assert (found.considered, found.considered_in_time) == (2, 1)
    assert (found.resolved, found.resolved_in_time) == (2, 1)
    later = await lived.control.cells(
        KISHI.principal(Role.INSPECTOR), Basis.LAW, horizon(lived), lived.now()
    )
    assert sum((one.figures for one in later), NOTHING).considered == 0


async def test_the_law_alone_counts_what_is_before_it(lived: House):
    found = await total(lived, basis=Basis.LAW)
    assert (found.open, found.overdue) == (3, 0)


async def test_everybody_controls_their_own(lived: House):
    water = await total(lived, Role.HEAD, organisation=KISHI.water)
    assert (water.open, water.redirected) == (3, 0), "what was sent on is another's"
    above = await total(lived, Role.HEAD, organisation=KISHI.department)
    assert above.open == 4, "a department controls the utility below it"
    akim = KISHI.principal(Role.AKIM)
    assert (await total(lived, Role.AKIM)).open == 4
    for district, count in (("centre", 4), ("elsewhere", 0)):
        theirs = await lived.control.cells(
            replace(akim, district=district), Basis.LEADING, horizon(lived), lived.now()
        )
        assert sum((one.figures for one in theirs), NOTHING).open == count


async def test_an_akim_controls_all_that_lies_in_their_district(house: House):
    for district, parent in (("east", None), ("village", "east"), ("west", None)):
        place = c.Whereabouts(building=await write_district(house, district, parent))
        await register(house, where=place, appeal_kind=AppealKind.APPLICATION)
        appeal = await register(house, where=place, appeal_kind=AppealKind.APPLICATION)
        await perform(house, appeal, A.ACCEPT, c.Accept())
        await perform(house, appeal, A.DECIDE, c.Decide(Decision.ANSWERED, "жауап"))
    for district, theirs in (("east", {"east", "village"}), ("village", {"village"})):
        akim = KISHI.principal(Role.AKIM, district=district, districts=theirs)
        since = house.now() - 30 * DAY
        found = await house.control.cells(akim, Basis.LEADING, horizon(house), since)
        assert {one.district for one in found} == theirs
        figures = sum((one.figures for one in found), NOTHING)
        assert (figures.open, figures.considered) == (len(theirs), len(theirs))
        for part in (None, {"west"}, {"village"}):
            listed = await house.control.appeals(
                akim, Matter.OPEN, Basis.LEADING, horizon(house), Part(districts=part),
                after=None, limit=9,
            )  # fmt: skip
            wanted = theirs if part is None else theirs & part
            assert {one.place.district for one in listed} == wanted
            assert len(listed) == len(wanted)


@pytest.mark.parametrize("matter", Matter, ids=str)
async def test_the_list_is_as_long_as_its_figure_and_in_order(lived: House, matter: Matter):
    figure = getattr(await total(lived), matter)
    listed: list[Appeal] = []
    after: Page | None = None
    while True:
        page = await lived.control.appeals(
            KISHI.principal(Role.INSPECTOR), matter, Basis.LEADING, horizon(lived), Part(),
            after=after, limit=1,
        )  # fmt: skip
        if not page:
            break
        listed += page
        assert page[0].due_at is not None
        after = Page(page[0].due_at, page[0].id)
    assert len({one.id for one in listed}) == len(listed) == figure
    assert [one.due_at for one in listed] == sorted(one.due_at for one in listed if one.due_at)


async def test_a_list_is_of_the_part_that_is_asked_for(lived: House):
    asked = (Matter.OPEN, Basis.LEADING, horizon(lived))
    inspector = KISHI.principal(Role.INSPECTOR)
    theirs = await lived.control.appeals(
        inspector, *asked, Part(organisations={KISHI.department}), after=None, limit=9
    )
    assert [one.redirected for one in theirs] == [1]
    nowhere = await lived.control.appeals(
        inspector, *asked, Part(districts={"elsewhere"}), after=None, limit=9
    )
    assert nowhere == []


# --- work grows with what is open ------------------------------------------------------


@pytest.fixture(scope="module")
async def crowd(lived: House) -> House:
    """Four thousand that are over, beside the few that are open."""
    closed = await register(lived, appeal_kind=AppealKind.APPLICATION, at=lived.now() - 200 * DAY)
    await perform(lived, closed, A.ACCEPT, c.Accept(), at=lived.now() - 200 * DAY)
    done = c.Decide(Decision.ANSWERED, "жауап")
    await perform(lived, closed, A.DECIDE, done, at=lived.now() - 199 * DAY)
    await fetch(
        lived,
        "INSERT INTO appeal SELECT (jsonb_populate_record(a, jsonb_build_object("
        " 'id', md5(n::text)::uuid, 'number', 'OLD-' || n))).*"
        " FROM appeal a, generate_series(1, 4000) n WHERE a.id = $1",
        closed.id,
    )
    await fetch(
        lived,
        "INSERT INTO clock SELECT (jsonb_populate_record(k, jsonb_build_object("
        " 'appeal_id', md5(n::text)::uuid))).*"
        " FROM clock k, generate_series(1, 4000) n WHERE k.appeal_id = $1",
        closed.id,
    )
    await fetch(
        lived,
        "INSERT INTO card SELECT (jsonb_populate_record(k, jsonb_build_object("
        " 'appeal_id', md5(n::text)::uuid))).*"
        " FROM card k, generate_series(1, 4000) n WHERE k.appeal_id = $1",
        closed.id,
    )
    await fetch(lived, "ANALYZE appeal, clock, card")
    return lived


def most_rows(plan: str) -> float:
    """The most rows that any step of a plan went through."""
    return max(
        float(rows) * float(loops)
        for rows, loops in re.findall(r"actual rows=([\d.]+) loops=([\d.]+)", plan)
    )


# Of so few that are open, those of an executor cost as much by either of the indexes.
CONTROLLERS = {
    "inspector": KISHI.principal(Role.INSPECTOR),
    "head": KISHI.principal(Role.HEAD),
    "akim of a district": KISHI.principal(Role.AKIM, district="centre"),
    "akim of several": KISHI.principal(
        Role.AKIM, district="centre", districts=("centre", "village", "other")
    ),
}


@pytest.mark.parametrize("who", CONTROLLERS.values(), ids=CONTROLLERS)
@pytest.mark.parametrize("basis", Basis, ids=str)
async def test_what_is_over_is_not_looked_at(crowd: House, who: Principal, basis: Basis):
    statement, parameters = counting(who, basis, horizon(crowd))
    found = await plan(crowd, door_of(who), statement, *parameters.values)
    assert "ix_appeal_control" in found
    assert "Seq Scan on appeal" not in found
    assert most_rows(found) < 100
    statement, parameters = keeping(who, crowd.now() - 30 * DAY, crowd.now())
    found = await plan(crowd, door_of(who), statement, *parameters.values)
    assert "ix_clock_considered" in found
    assert most_rows(found) < 100


@pytest.mark.parametrize("who", CONTROLLERS.values(), ids=CONTROLLERS)
async def test_a_list_follows_the_due_times(crowd: House, who: Principal):
    statement, parameters = listing(
        who, Matter.OVERDUE, Basis.LEADING, horizon(crowd), Part(), None, 50
    )
    found = await plan(crowd, door_of(who), statement, *parameters.values)
    assert "ix_appeal_control" in found
    assert most_rows(found) < 100


# --- trees -----------------------------------------------------------------------------


def test_what_is_below_is_counted_above():
    one = Figures(open=1, overdue=1)
    parents = {"": None, "left": "", "village": "left", "right": ""}
    own = [("village", one), ("left", one), ("right", one), ("", one), ("lost", one)]
    totals = roll_up(own, parents)
    assert totals["village"].open == 1
    assert totals["left"].open == 2
    assert totals[""].open == 4
    assert totals["lost"].open == 1, "what stands in no tree is told all the same"
    assert below("left", parents) == {"left", "village"}
    assert below("", parents) == set(parents)


def test_a_ring_of_parents_ends():
    assert roll_up([("a", Figures(open=1))], {"a": "b", "b": "a"})["b"].open == 1
    assert below("a", {"a": "b", "b": "a"}) == {"a", "b"}


def test_days_end_at_midnight_of_the_city():
    zone = KISHI.city.zone_info()
    found = Horizon.of(datetime(2026, 3, 2, 23, 30, tzinfo=zone), zone)
    assert found.today == datetime(2026, 3, 3, tzinfo=zone)
    assert found.soon == datetime(2026, 3, 6, tzinfo=zone)
