"""What the stand-ins draw by lot is met in every run, not in most."""

from hypothesis import given
from hypothesis import strategies as st

from tests.peers.lots import Lots


@given(st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.8, 1.0]), st.integers(0, 2**32))
def test_each_share_holds_in_a_short_run(share, seed):
    lots = Lots(lambda _: share)
    lots.begin(seed)
    drawn = [lots.drawn("never") for _ in range(60)]
    assert abs(sum(drawn) - 60 * share) <= 1


@given(st.integers(0, 2**32))
def test_names_are_drawn_each_by_itself_and_what_has_no_share_never_is(seed):
    shares = {"late": 0.1, "never": 0.05}
    lots = Lots(lambda what: shares.get(what, 0.0))
    lots.begin(seed)
    drawn = dict.fromkeys(("late", "never", "stop"), 0)
    for _ in range(200):
        for what in drawn:
            drawn[what] += lots.drawn(what)
    assert abs(drawn["late"] - 20) <= 1
    assert abs(drawn["never"] - 10) <= 1
    assert drawn["stop"] == 0


def test_where_the_lot_falls_differs_from_seed_to_seed():
    def places(seed: int) -> tuple[int, ...]:
        lots = Lots(lambda _: 0.05)
        lots.begin(seed)
        return tuple(place for place in range(100) if lots.drawn("never"))

    assert len({places(seed) for seed in range(20)}) > 15
    assert places(3) == places(3)
