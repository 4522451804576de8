"""What was changed past the platform is found, and put right while the city works."""

import asyncio

import pytest

from domain.access import Role
from domain.appeals.commands import Withdraw
from domain.appeals.workflow import Action
from integrations.postgres.cards import facet
from integrations.postgres.recounting import recount
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.holdings import books_of, read_books
from tests.support.lives import a_town
from tests.support.sql import fetch

PLANTED = {
    "an appeal counted twice": (
        "UPDATE holding SET count = count + 1 WHERE id = (SELECT min(id) FROM holding"
        " WHERE subject = 'appeal')", "appeal"),
    "a clock forgotten": (
        "DELETE FROM holding WHERE id = (SELECT min(id) FROM holding WHERE subject = 'clock')",
        "clock"),
    "a consultation that nobody gave": (
        "INSERT INTO holding (city_id, subject, holders, state, count) SELECT id, 'consultation',"
        f" ARRAY['{KISHI.centre}'::uuid], 'answered', 2 FROM city", "consultation"),
    "holders who never held": (
        "INSERT INTO holding (city_id, subject, holders, state, count, settled) SELECT id,"
        " 'appeal', ARRAY[gen_random_uuid()], 'closed', 3, true FROM city", "appeal"),
    "a desk without an appeal that is open": (
        "DELETE FROM desk WHERE ctid = (SELECT min(ctid) FROM desk WHERE NOT ended)", "desk"),
    "a desk where one is ended that goes on": (
        "UPDATE desk SET ended = true WHERE ctid = (SELECT max(ctid) FROM desk WHERE NOT ended)",
        "desk"),
    "a desk where one stands otherwise": (
        "UPDATE desk SET status = 'paused' WHERE ctid = (SELECT max(ctid) FROM desk WHERE NOT ended"
        " AND status <> 'paused')", "desk"),
    "a desk with what is over": (
        "INSERT INTO desk (organisation_id, registered_at, appeal_id, city_id)"
        f" SELECT '{KISHI.water}', registered_at, id, city_id FROM appeal"
        " WHERE status = 'withdrawn' LIMIT 1 ON CONFLICT (organisation_id, registered_at,"
        " appeal_id) DO UPDATE SET ended = false", "desk"),
    "a kind that is said never to have met": (
        "DELETE FROM meeting WHERE service = 'general.unclassified'", "meeting"),
    "what an organisation is said never to have dealt with": (
        f"DELETE FROM dealing WHERE organisation_id = '{KISHI.water}' AND facet ="
        f" {facet('channel', 'phone')}", "dealing"),
}  # fmt: skip


@pytest.mark.parametrize(("planted", "subject"), PLANTED.values(), ids=PLANTED)
async def test_what_was_changed_past_the_platform_is_found_and_put_right(house, planted, subject):
    await a_town(house, 5, 10)
    gone = await register(house)
    await perform(house, gone, Action.WITHDRAW, Withdraw("call"), role=Role.OPERATOR)
    assert await recount(house.engine) == []
    await fetch(house, planted)
    assert (await read_books(house)).wrong != {}
    found = await recount(house.engine)
    assert {one.subject for one in found} == {subject}
    assert all(one.counted != one.kept for one in found)
    assert await recount(house.engine, mend=True) == found
    assert await recount(house.engine) == []
    await books_of(house)


async def test_the_books_are_put_right_while_the_city_works(house, busy):
    """Four check and mend at once, others live: each difference is put right once."""
    for planted, _ in PLANTED.values():
        await fetch(house, planted)
    lives = [a_town(house, seed, 15) for seed in range(10, 14)]
    mends = [recount(house.engine, mend=True) for _ in range(4)]
    sums = [house.statistics.add_up() for _ in range(4)]
    await asyncio.gather(*lives, *mends, *sums)
    await books_of(house)
    assert await recount(house.engine) == []
