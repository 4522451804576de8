"""A key is known before it signs, and until its last token has ended."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.identity.signing_keys import (
    AHEAD,
    KEY_LASTS,
    SOON,
    SigningKey,
    next_turn,
    published,
    signing,
)
from domain.identity.tokens import ACCESS_LASTS

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def key(kid: str, signs_from: datetime) -> SigningKey:
    return SigningKey(kid, {"kid": kid}, b"", signs_from)


OLD, NEW = key("old", NOW), key("new", NOW + KEY_LASTS)
TURN = NEW.signs_from


def test_the_first_key_signs_at_once():
    assert next_turn([], NOW) == NOW
    assert signing([], NOW) is None
    assert published([], NOW) == ()


def test_the_next_key_is_made_ahead_of_its_turn():
    assert next_turn([OLD], NOW) is None
    assert next_turn([OLD], TURN - AHEAD - timedelta(seconds=1)) is None
    assert next_turn([OLD], TURN - AHEAD) == TURN
    assert next_turn([OLD, NEW], TURN - AHEAD) is None


def test_a_key_that_comes_late_still_waits_until_all_know_it():
    late = TURN + timedelta(days=3)
    assert next_turn([OLD], late) == late + SOON


def test_each_signs_in_its_turn():
    assert signing([OLD, NEW], TURN - timedelta(seconds=1)) is OLD
    assert signing([OLD, NEW], TURN) is NEW


def test_both_are_published_until_the_last_token_of_the_old_one_has_ended():
    assert published([NEW, OLD], NOW) == (OLD, NEW)
    assert published([OLD, NEW], TURN + ACCESS_LASTS) == (OLD, NEW)
    assert published([OLD, NEW], TURN + 2 * ACCESS_LASTS) == (NEW,)


def test_a_key_that_was_withdrawn_is_believed_no_more():
    gone = replace(OLD, withdrawn_at=NOW)
    assert published([gone, NEW], NOW) == (NEW,)
    assert signing([gone], NOW) is None
    assert next_turn([gone], NOW) == NOW


def test_private_halves_are_not_printed():
    assert "PRIVATE" not in repr(SigningKey("x", {}, b"PRIVATE", NOW))
