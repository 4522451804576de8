"""Secrets: made of enough, changed without a gap, ended when the caller says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webhooks.model import Secret
from domain.webhooks.secrets import KEPT, new_secret, rotated

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize("size", [0, 24, 31, 33])
def test_a_secret_is_never_made_of_too_little_or_too_much(size):
    with pytest.raises(ValueError, match="32"):
        new_secret(bytes(size))


def test_the_secret_before_signs_beside_the_fresh_one_until_its_end():
    fresh, before = rotated((Secret("b"),), "c", AT, KEPT)
    assert fresh == Secret("c")
    assert before == Secret("b", AT + KEPT)
    assert before.signs(AT + KEPT - MOMENT)
    assert not before.signs(AT + KEPT)


def test_several_sign_beside_each_other_and_each_ends_at_its_own_time():
    once = rotated((Secret("a"),), "b", AT, timedelta(hours=4))
    twice = rotated(once, "c", AT + timedelta(hours=1), timedelta(hours=10))
    assert [(one.value, one.until) for one in twice] == [
        ("c", None),
        ("b", AT + timedelta(hours=11)),
        ("a", AT + timedelta(hours=4)),
    ]


def test_a_leaked_secret_ends_at_once_with_all_before_it():
    once = rotated((Secret("a"),), "b", AT, KEPT)
    assert rotated(once, "c", AT + MOMENT, timedelta(0)) == (Secret("c"),)


@given(st.lists(st.timedeltas(timedelta(0), timedelta(hours=48)), max_size=8))
def test_there_is_always_one_that_signs_and_never_one_past_its_end(steps):
    secrets: tuple[Secret, ...] = (Secret("0"),)
    at = AT
    for number, step in enumerate(steps, 1):
        at += step
        secrets = rotated(secrets, str(number), at, KEPT)
        assert secrets[0] == Secret(str(number))
        assert all(one.signs(at) for one in secrets)
        assert len({one.value for one in secrets}) == len(secrets)
