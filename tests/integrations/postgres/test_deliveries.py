"""Deliveries: one holder at a time, tried by the table, ended by name."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from domain.access import Role
from domain.values import new_id
from domain.webhooks.attempts import Report
from domain.webhooks.model import AttemptResult
from domain.webhooks.schedule import DELAYS, Outcome, next_attempt
from integrations.postgres.deliveries import SHARES, Deliveries
from tests.support.appeals import add_endpoint, register
from tests.support.city import KISHI
from tests.support.sql import fetch

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OK = AttemptResult(204, None, 12, "", None)
DOWN = AttemptResult(None, "not-connected", 3, "", None)


async def row(house, delivery):
    (found,) = await fetch(house, "SELECT * FROM delivery WHERE id = $1", delivery)
    return found


async def attempts(house, delivery):
    return await fetch(
        house, "SELECT * FROM delivery_attempt WHERE delivery_id = $1 ORDER BY number", delivery
    )


@pytest.fixture
async def queue(house):
    """The house's deliveries, with nothing due or in hand that another test left."""
    await fetch(house, "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending'")
    await fetch(house, "DELETE FROM delivery_lease")
    return house.deliveries


@pytest.fixture
async def endpoint(house, queue):
    return await add_endpoint(house)


async def add_delivery(house, endpoint, *, due=AT, type="appeal.registered"):
    appeal = await register(house)
    identity = new_id()
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, event_id, type, payload, state,"
        " created_at, next_attempt_at) SELECT $1, city_id, $2, id, $3, '{}', 'pending', $4, $4"
        " FROM event WHERE appeal_id = $5 AND sequence = 1",
        identity, endpoint.id, type, due, appeal.id,
    )  # fmt: skip
    return identity


async def begun(queue, delivery, at=AT):
    (claim,) = [c for c in await queue.claim(at) if c.delivery == delivery]
    return await queue.begin(claim.delivery, claim.lease, at)


async def finish(queue, attempt, result, at):
    """Whether the word of this attempt was taken."""
    verdict = next_attempt(attempt.tries, result, at, 0.5)
    return bool(await queue.finish([Report(attempt, result, verdict, at)]))


async def leases(house):
    return {
        row["delivery_id"]: row["until"]
        for row in await fetch(house, "SELECT * FROM delivery_lease")
    }


async def test_a_delivery_is_claimed_once_and_again_only_when_its_lease_has_ended(
    house, queue, endpoint
):
    delivery = await add_delivery(house, endpoint)
    assert await queue.claim(AT - SECOND) == []
    assert [claim.delivery for claim in await queue.claim(AT)] == [delivery]
    assert await queue.claim(AT + 59 * SECOND) == []
    assert [claim.delivery for claim in await queue.claim(AT + 60 * SECOND)] == [delivery]


async def test_two_dispatchers_at_once_claim_a_delivery_once(house, queue, endpoint):
    known = {await add_delivery(house, endpoint) for _ in range(8)}
    found = await asyncio.gather(*(queue.claim(AT) for _ in range(4)))
    claimed = [claim.delivery for claims in found for claim in claims]
    assert sorted(claimed) == sorted(known)


async def test_what_another_dispatcher_is_just_claiming_is_passed_over(house, queue, endpoint):
    held, free = [await add_delivery(house, endpoint) for _ in range(2)]
    other = await asyncpg.connect(house.settings.database_url)
    try:
        claiming = other.transaction()
        await claiming.start()
        lease = AT + timedelta(minutes=1)
        await other.execute(
            "WITH held AS (SELECT id, endpoint_id FROM delivery WHERE id = $1 FOR NO KEY UPDATE)"
            " INSERT INTO delivery_lease SELECT id, endpoint_id, $2 FROM held",
            held, lease,
        )  # fmt: skip
        found = await asyncio.wait_for(queue.claim(AT), 2)
        assert [claim.delivery for claim in found] == [free]
        await claiming.commit()
    finally:
        await other.close()
    assert await queue.claim(AT) == []


async def test_a_released_claim_is_due_at_once(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint)
    await queue.release(await queue.claim(AT))
    assert [claim.delivery for claim in await queue.claim(AT)] == [delivery]


async def test_a_message_that_the_broker_gives_twice_makes_one_attempt(house, queue, endpoint):
    await add_delivery(house, endpoint)
    (claim,) = await queue.claim(AT)
    first = await queue.begin(claim.delivery, claim.lease, AT)
    assert first is not None
    assert (first.number, first.payload, first.endpoint) == (1, b"{}", endpoint)
    assert await queue.begin(claim.delivery, claim.lease, AT) is None


async def test_a_delivered_message_is_over(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint)
    assert await finish(queue, await begun(queue, delivery), OK, AT + SECOND)
    found = await row(house, delivery)
    assert (found["state"], found["attempts"], found["finished_at"]) == (
        "delivered", 1, AT + SECOND,
    )  # fmt: skip
    (told,) = await attempts(house, delivery)
    assert (told["number"], told["at"], told["status"], told["latency_ms"]) == (1, AT, 204, 12)
    assert await queue.claim(AT + timedelta(days=9)) == []


async def test_a_dead_endpoint_is_tried_by_the_table_and_then_no_more(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint)
    at = AT
    for number, delay in enumerate([*DELAYS[1:], None], start=1):
        attempt = await begun(queue, delivery, at)
        assert attempt.number == number
        assert await finish(queue, attempt, DOWN, at)
        if delay is not None:
            assert (await row(house, delivery))["next_attempt_at"] == at + delay
            assert await queue.claim(at + delay - SECOND) == []
            at += delay
    found = await row(house, delivery)
    assert (found["state"], found["attempts"], found["next_attempt_at"]) == ("exhausted", 10, None)
    assert [told["error"] for told in await attempts(house, delivery)] == ["not-connected"] * 10


