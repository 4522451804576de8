"""Which days can be asked of the public's figures, and what an attacker proves with all of them."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from api.bootstrap import House
from api.errors import Malformed
from api.graphql.counting import weeks
from domain.publication.figures import gathered, publish
from domain.publication.rows import FEWEST
from tests.support.city import KISHI

NOW = datetime(2026, 11, 26, 7, tzinfo=UTC)  # a Thursday
FIRST, DAYS = date(2026, 10, 26), 35


@pytest.fixture
def city(house: House) -> Any:
    return house.references.of(KISHI.id)


def test_a_day_is_widened_to_its_week_and_none_is_told_that_runs(city: Any):
    last = date(2026, 11, 16)
    assert weeks(None, None, city, NOW) == [last]
    assert weeks(date(2026, 11, 18), date(2026, 11, 18), city, NOW) == [last]
    assert weeks(date(2026, 11, 15), date(2026, 11, 26), city, NOW) == [date(2026, 11, 9), last]
    for first in (date(2026, 11, 23), date(2026, 11, 26)):
        with pytest.raises(Malformed):
            weeks(first, date(2026, 11, 26), city, NOW)


def _proved(bounds: dict[tuple[int, int], tuple[int, int]], days: int) -> list[list[int]]:
    """The longest ways over differences of sums from the first day: `[a][b]` is the most that the
    days from a to b - 1 can be (a < b), and less the least (a > b)."""
    most = [[10**6] * (days + 1) for _ in range(days + 1)]
    for day in range(days + 1):
        most[day][day] = 0
        if day:
            most[day][day - 1] = 0
    for (begin, end), (low, high) in bounds.items():
        most[begin][end] = min(most[begin][end], high)
        most[end][begin] = min(most[end][begin], -low)
    for over, a, b in product(range(days + 1), repeat=3):
        most[a][b] = min(most[a][b], most[a][over] + most[over][b])
    return most


@pytest.mark.parametrize("seed", range(3))
def test_all_windows_together_prove_no_count_under_five(city: Any, seed: int):
    """Difference constraints (Bellman) over every first and last day that can be asked: of a rare
    service beside a frequent one neither a day nor a run of days becomes known."""
    random = Random(seed)
    true = [random.choices([0, 1, 2], [6, 3, 1])[0] for _ in range(DAYS)]
    weekly = [sum(true[begin : begin + 7]) for begin in range(0, DAYS, 7)]
    bounds: dict[tuple[int, int], tuple[int, int]] = {}
    for begin, end in product(range(DAYS), repeat=2):
        if begin > end:
            continue
        first, last = FIRST + timedelta(days=begin), FIRST + timedelta(days=end)
        try:
            asked = weeks(first, last, city, NOW)
        except Malformed:
            continue
        sums = [weekly[(week - FIRST).days // 7] for week in asked]
        table = publish([gathered({"rare": n, "usual": 50}) for n in sums])
        told = next((each.count for each in table.groups if each.key == "rare"), 0)
        # What is added up is of weeks that have it by name: of the others each may hide a few.
        most = told + FEWEST - 1 + (FEWEST - 1) * len(asked)
        window = (asked[0] - FIRST).days, (asked[-1] - FIRST).days + 7
        bounds[window] = told, most
    assert len(bounds) == 10, "four weeks that are over, and the windows that they make"
    proved = _proved(bounds, DAYS)
    for begin in range(DAYS):
        for end in range(begin + 1, DAYS + 1):
            known = proved[begin][end] == -proved[end][begin]
            assert not known or sum(true[begin:end]) >= FEWEST, (begin, end)
