"""Nobody is found in a figure."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from domain.publication.figures import Figure, gathered, publish
from domain.publication.rows import FEWEST

counts = st.dictionaries(st.one_of(st.none(), st.text("abc", min_size=1)), st.integers(0, 40))


@given(counts)
def test_a_grouping_parts_a_week_into_groups_of_enough(said: dict[str | None, int]):
    told = gathered(said)
    assert all(count >= FEWEST for count in told.values())
    assert told.total() == sum(said.values()) or (not told and sum(said.values()) < FEWEST)
    assert all(told[key] == said[key] for key in told if key is not None)


@given(counts)
def test_no_more_is_hidden_than_must_be(said: dict[str | None, int]):
    told = gathered(said)
    many = {key for key, count in said.items() if key is not None and count >= FEWEST}
    assert len(many - set(told)) <= 1


def test_a_few_hide_behind_the_smallest_of_the_others():
    assert gathered({"a": 20, "b": 7, "c": 1}) == {"a": 20, None: 8}
    assert gathered({"a": 20, "c": 1, "d": 4}) == {"a": 20, None: 5}
    assert gathered({"a": 3, None: 1}) == {}


@given(counts)
def test_what_is_told_is_never_more_than_there_is_and_told_in_steps(said: dict[str | None, int]):
    week = gathered(said)
    table = publish([week])
    for group in table.groups:
        assert group.count % FEWEST == 0
        assert 0 <= week[group.key] - group.count < FEWEST
    if table.total is not None:
        assert sum(group.count for group in table.groups) <= table.total <= week.total()


@given(st.lists(counts, max_size=4))
def test_a_longer_period_is_the_sum_of_what_is_told_of_its_weeks(said: list[dict[str | None, int]]):
    weeks = [gathered(each) for each in said]
    summed: Counter[str | None] = Counter()
    for week in weeks:
        summed.update(week)
    assert publish(weeks) == publish([summed])


def test_shares_and_medians_need_enough_behind_them():
    four = Figure("a", 20, judged=4, kept=4, resolved=4, median=7200)
    told = publish([{"a": 20}], {"a": four}).groups[0]
    assert (told.share, told.median) == (None, None)
    one_broke = Figure("a", 20, judged=20, kept=19, resolved=20, median=5000)
    told = publish([{"a": 20}], {"a": one_broke}).groups[0]
    assert (told.share, told.median) == (None, 3600)
    many = Figure("a", 20, judged=20, kept=13, resolved=10, median=5000)
    assert publish([{"a": 20}], {"a": many}).groups[0].share == 0.65
    assert publish([{None: 20}], {None: many}).groups[0].share is None
