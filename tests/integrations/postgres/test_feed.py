"""The feed tells each organisation what webhooks would, in order, with nothing passed over."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import orjson
import pytest

from api.event_schemas import schema_of
from domain.access import Role
from domain.appeals import intake as intakes
from domain.appeals.commands import Comment
from domain.appeals.workflow import Action
from domain.errors import CursorLost
from domain.incidents.model import Area
from domain.webhooks.feed import KEPT, START
from tests.support.appeals import add_endpoint, make_intake, perform, register
from tests.support.city import KISHI
from tests.support.incidents import open_incident
from tests.support.sql import fetch

AT = datetime(2026, 11, 28, 6, tzinfo=UTC)
WRITERS = 8


@pytest.fixture
async def feed(house):
    """The house's own, with nothing in it."""
    await fetch(house, "DELETE FROM outbox")
    await fetch(house, "UPDATE incident_message SET told = true")
    await fetch(house, "DELETE FROM feed_entry")
    await fetch(house, "UPDATE webhook_endpoint SET removed_at = now()")
    return house.feed


def head(organisation=None):
    return KISHI.principal(Role.HEAD, organisation=organisation)


async def read_all(feed, principal=None, after=START, limit=100, types=()):
    """Everything behind a position, page by page."""
    entries, more = [], True
    while more:
        page = await feed.page(principal or head(), after, types, limit, AT)
        entries += page.entries
        after, more = page.mark, page.more
    return entries, after


def said(entries):
    told = [orjson.loads(one.payload) for one in entries]
    return [(one["type"], one["data"]["sequence"]) for one in told]


async def test_an_entry_is_the_message_of_the_webhook_byte_for_byte_under_the_same_id(house, feed):
    endpoint = await add_endpoint(house)
    await register(house)
    # Elsewhere: the appeals of other tests are none of its.
    await open_incident(house, area=Area(buildings=frozenset({KISHI.flats})))
    await house.outbox.relay(AT)
    entries, _ = await read_all(feed)
    rows = await fetch(
        house,
        "SELECT coalesce(message_id, event_id) AS id, payload FROM delivery WHERE endpoint_id = $1",
        endpoint.id,
    )
    assert len(rows) == 3
    assert {(one.id, one.payload) for one in entries} == {
        (row["id"], bytes(row["payload"])) for row in rows
    }
    for entry in entries:
        message = orjson.loads(entry.payload)
        jsonschema_rs.validate(schema_of(message["type"]), message)


async def test_everybody_hears_what_a_webhook_of_theirs_would_and_strangers_nothing(house, feed):
    appeal = await register(house)
    for internal in (True, False):
        comment = Comment("Кешкі ауысымға", internal=internal)
        await perform(house, appeal, Action.COMMENT, comment, role=Role.OPERATOR)
    await house.outbox.relay(AT)
    expected = [("appeal.registered", 1), ("appeal.assigned", 2), ("appeal.commented", 4)]
    assert said((await read_all(feed))[0]) == expected
    assert said((await read_all(feed, head(KISHI.department)))[0]) == expected
    assert said((await read_all(feed, head(KISHI.centre)))[0]) == []


async def test_what_is_asked_for_by_type_alone_goes_on_behind_what_was_passed_over(house, feed):
    await register(house)
    await house.outbox.relay(AT)
    entries, after = await read_all(feed, types=("appeal.assigned",))
    assert said(entries) == [("appeal.assigned", 2)]
    assert await read_all(feed, after=after) == ([], after)
    entries, after = await read_all(feed, types=("appeal.closed",))
    assert (entries, after) == ([], await feed.newest(head()))


async def test_nobody_sees_the_entries_of_another_organisation_whatever_the_code_asks(house, feed):
    """The second wall: even a principal that names a foreign organisation reads nothing."""
    await register(house)
    await house.outbox.relay(AT)
    forged = KISHI.principal(Role.HEAD, organisation=KISHI.centre)
    object.__setattr__(forged, "organisation", KISHI.water)
    assert await read_all(feed, forged) == ([], START)


async def _write(house, appeals, turns):
    """A writer whose events have their ids long before they are committed."""
    for _ in range(turns):
        async with house.units.open(KISHI.principal(Role.OPERATOR)) as uow:
            appeal = await intakes.register(
                make_intake(), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
            )
            await asyncio.sleep(random.random() * 0.03)
            await uow.commit()
        appeals.append(appeal)


