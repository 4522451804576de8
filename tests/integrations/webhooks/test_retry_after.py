from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.webhooks.retry_after import parse_retry_after

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        ("999999999999999999", YEAR),
        ("Mon, 02 Nov 2026 09:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 02 Nov 2026 14:05:00 +0500", timedelta(minutes=5)),
        ("Mon, 02 Nov 2026 08:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", YEAR),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Mon, 99 Nov 2026 09:05:00 GMT", None),
        ("9" * 5000, None),
    ],
)
def test_a_wait_is_read_in_both_forms_and_nonsense_is_no_wait(value, wait):
    assert parse_retry_after(value, AT) == wait


@given(st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]?\w+"))
def test_no_header_hurts(value):
    wait = parse_retry_after(value, AT)
    assert wait is None or timedelta(0) <= wait <= YEAR
