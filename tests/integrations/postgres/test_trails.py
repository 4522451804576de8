"""The ways of appeals that were passed on cost what was passed on, however much the city holds."""

from datetime import timedelta

from domain.access import Role
from integrations.postgres.doors import door_of
from integrations.postgres.trails import Trails
from tests.integrations.postgres.test_plans import most_rows, plan
from tests.support.appeals import register
from tests.support.city import KISHI
from tests.support.sql import fetch


async def test_what_was_passed_on_is_found_by_its_executors_queue(house):
    appeal = await register(house)
    await fetch(
        house,
        "INSERT INTO appeal SELECT (jsonb_populate_record(a, jsonb_build_object("
        " 'id', md5(n::text)::uuid, 'number', 'OLD-' || n))).*"
        " FROM appeal a, generate_series(1, 4000) n WHERE a.id = $1",
        appeal.id,
    )
    await fetch(
        house,
        "INSERT INTO assignment SELECT (jsonb_populate_record(s, jsonb_build_object("
        " 'id', md5('s' || n)::uuid, 'appeal_id', md5(n::text)::uuid,"
        " 'offered_at', s.offered_at - n * interval '1 hour',"
        " 'organisation_id', ($2::uuid[])[1 + n % 3], 'state',"
        " CASE WHEN n % 40 = 0 THEN 'redirected' WHEN n % 2 = 0 THEN 'done' ELSE 'offered' END))).*"
        " FROM assignment s, generate_series(1, 4000) n WHERE s.appeal_id = $1",
        appeal.id, [KISHI.water, KISHI.department, KISHI.centre],
    )  # fmt: skip
    await fetch(house, "ANALYZE appeal, assignment")
    for who in (KISHI.principal(Role.INSPECTOR), KISHI.principal(Role.ADMINISTRATOR)):
        asked = Trails(house.engine).question(who, house.now() - timedelta(days=30))
        found = await plan(house, door_of(who), *asked)
        assert "ix_assignment_queue" in found
        assert "Seq Scan on assignment" not in found
        assert "Seq Scan on appeal" not in found
        assert most_rows(found) <= 30 * 24 / 40


async def test_a_way_tells_when_it_was_last_given_to_who_passed_it_on(house):
    appeal = await register(house)
    for days, organisation, state in (
        (50, KISHI.department, "redirected"),
        (10, KISHI.water, "declined"),
        (2, KISHI.department, "done"),
    ):
        await fetch(
            house,
            "INSERT INTO assignment SELECT (jsonb_populate_record(s, jsonb_build_object("
            " 'id', gen_random_uuid(), 'organisation_id', $2::uuid, 'state', $3::text,"
            " 'offered_at', s.offered_at - $4 * interval '1 day'))).*"
            " FROM assignment s WHERE s.appeal_id = $1 ORDER BY s.offered_at DESC LIMIT 1",
            appeal.id, organisation, state, days,
        )  # fmt: skip
    (now,) = await fetch(
        house,
        "SELECT max(offered_at) AS at FROM assignment WHERE appeal_id = $1",
        appeal.id,
    )
    who, trails = KISHI.principal(Role.INSPECTOR), Trails(house.engine)
    (trail,) = await trails.of(who, now["at"] - timedelta(days=90))
    assert trail.offered_at == now["at"] - timedelta(days=10)
    assert len(trail.organisations) == 4
    assert await trails.of(who, now["at"] - timedelta(days=9)) == []
