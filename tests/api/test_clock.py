"""The city's clock: the real one, or a fast one that never jumps and meets the real one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api import clock

SINCE = datetime(2026, 11, 22, 6, tzinfo=UTC)
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=30))


class Machine:
    """A machine whose time is what the test says."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@given(st.timedeltas(timedelta(0), timedelta(days=400)), SPANS, st.lists(SPANS, max_size=20))
def test_a_fast_clock_never_goes_back_and_meets_the_real_one(past, lasting, waits):
    machine = Machine(SINCE)
    until = SINCE + lasting
    now = clock.warped(SINCE - past, SINCE, until, machine)
    shown = [now()]
    for wait in sorted(waits):
        machine.at = SINCE + wait
        shown.append(now())
        if machine.at >= until:
            assert shown[-1] == machine.at
        else:
            assert shown[-1] <= machine.at
    assert shown == sorted(shown)
    assert shown[0] == SINCE - past


def test_a_week_passes_in_an_hour():
    machine = Machine(SINCE)
    until = SINCE + timedelta(hours=1)
    now = clock.warped(until - timedelta(days=7), SINCE, until, machine)
    machine.at += timedelta(minutes=30)
    assert now() == until - timedelta(days=3.5)


def test_two_processes_that_are_told_the_same_show_the_same():
    told = (SINCE - timedelta(days=3), SINCE, SINCE + timedelta(hours=2))
    later = Machine(SINCE + timedelta(minutes=77))
    assert clock.warped(*told, later)() == clock.warped(*told, later)()


def test_the_real_clock_knows_its_zone():
    assert clock.real().tzinfo is UTC
