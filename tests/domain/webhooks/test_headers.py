"""An organisation's own headers: they may authenticate, and neither forge nor break a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.webhooks.headers import LONGEST_NAME, LONGEST_VALUE, MASK, MOST, check_headers, masked


def refused(given_headers, standing=None):
    with pytest.raises(Invalid) as refusal:
        check_headers(given_headers, standing or {})
    return [(fault.pointer, fault.rule) for fault in refusal.value.faults]


def test_credentials_of_a_gateway_are_taken_as_they_are():
    given_headers = {"Authorization": "Bearer s3cret", "X-Api-Key": "k e y", "X-1": "~"}
    assert check_headers(given_headers, {}) == given_headers


@pytest.mark.parametrize(
    "name",
    ["Host", "content-type", "Content-Length", "Webhook-Signature", "webhook-id",
     "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect",
     "Proxy-Authorization",
     "X-Forwarded-For", "User-Agent", "Accept-Encoding", "Cookie", "svix-signature", "Signature"],
)  # fmt: skip
def test_what_frames_routes_or_signs_a_message_is_not_theirs(name):
    assert refused({name: "1"}) == [(f"/headers/{name}", "header-reserved")]


@pytest.mark.parametrize(
    "name", ["", "a b", "a:b", "a\r\nb", "ә", "x" * (LONGEST_NAME + 1), "a\x00"]
)
def test_what_is_no_name_is_refused(name):
    assert refused({name: "1"}) == [(f"/headers/{name}", "header-name")]


@pytest.mark.parametrize(
    "value",
    ["", " a", "a ", "a\r\nX: 1", "a\n", "a\x00", "қ", "a\tb", "x" * (LONGEST_VALUE + 1), "a\x7f"],
)
def test_what_is_no_value_is_refused(value):
    assert refused({"X-A": value}) == [("/headers/X-A", "header-value")]


def test_no_header_stands_twice_in_another_case():
    assert refused({"X-A": "1", "x-a": "2"}) == [("/headers/x-a", "header-twice")]


def test_there_are_not_too_many():
    few = {f"X-{n}": "1" for n in range(MOST)}
    assert check_headers(few, {}) == few
    assert refused(few | {"Y": "1"}) == [("/headers", "too-long")]


def test_a_header_that_is_sent_back_as_it_is_shown_keeps_its_value():
    standing = {"X-Key": "secret", "X-Old": "gone"}
    assert check_headers(masked(standing) | {"X-New": "1"}, standing) == standing | {"X-New": "1"}
    assert check_headers({"x-key": MASK}, standing) == {"x-key": "secret"}


def test_a_mask_over_nothing_is_no_value():
    assert refused({"X-Key": MASK}) == [("/headers/X-Key", "header-value")]


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=6))
def test_whatever_is_taken_is_one_line_of_visible_ascii(given_headers):
    try:
        kept = check_headers(given_headers, {})
    except Invalid:
        return
    for name, value in kept.items():
        assert f"{name}: {value}".isascii()
        assert f"{name}: {value}".isprintable()


def test_nothing_of_a_value_is_shown():
    assert set(masked({"A": "secret", "B": "other"}).values()) == {MASK}
