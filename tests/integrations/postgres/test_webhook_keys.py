"""The keys that sign webhooks openly: made once, rotated without a gap, withdrawn at once."""

import asyncio
from base64 import b64decode, urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from api.bootstrap import make_webhook_keys
from domain.webhooks.keys import OVERLAP, jwk
from integrations.postgres.webhook_keys import KEPT_FOR
from tests.support.sql import fetch

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def keys(house):
    await fetch(house, "DELETE FROM webhook_key")
    return make_webhook_keys(house.engine, house.keyring)


async def kids(keys, at):
    return [key.kid for key in await keys.signing(at)]


async def test_processes_that_ask_at_the_same_moment_make_one_key(house, keys):
    others = [make_webhook_keys(house.engine, house.keyring) for _ in range(4)]
    found = await asyncio.gather(*(kids(one, AT) for one in others))
    assert len({tuple(one) for one in found}) == 1
    assert len(await fetch(house, "SELECT 1 FROM webhook_key")) == 1


async def test_a_fresh_key_signs_at_once_beside_the_one_before_until_the_overlap_ends(house, keys):
    (first,) = await kids(keys, AT)
    fresh = await keys.rotate(AT + SECOND)
    assert await kids(keys, AT + SECOND) == [fresh.kid, first]
    assert await kids(keys, AT + SECOND + OVERLAP - SECOND) == [fresh.kid, first]
    assert await kids(keys, AT + SECOND + OVERLAP) == [fresh.kid]


async def test_a_withdrawn_key_signs_no_more_and_every_process_knows_within_seconds(house, keys):
    other = make_webhook_keys(house.engine, house.keyring)
    (first,) = await kids(other, AT)
    fresh = await keys.rotate(AT + SECOND, withdraw=True)
    assert await kids(keys, AT + SECOND) == [fresh.kid]
    assert await kids(other, AT + SECOND) == [first]
    assert await kids(other, AT + KEPT_FOR) == [fresh.kid]


async def test_the_private_half_stands_nowhere_in_the_clear(house, keys):
    (key,) = await keys.signing(AT)
    (row,) = await fetch(house, "SELECT * FROM webhook_key")
    assert key.seed not in bytes(row["sealed"])
    assert house.keyring.open(bytes(row["sealed"])) == key.seed
    assert key.seed.hex() not in repr(key)
    assert str(key.seed) not in repr(key)


async def test_what_is_published_is_a_jwk_of_the_key_that_signs(keys):
    (key,) = await keys.signing(AT)
    shown = jwk(key)
    public = Ed25519PrivateKey.from_private_bytes(key.seed).public_key().public_bytes_raw()
    assert urlsafe_b64decode(shown["x"] + "=") == public == key.public
    assert b64decode(shown["whpk"].removeprefix("whpk_")) == public
    judged = OKPKey.import_key({name: shown[name] for name in ("kty", "crv", "x")})
    assert judged.thumbprint() == key.kid == shown["kid"]
    assert "d" not in shown
