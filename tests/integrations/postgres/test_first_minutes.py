"""A city that grows while its sessions keep the plans of its first minute."""

from domain.access import Role
from integrations.postgres.doors import door_of
from integrations.postgres.session import inside
from tests.support.appeals import register
from tests.support.city import KISHI
from tests.support.sql import fetch

CITY = door_of(KISHI.principal(Role.SYSTEM))
COPIED = (
    "INSERT INTO {0} SELECT (jsonb_populate_record(r, jsonb_build_object({1}))).*"
    " FROM {0} r, generate_series($2::int, $3::int) n WHERE r.{2} = $1"
)
APPEALS = COPIED.format("appeal", "'id', md5(n::text)::uuid, 'number', 'NEW-' || n", "id")
CARDS = COPIED.format("card", "'appeal_id', md5(n::text)::uuid", "appeal_id")
CLOCKS = COPIED.format("clock", "'appeal_id', md5(n::text)::uuid", "appeal_id")
FETCHED = (
    "SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) FROM pg_stat_xact_user_tables"
    " WHERE relname IN ('appeal', 'card', 'clock')"
)


async def test_counting_an_intake_reads_no_more_when_there_are_thousands(house):
    appeal = await register(house)
    async with inside(house.engine, CITY, setting="SET LOCAL plan_cache_mode = force_generic_plan") as driver:  # fmt: skip  # noqa: E501

        async def come(first: int, last: int) -> int:
            """So many appeals more; what was read meanwhile."""
            before = await driver.fetchval(FETCHED)
            for statement in (APPEALS, CARDS, CLOCKS):
                await driver.execute(statement, appeal.id, first, last)
            return int(await driver.fetchval(FETCHED) - before)

        few = await come(1, 1)
        await come(2, 3000)
        many = await come(3001, 3001)
    assert many <= few + 10
    held = await fetch(house, "SELECT sum(count) FROM holding WHERE subject = 'appeal'")
    assert held[0][0] == 3002
