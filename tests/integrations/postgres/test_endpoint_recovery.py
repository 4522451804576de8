"""Whoever mended a receiver gets what waits for it; days are walked by handing them in."""

from datetime import timedelta

import orjson
import pytest

from domain.access import Role
from domain.appeals.commands import Accept
from domain.appeals.workflow import Action
from domain.errors import Conflict
from domain.webhooks.health import ALARM, REOPENS
from domain.webhooks.messages import TEST_TYPE
from domain.webhooks.replay import MOST_TRIES, Replay, Replayed, What
from domain.webhooks.schedule import DELAYS
from domain.webhooks.use_cases import Wish, change_endpoint, replay
from integrations.postgres.deliveries import MOST_GIVEN_BACK
from integrations.postgres.endpoints import TESTS
from tests.integrations.postgres.test_endpoint_health import (
    AT,
    DOWN,
    HOUR,
    OK,
    SECOND,
    add_deliveries,
    health,
    states,
    turn,
)
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import KISHI
from tests.support.sql import fetch

HEAD = KISHI.principal(Role.HEAD)


async def change(house, endpoint, **wish):
    async with house.units.open(HEAD) as uow:
        await change_endpoint(
            endpoint.id, Wish(**wish), expected=None, uow=uow,
            reference=house.references.of(KISHI.id), at=AT, allow_http=False,
        )  # fmt: skip
        await uow.commit()


async def retry(house, delivery, at):
    async with house.units.open(HEAD) as uow:
        await uow.endpoints.retry(delivery, at=at)
        await uow.commit()


async def resend(house, endpoint, at, what=What.WAITING, **wanted):
    async with house.units.open(HEAD) as uow:
        done = await replay(endpoint.id, Replay(what, **wanted), uow=uow, at=at)
        await uow.commit()
    return done


async def fail(queue, times=4):
    """What is due fails so often, each time when it is due; when the last try was."""
    at = AT
    for delay in DELAYS[:times]:
        at += delay
        assert await turn(queue, at, DOWN) > 0
    return at


async def waiting(house, endpoint):
    return await fetch(
        house,
        "SELECT id, next_attempt_at, attempts, tries_before FROM delivery WHERE endpoint_id = $1"
        " AND state = 'pending' ORDER BY next_attempt_at DESC, id",
        endpoint.id,
    )


@pytest.fixture
async def dead(house, queue):
    """An endpoint whose receiver was down for forty minutes; its one message waits two hours."""
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 1)
    at = await fail(queue)
    (row,) = await waiting(house, endpoint)
    assert row["next_attempt_at"] - at == 2 * HOUR
    return endpoint, at + timedelta(minutes=10)


@pytest.mark.parametrize(
    "wish",
    [{"url": "https://mended.example.kz/109"}, {"headers": {"X-Gateway-Key": "the-right-one"}}],
)
async def test_what_failed_before_the_mend_is_tried_at_once_after_it(house, queue, dead, wish):
    endpoint, at = dead
    await change(house, endpoint, **wish)
    assert await queue.bring_forward(at) == 1
    assert await turn(queue, at, OK) == 1
    assert await queue.bring_forward(at) == 0


async def test_what_says_nothing_of_how_it_is_reached_mends_nothing(house, queue, dead):
    endpoint, at = dead
    await change(house, endpoint, description="Диспетчерская", concurrency=3)
    assert await queue.bring_forward(at) == 0


async def test_the_first_message_after_an_outage_brings_the_others(house, queue, dead):
    endpoint, at = dead
    await add_deliveries(house, endpoint, 1, due=at)
    assert await turn(queue, at, OK) == 1
    assert await queue.bring_forward(at) == 1
    assert await turn(queue, at, OK) == 1
    assert await states(house, endpoint) == {("delivered", None): 2}


async def test_a_message_that_fails_among_others_that_arrive_waits_for_its_time(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 1)
    at = await fail(queue, 2)
    await add_deliveries(house, endpoint, 1, due=at)
    assert at - AT < ALARM
    assert await turn(queue, at, OK) == 1
    assert await queue.bring_forward(at) == 0


