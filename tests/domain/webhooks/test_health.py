"""How an endpoint fares over days, walked in seconds: nothing here knows the time by itself."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webhooks.events import Notice
from domain.webhooks.health import (
    ALARM,
    LULL,
    PATIENCE,
    QUIET,
    REOPENS,
    THROTTLES,
    TRIP,
    Breaker,
    Health,
    anew,
    facts,
    overdue,
    rule,
)
from domain.webhooks.model import AttemptResult, DisabledReason
from domain.webhooks.schedule import DELAYS, JITTER, next_attempt

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOMENT = timedelta(milliseconds=1)
OK, DOWN = 204, None
SAID = b'{"type":"appeal.assigned","data":{"number":"KIS-2026-000007","sequence":2}}'


def answer(status, retry_after=None):
    error = None if status else "not-connected"
    return AttemptResult(status, error, 12, "", retry_after)


def attempted(health, status, at, *, tries=1, retry_after=None):
    result = answer(status, retry_after)
    return rule(health, result, next_attempt(tries, result, at, 0.5), at)


def walk(pattern, *, every, start=START, health=None):
    """The rulings upon attempts at equal distances, by what each was answered."""
    health, rulings = health or Health(), []
    for number, status in enumerate(pattern):
        ruling = attempted(health, status, start + number * every)
        rulings.append(ruling)
        health = ruling.health
    return rulings


def told(rulings):
    return [notice for ruling in rulings for notice in ruling.notices]


def disabled(rulings):
    return [ruling.disabled for ruling in rulings if ruling.disabled is not None]


def test_five_days_of_nothing_but_failures_disable():
    rulings = walk([DOWN] * 121, every=HOUR)
    assert disabled(rulings) == [DisabledReason.FAILING]
    assert rulings[-1].disabled is DisabledReason.FAILING
    assert told(rulings) == [Notice.ENDPOINT_FAILING, Notice.ENDPOINT_DISABLED]


def test_an_hour_less_does_not():
    assert disabled(walk([DOWN] * 120, every=HOUR)) == []


def test_one_success_in_four_days_keeps_an_endpoint_for_ever():
    pattern = ([DOWN] * 95 + [OK]) * 10
    assert disabled(walk(pattern, every=HOUR)) == []


@given(st.lists(st.sampled_from([OK, 500, DOWN, 429]), min_size=1, max_size=400), st.data())
def test_whoever_was_disabled_failed_for_five_days_without_a_success(pattern, data):
    every = data.draw(st.timedeltas(timedelta(minutes=1), timedelta(hours=40)))
    health, since, last = Health(), None, None
    for number, status in enumerate(pattern):
        at = START + number * every
        if status == OK:
            since = None
        elif since is None or at - last > LULL:
            since = at
        last = at if status != OK else last
        ruling = attempted(health, status, at)
        health = ruling.health
        by_rule = since is not None and at - since >= PATIENCE
        assert (ruling.disabled is not None) == by_rule


def test_two_failures_with_a_week_of_silence_between_disable_nobody():
    rulings = walk([DOWN, DOWN], every=timedelta(days=7))
    assert disabled(rulings) == []
    assert rulings[-1].health.failing_since == START + timedelta(days=7)


def test_the_waits_of_one_delivery_are_no_silence():
    longest = max(DELAYS) * (1 + JITTER)
    assert longest < LULL
    first, second = walk([DOWN, DOWN], every=longest)
    assert second.health.failing_since == START
    assert first.health.failures == 1
    assert second.health.failures == 2


def test_the_breaker_opens_after_failures_in_a_row_and_stays_open_ever_longer():
    health, at, waits = Health(), START, []
    for number in range(TRIP + len(REOPENS) + 1):
        assert health.breaker(at) is not Breaker.OPEN
        health = attempted(health, DOWN, at).health
        if number < TRIP - 1:
            assert health.breaker(at) is Breaker.CLOSED
            continue
        assert health.open_until is not None
        waits.append(health.open_until - at)
        assert health.breaker(health.open_until - MOMENT) is Breaker.OPEN
        at = health.open_until
        assert health.breaker(at) is Breaker.HALF_OPEN
    assert waits == [*REOPENS, REOPENS[-1], REOPENS[-1]]


def test_one_message_that_arrives_closes_it():
    failing = walk([DOWN] * TRIP, every=MOMENT)[-1].health
    assert failing.open_until is not None
    healed = attempted(failing, OK, failing.open_until).health
    assert healed.breaker(failing.open_until) is Breaker.CLOSED
    assert (healed.failures, healed.failing_since, healed.opened) == (0, None, 0)


def test_what_was_in_the_air_when_it_opened_does_not_hold_it_open():
    failing = walk([DOWN] * TRIP, every=MOMENT)[-1].health
    later = attempted(failing, DOWN, START + timedelta(seconds=1)).health
    assert later.open_until == failing.open_until
    assert later.opened == 1
    assert later.failures == TRIP + 1


def test_sporadic_failures_never_open_it():
    pattern = ([500] * (TRIP - 1) + [OK]) * 50
    rulings = walk(pattern, every=MOMENT)
    assert all(ruling.health.open_until is None for ruling in rulings)
    assert told(rulings) == []


def test_people_are_told_once_that_it_fails_and_once_that_it_works_again():
    rulings = walk([DOWN] * 40 + [OK, OK], every=timedelta(minutes=10))
    assert told(rulings) == [Notice.ENDPOINT_FAILING, Notice.ENDPOINT_RECOVERED]
    assert rulings[40].notices == (Notice.ENDPOINT_RECOVERED,)


def test_an_endpoint_that_comes_and_goes_is_told_of_once_an_hour_at_most():
    pattern = ([DOWN] * TRIP + [OK]) * 60
    rulings = walk(pattern, every=timedelta(seconds=30))
    failing = [
        START + number * timedelta(seconds=30)
        for number, ruling in enumerate(rulings)
        if Notice.ENDPOINT_FAILING in ruling.notices
    ]
    assert len(failing) == 3
    assert all(after - before >= QUIET for before, after in itertools.pairwise(failing))
    # Whoever was not told that it fails is not told that it works again.
    assert told(rulings).count(Notice.ENDPOINT_RECOVERED) == 3


def test_a_quiet_endpoint_is_told_of_by_the_clock_and_only_once():
    """Of a single message there are three failures in five minutes, and then none for long."""
    failing = walk([DOWN] * 3, every=timedelta(minutes=2))[-1]
    assert failing.notices == ()
    assert overdue(failing.health, START + ALARM - MOMENT) is None
    heard = overdue(failing.health, START + ALARM)
    assert heard is not None
    assert (heard.told, heard.told_at) == (True, START + ALARM)
    assert overdue(heard, START + 2 * HOUR) is None
    later = attempted(heard, DOWN, START + HOUR / 2)
    assert later.notices == ()
    assert attempted(later.health, OK, START + HOUR).notices == (Notice.ENDPOINT_RECOVERED,)


def test_an_attempt_tells_of_what_goes_on_for_too_long():
    first = attempted(Health(), DOWN, START).health
    assert attempted(first, DOWN, START + ALARM - MOMENT).notices == ()
    assert attempted(first, DOWN, START + ALARM).notices == (Notice.ENDPOINT_FAILING,)


def test_the_first_three_tries_are_over_before_anybody_is_alarmed():
    """Fifteen seconds is what an attempt may take (docs/webhooks.md)."""
    waits = sum(DELAYS[:3], timedelta(0)) * (1 + JITTER)
    assert waits + 3 * timedelta(seconds=15) < ALARM
    assert timedelta(minutes=20) / 2 > ALARM


def test_a_rest_that_is_asked_for_is_told_of_where_it_is_long():
    short = attempted(Health(), 429, START, retry_after=ALARM)
    assert short.notices == ()
    long = attempted(Health(), 429, START, retry_after=DAY)
    assert long.notices == (Notice.ENDPOINT_FAILING,)
    again = attempted(long.health, 429, START + MOMENT, retry_after=DAY)
    assert again.notices == ()
    said = facts(
        long.health, answer(429), delivery=UUID(int=9), payload=b'{"type":"endpoint.test"}',
        disabled=None,
    )  # fmt: skip
    assert said["appeal"] is None
    assert said["throttled_until"] == (START + DAY).isoformat()


@given(st.lists(st.sampled_from([OK, 500, DOWN, 429]), min_size=1, max_size=200), st.data())
def test_nobody_is_told_twice_of_a_failing_within_an_hour(pattern, data):
    """Whatever comes: by attempts and by the clock, which looks between any two of them."""
    every = data.draw(st.timedeltas(timedelta(seconds=1), timedelta(minutes=30)))
    health, at, heard = Health(), START, []
    for status in pattern:
        ruling = attempted(health, status, at)
        health = ruling.health
        if Notice.ENDPOINT_FAILING in ruling.notices:
            heard.append(at)
        if (due := overdue(health, at + every / 2)) is not None:
            heard.append(at + every / 2)
            health = due
        at += every
    assert all(after - before >= QUIET for before, after in itertools.pairwise(heard))


def test_a_receiver_that_is_gone_is_disabled_at_once():
    ruling = attempted(Health(), 410, START)
    assert ruling.disabled is DisabledReason.GONE
    assert ruling.notices == (Notice.ENDPOINT_DISABLED,)


def test_whoever_enabled_an_endpoint_again_hears_when_it_works():
    failing = walk([DOWN] * 121, every=HOUR)[-1].health
    mended = anew(failing, START + 5 * DAY)
    assert mended.breaker(START) is Breaker.CLOSED
    assert mended.failing_since is None
    assert attempted(mended, OK, START + 6 * DAY).notices == (Notice.ENDPOINT_RECOVERED,)


def test_the_success_that_ends_an_outage_has_what_waits_tried_at_once():
    failing = walk([DOWN] * 3, every=ALARM / 3)[-1].health
    at = START + ALARM
    assert attempted(failing, OK, at - MOMENT).health.mended_at is None
    healed = attempted(failing, OK, at).health
    assert healed.mended_at == at
    # Until it was: neither another success nor a failure makes that undone.
    for status in (OK, DOWN):
        assert attempted(healed, status, at + MOMENT).health.mended_at == at


def test_an_endpoint_that_comes_and_goes_has_nothing_brought_forward_each_time():
    pattern = ([DOWN] * TRIP + [OK]) * 60
    rulings = walk(pattern, every=timedelta(seconds=30))
    mended = {ruling.health.mended_at for ruling in rulings} - {None}
    assert len(mended) == told(rulings).count(Notice.ENDPOINT_RECOVERED) == 3


def test_an_endpoint_that_was_enabled_again_has_five_days_again():
    mended = anew(walk([DOWN] * 121, every=HOUR)[-1].health, START + 5 * DAY)
    rulings = walk([DOWN] * 120, every=HOUR, start=START + 6 * DAY, health=mended)
    assert disabled(rulings) == []
    assert Notice.ENDPOINT_FAILING in told(rulings)


def test_a_disabled_endpoint_neither_fails_nor_recovers_by_what_is_tried_of_it():
    failed = attempted(Health(), 410, START).health
    assert failed.told
    for status in (OK, DOWN, 410, 503):
        result = answer(status)
        verdict = next_attempt(1, result, START + DAY, 0.5)
        ruling = rule(failed, result, verdict, START + DAY, enabled=False)
        assert (ruling.notices, ruling.disabled, ruling.health.told) == ((), None, True)
        assert ruling.health.failures == failed.failures


def test_the_end_of_the_tries_is_told():
    assert Notice.DELIVERY_EXHAUSTED in attempted(Health(), 500, START, tries=10).notices
    assert Notice.DELIVERY_EXHAUSTED not in attempted(Health(), 500, START, tries=9).notices


@pytest.mark.parametrize("status", [429, 502, 504])
def test_an_overloaded_endpoint_is_left_alone_ever_longer(status):
    health, waits = Health(), []
    for number in range(len(THROTTLES) + 1):
        at = START + number * HOUR
        health = attempted(health, status, at).health
        assert health.throttled_until is not None
        waits.append(health.throttled_until - at)
    assert waits == [*THROTTLES, THROTTLES[-1]]
    assert attempted(health, OK, START + DAY).health.throttled_until is None


def test_it_is_left_alone_for_as_long_as_it_asks_but_no_more_than_a_day():
    asked = attempted(Health(), 429, START, retry_after=timedelta(minutes=20)).health
    assert asked.throttled_until == START + timedelta(minutes=20)
    much = attempted(Health(), 429, START, retry_after=timedelta(days=300)).health
    assert much.throttled_until == START + DAY


def test_what_was_in_the_air_when_it_was_overloaded_asks_for_no_longer_rest():
    first = attempted(Health(), 429, START).health
    second = attempted(first, 429, START + timedelta(seconds=1)).health
    assert second.throttled_until == first.throttled_until == START + THROTTLES[0]
    longer = attempted(second, 429, START + timedelta(seconds=1), retry_after=HOUR).health
    assert longer.throttled_until == START + timedelta(seconds=1) + HOUR


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503, None, 302])
def test_other_failures_throttle_nobody(status):
    assert attempted(Health(), status, START).health.throttled_until is None


def test_what_is_told_holds_neither_the_url_nor_what_was_answered():
    said = facts(
        Health(failures=7, failing_since=START), answer(500), delivery=UUID(int=9),
        payload=SAID, disabled=None,
    )  # fmt: skip
    assert said == {
        "delivery": str(UUID(int=9)),
        "appeal": "KIS-2026-000007",
        "failures": 7,
        "failing_since": "2026-11-02T09:00:00+00:00",
        "throttled_until": None,
        "status": 500,
        "error": None,
        "disabled_reason": None,
    }
