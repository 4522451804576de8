"""The audit of a register: of an export alone, and of older checkpoints that others kept.

It walks the log once, in order. Each event's bytes give its leaf, the leaves give the root of
every checkpoint, each event of an appeal names the leaf before it, and the chain of an appeal
ends where its row says. So the chain and the tree cannot tell two histories: a link of a chain
that is no leaf, or a leaf that is in no chain, is found.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.register.canonical import GENESIS
from domain.register.checkpoint import (
    Checkpoint,
    Key,
    NotACheckpoint,
    Verify,
    is_signed,
    parse_checkpoint,
)
from domain.register.export import GONE, Broken, Digest, Other, Standing, Stated
from domain.register.tree import Frontier


class Kind(StrEnum):
    """What was done to the register."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    REWRITTEN = "rewritten"
    TRUNCATED = "truncated"
    FORKED = "forked"
    RESIGNED = "re-signed"
    TWO_ROOTS = "two roots"
    DISAGREES = "disagrees"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words."""

    kind: Kind
    says: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.says}"


@dataclass(slots=True)
class _Chain:
    count: int = 0
    head: str = GENESIS.hex()


@dataclass(frozen=True, slots=True)
class _Said:
    """A checkpoint that was checked by itself. `kept` by others, not out of the export."""

    checkpoint: Checkpoint
    kept: bool


@dataclass(slots=True)
class Audit:
    """Takes an export record by record; `finish` tells what is wrong.

    `keys` are whom the auditor trusts, else those that the export names; `kept` are older
    checkpoints from outside, each of which must be a beginning of this log.
    """

    origin: str
    keys: Sequence[Key]
    verify: Verify
    kept: Sequence[str] = ()
    findings: list[Finding] = field(default_factory=list)
    events: int = 0
    sealed: int = 0
    checkpoints: int = 0
    newest: Checkpoint | None = None
    _frontier: Frontier = field(default_factory=Frontier)
    _chains: dict[str, _Chain] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _gaps: set[int] = field(default_factory=set)
    _next: int = 0
    _roots: dict[int, bytes] = field(default_factory=dict)
    _due: dict[int, list[_Said]] = field(default_factory=dict)
    _compared: set[int] = field(default_factory=set)
    _true: int = 0
    _whole: bool = True
    _end: dict[str, int] | None = None

    def __post_init__(self) -> None:
        for note in self.kept:
            if (said := self._said(note, kept=True)) is not None and said.checkpoint.size:
                self._due.setdefault(said.checkpoint.size, []).append(said)

    def take(self, records: Iterable[Digest | Other]) -> None:
        """The next records, in the order of the export."""
        for record in records:
            if isinstance(record, tuple):
                self._event(record)
            else:
                self._other(record)

    def finish(self) -> list[Finding]:
        """What is wrong; nothing if the register is whole."""
        for index in sorted(self._gaps)[:MOST]:
            self._found(Kind.DELETED, f"leaf {index} is missing")
        for size, late in sorted(self._due.items()):
            by = "a checkpoint from outside" if any(one.kept for one in late) else "its checkpoint"
            says = f"{by} seals {size} leaves, here are {self._frontier.size}"
            self._found(Kind.TRUNCATED, says)
        for appeal in self._chains.keys() - self._ended if self._ended else ():
            self._found(Kind.DISAGREES, f"the register has events of {appeal}, and no such appeal")
        self._counted()
        return self.findings

    def _event(self, record: Digest) -> None:
        index, leaf, appeal, sequence, previous, fault = record
        self.events += 1
        if fault is not None:
            kind = Kind.DELETED if fault == GONE else Kind.EDITED
            self._found(kind, f"{_place(index)} ({appeal or '?'}, {sequence}): {fault}")
        if index is not None:
            self._leaf(index, leaf)
        if appeal:
            self._link(index, leaf.hex(), appeal, sequence, previous)

    def _leaf(self, index: int, leaf: bytes) -> None:
        if index < self._next and index not in self._gaps:
            self._found(Kind.INSERTED, f"leaf {index} is there twice")
            return
        if index != self._next:
            self._out_of_place(index)
        self._next = max(self._next, index + 1)
        self.sealed += 1
        self._frontier.append(leaf)
        for said in self._due.pop(self._frontier.size, ()):
            self._compare(said)

    def _out_of_place(self, index: int) -> None:
        if index > self._next:
            # A far number may be forged: what is missing need not be listed one by one.
            self._gaps.update(range(self._next, min(index, self._next + MOST)))
        else:
            self._gaps.discard(index)
            self._found(Kind.SWAPPED, f"leaf {index} stands out of its place")

    def _link(
        self, index: int | None, leaf: str, appeal: str, sequence: int, previous: str
    ) -> None:
        chain = self._chains.get(appeal)
        if chain is None:
            chain = self._chains[appeal] = _Chain()
        if sequence != chain.count + 1 or previous != chain.head:
            self._broken(_place(index), appeal, sequence, chain)
        chain.count, chain.head = sequence, leaf

    def _broken(self, place: str, appeal: str, sequence: int, chain: _Chain) -> None:
        where = f"{place}, event {sequence} of {appeal}"
        if sequence > chain.count + 1:
            self._found(Kind.DELETED, f"{where}: event {chain.count + 1} is not before it")
        elif sequence <= chain.count:
            self._found(Kind.INSERTED, f"{where}: there is an event {sequence} before it")
        else:
            self._found(Kind.DISAGREES, f"{where}: it does not name the leaf before it")

    def _other(self, record: Other) -> None:
        if isinstance(record, Stated):
            self._stated(record)
        elif isinstance(record, Standing):
            self._stands(record)
        elif isinstance(record, Broken):
            self._found(Kind.FORM, record.says)
        elif set(record) == {"end"}:
            self._end = record["end"]
        else:
            self._found(Kind.FORM, f"a line that is none of an export: {sorted(record)}")

    def _stated(self, stated: Stated) -> None:
        self.checkpoints += 1
        said = self._said(stated.note, kept=False)
        if said is None:
            return
        size = said.checkpoint.size
        if size == self._frontier.size:
            self._compare(said)
        elif size > self._frontier.size:
            self._due.setdefault(size, []).append(said)
        elif size not in self._compared:
            self._found(Kind.FORM, f"the checkpoint of {size} leaves stands after their last")

    def _said(self, note: str, *, kept: bool) -> _Said | None:
        """The checkpoint of a note that somebody trusted signed for this log."""
        try:
            checkpoint = parse_checkpoint(note)
        except NotACheckpoint as error:
            self._found(Kind.FORM, f"a checkpoint cannot be read: {error}")
            return None
        where = f"the checkpoint of {checkpoint.size} leaves" + (" from outside" if kept else "")
        if checkpoint.origin != self.origin:
            self._found(Kind.FORM, f"{where} is of {checkpoint.origin}, not of {self.origin}")
            return None
        if not any(is_signed(checkpoint, key, self.verify) for key in self.keys):
            self._found(Kind.RESIGNED, f"{where} bears no right signature of a key that is trusted")
        known = self._roots.setdefault(checkpoint.size, checkpoint.root)
        if known != checkpoint.root:
            self._found(Kind.TWO_ROOTS, f"of {checkpoint.size} leaves two roots were signed")
        return _Said(checkpoint, kept)

    def _compare(self, said: _Said) -> None:
        checkpoint = said.checkpoint
        self._compared.add(checkpoint.size)
        if self._frontier.root() == checkpoint.root:
            self._true = max(self._true, checkpoint.size)
            if self.newest is None or self.newest.size < checkpoint.size:
                self.newest = checkpoint
        elif said.kept:
            says = f"a checkpoint from outside signed other {checkpoint.size} leaves than are here"
            self._found(Kind.FORKED, says)
        elif self._whole:
            # All that come after it are wrong with it.
            self._whole = False
            says = f"what was signed of leaves {self._true} to {checkpoint.size - 1} is not here"
            self._found(Kind.REWRITTEN, says)

    def _stands(self, standing: Standing) -> None:
        appeal = str(standing.appeal)
        self._ended.add(appeal)
        chain = self._chains.get(appeal) or _Chain()
        if (chain.count, chain.head) != (standing.sequence, standing.head.hex()):
            says = (
                f"{appeal}: the appeal says {standing.sequence} events ending in "
                f"{standing.head.hex()[:16]}…, here are {chain.count} ending in {chain.head[:16]}…"
            )
            self._found(Kind.DISAGREES, says)

    def _counted(self) -> None:
        here = {
            "events": self.events, "checkpoints": self.checkpoints, "appeals": len(self._ended)
        }  # fmt: skip
        if self._end is None:
            self._found(Kind.TRUNCATED, "the export has no end")
        elif self._end != here:
            self._found(Kind.TRUNCATED, f"the export says that it holds {self._end}, not {here}")

    def _found(self, kind: Kind, says: str) -> None:
        if len(self.findings) < MOST:
            self.findings.append(Finding(kind, says))


MOST = 1000
"""Findings that are told; who finds as many needs no more."""


def summary(findings: Sequence[Finding]) -> str:
    """How often what was found."""
    counted = Counter(str(finding.kind) for finding in findings)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counted.items()))


def _place(index: int | None) -> str:
    return "an event not sealed yet" if index is None else f"leaf {index}"
