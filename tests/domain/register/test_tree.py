"""The tree against the recursive definition of RFC 9162, and against two foreign verifiers."""

from hashlib import sha256

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError

from domain.register.canonical import leaf_hash
from domain.register.tiles import HASH, WIDTH, complete, full, head, places, subtrees, wanted
from domain.register.tiles import root as tiles_root
from domain.register.tree import (
    EMPTY,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    is_consistent,
    is_included,
    root_of,
)
from tests.support.foreign import (
    pymerkle_tree,
    pymerkle_verifies_growth,
    pymerkle_verifies_leaf,
    rekor_entry,
)

MOST = 700
"""More than two tiles, so that the second level is used."""


def _entry(number):
    return f"event {number}".encode()


LEAVES = [leaf_hash(_entry(number)) for number in range(MOST)]


def mth(leaves):
    """§2.1.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m, leaves):
    """§2.1.3.1, word by word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m, leaves, whole=True):
    """§2.1.4.1, word by word."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*proof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*proof(m - k, leaves[k:], False), mth(leaves[:k])]


def tiles_of(leaves):
    """Every tile, the last of a level cut short."""
    tiles: dict[tuple[int, int], bytes] = {}
    level, row = 0, list(leaves)
    while row:
        whole = full(0, row)
        tiles |= {(level, number): hashes for number, hashes in whole}
        if rest := row[len(whole) * WIDTH :]:
            tiles[level, len(whole)] = b"".join(rest)
        row = [complete(hashes) for _, hashes in whole]
        level += 1
    return tiles


sizes = st.integers(1, MOST)


@given(sizes)
def test_the_root_is_that_of_the_rfc_by_either_road(size):
    expected = mth(LEAVES[:size])
    assert root_of(LEAVES[:size]) == expected
    assert tiles_root(size, tiles_of(LEAVES[:size])) == expected


@given(sizes)
def test_where_full_tiles_are_is_told_by_the_size_alone(size):
    tiles = tiles_of(LEAVES[:size])
    kept = sorted(place for place, hashes in tiles.items() if len(hashes) == WIDTH * HASH)
    assert list(places(size)) == kept


def test_of_a_large_log_every_level_has_its_tiles():
    assert list(places(WIDTH**2 + WIDTH)) == [(0, n) for n in range(WIDTH + 1)] + [(1, 0)]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert Frontier().root() == EMPTY == mth([])


@given(sizes, st.data())
def test_a_leaf_is_proved_as_the_rfc_says_from_tiles_alone(size, data):
    index = data.draw(st.integers(0, size - 1))
    tiles = tiles_of(LEAVES[:size])
    found = [head(span, tiles) for span in inclusion_ranges(index, size)]
    assert found == path(index, LEAVES[:size])
    assert is_included(LEAVES[index], index, size, found, mth(LEAVES[:size]))


@given(sizes, st.data())
def test_growth_is_proved_as_the_rfc_says_from_tiles_of_a_later_day(size, data):
    new = data.draw(st.integers(1, size))
    old = data.draw(st.integers(1, new))
    tiles = tiles_of(LEAVES[:size])
    found = [head(span, tiles) for span in consistency_ranges(old, new)]
    assert found == proof(old, LEAVES[:new])
    assert is_consistent(old, new, mth(LEAVES[:old]), mth(LEAVES[:new]), found)


@given(sizes, st.data())
def test_a_proof_needs_few_tiles_and_says_which(size, data):
    index = data.draw(st.integers(0, size - 1))
    spans = inclusion_ranges(index, size)
    needed = wanted(spans)
    assert len(needed) <= 4
    tiles = {at: tiles_of(LEAVES[:size])[at][: 32 * count] for at, count in needed.items()}
    assert [head(span, tiles) for span in spans] == path(index, LEAVES[:size])


def test_a_tile_that_is_short_is_not_taken_for_whole():
    tiles = {(0, 0): b"".join(LEAVES[:3])}
    with pytest.raises(ValueError, match="short"):
        head((0, 4), tiles)


@given(st.integers(1, 2**40))
def test_a_range_falls_apart_into_as_many_subtrees_as_its_size_has_bits(size):
    parts = list(subtrees((0, size)))
    assert len(parts) == size.bit_count()
    assert sum(1 << height for height, _ in parts) == size


@st.composite
def proofs(draw):
    size = draw(st.integers(2, 70))
    index = draw(st.integers(0, size - 1))
    return size, index, path(index, LEAVES[:size])


@given(proofs(), st.data())
def test_no_other_leaf_place_size_or_path_is_accepted(proved, data):
    size, index, steps = proved
    root = mth(LEAVES[:size])
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    assert not is_included(LEAVES[other], index, size, steps, root)
    assert not is_included(LEAVES[index], other, size, steps, root)
    assert not is_included(LEAVES[index], index, size, steps[:-1], root)
    assert not is_included(LEAVES[index], index, size, [*steps, LEAVES[0]], root)
    at = data.draw(st.integers(0, len(steps) - 1))
    bent = [*steps[:at], leaf_hash(b"forged"), *steps[at + 1 :]]
    assert not is_included(LEAVES[index], index, size, bent, root)
    assert not is_included(LEAVES[index], size, size, steps, root)
    assert not is_included(LEAVES[index], -1, size, steps, root)


@given(st.integers(2, 70), st.data())
def test_a_fork_has_no_proof_of_growth(new, data):
    old = data.draw(st.integers(1, new - 1))
    steps = proof(old, LEAVES[:new])
    forged = mth([leaf_hash(b"forged"), *LEAVES[1:old]])
    assert not is_consistent(old, new, forged, mth(LEAVES[:new]), steps)
    assert not is_consistent(old, new, mth(LEAVES[:old]), forged, steps)
    assert not is_consistent(old, new, mth(LEAVES[:old]), mth(LEAVES[:new]), steps[:-1])
    assert not is_consistent(old, new, mth(LEAVES[:old]), mth(LEAVES[:new]), [*steps, LEAVES[0]])
    assert not is_consistent(new, old, mth(LEAVES[:new]), mth(LEAVES[:old]), steps)
    assert not is_consistent(new, new, mth(LEAVES[:new]), forged, [])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 64, 257, 600])
def test_sigstore_accepts_our_proofs_and_refuses_forged_ones(size):
    tiles = tiles_of(LEAVES[:size])
    root = tiles_root(size, tiles)
    for index in {0, 1, size // 2, size - 1} & set(range(size)):
        steps = [head(span, tiles) for span in inclusion_ranges(index, size)]
        verify_merkle_inclusion(rekor_entry(_entry(index), index, size, steps, root))
        with pytest.raises(VerificationError):
            verify_merkle_inclusion(rekor_entry(b"another event", index, size, steps, root))
        with pytest.raises(VerificationError):
            verify_merkle_inclusion(rekor_entry(_entry(index), index, size, steps, LEAVES[-1]))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 64, 257, 600])
def test_pymerkle_has_the_same_tree_and_accepts_our_proofs(size):
    tiles = tiles_of(LEAVES[:size])
    root = tiles_root(size, tiles)
    foreign = pymerkle_tree([_entry(number) for number in range(size)])
    assert foreign.get_state() == root
    for index in {0, size // 2, size - 1}:
        ours = [head(span, tiles) for span in inclusion_ranges(index, size)]
        assert foreign.prove_inclusion(index + 1, size).path == [LEAVES[index], *ours]
        pymerkle_verifies_leaf(LEAVES[index], index, size, ours, root)
        for leaf, path, under in (
            (LEAVES[-1], ours, root), (LEAVES[index], [*ours[:-1], LEAVES[-1]], root),
            (LEAVES[index], ours, LEAVES[-1]),
        ):  # fmt: skip
            with pytest.raises(pymerkle.InvalidProof):
                pymerkle_verifies_leaf(leaf, index, size, path, under)


@pytest.mark.parametrize(
    ("old", "new"),
    [(3, 7), (5, 8), (101, 257), (255, 600), (599, 600), (2, 5), (4, 7), (6, 7), (6, 13), (8, 13),
     (12, 13), (256, 600), (300, 512), (512, 600), (598, 600), (600, 600)],
)  # fmt: skip
def test_pymerkle_accepts_our_proofs_of_growth(old, new):
    entries, tiles = [_entry(number) for number in range(new)], tiles_of(LEAVES[:new])
    ours = [head(span, tiles) for span in consistency_ranges(old, new)]
    was, now, forged = mth(LEAVES[:old]), mth(LEAVES[:new]), leaf_hash(b"forged")
    pymerkle_verifies_growth(entries, old, new, ours, (was, now))
    for roots in ((forged, now), (was, forged)):
        with pytest.raises(pymerkle.InvalidProof):
            pymerkle_verifies_growth(entries, old, new, ours, roots)
    for at in range(len(ours)):
        bent = [*ours[:at], forged, *ours[at + 1 :]]
        with pytest.raises(pymerkle.InvalidProof):
            pymerkle_verifies_growth(entries, old, new, bent, (was, now))
