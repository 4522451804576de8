"""What organisations hold, what lies on their desks and what ever met: right whatever happens.

Lives are drawn at random and told by tests/support/holdings.py, which counts by hand; the kept
books must say the same at every moment, to everybody, whoever writes at the same time.
"""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import chain, combinations
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.worker import ticks
from api.worker.ticks import Clocks, Incidents
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals import intake as intakes
from domain.appeals import use_cases
from domain.appeals.model import Kind
from domain.appeals.workflow import FINAL, Action, Status
from domain.errors import Unavailable, VersionConflict
from domain.incidents.model import Matching
from domain.incidents.workflow import IncidentAction
from domain.questions import AppealFilter, Page
from tests.support.appeals import make_intake, perform, register
from tests.support.city import KISHI
from tests.support.holdings import books_of, read_books
from tests.support.incidents import act, join, open_incident
from tests.support.lives import (
    ACTS,
    ANSWER,
    BIRTHS,
    DONE,
    GIVEN,
    ORGANISATIONS,
    TIMES,
    Life,
    a_town,
)  # fmt: skip
from tests.support.sql import fetch

BORN = st.tuples(st.sampled_from(sorted(BIRTHS)))
TICKED = st.tuples(st.sampled_from(TIMES))
ACTED = st.tuples(
    st.integers(0, 3), st.sampled_from(sorted({*ACTS, *GIVEN})), st.integers(0, 1)
)  # fmt: skip
LIVES = st.lists(st.one_of(ACTED, ACTED, ACTED, BORN, TICKED), max_size=25)


SAGA: tuple[tuple[Any, ...], ...] = (
    ("routed",), (0, Action.ACCEPT, 0), (0, Action.CORRECT, 0), (0, Action.REDIRECT, 0),
    (0, Action.DECLINE, 0), ("add up",), (0, Action.ASSIGN, 1), (0, Action.ACCEPT, 0),
    (0, Action.REDIRECT, 1), (0, Action.ACCEPT, 0),
    (0, Action.RESOLVE, 0), (0, Action.RETURN, 0), (0, Action.RESOLVE, 0),
    (0, Action.CHECK, 0), (0, Action.CONFIRM, 0), (0, Action.REOPEN, 0), ("sweep",),
    (0, Action.COMMENT, 0), (0, Action.WITHDRAW, 0), ("sweep",), ("add up",),
    ("unrouted",), (1, Action.ACCEPT, 0), (1, Action.PAUSE, 0), (1, Action.REDIRECT, 1),
    (1, Action.ACCEPT, 0), (1, Action.PAUSE, 0), (1, Action.RESUME, 0), (1, Action.DECLINE, 0),
    (1, Action.CORRECT, 1), (1, Action.ANSWER, 0), (1, Action.CONFIRM, 0),
    ("answered at once",), (2, Action.REOPEN, 0), ("sweep",), (2, Action.ASSIGN, 0),
    ("answered, not confirmed",), (3, Action.REOPEN, 0), (3, Action.WITHDRAW, 0),
    ("of a resident",), ("long ago",), ("clocks",), (5, Action.ACCEPT, 0), (5, Action.RESOLVE, 0),
    ("long ago",), ("clocks",),
)  # fmt: skip


async def test_every_act_leaves_the_books_right(house, busy):
    """Each in turn, so that the one that does not is the one that is named."""
    life = Life(house)
    for number, step in enumerate(SAGA):
        before = life.done.total()
        await life.step(step)
        assert life.done.total() == before + 1, f"{number}: {step} could not be done"
        assert (await read_books(house)).wrong == {}, (number, step)
    assert {*BIRTHS, *ACTS, *GIVEN, *TIMES} == set(life.done)
    states = {state for _, _, state in (await books_of(house)).counted}
    assert {"closed first", "met_late", "breached", "withdrawn"} <= states


@given(st.sampled_from(sorted(BIRTHS)), LIVES)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
async def test_any_life_is_counted_as_it_is(house, busy, first, steps):
    """What the register says by hand, the books say, after whatever came in whatever order."""
    # An example is judged by what it made wrong itself, so that it can be made smaller.
    before = (await read_books(house)).wrong
    life = Life(house)
    for step in ((first,), *steps):
        await life.step(step)
    assert (await read_books(house)).wrong == before


