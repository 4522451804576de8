"""Deliveries by the page: begun and written down together, each judged by its own lease."""

import asyncio
from datetime import timedelta

import pytest

from domain.access import Role
from domain.webhooks.attempts import Report
from domain.webhooks.health import REOPENS, TRIP
from domain.webhooks.model import CONCURRENCY, AttemptResult
from domain.webhooks.replay import Replay, What
from domain.webhooks.schedule import Outcome, Verdict, next_attempt
from integrations.postgres.housekeeping import LEASES_KEPT
from tests.integrations.postgres.test_deliveries import (
    AT,
    DOWN,
    OK,
    SECOND,
    add_delivery,
    attempts,
    finish,
    leases,
    row,
)
from tests.support.appeals import add_endpoint
from tests.support.city import KISHI
from tests.support.sql import fetch

DELIVERED = Verdict(Outcome.DELIVERED)


@pytest.fixture
async def queue(house):
    await fetch(house, "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending'")
    await fetch(house, "DELETE FROM delivery_lease")
    return house.deliveries


@pytest.fixture
async def endpoint(house, queue):
    return await add_endpoint(house)


async def begun(queue, at=AT):
    claims = await queue.claim(at)
    (lease,) = {claim.lease for claim in claims}
    return await queue.begin_all([claim.delivery for claim in claims], lease, at)


def reports(attempts, at=AT + SECOND, result=OK):
    return [Report(attempt, result, DELIVERED, at) for attempt in attempts]


async def test_what_one_claim_leased_begins_and_ends_together(house, queue, endpoint):
    known = {await add_delivery(house, endpoint) for _ in range(5)}
    page = await begun(queue)
    assert {attempt.delivery for attempt in page} == known
    answers = [AttemptResult(200 + n, None, n, f"жауап {n}", None) for n in range(5)]
    said = [
        Report(attempt, answer, DELIVERED, AT + n * SECOND)
        for n, (attempt, answer) in enumerate(zip(page, answers, strict=True))
    ]
    assert await queue.finish(said) == known
    for n, report in enumerate(said):
        found = await row(house, report.attempt.delivery)
        assert (found["state"], found["attempts"], found["finished_at"]) == (
            "delivered", 1, AT + n * SECOND,
        )  # fmt: skip
        (told,) = await attempts(house, report.attempt.delivery)
        assert (told["status"], told["latency_ms"], told["body"]) == (200 + n, n, f"жауап {n}")
    assert await leases(house) == {}


async def test_a_message_given_twice_begins_nothing_the_second_time(house, queue, endpoint):
    for _ in range(3):
        await add_delivery(house, endpoint)
    claims = await queue.claim(AT)
    told = [claim.delivery for claim in claims]
    assert len(await queue.begin_all(told, claims[0].lease, AT)) == 3
    assert await queue.begin_all(told, claims[0].lease, AT) == []


async def test_of_some_endpoints_alone_what_is_due_is_claimed_and_begins_under_its_claim(
    house, queue, endpoint
):
    other = await add_endpoint(house, "https://other.example.kz/109")
    known = {await add_delivery(house, endpoint) for _ in range(3)}
    waiting = await add_delivery(house, other)
    claims = await queue.claim(AT, endpoints=[endpoint.id])
    assert {claim.delivery for claim in claims} == known
    told, lease = [claim.delivery for claim in claims], claims[0].lease
    page = await queue.begin_all(told, lease, AT, carried=False)
    assert {(attempt.delivery, attempt.lease) for attempt in page} == {(d, lease) for d in known}
    assert await queue.claim(AT, endpoints=[endpoint.id]) == []
    assert await queue.finish(reports(page)) == known
    assert [claim.delivery for claim in await queue.claim(AT)] == [waiting]


async def test_whoever_comes_late_to_a_claim_of_its_own_takes_a_fresh_lease(house, queue, endpoint):
    await add_delivery(house, endpoint)
    (claim,) = await queue.claim(AT)
    late = AT + timedelta(seconds=50)
    (attempt,) = await queue.begin_all([claim.delivery], claim.lease, late, carried=False)
    assert attempt.lease == late + timedelta(seconds=60)
    assert await queue.claim(AT + timedelta(seconds=70)) == []


