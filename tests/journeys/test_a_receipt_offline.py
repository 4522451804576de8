"""The verifier of docs/, run as anybody would: a file, a key, no network, nothing of ours."""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pymerkle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError

from api.bootstrap import read_signer
from domain.access import Role
from domain.register.canonical import leaf_hash
from domain.register.checkpoint import Checkpoint, parse_checkpoint, parse_key
from domain.register.tree import consistency_ranges, root_of
from integrations.vault.signer import Signer, verify
from tests.house.source import ROOT
from tests.support.city import KISHI
from tests.support.foreign import (
    pymerkle_tree,
    pymerkle_verifies_growth,
    pymerkle_verifies_leaf,
    rekor_entry,
    sigstore_verifies_note,
)
from tests.support.register import cosign, signed
from tests.support.rest import Callers, issue_tokens, make_callers_app, running
from tests.support.sql import fetch

SCRIPT = ROOT / "docs" / "verify_receipt.py"
SPACE: dict[str, Any] = {}
exec(compile(SCRIPT.read_text(), str(SCRIPT), "exec"), SPACE)


def run(path: Path, *key: object) -> subprocess.CompletedProcess[str]:
    """The script in an interpreter without any package, optimised or not."""
    command = [sys.executable, "-I", "-S", "-O", str(SCRIPT), str(path), *map(str, key)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
async def given_out(house):
    """A receipt and a proof, as a resident gets them, with a witness's line under them; and what
    an inspector gets of the same appeal."""
    tokens = await issue_tokens(house)
    async with running(make_callers_app(house.settings, rate_limit=0)) as app:
        callers = Callers(app, house, KISHI, tokens)
        for _ in range(5):
            await callers.register()
            await signed(house)
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
            await callers.call("GET", f"{path}/{what}", role=role)
            for role in (Role.CITIZEN, Role.INSPECTOR)
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


def moved(opened: dict[str, str], letters: int) -> dict[str, str]:
    """The first letters taken off the text and put at the end of its salt."""
    text = opened["text"]
    salt = opened["salt"] + text[:letters].encode().hex()
    return {"text": text[letters:], "salt": salt}


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
    # Of the log's own line, which is the first; the witnesses' stand below it.
    "signature": lambda d: d | {
        "checkpoint": bent(d["checkpoint"], d["checkpoint"].index("— ") + 40)
    },
    "no signature": lambda d: d | {"checkpoint": d["checkpoint"].split("\n\n")[0] + "\n\n"},
    "text": lambda d: d | {"personal": {"text": d["personal"]["text"] | {"text": "Басқа"}}},
    "salt": lambda d: d | {"personal": {"text": d["personal"]["text"] | {"salt": "00" * 16}}},
    # The words are longer than what is moved, and what is hashed is the same.
    "cut text": lambda d: d | {"personal": {"text": moved(d["personal"]["text"], 2)}},
    "nothing sealed": lambda d: d | {"index": None, "path": None},
    # Any leaf of the register has a true path: it is the bytes that say whose it is.
    "nothing shown": lambda d: d | {"event": None, "personal": {}},
    "nothing shown of another": lambda d: d | {
        "event": None, "personal": {}, "number": "KIS-2026-999999"
    },
    "nothing shown but texts": lambda d: d | {"event": None},
    "any texts": lambda d: d | {
        "event": None, "personal": {"text": {"text": "Басқа", "salt": "00" * 16}}
    },
    "no events": lambda d: d | {"events": []},
    "events that nobody sees": lambda d: d | {
        "events": [d | {"event": None}, d | {"event": None}], "personal": {}
    },
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


def count(document):
    """How many events the verifier says that a document proves; 0 where it refuses."""
    try:
        return int(check(document).split(": ")[1].split()[0])
    except ValueError:
        return 0


def without(proof, *hidden, fresh=()):
    """The proof with the bytes of some of its events hidden, and some not sealed yet."""
    return proof | {
        "events": [
            event
            | ({"event": None} if at in hidden else {})
            | ({"index": None, "path": None} if at in fresh else {})
            for at, event in enumerate(proof["events"])
        ]
    }


def test_what_is_hidden_is_proved_where_a_sealed_event_names_it_and_nowhere_else(given_out):
    proof = given_out[1]
    *shown, last = [event["event"] is not None for event in proof["events"]]
    assert (shown, last) == ([True, True], False), "registered, assigned, a word among colleagues"
    assert count(proof) == 2
    assert count(without(proof, 0)) == 2, "the second names the first"
    assert count(without(proof, 1)) == 1, "who follows the first is not told"
    assert count(without(proof, 0, fresh=[1])) == 0, "what is not sealed can name anything"
    assert count(without(proof, 0, 1)) == 0
    with pytest.raises(ValueError, match="both sealed and shown"):
        check(without(proof, 0, 1) | {"number": "KIS-2026-999999"})


def test_the_platform_says_itself_how_much_it_proves_and_to_whom(given_out):
    of_staff, proof_of_staff = given_out[2:]
    assert of_staff["event"] is None, "its bytes name the resident"
    hidden = [one["event"] is None for one in proof_of_staff["events"]]
    assert hidden == [True, True, False], "the word names the assignment, and nothing the first"
    assert [one["proved"] for one in given_out] == [1, 2, 0, 2]
    assert [count(one) for one in given_out] == [1, 2, 0, 2]


@dataclass(frozen=True)
class Grown:
    """All checkpoints by their size, the proofs of growth between them, and the log's key."""

    notes: dict[int, str]
    proofs: list[dict[str, Any]]
    key: str
    entries: list[bytes]

    def between(self, old: int, new: int) -> dict[str, Any]:
        """The proof for two sizes."""
        return next(one for one in self.proofs if (one["from"], one["to"]) == (old, new))

    def check(self, proof: dict[str, Any], **notes: str) -> str:
        """What the script says of a proof and of the checkpoints that it is between."""
        older = notes.get("older") or self.notes[proof["from"]]
        newer = notes.get("newer") or self.notes[proof["to"]]
        answer: str = SPACE["check_growth"](proof, self.key, older, newer)
        return answer


@pytest.fixture(scope="module")
async def grown(house, given_out):
    """What the API tells to everybody of a log that grew on, by one and by more."""
    tokens = await issue_tokens(house)
    async with running(make_callers_app(house.settings, rate_limit=0)) as app:
        callers = Callers(app, house, KISHI, tokens)
        for text in ("Бір", "Екі", "Үш"):
            await callers.act(
                given_out[0]["number"], "comment", {"text": text, "internal": False},
                role=Role.OPERATOR,
            )  # fmt: skip
            await signed(house)

        async def ask(path: str) -> Any:
            answer = await callers.call("GET", f"/v1/register/{path}", role=None)
            assert answer.status_code == 200, answer.text
            return answer.json()

        checkpoints = (await ask("checkpoints"))["items"]
        notes = {one["size"]: one["checkpoint"] for one in checkpoints}
        proofs = [
            await ask(f"consistency?from={old}&to={new}")
            for new in notes for old in notes if old <= new
        ]  # fmt: skip
        key = (await ask("keys"))["keys"][0]["key"]
    rows = await fetch(
        house, "SELECT e.canonical FROM log_leaf l JOIN event e ON e.id = l.event_id"
        " WHERE l.city_id = $1 ORDER BY l.index", KISHI.id,
    )  # fmt: skip
    return Grown(notes, proofs, key, [bytes(row["canonical"]) for row in rows])


def test_growth_from_a_receipt_to_the_newest_checkpoint_is_proved(given_out, grown, tmp_path):
    receipt, growth, newest = (tmp_path / name for name in ("receipt", "growth", "newest"))
    receipt.write_text(json.dumps(given_out[0]))
    newest.write_text(grown.notes[max(grown.notes)])
    old = int(given_out[0]["checkpoint"].split("\n")[1])
    growth.write_text(json.dumps(grown.between(old, max(grown.notes))))
    answer = run(growth, grown.key, receipt, newest)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith(f"ikomek109/kishi: the {max(grown.notes)} leaves begin with")
    for order in ((newest, receipt), (receipt, receipt), (newest, newest)):
        answer = run(growth, grown.key, *order)
        assert answer.returncode == 1
        assert answer.stderr == "NOT PROVED: a proof of other checkpoints\n"


def test_growth_between_any_two_checkpoints_is_proved(grown):
    sizes = set(grown.notes)
    assert {2, 4, 8, 10} <= sizes
    assert any(size % 2 for size in sizes)
    for proof in grown.proofs:
        assert grown.check(proof)


def test_no_other_path_is_taken_for_growth(grown):
    for proof in grown.proofs:
        path = proof["path"]
        wrong = [[*path[:at], bent(path[at], 3), *path[at + 1 :]] for at in range(len(path))]
        for other in (*wrong, [*path, "00" * 32], path[1:] if path else ["00" * 32]):
            with pytest.raises(ValueError, match=r"path|begin"):
                grown.check(proof | {"path": other})


def test_a_checkpoint_that_was_bent_or_signed_by_a_stranger_proves_no_growth(grown):
    newest = max(grown.notes)
    proof = grown.between(10, newest)
    unsigned = parse_checkpoint(grown.notes[newest])
    stranger = str(Signer(bytes(32)).sign(replace(unsigned, signatures=())))
    root = grown.notes[newest].replace(grown.notes[newest].split("\n")[2], "A" * 43 + "=")
    for newer in (stranger, root):
        with pytest.raises(ValueError, match="signature is wrong"):
            grown.check(proof, newer=newer)


def test_another_history_signed_by_the_logs_own_key_is_no_growth(house, grown):
    """Its proof is right within itself, and the checkpoint that was kept is none of its."""
    newest = max(grown.notes)
    forged = [leaf_hash(b"another registration"), *map(leaf_hash, grown.entries[1:newest])]
    signer = read_signer(house.settings)
    newer = str(signer.sign(Checkpoint("ikomek109/kishi", newest, root_of(forged))))
    for old in set(grown.notes) - {newest}:
        steps = [root_of(forged[begin:end]) for begin, end in consistency_ranges(old, newest)]
        proof = grown.between(old, newest) | {"path": [step.hex() for step in steps]}
        own = str(signer.sign(Checkpoint("ikomek109/kishi", old, root_of(forged[:old]))))
        assert grown.check(proof, older=own, newer=newer)
        with pytest.raises(ValueError, match="does not begin with"):
            grown.check(proof, newer=newer)


def test_foreign_verifiers_accept_the_receipt_and_the_proof(given_out):
    receipt, proof = given_out[:2]
    checkpoint, key = parse_checkpoint(receipt["checkpoint"]), parse_key(receipt["key"])
    sigstore_verifies_note(receipt["checkpoint"], checkpoint.root, key)
    sealed = [event for event in (receipt, *proof["events"]) if event["index"] is not None]
    assert len(sealed) == 1 + len(proof["events"])
    for event in sealed:
        path = [bytes.fromhex(step) for step in event["path"]]
        place = event["index"], checkpoint.size, path
        pymerkle_verifies_leaf(bytes.fromhex(event["leaf"]), *place, checkpoint.root)
        with pytest.raises(pymerkle.InvalidProof):
            pymerkle_verifies_leaf(leaf_hash(b"forged"), *place, checkpoint.root)
        if event["event"] is not None:
            verify_merkle_inclusion(rekor_entry(event["event"].encode(), *place, checkpoint.root))
            changed = event["event"].replace("assigned", "resolved", 1).encode() + b" "
            with pytest.raises(VerificationError):
                verify_merkle_inclusion(rekor_entry(changed, *place, checkpoint.root))


def test_foreign_verifiers_accept_every_checkpoint_and_its_growth(grown):
    key = parse_key(grown.key)
    roots = {}
    for size, note in grown.notes.items():
        roots[size] = pymerkle_tree(grown.entries[:size]).get_state()
        sigstore_verifies_note(note, roots[size], key)
        for other in (Signer(bytes(32)).key(key.name), replace(key, name="ikomek109/alys")):
            with pytest.raises(VerificationError):
                sigstore_verifies_note(note, roots[size], other)
        with pytest.raises(VerificationError):
            sigstore_verifies_note(note, bytes(32), key)
    for proof in grown.proofs:
        old, new = proof["from"], proof["to"]
        path = [bytes.fromhex(step) for step in proof["path"]]
        both = roots[old], roots[new]
        pymerkle_verifies_growth(grown.entries, old, new, path, both)
        for at in range(len(path)):
            forged = [*path[:at], bytes(32), *path[at + 1 :]]
            with pytest.raises(pymerkle.InvalidProof):
                pymerkle_verifies_growth(grown.entries, old, new, forged, both)


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
