"""The row of an event against its bytes.

Histories, lists and proofs find an event by the columns of its row. What was hashed and signed are
its bytes alone, and so a row that tells of another appeal, another place or another reader than
they do would take an event out of a history, and no hash, chain or tree would show it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.events import is_internal

ODD = "its row tells another "
"""How a fault begins that is one of the row, and not of the bytes."""

_NAMED = ("id", "city", "appeal", "sequence", "type")


def fault_of_row(row: Mapping[str, Any], event: Mapping[str, Any], leaf: str) -> str | None:
    """The columns in which a row differs from the bytes of its event, in words; None if in none.

    `row` holds the columns as JSON has them: ids, times and hashes as texts. `leaf` is the hash of
    the bytes, hex. Raises KeyError, TypeError, ValueError or AttributeError for bytes that are no
    event.
    """
    odd = [name for name in _NAMED if row[name] != event[name]]
    if datetime.fromisoformat(row["at"]) != datetime.fromisoformat(event["at"]):
        odd.append("at")
    if row["internal"] is not is_internal(event["type"], event["data"]):
        odd.append("internal")
    if row["hash"] != leaf:
        odd.append("hash")
    return f"{ODD}{', '.join(odd)} than its bytes" if odd else None
