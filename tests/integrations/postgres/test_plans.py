"""Work grows with what is asked for, not with what is kept: the plans of the hot questions."""

import re
from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from domain.access import Role
from domain.incidents.likeness import around, cell_of
from domain.incidents.model import Matching
from domain.values import Coordinates
from domain.webhooks.messages import TEST_TYPE
from integrations.postgres.delivery_claims import CLAIM
from integrations.postgres.doors import PLATFORM, Door, door_of
from integrations.postgres.incidents import _LAGGING
from integrations.postgres.likeness_queries import _OPEN
from integrations.postgres.outbox import _TAKE
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.sealer import _NEWS
from integrations.postgres.session import inside
from integrations.postgres.statements import CARRIED, DUE, LOADED, WIDEN, saving
from tests.support.appeals import add_endpoint, register
from tests.support.city import KISHI
from tests.support.incidents import open_incident
from tests.support.sql import fetch


@pytest.fixture(scope="module")
async def crowd(house):
    """A few thousand open appeals of which one has something due."""
    appeal = await register(house, at=house.now() - timedelta(hours=4))
    await fetch(
        house,
        "INSERT INTO appeal SELECT (jsonb_populate_record(a, jsonb_build_object("
        " 'id', md5(n::text)::uuid, 'number', 'OLD-' || n, 'citizen_id', CASE WHEN n < 4"
        " THEN $2::text END, 'registered_at', a.registered_at - n * interval '1 minute'))).*"
        " FROM appeal a, generate_series(1, 4000) n WHERE a.id = $1",
        appeal.id, str(KISHI.citizen),
    )  # fmt: skip
    await fetch(
        house,
        "INSERT INTO clock SELECT (jsonb_populate_record(k, jsonb_build_object("
        " 'appeal_id', md5(n::text)::uuid, 'next_at', now() + interval '9 days'))).*"
        " FROM clock k, generate_series(1, 4000) n WHERE k.appeal_id = $1",
        appeal.id,
    )
    await fetch(
        house,
        "INSERT INTO assignment SELECT (jsonb_populate_record(s, jsonb_build_object("
        " 'id', md5('s' || n)::uuid, 'appeal_id', md5(n::text)::uuid))).*"
        " FROM assignment s, generate_series(1, 4000) n WHERE s.appeal_id = $1",
        appeal.id,
    )
    await fetch(house, "ANALYZE appeal, clock, assignment, event")
    return appeal


CITY = door_of(KISHI.principal(Role.SYSTEM))


async def plan(house, door: Door, statement: str, *values: object) -> str:
    """The plan by which a statement is answered to whoever comes through a door."""
    asked = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}"
    async with inside(house.engine, door) as driver:
        return "\n".join(row[0] for row in await driver.fetch(asked, *values))


async def test_what_is_due_is_found_by_its_time_alone(house, crowd):
    found = await plan(house, CITY, DUE, house.now(), 50, KISHI.id, [])
    assert "ix_clock_due" in found
    assert "ix_appeal_pause" in found
    assert "Seq Scan on appeal" not in found
    assert "Seq Scan on clock" not in found


async def test_an_act_is_written_by_keys_alone_however_many_appeals_there_are(house, crowd):
    await fetch(
        house,
        "INSERT INTO card SELECT (jsonb_populate_record(c, jsonb_build_object("
        " 'appeal_id', md5(n::text)::uuid))).* FROM card c, generate_series(1, 4000) n"
        " WHERE c.appeal_id = $1", crowd.id,
    )  # fmt: skip
    await fetch(house, "ANALYZE card")
    # Nobody expects such a version: nothing is written.
    document = orjson.dumps([{"expected": -1, "appeal": {"id": str(crowd.id)}}]).decode()
    found = await plan(house, CITY, saving(frozenset(CARRIED), alone=True), document)
    assert "Index Scan using pk_appeal on appeal" in found
    assert "Index Scan using pk_card on card" in found
    assert "Seq Scan on appeal" not in found
    assert "Seq Scan on card" not in found
    card = {"appeal_id": str(crowd.id), "organisations": [str(KISHI.centre)]}
    found = await plan(house, CITY, WIDEN, orjson.dumps([card]).decode(), [crowd.id])
    assert "Seq Scan on card" not in found
    assert most_rows(found) < 10


