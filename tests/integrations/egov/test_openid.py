"""Members log in through their organisation's own provider: a certified one, over real HTTP."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.model import Person
from domain.identity.ports import Departure
from integrations.egov.config import read_providers
from integrations.egov.discovery import MetadataUnsound, read_places
from integrations.egov.provider import OAuthProvider
from tests.support.providers import (
    OPENID_CALLBACK,
    SECRET,
    Peer,
    brought_back,
    openid_entry,
    running_openid,
)

NONCE = "a-nonce-of-this-login"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with running_openid() as running:
        yield running


@pytest.fixture(autouse=True)
def honest(peer: Peer) -> None:
    peer.mood()


@asynccontextmanager
async def opened(
    url: str, seconds: float | None = None, **changes: Any
) -> AsyncIterator[OAuthProvider]:
    text = yaml.safe_dump({"providers": [openid_entry(url, **changes)]})
    (config,) = read_providers(text, {"WATER_SECRET": SECRET}, Path())
    provider = OAuthProvider(config, time.time if seconds is None else lambda: seconds)
    try:
        yield provider
    finally:
        await provider.close()


@pytest.fixture
async def water(peer: Peer) -> AsyncIterator[OAuthProvider]:
    async with opened(peer.url) as provider:
        yield provider


async def departed(water: OAuthProvider) -> Departure:
    return await water.depart(
        state="the-state", nonce=NONCE, redirect_uri=OPENID_CALLBACK, language="kk"
    )


async def logged_in(
    water: OAuthProvider, nonce: str = NONCE, verifier: str | None = None
) -> Person:
    departure = await departed(water)
    told = brought_back(departure.url)
    assert told["state"] == "the-state"
    return await water.arrive(
        code=told["code"],
        redirect_uri=OPENID_CALLBACK,
        nonce=nonce,
        verifier=verifier or departure.verifier,
    )


async def reason_of(water: OAuthProvider, **changes: Any) -> LoginReason:
    with pytest.raises(LoginRefused) as refused:
        await logged_in(water, **changes)
    return refused.value.reason


async def test_a_member_comes_back_as_who_they_are(water: OAuthProvider):
    person = await logged_in(water)
    assert person.subject
    assert person == Person(
        provider="water",
        subject=person.subject,
        surname="Серікова",
        name="Айгүл",
        patronymic="Маратқызы",
        birth_date=date(2099, 12, 31),
        phone="+77015550109",
        email="aigul@water.example",
    )
    assert await logged_in(water) == person, "the same again"


async def test_the_departure_bears_state_nonce_and_the_challenge(water: OAuthProvider):
    departure = await departed(water)
    asked = {name: value for name, (value,) in parse_qs(urlsplit(departure.url).query).items()}
    assert asked["nonce"] == NONCE
    assert asked["state"] == "the-state"
    assert asked["code_challenge_method"] == "S256"
    assert asked["ui_locales"] == "kk"
    assert departure.verifier is not None
    assert departure.verifier not in departure.url


async def test_a_code_without_its_verifier_is_worth_nothing(water: OAuthProvider):
    # Whoever catches the code on its way back does not have what was never sent.
    assert await reason_of(water, verifier="v" * 64) is LoginReason.CODE_EXPIRED


async def test_a_token_of_another_login_is_refused(water: OAuthProvider):
    assert await reason_of(water, nonce="another") is LoginReason.TOKEN_FORGED


NOW = int(time.time())
FORGERIES: Mapping[str, dict[str, Any]] = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "audience": {"aud": ["another-client"]},
    "no audience": {"aud": None},
    "two audiences, no party": {"aud": ["ikomek-kishi", "another"]},
    "another party": {"aud": ["ikomek-kishi", "another"], "azp": "another"},
    "issuer": {"iss": "https://idp.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": NOW - 3600},
    "no end": {"exp": None},
    "an odd end": {"exp": "tomorrow"},
    "from tomorrow": {"iat": NOW + 86_400},
    "made long ago": {"iat": NOW - 86_400},
    "no time": {"iat": None},
    "not yet": {"nbf": NOW + 3600},
    "no subject": {"sub": None},
    "another subject": {"sub": "somebody-else"},
    "alg none": {"alg": "none"},
    "another key": {"key": "another"},
    "another key under its own name": {"key": "another", "kid": "no-such-key"},
    "RS256 as HS256": {"alg": "HS256", "key": "public-as-secret"},
    "another kind of key": {"alg": "ES256", "key": "ec"},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_logs_nobody_in(water: OAuthProvider, peer: Peer, forgery: str):
    peer.mood(forge=FORGERIES[forgery])
    assert await reason_of(water) is LoginReason.TOKEN_FORGED


async def test_the_forger_is_able_to_pass_an_honest_token(water: OAuthProvider, peer: Peer):
    peer.mood(forge={"x": "y"})
    assert (await logged_in(water)).name == "Айгүл"


async def test_a_token_from_the_past_is_refused(peer: Peer):
    async with opened(peer.url, seconds=time.time() + 7200) as water:
        assert await reason_of(water) is LoginReason.TOKEN_FORGED


async def test_new_keys_of_the_provider_are_fetched_but_not_at_everybodys_whim(
    water: OAuthProvider, peer: Peer, monkeypatch: pytest.MonkeyPatch
):
    await logged_in(water)
    peer.mood(turn=True)
    assert await reason_of(water) is LoginReason.TOKEN_FORGED, "asked a moment ago"
    monkeypatch.setattr("integrations.egov.discovery.SPARED", 0.0)
    assert (await logged_in(water)).name == "Айгүл"


async def test_another_issuer_than_the_settings_name_is_not_talked_to(peer: Peer):
    async with opened(peer.url, issuer=f"{peer.url}/") as water:
        with pytest.raises(LoginRefused) as refused:
            await departed(water)
    assert refused.value.reason is LoginReason.PROVIDER_FAILED


async def test_an_unverified_phone_is_no_phone(peer: Peer):
    # A phone that nobody checked would open the appeals of whoever bears it.
    claims = {"phone_verified": ["no_such_claim"], "email_verified": ["no_such_claim"]}
    async with opened(peer.url, claims=claims) as water:
        person = await logged_in(water)
    assert (person.phone, person.email) == (None, None)


async def test_discovery_that_fails_is_told_before_anybody_leaves():
    async with opened("http://127.0.0.1:1") as water:
        with pytest.raises(LoginRefused) as refused:
            await departed(water)
    assert refused.value.reason is LoginReason.PROVIDER_UNREACHABLE


@pytest.mark.parametrize("url", ["http://a b:1/", "http://[", "http://x:99999/", "http://\u0000/"])
async def test_an_address_that_is_none_logs_nobody_in_and_breaks_nothing(
    water: OAuthProvider, url: str
):
    departure = await departed(water)
    told = brought_back(departure.url)
    known = water._places.get()
    assert known is not None
    water._places.put(replace(known, token=url))
    with pytest.raises(LoginRefused) as refused:
        await water.arrive(
            code=told["code"], redirect_uri=OPENID_CALLBACK, nonce=NONCE, verifier="v" * 64
        )
    assert refused.value.reason in (
        LoginReason.PROVIDER_FAILED, LoginReason.PROVIDER_UNREACHABLE,
    )  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [{"token_endpoint": "https://x/"}, {"token_endpoint": 7}, {"token_endpoint": None},
     {"jwks_uri": "file:///x"}, {"userinfo_endpoint": "http://"}, {"issuer": "http://other"}],
    ids=str,
)  # fmt: skip
async def test_what_a_provider_says_of_itself_is_judged(peer: Peer, told: dict[str, Any]):
    (config,) = read_providers(
        yaml.safe_dump({"providers": [openid_entry(peer.url)]}), {"WATER_SECRET": SECRET}, Path()
    )
    sound = {"issuer": peer.url, "authorization_endpoint": peer.url, "token_endpoint": peer.url}
    assert read_places(config, sound).token == peer.url
    with pytest.raises(MetadataUnsound):
        read_places(config, sound | told)