async def test_a_worker_that_dies_in_an_attempt_leaves_it_to_the_next_uncounted(
    house, queue, endpoint
):
    delivery = await add_delivery(house, endpoint)
    await begun(queue, delivery, AT)
    assert await queue.claim(AT + 59 * SECOND) == []
    again = await begun(queue, delivery, AT + 61 * SECOND)
    assert again.number == 1
    assert (await row(house, delivery))["attempts"] == 0


async def test_a_worker_that_comes_back_too_late_is_not_listened_to(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint)
    zombie = await begun(queue, delivery, AT)
    later = AT + 61 * SECOND
    successor = await begun(queue, delivery, later)
    assert not await finish(queue, zombie, DOWN, later)
    assert await attempts(house, delivery) == []
    assert await finish(queue, successor, OK, later + SECOND)
    assert not await finish(queue, zombie, DOWN, later + 2 * SECOND)
    assert not await finish(queue, successor, OK, later + 3 * SECOND)
    assert (await row(house, delivery))["state"] == "delivered"
    assert len(await attempts(house, delivery)) == 1


async def test_a_zombie_is_not_heard_after_its_successor_failed_either(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint)
    zombie = await begun(queue, delivery, AT)
    later = AT + 61 * SECOND
    assert await finish(queue, await begun(queue, delivery, later), DOWN, later)
    assert not await finish(queue, zombie, OK, later)
    assert (await row(house, delivery))["attempts"] == 1


async def test_an_endpoint_that_is_gone_is_disabled_and_its_queue_ends(house, queue, endpoint):
    delivery, waiting = [await add_delivery(house, endpoint) for _ in range(2)]
    claims = {claim.delivery: claim for claim in await queue.claim(AT)}
    attempt = await queue.begin(delivery, claims[delivery].lease, AT)
    gone = AttemptResult(410, None, 5, "", None)
    verdict = next_attempt(1, gone, AT, 0.5)
    assert verdict.outcome is Outcome.DISABLE
    assert await queue.finish([Report(attempt, gone, verdict, AT)])
    (found,) = await fetch(house, "SELECT enabled FROM webhook_endpoint WHERE id = $1", endpoint.id)
    assert not found["enabled"]
    assert (await row(house, delivery))["state"] == "cancelled"
    assert (await attempts(house, delivery))[0]["status"] == 410
    assert await queue.begin(waiting, claims[waiting].lease, AT) is None
    assert (await row(house, waiting))["state"] == "cancelled"


async def test_an_endpoint_removed_in_mid_air_ends_its_deliveries_by_name(house, queue, endpoint):
    flying, waiting = [await add_delivery(house, endpoint) for _ in range(2)]
    claims = {claim.delivery: claim for claim in await queue.claim(AT)}
    attempt = await queue.begin(flying, claims[flying].lease, AT)
    async with house.units.open(KISHI.principal(Role.HEAD)) as uow:
        await uow.endpoints.remove(endpoint.id, at=AT)
        await uow.commit()
    assert not await finish(queue, attempt, DOWN, AT)
    assert await queue.begin(waiting, claims[waiting].lease, AT) is None
    for delivery in (flying, waiting):
        found = await row(house, delivery)
        assert (found["state"], found["finished_at"]) == ("cancelled", AT)


async def test_a_type_no_longer_wanted_ends_its_deliveries_by_name(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint, type="appeal.accepted")
    await fetch(
        house,
        "UPDATE webhook_endpoint SET event_types = '{appeal.closed}' WHERE id = $1",
        endpoint.id,
    )
    assert await begun(queue, delivery) is None
    found = await row(house, delivery)
    assert (found["state"], found["next_attempt_at"]) == ("cancelled", None)
    assert await attempts(house, delivery) == []


async def test_a_long_queue_of_one_endpoint_delays_no_other(house, queue, endpoint):
    for _ in range(12):
        await add_delivery(house, endpoint, due=AT - timedelta(hours=1))
    other = await add_endpoint(house, "https://other.example.kz/109")
    quick = await add_delivery(house, other)
    claimed = [
        claim.delivery for claim in await queue.claim(AT, per_endpoint=4, in_flight=5 * SHARES)
    ]
    assert len(claimed) == 5
    assert quick in claimed
    assert await queue.claim(AT, per_endpoint=4, in_flight=5 * SHARES) == []
    # With the queue's four in the air, room for more does not give it a fifth.
    assert await queue.claim(AT, per_endpoint=4, in_flight=50 * SHARES) == []


async def test_no_connection_is_held_while_an_endpoint_is_waited_for(house, queue, endpoint):
    """W13, by the shape of the interface: between begin and finish nothing is borrowed."""
    delivery = await add_delivery(house, endpoint)
    attempt = await begun(queue, delivery)
    assert house.engine.pool.checkedout() == 0
    assert await finish(queue, attempt, OK, AT)


async def test_a_claim_does_not_end_before_an_attempt_on_it_began(house, endpoint, queue):
    """Even where an attempt's lease is the shorter one, its token is a new one."""
    short = Deliveries(house.engine, house.keyring, attempt_lease=timedelta(0))
    delivery = await add_delivery(house, endpoint)
    (claim,) = await short.claim(AT)
    attempt = await short.begin(delivery, claim.lease, AT)
    assert attempt is not None
    assert attempt.lease > claim.lease
    assert await short.begin(delivery, claim.lease, AT) is None
