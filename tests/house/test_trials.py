"""Whatever moves a clock is known to trials too, or is told here why it need not be."""

from domain.appeals.replay import TOLD_BY
from domain.events import EventType
from domain.trials.replay import MOVES

E = EventType
LEFT_ALONE = {
    E.REGISTERED: "a replay begins with it",
    E.CONFIRMED: "the appeal is closed by the same act, and that is told",
    E.CORRECTED: "what it moves ran by several services, and is left out of the check",
    E.CLASSIFIED: "terms of the law are counted from their rows, which never wait",
    E.PROLONGED: "a term of the law: its row says how long it is",
    E.CLOCK_WARNED: "a warning moves no due time",
    E.CLOCK_BREACHED: "a breach follows from the due time",
    E.CLOCK_ESCALATED: "an escalation moves no due time",
}
"""What moves a clock and is done again by no trial, and why."""


def test_whatever_moves_a_clock_is_done_again_by_a_trial_or_has_a_reason():
    assert set(TOLD_BY) - set(MOVES) == set(LEFT_ALONE)
    assert set(MOVES) <= set(TOLD_BY)
