"""The figures are exact at every moment, whoever writes, and read no register."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

from domain.access import Role
from domain.appeals.commands import (
    Accept,
    Assign,
    Comment,
    Correct,
    FirstAnswer,
    GiveAnswer,
    Whereabouts,
    Withdraw,
)
from domain.appeals.workflow import Action
from integrations.postgres.doors import door_of
from integrations.postgres.recounting import recount
from integrations.postgres.session import inside
from tests.support.appeals import perform, register
from tests.support.city import KISHI, MANHOLE
from tests.support.sql import fetch

COUNTED = """
SELECT (SELECT json_object_agg(status, n) FROM
          (SELECT a.status, count(*) n FROM appeal a WHERE a.city_id = $1
              AND ($2::text IS NULL OR a.district = $2) GROUP BY 1) s) AS by_status,
       (SELECT json_object_agg(state, n) FROM
          (SELECT CASE WHEN k.state = 'met' AND k.breached_at IS NOT NULL THEN 'met_late'
                       ELSE k.state END AS state, count(*) n
             FROM clock k JOIN appeal a ON a.id = k.appeal_id
            WHERE a.city_id = $1 AND ($2::text IS NULL OR a.district = $2) GROUP BY 1) k) AS clocks
"""


async def agree(house, district: str | None = None) -> None:
    """The figures of the city (or of a district) are what counting gives."""
    (row,) = await fetch(house, COUNTED, KISHI.id, district)
    by_status, clocks = (json.loads(row[name] or "{}") for name in ("by_status", "clocks"))
    told = await house.statistics.figures(KISHI.principal(Role.AKIM, district=district))
    assert told["by_status"] == by_status
    assert {state: n for state, n in told["clocks"].items() if n} == clocks


OWN = """
WITH seen AS (SELECT a.* FROM appeal a WHERE a.city_id = $1 AND EXISTS (
    SELECT FROM assignment s WHERE s.appeal_id = a.id AND s.organisation_id = ANY($2)))
SELECT (SELECT json_object_agg(status, n) FROM
          (SELECT status, count(*) n FROM seen GROUP BY 1) s) AS by_status,
       (SELECT json_object_agg(state, n) FROM
          (SELECT CASE WHEN k.state = 'met' AND k.breached_at IS NOT NULL THEN 'met_late'
                       ELSE k.state END AS state, count(*) n
             FROM clock k JOIN seen ON seen.id = k.appeal_id GROUP BY 1) k) AS clocks
"""
PRINCIPALS = {
    "executor": KISHI.principal(Role.EXECUTOR),
    "head of both": KISHI.principal(Role.HEAD, organisation=KISHI.department),
    "head above alone": replace(
        KISHI.principal(Role.HEAD), organisation=KISHI.department,
        organisations=frozenset({KISHI.department}),
    ),
    "administrator": KISHI.principal(Role.ADMINISTRATOR),
}  # fmt: skip


async def agree_with_their_own(house) -> None:
    """The figures of each organisation are what counting among its appeals gives."""
    for name, principal in PRINCIPALS.items():
        (row,) = await fetch(house, OWN, KISHI.id, list(principal.organisations))
        by_status, clocks = (json.loads(row[column] or "{}") for column in ("by_status", "clocks"))
        told = await house.statistics.figures(principal)
        assert told["by_status"] == by_status, name
        assert {state: n for state, n in told["clocks"].items() if n} == clocks, name
    assert await recount(house.engine) == []


async def test_what_was_over_in_a_period_is_what_counting_gives_to_each(house):
    """Also to who sees less than the city: what stood with their organisations, what their own
    people answered."""
    appeal = await register(house)
    await perform(house, appeal, Action.ANSWER, GiveAnswer(FirstAnswer("9–18", "call")),
                  role=Role.OPERATOR)  # fmt: skip
    begin, end = house.now() - timedelta(days=1), house.now() + timedelta(days=1)
    seen = {**PRINCIPALS, "city": KISHI.principal(Role.INSPECTOR),
            "centre": KISHI.principal(Role.AKIM, district="centre"),
            "elsewhere": KISHI.principal(Role.AKIM, district="left-bank")}  # fmt: skip
    told = {}
    for name, who in seen.items():
        whole = await house.statistics.figures(who)
        told[name] = await house.statistics.first_contact(who, begin, end)
        assert told[name] == {part: whole[part] for part in told[name]}, name
    assert told["city"]["first_closed"] == told["centre"]["first_closed"] == 1
    assert told["executor"]["first_closed"] == 1, "it had been theirs before it was answered"
    assert told["administrator"]["first_closed"] == told["elsewhere"]["first_closed"] == 0


LYING = """
WITH lying AS (SELECT organisation_id, appeal_id, registered_at FROM desk WHERE NOT ended),
open AS (
    SELECT DISTINCT s.organisation_id, s.appeal_id, a.registered_at
      FROM assignment s JOIN appeal a ON a.id = s.appeal_id
     WHERE a.status NOT IN ('closed', 'withdrawn'))
SELECT (SELECT count(*) FROM (TABLE lying EXCEPT TABLE open) e)
     + (SELECT count(*) FROM (TABLE open EXCEPT TABLE lying) e) AS wrong,
       (SELECT count(*) FROM lying) AS n
