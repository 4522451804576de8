"""Changing keys: a keyring with one key more, or with one less."""

import secrets
from dataclasses import replace

from integrations.vault.keyring import Keyring

MOST = 255


def with_new_key(ring: Keyring, *, waiting: bool = False) -> Keyring:
    """The keyring with a fresh sealing key. `waiting`: the one before goes on sealing until every
    process has the new one. Raises ValueError where no id is left.
    """
    fresh = max(ring.sealing) + 1
    if fresh > MOST:
        raise ValueError("no id is left for a new key")
    sealing = {**ring.sealing, fresh: secrets.token_bytes(32)}
    return replace(ring, sealing=sealing, sealer=ring.current if waiting else None)


def with_new_index(ring: Keyring) -> Keyring:
    """The keyring with a fresh index key, the one before beside it. Raises ValueError where one
    is beside it already.
    """
    if ring.former is not None:
        raise ValueError("the index key before is not retired yet")
    return replace(ring, indexing=secrets.token_bytes(32), former=ring.indexing)


def sealing_with(ring: Keyring, id: int) -> Keyring:
    """The keyring sealing with one of its keys. Raises ValueError for one that it has not."""
    if id not in ring.sealing:
        raise ValueError(f"there is no key {id}")
    return replace(ring, sealer=None if id == max(ring.sealing) else id)


def without_key(ring: Keyring, id: int) -> Keyring:
    """The keyring without a key. Raises ValueError for the one that seals, or none of its own."""
    if id not in ring.sealing:
        raise ValueError(f"there is no key {id}")
    if id == ring.current:
        raise ValueError(f"key {id} is the one that seals")
    rest = {name: key for name, key in ring.sealing.items() if name != id}
    return sealing_with(replace(ring, sealing=rest), ring.current)


def without_former_index(ring: Keyring) -> Keyring:
    """The keyring without the index key before."""
    return replace(ring, former=None)
