"""The Merkle tree of RFC 9162 §2.1 over leaf hashes: roots, proofs, and how they are judged.

A proof is a list of subtrees, each named by the leaves under it as (begin, end); which ones
they are follows from the sizes alone. Every such range begins at a multiple of a power of two
no smaller than itself, so that it falls apart into few complete subtrees (domain/register/tiles.py
looks those up). Verifying needs hashes only, and takes the algorithms of the RFC as they stand.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

Range = tuple[int, int]
"""Leaves from the first number up to, and without, the second."""

EMPTY = sha256(b"").digest()
"""The root of no leaves."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right), 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def split(count: int) -> int:
    """The largest power of two below `count`, which is 2 or more."""
    return 1 << ((count - 1).bit_length() - 1)


class Frontier:
    """The right edge of a growing tree: enough to add leaves and to know the root.

    Holds one hash for each bit of its size, so that a million leaves cost twenty hashes.
    """

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """One more leaf hash at the right."""
        carried, edge = self.size, self._edge
        while carried & 1:
            leaf = node_hash(edge.pop(), leaf)
            carried >>= 1
        edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return fold(self._edge) if self._edge else EMPTY


def fold(subtrees: Sequence[bytes]) -> bytes:
    """The head over complete subtrees of falling size, left to right; at least one."""
    *others, head = subtrees
    for left in reversed(others):
        head = node_hash(left, head)
    return head


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose heads prove leaf `index` in a tree of `size` (§2.1.3.1), lowest first.

    Raises ValueError for a leaf that the tree does not hold.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    found: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + split(end - begin)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The subtrees whose heads prove that a tree of `new` begins with one of `old` (§2.1.4.1).

    Raises ValueError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError("the older tree has a leaf or more, and no more than the newer one")
    found: list[Range] = []
    begin, end = 0, new
    while end != old:
        middle = begin + split(end - begin)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    # The older root itself is known to whoever asks, unless it is only a part of this subtree.
    return ([(begin, end)] if begin else []) + found[::-1]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves the leaf hash at `index` under `root` (§2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, head = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            head = node_hash(step, head)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            head = node_hash(head, step)
        first, last = first >> 1, last >> 1
    return last == 0 and head == root


def is_consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the path proves that the tree of `new` begins with that of `old` (§2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not steps:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    older = newer = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            older, newer = node_hash(step, older), node_hash(step, newer)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            newer = node_hash(newer, step)
        first, last = first >> 1, last >> 1
    return last == 0 and older == old_root and newer == new_root