async def test_of_a_page_the_word_of_a_sleeper_alone_is_not_taken(house, queue, endpoint):
    """Somebody stood still for longer than its lease; what others have done meanwhile stands."""
    known = [await add_delivery(house, endpoint) for _ in range(3)]
    page = {attempt.delivery: attempt for attempt in await begun(queue)}
    late = AT + timedelta(minutes=2)
    stolen = known[1]
    for other in await begun(queue, late):
        if other.delivery == stolen:
            assert await finish(queue, other, DOWN, late)
            continue
        # The others are given back, as if nobody had come for them.
        await fetch(
            house, "UPDATE delivery_lease SET until = $2 WHERE delivery_id = $1", other.delivery,
            page[other.delivery].lease,
        )  # fmt: skip
    taken = await queue.finish(reports(page.values(), late + SECOND))
    assert taken == {known[0], known[2]}
    found = await row(house, stolen)
    assert (found["state"], found["attempts"]) == ("pending", 1)
    assert [told["error"] for told in await attempts(house, stolen)] == ["not-connected"]


async def test_a_page_written_twice_counts_once(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint)
    said = reports(await begun(queue))
    assert await queue.finish(said) == {delivery}
    assert await queue.finish(said) == frozenset()
    assert len(await attempts(house, delivery)) == 1


async def test_what_is_not_wanted_any_more_ends_and_the_rest_begins(house, queue, endpoint):
    gone = await add_endpoint(house, "https://gone.example.kz/109")
    kept = await add_delivery(house, endpoint)
    ended = await add_delivery(house, gone)
    claims = await queue.claim(AT)
    async with house.units.open(KISHI.principal(Role.HEAD, organisation=KISHI.water)) as uow:
        await fetch(house, "UPDATE webhook_endpoint SET enabled = false WHERE id = $1", gone.id)
        await uow.commit()
    told = [claim.delivery for claim in claims]
    page = await queue.begin_all(told, claims[0].lease, AT)
    assert [attempt.delivery for attempt in page] == [kept]
    assert (await row(house, ended))["state"] == "cancelled"


async def test_a_page_tells_each_endpoint_s_health_that_it_answers(house, queue, endpoint):
    await add_delivery(house, endpoint)
    (attempt,) = await begun(queue)
    assert await finish(queue, attempt, DOWN, AT)
    later = AT + timedelta(minutes=1)
    other = await add_delivery(house, endpoint, due=later)
    page = await begun(queue, later)
    assert other in await queue.finish(reports(page, later + SECOND))
    (health,) = await fetch(
        house, "SELECT * FROM endpoint_health WHERE endpoint_id = $1", endpoint.id
    )
    assert (health["failures"], health["last_success_at"]) == (0, later + SECOND)


async def test_a_page_of_failures_judges_each_endpoint_by_its_own(house, queue, endpoint):
    other = await add_endpoint(house, "https://other.example.kz/109")
    sound = await add_endpoint(house, "https://sound.example.kz/109")
    for one, count in ((endpoint, TRIP), (other, TRIP - 1), (sound, 1)):
        for _ in range(count):
            await add_delivery(house, one)
    said = []
    for n, attempt in enumerate(await begun(queue)):
        result = OK if attempt.endpoint == sound else DOWN
        at = AT + n * SECOND / 10
        said.append(Report(attempt, result, next_attempt(attempt.tries, result, at, 0.5), at))
    assert len(await queue.finish(said)) == len(said) == 2 * TRIP
    found = {
        row["endpoint_id"]: row
        for row in await fetch(
            house, "SELECT * FROM endpoint_health WHERE endpoint_id = ANY($1)",
            [endpoint.id, other.id, sound.id],
        )
    }  # fmt: skip
    last = max(report.at for report in said if report.attempt.endpoint == endpoint)
    assert (found[endpoint.id]["failures"], found[endpoint.id]["open_until"]) == (
        TRIP, last + REOPENS[0],
    )  # fmt: skip
    assert (found[other.id]["failures"], found[other.id]["open_until"]) == (TRIP - 1, None)
    assert (found[sound.id]["failures"], found[sound.id]["last_success_at"] is None) == (0, False)
    told = await fetch(house, "SELECT type FROM notice WHERE endpoint_id = $1", endpoint.id)
    assert [row["type"] for row in told] == ["endpoint.failing"]
    assert await fetch(house, "SELECT 1 FROM notice WHERE endpoint_id = $1", other.id) == []


