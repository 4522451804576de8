"""The audit of a register: of an export alone, of what witnesses said, of what others kept.

It walks the log once, in order. Each event's bytes give its leaf, the leaves give the root of
every checkpoint, each event of an appeal names the leaf before it, and the chain of an appeal
ends where its row says. So the chain and the tree cannot tell two histories: a link of a chain
that is no leaf, or a leaf that is in no chain, is found. What its own key cannot tell, a history
cut short or written anew and signed again, the words of witnesses do (domain/register/witness.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.register.canonical import GENESIS
from domain.register.checkpoint import (
    NOTE,
    Checkpoint,
    Key,
    NotACheckpoint,
    Verify,
    is_signed,
    parse_checkpoint,
)
from domain.register.dates import TOLERANCE, Dates, Past
from domain.register.export import GONE, Broken, Digest, Other, Standing, Stated
from domain.register.findings import Finding, Kind
from domain.register.moments import milliseconds, told
from domain.register.rows import ODD
from domain.register.tree import Frontier
from domain.register.witness import Witness, witnesses

BEHIND = timedelta(days=1)
"""How long what was sealed may wait for a witness."""


@dataclass(slots=True)
class _Chain:
    count: int = 0
    head: str = GENESIS.hex()
    past: Past = field(default_factory=Past)
    number: str | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """A checkpoint that was checked by itself, and when it was made, as the export tells."""

    checkpoint: Checkpoint
    at: datetime | None

    @property
    def kept(self) -> bool:
        """Whether it came from outside, and not out of the export."""
        return self.at is None


@dataclass(slots=True)
class Audit:
    """Takes an export record by record; `finish` tells what is wrong.

    `keys` of the log are those that the auditor trusts, else those that the export names; `kept`
    are older checkpoints from outside, each of which must be a beginning of this log. `at` is when
    the register was told, `watch` the keys of witnesses, who may be `behind`.
    """

    origin: str
    keys: Sequence[Key]
    verify: Verify
    at: datetime
    kept: Sequence[str] = ()
    watch: Sequence[Key] = ()
    behind: timedelta = BEHIND
    findings: list[Finding] = field(default_factory=list)
    events: int = 0
    sealed: int = 0
    checkpoints: int = 0
    newest: Checkpoint | None = None
    waited: tuple[int, int] = (0, 0)
    """The longest that a leaf waited for its checkpoint, and until when, in milliseconds: what
    waits can be rewritten."""
    witnesses: tuple[Witness, ...] = ()
    _frontier: Frontier = field(default_factory=Frontier)
    dates: Dates = field(default_factory=Dates)
    _chains: dict[str, _Chain] = field(default_factory=dict)
    _numbers: set[str] = field(default_factory=set)
    _ended: set[str] = field(default_factory=set)
    _gaps: set[int] = field(default_factory=set)
    _next: int = 0
    _roots: dict[int, bytes] = field(default_factory=dict)
    _due: dict[int, list[_Said]] = field(default_factory=dict)
    _compared: set[int] = field(default_factory=set)
    _true: int = 0
    _whole: bool = True
    _end: dict[str, int] | None = None
    _sealed_at: int = 0
    _signed_at: int = 0
    _unsigned: int = 0
    _waiting: tuple[int, str] | None = None

    def __post_init__(self) -> None:
        self.witnesses = witnesses(self.watch)
        for note in self.kept:
            if (said := self._said(note, None)) is not None and said.checkpoint.size:
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
        self._counted()
        self._timely()
        for witness in self.witnesses:
            for finding in witness.judge(milliseconds(self.at), milliseconds(self.behind)):
                self._found(finding.kind, finding.says)
        self._all_stand()
        return self.findings

    def _event(self, record: Digest) -> None:
        index, leaf, appeal, sequence, previous, written, at, incident, number, fault = record
        self.events += 1
        if fault is not None:
            self._found(_kind(fault), f"{_place(index)} ({appeal or '?'}, {sequence}): {fault}")
        if index is not None:
            self._leaf(index, leaf, written)
        elif written and (self._waiting is None or written < self._waiting[0]):
            self._waiting = written, f"event {sequence} of {appeal}"
        if appeal:
            chain = self._link(index, leaf.hex(), appeal, sequence, previous)
            self._bears(chain, number, appeal)
            odd = self.dates.fault(
                chain.past, sealed=index is not None, written=written, at=at, incident=incident
            )
            if odd is not None:
                self._found(Kind.DATED, f"{_place(index)} ({appeal}, {sequence}): {odd}")

    def _leaf(self, index: int, leaf: bytes, written: int) -> None:
        if index < self._next and index not in self._gaps:
            self._found(Kind.INSERTED, f"leaf {index} is there twice")
            return
        if index != self._next:
            self._out_of_place(index)
        self._next = max(self._next, index + 1)
        self.sealed += 1
        self._frontier.append(leaf)
        self._sealed_at = max(self._sealed_at, written)
        self._unsigned = self._unsigned or written
        for witness in self.witnesses:
            witness.grows(written)
        for said in self._due.pop(self._frontier.size, ()):
            self._compare(said)
            if not said.kept and self._true == self._frontier.size:
                says = f"the checkpoint of {self._true} leaves stands before their last"
                self._found(Kind.FORM, says)

    def _out_of_place(self, index: int) -> None:
        if index > self._next:
            # A far number may be forged: what is missing need not be listed one by one.
            self._gaps.update(range(self._next, min(index, self._next + MOST)))
        else:
            self._gaps.discard(index)
            self._found(Kind.SWAPPED, f"leaf {index} stands out of its place")

    def _link(
        self, index: int | None, leaf: str, appeal: str, sequence: int, previous: str
    ) -> _Chain:
        chain = self._chains.get(appeal)
        if chain is None:
            chain = self._chains[appeal] = _Chain()
        if sequence != chain.count + 1 or previous != chain.head:
            self._broken(_place(index), appeal, sequence, chain)
        chain.count, chain.head = sequence, leaf
        return chain

    def _bears(self, chain: _Chain, number: str, appeal: str) -> None:
        """An appeal has one number from its first event on, and no other appeal has it."""
        if number == chain.number:
            return
        if chain.number is not None:
            says = f"{appeal} is told as {chain.number}, and then as {number}"
            self._found(Kind.DISAGREES, says)
        elif number in self._numbers:
            self._found(Kind.DISAGREES, f"{appeal} bears {number}, which another appeal has")
        chain.number = number
        self._numbers.add(number)

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
        said = self._said(stated.note, stated.at)
        if said is None:
            return
        size = said.checkpoint.size
        if size == self._frontier.size:
            self._compare(said)
        elif size > self._frontier.size:
            self._due.setdefault(size, []).append(said)
        elif size not in self._compared:
            self._found(Kind.FORM, f"the checkpoint of {size} leaves stands after their last")

    def _said(self, note: str, at: datetime | None) -> _Said | None:
        """The checkpoint of a note that the log signed, and what witnesses said under it."""
        try:
            checkpoint = parse_checkpoint(note)
        except NotACheckpoint as error:
            self._found(Kind.FORM, f"a checkpoint cannot be read: {error}")
            return None
        said = _Said(checkpoint, at)
        outside = " from outside" if said.kept else ""
        where = f"the checkpoint of {checkpoint.size} leaves{outside}"
        if checkpoint.origin != self.origin:
            self._found(Kind.FORM, f"{where} is of {checkpoint.origin}, not of {self.origin}")
            return None
        if not any(self._signed_by(key, checkpoint) for key in self.keys):
            self._found(Kind.RESIGNED, f"{where} bears no right signature of a key that is trusted")
        for witness in self.witnesses:
            if not witness.hear(checkpoint, self.verify):
                self._found(
                    Kind.COSIGNATURE, f"{where} bears a line that {witness.name} never wrote"
                )
        known = self._roots.setdefault(checkpoint.size, checkpoint.root)
        if known != checkpoint.root:
            self._found(Kind.TWO_ROOTS, f"of {checkpoint.size} leaves two roots were signed")
        return said

    def _signed_by(self, key: Key, checkpoint: Checkpoint) -> bool:
        # A witness's word does not stand for the log's own.
        own = (key.kind, key.name) == (NOTE, self.origin)
        return own and is_signed(checkpoint, key, self.verify)

    def _compare(self, said: _Said) -> None:
        checkpoint = said.checkpoint
        self._compared.add(checkpoint.size)
        if said.at is not None:
            at, since = milliseconds(said.at), self._unsigned
            self.waited = max(self.waited, (at - since if since else 0, at))
            self._unsigned = 0
            self._signed_at = max(self._signed_at, milliseconds(said.at))
        if self._frontier.root() == checkpoint.root:
            self._true = max(self._true, checkpoint.size)
            if self.newest is None or self.newest.size < checkpoint.size:
                self.newest = checkpoint
            for witness in self.witnesses:
                witness.stands(checkpoint)
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
        if not chain.count:
            self._found(Kind.DISAGREES, f"there is an appeal {appeal}, and no event of it")
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

    def _timely(self) -> None:
        """Nothing waits to be sealed or signed while what is younger was."""
        late = milliseconds(TOLERANCE)
        if self._waiting is not None:
            written, which = self._waiting
            if max(self._sealed_at, self._signed_at) - written > late:
                says = f"{which} is not sealed since {told(written)}, what is younger is"
                self._found(Kind.WITHHELD, says)
        # The first leaf is signed at once; who shows no checkpoint at all is asked by the clock.
        now = 0 if self.checkpoints else milliseconds(self.at)
        if self._unsigned and max(self._sealed_at, now) - self._unsigned > late:
            says = f"no checkpoint covers the leaves since {told(self._unsigned)}"
            self._found(Kind.UNSIGNED, says)

    def _all_stand(self) -> None:
        """Every chain has its appeal."""
        if self._chains and not self._ended:
            self._found(Kind.DISAGREES, "the register has events, and says where no appeal stands")
            return
        for appeal in sorted(self._chains.keys() - self._ended):
            self._found(Kind.DISAGREES, f"the register has events of {appeal}, and no such appeal")

    def _found(self, kind: Kind, says: str) -> None:
        if len(self.findings) < MOST:
            self.findings.append(Finding(kind, says))


MOST = 1000
"""Findings that are told; who finds as many needs no more."""


def _kind(fault: str) -> Kind:
    if fault == GONE:
        return Kind.DELETED
    return Kind.DISAGREES if fault.startswith(ODD) else Kind.EDITED


def _place(index: int | None) -> str:
    return "an event not sealed yet" if index is None else f"leaf {index}"
