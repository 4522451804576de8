"""Residents log in through eGov: real HTTP to a strict stand-in in a process of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.model import Person
from integrations.egov.config import read_providers
from integrations.egov.provider import OAuthProvider
from tests.peers.egov import AIGUL, AUTHORIZE, BASIC, PHONE, TOKEN
from tests.support.providers import CALLBACK, SECRET, Peer, egov_entry, running_egov

R = LoginReason


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with running_egov() as running:
        yield running


@pytest.fixture(autouse=True)
def calm(peer: Peer) -> None:
    peer.mood()


@asynccontextmanager
async def opened(url: str, **changes: Any) -> AsyncIterator[OAuthProvider]:
    text = yaml.safe_dump({"providers": [egov_entry(url, **changes)]})
    (config,) = read_providers(text, {"EGOV_SECRET": SECRET}, Path())
    provider = OAuthProvider(config)
    try:
        yield provider
    finally:
        await provider.close()


@pytest.fixture
async def egov(peer: Peer) -> AsyncIterator[OAuthProvider]:
    async with opened(peer.url, timeout_seconds=1.5) as provider:
        yield provider


async def departed(egov: OAuthProvider, language: str = "kk") -> str:
    departure = await egov.depart(
        state="the-state", nonce="the-nonce", redirect_uri=CALLBACK, language=language
    )
    assert departure.verifier is None
    return departure.url


async def came_back(egov: OAuthProvider, code: str, redirect_uri: str = CALLBACK) -> Person:
    return await egov.arrive(code=code, redirect_uri=redirect_uri, nonce="the-nonce", verifier=None)


async def code_of(egov: OAuthProvider, peer: Peer) -> str:
    return peer.decide(await departed(egov))["code"]


async def logged_in(egov: OAuthProvider, peer: Peer) -> Person:
    return await came_back(egov, await code_of(egov, peer))


async def reason_of(egov: OAuthProvider, peer: Peer) -> LoginReason:
    with pytest.raises(LoginRefused) as refused:
        await logged_in(egov, peer)
    assert refused.value.provider == "egov"
    return refused.value.reason


async def test_a_resident_comes_back_as_who_they_are(egov: OAuthProvider, peer: Peer):
    assert await logged_in(egov, peer) == Person(
        provider="egov",
        subject="991231600002",
        iin="991231600002",
        surname="Серікова",
        name="Айгүл",
        patronymic="Маратқызы",
        birth_date=date(2099, 12, 31),
        phone="+77015550109",
    )


async def test_the_state_comes_back_and_the_page_speaks_the_residents_language(
    egov: OAuthProvider, peer: Peer
):
    told = peer.decide(await departed(egov, "kk"))
    assert told["state"] == "the-state"
    assert peer.asked()["languages"][-1] == "kk"


async def test_a_flat_answer_is_read_like_a_nested_one(egov: OAuthProvider, peer: Peer):
    nested = await logged_in(egov, peer)
    peer.mood(person=AIGUL)
    assert await logged_in(egov, peer) == nested


async def test_what_egov_need_not_tell_may_be_absent(egov: OAuthProvider, peer: Peer):
    peer.mood(person={"person": {"iin": "991231600301", "name": "Ли", "patronymic": None,
                                 "surname": ""}})  # fmt: skip
    person = await logged_in(egov, peer)
    assert (person.full_name, person.patronymic) == ("Ли", None)
    assert person.birth_date == date(2099, 12, 31), "the IIN tells it"


@pytest.mark.parametrize(
    "mood",
    [{"phone": None}, {"status": {PHONE: 500}}, {"status": {PHONE: 404}}, {"phone": 7},
     {"phone": "no phone"}, {"location": {PHONE: "http://127.0.0.1:1/"}}, {"slow": {PHONE: 1.7}}],
    ids=str,
)  # fmt: skip
async def test_a_refused_phone_never_breaks_the_login(
    egov: OAuthProvider, peer: Peer, mood: dict[str, Any]
):
    peer.mood(**mood)
    person = await logged_in(egov, peer)
    assert (person.iin, person.phone) == ("991231600002", None)
    assert peer.asked()["asked"][PHONE] == 1


async def test_a_refused_consent_comes_back_as_an_error(egov: OAuthProvider, peer: Peer):
    told = peer.decide(await departed(egov), allow=False)
    assert (told["error"], told["state"]) == ("access_denied", "the-state")


async def test_a_code_is_good_once(egov: OAuthProvider, peer: Peer):
    code = await code_of(egov, peer)
    await came_back(egov, code)
    with pytest.raises(LoginRefused) as refused:
        await came_back(egov, code)
    assert refused.value.reason is R.CODE_EXPIRED


async def test_a_code_lives_shortly(egov: OAuthProvider, peer: Peer):
    peer.mood(code_seconds=0)
    assert await reason_of(egov, peer) is R.CODE_EXPIRED


async def test_another_redirect_address_gets_nothing(egov: OAuthProvider, peer: Peer):
    code = await code_of(egov, peer)
    with pytest.raises(LoginRefused) as refused:
        await came_back(egov, code, redirect_uri=CALLBACK + "/")
    assert refused.value.reason is R.CODE_EXPIRED


async def test_a_wrong_secret_is_between_the_city_and_egov(peer: Peer):
    text = yaml.safe_dump({"providers": [egov_entry(peer.url)]})
    (config,) = read_providers(text, {"EGOV_SECRET": "another"}, Path())
    egov = OAuthProvider(config)
    assert await reason_of(egov, peer) is R.PROVIDER_FAILED
    await egov.close()


@pytest.mark.parametrize("path", [TOKEN, BASIC])
@pytest.mark.parametrize("status", [500, 503, 429, 404])
async def test_a_provider_that_fails_is_told_so(
    egov: OAuthProvider, peer: Peer, path: str, status: int
):
    peer.mood(status={path: status})
    assert await reason_of(egov, peer) is R.PROVIDER_FAILED


@pytest.mark.parametrize("path", [TOKEN, BASIC])
async def test_a_provider_that_does_not_answer_is_unreachable(
    egov: OAuthProvider, peer: Peer, path: str
):
    peer.mood(slow={path: 2.5})
    assert await reason_of(egov, peer) is R.PROVIDER_UNREACHABLE


async def test_a_provider_that_is_not_there_is_unreachable(peer: Peer):
    async with opened("http://127.0.0.1:1") as egov:
        with pytest.raises(LoginRefused) as refused:
            await came_back(egov, "code")
    assert refused.value.reason is R.PROVIDER_UNREACHABLE


@pytest.mark.parametrize("path", [TOKEN, BASIC])
async def test_nobody_is_followed_elsewhere_with_a_token_or_a_secret(
    egov: OAuthProvider, peer: Peer, path: str
):
    peer.mood(location={path: f"{peer.url}/elsewhere"})
    assert await reason_of(egov, peer) is R.PROVIDER_FAILED
    assert "/elsewhere" not in peer.asked()["asked"]


def told(**changes: Any) -> dict[str, Any]:
    return {"person": {name: value for name, value in (AIGUL | changes).items()
                       if value is not ...}}  # fmt: skip


@pytest.mark.parametrize(
    "person",
    [told(iin="991231600003"), told(iin="991240000003"), told(iin=...), told(iin=None),
     told(iin=991231600002), told(iin="99123160110" + "1"), told(name="", surname=""),
     told(name=..., surname=...), told(name=["Айгүл"]), told(name="А" * 201),
     told(name="Айгүл\u0000"), told(surname="\u202eавокіреС"), {"person": "Айгүл"}, {}, [], [AIGUL],
     None, 7, "true", "{", "", "<html>", "[" * 30_000, '"' + "\\ud800" + '"'],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
async def test_whoever_is_no_person_is_refused(egov: OAuthProvider, peer: Peer, person: Any):
    peer.mood(person=person)
    assert await reason_of(egov, peer) is R.PERSON_MALFORMED


@pytest.mark.parametrize(
    "mood",
    [{"padding": 70_000}, {"media_type": "text/html"}, {"media_type": ""}, {"encoding": "gzip"}],
    ids=str,
)
async def test_an_answer_of_an_odd_kind_is_not_read(
    egov: OAuthProvider, peer: Peer, mood: dict[str, Any]
):
    code = await code_of(egov, peer)
    peer.mood(**mood)
    with pytest.raises(LoginRefused) as refused:
        await came_back(egov, code)
    assert refused.value.reason is R.PROVIDER_FAILED


@pytest.mark.parametrize(
    "token",
    [{}, [], "null", {"access_token": 7}, {"access_token": "a b\n"}, {"access_token": "ключ"},
     {"access_token": ""}, {"access_token": "x", "expires_in": []}, {"error": ["odd"]}, "{"],
    ids=str,
)  # fmt: skip
async def test_a_token_of_an_odd_form_is_refused(egov: OAuthProvider, peer: Peer, token: Any):
    peer.mood(token=token)
    assert await reason_of(egov, peer) is R.PROVIDER_FAILED


async def test_nothing_is_sent_that_egov_does_not_know(egov: OAuthProvider, peer: Peer):
    # The stand-in refuses an unknown parameter, so that PKCE or a nonce would show.
    with peer.client() as browser:
        assert browser.get(await departed(egov)).status_code == 200
        assert browser.get(f"{await departed(egov)}&nonce=x").status_code == 400
    assert peer.asked()["asked"] == {AUTHORIZE: 2}