SETS = [
    frozenset(some)
    for some in chain.from_iterable(combinations(ORGANISATIONS, n) for n in range(1, 4))
]


def seeing(organisations, role=Role.HEAD):
    """Whoever sees what these were given, and nothing else."""
    return replace(
        KISHI.principal(role), organisation=min(organisations), organisations=organisations
    )


async def test_everybody_is_told_their_own_figures_whatever_the_tree_is(house):
    """Nothing twice where two of theirs had it, and nothing that none of theirs had."""
    await a_town(house, 1, 60)
    # Whatever came of the town: one that two had, and one of each of them alone.
    sent, _, alone = (
        await register(house), await register(house), await register(house, **BIRTHS["unrouted"])
    )  # fmt: skip
    assert None is not alone.executor != sent.executor
    there = c.Assign(alone.executor, "мекенжайы бойынша")
    await perform(house, sent, Action.REDIRECT, there, role=Role.INSPECTOR)
    books = await books_of(house)
    told = {}
    for organisations in SETS:
        figures = dict(await house.statistics.figures(seeing(organisations)))
        figures.pop("deliveries")
        figures["clocks"] = {state: n for state, n in figures["clocks"].items() if n}
        assert figures == books.of(organisations), organisations
        told[organisations] = figures["total"]
    everything = told[frozenset(ORGANISATIONS)]
    assert max(told[frozenset({one})] for one in ORGANISATIONS) < everything
    assert everything < sum(told[frozenset({one})] for one in ORGANISATIONS)


async def test_whoever_has_no_organisation_of_the_city_is_told_of_nothing(house):
    await a_town(house, 2, 5)
    stranger = frozenset({KISHI.ident("somebody-elses")})
    assert (await house.statistics.figures(seeing(stranger)))["total"] == 0
    assert await house.lists.appeals(seeing(stranger), OPEN_ONES, None, 51) == []


OPEN_ONES = AppealFilter(statuses=sorted(set(Status) - FINAL))


async def test_desks_are_listed_as_the_register_has_them(house):
    """Each open appeal once, newest first, page by page, whichever organisations are one's own."""
    await a_town(house, 3, 60)
    books = await books_of(house)
    for organisations in SETS:
        who, pages, after = seeing(organisations, Role.EXECUTOR), [], None
        while page := await house.lists.appeals(who, OPEN_ONES, after, 3):
            pages += page
            after = Page(page[-1].registered_at, page[-1].id)
        mine = {appeal for holder, appeal, _ in books.open if holder in organisations}
        assert mine == {appeal.id for appeal in pages}
        assert len(pages) == len(mine)
        times = [(appeal.registered_at, appeal.id) for appeal in pages]
        assert times == sorted(times, reverse=True)


async def test_the_clocks_of_a_whole_unit_are_counted_by_one_statement(house):
    """Fifty appeals of different holders are breached in one transaction."""
    then = house.now() - timedelta(days=4)
    appeals = [await register(house, at=then) for _ in range(10)]
    for appeal in appeals[::2]:
        given = c.Assign(KISHI.department, "мекенжайы бойынша")
        await perform(house, appeal, Action.REDIRECT, given, role=Role.INSPECTOR, at=then)
    before = (await books_of(house)).counted
    assert await Clocks(house).act(KISHI.id) >= len(appeals)
    books = await books_of(house)
    moved = {one: n - before[one] for one, n in books.counted.items() if n != before[one]}
    broken = {holders for subject, holders, state in moved if state == "breached"}
    assert {frozenset({KISHI.water}), frozenset({KISHI.water, KISHI.department})} <= broken


async def test_an_incidents_act_is_counted_for_each_of_its_appeals(house):
    appeals = [await register(house) for _ in range(4)]
    elsewhere = c.Assign(KISHI.department, "мекенжайы бойынша")
    await perform(house, appeals[0], Action.REDIRECT, elsewhere, role=Role.INSPECTOR)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, appeals)
    for action, command in ((IncidentAction.ACCEPT, c.Accept()), (IncidentAction.RESOLVE, DONE)):
        await act(house, incident, action, command)
        while await Incidents(house).tend(KISHI.id):
            pass
        await books_of(house)
    books = await books_of(house)
    assert books.counted["appeal", frozenset({KISHI.water}), "resolved"] >= 3


