"""What happens, in its order, told to those who may hear it: against the real database."""

import asyncio
import random
from dataclasses import replace

import asyncpg
import pytest

from domain.access import Principal, Role
from domain.appeals.commands import Accept, Comment, Decline, Whereabouts
from domain.appeals.happenings import Place, Wanted, hears
from domain.appeals.workflow import Action, Status
from domain.events import EventType
from domain.values import new_id
from integrations.postgres.doors import door_of
from integrations.postgres.happenings import CHANNEL
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.session import inside
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.districts import write_district
from tests.support.sql import fetch
from tests.support.worker import eventually

WRITERS = 8
EACH = 30
_COPY = """
INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical, hash)
SELECT $2, city_id, appeal_id, $3, type, at, internal, canonical, hash
  FROM event WHERE appeal_id = $1 AND sequence = 1
"""


async def read_on(happenings, place, wanted=None):
    """Everything from a place to where all stands still, and that place."""
    floor, found = await happenings.floor(), []
    while place < floor:
        some = await happenings.after(place, floor, 7, wanted)
        found += some
        place = some[-1].place if len(some) == 7 else floor
    return found, place


async def settled(house):
    """Wait until all that is written by now may be read: other databases of the server, and so
    other tests, hold the order up as long as they write.
    """
    asked = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS upto"
    (row,) = await fetch(house, asked)

    async def passed():
        return (await house.happenings.floor()).transaction >= row["upto"]

    await eventually(passed)


async def test_writers_that_commit_late_are_not_passed_over_as_a_naive_reader_would(house):
    appeal = await register(house)
    start = await house.happenings.floor()
    ids = [[new_id() for _ in range(EACH)] for _ in range(WRITERS)]
    running = True

    async def write(own, writer):
        connection = await asyncpg.connect(house.settings.database_url)
        dice = random.Random(writer)
        for turn, _ in enumerate(own):
            async with connection.transaction():
                own[turn] = new_id()
                await connection.execute(_COPY, appeal.id, own[turn], 1_000 + writer * EACH + turn)
                await asyncio.sleep(dice.random() * 0.02)
        await connection.close()

    async def read():
        told, place = [], start
        while running:
            some, place = await read_on(house.happenings, place)
            told += some
            await asyncio.sleep(0.002)
        return told + (await read_on(house.happenings, place))[0]

    async def read_naively():
        told, last = [], new_id()
        while running:
            rows = await fetch(
                house, "SELECT id FROM event WHERE id > $1 AND sequence >= 1000 ORDER BY id", last
            )
            told += [row["id"] for row in rows]
            last = told[-1] if told else last
            await asyncio.sleep(0.002)
        return told

    readers = asyncio.gather(read(), read_naively())
    await asyncio.gather(*(write(own, writer) for writer, own in enumerate(ids)))
    running = False
    told, naive = await readers
    written = {id for own in ids for id in own}
    heard = [each.place.id for each in told if each.sequence and each.place.id in written]
    assert len(heard) == len(set(heard)) == len(written)
    assert len(set(naive)) < len(written), "the writers were too kind to prove anything"


async def test_what_is_told_of_an_event(house):
    place = await house.happenings.floor()
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await settled(house)
    told, _ = await read_on(house.happenings, place, Wanted(KISHI.id, number=appeal.number))
    assert [each.type for each in told] == [
        EventType.REGISTERED, EventType.ASSIGNED, EventType.ACCEPTED,
    ]  # fmt: skip
    last = told[-1]
    assert (last.number, last.sequence, last.status) == (appeal.number, 3, Status.IN_PROGRESS)
    assert (last.service, last.organisation) == (appeal.service, KISHI.water)
    assert last.organisations == {KISHI.water}
    assert (last.actor, last.district) == ("executor", appeal.place.district)


async def test_who_hears_is_who_sees(house):
    """The rule in memory and the condition in SQL are one rule (law 5)."""
    village = await write_district(house, "village", "centre")
    place = await house.happenings.floor()
    appeals = [
        await register(house),
        await register(house, role=Role.CITIZEN, applicant=None),
        await register(house, applicant=None),
        await register(house, where=Whereabouts(building=village)),
    ]
    await perform(house, appeals[0], Action.DECLINE, Decline("Не наше"))
    await perform(house, appeals[0], Action.COMMENT, Comment("ішкі", internal=True),
                  role=Role.OPERATOR)  # fmt: skip
    await settled(house)
    told, _ = await read_on(house.happenings, place)
    districts = {each.district for each in told}
    assert districts == {"centre", "village"}
    people = [KISHI.principal(role) for role in Role if role is not Role.SYSTEM]
    akim = KISHI.principal(Role.AKIM)
    people.append(KISHI.principal(Role.AKIM, district="centre", districts=("centre", "village")))
    people += [replace(akim, district=district) for district in (*districts, "nowhere")]
    executor = KISHI.principal(Role.EXECUTOR)
    people += [
        replace(executor, organisations=frozenset(organisations))
        for organisations in ((KISHI.centre,), (KISHI.department, KISHI.water), ())
    ]
    people.append(replace(KISHI.principal(Role.CITIZEN), citizen=new_id()))
    people.append(replace(KISHI.principal(Role.OPERATOR), city=new_id()))
    verdicts = set()
    for who in people:
        seen = await _seen(house, who, [each.id for each in appeals])
        for each in told:
            if each.internal:
                assert not (hears(who, each) and who.role is Role.CITIZEN)
            else:
                assert hears(who, each) is (each.appeal in seen), who
                verdicts.add(each.appeal in seen)
    assert verdicts == {True, False}


async def _seen(house, who: Principal, ids):
    parameters = Parameters(ids)
    condition = visible(who, parameters)
    async with inside(house.engine, door_of(who)) as driver:
        rows = await driver.fetch(
            f"SELECT a.id FROM appeal a WHERE a.id = ANY($1) AND {condition}", *parameters.values
        )
    return {row["id"] for row in rows}


async def test_the_relay_calls_once_it_has_moved_something(house):
    called = asyncio.Event()
    listening = asyncio.create_task(house.happenings.listen(called.set))
    try:
        await register(house)
        await eventually(lambda: _relayed(house, called))
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    # The connection went back without the listener, or not at all.
    rows = await fetch(house, "SELECT pg_listening_channels() AS channel")
    assert CHANNEL not in {row["channel"] for row in rows}


async def _relayed(house, called):
    await house.outbox.relay(house.now())
    return called.is_set()


async def test_a_place_between_the_events_of_one_transaction_goes_on_with_the_next(house):
    place = await house.happenings.floor()
    appeal = await register(house)
    wanted = Wanted(KISHI.id, number=appeal.number)
    await settled(house)
    both, _ = await read_on(house.happenings, place, wanted)
    assert both[0].place.transaction == both[1].place.transaction
    rest, _ = await read_on(house.happenings, both[0].place, wanted)
    assert rest == both[1:]


@pytest.mark.parametrize("wanted", [Wanted(new_id()), Wanted(KISHI.id, number="KSH-2026-999999")])
async def test_nothing_of_another_city_or_appeal_is_read(house, wanted):
    await register(house)
    assert (await read_on(house.happenings, Place(0), wanted))[0] == []


async def test_a_place_is_held_while_the_register_has_its_event_of_that_transaction(house):
    place = await house.happenings.floor()
    await register(house)
    await settled(house)
    (*_, last), _ = await read_on(house.happenings, place)
    assert await house.happenings.holds(last.place)
    assert not await house.happenings.holds(Place(last.place.transaction, new_id()))
    assert not await house.happenings.holds(Place(last.place.transaction + 1, last.place.id))
