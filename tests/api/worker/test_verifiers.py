"""What we really send, over HTTP and from the worker, as receivers' own libraries judge it."""

import base64
import json
import shutil
import subprocess
from contextlib import AsyncExitStack

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as Svix
from svix.webhooks import WebhookVerificationError as SvixError

from api import clock
from domain.access import Role
from domain.webhooks.secrets import new_secret
from tests.house.source import ROOT
from tests.integrations.webhooks.receiver import receiver
from tests.support.appeals import add_endpoint, register
from tests.support.city import KISHI
from tests.support.sql import fetch
from tests.support.worker import eventually, scheduling, working

OLD, NEW, STRANGE = (new_secret(bytes([number]) * 32) for number in (1, 2, 3))
KAZAKH = {
    "type": "endpoint.test",
    "data": {"text": "Үйде әбден суық: жылу жоқ, ғимарат — «Нұр» № 5"},
}
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
JUDGE = ROOT / "judges" / "webhooks"


@pytest.fixture(params=[(NEW, OLD), (OLD, NEW), (NEW,)], ids=["new-old", "old-new", "one"])
async def sent(request, carried):
    """(headers, body) of three messages that the worker sent, amid a rotation; the secrets."""
    secrets = request.param
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(receiver())
        await stack.enter_async_context(scheduling(carried))
        await stack.enter_async_context(working(carried.settings))
        endpoint = await add_endpoint(carried, there.url(), secrets=secrets, ed25519=True)
        await register(carried)
        async with carried.units.open(KISHI.principal(Role.HEAD, organisation=KISHI.water)) as uow:
            body = json.dumps(KAZAKH, ensure_ascii=False).encode()
            await uow.endpoints.send(endpoint, "endpoint.test", body, at=carried.now())
            await uow.commit()

        async def arrived():
            return len(there.requests) == 3

        await eventually(arrived)
        yield [({n: r.headers[n] for n in SIGNED}, r.body) for r in there.requests], secrets
    await fetch(carried, "UPDATE webhook_endpoint SET removed_at = now(), enabled = false")


def tampered(headers, body):
    """Every way to change a message that we could think of, each named."""
    later = str(int(headers["webhook-timestamp"]) + 1)
    past = str(int(headers["webhook-timestamp"]) - 301)
    signature = headers["webhook-signature"]
    flipped = " ".join(
        one[:10] + ("A" if one[10] != "A" else "B") + one[11:] for one in signature.split(" ")
    )
    yield "another body", headers, body.replace(b"{", b"{ ", 1)
    yield "a body cut short", headers, body[:-1]
    yield "a body with more", headers, body + b"\n"
    yield "no body", headers, b""
    yield "a body escaped", headers, json.dumps(json.loads(body)).encode() + b" "
    yield "another id", headers | {"webhook-id": headers["webhook-id"][::-1]}, body
    yield "a later time", headers | {"webhook-timestamp": later}, body
    yield "an earlier time", headers | {"webhook-timestamp": past}, body
    yield "no time", headers | {"webhook-timestamp": ""}, body
    yield "no signature", headers | {"webhook-signature": ""}, body
    yield "an empty v1", headers | {"webhook-signature": "v1,"}, body
    yield "a bit of every signature", headers | {"webhook-signature": flipped}, body
    yield "another version", headers | {"webhook-signature": signature.replace("v1", "v2")}, body
    # The border between time and body moved: what is signed must not read the same.
    moved = headers | {"webhook-timestamp": headers["webhook-timestamp"][:-1]}
    yield "a border moved", moved, headers["webhook-timestamp"][-1:].encode() + b"." + body


def by_standard(secret, headers, body):
    try:
        Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError):
        return False
    return True


def by_svix(secret, headers, body):
    try:
        Svix(secret).verify(body, dict(headers))
    except (SvixError, ValueError):
        return False
    return True


def by_cryptography(public, headers, body):
    """The scheme v1a, which the reference libraries leave out."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = Ed25519PublicKey.from_public_bytes(public)
    for one in headers["webhook-signature"].split(" "):
        if one.startswith("v1a,"):
            try:
                key.verify(base64.b64decode(one.removeprefix("v1a,")), signed)
            except InvalidSignature:
                continue
            return True
    return False


@pytest.mark.parametrize("judge", [by_standard, by_svix], ids=["standardwebhooks", "svix"])
def test_the_reference_verifiers_take_what_we_send_and_nothing_else(sent, judge):
    messages, secrets = sent
    for headers, body in messages:
        for secret in secrets:
            assert judge(secret, headers, body)
            for what, forged, altered in tampered(headers, body):
                assert not judge(secret, forged, altered), what
        assert not judge(STRANGE, headers, body)
    assert KAZAKH in [json.loads(body) for _, body in messages]


async def test_the_open_signature_is_taken_by_a_foreign_verifier_and_nothing_else(sent, house):
    messages, _ = sent
    (key,) = await house.webhook_keys.signing(clock.real())
    for headers, body in messages:
        assert by_cryptography(key.public, headers, body)
        assert not by_cryptography(key.public[::-1], headers, body)
        for what, forged, altered in tampered(headers, body):
            assert not by_cryptography(key.public, forged, altered), what


def judged(cases):
    """The verdicts of the JavaScript verifiers."""
    if not shutil.which("node"):
        pytest.skip("node is not on this machine")
    if not (JUDGE / "node_modules").exists():
        pytest.skip("the verifiers are not installed: npm install --prefix judges/webhooks")
    done = subprocess.run(
        ["node", "verify.js"], cwd=JUDGE, input=json.dumps({"cases": cases}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


async def test_the_verifiers_for_javascript_take_what_we_send_and_nothing_else(sent, house):
    messages, secrets = sent
    (key,) = await house.webhook_keys.signing(clock.real())
    cases, wanted = [], []

    def add(headers, body, secret, what, *, good):
        cases.append(
            {"headers": headers, "body": base64.b64encode(body).decode(), "secret": secret,
             "public": key.shown}
        )  # fmt: skip
        wanted.append((what, good))

    for headers, body in messages:
        for secret in secrets:
            add(headers, body, secret, "as it was sent", good=True)
            for what, forged, altered in tampered(headers, body):
                add(forged, altered, secret, what, good=False)
    verdicts = judged(cases)
    assert len(verdicts) == len(wanted) >= 45
    for (what, good), verdict in zip(wanted, verdicts, strict=True):
        assert verdict == {"standardwebhooks": good, "svix": good, "v1a": good}, what
    # With a stranger's secret the shared signature fails, and the open one does not care.
    headers, body = messages[0]
    encoded = base64.b64encode(body).decode()
    (strange,) = judged(
        [{"headers": headers, "body": encoded, "secret": STRANGE, "public": key.shown}]
    )
    assert strange == {"standardwebhooks": False, "svix": False, "v1a": True}
