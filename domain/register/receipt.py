"""What somebody is given to prove an event: its leaf, the path to the root, the checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.register.canonical import leaf_hash
from domain.register.checkpoint import Checkpoint
from domain.register.tiles import Tiles, head
from domain.register.tree import inclusion_ranges, is_included


@dataclass(frozen=True, slots=True)
class Proof:
    """The way from a leaf, the `index`-th of the log from 0, to the root of a checkpoint."""

    index: int
    path: tuple[bytes, ...]


EVERY = 2**31 - 1
"""More events than an appeal has."""


@dataclass(frozen=True, slots=True)
class ProvedEvent:
    """An event with its proof, None while no checkpoint covers it.

    `personal` are its commitments opened: the text and the salt of each field not erased.
    """

    sequence: int
    internal: bool
    canonical: bytes
    hash: bytes
    proof: Proof | None
    personal: Mapping[str, tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint with the cosignatures that came for it, and when it was made."""

    checkpoint: Checkpoint
    at: datetime


def prove(index: int, size: int, tiles: Tiles) -> Proof:
    """The proof of a leaf in the tree of `size`, from the tiles that it wants."""
    return Proof(index, tuple(head(span, tiles) for span in inclusion_ranges(index, size)))


def is_sealed(canonical: bytes, proof: Proof, checkpoint: Checkpoint) -> bool:
    """Whether the bytes of an event stand in the log as the proof says, under the checkpoint."""
    return is_included(
        leaf_hash(canonical), proof.index, checkpoint.size, proof.path, checkpoint.root
    )


def spans(indices: Sequence[int], size: int) -> list[tuple[int, int]]:
    """All subtrees that the proofs of these leaves want."""
    return [span for index in indices for span in inclusion_ranges(index, size)]


def proved(events: Iterable[tuple[bool, bool]]) -> int:
    """How many events of an appeal a document proves, each told by (sealed, shown) in order.

    A leaf whose bytes are not shown may be any appeal's; it counts where the event right after
    it, sealed and shown, names it. docs/verify_receipt.py counts by the same rule.
    """
    count = hidden = 0
    for sealed, shown in events:
        if shown:
            count, hidden = count + (1 + hidden if sealed else 0), 0
        else:
            hidden = int(sealed)
    return count