async def test_a_try_that_was_brought_forward_shortens_no_schedule(house, queue, dead):
    """However often an endpoint comes and goes, ten tries have their ten waits."""
    endpoint, at = dead
    for _ in range(20):
        await change(house, endpoint, url=f"https://mended.example.kz/{at.timestamp()}")
        assert await queue.bring_forward(at) == 1
        assert await turn(queue, at, DOWN) == 1
        (row,) = await waiting(house, endpoint)
        assert row["next_attempt_at"] - at == 2 * HOUR
        at += ALARM
    # Not for ever: somewhere its tries end.
    await fetch(
        house, "UPDATE delivery SET attempts = $2, tries_before = $3 WHERE endpoint_id = $1",
        endpoint.id, MOST_GIVEN_BACK, MOST_GIVEN_BACK - 4,
    )  # fmt: skip
    await change(house, endpoint, url="https://again.example.kz/109")
    assert await queue.bring_forward(at) == 1
    assert await turn(queue, at, DOWN) == 1
    (row,) = await waiting(house, endpoint)
    assert row["next_attempt_at"] - at == 5 * HOUR


async def test_thousands_come_forward_in_bites_and_nobody_else_s(house, queue):
    endpoint, other = await add_endpoint(house), await add_endpoint(house, "https://o.example.kz")
    for one in (endpoint, other):
        await add_deliveries(house, one, 25, due=AT + HOUR)
        await fetch(
            house,
            "INSERT INTO endpoint_health (endpoint_id, mended_at) VALUES ($1, $2)",
            one.id, AT if one is endpoint else None,
        )  # fmt: skip
    await fetch(
        house, "UPDATE delivery SET next_attempt_at = $2 WHERE id = (SELECT id FROM delivery"
        " WHERE endpoint_id = $1 LIMIT 1)", endpoint.id, AT + 24 * HOUR,
    )  # fmt: skip
    assert await queue.bring_forward(AT, limit=10) == 10
    # Whoever waits longest comes first.
    assert [row["next_attempt_at"] for row in await waiting(house, endpoint)].count(AT) == 10
    assert (await waiting(house, endpoint))[0]["next_attempt_at"] == AT + HOUR
    assert [await queue.bring_forward(AT, limit=10) for _ in range(3)] == [10, 5, 0]
    assert (await health(house, endpoint))["mended_at"] is None
    assert {row["next_attempt_at"] for row in await waiting(house, other)} == {AT + HOUR}


async def test_whoever_asks_for_what_waits_has_it_at_once_with_all_its_tries(house, queue, dead):
    endpoint, at = dead
    (row,) = await waiting(house, endpoint)
    await retry(house, row["id"], at)
    (row,) = await waiting(house, endpoint)
    assert (row["next_attempt_at"], row["attempts"] - row["tries_before"]) == (at, 0)
    (claim,) = await queue.claim(at)
    assert await queue.begin(claim.delivery, claim.lease, at) is not None
    # In the air it is left alone: its word is about to come.
    with pytest.raises(Conflict) as refused:
        await retry(house, row["id"], at)
    assert refused.value.params["reason"] == "delivery-not-finished"


async def test_all_that_waits_may_be_asked_for_and_what_is_over_is_left_alone(house, queue, dead):
    endpoint, at = dead
    await add_deliveries(house, endpoint, 3, due=at + HOUR)
    await add_deliveries(house, endpoint, 1, due=at)
    (claim,) = await queue.claim(at)
    assert await queue.begin(claim.delivery, claim.lease, at) is not None
    await add_deliveries(house, endpoint, 2, due=AT)
    await fetch(
        house, "UPDATE delivery SET state = 'exhausted', next_attempt_at = NULL"
        " WHERE endpoint_id = $1 AND next_attempt_at = $2", endpoint.id, AT,
    )  # fmt: skip
    assert await resend(house, endpoint, at, dry_run=True) == Replayed(4, 0)
    assert await resend(house, endpoint, at, until=AT + SECOND, dry_run=True) == Replayed(1, 0)
    assert await resend(house, endpoint, at) == Replayed(4, 4)
    assert await resend(house, endpoint, at, dry_run=True) == Replayed(0, 0)
    assert await turn(queue, at, OK) == 4


