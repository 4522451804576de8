"""The keyring of a file, followed while it changes: keys are changed while the city works."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from integrations.vault.keyring import Keyring, keyring_file

LOOKED_AT = 1.0
"""Seconds between two looks at the file."""


class LivingKeyring:
    """A Keyring as its file stands. A change is seen within LOOKED_AT, and at once by whoever
    meets a value that a key seals which it does not know yet.
    """

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._ring, self._mark = self._read()
        self._looked = monotonic()

    def seal(self, value: bytes) -> bytes:
        """The value, unreadable without the key."""
        return self._fresh().seal(value)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises KeyError for an unknown key, InvalidTag for tampering."""
        if sealed[0] not in self._ring.sealing:
            self._ring, self._mark = self._read()
        return self._ring.open(sealed)

    def index(self, value: str) -> bytes:
        """A fingerprint by which equal values find each other and nothing else is learnt."""
        return self._fresh().index(value)

    def lookups(self, value: str) -> Sequence[bytes]:
        """Every fingerprint under which the value may stand, today's first."""
        return self._fresh().lookups(value)

    def _fresh(self) -> Keyring:
        now = self._monotonic()
        if now - self._looked >= LOOKED_AT:
            self._looked = now
            if self._stamp() != self._mark:
                self._ring, self._mark = self._read()
        return self._ring

    def _read(self) -> tuple[Keyring, tuple[int, int]]:
        # The stamp first: a change that comes between is seen at the next look.
        ring_exists = self._path.exists()
        mark = self._stamp() if ring_exists else (0, 0)
        return keyring_file(self._path), mark

    def _stamp(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_ino
