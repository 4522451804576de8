"""Forged, foreign, ended and repurposed access tokens stand for nobody."""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.auth import Authenticator
from api.errors import Unauthenticated
from tests.support.oauth import ISSUER, Door, Registered
from tests.support.rest import assert_problem


def encoded(part: Any) -> str:
    raw: bytes = part if isinstance(part, bytes) else orjson.dumps(part)
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> Any:
    return orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture(scope="module")
async def sound(door: Door, site: Registered) -> str:
    """A token that stands for the resident."""
    token: str = (await door.tokens(site))["access_token"]
    assert (await door.me(token)).status_code == 200
    return token


class Forge:
    """Makes tokens from a sound one: other headers, other claims, our own key or another."""

    def __init__(self, door: Door, sound: str) -> None:
        self.door, self.sound = door, sound
        head, body, self.signature = sound.split(".")
        self.header, self.claims = decoded(head), decoded(body)
        self.kept = door.house.trust.keys[-1]
        self.ours = ECKey.import_key(self.kept.private)
        self.theirs = ECKey.generate_key("P-256", private=True)

    def by_us(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Signed by our own key: whatever is refused is refused for what it says."""
        return self.signed(self.ours, header, **claims)

    def signed(self, key: Any, header: dict[str, Any] | None = None, **claims: Any) -> str:
        said = {n: v for n, v in (self.claims | claims).items() if v is not ...}
        head = {n: v for n, v in (self.header | (header or {})).items() if v is not ...}
        registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
        return jws.serialize_compact(head, orjson.dumps(said), key, registry=registry)

    def hs256(self, secret: bytes, header: dict[str, Any] | None = None) -> str:
        head = encoded(self.header | {"alg": "HS256"} | (header or {}))
        text = f"{head}.{encoded(self.claims)}"
        return f"{text}.{encoded(hmac.new(secret, text.encode(), sha256).digest())}"

    def renamed(self, kid: Any) -> str:
        """Sound but for the key's name."""
        return f"{encoded(self.header | {'kid': kid})}.{self.sound.partition('.')[2]}"

    def unsigned(self, alg: str) -> str:
        return f"{encoded(self.header | {'alg': alg})}.{encoded(self.claims)}."


@pytest.fixture
def forge(door: Door, sound: str) -> Forge:
    return Forge(door, sound)


def by_secret(read: Callable[[ECKey], bytes], forge: "Forge") -> str:
    return forge.hs256(read(forge.ours))


def now() -> int:
    """Asked within each test: many may come before it."""
    return int(time.time())


PUBLIC_FORMS: dict[str, Callable[[Any], bytes]] = {
    "pem": lambda key: key.as_pem(private=False),
    "der": lambda key: key.as_der(private=False),
    "jwk": lambda key: orjson.dumps(key.as_dict(private=False)),
    "x": lambda key: key.as_dict(private=False)["x"].encode(),
    "empty": lambda key: b"",
}
FORGERIES: dict[str, Callable[["Forge"], str]] = {
    "alg none": lambda f: f.unsigned("none"),
    "alg None": lambda f: f.unsigned("None"),
    "alg nOnE": lambda f: f.unsigned("nOnE"),
    "no alg": lambda f: f"{encoded({'typ': 'at+jwt', 'kid': f.header['kid']})}.x.x",
    "no signature": lambda f: f.sound.rpartition(".")[0] + ".",
    "no third part": lambda f: f.sound.rpartition(".")[0],
    "four parts": lambda f: f.sound + "." + f.signature,
    **{
        f"our public key as a secret, {form}": partial(by_secret, read)
        for form, read in PUBLIC_FORMS.items()
    },
    "an RSA signature": lambda f: f.signed(RSAKey.generate_key(2048), {"alg": "RS256"}),
    "a secret key": lambda f: f.signed(OctKey.generate_key(256), {"alg": "HS256"}),
    "another EC key": lambda f: f.signed(f.theirs),
    "another key under no id": lambda f: f.signed(f.theirs, {"kid": ...}),
    "no kid": lambda f: f.by_us({"kid": ...}),
    "unknown kid": lambda f: f.by_us({"kid": "another"}),
    "kid that climbs": lambda f: f.hs256(b"", {"kid": "../../../../dev/null"}),
    "kid of a file": lambda f: f.by_us({"kid": "/proc/self/environ"}),
    "kid that injects": lambda f: f.by_us({"kid": "x' UNION SELECT 'key' --"}),
    "kid of a command": lambda f: f.by_us({"kid": "|/usr/bin/id"}),
    "kid that is a number": lambda f: f.renamed(1),
    "kid that is a list": lambda f: f.renamed([]),
    "a key of its own": lambda f: f.signed(f.theirs, {"jwk": f.theirs.as_dict(private=False)}),
    "our key brought along": lambda f: f.by_us({"jwk": f.ours.as_dict(private=False)}),
    "a place for keys": lambda f: f.signed(f.theirs, {"jku": "https://evil.example/jwks"}),
    "our place for keys": lambda f: f.by_us({"jku": f"{ISSUER}/oauth/jwks"}),
    "a certificate's place": lambda f: f.by_us({"x5u": "https://evil.example/x.pem"}),
    "a certificate": lambda f: f.by_us({"x5c": ["MIIB"]}),
    "critical extensions": lambda f: f.by_us({"crit": ["b64"], "b64": True}),
    "a compressed body": lambda f: f.by_us({"zip": "DEF"}),
    "a body beside": lambda f: f.by_us({"b64": True}),
    "no type": lambda f: f.by_us({"typ": ...}),
    "the type of an id_token": lambda f: f.by_us({"typ": "JWT"}),
    "the long type": lambda f: f.by_us({"typ": "application/at+jwt"}),
    "a logout token's type": lambda f: f.by_us({"typ": "logout+jwt"}),
    "expired": lambda f: f.by_us(iat=now() - 700, exp=now() - 40),
    "no end": lambda f: f.by_us(exp=...),
    "an end that is a text": lambda f: f.by_us(exp=str(now() + 600)),
    "an end that is a fraction": lambda f: f.by_us(exp=now() + 600.5),
    "an end that is true": lambda f: f.by_us(exp=True),
    "not yet valid": lambda f: f.by_us(nbf=now() + 120),
    "issued in the future": lambda f: f.by_us(iat=now() + 120),
    "no time of issue": lambda f: f.by_us(iat=...),
    "another audience": lambda f: f.by_us(aud="https://other.example/v1"),
    "the issuer as audience": lambda f: f.by_us(aud=ISSUER),
    "the client as audience": lambda f: f.by_us(aud=f.claims["client_id"]),
    "several audiences": lambda f: f.by_us(aud=[f.claims["aud"], "https://other.example"]),
    "no audience": lambda f: f.by_us(aud=...),
    "another issuer": lambda f: f.by_us(iss="https://evil.example"),
    "an issuer with a slash": lambda f: f.by_us(iss=ISSUER + "/"),
    "no issuer": lambda f: f.by_us(iss=...),
    "no subject": lambda f: f.by_us(sub=...),
    "a subject that is no id": lambda f: f.by_us(sub="1 OR 1=1"),
    "an unknown role": lambda f: f.by_us(role="root"),
    "no client": lambda f: f.by_us(client_id=...),
    "no jti": lambda f: f.by_us(jti=...),
    "no session": lambda f: f.by_us(sid=...),
    "scopes as a list": lambda f: f.by_us(scope=["appeals:read"]),
    "claims that are a list": lambda f: f"{f.sound.split('.')[0]}.{encoded([])}.{f.signature}",
    "claims that are no JSON": lambda f: f"{f.sound.split('.')[0]}.{encoded(b'x')}.{f.signature}",
    "another role under the signature": lambda f: ".".join(
        (encoded(f.header), encoded(f.claims | {"role": "administrator"}), f.signature)
    ),
    "another scope under the signature": lambda f: ".".join(
        (encoded(f.header), encoded(f.claims | {"scope": "webhooks:manage"}), f.signature)
    ),
    "a signature turned": lambda f: f.sound[:-10] + f.sound[-10:][::-1],
    "a signature of nought": lambda f: f"{f.sound.rpartition('.')[0]}.{encoded(bytes(64))}",
    "a signature in DER": lambda f: f.sound + "AA",
    "a longer token than any": lambda f: f.by_us(note="x" * 5000),
    "a letter that is none": lambda f: f.sound[:-1] + "é",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_stands_for_nobody(door: Door, forge: Forge, name: str):
    token = FORGERIES[name](forge)
    assert token != forge.sound
    async with door.client() as client:
        headers = {b"authorization": f"Bearer {token}".encode()}
        answer = await client.get("/v1/me", headers=headers)
    assert_problem(answer, 401, "unauthenticated")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_what_the_forge_makes_without_a_change_stands(door: Door, forge: Forge):
    assert (await door.me(forge.by_us())).status_code == 200


async def test_an_id_token_opens_nothing(door: Door, site: Registered):
    told = await door.tokens(site)
    assert_problem(await door.me(told["id_token"]), 401, "unauthenticated")
    answer = await door.get("/oauth/userinfo", told["id_token"])
    assert_problem(answer, 401, "unauthenticated")


async def test_a_refresh_token_opens_nothing(door: Door, site: Registered):
    told = await door.tokens(site)
    assert_problem(await door.me(told["refresh_token"]), 401, "unauthenticated")


async def test_a_token_in_the_address_is_not_looked_at(door: Door, sound: str):
    async with door.client() as client:
        answer = await client.get("/v1/me", params={"access_token": sound})
    assert_problem(answer, 401, "unauthenticated")


async def test_without_a_token_no_error_is_named(door: Door):
    async with door.client() as client:
        answer = await client.get("/v1/me")
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="ikomek"'


async def test_a_token_that_was_known_ends_with_its_time(door: Door, forge: Forge):
    house = door.house
    clock = [time.time()]
    judging = Authenticator(house.tokens.find, house.trust, house.trees, lambda: clock[0])
    assert judging.judge(forge.sound).citizen
    clock[0] += 700
    with pytest.raises(Unauthenticated):
        judging.judge(forge.sound)
