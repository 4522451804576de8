"""The chain of an appeal: every event holds the one before it, and tampering shows."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Actor, Event, EventType, Fact
from domain.register.canonical import GENESIS, commitment, leaf_hash
from domain.register.chain import SALT_BYTES, Head, broken_link, extend

CITY, APPEAL, SOMEBODY = (UUID(int=number) for number in (1, 2, 3))
AT = datetime(2026, 3, 2, 4, 5, 6, 7, tzinfo=UTC)
ACTOR = Actor("operator", SOMEBODY)
ABOUT = {"number": "SEM-2026-000001", "status": "assigned"}
SECRETS = {"name": "Айгүл Серікова", "phone": "+77015550109"}


def lived(*facts: Fact, head: Head | None = None) -> tuple[Head, tuple[Event, ...]]:
    return extend(head or Head(), facts, city=CITY, appeal=APPEAL, about=ABOUT, actor=ACTOR, at=AT)


def some(count: int = 5) -> list[Event]:
    facts = [Fact(EventType.COMMENTED, {"n": n}, {"text": f"сөз {n}"}) for n in range(count)]
    return list(lived(*facts)[1])


def links(events: list[Event]) -> list[tuple[bytes, str]]:
    return [(e.canonical, orjson.loads(e.canonical)["previous"]) for e in events]


def test_each_event_carries_the_hash_of_the_one_before():
    head, events = lived(Fact(EventType.REGISTERED), Fact(EventType.ASSIGNED))
    first, second = (orjson.loads(event.canonical) for event in events)
    assert first["previous"] == GENESIS.hex() == "00" * 32
    assert second["previous"] == leaf_hash(events[0].canonical).hex() == events[0].hash.hex()
    assert [first["sequence"], second["sequence"]] == [1, 2]
    assert head == Head(2, events[1].hash)


def test_a_chain_goes_on_where_it_ended():
    head, before = lived(Fact(EventType.REGISTERED))
    head, after = lived(Fact(EventType.ACCEPTED), head=head)
    assert head.sequence == 2
    assert broken_link(links([*before, *after])) is None


def test_an_event_says_who_when_and_of_what():
    (event,) = lived(Fact(EventType.ACCEPTED, {"organisation": "x"}))[1]
    said = orjson.loads(event.canonical)
    assert said["at"] == "2026-03-02T04:05:06.000007Z"
    assert said["actor"] == {"role": "operator", "id": str(SOMEBODY), "organisation": None}
    assert (said["type"], said["about"], said["data"]) == (
        "appeal.accepted", ABOUT, {"organisation": "x"},
    )  # fmt: skip
    assert said["format"] == 1


@given(
    st.dictionaries(
        st.sampled_from(["name", "phone", "text", "place", "answers"]),
        st.text(min_size=4, max_size=80).filter(lambda text: not text.isascii()),
        min_size=1,
    )
)
def test_what_can_name_a_person_is_nowhere_in_the_register(personal: dict[str, str]):
    (event,) = lived(Fact(EventType.REGISTERED, {}, personal))[1]
    for text in personal.values():
        assert text.encode() not in event.canonical
    said = orjson.loads(event.canonical)["personal"]
    assert said == {n: commitment(s.value, s.salt) for n, s in event.personal.items()}
    assert {n: s.value for n, s in event.personal.items()} == personal


def test_every_text_has_a_salt_of_its_own():
    (event,) = lived(Fact(EventType.REGISTERED, {}, {"name": "бір сөз", "text": "бір сөз"}))[1]
    assert event.personal["name"].salt != event.personal["text"].salt
    assert {len(sealed.salt) for sealed in event.personal.values()} == {SALT_BYTES}


def test_a_lawful_erasure_leaves_the_chain_whole():
    head, events = lived(Fact(EventType.REGISTERED, {}, SECRETS), Fact(EventType.ASSIGNED))
    erased = [replace(event, personal={}) for event in events]
    assert broken_link(links(erased)) is None
    assert leaf_hash(erased[-1].canonical) == head.hash


@pytest.mark.parametrize("place", range(4))
def test_a_tampered_event_breaks_the_link_after_it(place: int):
    chain = links(some())
    canonical, previous = chain[place]
    chain[place] = (canonical.replace(b'"n":', b'"m":'), previous)
    assert broken_link(chain) == place + 1


def test_the_last_event_is_held_by_the_head():
    head, events = lived(Fact(EventType.REGISTERED), Fact(EventType.COMMENTED, {"n": 1}))
    forged = events[-1].canonical.replace(b'"n":1', b'"n":2')
    assert leaf_hash(forged) != head.hash


@pytest.mark.parametrize("place", range(4))
def test_swapped_events_break_the_chain(place: int):
    chain = links(some())
    chain[place], chain[place + 1] = chain[place + 1], chain[place]
    assert broken_link(chain) == place


@pytest.mark.parametrize("place", range(4))
def test_a_removed_event_breaks_the_chain(place: int):
    chain = links(some())
    del chain[place]
    assert broken_link(chain) == place


@pytest.mark.parametrize("place", range(5))
def test_an_inserted_event_breaks_the_chain(place: int):
    chain = links(some())
    chain.insert(place, chain[place])
    assert broken_link(chain) in {place, place + 1}


def test_an_event_of_another_appeal_does_not_fit():
    mine, theirs = links(some()), links(some())
    assert broken_link([*mine[:2], *theirs[2:]]) == 2


def test_an_untouched_chain_is_whole():
    assert broken_link(links(some())) is None
    assert broken_link([]) is None
