"""Registration numbers: no gap that stays, none twice, and nobody waits for anybody."""

import asyncio
import random

import pytest

from domain.values import new_id
from integrations.postgres import numbers
from integrations.postgres.numbers import NumberPool
from integrations.postgres.session import borrowed
from tests.support.sql import fetch

YEAR = 2026


@pytest.fixture
def city():
    return new_id()


def pool(house) -> NumberPool:
    async def run(statement, *values):
        async with borrowed(house.engine) as driver:
            return list(await driver.fetch(statement, *values))

    return NumberPool(run)


async def keep(house, holder, city, number, year=YEAR) -> bool:
    """What registering does with its number: it leaves the pool with the appeal."""
    gone = await fetch(
        house,
        "DELETE FROM number_pool WHERE city_id = $1 AND year = $2 AND number = $3"
        " AND reserved_by = $4 RETURNING 1",
        city, year, number, holder.holder,
    )  # fmt: skip
    return bool(gone)


async def let_leases_end(house, city):
    """The minute that they last goes by."""
    await fetch(
        house,
        "UPDATE number_pool SET reserved_until = reserved_until - interval '1 hour'"
        " WHERE city_id = $1",
        city,
    )


async def test_eight_clerks_with_failures_leave_no_gap_and_no_double(house, city):
    chance = random.Random(109)
    desks = [pool(house), pool(house)]
    kept: list[int] = []

    async def clerk(desk: NumberPool) -> None:
        for _ in range(12):
            number = await desk.take(city, YEAR)
            if chance.random() < 0.4:
                desk.give_back(city, YEAR, number)
            elif await keep(house, desk, city, number):
                kept.append(number)

    await asyncio.gather(*(clerk(desks[place % 2]) for place in range(8)))
    for desk in desks:
        await desk.release()
    last = pool(house)
    while len(kept) < max(kept):
        number = await last.take(city, YEAR)
        assert await keep(house, last, city, number)
        kept.append(number)
    assert sorted(kept) == list(range(1, len(kept) + 1))


async def test_the_numbers_of_a_dead_process_come_back_after_its_lease(house, city):
    dead, living = pool(house), pool(house)
    lost = await dead.take(city, YEAR)
    assert await living.take(city, YEAR) == lost + 1
    await let_leases_end(house, city)
    heir = pool(house)
    assert await heir.take(city, YEAR) == lost


async def test_a_number_that_another_has_by_now_is_not_written_twice(house, city):
    slow, quick = pool(house), pool(house)
    number = await slow.take(city, YEAR)
    await let_leases_end(house, city)
    assert await quick.take(city, YEAR) == number
    assert not await keep(house, slow, city, number)
    assert await keep(house, quick, city, number)


async def test_each_year_and_each_city_begins_with_one(house, city):
    desk, other = pool(house), new_id()
    assert await desk.take(city, YEAR) == 1
    assert await desk.take(city, YEAR + 1) == 1
    assert await desk.take(other, YEAR) == 1
    assert await desk.take(city, YEAR) == 2


async def test_what_is_given_back_is_given_out_next(house, city):
    desk = pool(house)
    first = await desk.take(city, YEAR)
    second = await desk.take(city, YEAR)
    desk.give_back(city, YEAR, second)
    desk.give_back(city, YEAR, first)
    assert [await desk.take(city, YEAR) for _ in range(2)] == [first, second]


async def test_a_process_that_ends_well_leaves_its_numbers_at_once(house, city):
    desk = pool(house)
    taken = [await desk.take(city, YEAR) for _ in range(3)]
    await desk.release()
    assert await pool(house).take(city, YEAR) == taken[0]


async def test_a_pool_that_runs_dry_is_filled_without_a_gap(house, city, monkeypatch):
    monkeypatch.setattr(numbers, "BLOCK", 5)
    desk = pool(house)
    assert sorted([await desk.take(city, YEAR) for _ in range(17)]) == list(range(1, 18))


async def test_what_lay_idle_for_long_is_given_out_before_any_later(house, city, monkeypatch):
    monkeypatch.setattr(numbers, "FRESH", 0.1)
    desk = pool(house)
    taken = [await desk.take(city, YEAR) for _ in range(5)]
    await asyncio.sleep(0.2)
    assert taken == [1, 2, 3, 4, 5]
    assert [await desk.take(city, YEAR) for _ in range(4)] == [6, 7, 8, 9]


async def test_what_is_given_back_too_late_and_has_another_holder_is_not_given_out(house, city):
    slow, quick = pool(house), pool(house)
    number = await slow.take(city, YEAR)
    await let_leases_end(house, city)
    assert await quick.take(city, YEAR) == number
    slow.give_back(city, YEAR, number)
    assert await slow.take(city, YEAR) == number + 1
