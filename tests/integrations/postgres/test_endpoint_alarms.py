"""When the people of an endpoint hear that it fails, and what its former URL has to say."""

from datetime import timedelta

import orjson
import pytest
from structlog.testing import capture_logs

from domain.webhooks.attempts import Report
from domain.webhooks.health import ALARM, QUIET
from domain.webhooks.model import AttemptResult
from domain.webhooks.schedule import DELAYS, next_attempt
from tests.integrations.postgres.test_endpoint_health import (
    AT,
    DOWN,
    OK,
    SECOND,
    add_deliveries,
    health,
    notices,
    states,
    turn,
)
from tests.integrations.postgres.test_endpoint_recovery import change, fail, waiting
from tests.support.appeals import add_endpoint, register
from tests.support.sql import fetch


async def test_the_people_of_a_quiet_endpoint_hear_within_minutes(house, queue):
    """One message waits for a receiver that is down: somebody may be in a lift."""
    endpoint, healthy = await add_endpoint(house), await add_endpoint(house, "https://o.example.kz")
    await add_deliveries(house, endpoint, 1)
    await add_deliveries(house, healthy, 1)
    at = AT
    for delay in DELAYS[:3]:
        at += delay
        await turn(queue, at, lambda attempt: DOWN if attempt.endpoint == endpoint else OK)
        assert await queue.tell_overdue(at) == 0
    assert await queue.tell_overdue(AT + ALARM - SECOND) == 0
    assert await queue.tell_overdue(AT + ALARM) == 1
    assert await queue.tell_overdue(AT + ALARM + SECOND) == 0
    (told,) = await notices(house, endpoint)
    (row,) = await waiting(house, endpoint)
    assert (told["type"], told["at"]) == ("endpoint.failing", AT + ALARM)
    assert told["mail_due_at"] == AT + ALARM
    said = orjson.loads(told["data"])
    assert said["delivery"] == str(row["id"])
    assert (said["error"], said["failures"]) == ("not-connected", 3)
    assert await turn(queue, row["next_attempt_at"], OK) == 1
    assert [one["type"] for one in await notices(house, endpoint)][1:] == ["endpoint.recovered"]
    assert await notices(house, healthy) == []


async def test_an_endpoint_that_asks_for_a_day_of_rest_is_told_of_at_once(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 1)
    assert await turn(queue, AT, AttemptResult(429, None, 3, "", timedelta(days=1))) == 1
    (told,) = await notices(house, endpoint)
    said = orjson.loads(told["data"])
    assert (told["type"], said["status"]) == ("endpoint.failing", 429)
    assert said["throttled_until"] == (AT + timedelta(days=1)).isoformat()


async def test_nobody_hears_of_what_waits_for_nobody_or_was_told_just_now(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 1)
    at = await fail(queue, 3) + ALARM
    told = "UPDATE endpoint_health SET told_at = $2 WHERE endpoint_id = $1"
    await fetch(house, told, endpoint.id, AT - SECOND)
    assert await queue.tell_overdue(at) == 0
    await fetch(house, told, endpoint.id, None)
    for update, unfit, fit in (
        ("webhook_endpoint SET enabled = $2 WHERE id = $1", False, True),
        ("delivery SET state = $2 WHERE endpoint_id = $1", "exhausted", "pending"),
    ):
        await fetch(house, f"UPDATE {update}", endpoint.id, unfit)
        assert await queue.tell_overdue(at) == 0
        await fetch(house, f"UPDATE {update}", endpoint.id, fit)
    await fetch(house, told, endpoint.id, AT - SECOND)
    assert await queue.tell_overdue(AT - SECOND + QUIET) == 1


async def test_those_of_whom_there_is_nothing_to_tell_keep_no_place_of_others(house, queue):
    """What failed once and then ended stands before all others by its time, and for good."""
    ended, dead = await add_endpoint(house), await add_endpoint(house)
    await add_deliveries(house, ended, 1)
    await fail(queue, 1)
    await fetch(house, "UPDATE delivery SET state = 'exhausted' WHERE endpoint_id = $1", ended.id)
    await add_deliveries(house, dead, 1)
    at = await fail(queue, 1) + ALARM
    assert await queue.tell_overdue(at, limit=1) == 1
    assert [one["type"] for one in await notices(house, dead)] == ["endpoint.failing"]


async def test_whoever_hears_of_what_was_lost_reads_which_appeal_it_was(house, queue):
    endpoint = await add_endpoint(house, event_types=frozenset({"appeal.registered"}))
    appeal = await register(house)
    await house.outbox.relay(AT)
    await fetch(house, "UPDATE delivery SET attempts = 9 WHERE endpoint_id = $1", endpoint.id)
    assert await turn(queue, AT, DOWN) == 1
    (told,) = await notices(house, endpoint)
    assert told["type"] == "delivery.exhausted"
    assert orjson.loads(told["data"])["appeal"] == appeal.number


GONE = AttemptResult(410, None, 3, "", None)


async def in_the_air(queue):
    claims = await queue.claim(AT)
    return await queue.begin_all([claim.delivery for claim in claims], claims[0].lease, AT)


def ended(attempts, result):
    return [
        Report(one, result, next_attempt(one.tries, result, AT, 0.5), AT + SECOND)
        for one in attempts
    ]


@pytest.mark.parametrize(("answer", "tries"), [(GONE, 0), (DOWN, 0), (DOWN, 9)])
async def test_what_the_former_url_answers_harms_the_new_one_in_nothing(
    house, queue, answer, tries
):
    """It was in the air when somebody moved: neither disabled nor failing is the new place."""
    endpoint = await add_endpoint(house, "https://old.example.kz/109")
    await add_deliveries(house, endpoint, 8)
    await fetch(
        house, "UPDATE delivery SET attempts = $2 WHERE endpoint_id = $1", endpoint.id, tries
    )
    begun = await in_the_air(queue)
    await change(house, endpoint, url="https://new.example.kz/109")
    with capture_logs() as logs:
        assert len(await queue.finish(ended(begun, answer))) == 8
    assert [line["event"] for line in logs] == ["attempt_at_former_url"] * 8
    assert {line["status"] for line in logs} == {answer.status}
    assert await states(house, endpoint) == {("pending", None): 8}
    (row,) = await fetch(
        house, "SELECT enabled, disabled_reason FROM webhook_endpoint WHERE id = $1", endpoint.id
    )
    assert tuple(row) == (True, None)
    unharmed = await health(house, endpoint)
    assert (unharmed["failures"], unharmed["open_until"]) == (0, None)
    assert await notices(house, endpoint) == []
    # What it did not get, the new one gets at once.
    assert await turn(queue, AT + SECOND, OK) == 8


async def test_what_arrived_at_the_former_url_is_delivered_and_no_recovery(house, queue):
    endpoint = await add_endpoint(house, "https://old.example.kz/109")
    await add_deliveries(house, endpoint, 1)
    begun = await in_the_air(queue)
    await change(house, endpoint, url="https://new.example.kz/109")
    await fetch(
        house, "INSERT INTO endpoint_health (endpoint_id, failures, failing_since, told)"
        " VALUES ($1, 2, $2, true)", endpoint.id, AT,
    )  # fmt: skip
    assert len(await queue.finish(ended(begun, OK))) == 1
    assert await states(house, endpoint) == {("delivered", None): 1}
    assert (await health(house, endpoint))["failures"] == 2
    assert await notices(house, endpoint) == []