async def test_of_a_page_the_first_410_disables_and_is_told_of_once(house, queue, endpoint):
    for _ in range(4):
        await add_delivery(house, endpoint)
    gone = AttemptResult(410, None, 5, "", None)
    said = [
        Report(attempt, gone, next_attempt(attempt.tries, gone, AT, 0.5), AT)
        for attempt in await begun(queue)
    ]
    assert len(await queue.finish(said)) == 4
    (row,) = await fetch(house, "SELECT * FROM webhook_endpoint WHERE id = $1", endpoint.id)
    assert (row["enabled"], row["disabled_reason"], row["version"]) == (False, "gone", 2)
    told = await fetch(house, "SELECT type FROM notice WHERE endpoint_id = $1", endpoint.id)
    assert [row["type"] for row in told] == ["endpoint.disabled"]


async def test_two_pages_of_the_same_endpoints_do_not_wait_for_each_other_in_a_ring(
    house, queue, endpoint
):
    endpoints = [endpoint] + [
        await add_endpoint(house, f"https://{n}.example.kz/109") for n in range(7)
    ]
    for one in endpoints:
        for _ in range(4):
            await add_delivery(house, one)
    page = await begun(queue)
    said = [
        Report(attempt, DOWN, next_attempt(attempt.tries, DOWN, AT, 0.5), AT) for attempt in page
    ]
    halves = said[::2], list(reversed(said[1::2]))
    taken = await asyncio.gather(*map(queue.finish, halves))
    assert sum(map(len, taken)) == len(said) == 32


async def test_what_was_answered_takes_no_place_and_is_not_begun_again(house, queue, endpoint):
    known = {await add_delivery(house, endpoint) for _ in range(CONCURRENCY + 3)}
    first = await begun(queue)
    assert len(first) == CONCURRENCY
    answered = [attempt.delivery for attempt in first[:2]]
    more = await queue.claim(AT, endpoints=[endpoint.id], answered=answered)
    assert len(more) == 2
    assert {claim.delivery for claim in more} <= known - {attempt.delivery for attempt in first}
    assert await queue.claim(AT, endpoints=[endpoint.id], answered=answered) == []
    # Written down meanwhile: it is counted neither way.
    assert await queue.finish(reports(first[:2])) == set(answered)
    assert await queue.claim(AT, endpoints=[endpoint.id], answered=answered) == []


async def test_what_is_sent_again_is_in_nobody_s_hands(house, queue, endpoint):
    """Whoever has it in the air since before it was cancelled says nothing of its new tries."""
    delivery = await add_delivery(house, endpoint)
    (attempt,) = await begun(queue)
    head = KISHI.principal(Role.HEAD)
    for send in (
        lambda uow: uow.endpoints.retry(delivery, at=AT),
        lambda uow: uow.endpoints.replay(endpoint.id, Replay(What.ALL), at=AT),
    ):
        await fetch(
            house,
            "UPDATE delivery SET state = 'cancelled', reason = 'endpoint-disabled' WHERE id = $1",
            delivery,
        )
        async with house.units.open(head) as uow:
            await send(uow)
            await uow.commit()
        assert await queue.finish(reports([attempt])) == frozenset()
        (attempt,) = await begun(queue)
    assert await queue.finish(reports([attempt])) == {delivery}


async def test_leases_that_nobody_ended_are_forgotten_an_hour_later(house, queue, endpoint):
    await add_delivery(house, endpoint)
    await begun(queue)
    await fetch(house, "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending'")
    end = AT + timedelta(seconds=60)
    await house.housekeeping.forget_deliveries(end + LEASES_KEPT)
    assert len(await leases(house)) == 1
    await house.housekeeping.forget_deliveries(end + LEASES_KEPT + SECOND)
    assert await leases(house) == {}
