"""Nobody is found in a figure."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from domain.publication.figures import FEWEST, Figure, Table, publish


@st.composite
def figures(draw: st.DrawFn, most: int = 40) -> Figure:
    count = draw(st.integers(0, most))
    closed = draw(st.integers(0, count))
    judged = draw(st.integers(0, count))
    kept = draw(st.integers(0, judged))
    key = draw(st.text("abc", min_size=1, max_size=3))
    return Figure(key, count, closed, judged, kept, closed, 3600.0 * closed)


@given(st.lists(figures(), max_size=8))
def test_nothing_that_a_few_share_is_told(said: list[Figure]):
    table = publish(said)
    few = {figure.key for figure in said if figure.count < FEWEST}
    many = {figure.key for figure in said if figure.count >= FEWEST}
    assert {group.key for group in table.groups} <= many
    assert not {group.key for group in table.groups} & (few - many)
    for group in table.groups:
        assert group.count >= FEWEST
        assert group.count % FEWEST == 0
        if group.closed is not None:
            assert group.closed == 0 or group.closed >= FEWEST


@given(st.lists(figures(), max_size=8))
def test_what_is_told_is_never_more_than_there_is_and_not_much_less(said: list[Figure]):
    table = publish(said)
    known = [figure for figure in said if figure.count >= FEWEST]
    for group, figure in zip(table.groups, known, strict=True):
        assert figure.count - FEWEST < group.count <= figure.count
    if table.total is not None:
        assert sum(group.count for group in table.groups) <= table.total
        assert table.total <= sum(figure.count for figure in said)


def _explains(table: Table, shown: tuple[int, ...], hidden: int) -> bool:
    """Whether a city with these counts would have been told the same."""
    counts = [Figure(str(n), count) for n, count in enumerate(shown)]
    rest = [Figure("rest", hidden)] if hidden else []
    other = publish([*counts, *rest])
    told = [group.count for group in other.groups]
    return told == [group.count for group in table.groups] and other.total == table.total


@given(st.lists(st.integers(5, 29), min_size=1, max_size=3), st.integers(0, 4))
def test_a_total_does_not_give_away_whether_anybody_was_left_out(shown: list[int], hidden: int):
    rest = [Figure("rest", hidden)] if hidden else []
    table = publish([*(Figure(str(n), count) for n, count in enumerate(shown)), *rest])
    possible = product(*(range(count - count % 5, count - count % 5 + 5) for count in shown))
    consistent = {
        few for counts in possible for few in range(FEWEST) if _explains(table, counts, few)
    }
    assert consistent == set(range(FEWEST)), "each number under five explains it as well"


@given(st.integers(0, 200), st.integers(1, 4))
def test_two_questions_that_differ_by_a_few_do_not_count_them(count: int, few: int):
    """A day more, a district less: the difference is none or a whole step, as it would be for
    other numbers too."""
    before, after = publish([Figure("a", count)]), publish([Figure("a", count + few)])
    told = [sum(group.count for group in table.groups) for table in (before, after)]
    assert told[1] - told[0] in (0, FEWEST)


def test_shares_and_medians_need_enough_behind_them():
    four = Figure("a", 20, closed=10, judged=4, kept=4, resolved=4, median=7200)
    assert publish([four]).groups[0].share is None
    assert publish([four]).groups[0].median is None
    many = Figure("a", 20, closed=10, judged=20, kept=13, resolved=10, median=5000)
    assert publish([many]).groups[0].share == 0.65
    assert publish([many]).groups[0].median == 3600
