from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webhooks.model import AttemptResult
from domain.webhooks.schedule import (
    DELAYS,
    Outcome,
    Verdict,
    next_attempt,
)

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
AS_IN_THE_TABLE = 0.5


def answer(status=500, retry_after=None, error=None):
    return AttemptResult(status, error, 12, "", retry_after)


def wait_after(attempts, result, jitter=AS_IN_THE_TABLE):
    verdict = next_attempt(attempts, result, START, jitter)
    assert verdict.at is not None
    return verdict.at - START


def hms(text):
    hours, minutes, seconds = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def test_ten_tries_take_place_at_the_times_of_the_standard():
    times = [START]
    while at := next_attempt(len(times), answer(), times[-1], AS_IN_THE_TABLE).at:
        times.append(at)
    assert [time - START for time in times] == [
        hms(text)
        for text in (
            "00:00:00", "00:00:05", "00:05:05", "00:35:05", "02:35:05",
            "07:35:05", "17:35:05", "31:35:05", "51:35:05", "75:35:05",
        )
    ]  # fmt: skip
    assert next_attempt(10, answer(), START, AS_IN_THE_TABLE) == Verdict(Outcome.EXHAUSTED)


def test_chance_moves_a_wait_by_a_fifth_at_most():
    waits = [wait_after(2, answer(), jitter) for jitter in (0, 0.5, 1)]
    assert waits == [timedelta(minutes=4), timedelta(minutes=5), timedelta(minutes=6)]


@pytest.mark.parametrize("jitter", [-0.01, 1.01, float("nan")])
def test_chance_outside_its_range_is_a_mistake(jitter):
    with pytest.raises(ValueError, match="jitter"):
        next_attempt(1, answer(), START, jitter)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_delivers(status):
    assert next_attempt(1, answer(status), START, 0.5) == Verdict(Outcome.DELIVERED)


def test_a_success_delivers_even_when_its_body_was_bad():
    verdict = next_attempt(10, answer(200, error="body-too-large"), START, 0.5)
    assert verdict.outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    "status", [100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500]
)
def test_every_other_answer_is_tried_again(status):
    assert next_attempt(1, answer(status), START, 0.5) == Verdict(
        Outcome.RETRY, START + timedelta(seconds=5)
    )


def test_an_attempt_without_an_answer_is_tried_again():
    lost = AttemptResult(None, "name-not-resolved", 3, "", None)
    assert wait_after(3, lost) == timedelta(minutes=30)


@pytest.mark.parametrize("attempts", [1, 9, 10])
def test_gone_disables_the_endpoint_at_once(attempts):
    assert next_attempt(attempts, answer(410), START, 0.5) == Verdict(Outcome.DISABLE)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (timedelta(0), timedelta(minutes=5)),
        (timedelta(minutes=4), timedelta(minutes=5)),
        (timedelta(minutes=40), timedelta(minutes=40)),
        (timedelta(hours=24), timedelta(hours=24)),
        (timedelta(days=9), timedelta(hours=24)),
    ],
)
def test_the_receiver_may_ask_for_more_time_up_to_a_day_and_never_for_less(asked, waited):
    assert wait_after(2, answer(503, asked)) == waited


def test_asking_for_time_buys_no_eleventh_try():
    assert next_attempt(10, answer(503, timedelta(hours=1)), START, 0.5).outcome is (
        Outcome.EXHAUSTED
    )


@given(
    attempts=st.integers(1, 9),
    jitter=st.floats(0, 1),
    asked=st.none() | st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_a_wait_is_never_much_shorter_than_the_table_nor_longer_than_anyone_asked(
    attempts, jitter, asked
):
    wait = wait_after(attempts, answer(503, asked), jitter)
    slack = timedelta(microseconds=1)
    assert wait >= DELAYS[attempts] * 0.8 - slack
    assert wait <= max(DELAYS[attempts] * 1.2, min(asked or timedelta(0), timedelta(hours=24))) + (
        slack
    )