async def test_the_sealer_walks_in_order_however_much_waits(house, crowd):
    await fetch(
        house,
        "INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical, hash)"
        " SELECT md5('e' || n)::uuid, e.city_id, md5(n::text)::uuid, 1, e.type, e.at, e.internal,"
        " e.canonical, e.hash FROM event e, generate_series(1, 4000) n"
        " WHERE e.appeal_id = $1 AND e.sequence = 1",
        crowd.id,
    )
    await fetch(house, "ANALYZE event")
    found = await plan(house, PLATFORM, _NEWS, "0", UUID(int=0), 50)
    assert "Index Scan using ix_event_order on event" in found
    assert "Sort" not in found
    assert "Seq Scan on event" not in found


async def test_one_appeal_is_read_by_its_number(house, crowd):
    parameters = Parameters(crowd.number)
    scope = visible(KISHI.principal(), parameters)
    found = await plan(
        house,
        CITY,
        f"SELECT {LOADED} FROM appeal a WHERE a.number = $1 AND {scope}",
        *parameters.values,
    )
    assert "uq_appeal_city_id_number" in found
    assert "Seq Scan" not in found


@pytest.mark.parametrize(
    ("role", "index"),
    [
        (Role.OPERATOR, "ix_appeal_register"),
        (Role.CITIZEN, "ix_appeal_citizen"),
        (Role.EXECUTOR, "ix_appeal_register"),
    ],
    ids=str,
)
async def test_a_list_reads_its_page_and_not_the_register(house, crowd, role, index):
    parameters = Parameters()
    scope = visible(KISHI.principal(role), parameters)
    found = await plan(
        house,
        door_of(KISHI.principal(role)),
        f"SELECT {LOADED} FROM appeal a WHERE {scope}"
        f" ORDER BY a.registered_at DESC, a.id DESC LIMIT {parameters.add(20)}",
        *parameters.values,
    )
    assert index in found
    assert "Seq Scan on appeal" not in found


async def test_a_phone_is_looked_up_by_its_blind_index(house, crowd):
    found = await plan(
        house,
        CITY,
        "SELECT id FROM appeal WHERE phone_index = $1",
        house.keyring.index("+77000000000"),
    )
    assert "ix_appeal_phone" in found


@pytest.fixture(scope="module")
async def dead(house):
    """An endpoint that has not answered for long: thousands of messages wait for it."""
    endpoint = await add_endpoint(house)
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
        " next_attempt_at) SELECT md5('d' || n)::uuid, $1, $2, 'appeal.registered', '', 'pending',"
        " now() - n * interval '1 second', now() - n * interval '1 second'"
        " FROM generate_series(1, 4000) n",
        KISHI.id, endpoint.id,
    )  # fmt: skip
    await fetch(house, "ANALYZE delivery")
    return endpoint


def most_rows(found: str) -> int:
    """The most rows that any step of a plan brought, but for what the transaction was told."""
    steps = [line for line in found.splitlines() if "->  Result (" not in line]
    return max(int(rows) for rows in re.findall(r"actual rows=(\d+)", "\n".join(steps)))


async def test_of_a_long_queue_the_beginning_alone_is_read(house, dead):
    at = house.now()
    lease = at + timedelta(seconds=60)
    found = await plan(house, PLATFORM, CLAIM, at, 8, 2000, lease, None, TEST_TYPE, 250, 1500, [])
    assert "ix_delivery_queue" in found
    assert most_rows(found) < 50


