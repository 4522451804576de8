"""What the feed costs the relay, and how long a page of it takes in a full one.

    python -m benchmarks.feed [--appeals 4000] [--pairs 6] [--entries 1000000]

The relay moves the same events in turn with and without its line that writes the feed; told is the
median over the pairs of the ratio of their rates. Then the feed is filled: one organisation in a
thousand reads a page from its middle, and asks in vain for what is newer; the yardstick is an empty
transaction through the same door. Intake has no part in it: its statement is as it was.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from unittest.mock import patch

import psycopg

from api.bootstrap import House, open_house
from api.settings import Settings
from benchmarks.stage import SETTINGS, prepare
from domain.access import Principal, Role
from domain.webhooks.feed import Mark
from integrations.postgres import outbox
from integrations.postgres.doors import door_of
from integrations.postgres.embedded import EmbeddedPostgres
from integrations.postgres.session import inside

BATCH = 4_000
ORGANISATIONS = 1_000
_BEGIN, _END = "), fed AS (", ")\nSELECT told.id"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=4_000)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--entries", type=int, default=1_000_000)
    told = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ikomek-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "postgres", SETTINGS) as postgres,
    ):
        url = postgres.url("postgres")
        prepare(url, Path(folder), told.appeals)
        settings = Settings(database_url=url, home=Path(folder))
        asyncio.run(_measure(settings, url, told.pairs, told.entries))


async def _measure(settings: Settings, url: str, pairs: int, entries: int) -> None:
    async with open_house(settings) as house:
        ratios = [await _pair(house, url, swapped=bool(turn % 2)) for turn in range(pairs)]
        with_feed = sorted(one[0] for one in ratios)
        rate = median(with_feed)
        ratio = median(fed / bare for fed, bare in ratios)
        print(f"relay with the feed   {rate:8.0f} events/s, {ratio:.2f} of it without")
        await _pages(house, url, entries)


async def _pair(house: House, url: str, *, swapped: bool) -> tuple[float, float]:
    """Events a second with the feed, and without."""
    begin = outbox._TAKE.index(_BEGIN)
    bare = outbox._TAKE[:begin] + outbox._TAKE[outbox._TAKE.index(_END, begin) :]
    # Both take two parameters.
    bare = bare.replace("SELECT told.id,", "SELECT $2::timestamptz AS at, told.id,", 1)
    rates = {}
    for fed in (False, True) if swapped else (True, False):
        with patch.object(outbox, "_TAKE", outbox._TAKE if fed else bare):
            rates[fed] = await _relay(house, url)
    return rates[True], rates[False]


async def _relay(house: House, url: str) -> float:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("TRUNCATE outbox, feed_entry")
        owner.execute(
            "INSERT INTO outbox (city_id, event_id) SELECT city_id, id FROM event"
            f" WHERE appeal_id IN (SELECT appeal_id FROM assignment) ORDER BY id LIMIT {BATCH}"
        )
        owner.execute("CHECKPOINT")
    began, moved = time.perf_counter(), 0
    while events := (await house.outbox.relay(house.now())).events:
        moved += events
    return moved / (time.perf_counter() - began)


async def _pages(house: House, url: str, entries: int) -> None:
    who, middle = _fill(url, entries)
    newest = await house.feed.newest(who)

    async def empty() -> None:
        async with inside(house.engine, door_of(who)) as driver:
            await driver.fetchval("SELECT 1")

    bare = await _milliseconds(empty)
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "a page of 100": lambda: house.feed.page(who, middle, (), 100, house.now()),
        "nothing new": lambda: house.feed.page(who, newest, (), 100, house.now()),
        "the bell's look": lambda: house.feed.rung(newest.position),
    }
    print(f"an empty transaction  {bare:8.2f} ms")
    for name, ask in asked.items():
        took = await _milliseconds(ask)
        print(f"{name:<20}  {took:8.2f} ms, {took / bare:.1f} of an empty transaction")


def _fill(url: str, entries: int) -> tuple[Principal, Mark]:
    """A feed of so many entries of a thousand organisations; one of them, and its middle."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("TRUNCATE feed_entry")
        # The real executor has every thousandth place, the rest are nobody's.
        owner.execute(
            f"""
            WITH who AS (SELECT organisation_id, city_id FROM assignment
                          GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1),
                 told AS (SELECT array_agg(e.id) AS ids, array_agg(e.type) AS types
                            FROM event e JOIN assignment s ON s.appeal_id = e.appeal_id
                            JOIN who w ON w.organisation_id = s.organisation_id)
            INSERT INTO feed_entry (city_id, organisation_id, message_id, type, told_at)
            SELECT w.city_id, CASE WHEN n % {ORGANISATIONS} = 0 THEN w.organisation_id
                   ELSE md5((n % {ORGANISATIONS})::text)::uuid END,
                   ids[1 + n % cardinality(ids)], types[1 + n % cardinality(ids)], now()
              FROM who w, told, generate_series(1, {entries}) n
            """
        )
        owner.execute("VACUUM ANALYZE feed_entry")
        row = owner.execute(
            "WITH middle AS (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY position)"
            " AS position FROM feed_entry f JOIN organisation o ON o.id = f.organisation_id)"
            " SELECT organisation_id, city_id, position, message_id, told_at"
            " FROM feed_entry JOIN middle USING (position)"
        ).fetchone()
    if row is None:
        raise SystemExit("no organisation was told anything")
    organisation, city, *middle = row
    who = Principal(organisation, Role.HEAD, city, "", organisation, frozenset({organisation}))
    return who, Mark(*middle)


async def _milliseconds(ask: Callable[[], Awaitable[object]], times: int = 200) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


if __name__ == "__main__":
    main()
