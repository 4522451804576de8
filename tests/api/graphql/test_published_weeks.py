"""Which days can be asked of the public's figures, and what an attacker proves with all of them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, product
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


Window = tuple[int, int]
"""The days from the first and before the other, counted from FIRST."""


def _told(true: list[int], periods: Iterable[Window]) -> int:
    """What is published of a rare service beside a frequent one, over periods that are each
    gathered for themselves."""
    gone = [gathered({"rare": sum(true[begin:end]), "usual": 50}) for begin, end in periods]
    return next((each.count for each in publish(gone).groups if each.key == "rare"), 0)


def _given_away(true: list[int], windows: Mapping[Window, list[Window]]) -> list[Window]:
    """Runs of days of which a count under five is proved by difference constraints (Bellman)
    over all windows that can be asked, each answered by the sum of its periods."""
    bounds: dict[Window, tuple[int, int]] = {}
    for window, periods in windows.items():
        told = _told(true, periods)
        # Steps hide four, and each period in which it is not told by name may hide four more.
        hidden = sum(_told(true, [each]) == 0 for each in periods)
        bounds[window] = told, told + (FEWEST - 1) * (hidden + (told > 0))
    most = _proved(bounds, DAYS)
    return [
        (begin, end)
        for begin, end in combinations(range(DAYS + 1), 2)
        if most[begin][end] == -most[end][begin] and sum(true[begin:end]) < FEWEST
    ]


def _days(seed: int) -> list[int]:
    """How many there are of a rare service on each day."""
    return Random(seed).choices([0, 1, 2], [6, 3, 1], k=DAYS)


@pytest.mark.parametrize("seed", range(3))
def test_all_windows_together_prove_no_count_under_five(city: Any, seed: int):
    """Over every first and last day that can be asked neither a day nor a run of days becomes
    known."""
    windows: dict[Window, list[Window]] = {}
    for begin, end in combinations(range(DAYS + 1), 2):
        first, last = FIRST + timedelta(days=begin), FIRST + timedelta(days=end - 1)
        try:
            asked = [(week - FIRST).days for week in weeks(first, last, city, NOW)]
        except Malformed:
            continue
        windows[asked[0], asked[-1] + 7] = [(week, week + 7) for week in asked]
    assert len(windows) == 10, "four weeks that are over, and the windows that they make"
    assert _given_away(_days(seed), windows) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_same_attack_succeeds_where_any_days_can_be_asked(seed: int):
    """The control: counts of windows that begin and end on any day, in the same steps and with
    the same groups held back, give single days away."""
    windows = {window: [window] for window in combinations(range(DAYS + 1), 2)}
    true = _days(seed)
    known = [begin for begin, end in _given_away(true, windows) if end - begin == 1]
    assert any(true[day] > 0 for day in known), "days of one or two appeals"
