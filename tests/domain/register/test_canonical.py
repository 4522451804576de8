"""The canonical bytes: those of RFC 8785 by a second hand, and nothing that needs judgement."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.register.canonical import (
    NotCanonical,
    canonical_bytes,
    commitment,
    instant,
    leaf_hash,
)

LIMIT = 2**53
KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | TEXTS | st.integers(1 - LIMIT, LIMIT - 1)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=6)


@given(DOCUMENTS)
def test_the_bytes_are_those_of_a_second_implementation(document):
    assert canonical_bytes(document) == rfc8785.dumps(document)


@given(st.dictionaries(KEYS, LEAVES, min_size=2, max_size=6))
def test_the_order_in_which_it_was_said_does_not_matter(document):
    again = dict(reversed(document.items()))
    assert canonical_bytes(again) == canonical_bytes(document)


@pytest.mark.parametrize(
    "letters", ["Қызылорда көшесі", "\u2028\u2029", "\x00\x1f\x7f", '"\\/', "😀", "\ufeff"]
)
def test_letters_are_written_alike_by_both(letters: str):
    assert canonical_bytes({"a": letters}) == rfc8785.dumps({"a": letters})


@pytest.mark.parametrize(
    "value",
    [0.0, 1.5, float("nan"), LIMIT, -LIMIT, 2**64, b"bytes", {1, 2}, datetime(2026, 1, 1)],
    ids=repr,
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"b": [{"c": v}]}])
def test_what_is_open_to_judgement_is_refused(value, wrap):
    with pytest.raises(NotCanonical):
        canonical_bytes({"a": wrap(value)})


@pytest.mark.parametrize("value", [LIMIT - 1, 1 - LIMIT, 0, -1])
def test_integers_below_two_to_the_53rd_are_exact_everywhere(value: int):
    assert canonical_bytes({"a": value}) == b'{"a":%d}' % value


@pytest.mark.parametrize("document", [{"ключ": 1}, {1: 1}, {"a": {"é": 1}}, {"a": [{None: 1}]}])
def test_a_key_that_is_not_ascii_text_is_refused(document):
    with pytest.raises(NotCanonical):
        canonical_bytes(document)


def test_a_tuple_is_written_as_a_list():
    assert canonical_bytes({"a": (1, ("x",))}) == b'{"a":[1,["x"]]}'


def test_the_leaf_hash_is_that_of_rfc_9162():
    assert leaf_hash(b"L123456") == sha256(b"\x00L123456").digest()
    # RFC 6962's own test vector: the leaf hash of an empty entry.
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_a_commitment_hides_the_text_behind_its_salt():
    assert commitment("Айгүл", b"a" * 16) != commitment("Айгүл", b"b" * 16)
    assert commitment("Айгүл", b"a" * 16) == sha256(b"a" * 16 + "Айгүл".encode()).hexdigest()


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-12, 14))
def test_an_instant_reads_the_same_from_every_zone(at: datetime, zone: int):
    at = max(at, datetime(1000, 1, 2, tzinfo=UTC))
    elsewhere = min(at, datetime(9998, 1, 1, tzinfo=UTC)).astimezone(
        timezone(timedelta(hours=zone))
    )
    written = instant(elsewhere)
    assert len(written) == 27
    assert datetime.fromisoformat(written) == elsewhere
