"""A witness in an audit: what it cosigned, and whether that stands in the log.

The log's own key cannot tell a history that was cut short, or written anew, and signed again.
A witness signs only what grew out of what it signed before, so that its word can: what it
cosigned must be there, and it must not have fallen silent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from domain.register.checkpoint import (
    COSIGNATURE,
    Checkpoint,
    Key,
    Verify,
    cosigned_at,
    is_signed,
)
from domain.register.findings import Finding, Kind
from domain.register.moments import told


@dataclass(slots=True)
class Witness:
    """One witness by name, with all its keys.

    `size` is the newest tree that it cosigned and that stands in the log, `at` when it did; times
    are milliseconds of Unix time.
    """

    name: str
    keys: tuple[Key, ...]
    size: int = 0
    at: int = 0
    _said: dict[tuple[int, bytes], int] = field(default_factory=dict)
    _stood: set[tuple[int, bytes]] = field(default_factory=set)
    _since: int = 0

    def hear(self, checkpoint: Checkpoint, verify: Verify) -> bool:
        """Take its lines under a note; False where one bears its name and is not its own."""
        right = True
        for line in checkpoint.signatures:
            if line.name == self.name:
                alone = replace(checkpoint, signatures=(line,))
                if any(is_signed(alone, key, verify) for key in self.keys):
                    self._said[checkpoint.size, checkpoint.root] = cosigned_at(line)
                else:
                    right = False
        return right

    def grows(self, written: int) -> None:
        """The log has one more leaf."""
        self._since = self._since or written

    def stands(self, checkpoint: Checkpoint) -> None:
        """The checkpoint is that of the leaves so far."""
        place = checkpoint.size, checkpoint.root
        if place in self._said:
            self._stood.add(place)
            self._since = 0
            if checkpoint.size >= self.size:
                self.size, self.at = checkpoint.size, self._said[place] * 1000

    def judge(self, at: int, behind: int) -> Iterator[Finding]:
        """What its word tells of a log as it was told at that time; it may be so far behind."""
        lost = sorted(size for size, _ in self._said.keys() - self._stood)
        if lost:
            says = f"{self.name} cosigned {lost[-1]} leaves, and they are not those here"
            yield Finding(Kind.FORKED, says)
        if not self.size and self._since:
            yield Finding(Kind.UNWITNESSED, f"{self.name} cosigned nothing that stands here")
        elif self._since and at - self._since > behind:
            says = f"{self.name} cosigned {self.size} leaves, and none since {told(self._since)}"
            yield Finding(Kind.UNWITNESSED, says)


def witnesses(keys: Sequence[Key]) -> tuple[Witness, ...]:
    """The witnesses of these keys, each by its name. A log's key is none of a witness."""
    names = dict.fromkeys(key.name for key in keys if key.kind == COSIGNATURE)
    return tuple(
        Witness(name, tuple(key for key in keys if (key.name, key.kind) == (name, COSIGNATURE)))
        for name in names
    )
