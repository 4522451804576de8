"""Whoever tampers with the register is found by the audit of its export, and told by name."""

from dataclasses import replace
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.register.canonical import canonical_bytes, leaf_hash
from domain.register.checkpoint import Checkpoint, parse_key
from domain.register.export import Leaf, Standing, Stated, footer, line
from domain.register.findings import Kind, summary
from domain.register.tree import root_of
from tests.domain.register.exports import (
    AT,
    FORGER,
    ORIGIN,
    SIGNER,
    audit,
    audited,
    has_successor,
    kinds,
    make_register,
    mended,
    without,
)


@pytest.fixture
def register():
    return make_register()


def event_lines(lines):
    return [at for at, text in enumerate(lines) if b'"hash"' in text]


def changed(canonical, **changes):
    return canonical_bytes(orjson.loads(canonical) | changes)


def test_an_honest_register_is_whole_and_says_how_far_it_is_signed(register):
    done = audited(register.export(), kept=(register.note(5), register.note(13)))
    assert done.finish() == []
    assert (done.events, done.sealed, done.checkpoints) == (20, 20, 4)
    assert done.newest is not None
    assert done.newest.size == 20


def test_an_older_export_is_a_beginning_of_a_newer_one():
    newer = make_register(events=40)
    older = newer.beginning(12)
    assert audit(older.export()) == []
    assert audit(newer.export(), kept=tuple(older.note(size) for size in older.sizes)) == []


def test_an_edited_event_is_found(register):
    lines = register.export()
    at = event_lines(lines)[7]
    lines[at] = lines[at].replace(b"assigned", b"resolved")
    (finding,) = audit(lines)
    assert finding.kind is Kind.EDITED
    assert finding.says.startswith("leaf 7 ")


def test_an_event_edited_with_its_hash_is_found(register):
    lines = register.export()
    forged = changed(register.events[7], type="appeal.closed")
    lines[event_lines(lines)[7]] = line(Leaf(7, leaf_hash(forged), forged))
    found = audit(lines)
    assert "rewritten" in kinds(found)
    assert any("leaves 5 to 9" in finding.says for finding in found)


def test_an_event_in_another_form_is_found(register):
    lines = register.export()
    document = orjson.loads(register.events[7])
    loose = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    lines[event_lines(lines)[7]] = line(Leaf(7, leaf_hash(loose), loose))
    assert {"edited", "rewritten"} <= kinds(audit(lines))


def test_a_deleted_event_is_found(register):
    lines = register.export()
    del lines[event_lines(lines)[7]]
    found = audit(lines)
    assert {"deleted", "rewritten"} <= kinds(found)
    assert any(finding.says == "leaf 7 is missing" for finding in found)


def test_an_event_deleted_out_of_everything_but_the_log_is_found(register):
    lines = register.export()
    lines[event_lines(lines)[7]] = line(Leaf(7, leaf_hash(register.events[7]), None))
    assert "deleted" in kinds(audit(lines))


def test_an_event_deleted_with_the_numbers_mended_is_found(register):
    lines = register.export()
    cut = event_lines(lines)[7]
    for at in event_lines(lines)[8:]:
        said = orjson.loads(lines[at])
        lines[at] = orjson.dumps(said | {"index": said["index"] - 1}) + b"\n"
    del lines[cut]
    assert {"rewritten", "truncated"} <= kinds(audit(lines))


def test_an_inserted_event_is_found(register):
    lines = register.export()
    at = event_lines(lines)[7]
    forged = changed(register.events[7], id="01a2053c-c613-77ad-9db2-09bcdc026827")
    lines.insert(at + 1, line(Leaf(7, leaf_hash(forged), forged)))
    assert "inserted" in kinds(audit(lines))


def test_swapped_events_are_found(register):
    lines = register.export()
    one, other = event_lines(lines)[6:8]
    lines[one], lines[other] = lines[other], lines[one]
    assert {"swapped", "rewritten"} <= kinds(audit(lines))


def test_events_that_changed_places_under_their_numbers_are_found(register):
    events = list(register.events)
    events[6], events[7] = events[7], events[6]
    lines = register.export()
    for index in (6, 7):
        at = event_lines(lines)[index]
        lines[at] = line(Leaf(index, leaf_hash(events[index]), events[index]))
    assert "rewritten" in kinds(audit(lines))


def test_a_register_cut_short_is_found_by_its_own_checkpoint(register):
    lines = register.export()
    cut = event_lines(lines)[15]
    tail = [text for text in lines[cut:] if b'"checkpoint"' in text]
    found = audit([*lines[:cut], *tail, lines[-1]])
    assert "truncated" in kinds(found)


