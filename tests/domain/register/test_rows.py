"""A row tells of the event whose bytes it keeps; whatever else it tells is found."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from domain.events import Actor, Event, EventType, Fact, is_internal
from domain.register.chain import Head, extend
from domain.register.export import GONE, Leaf, digest, line, read
from domain.register.rows import fault_of_row

CITY, APPEAL, OTHER = (UUID(int=number) for number in (1, 2, 3))
AT = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
AMONG_COLLEAGUES = {
    "appeal.extension_asked", "appeal.extension_refused", "appeal.instructed", "clock.warned",
    "clock.escalated",
}  # fmt: skip


def event() -> Event:
    (made,) = extend(
        Head(), [Fact(EventType.COMMENTED, {"internal": True}, {"text": "Іштей"})],
        city=CITY, appeal=APPEAL, about={}, actor=Actor("operator", OTHER), at=AT,
    )[1]  # fmt: skip
    return made


def row_of(made: Event) -> dict[str, object]:
    return {
        "id": str(made.id), "city": str(CITY), "appeal": str(made.appeal),
        "sequence": made.sequence, "type": str(made.type), "at": made.at,
        "internal": made.internal, "hash": made.hash.hex(),
    }  # fmt: skip


def audited(made: Event, row: dict[str, object]) -> str | None:
    """What the audit of a database says of an event and its row."""
    text = line(Leaf(0, made.hash, made.canonical, row))
    (told,) = read([text], str(CITY))
    assert isinstance(told, tuple)
    return told[-1]


def test_an_honest_row_is_that_of_its_bytes():
    made = event()
    assert audited(made, row_of(made)) is None
    assert digest(Leaf(0, made.hash, made.canonical), str(CITY))[-1] is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", str(OTHER)), ("city", str(OTHER)), ("appeal", str(OTHER)), ("sequence", 2),
        ("type", "appeal.closed"), ("at", AT + timedelta(microseconds=1)), ("internal", False),
        ("hash", "00" * 32),
    ],
)  # fmt: skip
def test_a_row_that_tells_another_anything_is_found(column, value):
    made = event()
    assert audited(made, row_of(made) | {column: value}) == (
        f"its row tells another {column} than its bytes"
    )


def test_bytes_that_were_changed_are_told_before_their_row():
    made = event()
    forged = Leaf(0, made.hash, made.canonical.replace(b"operator", b"akim"), row_of(made))
    assert digest(forged, str(CITY))[-1] == "its bytes do not give its hash"
    assert digest(Leaf(0, made.hash, None), str(CITY))[-1] == GONE


def test_a_row_of_bytes_that_lack_what_it_tells_is_no_judgement():
    said = orjson.loads(event().canonical)
    del said["data"]
    with pytest.raises(KeyError):
        fault_of_row(row_of(event()) | {"at": AT.isoformat()}, said, "")


@pytest.mark.parametrize("type_", EventType, ids=str)
def test_who_reads_an_event_follows_from_its_type(type_):
    assert is_internal(type_, {}) == Fact(type_).internal == (type_ in AMONG_COLLEAGUES)
    word = {"internal": True}
    of_comment = type_ is EventType.COMMENTED
    assert is_internal(type_, word) == (of_comment or type_ in AMONG_COLLEAGUES)
    assert not is_internal("appeal.commented", {"internal": "true"}), "JSON knows what true is"
