"""How people are found by what names them: their IIN, or a provider's name of them. Of either a
blind index is kept to find it by, and a seal.
"""

from typing import Any, Protocol
from uuid import UUID

from domain.ports import Keyring

_RESIDENT = "SELECT c.* FROM citizen c WHERE c.city_id = $1 AND c.iin_index = ANY($2::bytea[])"


class Fetches(Protocol):
    """A connection, or the lane of a unit of work."""

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """All rows of a statement."""
        ...


async def resident_with_iin(by: Fetches, keyring: Keyring, city: UUID, iin: str) -> Any | None:
    """The row of the city's resident with an IIN; there is one at most (uq_citizen_iin)."""
    found = await by.fetch(_RESIDENT, city, keyring.lookups(iin))
    return found[0] if found else None


def subject_key(provider: str, subject: str) -> str:
    """What is indexed. eGov names people by their IIN, which a bare hash would not hide."""
    return f"identity {provider} {subject}"