async def test_no_more_tests_wait_for_an_endpoint_than_a_claim_may_look_at(house, queue):
    endpoint, other = await add_endpoint(house), await add_endpoint(house)
    for _ in range(TESTS):
        await try_out(house, endpoint, AT)
    with pytest.raises(Conflict) as refused:
        await try_out(house, endpoint, AT)
    assert refused.value.params["reason"] == "tests-waiting"
    await try_out(house, other, AT)
    assert await turn(queue, AT, OK) == 2
    await try_out(house, endpoint, AT)


async def test_what_is_due_and_held_by_the_breaker_is_counted_and_sent(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 12)
    held = "UPDATE endpoint_health SET open_until = $2 WHERE endpoint_id = $1"
    await fetch(house, "INSERT INTO endpoint_health (endpoint_id) VALUES ($1)", endpoint.id)
    await fetch(house, held, endpoint.id, AT + HOUR)
    async with house.units.open(HEAD) as uow:
        done = await replay(endpoint.id, Replay(What.WAITING), uow=uow, at=AT)
    assert (done.found, done.sent) == (12, 12)


@pytest.mark.parametrize("gate", ["open_until", "throttled_until"])
async def test_whoever_asks_waits_for_no_gate(house, queue, dead, gate):
    """One message goes, however long the breaker would stay open or the receiver asked to rest."""
    endpoint, at = dead
    for ask in (retry, lambda house, _, at: resend(house, endpoint, at)):
        (row,) = await waiting(house, endpoint)
        await fetch(
            house, f"UPDATE endpoint_health SET {gate} = $2 WHERE endpoint_id = $1",
            endpoint.id, at + HOUR,
        )  # fmt: skip
        await ask(house, row["id"], at)
        assert await turn(queue, at, DOWN) == 1


async def test_in_order_the_whole_appeal_comes_forward_with_what_is_asked_for(house, queue):
    endpoint = await add_endpoint(house, ordered=True)
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await house.outbox.relay(AT)
    at = await fail(queue) + SECOND
    rows = await fetch(
        house, "SELECT id, next_attempt_at FROM delivery WHERE endpoint_id = $1 ORDER BY sequence",
        endpoint.id,
    )  # fmt: skip
    assert {row["next_attempt_at"] for row in rows} == {at - SECOND + 2 * HOUR}
    sent = []

    def taken(attempt):
        sent.append(orjson.loads(attempt.payload)["data"]["sequence"])
        return OK

    # Whichever of them is asked for, and none of them has a try less for it.
    await retry(house, rows[1]["id"], at)
    spent = await fetch(
        house, "SELECT attempts, tries_before FROM delivery WHERE endpoint_id = $1", endpoint.id
    )
    assert max(row["attempts"] for row in spent) > 0
    assert all(row["attempts"] == row["tries_before"] for row in spent)
    for _ in rows:
        assert await turn(queue, at, taken) == 1
    assert sent == list(range(1, len(rows) + 1))


async def spend(house, delivery, tries, state="pending"):
    await fetch(
        house, "UPDATE delivery SET attempts = $2, tries_before = $2, state = $3,"
        " finished_at = CASE WHEN $3 <> 'pending' THEN next_attempt_at END WHERE id = $1",
        delivery, tries, state,
    )  # fmt: skip