async def _write_late(house, appeals, go):
    """As they, but the first to take its ids and the last to commit."""
    async with house.units.open(KISHI.principal(Role.OPERATOR)) as uow:
        appeal = await intakes.register(
            make_intake(), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
        await go.wait()
        await uow.commit()
    appeals.append(appeal)


async def _read_naively(house, stop, found):
    """Whoever reads `id > last`."""
    last = orjson.loads(b'"00000000-0000-0000-0000-000000000000"')
    while True:
        stopping = stop.is_set()
        rows = await fetch(
            house, "SELECT id FROM event WHERE id > $1::text::uuid ORDER BY id LIMIT 7", last
        )
        found += [row["id"] for row in rows]
        last = str(rows[-1]["id"]) if rows else last
        if stopping and not rows:
            return
        await asyncio.sleep(0.001)


async def _read_ours(house, stop, found):
    after = START
    while True:
        stopping = stop.is_set()
        page = await house.feed.page(head(), after, (), 7, AT)
        found += page.entries
        after = page.mark
        if stopping and not page.entries:
            return
        await asyncio.sleep(0.001)


async def _relay(house, stop):
    """Until nothing is left behind the last writer."""
    while not stop.is_set() or await fetch(house, "SELECT 1 FROM outbox LIMIT 1"):
        await house.outbox.relay(AT, limit=5)


async def test_nothing_is_passed_over_under_eight_writers_that_commit_late(house, feed):
    before = await fetch(house, "SELECT id FROM event")
    appeals: list[Any] = []
    naive: list[Any] = []
    ours: list[Any] = []
    written, relayed, go = asyncio.Event(), asyncio.Event(), asyncio.Event()
    late = asyncio.create_task(_write_late(house, appeals, go))
    await asyncio.sleep(0.05)
    readers = [
        asyncio.create_task(_read_naively(house, relayed, naive)),
        asyncio.create_task(_read_ours(house, relayed, ours)),
    ]
    relays = [asyncio.create_task(_relay(house, written)) for _ in range(2)]
    await asyncio.gather(*(_write(house, appeals, 6) for _ in range(WRITERS - 1)))
    go.set()
    await late
    written.set()
    await asyncio.gather(*relays)
    relayed.set()
    await asyncio.gather(*readers)

    every = await fetch(house, "SELECT id FROM event WHERE appeal_id = ANY($1)",
                        [one.id for one in appeals])  # fmt: skip
    expected = {row["id"] for row in every}
    assert len(expected) == 2 * (6 * (WRITERS - 1) + 1)
    assert {one.id for one in ours} == expected
    assert len(ours) == len(expected)
    for appeal in appeals:
        told = [orjson.loads(one.payload)["data"] for one in ours]
        assert [one["sequence"] for one in told if one["id"] == str(appeal.id)] == [1, 2]
    missed = expected - set(naive)
    assert missed, "a reader by id alone would have to lose something here"
    assert len(before) + len(expected) >= len(naive)


async def test_what_was_told_once_is_told_to_whoever_begins_later_for_ninety_days(house, feed):
    await register(house)
    await house.outbox.relay(AT - KEPT)
    await register(house)
    await house.outbox.relay(AT)
    assert await feed.sweep(AT) == 0
    assert len((await read_all(feed))[0]) == 4
    # Two events, each heard by the utility and by the department above it.
    assert await feed.sweep(AT + timedelta(days=1, seconds=1)) == 4
    assert len((await read_all(feed))[0]) == 2
    assert await feed.sweep(AT + timedelta(days=1, seconds=1)) == 0


async def _take_back(house, position):
    """The database as it was when `position` was the newest, positions given from there again."""
    await fetch(house, "DELETE FROM feed_entry WHERE position > $1", position)
    again = f"ALTER TABLE feed_entry ALTER COLUMN position RESTART WITH {position + 1}"
    await fetch(house, again)


async def _restored(house, feed):
    """A feed from a copy, the newest that the copy held, and where one had read to who read on."""
    await register(house)
    await house.outbox.relay(AT)
    copied = await feed.newest(head())
    await register(house)
    await house.outbox.relay(AT)
    _, after = await read_all(feed)
    assert after.position > copied.position
    await _take_back(house, copied.position)
    return copied, after


async def test_who_read_more_than_a_restored_feed_has_is_told_so(house, feed):
    """Else they would hear that there is nothing new, and never of what is told from there on."""
    copied, after = await _restored(house, feed)
    with pytest.raises(CursorLost):
        await read_all(feed, after=after)
    assert await read_all(feed, after=copied) == ([], copied)


async def test_who_read_what_a_restored_feed_tells_otherwise_is_told_so(house, feed):
    """The positions were given again meanwhile, to other messages."""
    copied, after = await _restored(house, feed)
    again = [await register(house) for _ in range(3)]
    await house.outbox.relay(AT)
    assert (await feed.newest(head())).position > after.position
    with pytest.raises(CursorLost):
        await read_all(feed, after=after)
    entries, _ = await read_all(feed, after=copied)
    assert len(entries) == 2 * len(again)


async def test_the_same_message_told_at_another_time_is_not_the_one_that_was_read(house, feed):
    """It was on its way when the copy was made, and others may stand before it now."""
    appeal = await register(house)
    await house.outbox.relay(AT)
    _, after = await read_all(feed)
    (row,) = await fetch(house, "SELECT min(position) AS first FROM feed_entry")
    await _take_back(house, row["first"] - 1)
    await fetch(
        house,
        "INSERT INTO outbox (city_id, event_id) SELECT city_id, id FROM event"
        " WHERE appeal_id = $1 ORDER BY sequence",
        appeal.id,
    )
    await house.outbox.relay(AT + timedelta(minutes=3))
    newest = await feed.newest(head())
    assert (newest.position, newest.id) == (after.position, after.id)
    with pytest.raises(CursorLost):
        await read_all(feed, after=after)


async def test_who_was_told_nothing_for_ninety_days_goes_on(house, feed):
    await register(house)
    await house.outbox.relay(AT - KEPT - timedelta(days=2))
    _, after = await read_all(feed)
    assert await feed.sweep(AT) == 4
    page = await feed.page(head(), after, (), 10, AT)
    assert (page.entries, page.mark) == ((), after)
    await register(house)
    await house.outbox.relay(AT)
    entries, _ = await read_all(feed, after=after)
    assert len(entries) == 2
