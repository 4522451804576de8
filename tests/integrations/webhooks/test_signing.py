import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from domain.webhooks.secrets import new_secret
from integrations.webhooks.signing import headers, key_of, seed_of, sign

OLD, NEW, STRANGE = (new_secret(bytes([number]) * 32) for number in (1, 2, 3))
BODY = '{"type":"appeal.assigned","data":{"service":"Жылу жоқ: үйде әбден суық"}}'.encode()
# The example of the standard's reference libraries.
VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def now():
    return datetime.now(UTC)


def test_the_published_vector_is_met():
    signature = sign(
        key_of(VECTOR_SECRET),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == VECTOR_SIGNATURE


@pytest.mark.parametrize("secrets", [(NEW,), (NEW, OLD), (OLD, NEW)])
def test_the_reference_library_accepts_each_secret_in_any_order(secrets):
    signed = headers(secrets, "evt_109", now(), BODY)
    for secret in secrets:
        assert Webhook(secret).verify(BODY, signed) == json.loads(BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "evt_110"},
        {"webhook-timestamp": str(int((datetime.now(UTC) + timedelta(seconds=60)).timestamp()))},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
        {"webhook-signature": ""},
    ],
)
def test_the_reference_library_refuses_changed_headers(change):
    signed = headers((NEW,), "evt_109", now(), BODY) | change
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY, signed)


def test_the_reference_library_refuses_a_changed_body_and_a_strange_secret():
    signed = headers((NEW, OLD), "evt_109", now(), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY + b" ", signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(STRANGE).verify(BODY, signed)


def test_a_message_too_old_to_be_fresh_is_refused_by_the_receiver():
    signed = headers((NEW,), "evt_109", now() - timedelta(minutes=6), BODY)
    with pytest.raises(WebhookVerificationError, match="old"):
        Webhook(NEW).verify(BODY, signed)


def test_the_time_of_astana_signs_as_the_same_moment_in_utc():
    astana = datetime(2026, 11, 2, 14, tzinfo=timezone(timedelta(hours=5)))
    utc = datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert headers((NEW,), "evt_109", astana, BODY) == headers((NEW,), "evt_109", utc, BODY)


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\n", "қ", "a" * 129])
def test_an_id_that_could_blur_what_is_signed_is_refused(message_id):
    with pytest.raises(ValueError, match="id"):
        headers((NEW,), message_id, now(), BODY)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        NEW.removeprefix("whsec_"),
        "whsec_",
        "whsec_" + "A" * 31,
        "whsec_қ",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsk_" + base64.b64encode(bytes(32)).decode(),
    ],
)
def test_a_secret_out_of_form_is_refused(secret):
    with pytest.raises(ValueError):  # noqa: PT011 - each with the words of its own rule
        key_of(secret)


def test_nothing_is_sent_unsigned():
    with pytest.raises(ValueError, match="at least one"):
        headers((), "evt_109", now(), BODY)
    with pytest.raises(ValueError, match="aware"):
        headers((NEW,), "evt_109", datetime(2026, 11, 2), BODY)


@given(text=st.text(), randomness=st.binary(min_size=32, max_size=32))
def test_whatever_is_in_the_body_the_reference_library_reads_it_back(text, randomness):
    body = json.dumps(text, ensure_ascii=False).encode()
    secret = new_secret(randomness)
    assert Webhook(secret).verify(body, headers((secret,), "evt_1", now(), body)) == text


SEED = bytes(range(32))
PRIVATE = "whsk_" + base64.b64encode(SEED).decode()
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key()


def openly(signed):
    """The v1a signatures of a message, as bytes."""
    marks = [mark.partition(",") for mark in signed["webhook-signature"].split()]
    return [base64.b64decode(mark) for scheme, _, mark in marks if scheme == "v1a"]


def said(signed, body=BODY):
    return f"{signed['webhook-id']}.{signed['webhook-timestamp']}.".encode() + body


@given(st.binary(max_size=300))
def test_a_message_signed_openly_is_verified_by_the_public_half_alone(body):
    signed = headers((NEW, PRIVATE), "evt_109", now(), body)
    (signature,) = openly(signed)
    PUBLIC.verify(signature, said(signed, body))
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, said(signed, body + b" "))
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, said(signed | {"webhook-id": "evt_110"}, body))
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, said(signed | {"webhook-timestamp": "1"}, body))


def test_the_reference_library_passes_over_what_is_signed_openly():
    signed = headers((OLD, PRIVATE, NEW), "evt_109", now(), BODY)
    schemes = [mark.partition(",")[0] for mark in signed["webhook-signature"].split()]
    assert schemes == ["v1", "v1a", "v1"]
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(BODY, signed) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(STRANGE).verify(BODY, signed)


@pytest.mark.parametrize("key", ["", "whsk_", "whsk_AAAA", "whsk_" + "A" * 60, NEW, "whsk_é"])
def test_what_is_no_private_key_signs_nothing(key):
    with pytest.raises(ValueError, match=r"\w"):
        seed_of(key)