@pytest.mark.parametrize("state", ["pending", "exhausted", "delivered"])
async def test_what_was_tried_two_hundred_times_is_sent_again_by_nobody(house, queue, dead, state):
    endpoint, at = dead
    (row,) = await waiting(house, endpoint)
    asked = What.WAITING if state == "pending" else What.ALL
    await spend(house, row["id"], MOST_TRIES - 1, state)
    assert await resend(house, endpoint, at, what=asked, dry_run=True) == Replayed(1, 0)
    await spend(house, row["id"], MOST_TRIES, state)
    with pytest.raises(Conflict) as refused:
        await retry(house, row["id"], at)
    assert refused.value.params == {"reason": "delivery-tried-enough", "limit": MOST_TRIES}
    assert await resend(house, endpoint, at, what=asked) == Replayed(0, 0)
    assert await queue.claim(at) == []


async def test_whoever_asks_for_one_in_order_brings_nothing_that_was_tried_enough(house, queue):
    endpoint = await add_endpoint(house, ordered=True)
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await house.outbox.relay(AT)
    at = await fail(queue) + SECOND
    first, *_, last = await fetch(
        house, "SELECT id, next_attempt_at FROM delivery WHERE endpoint_id = $1 ORDER BY sequence",
        endpoint.id,
    )  # fmt: skip
    await spend(house, first["id"], MOST_TRIES)
    await retry(house, last["id"], at)
    assert await queue.claim(at) == []
    (claim,) = await queue.claim(first["next_attempt_at"])
    assert claim.delivery == first["id"]


async def try_out(house, endpoint, at):
    async with house.units.open(HEAD) as uow:
        await uow.endpoints.send(endpoint, TEST_TYPE, b"{}", at=at)
        await uow.commit()


@pytest.mark.parametrize("gate", ["open_until", "throttled_until"])
async def test_a_test_waits_for_no_gate_and_goes_before_what_waits(house, queue, gate):
    """Whoever mended a receiver tries it, sees that it works, and the rest follows."""
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 30)
    assert await turn(queue, AT, DOWN) == endpoint.concurrency
    at = AT + ALARM
    await fetch(
        house, f"UPDATE endpoint_health SET {gate} = $2 WHERE endpoint_id = $1",
        endpoint.id, at + 24 * HOUR,
    )  # fmt: skip
    assert await queue.claim(at) == []
    await try_out(house, endpoint, at)
    types = []

    def taken(attempt):
        types.append(attempt.type)
        return OK

    assert await turn(queue, at, taken) == 1
    assert types == [TEST_TYPE]
    assert (await health(house, endpoint))["mended_at"] == at
    assert await turn(queue, at, taken) == endpoint.concurrency


async def test_one_test_of_an_endpoint_is_in_the_air_and_has_a_place_of_its_concurrency(
    house, queue
):
    endpoint = await add_endpoint(house, concurrency=2)
    other = await add_endpoint(house, "https://o.example.kz")
    await add_deliveries(house, endpoint, 5)
    for one in (endpoint, endpoint, other):
        await try_out(house, one, AT)
    claims = await queue.claim(AT)
    begun = await queue.begin_all([one.delivery for one in claims], claims[0].lease, AT)
    assert sorted((one.endpoint.url, one.type) for one in begun) == sorted(
        [(endpoint.url, TEST_TYPE), (endpoint.url, "appeal.registered"), (other.url, TEST_TYPE)]
    )
    assert await queue.claim(AT) == []


async def test_where_the_breaker_is_half_open_a_test_is_the_one_that_goes(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 30)
    assert await turn(queue, AT, DOWN) == endpoint.concurrency
    at = AT + REOPENS[0]
    await try_out(house, endpoint, at)
    assert await turn(queue, at, DOWN) == 1
    assert (await health(house, endpoint))["open_until"] == at + REOPENS[1]


async def test_a_test_of_a_disabled_endpoint_waits_behind_nothing_that_is_ending(house, queue):
    """Failing for days disabled it: its breaker is open, its queue not yet ended."""
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 30)
    assert await turn(queue, AT, DOWN) == endpoint.concurrency
    await fetch(house, "UPDATE webhook_endpoint SET enabled = false WHERE id = $1", endpoint.id)
    await try_out(house, endpoint, AT)
    assert await turn(queue, AT, OK) == 1
    assert (await states(house, endpoint))["delivered", None] == 1