def test_an_export_cut_short_is_found(register):
    assert "truncated" in kinds(audit(register.export()[:-1]))
    assert "truncated" in kinds(audit(register.export()[:9]))


def test_a_register_truncated_and_signed_anew_is_found_by_an_older_checkpoint():
    whole = make_register(events=20)
    short = whole.beginning(12)
    assert audit(short.export()) == []
    (finding,) = audit(short.export(), kept=(whole.note(20),))
    assert finding.kind is Kind.TRUNCATED
    assert "20 leaves, here are 12" in finding.says


def test_a_fork_is_found_by_an_older_checkpoint(register):
    other = make_register(seed=2)
    assert audit(other.export()) == []
    assert kinds(audit(other.export(), kept=(register.note(10),))) == {"forked", "two roots"}
    assert kinds(audit(other.export(), kept=(register.note(8),))) == {"forked"}


def test_a_history_signed_anew_with_another_key_is_found(register):
    forged = replace(make_register(seed=2), signer=FORGER)
    own = [FORGER.key(ORIGIN)]
    assert audit(forged.export(), keys=own) == []
    assert "re-signed" in kinds(audit(forged.export()))
    assert {"re-signed", "forked"} <= kinds(
        audit(forged.export(), keys=own, kept=(register.note(8),))
    )
    same = replace(register, signer=FORGER)
    assert kinds(audit(same.export(), keys=own, kept=(register.note(8),))) == {"re-signed"}


def test_an_announced_change_of_key_is_no_fault(register):
    newer = replace(register, signer=FORGER)
    both = [FORGER.key(ORIGIN), SIGNER.key(ORIGIN)]
    assert audit(newer.export(), keys=both, kept=(register.note(8),)) == []


def test_two_checkpoints_of_one_size_are_found(register):
    lines = register.export()
    at = next(at for at, text in enumerate(lines) if b'"checkpoint"' in text)
    forged = SIGNER.sign(Checkpoint(ORIGIN, 5, leaf_hash(b"another history")))
    lines.insert(at + 1, line(Stated(str(forged), AT)))
    assert "two roots" in kinds(audit(lines))
    honest = register.export()
    assert {"two roots", "forked"} == kinds(audit(honest, kept=(str(forged),)))


def test_two_kept_checkpoints_of_one_size_are_found_though_neither_is_in_the_export(register):
    forged = SIGNER.sign(Checkpoint(ORIGIN, 8, leaf_hash(b"another history")))
    found = audit(register.export(), kept=(register.note(8), str(forged)))
    assert {"two roots", "forked"} == kinds(found)


def test_a_chain_that_goes_on_past_the_tree_is_found(register):
    """immudb's fault: the tree is right, the chain is right, and they tell of two histories."""
    standing = register.standings[0]
    longer = replace(register, standings=[
        replace(standing, sequence=standing.sequence + 1, head=leaf_hash(b"not in the tree")),
        *register.standings[1:],
    ])  # fmt: skip
    (finding,) = audit(longer.export())
    assert finding.kind is Kind.DISAGREES


def test_a_tree_with_another_link_than_the_chain_is_found(register):
    """The leaf is in the tree and signed, but the event after it names another one."""
    at = next(i for i in range(5) if has_successor(register, i))
    events = list(register.events)
    events[at] = changed(events[at], type="appeal.closed")
    found = audit(replace(register, events=events).export())
    assert kinds(found) == {"disagrees"}


def test_a_link_that_was_kept_out_of_the_tree_is_found(register):
    at = next(i for i in range(10) if has_successor(register, i))
    hidden = register.events[at]
    events = [*register.events[:at], *register.events[at + 1 :]]
    lines = replace(register, events=events, sizes=[19]).export()
    place = len(event_lines(lines)) + 2
    lines.insert(place, line(Leaf(None, leaf_hash(hidden), hidden)))
    lines[-1] = footer(20, 1, len(register.standings))
    assert kinds(audit(lines)) >= {"deleted", "inserted"}


def test_an_appeal_that_vanished_with_its_row_is_found(register):
    fewer = replace(register, standings=register.standings[1:])
    (finding,) = audit(fewer.export())
    assert finding.kind is Kind.DISAGREES
    assert "no such appeal" in finding.says


def test_an_appeal_that_takes_the_number_of_another_is_found(register):
    """The same complaint anew, under the same number, with all its time before it."""
    taken = orjson.loads(register.events[0])["about"]
    at = next(i for i, event in enumerate(register.events) if b'"sequence":1' in event and i)
    events = list(register.events)
    events[at] = changed(events[at], about=taken)
    found = audit(replace(register, events=events).export())
    appeal = orjson.loads(events[at])["appeal"]
    told = f"{appeal} bears {taken['number']}, which another appeal has"
    assert told in {finding.says for finding in found}


