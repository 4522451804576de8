"""Clients are registered soundly or not at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.access import Role
from domain.errors import Invalid
from domain.identity.clients import (
    AuthMethod,
    Client,
    ClientKind,
    GrantType,
    Secret,
    check_client,
    hash_secret,
    is_redirect,
    new_secret,
    origin_of,
)

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SITE = Client(
    uuid4(), uuid4(), "Сайт", ClientKind.CONFIDENTIAL, AuthMethod.BASIC,
    redirect_uris=("https://site.kz/callback",),
    grant_types=frozenset({GrantType.AUTHORIZATION_CODE}), scopes=frozenset({"openid"}),
)  # fmt: skip
OWN = frozenset({GrantType.CLIENT_CREDENTIALS})
SYSTEM = replace(SITE, redirect_uris=(), grant_types=OWN, role=Role.EXECUTOR, organisation=uuid4())


def test_sound_clients_are_taken():
    check_client(SITE)
    check_client(SYSTEM)


@pytest.mark.parametrize(
    ("client", "changes", "pointer"),
    [
        (SITE, {"kind": ClientKind.PUBLIC}, "/auth_method"),
        (SITE, {"auth_method": AuthMethod.NONE}, "/auth_method"),
        (SITE, {"auth_method": AuthMethod.PRIVATE_KEY_JWT}, "/jwks"),
        (SITE, {"jwks": {"keys": []}}, "/jwks"),
        (SITE, {"grant_types": frozenset()}, "/grant_types"),
        (SITE, {"redirect_uris": ()}, "/redirect_uris"),
        (SITE, {"redirect_uris": ("https://x.kz/*",)}, "/redirect_uris/0"),
        (SITE, {"redirect_uris": SITE.redirect_uris * 30}, "/redirect_uris"),
        (SITE, {"scopes": frozenset()}, "/scopes"),
        (SITE, {"scopes": frozenset({"root"})}, "/scopes"),
        (SITE, {"role": Role.EXECUTOR}, "/role"),
        (SYSTEM, {"role": None}, "/role"),
        (SYSTEM, {"role": Role.SYSTEM}, "/role"),
        (SYSTEM, {"role": Role.CITIZEN}, "/role"),
        (SYSTEM, {"organisation": None}, "/organisation"),
        (SYSTEM, {"redirect_uris": ("https://x.kz/",)}, "/redirect_uris"),
        (SYSTEM, {"kind": ClientKind.PUBLIC, "auth_method": AuthMethod.NONE}, "/grant_types"),
        (SYSTEM, {"grant_types": OWN | {GrantType.REFRESH_TOKEN}}, "/grant_types"),
    ],
)  # fmt: skip
def test_unsound_clients_are_not(client: Client, changes, pointer: str):
    with pytest.raises(Invalid) as refused:
        check_client(replace(client, **changes))
    assert pointer in {fault.pointer for fault in refused.value.faults}


@pytest.mark.parametrize(
    ("uri", "site", "native"),
    [
        ("https://site.kz/callback?city=kishi", True, True),
        ("https://site.kz:8443/callback", True, True),
        ("http://127.0.0.1/callback", False, True),
        ("http://[::1]/callback", False, True),
        ("kz.kishi.app:/callback", False, True),
        ("http://localhost/callback", False, False),
        ("http://site.kz/callback", False, False),
        ("https://*.site.kz/callback", False, False),
        ("https://site.kz/callback#part", False, False),
        ("https://user@site.kz/callback", False, False),
        ("https://site.kz/a/../callback", False, False),
        ("https://site.kz/..", False, False),
        ("https:///callback", False, False),
        ("https://site.kz:port/callback", False, False),
        ("https://site.kz/\\evil", False, False),
        ("https://site.kz/қайту", False, False),
        ("javascript:alert(1)", False, False),
        ("data:text/html,x", False, False),
        ("app:/callback", False, False),
        ("kz.kishi.app://host/callback", False, False),
        ("/callback", False, False),
        ("https://site.kz/" + "x" * 500, False, False),
    ],
)
def test_places_that_may_be_registered(uri: str, site: bool, native: bool):
    assert is_redirect(uri, native=False) == site
    assert is_redirect(uri, native=True) == native


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://site.kz:8443/callback?x=1", "https://site.kz:8443"),
        ("http://127.0.0.1:51004/callback", "http://127.0.0.1:51004"),
        ("kz.kishi.app:/callback", "kz.kishi.app:"),
    ],
)
def test_where_a_browser_goes_back_to(uri: str, origin: str):
    assert origin_of(uri) == origin


def test_of_several_secrets_each_opens_until_its_end():
    old, new = new_secret(), new_secret()
    secrets = (Secret(hash_secret(old), NOW + timedelta(days=1)), Secret(hash_secret(new)))
    client = replace(SITE, secrets=secrets)
    assert client.knows(old, NOW)
    assert client.knows(new, NOW)
    assert not client.knows(old, NOW + timedelta(days=1))
    assert not client.knows(old + "x", NOW)
    assert not client.knows("", NOW)
    assert old not in repr(client)
