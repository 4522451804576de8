"""What is sent again, what is forgotten, and what the log shows of both."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.access import Role
from domain.errors import Conflict
from domain.webhooks.attempts import Report
from domain.webhooks.model import AttemptResult
from domain.webhooks.replay import KEPT, Replay, Replayed, What
from domain.webhooks.schedule import DELAYS, next_attempt
from domain.webhooks.use_cases import replay
from integrations.postgres.housekeeping import Housekeeping
from tests.support.appeals import add_endpoint, register
from tests.support.city import KISHI
from tests.support.sql import fetch

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
DOWN = AttemptResult(500, None, 3, "oops", None)
ENDS = (
    ("delivered", None), ("exhausted", None), ("cancelled", "endpoint-disabled"),
    ("cancelled", "endpoint-gone"), ("cancelled", "type-deselected"),
    ("cancelled", "endpoint-removed"), ("pending", None),
)  # fmt: skip


@pytest.fixture
async def endpoint(house):
    """With a delivery of every end on each of two days."""
    await fetch(house, "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending'")
    added = await add_endpoint(house)
    for day in range(2):
        for state, reason in ENDS:
            over = None if state == "pending" else AT + day * DAY
            await fetch(
                house,
                "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, reason,"
                " attempts, created_at, finished_at, next_attempt_at) VALUES (gen_random_uuid(),"
                " $1, $2, $3, '{}', $4, $5, 3, $6, $7, $8)",
                added.city_id, added.id, f"appeal.{'closed' if day else 'registered'}", state,
                reason, AT + day * DAY, over, AT + 90 * DAY if over is None else None,
            )  # fmt: skip
    return added


async def asked(house, endpoint, **wanted):
    async with house.units.open(KISHI.principal(Role.HEAD)) as uow:
        done = await replay(endpoint.id, Replay(**wanted), uow=uow, at=AT + 3 * DAY)
        await uow.commit()
    return done


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"what": What.MISSED}, 6),
        ({"what": What.ALL}, 12),
        ({"what": What.MISSED, "since": AT + SECOND}, 3),
        ({"what": What.MISSED, "until": AT + DAY}, 3),
        ({"what": What.ALL, "since": AT, "until": AT + SECOND}, 6),
        ({"what": What.MISSED, "event_types": frozenset({"appeal.closed"})}, 3),
        ({"what": What.MISSED, "since": AT + 2 * DAY}, 0),
    ],
)
async def test_what_is_counted_is_what_is_sent(house, endpoint, wanted, found):
    assert await asked(house, endpoint, **wanted, dry_run=True) == Replayed(found, 0)
    assert await house.deliveries.claim(AT + 3 * DAY) == []
    assert await asked(house, endpoint, **wanted) == Replayed(found, found)
    assert len(await house.deliveries.claim(AT + 3 * DAY)) == min(found, endpoint.concurrency)
    # What is on its way is not sent again.
    assert await asked(house, endpoint, **wanted, dry_run=True) == Replayed(0, 0)


async def test_whatever_is_sent_again_has_all_its_tries_again_and_the_log_keeps_those_before(
    house, endpoint
):
    queue, at = house.deliveries, AT + 3 * DAY
    await asked(house, endpoint, what=What.MISSED, since=AT + DAY,
                event_types=frozenset({"appeal.closed"}))  # fmt: skip
    await fetch(
        house,
        "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending' AND id <> (SELECT id"
        " FROM delivery WHERE state = 'pending' AND next_attempt_at <= $1 LIMIT 1)",
        at,
    )
    numbers, sent = [], set()
    for delay in DELAYS:
        at += delay
        (claim,) = await queue.claim(at)
        attempt = await queue.begin(claim.delivery, claim.lease, at)
        numbers.append((attempt.tries, attempt.number))
        sent.add(attempt.delivery)
        verdict = next_attempt(attempt.tries, DOWN, at, 0.5)
        assert await queue.finish([Report(attempt, DOWN, verdict, at)])
    assert numbers == [(tries, tries + 3) for tries in range(1, 11)]
    (row,) = await fetch(house, "SELECT * FROM delivery WHERE id = ANY($1)", sent)
    assert (row["state"], row["attempts"]) == ("exhausted", 13)


async def test_nothing_is_sent_again_to_a_disabled_endpoint_but_it_is_counted(house, endpoint):
    await fetch(house, "UPDATE webhook_endpoint SET enabled = false WHERE id = $1", endpoint.id)
    assert await asked(house, endpoint, what=What.MISSED, dry_run=True) == Replayed(6, 0)
    with pytest.raises(Conflict) as refused:
        await asked(house, endpoint, what=What.MISSED)
    assert refused.value.params["reason"] == "endpoint-disabled"


async def test_of_more_that_was_missed_than_can_be_sent_at_once_the_oldest_go_first(
    house, endpoint, monkeypatch
):
    monkeypatch.setattr(Replay, "MOST", 4)
    assert await asked(house, endpoint, what=What.MISSED) == Replayed(6, 4)
    rows = await fetch(
        house,
        "SELECT created_at, count(*) AS n FROM delivery WHERE endpoint_id = $1"
        " AND state = 'pending' AND next_attempt_at = $2 GROUP BY 1 ORDER BY 1",
        endpoint.id, AT + 3 * DAY,
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [(AT, 3), (AT + DAY, 1)]
    assert await asked(house, endpoint, what=What.MISSED) == Replayed(2, 2)


async def test_more_of_everything_than_can_be_sent_at_once_is_refused_whole(
    house, endpoint, monkeypatch
):
    monkeypatch.setattr(Replay, "MOST", 5)
    with pytest.raises(Conflict) as refused:
        await asked(house, endpoint, what=What.ALL)
    assert refused.value.params == {"reason": "replay-too-many", "count": 12, "limit": 5}
    assert await house.deliveries.claim(AT + 3 * DAY) == []


async def test_deliveries_are_forgotten_ninety_days_after_their_end_in_small_bites(house, endpoint):
    await fetch(
        house,
        "INSERT INTO delivery_attempt (delivery_id, number, at, latency_ms, body)"
        " SELECT id, 1, $2, 5, '' FROM delivery WHERE endpoint_id = $1",
        endpoint.id, AT,
    )  # fmt: skip
    keeping: Housekeeping = house.housekeeping

    async def left():
        rows = await fetch(
            house,
            "SELECT (SELECT count(*) FROM delivery WHERE endpoint_id = $1) AS deliveries,"
            " (SELECT count(*) FROM delivery_attempt t JOIN delivery d ON d.id = t.delivery_id"
            "   WHERE d.endpoint_id = $1) AS attempts",
            endpoint.id,
        )
        return rows[0]["deliveries"], rows[0]["attempts"]

    # Whatever other tests of this module left is older than nothing here.
    await fetch(house, "UPDATE delivery SET finished_at = now() + interval '1 year'"
                       " WHERE endpoint_id <> $1", endpoint.id)  # fmt: skip
    assert await keeping.forget_deliveries(AT + KEPT) == 0
    assert await keeping.forget_deliveries(AT + KEPT + SECOND, limit=4) == 4
    assert await keeping.forget_deliveries(AT + KEPT + SECOND, limit=4) == 2
    assert await keeping.forget_deliveries(AT + KEPT + SECOND, limit=4) == 0
    # The second day's are kept, and what is on its way, however old.
    assert await left() == (8, 8)
    assert await keeping.forget_deliveries(AT + KEPT + 30 * DAY) == 6
    assert await left() == (2, 2)
    events = await fetch(house, "SELECT count(*) FROM event")
    await register(house)
    assert (await fetch(house, "SELECT count(*) FROM event"))[0]["count"] > events[0]["count"]


async def test_what_was_sent_again_lately_is_kept_though_it_was_made_long_ago(house, endpoint):
    await fetch(house, "UPDATE delivery SET finished_at = $2 WHERE endpoint_id = $1"
                       " AND state <> 'pending'", endpoint.id, AT + 80 * DAY)  # fmt: skip
    await fetch(house, "UPDATE delivery SET finished_at = now() + interval '1 year'"
                       " WHERE endpoint_id <> $1", endpoint.id)  # fmt: skip
    assert await house.housekeeping.forget_deliveries(AT + 120 * DAY) == 0


async def test_notices_are_forgotten_with_the_log(house, endpoint):
    await fetch(
        house,
        "INSERT INTO notice (id, city_id, organisation_id, endpoint_id, type, at, last_at, data)"
        " VALUES (gen_random_uuid(), $1, $2, $3, 'endpoint.failing', $4, $4, '{}')",
        KISHI.id, KISHI.water, endpoint.id, AT,
    )  # fmt: skip
    assert await house.housekeeping.forget_notices(AT + KEPT) == 0
    assert await house.housekeeping.forget_notices(AT + KEPT + SECOND) == 1