def test_an_appeal_that_changes_its_number_is_found(register):
    at = next(i for i, event in enumerate(register.events) if b'"sequence":2' in event)
    events = list(register.events)
    events[at] = changed(events[at], about={"number": "KIS-2026-999999", "status": "assigned"})
    found = audit(replace(register, events=events).export())
    assert any("and then as KIS-2026-999999" in finding.says for finding in found)


def test_an_appeal_without_any_event_is_found(register):
    phantom = Standing(UUID(int=9), 0, bytes(32))
    (finding,) = audit(replace(register, standings=[*register.standings, phantom]).export())
    assert finding.kind is Kind.DISAGREES
    assert "no event of it" in finding.says


def test_events_not_sealed_yet_are_no_fault_if_they_go_on_from_the_sealed_ones(register):
    head, tail = register.events[:17], register.events[17:]
    lines = replace(register, events=head, sizes=[15]).export()
    place = event_lines(lines)[-1] + 1
    lines[place:place] = [line(Leaf(None, leaf_hash(one), one)) for one in tail]
    lines[-1] = footer(20, 1, len(register.standings))
    done = audited(lines)
    assert done.finish() == []
    assert (done.events, done.sealed) == (20, 17)


def test_another_citys_event_or_checkpoint_is_found(register):
    events = [changed(event, city=str(AT)) for event in register.events]
    assert "edited" in kinds(audit(replace(register, events=events).export()))
    alien = SIGNER.sign(Checkpoint("ikomek109/alys", 5, root_of([])))
    assert "form" in kinds(audit(register.export(), kept=(str(alien),)))


def test_a_register_that_says_where_no_appeal_stands_is_not_believed(register):
    lines = mended(without(register.export(), b'"head"'), appeals=0)
    (finding,) = audit(lines)
    assert finding.kind is Kind.DISAGREES
    assert "where no appeal stands" in finding.says


def test_a_checkpoint_before_the_leaves_that_it_covers_is_found(register):
    lines = register.export()
    at = next(at for at, text in enumerate(lines) if b'"checkpoint"' in text)
    lines[at - 1], lines[at] = lines[at], lines[at - 1]
    (finding,) = audit(lines)
    assert finding.says == "the checkpoint of 5 leaves stands before their last"


@pytest.mark.parametrize(
    "text", [b"{}", b"[]", b"null", b"\xff", b'{"hash":1}', b'{"hash":"zz","canonical":""}',
             b'{"checkpoint":"x","at":"2026-11-22T06:00:00Z"}', b'{"checkpoint":1}',
             b'{"checkpoint":"x","at":"2026-11-22T06:00:00"}',
             b'{"index":-1,"hash":"00","canonical":"{}"}', b'{"end":1,"more":2}',
             b'{"appeal":"x","sequence":1,"head":""}'],
)  # fmt: skip
def test_a_line_that_is_none_of_an_export_is_found_and_nothing_breaks(register, text):
    lines = register.export()
    lines.insert(3, text)
    assert audit(lines)


def test_the_same_fault_a_thousand_times_is_told_shortly(register):
    lines = [lines for lines in register.export() if b'"hash"' not in lines]
    found = audit(lines)
    assert len(found) < 50
    assert "truncated" in summary(found)


@given(st.data())
def test_any_tampering_with_a_line_is_found(data):
    register = make_register(events=data.draw(st.integers(3, 24)), every=4)
    lines = register.export()
    whole = register.note(len(register.events))
    key = [parse_key(str(SIGNER.key(ORIGIN)))]
    act = data.draw(st.sampled_from(["flip", "drop", "repeat", "swap"]))
    at = data.draw(st.sampled_from(event_lines(lines)))
    before = list(lines)
    if act == "flip":
        place = data.draw(st.integers(0, len(lines[at]) - 2))
        sign = data.draw(st.sampled_from([b"0", b"a", b'"', b"}", b" ", b"\\"]))
        lines[at] = lines[at][:place] + sign + lines[at][place + 1 :]
    elif act == "drop":
        del lines[at]
    elif act == "repeat":
        lines.insert(data.draw(st.integers(1, len(lines) - 1)), lines[at])
    else:
        other = data.draw(st.integers(1, len(lines) - 1))
        lines[at], lines[other] = lines[other], lines[at]
    same = _told(lines) == _told(before)
    assert (audit(lines, keys=key, kept=(whole,)) == []) == same


def _told(lines):
    """What lines say, whatever the spaces between."""
    try:
        return [orjson.loads(text) for text in lines]
    except orjson.JSONDecodeError:
        return lines
