"""An endpoint that takes much is fed on by the worker that has its attention."""

import asyncio
import threading

from api import clock
from api.worker import actors
from api.worker.broker import make_broker
from api.worker.relay import Dispatch
from domain.values import new_id
from domain.webhooks.model import CONCURRENCY
from integrations.postgres.deliveries import Deliveries
from tests.integrations.webhooks.receiver import receiver
from tests.support.appeals import add_endpoint
from tests.support.city import KISHI
from tests.support.sql import fetch
from tests.support.worker import eventually, working

COUNT = 10 * CONCURRENCY


async def states(house, endpoint):
    rows = await fetch(
        house,
        "SELECT state, count(*) FROM delivery WHERE endpoint_id = $1 GROUP BY state",
        endpoint.id,
    )
    return {row["state"]: row["count"] for row in rows}


async def test_a_long_queue_is_emptied_after_one_message_of_the_broker(carried):
    """No scheduler is at work: what the first claim began, the worker ends."""
    async with receiver() as machine, working(carried.settings):
        endpoint = await add_endpoint(carried, machine.url())
        await fetch(
            carried,
            "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
            " next_attempt_at) SELECT gen_random_uuid(), $1, $2, 'appeal.registered', '{}',"
            " 'pending', now(), now() FROM generate_series(1, $3)",
            KISHI.id, endpoint.id, COUNT,
        )  # fmt: skip
        await begin(carried)

        async def empty():
            return await states(carried, endpoint) == {"delivered": COUNT}

        await eventually(empty)
    ids = [request.headers["webhook-id"] for request in machine.requests]
    assert len(ids) == len(set(ids)) == COUNT
    (attempts,) = await fetch(
        carried,
        "SELECT count(*), max(number) FROM delivery_attempt a JOIN delivery d"
        " ON d.id = a.delivery_id WHERE d.endpoint_id = $1",
        endpoint.id,
    )
    assert tuple(attempts) == (COUNT, 1)


async def test_many_that_want_slots_at_once_do_not_wait_for_each_other(house, monkeypatch):
    """A worker that stood still so would be alive, and never send again."""
    monkeypatch.setattr(actors, "SLOTS", 10)
    workshop = actors.Workshop(house.settings)

    async def nothing_left(*_, **__):
        return ()

    monkeypatch.setattr(house.deliveries, "begin_all", nothing_left)
    workshop._house = house
    for _ in range(10):
        await workshop._slots.acquire()
    takes = [
        asyncio.create_task(workshop.take([new_id() for _ in range(7)], clock.real()))
        for _ in range(2)
    ]
    for _ in range(10):
        await asyncio.sleep(0)
        workshop._slots.release()
    _, waiting = await asyncio.wait(takes, timeout=5)
    for take in waiting:
        take.cancel()
    assert not waiting


async def begin(house):
    """What a scheduler does once."""
    dispatch = Dispatch(house, make_broker(house.settings))
    assert await dispatch.turn()
    dispatch.close()


async def test_the_next_messages_do_not_wait_until_the_last_are_written_down(carried, monkeypatch):
    """A page waits for company and for the disk; by then the receiver has long been free again."""
    # The worker has a loop of its own.
    writing = threading.Event()
    finish = Deliveries.finish

    async def slowly(self, reports):
        while not writing.is_set():
            await asyncio.sleep(0.01)
        return await finish(self, reports)

    monkeypatch.setattr(Deliveries, "finish", slowly)
    async with receiver() as machine, working(carried.settings):
        endpoint = await add_endpoint(carried, machine.url())
        await fetch(
            carried,
            "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
            " next_attempt_at) SELECT gen_random_uuid(), $1, $2, 'appeal.registered', '{}',"
            " 'pending', now(), now() FROM generate_series(1, $3)",
            KISHI.id, endpoint.id, 3 * CONCURRENCY,
        )  # fmt: skip
        await begin(carried)

        async def all_came():
            return len(machine.requests) == 3 * CONCURRENCY

        try:
            await eventually(all_came)
            assert await states(carried, endpoint) == {"pending": 3 * CONCURRENCY}
        finally:
            writing.set()

        async def all_written():
            return await states(carried, endpoint) == {"delivered": 3 * CONCURRENCY}

        await eventually(all_written)


async def test_an_endpoint_s_own_limit_holds_while_it_is_fed(carried):
    most, now = 0, 0

    async def count(writer):
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    async with receiver(count) as machine, working(carried.settings):
        endpoint = await add_endpoint(carried, machine.url(), concurrency=3)
        await fetch(
            carried,
            "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
            " next_attempt_at) SELECT gen_random_uuid(), $1, $2, 'appeal.registered', '{}',"
            " 'pending', now(), now() FROM generate_series(1, 20)",
            KISHI.id, endpoint.id,
        )  # fmt: skip
        await begin(carried)

        async def empty():
            return await states(carried, endpoint) == {"delivered": 20}

        await eventually(empty)
    assert most == 3