async def test_everybody_at_once_and_the_books_are_right_at_every_moment(house, busy):
    """The same few appeals, by six hands, the clocks, the sums and the sweep; and a reader."""
    shared = Life(house)
    for how in ("routed", "unrouted", "long ago", "answered at once"):
        await shared.step((how,))

    async def hand(seed: int) -> Life:
        random, life = Random(seed), Life(house)
        life.appeals = list(shared.appeals)
        for _ in range(25):
            if random.random() < 0.1:
                await life.step((random.choice(sorted(BIRTHS)),))
            await life.chance(random)
        return life

    async def scheduler() -> None:
        while working:
            for what in TIMES:
                with suppress(VersionConflict, Unavailable):
                    await shared.ticked(what)

    async def reader() -> int:
        looks = 0
        while working:
            await books_of(house)
            looks += 1
        return looks

    working = True
    looking = asyncio.create_task(reader())
    besides = [asyncio.create_task(scheduler()) for _ in range(2)]
    lives = await asyncio.gather(*map(hand, range(6)))
    working = False
    await asyncio.gather(*besides)
    done = sum((life.done for life in lives), Counter())
    assert await looking > 5
    assert min(done[action] for action in (Action.REDIRECT, Action.REOPEN, Action.DECLINE)) > 0
    await books_of(house)


@asynccontextmanager
async def torn(house, when: str):
    """A database in which a card can't be given more holders."""
    await fetch(house, "CREATE FUNCTION torn() RETURNS trigger LANGUAGE plpgsql AS"
                       " $$ BEGIN RAISE EXCEPTION 'torn'; END $$")  # fmt: skip
    await fetch(house, f"CREATE TRIGGER torn BEFORE UPDATE ON card FOR EACH ROW WHEN ({when})"
                       " EXECUTE FUNCTION torn()")  # fmt: skip
    try:
        yield
    finally:
        await fetch(house, "DROP TRIGGER torn ON card")
        await fetch(house, "DROP FUNCTION torn()")


async def test_who_holds_it_and_where_it_stands_are_written_together_or_not_at_all(house):
    """The act is written by one statement, its new holder by another: both or neither."""
    appeal = await register(house)
    before = await books_of(house)
    given = c.Assign(KISHI.department, "мекенжайы бойынша")
    async with torn(house, "OLD.organisations <> NEW.organisations"):
        with pytest.raises(asyncpg.RaiseError):
            await perform(house, appeal, Action.REDIRECT, given, role=Role.INSPECTOR)
    after = await books_of(house)
    assert (after.kept, after.lying) == (before.kept, before.lying)
    stored = await house.queries.appeal(KISHI.principal(Role.INSPECTOR), appeal.number)
    assert (stored.version, stored.executor) == (appeal.version, KISHI.water)
    await perform(house, appeal, Action.REDIRECT, given, role=Role.INSPECTOR)
    assert (KISHI.department, appeal.id, "assigned") in (await books_of(house)).lying


async def test_an_act_that_came_too_late_leaves_no_count(house):
    first, second = await register(house), await register(house)
    before = (await books_of(house)).kept
    given = c.Assign(KISHI.department, "мекенжайы бойынша")
    async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
        for appeal in (first, second):
            await use_cases.perform(
                appeal.number, Action.REDIRECT, given,
                uow=uow, reference=house.references.of(KISHI.id), at=house.now(),
            )  # fmt: skip
        change, claim = uow.appeals.pending[1]
        uow.appeals.pending[1] = (replace(change, expected=99), claim)
        with pytest.raises(VersionConflict):
            await uow.commit()
    assert (await books_of(house)).kept == before


