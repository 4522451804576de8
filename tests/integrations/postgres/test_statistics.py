"""The figures are exact at every moment, whoever writes, and read no register."""

import asyncio
import json

import pytest

from domain.access import Role
from domain.appeals.commands import Accept, Comment, Correct, Whereabouts, Withdraw
from domain.appeals.workflow import Action
from integrations.postgres import statistics
from tests.support.appeals import perform, register
from tests.support.city import KISHI
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


async def some_life(house) -> None:
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await perform(house, appeal, Action.COMMENT, Comment("жолда"))
    gone = await register(house, service="general.unclassified", answers={})
    await perform(house, gone, Action.WITHDRAW, Withdraw("call"), role=Role.OPERATOR)
    moved = await register(house, where=Whereabouts(address="белгісіз жер"))
    said = Correct(where=Whereabouts(building=KISHI.house))
    await perform(house, moved, Action.CORRECT, said, role=Role.OPERATOR)


@pytest.fixture
def busy(monkeypatch):
    """Whatever lies about is added up."""
    monkeypatch.setattr(statistics, "LOOSE", 0)


async def test_the_figures_are_what_counting_gives(house, busy):
    for _ in range(3):
        await some_life(house)
        await agree(house)
        for row in await fetch(house, "SELECT DISTINCT district FROM appeal WHERE district > ''"):
            await agree(house, row["district"])
        assert await house.statistics.add_up() > 0
        await agree(house)


async def test_figures_that_are_added_up_meanwhile_stay_exact(house, busy):
    lives = [some_life(house) for _ in range(6)]
    sums = [house.statistics.add_up() for _ in range(12)]
    await asyncio.gather(*lives, *sums)
    await agree(house)


async def test_what_does_not_commit_is_not_counted(house):
    before = await house.statistics.figures(KISHI.principal(Role.AKIM))
    await fetch(house, "DO $$ BEGIN UPDATE appeal SET status = 'registered'; RAISE EXCEPTION 'no';"
                       " EXCEPTION WHEN raise_exception THEN NULL; END $$")  # fmt: skip
    assert await house.statistics.figures(KISHI.principal(Role.AKIM)) == before


async def test_few_tallies_are_left_where_they_lie(house):
    assert await house.statistics.add_up() == 0
