"""Uploads that an act names: the principal's own, each taken once, their hashes sealed."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.errors import Fault, Invalid
from domain.ports import TakenFile, UnitOfWork

Taken = Mapping[UUID, TakenFile]


async def take(ids: Sequence[UUID], pointer: str, uow: UnitOfWork) -> Taken:
    """Take uploads for an appeal. Raises Invalid naming each that cannot be taken."""
    taken = await uow.attachments.take(ids)
    faults = [
        Fault(f"{pointer}/{index}", "unknown-attachment", {"value": str(one)})
        for index, one in enumerate(ids)
        if one not in taken
    ]
    if faults:
        raise Invalid(faults)
    return taken


def sealed(taken: Taken) -> list[dict[str, str]]:
    """How a fact names uploads: whoever holds the original can prove what it was, and the file that
    is kept and shown can be no other.
    """
    return [
        {"id": str(id), "original_sha256": one.original_sha256}
        | ({"sha256": one.sha256} if one.sha256 else {})
        for id, one in taken.items()
    ]
