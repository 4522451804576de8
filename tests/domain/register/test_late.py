"""An event kept out of the tree, or leaves without their checkpoint, are told by their age."""

import re
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from domain.register.canonical import leaf_hash
from domain.register.dates import TOLERANCE
from domain.register.export import Leaf, Stated, header, line
from domain.register.findings import Kind
from tests.domain.register.exports import (
    CITY,
    ORIGIN,
    SIGNER,
    audit,
    audited,
    has_successor,
    kinds,
    make_register,
    mended,
    minute,
    without,
)


@pytest.fixture
def register():
    return make_register()


def withheld(register, at, sizes):
    """The export without the leaf of the event at that place, which tells it as not sealed yet."""
    hidden = register.events[at]
    events = [*register.events[:at], *register.events[at + 1 :]]
    lines = replace(register, events=events, sizes=sizes).export()
    place = next(at for at, text in enumerate(lines) if b'"head"' in text)
    lines.insert(place, line(Leaf(None, leaf_hash(hidden), hidden)))
    return mended(lines, events=len(register.events))


def last_of_its_appeal(register, below):
    return next(i for i in reversed(range(below)) if not has_successor(register, i))


def test_the_last_event_of_an_appeal_withheld_from_the_tree_is_found():
    register = make_register(appeals=8)
    at = last_of_its_appeal(register, 10)
    (finding,) = audit(withheld(register, at, [5, 10, 15, 19]))
    assert finding.kind is Kind.WITHHELD
    said = orjson.loads(register.events[at])
    assert finding.says.startswith(f"event {said['sequence']} of {said['appeal']} is not sealed")


def test_an_event_is_withheld_when_a_checkpoint_is_younger_though_no_leaf_is():
    register = make_register(appeals=8)
    lines = withheld(register, 19, [5, 10, 15, 19])
    assert audit(lines) == []
    note, at = register.beginning(19).note(19), minute(19) + TOLERANCE + timedelta(seconds=1)
    lines = [line(Stated(note, at)) if note.split("\n")[2].encode() in text else text
             for text in lines]  # fmt: skip
    assert kinds(audit(lines)) == {"withheld"}


def test_an_event_is_withheld_when_a_leaf_is_younger_whatever_the_checkpoints_say():
    """When one was made the export alone tells; when an event was written its leaf does."""
    register = make_register(appeals=8)
    lines = withheld(register, last_of_its_appeal(register, 5), [5, 10, 15, 19])
    lines = [re.sub(rb'"at":"[^"]+"}$', b'"at":"2026-11-22T06:00:00Z"}', text) for text in lines]
    assert kinds(audit(lines)) == {"withheld"}


def test_how_long_leaves_waited_for_their_checkpoint_is_told(register):
    """No fault by itself: no scheduler may have run. But nothing bound them meanwhile."""
    done = audited(register.export())
    assert done.finish() == []
    assert done.waited[0] == timedelta(minutes=5) // timedelta(milliseconds=1)
    late = minute(180).isoformat().replace("+00:00", "Z").encode()
    lines = [re.sub(rb'"at":"[^"]+"}$', b'"at":"' + late + b'"}', text)
             if b'"checkpoint"' in text and b"\\n10\\n" in text else text
             for text in register.export()]  # fmt: skip
    done = audited(lines)
    assert done.finish() == []
    assert done.waited == (175 * 60_000, int(minute(180).timestamp() * 1000))


def test_what_commits_late_within_the_tolerance_is_not_withheld():
    register = make_register(appeals=30)
    late = int(TOLERANCE.total_seconds()) // 60
    at = next(i for i in range(19 - late, 20) if not has_successor(register, i))
    assert audit(withheld(register, at, [5, 10, 15, 19])) == []


def test_a_scheduler_that_was_down_withholds_nothing(register):
    """Hours of events wait for it, and nothing that is younger was sealed or signed."""
    head, tail = register.events[:5], register.events[5:]
    lines = replace(register, events=head, sizes=[5]).export()
    lines[7:7] = [line(Leaf(None, leaf_hash(one), one)) for one in tail]
    assert audit(mended(lines, events=20)) == []


def test_leaves_whose_checkpoints_were_all_removed_are_told(register):
    lines = mended(without(register.export(), b'"checkpoint"'), checkpoints=0)
    (finding,) = audit(lines)
    assert finding.kind is Kind.UNSIGNED
    assert "2026-11-22 06:00:00 UTC" in finding.says


def test_few_leaves_without_any_checkpoint_are_told_once_they_are_old():
    young = make_register(events=3)
    lines = mended(without(young.export(), b'"checkpoint"'), checkpoints=0)
    assert audit(lines) == []
    lines[0] = header(ORIGIN, CITY, [str(SIGNER.key(ORIGIN))], minute(11))
    assert kinds(audit(lines)) == {"unsigned"}


def test_the_newest_checkpoints_removed_are_told(register):
    assert audit(replace(register, sizes=[5, 10]).export()) == []
    assert kinds(audit(replace(register, sizes=[5]).export())) == {"unsigned"}
