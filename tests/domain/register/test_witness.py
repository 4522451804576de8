"""What the log's own key cannot tell, a witness's word in the export does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.register.checkpoint import COSIGNATURE, Key, parse_checkpoint
from domain.register.export import Stated, line
from domain.register.findings import Kind
from tests.domain.register.exports import (
    AT,
    FORGER,
    ORIGIN,
    SIGNER,
    audit,
    audited,
    kinds,
    make_register,
    minute,
)
from tests.support.register import WITNESS, cosign

WATCHED: dict[str, Any] = {"watch": [WITNESS], "behind": timedelta(minutes=10)}


@pytest.fixture
def register():
    """Signed at 5, 10, 15 and 20 leaves, and all of it cosigned."""
    return replace(make_register(), witnessed=(5, 10, 15, 20))


def note_line(lines, size):
    """Where the checkpoint of a size stands."""
    return next(at for at, text in enumerate(lines) if f"\\n{size}\\n".encode() in text)


def test_what_a_witness_cosigned_stands_and_how_far_is_told(register):
    done = audited(register.export(), **WATCHED)
    assert done.finish() == []
    (witness,) = done.witnesses
    assert (witness.name, witness.size) == (WITNESS.name, 20)
    assert witness.at == int(minute(20).timestamp()) * 1000


def test_a_witness_may_be_behind_and_no_further_than_the_auditor_allows(register):
    assert audit(replace(register, witnessed=(5, 10)).export(), **WATCHED) == []
    (finding,) = audit(replace(register, witnessed=(5,)).export(), **WATCHED)
    assert finding.kind is Kind.UNWITNESSED
    assert (
        finding.says == f"{WITNESS.name} cosigned 5 leaves, and none since 2026-11-22 06:05:00 UTC"
    )
    assert audit(replace(register, witnessed=(5,)).export(), watch=[WITNESS]) == []


def test_a_quiet_log_keeps_its_witness_however_old_its_word_is(register):
    lines = register.export()
    lines[0] = lines[0].replace(b"2026-11-22", b"2027-11-22")
    assert audit(lines, **WATCHED) == []


def test_a_witness_that_cosigned_nothing_is_found(register):
    (finding,) = audit(replace(register, witnessed=()).export(), **WATCHED)
    assert finding.kind is Kind.UNWITNESSED
    assert "nothing" in finding.says


def test_nothing_is_asked_of_a_witness_where_nothing_is_sealed():
    empty = replace(make_register(events=1), events=[], sizes=[], standings=[])
    assert audit(empty.export(), **WATCHED) == []


def test_a_forged_cosignature_is_found(register):
    lines = register.export()
    at = note_line(lines, 10)
    note = parse_checkpoint(register.note(10))
    own, word = note.signatures
    flipped = bytes([word.signature[-1] ^ 1])
    forged = replace(word, signature=word.signature[:-1] + flipped)
    for line_of_it in (forged, replace(word, key_id=b"none"), replace(word, signature=b"short")):
        bent = replace(note, signatures=(own, line_of_it))
        lines[at] = line(Stated(str(bent), minute(10)))
        (finding,) = audit(lines, **WATCHED)
        assert finding.kind is Kind.COSIGNATURE
        assert finding.says.startswith("the checkpoint of 10 leaves ")
    assert audit(lines) == []


def test_a_cosignature_taken_from_another_checkpoint_is_found(register):
    word = cosign(parse_checkpoint(register.note(5)))
    lines = replace(register, witnessed=(5, 15, 20)).export()
    note = SIGNER.sign(replace(parse_checkpoint(register.note(10)), signatures=()))
    lines[note_line(lines, 10)] = line(Stated(str(note.with_signatures([word])), minute(10)))
    assert kinds(audit(lines, **WATCHED)) == {"cosignature"}


def test_a_witness_with_two_keys_speaks_with_both(register):
    newer = Key(WITNESS.name, COSIGNATURE, FORGER.key(ORIGIN).public)
    done = audited(register.export(), watch=[newer, WITNESS])
    assert done.finish() == []
    assert len(done.witnesses) == 1


def test_a_witness_does_not_speak_for_the_log(register):
    """Neither as a key of the log nor under its name."""
    lines = register.export()
    for size in (5, 10, 15, 20):
        note = parse_checkpoint(register.note(size))
        bare = replace(note, signatures=note.signatures[1:])
        lines[note_line(lines, size)] = line(Stated(str(bare), minute(size)))
    assert kinds(audit(lines, keys=[SIGNER.key(ORIGIN), WITNESS], **WATCHED)) == {"re-signed"}
    other = SIGNER.key("control.example.kz")
    assert "re-signed" in kinds(audit(register.export(), keys=[other]))


def test_the_log_does_not_speak_for_a_witness(register):
    alone = replace(register, witnessed=())
    done = audited(alone.export(), watch=[SIGNER.key(ORIGIN)])
    assert done.witnesses == ()
    assert done.finish() == []
    posing = Key(ORIGIN, COSIGNATURE, SIGNER.key(ORIGIN).public)
    assert kinds(audit(alone.export(), watch=[posing])) == {"cosignature", "unwitnessed"}


def test_a_register_cut_short_and_signed_again_with_its_own_key_is_found(register):
    """The witness saw twenty leaves, and will not sign that there are twelve."""
    cut = register.beginning(12)
    assert audit(cut.export()) == []
    lines = cut.export()
    lines[0] = lines[0].replace(b"06:12:00", b"06:30:00")
    (finding,) = audit(lines, **WATCHED)
    assert finding.kind is Kind.UNWITNESSED
    assert finding.says.startswith(f"{WITNESS.name} cosigned 10 leaves, and none since")


def test_a_register_cut_short_that_grew_on_is_found_with_what_the_witness_kept(register):
    cut = register.beginning(12)
    (finding, lost) = audit(cut.export(), kept=(register.note(20),), **WATCHED)
    assert (finding.kind, lost.kind) == (Kind.TRUNCATED, Kind.FORKED)
    assert lost.says == f"{WITNESS.name} cosigned 20 leaves, and they are not those here"


def test_another_history_is_found_though_the_export_names_the_key_that_signed_it(register):
    other = replace(make_register(seed=2), signer=FORGER)
    own = [FORGER.key(ORIGIN)]
    assert audit(other.export(), keys=own) == []
    assert kinds(audit(other.export(), keys=own, **WATCHED)) == {"unwitnessed"}


def test_cosigned_checkpoints_of_the_true_history_do_not_help_another_one(register):
    other = make_register(seed=2)
    lines = other.export()
    for size in (5, 10, 15, 20):
        lines[note_line(lines, size)] = line(Stated(register.note(size), minute(size)))
    assert kinds(audit(lines, **WATCHED)) == {"rewritten", "forked", "unwitnessed"}


def test_a_cosigned_checkpoint_counts_wherever_it_was_kept(register):
    alone = replace(register, witnessed=())
    done = audited(alone.export(), kept=(register.note(20),), **WATCHED)
    assert done.finish() == []
    assert done.witnesses[0].size == 20


def test_a_time_beyond_every_calendar_breaks_nothing(register):
    far = SIGNER.sign(replace(parse_checkpoint(register.note(20)), signatures=()))
    note = str(far.with_signatures([cosign(far, at=2**64 - 1)]))
    done = audited(replace(register, witnessed=()).export(), kept=(note,), **WATCHED)
    assert done.finish() == []
    assert done.witnesses[0].at > AT.timestamp()
