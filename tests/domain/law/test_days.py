"""A day that was changed by hand outlives the next import of the calendar's file."""

from datetime import date
from typing import Any

import pytest

from domain.law.days import AmendDay, DayKind, amended, carried

FILE: dict[str, Any] = {
    "code": "state-days",
    "days_off": [{"date": "2026-03-09", "decree": "Қаулы № 1"}],
    "working_days": ["2026-08-31"],
}
AKIM = {"date": "2026-12-14", "decree": "Боран"}


def by_hand(day: str, kind: DayKind, decree: str = "Боран") -> dict[str, Any]:
    return amended(FILE, AmendDay("state-days", date.fromisoformat(day), kind, decree))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-12-14", DayKind.OFF),
        ("2026-12-13", DayKind.WORKING),
        ("2026-03-09", DayKind.USUAL),
        ("2026-03-09", DayKind.WORKING),
        ("2026-08-31", DayKind.OFF),
    ],
)
def test_the_same_file_again_changes_nothing_that_was_changed_by_hand(day: str, kind: DayKind):
    standing = by_hand(day, kind)
    assert carried(FILE, FILE, standing) == standing


def test_a_file_that_says_other_days_anew_keeps_the_day_by_hand():
    fresh = {"date": "2027-01-04", "decree": "Қаулы № 2"}
    said = FILE | {"days_off": [*FILE["days_off"], fresh]}
    found = carried(said, FILE, by_hand("2026-12-14", DayKind.OFF))
    assert found["days_off"] == [FILE["days_off"][0], AKIM, fresh]
    # And the file after that as well: what it is held against is the last that came by file.
    assert carried(said, FILE, found) == found


def test_where_the_file_says_the_day_itself_it_has_the_word():
    said = FILE | {"days_off": [], "working_days": ["2026-08-31", "2026-12-14"]}
    assert carried(said, FILE, by_hand("2026-12-14", DayKind.OFF)) == said


def test_without_a_day_by_hand_the_file_stands_as_it_is():
    said = FILE | {"working_days": ["2027-05-08", "2026-08-31"]}
    assert carried(said, FILE, FILE) == said
