"""What was over in a period is counted from what the period holds, however much the city does."""

from datetime import timedelta

from domain.access import Role
from integrations.postgres.doors import door_of
from tests.integrations.postgres.test_plans import most_rows, plan
from tests.support.appeals import register
from tests.support.city import KISHI
from tests.support.sql import fetch


async def test_what_was_over_in_a_period_is_counted_by_when_it_was(house):
    appeal = await register(house)
    await fetch(
        house,
        "INSERT INTO appeal SELECT (jsonb_populate_record(a, jsonb_build_object("
        " 'id', md5('c' || n)::uuid, 'number', 'CLOSED-' || n, 'status', 'closed', 'due_at', NULL,"
        " 'confirmation', '{}'::jsonb, 'closed_at', a.registered_at - n * interval '1 hour'))).*"
        " FROM appeal a, generate_series(1, 4000) n WHERE a.id = $1",
        appeal.id,
    )
    await fetch(
        house,
        "INSERT INTO consultation (id, city_id, service, channel, language, operator_id, at)"
        " SELECT md5('n' || n)::uuid, $1, 'x', 'phone', 'kk', $2, now() - n * interval '1 hour'"
        " FROM generate_series(1, 4000) n",
        KISHI.id, KISHI.ident("member-operator"),
    )  # fmt: skip
    await fetch(house, "ANALYZE appeal, consultation")
    at = house.now()
    for who in (KISHI.principal(Role.INSPECTOR), KISHI.principal(Role.AKIM, district="centre")):
        asked = house.statistics.over(who, at - timedelta(days=9), at)
        found = await plan(house, door_of(who), *asked)
        assert "ix_appeal_closed" in found
        assert "ix_consultation_city_id_at" in found
        assert "Seq Scan" not in found
        assert most_rows(found) <= 9 * 24 + 1