"""


async def test_on_a_desk_lies_what_is_open(house):
    await some_life(house)
    appeal = await register(house)
    await perform(house, appeal, Action.WITHDRAW, Withdraw("call"), role=Role.OPERATOR)
    (row,) = await fetch(house, LYING)
    assert row["wrong"] == 0
    assert row["n"] > 2
    # Taken up once more: nobody can, but a database can be told so.
    for status, held in (("assigned", 1), ("withdrawn", 0)):
        await fetch(house, "UPDATE appeal SET status = $2 WHERE id = $1", appeal.id, status)
        lying = "SELECT FROM desk WHERE appeal_id = $1 AND NOT ended"
        assert len(await fetch(house, lying, appeal.id)) == held
    assert await house.housekeeping.clear_desks() > 0
    assert await fetch(house, "SELECT FROM desk WHERE ended") == []
    (row,) = await fetch(house, LYING)
    assert row["wrong"] == 0


async def some_life(house) -> None:
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await perform(house, appeal, Action.COMMENT, Comment("жолда"))
    gone = await register(house, service="general.unclassified", answers={})
    await perform(house, gone, Action.WITHDRAW, Withdraw("call"), role=Role.OPERATOR)
    moved = await register(house, where=Whereabouts(address="белгісіз жер"))
    said = Correct(where=Whereabouts(building=KISHI.house))
    await perform(house, moved, Action.CORRECT, said, role=Role.OPERATOR)
    given = await register(house)
    there = Assign(KISHI.department, "Мекенжайы бойынша")
    await perform(house, given, Action.REDIRECT, there, role=Role.INSPECTOR)
    back = Assign(KISHI.water, "Мекенжайы бойынша")
    await perform(house, given, Action.REDIRECT, back, role=Role.INSPECTOR)


async def test_the_figures_are_what_counting_gives(house, busy):
    for _ in range(3):
        await some_life(house)
        await agree(house)
        for row in await fetch(house, "SELECT DISTINCT district FROM appeal WHERE district > ''"):
            await agree(house, row["district"])
        assert await house.statistics.add_up() > 0
        await agree(house)


async def test_the_figures_of_organisations_are_what_counting_gives(house, busy):
    for turn in range(3):
        await some_life(house)
        await agree_with_their_own(house)
        if turn:
            assert await house.statistics.add_up() > 0
            await agree_with_their_own(house)
    told = await house.statistics.figures(PRINCIPALS["head of both"])
    apart = [
        (await house.statistics.figures(PRINCIPALS[name]))["total"]
        for name in ("executor", "head above alone")
    ]
    assert 0 < max(apart) <= told["total"] < sum(apart)


async def test_consultations_count_for_the_organisation_of_who_gave_them(house):
    counted = "INSERT INTO consultation (id, city_id, service, channel, language, operator_id, at)"
    values = f"SELECT gen_random_uuid(), $1, '{MANHOLE}', 'phone', 'kk', $2, now()"
    operator = KISHI.principal(Role.OPERATOR).id
    before = await house.statistics.figures(PRINCIPALS["administrator"])
    await fetch(house, f"{counted} {values} FROM generate_series(1, 3)", KISHI.id, operator)
    after = await house.statistics.figures(PRINCIPALS["administrator"])
    assert after["consultations"] == before["consultations"] + 3
    assert (await house.statistics.figures(PRINCIPALS["executor"]))["consultations"] == 0
    assert await recount(house.engine) == []


async def test_figures_of_organisations_read_no_register(house):
    """No table that grows with the city is asked."""
    principal = PRINCIPALS["administrator"]
    asked = "SELECT relname, seq_scan + coalesce(idx_scan, 0) AS n FROM pg_stat_xact_user_tables"
    async with inside(house.engine, door_of(principal)) as driver:
        before = {row["relname"]: row["n"] for row in await driver.fetch(asked)}
        await driver.fetch(*house.statistics.question(principal))
        after = {row["relname"]: row["n"] for row in await driver.fetch(asked)}
    read = {name for name in after if after[name] > before[name]}
    assert "holding" in read
    assert read.isdisjoint({"appeal", "assignment", "card", "clock", "consultation"})


async def test_what_was_changed_past_the_platform_is_found_and_mended(house):
    await some_life(house)
    await fetch(house, "UPDATE holding SET count = count + 2 WHERE id = (SELECT min(id)"
                       " FROM holding WHERE subject = 'clock')")  # fmt: skip
    await fetch(house, "DELETE FROM tally WHERE id = (SELECT max(id) FROM tally)")
    found = await recount(house.engine)
    assert len(found) == 2
    assert await recount(house.engine, mend=True) == found
    assert await recount(house.engine) == []
    await agree_with_their_own(house)


async def test_figures_that_are_added_up_meanwhile_stay_exact(house, busy):
    lives = [some_life(house) for _ in range(6)]
    sums = [house.statistics.add_up() for _ in range(12)]
    await asyncio.gather(*lives, *sums)
    await agree(house)
    await agree_with_their_own(house)


async def test_what_does_not_commit_is_not_counted(house):
    before = await house.statistics.figures(KISHI.principal(Role.AKIM))
    await fetch(house, "DO $$ BEGIN UPDATE appeal SET status = 'registered'; RAISE EXCEPTION 'no';"
                       " EXCEPTION WHEN raise_exception THEN NULL; END $$")  # fmt: skip
    assert await house.statistics.figures(KISHI.principal(Role.AKIM)) == before


async def test_few_tallies_are_left_where_they_lie(house):
    assert await house.statistics.add_up() == 0
