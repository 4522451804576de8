"""Deliveries that somebody has by their ids are read by their ids, however much waits."""

from datetime import timedelta

import pytest

from domain.access import Role
from domain.values import new_id
from domain.webhooks.replay import LogFilter
from integrations.postgres import delivery_claims as claims
from integrations.postgres.deliveries import _FINISH
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside
from tests.integrations.postgres.test_plans import most_rows
from tests.support.appeals import add_endpoint
from tests.support.city import KISHI
from tests.support.sql import fetch

OVER, WAITING, PAGE, SEATS = 20_000, 6_000, 50, 32


@pytest.fixture(scope="module")
async def flood(house):
    """Much waits, for one endpoint, since the statistics said that nothing does: reading all that
    waits looks cheap to the planner.
    """
    endpoint = await add_endpoint(house, concurrency=SEATS)
    for state, count in (("delivered", OVER), ("pending", WAITING)):
        await fetch(
            house,
            "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
            " next_attempt_at) SELECT gen_random_uuid(), $1, $2, 'appeal.registered', '', $4,"
            " now(), now() FROM generate_series(1, $3)",
            KISHI.id, endpoint.id, count, state,
        )  # fmt: skip
        if state == "delivered":
            await fetch(house, "ANALYZE delivery")
    return endpoint


@pytest.fixture
async def leased(house, flood):
    """A page on lease: its ids and its lease."""
    await fetch(house, "DELETE FROM delivery_lease")
    lease = house.now() + timedelta(seconds=60)
    rows = await fetch(
        house,
        "INSERT INTO delivery_lease SELECT id, endpoint_id, $1 FROM delivery"
        " WHERE state = 'pending' LIMIT $2 RETURNING delivery_id AS id",
        lease, PAGE,
    )  # fmt: skip
    return [row["id"] for row in rows], lease


async def plan(house, statement, *values):
    """The plan by which the platform does this; nothing is kept of what it did."""
    asked = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}"
    async with inside(house.engine, PLATFORM) as driver:
        found = await driver.fetch(asked, *values)
        await driver.execute("ROLLBACK; BEGIN")
    return "\n".join(row[0] for row in found)


def by_id_alone(found):
    assert "pk_delivery" in found
    assert "ix_delivery_queue" not in found
    assert "ix_delivery_turn" not in found
    # A bitmap of an index counts the versions that earlier tests left dead as well.
    assert most_rows(found) <= 3 * PAGE < WAITING / 10


async def test_a_page_begins_by_the_ids_that_it_names(house, leased):
    ids, lease = leased
    by_id_alone(await plan(house, claims.BEGIN, ids, lease, lease + timedelta(seconds=1)))


async def test_what_one_claimed_itself_begins_by_its_ids(house, leased):
    by_id_alone(await plan(house, claims.GO_ON, *leased))


async def test_a_page_is_written_down_by_the_ids_that_it_names(house, leased):
    ids, lease = leased
    at = house.now()
    line = (lease, 1, "delivered", None, at, None, at, 204, None, 1, "")
    columns = [list(column) for column in zip(*[line] * PAGE, strict=True)]
    by_id_alone(await plan(house, _FINISH, ids, *columns, at))


async def test_the_log_is_searched_by_what_a_receiver_has_and_not_read(house, flood, monkeypatch):
    """Each of the three places where that id may stand has its index."""
    asked = []

    async def note(statement, principal, values):
        asked.append((statement, values))
        return [None]

    monkeypatch.setattr(house.webhooks, "_fetch", note)
    wanted = LogFilter(message=new_id())
    await house.webhooks.deliveries(KISHI.principal(Role.HEAD), flood.id, wanted, None, PAGE)
    ((statement, values),) = asked
    found = await plan(house, statement, *values)
    assert "ix_delivery_log" not in found
    assert most_rows(found) <= 3


async def test_what_comes_forward_is_found_by_its_place_in_the_queue(house, flood):
    """However much of the queue is due already, or waits behind it."""
    at = house.now()
    late = "UPDATE delivery SET next_attempt_at = now() + $2::interval WHERE id = ANY(ARRAY(SELECT"
    late += " id FROM delivery WHERE endpoint_id = $1 AND state = 'pending' LIMIT $3))"
    await fetch(house, late, flood.id, timedelta(hours=2), 3 * PAGE)
    await fetch(
        house, "INSERT INTO endpoint_health (endpoint_id, mended_at) VALUES ($1, $2)"
        " ON CONFLICT (endpoint_id) DO UPDATE SET mended_at = $2", flood.id, at,
    )  # fmt: skip
    found = await plan(house, claims.FORWARD, at, PAGE, 100)
    assert found.count("using ix_delivery_queue") == 1
    assert "pk_delivery" in found
    assert most_rows(found) <= 3 * PAGE
    await fetch(house, late, flood.id, timedelta(0), WAITING)


async def test_of_a_claim_what_is_chosen_is_locked_by_its_ids(house, flood):
    """The queue is walked once, to choose, and no further than there are seats."""
    at = house.now()
    await fetch(house, "DELETE FROM delivery_lease")
    # What earlier tests moved in the queue left its former places behind.
    await fetch(house, "VACUUM delivery")
    found = await plan(
        house,
        claims.CLAIM,
        at,
        SEATS,
        2000,
        at + timedelta(seconds=60),
        None,
        250,
        1500,
        [],
    )
    assert found.count("using ix_delivery_queue") == 1
    # Tests wait by themselves: none of the others is read to find one.
    assert found.count("ix_delivery_test") == 1
    assert "pk_delivery" in found
    # Of a row that was written and not kept the index still knows a second place.
    assert most_rows(found) <= 2 * SEATS