async def test_a_sweep_waits_for_nobody_and_nobody_for_what_it_left(house):
    """One row of a desk is held by whoever takes its appeal up again; the rest are swept."""
    gone = [await register(house) for _ in range(3)]
    for appeal in gone:
        given = c.Assign(KISHI.department, "мекенжайы бойынша")
        await perform(house, appeal, Action.REDIRECT, given, role=Role.INSPECTOR)
        await perform(house, appeal, Action.WITHDRAW, c.Withdraw("call"), role=Role.OPERATOR)
    holder = await asyncpg.connect(house.settings.database_url)
    try:
        async with holder.transaction():
            await holder.execute(
                "SELECT FROM desk WHERE appeal_id = $1 AND organisation_id = $2 FOR UPDATE",
                gone[0].id, KISHI.water,
            )  # fmt: skip
            async with asyncio.timeout(5):
                while await house.housekeeping.clear_desks():
                    pass
            left = await fetch(house, "SELECT appeal_id, organisation_id FROM desk WHERE ended")
            assert [tuple(row) for row in left] == [(gone[0].id, KISHI.water)]
    finally:
        await holder.close()
    assert await house.housekeeping.clear_desks() == 1
    await books_of(house)


async def test_a_sweep_that_left_something_comes_again_at_once(house, monkeypatch):
    monkeypatch.setattr(ticks, "DESKS", 2)
    for appeal in [await register(house) for _ in range(3)]:
        await perform(house, appeal, Action.WITHDRAW, c.Withdraw("call"), role=Role.OPERATOR)
    sweep = ticks.Sweep(house)
    assert await sweep.turn()
    while await sweep.turn():
        pass
    assert await fetch(house, "SELECT FROM desk WHERE ended") == []


async def test_an_act_that_changes_no_figure_writes_none(house):
    appeal = await register(house)
    last = "SELECT max(h.id) AS holding, max(t.id) AS tally FROM holding h, tally t"
    before = await fetch(house, last)
    role, command = ACTS[Action.COMMENT]
    await perform(house, appeal, Action.COMMENT, command, role=role)
    assert await fetch(house, last) == before


async def test_what_was_swept_lies_there_again_when_it_is_taken_up_again(house):
    appeal = await register(house, answer=replace(ANSWER, confirmed_by="call"))
    assert appeal.status is Status.CLOSED
    given = await register(house)
    for action in (Action.ACCEPT, Action.RESOLVE, Action.CONFIRM):
        role, command = ACTS[action]
        await perform(house, given, action, command, role=role)
    while await house.housekeeping.clear_desks():
        pass
    assert await fetch(house, "SELECT FROM desk WHERE appeal_id = $1", given.id) == []
    role, command = ACTS[Action.REOPEN]
    await perform(house, given, Action.REOPEN, command, role=role)
    who = seeing(frozenset({KISHI.water}))
    listed = {one.id: one for one in await house.lists.appeals(who, OPEN_ONES, None, 51)}
    assert listed[given.id].status is Status.IN_PROGRESS
    await books_of(house)


async def test_two_who_are_the_first_to_ask_for_a_service_both_get_their_number(house):
    """The second waits for the first, whose transaction may still fail, and for nothing else."""
    await fetch(house, "DELETE FROM meeting WHERE service = 'lifts.dirty-car'")
    said: dict[str, Any] = {"service": "lifts.dirty-car", "answers": {}}
    kinds = [Kind.COMPLAINT, Kind.REQUEST, Kind.COMPLAINT, Kind.REQUEST, Kind.COMPLAINT]
    made = await asyncio.gather(
        *(register(house, role=role, kind=kind, **said)
          for kind in kinds for role in (Role.OPERATOR, Role.CITIZEN))
    )  # fmt: skip
    assert len({appeal.number for appeal in made}) == len(kinds) * 2
    met = await fetch(house, "SELECT kind FROM meeting WHERE service = 'lifts.dirty-car'")
    assert {row["kind"] for row in met} == {"complaint", "request"}
    await books_of(house)


async def test_what_was_first_asked_for_in_vain_never_met(house):
    before = (await books_of(house)).met
    async with house.units.open(KISHI.principal()) as uow:
        said = make_intake(kind=Kind.THANKS)
        await intakes.register(
            said, uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
    assert (await books_of(house)).met == before
