"""The tree as it is stored: tiles of 256 hashes (C2SP tlog-tiles), full ones never change.

A tile of level 0 holds 256 leaf hashes; one of level n holds the heads of 256 full tiles of
level n-1. A complete subtree is so found within one tile, however high it stands, and a proof
in a register of millions needs half a dozen of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from domain.register.tree import Range, fold, node_hash

WIDTH = 256
_BITS = 8
HASH = 32

Address = tuple[int, int]
"""Level and number of a tile."""
Tiles = Mapping[Address, bytes]
"""Tiles by their place: the hashes one after the other. The last of a level may be cut short."""


def subtrees(span: Range) -> Iterator[tuple[int, int]]:
    """The complete subtrees that make up a range of a proof, as (height, number), left to right."""
    begin, end = span
    while begin < end:
        height = (end - begin).bit_length() - 1
        if begin:
            height = min(height, (begin & -begin).bit_length() - 1)
        yield height, begin >> height
        begin += 1 << height


def _place(height: int, number: int) -> tuple[Address, int, int]:
    """In which tile a complete subtree is found: the tile, the first of its hashes, how many."""
    level, within = divmod(height, _BITS)
    first = number << within
    return (level, first // WIDTH), first % WIDTH, 1 << within


def wanted(spans: Iterable[Range]) -> dict[Address, int]:
    """The tiles that ranges are made of, each with the number of its hashes that are needed."""
    found: dict[Address, int] = {}
    for span in spans:
        for subtree in subtrees(span):
            address, first, count = _place(*subtree)
            found[address] = max(found.get(address, 0), first + count)
    return found


def head(span: Range, tiles: Tiles) -> bytes:
    """The hash over a range. Raises KeyError or ValueError for a tile that is missing or short."""
    return fold([_subtree(height, number, tiles) for height, number in subtrees(span)])


def root(size: int, tiles: Tiles) -> bytes:
    """The root over the first `size` leaves, of which there is at least one."""
    return head((0, size), tiles)


def _subtree(height: int, number: int, tiles: Tiles) -> bytes:
    address, first, count = _place(height, number)
    hashes = tiles[address][first * HASH : (first + count) * HASH]
    if len(hashes) != count * HASH:
        raise ValueError(f"tile {address} is short")
    return complete(hashes)


def complete(hashes: bytes) -> bytes:
    """The head over a power of two of hashes that stand one after the other."""
    row: Sequence[bytes] = [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def places(size: int) -> Iterator[Address]:
    """Every full tile of a log of so many leaves, level by level."""
    level, count = 0, size // WIDTH
    while count:
        yield from ((level, number) for number in range(count))
        level, count = level + 1, count // WIDTH


def full(begin: int, hashes: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """The full tiles among hashes of one level that follow each other from number `begin` on.

    `begin` is a multiple of WIDTH. Each comes with its number; what is left fills no tile yet.
    """
    first = begin // WIDTH
    return [
        (first + at // WIDTH, b"".join(hashes[at : at + WIDTH]))
        for at in range(0, len(hashes) - WIDTH + 1, WIDTH)
    ]
