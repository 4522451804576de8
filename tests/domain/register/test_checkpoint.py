"""Checkpoints in the forms of C2SP, as foreign programs write and read them."""

from base64 import b64encode
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigstore._internal.rekor.checkpoint import SignedCheckpoint

from domain.register.checkpoint import (
    COSIGNATURE,
    Checkpoint,
    Key,
    NotACheckpoint,
    cosigned_at,
    is_signed,
    parse_checkpoint,
    parse_key,
)
from integrations.vault.signer import Signer, parse_signer, signer_file, verify
from tests.support.register import WITNESS, cosign

SIGNER = Signer(bytes(range(32)))
ORIGIN = "ikomek109/semey"
SIGNED = SIGNER.sign(Checkpoint(ORIGIN, 109, bytes(range(32))))
KEY = SIGNER.key(ORIGIN)


def test_a_key_of_gos_checksum_database_is_read_as_go_reads_it():
    said = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    key = parse_key(said)
    assert key.name == "sum.golang.org"
    assert str(key) == said


@pytest.mark.parametrize(
    "text", ["", "a", "a+b", "semey+00000000+AQ==", f"x{KEY}", str(KEY).replace("+A", "+B", 1),
             str(KEY)[:-4], f"{KEY.name}+00000000+{str(KEY).split('+', 2)[2]}"],
)  # fmt: skip
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match="key"):
        parse_key(text)


def test_a_checkpoint_is_three_lines_and_a_signature():
    lines = str(SIGNED).split("\n")
    assert lines[:4] == [ORIGIN, "109", b64encode(bytes(range(32))).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]
    assert parse_checkpoint(str(SIGNED)) == SIGNED
    assert is_signed(SIGNED, KEY, verify)


def test_sigstore_reads_our_checkpoints():
    both = SIGNED.with_signatures([cosign(SIGNED)])
    read = SignedCheckpoint.from_text(str(both))
    assert (read.checkpoint.origin, read.checkpoint.log_size) == (ORIGIN, 109)
    assert read.checkpoint.log_hash == bytes(range(32)).hex()
    assert read.signed_note.note.encode() == SIGNED.body.encode()
    assert [one.sig_hash for one in read.signed_note.signatures] == [KEY.id, WITNESS.id]


def test_a_signature_is_of_these_very_lines_and_of_this_key():
    for other in (
        replace(SIGNED, size=110),
        replace(SIGNED, root=bytes(32)),
        replace(SIGNED, origin="ikomek109/alys"),
        replace(SIGNED, signatures=()),
    ):
        assert not is_signed(other, KEY, verify)
    assert not is_signed(SIGNED, Signer(bytes(32)).key(ORIGIN), verify)
    assert not is_signed(SIGNED, replace(KEY, kind=COSIGNATURE), verify)


def test_a_witness_signs_the_time_too():
    line = cosign(SIGNED, at=1_795_000_000)
    both = SIGNED.with_signatures([line, line])
    assert len(both.signatures) == 2
    assert is_signed(both, WITNESS, verify)
    assert cosigned_at(line) == 1_795_000_000
    later = replace(line, signature=(1).to_bytes(8) + line.signature[8:])
    assert not is_signed(SIGNED.with_signatures([later]), WITNESS, verify)


@pytest.mark.parametrize(
    "text",
    ["", "a\n1\n", str(SIGNED).replace("109\n", "0109\n"), str(SIGNED).replace("109\n", "-1\n"),
     str(SIGNED).replace("109\n", "109\nmore\n", 1).replace("109\nmore\nA", "109\nA\nmore"),
     str(SIGNED)[:-1], str(SIGNED).replace("— ", "- "), str(SIGNED).replace("\n\n", "\n"),
     SIGNED.body + "\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(NotACheckpoint):
        parse_checkpoint(text)


@given(st.text(max_size=200))
def test_no_text_makes_anything_but_a_refusal(text):
    with suppress(NotACheckpoint):
        assert str(parse_checkpoint(text)) == text
    with suppress(ValueError):
        assert isinstance(parse_key(text), Key)


def test_a_signing_key_is_made_once_and_its_owner_alone_reads_it(tmp_path):
    path = tmp_path / "home" / "signing-key"
    assert signer_file(path) == signer_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="32 bytes"):
        parse_signer("AAAA")
