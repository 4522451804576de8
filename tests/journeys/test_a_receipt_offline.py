"""The verifier of docs/, run as anybody would: a file, a key, no network, nothing of ours."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Role
from integrations.vault.signer import Signer, verify
from tests.house.source import ROOT
from tests.support.city import KISHI
from tests.support.register import cosign, signed
from tests.support.rest import Callers, issue_tokens, make_callers_app, running

SCRIPT = ROOT / "docs" / "verify_receipt.py"
SPACE: dict[str, Any] = {}
exec(compile(SCRIPT.read_text(), str(SCRIPT), "exec"), SPACE)


def run(path: Path, *key: str) -> subprocess.CompletedProcess[str]:
    """The script in an interpreter without any package, optimised or not."""
    command = [sys.executable, "-I", "-S", "-O", str(SCRIPT), str(path), *key]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
async def given_out(house):
    """A receipt and a proof, as a resident gets them, with a witness's line under them."""
    tokens = await issue_tokens(house)
    async with running(make_callers_app(house.settings, rate_limit=0)) as app:
        callers = Callers(app, house, KISHI, tokens)
        for _ in range(5):
            await callers.register()
        appeal = await callers.register(Role.CITIZEN, applicant=...)
        number = appeal["number"]
        comment = {"text": "Іштей", "internal": True}
        await callers.act(number, "comment", comment, role=Role.OPERATOR)
        for _ in range(4):
            await callers.register()
        checkpoint = await signed(house)
        body = {"size": checkpoint.size, "cosignature": str(cosign(checkpoint))}
        await callers.call("POST", "/v1/register/cosignatures", body, role=Role.AUDITOR)
        path = f"/v1/appeals/{number}"
        answers = [
            await callers.call("GET", f"{path}/{what}", role=Role.CITIZEN)
            for what in ("receipt", "proof")
        ]
    return [answer.json() for answer in answers]


def check(document, key=None):
    return SPACE["check"](document, key or document["key"])


@pytest.mark.parametrize("which", [0, 1], ids=["receipt", "proof"])
def test_what_the_resident_was_given_is_proved(given_out, tmp_path, which):
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given_out[which]))
    for key in ((), (given_out[which]["key"],)):
        answer = run(file, *key)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.startswith(given_out[which]["number"])


def test_another_register_is_not_believed(given_out, tmp_path):
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given_out[0]))
    stranger = str(Signer(bytes(32)).key("ikomek109/kishi"))
    answer = run(file, stranger)
    assert answer.returncode == 1
    assert answer.stderr == "NOT PROVED: the signature is wrong\n"


def bent(text: str, at: int) -> str:
    """The same with one sign changed."""
    at %= len(text)
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


TAMPERED = {
    "event": lambda d: d | {"event": d["event"].replace("assigned", "resolved", 1)},
    "leaf": lambda d: d | {"leaf": bent(d["leaf"], 5)},
    "index": lambda d: d | {"index": d["index"] + 1},
    "far index": lambda d: d | {"index": 10**6},
    "path": lambda d: d | {"path": [bent(d["path"][0], 3), *d["path"][1:]]},
    "short path": lambda d: d | {"path": d["path"][:-1]},
    "long path": lambda d: d | {"path": [*d["path"], d["leaf"]]},
    "number": lambda d: d | {"number": "KIS-2026-999999"},
    "size": lambda d: d | {"checkpoint": d["checkpoint"].replace("\n", "\n1", 1)},
    "root": lambda d: d | {"checkpoint": bent(d["checkpoint"], 25)},
    "signature": lambda d: d | {"checkpoint": bent(d["checkpoint"], d["checkpoint"].index("+") - 3)
                                if "+" in d["checkpoint"] else bent(d["checkpoint"], 130)},
    "no signature": lambda d: d | {"checkpoint": d["checkpoint"].split("\n\n")[0] + "\n\n"},
    "text": lambda d: d | {"personal": {"text": d["personal"]["text"] | {"text": "Басқа"}}},
    "salt": lambda d: d | {"personal": {"text": d["personal"]["text"] | {"salt": "00" * 16}}},
    "nothing sealed": lambda d: d | {"index": None, "path": None},
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_receipt_is_not_proved(given_out, what):
    check(given_out[0])
    with pytest.raises((ValueError, KeyError, TypeError, IndexError)):
        check(TAMPERED[what](given_out[0]))


def test_a_proof_without_one_of_its_events_is_not_proved(given_out):
    proof = given_out[1]
    assert [event["event"] is None for event in proof["events"]].count(True) == 1
    for at in range(len(proof["events"]) - 1):
        fewer = proof["events"][:at] + proof["events"][at + 1 :]
        if proof["events"][at + 1]["event"] is not None:
            with pytest.raises(ValueError, match="chain is broken"):
                check(proof | {"events": fewer})


@settings(max_examples=30, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=80),
    bit=st.integers(0, 511),
)
def test_its_ed25519_judges_as_the_library_does(seed, message, bit):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert SPACE["is_signed"](public, message, signature)
    wrong = bytearray(signature)
    wrong[bit // 8] ^= 1 << bit % 8
    for forged in ((public, message, bytes(wrong)), (public, message + b"x", signature)):
        assert not verify(forged[0], forged[2], forged[1])
        # A first half that is no point of the curve cannot even be read.
        with suppress(ValueError):
            assert not SPACE["is_signed"](*forged)
