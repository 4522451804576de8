"""What the token endpoint refuses: codes, refresh tokens and proofs that are not the client's."""

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from domain.access import Role
from domain.identity.clients import AuthMethod
from tests.support.city import KISHI
from tests.support.oauth import (
    CALLBACK,
    ISSUER,
    VERIFIER,
    Door,
    Registered,
    member,
    register,
    register_signing,
    register_system,
)
from tests.support.rest import assert_problem
from tests.support.sql import fetch
from tests.support.worker import eventually

TOKEN = f"{ISSUER}/oauth/token"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
OWN = {"grant_type": "client_credentials"}


def assert_error(answer: Any, error: str, status: int = 400) -> None:
    """That an error is told as RFC 6749 §5.2 says."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "access_token" not in answer.json()


async def test_a_code_that_comes_again_ends_what_was_issued_from_it(door: Door, site: Registered):
    code = await door.code(site)
    told = (await door.exchange(site, code)).json()
    assert (await door.me(told["access_token"])).status_code == 200
    assert_error(await door.exchange(site, code), "invalid_grant")
    await door.refresh()
    assert_problem(await door.me(told["access_token"]), 401, "unauthenticated")
    again = await door.token(site, grant_type="refresh_token", refresh_token=told["refresh_token"])
    assert_error(again, "invalid_grant")


async def test_a_refresh_token_that_comes_again_ends_its_family(door: Door, app: Registered):
    first = (await door.tokens(app))["refresh_token"]
    second = (await door.token(app, grant_type="refresh_token", refresh_token=first)).json()
    for replayed in (first, second["refresh_token"]):
        answer = await door.token(app, grant_type="refresh_token", refresh_token=replayed)
        assert_error(answer, "invalid_grant")
    await door.refresh()
    assert_problem(await door.me(second["access_token"]), 401, "unauthenticated")


async def test_of_two_who_bring_one_code_at_once_one_wins(door: Door, site: Registered):
    for _ in range(5):
        code = await door.code(site)
        answers = await asyncio.gather(*(door.exchange(site, code) for _ in range(4)))
        assert sorted(a.status_code for a in answers) == [200, 400, 400, 400]


async def test_of_two_who_bring_one_refresh_token_at_once_one_wins(door: Door, app: Registered):
    for _ in range(5):
        token = (await door.tokens(app))["refresh_token"]
        asks = (door.token(app, grant_type="refresh_token", refresh_token=token) for _ in range(4))
        answers = await asyncio.gather(*asks)
        assert sorted(a.status_code for a in answers) == [200, 400, 400, 400]


async def test_a_code_is_for_the_client_that_asked(door: Door, site: Registered, app: Registered):
    other = await register(door.house)
    code = await door.code(site)
    assert_error(await door.exchange(other, code), "invalid_grant")
    assert_error(await door.exchange(app, code), "invalid_grant")
    assert (await door.exchange(site, code)).status_code == 200


async def test_a_refresh_token_is_for_the_client_that_got_it(door: Door, site: Registered):
    other = await register(door.house)
    token = (await door.tokens(site))["refresh_token"]
    answer = await door.token(other, grant_type="refresh_token", refresh_token=token)
    assert_error(answer, "invalid_grant")


async def test_a_code_ends_within_a_minute(door: Door, site: Registered):
    code = await door.code(site)
    rows = await fetch(
        door.house,
        "UPDATE authorization_code SET expires_at = expires_at - interval '60 s'"
        " WHERE used_at IS NULL RETURNING 1",
    )
    assert rows
    assert_error(await door.exchange(site, code), "invalid_grant")


async def test_a_login_ends_however_often_it_is_refreshed(door: Door, app: Registered):
    token = (await door.tokens(app))["refresh_token"]
    await fetch(
        door.house,
        "UPDATE login_session SET expires_at = clock_timestamp() WHERE client_id = $1",
        app.client.id,
    )
    answer = await door.token(app, grant_type="refresh_token", refresh_token=token)
    assert_error(answer, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "another-verifier-of-more-than-forty-three-signs-"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_grant"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
        ({"code": "another"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
    ],
)  # fmt: skip
async def test_a_code_is_given_up_for_what_belongs_to_it_alone(
    door: Door, site: Registered, changes: dict[str, str], error: str
):
    code = await door.code(site)
    assert_error(await door.exchange(site, code, **changes), error)


async def test_the_challenge_itself_is_no_verifier(door: Door, app: Registered):
    code = await door.code(app, code_challenge=VERIFIER)
    assert_error(await door.exchange(app, code, code_verifier=VERIFIER), "invalid_grant")


@pytest.mark.parametrize("scope", ["webhooks:manage", "appeals:read webhooks:manage", "unknown"])
async def test_a_refresh_widens_nothing(door: Door, app: Registered, scope: str):
    token = (await door.tokens(app))["refresh_token"]
    answer = await door.token(app, grant_type="refresh_token", refresh_token=token, scope=scope)
    assert_error(answer, "invalid_scope")


async def test_a_refresh_may_narrow(door: Door, app: Registered):
    token = (await door.tokens(app))["refresh_token"]
    answer = await door.token(app, grant_type="refresh_token", refresh_token=token, scope="openid")
    assert answer.json()["scope"] == "openid"
    assert (await door.me(answer.json()["access_token"])).json()["permissions"] == []


async def test_a_client_asks_for_no_scope_that_is_not_its_own(door: Door):
    narrow = await register_system(door.house, scopes=frozenset({"appeals:read"}))
    assert_error(await door.token(narrow, **OWN, scope="webhooks:manage"), "invalid_scope")
    assert_error(await door.token(narrow, **OWN, scope="openid"), "invalid_scope")
    assert (await door.token(narrow, **OWN)).json()["scope"] == "appeals:read"


async def test_a_suspended_member_gets_no_more_tokens(door: Door):
    desk = await register(door.house, staff=True)
    told = await door.tokens(desk, member(Role.AUDITOR), scope="offline_access appeals:read")
    waiting = await door.code(desk, member(Role.AUDITOR))
    assert (await door.me(told["access_token"])).status_code == 200
    who = member(Role.AUDITOR).id
    await fetch(door.house, "UPDATE member SET state = 'suspended' WHERE id = $1", who)
    token = told["refresh_token"]
    answer = await door.token(desk, grant_type="refresh_token", refresh_token=token)
    assert_error(answer, "invalid_grant")
    assert_error(await door.exchange(desk, waiting), "invalid_grant")
    await door.refresh()
    assert_problem(await door.me(told["access_token"]), 401, "unauthenticated")


async def test_a_disabled_client_is_shut_out_at_once_and_its_tokens_soon(door: Door):
    system = await register_system(door.house)
    token = (await door.token(system, **OWN)).json()["access_token"]
    assert (await door.me(token)).status_code == 200
    assert await door.house.clients.disable(system.client.id, door.house.now())
    assert_error(await door.token(system, **OWN), "invalid_client", 401)
    await door.refresh()
    assert_problem(await door.me(token), 401, "unauthenticated")


async def test_with_an_organisation_end_its_programs_tokens_and_those_of_its_people(door: Door):
    system = await register_system(door.house)
    signed = (await door.token(system, **OWN)).json()["access_token"]
    head = await door.house.tokens.issue(KISHI.id, name="test", member=KISHI.ident("member-head"))
    assert (await door.me(signed)).status_code == 200
    retired = "UPDATE organisation SET active = $2 WHERE id = $1"
    changed = "UPDATE city SET reference_version = reference_version + 1 WHERE id = $1"
    await fetch(door.house, retired, system.client.organisation, False)
    await fetch(door.house, changed, KISHI.id)
    try:
        assert_error(await door.token(system, **OWN), "invalid_client", 401)
        assert await door.house.tokens.find(head) is None

        async def void() -> bool:
            return (await door.me(signed)).status_code == 401

        await eventually(void)
    finally:
        await fetch(door.house, retired, system.client.organisation, True)
        await fetch(door.house, changed, KISHI.id)


async def test_a_wrong_secret_and_an_unknown_client_sound_alike(door: Door, system: Registered):
    wrong = await door.post("/oauth/token", OWN, auth=(system.id, "109s_wrong"))
    unknown = await door.post("/oauth/token", OWN, auth=(str(KISHI.id), "109s_wrong"))
    for answer in (wrong, unknown):
        assert_error(answer, "invalid_client", 401)
        assert answer.headers["www-authenticate"].startswith("Basic")


async def test_a_confidential_client_never_passes_without_its_proof(door: Door, site: Registered):
    code = await door.code(site)
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER, "client_id": site.id}  # fmt: skip
    assert_error(await door.post("/oauth/token", said), "invalid_client", 401)
    said["client_secret"] = site.secret or ""
    assert_error(await door.post("/oauth/token", said), "invalid_client", 401)


@pytest.mark.parametrize(
    "more",
    [
        {"client_secret": "109s_x"},
        {"client_assertion": "x.y.z", "client_assertion_type": JWT_BEARER},
        {"client_assertion_type": JWT_BEARER},
    ],
)  # fmt: skip
async def test_a_client_proves_itself_in_one_way(door: Door, system: Registered, more: Any):
    answer = await door.post("/oauth/token", OWN | more, auth=system.basic)
    assert_error(answer, "invalid_request")


async def test_a_client_is_no_other_than_it_says(door: Door, system: Registered):
    said = OWN | {"client_id": str(KISHI.id)}
    assert_error(await door.post("/oauth/token", said, auth=system.basic), "invalid_client", 401)


async def test_secrets_may_come_in_the_body_where_a_client_was_registered_so(door: Door):
    posting = await register_system(door.house, auth_method=AuthMethod.POST)
    said = OWN | {"client_id": posting.id, "client_secret": posting.secret or ""}
    assert (await door.post("/oauth/token", said)).status_code == 200
    assert_error(await door.post("/oauth/token", OWN, auth=posting.basic), "invalid_client", 401)


async def test_a_mobile_app_cannot_come_for_itself(door: Door, app: Registered):
    assert_error(await door.token(app, **OWN), "invalid_client", 401)


class Assertion:
    """Makes client assertions, sound ones and others."""

    def __init__(self, of: Registered) -> None:
        self.of = of

    def make(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        now = int(time.time())
        said = {
            "iss": self.of.id, "sub": self.of.id, "aud": TOKEN, "iat": now, "exp": now + 60,
            "jti": f"id-{time.perf_counter_ns()}",
        } | claims  # fmt: skip
        head = {"alg": "ES256", "kid": "one"} | (header or {})
        kept = {name: value for name, value in said.items() if value is not ...}
        registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
        by: Any = key or self.of.key
        return jwt.encode(head, kept, by, registry=registry)

    def by_secret(self, secret: bytes) -> str:
        """With a MAC where a signature belongs."""
        head = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
        text = f"{head}.{self.make().split('.')[1]}"
        mac = hmac.new(secret, text.encode(), sha256).digest()
        return f"{text}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def said(self, assertion: str) -> dict[str, str]:
        return OWN | {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}


@pytest.fixture(scope="module")
async def signing(door: Door) -> Assertion:
    """A client that proves itself by signatures."""
    return Assertion(await register_signing(door.house))


@pytest.mark.parametrize("audience", [TOKEN, ISSUER])
async def test_a_signature_proves_a_client(door: Door, signing: Assertion, audience: str):
    said = signing.said(signing.make(aud=audience))
    assert (await door.post("/oauth/token", said)).status_code == 200
    assert_error(await door.post("/oauth/token", said), "invalid_client", 401)


async def test_of_two_who_bring_one_assertion_at_once_one_wins(door: Door, signing: Assertion):
    said = signing.said(signing.make())
    answers = await asyncio.gather(*(door.post("/oauth/token", said) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


def now() -> int:
    """Asked within each test: many may come before it."""
    return int(time.time())


UNSOUND = {
    "another audience": lambda a: a.make(aud="https://evil.example/token"),
    "several audiences": lambda a: a.make(aud=[TOKEN, "https://evil.example"]),
    "no audience": lambda a: a.make(aud=...),
    "expired": lambda a: a.make(iat=now() - 600, exp=now() - 120),
    "no end": lambda a: a.make(exp=...),
    "a life too long": lambda a: a.make(exp=now() + 86_400),
    "not yet valid": lambda a: a.make(nbf=now() + 3000),
    "no id": lambda a: a.make(jti=...),
    "an id that is a number": lambda a: a.make(jti=7),
    "another issuer": lambda a: a.make(iss=str(KISHI.id)),
    "an unknown client": lambda a: a.make(iss=str(KISHI.id), sub=str(KISHI.id)),
    "no subject": lambda a: a.make(sub=...),
    "another key": lambda a: a.make(key=ECKey.generate_key("P-256")),
    "an RSA key": lambda a: a.make({"alg": "RS256"}, RSAKey.generate_key(2048)),
    "the public key as a secret": lambda a: a.by_secret(a.of.key.as_pem(private=False)),
    "a secret key": lambda a: a.make({"alg": "HS256"}, OctKey.generate_key(256)),
    "a key brought along": lambda a: a.make({"jwk": a.of.key.as_dict(private=False)}),
    "a place for keys": lambda a: a.make({"jku": "https://evil.example/jwks"}),
    "an unknown kid": lambda a: a.make({"kid": "../one"}),
    "no signature": lambda a: a.make().rpartition(".")[0] + ".",
    "no token": lambda a: "x",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", UNSOUND)
async def test_an_unsound_assertion_proves_nothing(door: Door, signing: Assertion, name: str):
    answer = await door.post("/oauth/token", signing.said(UNSOUND[name](signing)))
    assert_error(answer, "invalid_client", 401)


async def test_an_assertion_of_another_kind_proves_nothing(door: Door, signing: Assertion):
    said = signing.said(signing.make())
    for kind in ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "x"):
        answer = await door.post("/oauth/token", said | {"client_assertion_type": kind})
        assert_error(answer, "invalid_client", 401)


async def test_a_client_with_a_secret_is_not_proved_by_an_assertion(
    door: Door, system: Registered, signing: Assertion
):
    other = Assertion(system)
    said = other.said(other.make(key=signing.of.key))
    assert_error(await door.post("/oauth/token", said), "invalid_client", 401)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("grant_type=client_credentials&grant_type=client_credentials", FORM),
        ("grant_type=client_credentials&scope=appeals:read&scope=appeals:read", FORM),
        ("grant_type=client_credentials&scope=%C3%A9", FORM),
        ("grant_type=client_credentials&scope=%00", FORM),
        ("grant_type=client_credentials&x=" + "x" * 20_000, FORM),
        ("&".join(f"x{n}=1" for n in range(50)), FORM),
        (b"grant_type=\xff\xfe", FORM),
        ('{"grant_type": "client_credentials"}', "application/json"),
        ("grant_type=client_credentials", "text/plain"),
        ("grant_type=client_credentials", FORM + "; charset=utf-16"),
        ("", "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
async def test_a_form_is_read_strictly(door: Door, system: Registered, content: Any, kind: str):
    async with door.client() as client:
        answer = await client.post(
            "/oauth/token", content=content, headers={"content-type": kind}, auth=system.basic
        )
    assert_error(answer, "invalid_request")


async def test_no_credentials_are_read_from_an_address(door: Door, system: Registered):
    async with door.client() as client:
        answer = await client.post(
            "/oauth/token",
            params=OWN | {"client_id": system.id, "client_secret": system.secret or ""},
            content="",
            headers={"content-type": FORM},
        )
    assert_error(answer, "invalid_request")


async def test_the_token_endpoint_is_asked_by_post_alone(door: Door):
    async with door.client() as client:
        answer = await client.get("/oauth/token")
    assert_problem(answer, 405, "method-not-allowed")
    assert "POST" in answer.headers["allow"]
