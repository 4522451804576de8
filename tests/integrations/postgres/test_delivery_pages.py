"""Deliveries by the page: begun and written down together, each judged by its own lease."""

from datetime import timedelta

import pytest

from domain.access import Role
from domain.webhooks.attempts import Report
from domain.webhooks.model import AttemptResult
from domain.webhooks.schedule import Outcome, Verdict
from tests.integrations.postgres.test_deliveries import (
    AT,
    DOWN,
    OK,
    SECOND,
    add_delivery,
    attempts,
    finish,
    row,
)
from tests.support.appeals import add_endpoint
from tests.support.city import KISHI
from tests.support.sql import fetch

DELIVERED = Verdict(Outcome.DELIVERED)


@pytest.fixture
async def queue(house):
    await fetch(house, "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending'")
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
    assert await queue.finish_delivered(said) == known
    for n, report in enumerate(said):
        found = await row(house, report.attempt.delivery)
        assert (found["state"], found["attempts"], found["finished_at"], found["leased_until"]) == (
            "delivered", 1, AT + n * SECOND, None,
        )  # fmt: skip
        (told,) = await attempts(house, report.attempt.delivery)
        assert (told["status"], told["latency_ms"], told["body"]) == (200 + n, n, f"жауап {n}")


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
    assert await queue.finish_delivered(reports(page)) == known
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
            house, "UPDATE delivery SET leased_until = $2 WHERE id = $1", other.delivery,
            page[other.delivery].lease,
        )  # fmt: skip
    taken = await queue.finish_delivered(reports(page.values(), late + SECOND))
    assert taken == {known[0], known[2]}
    found = await row(house, stolen)
    assert (found["state"], found["attempts"]) == ("pending", 1)
    assert [told["error"] for told in await attempts(house, stolen)] == ["not-connected"]


async def test_a_page_written_twice_counts_once(house, queue, endpoint):
    delivery = await add_delivery(house, endpoint)
    said = reports(await begun(queue))
    assert await queue.finish_delivered(said) == {delivery}
    assert await queue.finish_delivered(said) == frozenset()
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
    assert other in await queue.finish_delivered(reports(page, later + SECOND))
    (health,) = await fetch(
        house, "SELECT * FROM endpoint_health WHERE endpoint_id = $1", endpoint.id
    )
    assert (health["failures"], health["last_success_at"]) == (0, later + SECOND)
