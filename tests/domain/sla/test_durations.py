from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.sla.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("PT20M", timedelta(minutes=20)),
        ("PT3H", timedelta(hours=3)),
        ("PT40H", timedelta(hours=40)),
        ("P1D", timedelta(hours=24)),
        ("P7D", timedelta(days=7)),
        ("PT0S", timedelta(0)),
        ("PT1H30M", timedelta(minutes=90)),
        ("PT0.5S", timedelta(milliseconds=500)),
    ],
)
def test_a_duration_is_read_and_written_as_the_catalogue_has_it(
    text: str, amount: timedelta
) -> None:
    assert parse_duration(text) == amount
    assert format_duration(amount) == text


def test_a_week_is_seven_days_and_a_day_is_twenty_four_hours() -> None:
    assert parse_duration("P1W") == parse_duration("P7D") == parse_duration("PT168H")


@settings(deadline=None)
@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_every_duration_survives_writing_and_reading(amount: timedelta) -> None:
    assert parse_duration(format_duration(amount)) == amount


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1", "3H", "PT3", "P1DT", "-PT3H", "PT-3H", "P1M", "P1Y", "pt3h", "PT3H ",
     "PT٣H", "PT1M1H", "PT1.5H", "P1D2H", "PT3H\n"],
)  # fmt: skip
def test_what_is_not_a_duration_of_known_length_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_duration(text)
    assert refusal.value.faults[0].rule == "duration"


def test_no_promise_outlives_ten_years() -> None:
    assert parse_duration("P3650D") == LONGEST
    with pytest.raises(Invalid) as refusal:
        parse_duration("PT87600H0.000001S")
    assert refusal.value.faults[0].rule == "out-of-range"


def test_a_duration_below_zero_is_never_written() -> None:
    with pytest.raises(ValueError, match="below zero"):
        format_duration(-timedelta(seconds=1))
