"""What an audit may find, and how it is told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


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
    WITHHELD = "withheld"
    DATED = "dated otherwise"
    UNSIGNED = "unsigned"
    COSIGNATURE = "cosignature"
    UNWITNESSED = "unwitnessed"
    DISAGREES = "disagrees"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words."""

    kind: Kind
    says: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.says}"


def summary(findings: Sequence[Finding]) -> str:
    """How often what was found."""
    counted = Counter(str(finding.kind) for finding in findings)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counted.items()))