async def test_the_log_of_an_endpoint_is_read_from_its_end(house, dead):
    found = await plan(
        house,
        door_of(KISHI.principal(Role.HEAD)),
        "SELECT d.* FROM delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id"
        " WHERE w.id = $1 ORDER BY d.created_at DESC, d.id DESC LIMIT 51",
        dead.id,
    )
    assert "ix_delivery_log" in found
    assert most_rows(found) <= 51


async def test_a_storm_of_due_clocks_is_taken_from_its_beginning(house, crowd):
    found = await plan(house, CITY, DUE, house.now() + timedelta(days=10), 50, KISHI.id, [])
    assert most_rows(found) <= 6 * 50, "an appeal has at most a clock due for each of six stages"


async def test_what_is_near_is_found_by_its_cell(house, crowd):
    quiet = around(cell_of(Coordinates(50.9, 80.9)))
    found = await plan(
        house,
        CITY,
        "SELECT a.id FROM appeal a WHERE a.city_id = $1 AND a.service = ANY($2)"
        f" AND a.cell = ANY($3) AND {_OPEN} AND a.registered_at BETWEEN $4 AND $5 LIMIT 200",
        KISHI.id, [crowd.service, "lifts.person-trapped"], list(quiet),
        crowd.registered_at - timedelta(days=3), crowd.registered_at,
    )  # fmt: skip
    assert "ix_appeal_near" in found
    assert most_rows(found) == 0


async def test_groups_are_looked_for_among_the_appeals_of_late_alone(house, crowd):
    found = await plan(
        house,
        CITY,
        "SELECT a.id FROM appeal a WHERE a.city_id = $1 AND a.registered_at >= $2"
        f" AND {_OPEN} AND a.incident_id IS NULL ORDER BY a.registered_at DESC, a.id DESC"
        " LIMIT 20000",
        KISHI.id, crowd.registered_at - timedelta(hours=1),
    )  # fmt: skip
    assert "ix_appeal_register" in found
    assert most_rows(found) < 100


async def test_an_idle_turn_of_the_incidents_reads_no_appeal(house, crowd):
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await fetch(
        house,
        "UPDATE appeal SET incident_id = $1, incident_joined_at = now(), incident_followed = 1",
        incident.id,
    )
    await fetch(house, "ANALYZE appeal, incident")
    found = await plan(house, CITY, _LAGGING, KISHI.id, 50, [])
    assert "ix_appeal_incident" in found
    assert "Seq Scan on appeal" not in found
    assert most_rows(found) <= 1


async def test_the_relay_looks_up_what_it_moves_where_statistics_end_before_it(house, crowd):
    # The register as it was when statistics were gathered, and then a busy hour.
    await fetch(house, "ANALYZE appeal, event")
    young = "('ffffffff-ffff-7fff-8fff-' || lpad(n::text, 12, '0'))::uuid"
    await fetch(
        house,
        f"INSERT INTO appeal SELECT (jsonb_populate_record(a, jsonb_build_object('id', {young},"
        " 'number', 'YOUNG-' || n))).* FROM appeal a, generate_series(1, 300) n WHERE a.id = $1",
        crowd.id,
    )
    await fetch(
        house,
        "INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical, hash)"
        f" SELECT {young}, e.city_id, {young}, 1, e.type, e.at, e.internal, e.canonical, e.hash"
        " FROM event e, generate_series(1, 300) n WHERE e.appeal_id = $1 AND e.sequence = 1",
        crowd.id,
    )
    await fetch(house, "DELETE FROM outbox")
    await fetch(
        house,
        "INSERT INTO outbox (city_id, event_id) SELECT e.city_id, e.id FROM event e"
        f" JOIN generate_series(1, 300) n ON e.id = {young}",
    )
    await fetch(house, "ANALYZE outbox")
    found = await plan(house, PLATFORM, _TAKE, 100, house.now())
    assert most_rows(found) <= 300
