"""What a unit of work writes when it commits, and what of it goes in one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.appeals.model import AssignmentState, Change


@dataclass(frozen=True, slots=True)
class Claim:
    """The number of a new appeal."""

    city: UUID
    year: int
    number: int


Write = tuple[Change, Claim | None]
"""An intake with its claim, or an act."""


def batches(writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
    """What one statement can write: all intakes or all acts, no two of them of one appeal."""
    batch: list[Write] = []
    for write in writes:
        same = any(write[0].appeal.id == known.appeal.id for known, _ in batch)
        other = bool(batch) and (batch[0][1] is None) != (write[1] is None)
        if same or other:
            yield batch
            batch = []
        batch.append(write)
    if batch:
        yield batch


def gives(change: Change) -> bool:
    """Whether somebody is offered the appeal, who may never have had it before."""
    return any(one.state is AssignmentState.OFFERED for one in change.assignments)
