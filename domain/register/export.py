"""The export of a register: one JSON document a line, read by anyone without this program.

First who it is of and when it was written (`origin`, `city`, `keys`, `at`), then every event with
its leaf in the order of the log, each signed checkpoint with the cosignatures under it after the
last leaf that it covers, then events that are not sealed yet (`index` null), where each appeal
stands (`appeal`, `sequence`, `head`), and how much it all was (`end`). docs/register.md explains
each field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.register.canonical import leaf_hash
from domain.register.moments import milliseconds, written
from domain.register.rows import fault_of_row

FORM = 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """An event as the log has it. `canonical` None where the log has a leaf and no event.

    `row` are the other columns of the event as JSON has them (domain/register/rows.py), where a
    database is audited; an export has none.
    """

    index: int | None
    hash: bytes
    canonical: bytes | None
    row: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A checkpoint as it was kept, and when."""

    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the row of an appeal says of its chain: how many events, the hash of the last."""

    appeal: UUID
    sequence: int
    head: bytes


Record = Leaf | Stated | Standing


def header(origin: str, city: UUID, keys: Sequence[str], at: datetime) -> bytes:
    """The first line."""
    known = {"origin": origin, "city": str(city), "keys": list(keys)}
    return _line({"register": FORM, **known, "at": at})


def line(record: Record) -> bytes:
    """One record as a line."""
    if isinstance(record, Leaf):
        known = None if record.canonical is None else record.canonical.decode(errors="replace")
        said = {"index": record.index, "hash": record.hash.hex(), "canonical": known}
        return _line(said if record.row is None else {**said, "row": record.row})
    if isinstance(record, Stated):
        return _line({"checkpoint": record.note, "at": record.at})
    return _line(
        {"appeal": str(record.appeal), "sequence": record.sequence, "head": record.head.hex()}
    )


def footer(events: int, checkpoints: int, appeals: int) -> bytes:
    """The last line."""
    return _line({"end": {"events": events, "checkpoints": checkpoints, "appeals": appeals}})


def _line(document: Mapping[str, object]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


Digest = tuple[int | None, bytes, str, int, str, int, int, str | None, str, str | None]
"""What the audit wants of an event: index, stated hash, appeal, sequence, previous, when it was
written and when it happened in milliseconds of Unix time, the incident that it names, the number
of the appeal; a fault."""

_NOTHING = ("", 0, "", 0, 0, None, "")
GONE = "the log has its leaf, and the register no event"


def digest(leaf: Leaf, city: str) -> Digest:
    """Judge the bytes of one event by themselves."""
    if leaf.canonical is None:
        return (leaf.index, leaf.hash, *_NOTHING, GONE)
    try:
        event = orjson.loads(leaf.canonical)
        said = (event["appeal"], event["sequence"], event["previous"], written(event["id"]))
        at = milliseconds(aware(event["at"]))
        named = event["data"].get("incident")
        incident = named if isinstance(named, str) else None
        number = str(event["about"].get("number", ""))
        sound = tuple(map(type, said)) == (str, int, str, int) and event["city"] == city
        fault = _fault(leaf, event, sound)
    except (ValueError, KeyError, TypeError, AttributeError):
        return (leaf.index, leaf.hash, *_NOTHING, "its bytes are no event")
    return (leaf.index, leaf.hash, *said, at, incident, number, fault)


def _fault(leaf: Leaf, event: Mapping[str, Any], sound: bool) -> str | None:
    if leaf.canonical is None or leaf_hash(leaf.canonical) != leaf.hash:
        return "its bytes do not give its hash"
    if not sound:
        return "its bytes are no event of this city"
    # Bytes in another form could be read by two readers in two ways.
    if orjson.dumps(event, option=orjson.OPT_SORT_KEYS) != leaf.canonical:
        return "its bytes are not in the canonical form"
    return None if leaf.row is None else fault_of_row(leaf.row, event, leaf.hash.hex())


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is none of an export."""

    says: str


Other = Stated | Standing | Broken | dict[str, Any]


def read(lines: Iterable[bytes], city: str) -> list[Digest | Other]:
    """Lines as the audit takes them, in order: events digested, the rest as it is."""
    return [_read(one, city) for one in lines]


def _read(text: bytes, city: str) -> Digest | Other:
    try:
        said = orjson.loads(text)
        if "hash" in said:
            canonical = said["canonical"]
            return digest(
                Leaf(
                    _index(said["index"]), bytes.fromhex(said["hash"]),
                    None if canonical is None else canonical.encode(),
                    said.get("row"),
                ),
                city,
            )  # fmt: skip
        if "checkpoint" in said:
            return Stated(str(said["checkpoint"]), aware(said["at"]))
        if "head" in said:
            head = bytes.fromhex(said["head"])
            return Standing(UUID(said["appeal"]), int(said["sequence"]), head)
        return dict(said)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Broken(f"a line that is none of an export: {text[:60]!r}")


def aware(text: str) -> datetime:
    """A time that says of which zone it is. Raises ValueError, TypeError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at


def _index(value: object) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    raise ValueError("index")
