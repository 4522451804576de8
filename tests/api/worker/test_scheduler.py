"""The scheduler: a clock is never late, no city waits for another, faults pass by."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
import structlog
from structlog.testing import capture_logs

from api import loops
from api.bootstrap import open_house
from api.loops import repeat
from api.worker import ticks
from api.worker.ticks import UNIT, Clocks
from domain.errors import Invalid
from domain.values import new_id
from tests.conftest import make_settings
from tests.support.appeals import add_endpoint, register
from tests.support.city import SmallCity, write_small_city
from tests.support.sql import fetch
from tests.support.worker import eventually, scheduling

FENCED_WITHIN = timedelta(hours=3)


async def breaches(house, appeal):
    return await fetch(
        house,
        "SELECT e.at, k.due_at FROM event e JOIN clock k ON k.appeal_id = e.appeal_id"
        " WHERE e.appeal_id = $1 AND e.type = 'clock.breached' AND k.stage = 'secure'",
        appeal.id,
    )


async def test_a_breach_is_acted_on_within_a_second(house):
    async with scheduling(house):
        appeal = await register(house, at=house.now() - FENCED_WITHIN + timedelta(seconds=1.5))

        async def breached():
            return len(await breaches(house, appeal)) > 0

        await eventually(breached, within=10)
        seen = house.now()
    (found,) = await breaches(house, appeal)
    assert timedelta(0) <= found["at"] - found["due_at"] < timedelta(seconds=1)
    assert seen - found["due_at"] < timedelta(seconds=1.5)


async def test_what_is_due_is_acted_on_once_by_two_schedulers(house):
    appeals = [await register(house, at=house.now() - FENCED_WITHIN) for _ in range(10)]
    clocks = [Clocks(house), Clocks(house)]
    await asyncio.gather(*(one.turn() for one in clocks))
    await clocks[0].turn()
    for appeal in appeals:
        assert len(await breaches(house, appeal)) == 1


async def test_a_city_where_much_is_due_keeps_no_other_waiting(house):
    other = SmallCity("ekinshi", "EKI")
    await write_small_city(house.engine, house.keyring, other)
    await house.references.refresh(house.now())
    late = house.now() - FENCED_WITHIN
    crowd = [await register(house, at=late) for _ in range(UNIT + 5)]
    one = await register(house, at=late, city=other)
    assert await Clocks(house).turn()
    assert len(await breaches(house, one)) == 1
    acted = [await breaches(house, appeal) for appeal in crowd]
    assert sum(map(len, acted)) == UNIT


async def test_a_city_in_which_something_is_wrong_keeps_no_other_waiting(house):
    broken = SmallCity("synyk", "SYN")
    await write_small_city(house.engine, house.keyring, broken)
    await house.references.refresh(house.now())
    late = house.now() - FENCED_WITHIN
    stuck = await register(house, at=late, city=broken)
    await fetch(house, "UPDATE clock SET policy = 'lost' WHERE appeal_id = $1", stuck.id)
    one = await register(house, at=late)
    clocks = Clocks(house)
    for _ in range(3):
        await clocks.turn()
    assert len(await breaches(house, one)) == 1
    assert await breaches(house, stuck) == []
    await fetch(house, "UPDATE clock SET next_at = NULL WHERE appeal_id = $1", stuck.id)


async def test_a_loop_outlives_faults_and_tells_of_them_once(monkeypatch):
    # A logger that was used before goes on telling whom it told then.
    monkeypatch.setattr(loops, "log", structlog.get_logger())
    turns: list[int] = []
    stop = asyncio.Event()

    async def work():
        turns.append(len(turns))
        if len(turns) < 4:
            raise OSError("the database is away")
        if len(turns) == 6:
            stop.set()
        return len(turns) == 4

    with capture_logs() as told:
        await asyncio.wait_for(repeat("test", work, period=0.01, stop=stop), 5)
    assert len(turns) == 6
    assert [one["event"] for one in told] == ["loop_failing", "loop_recovered"]
    assert told[1]["failures"] == 3


async def test_a_stopped_loop_does_not_finish_its_rest():
    stop = asyncio.Event()

    async def work():
        return False

    loop = asyncio.create_task(repeat("test", work, period=60, stop=stop))
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(loop, 1)


async def test_a_loop_that_is_woken_works_at_once_and_one_that_fails_still_rests():
    turns: list[str] = []
    stop, wake = asyncio.Event(), asyncio.Event()
    failing = False

    async def work():
        turns.append("turn")
        if failing:
            raise OSError("the broker is away")
        return False

    loop = asyncio.create_task(repeat("test", work, period=60, stop=stop, wake=wake))
    await asyncio.sleep(0.05)
    assert len(turns) == 1
    wake.set()
    await asyncio.sleep(0.05)
    assert len(turns) == 2
    failing = True
    wake.set()
    await asyncio.sleep(0.05)
    wake.set()
    await asyncio.sleep(0.05)
    # Mail that comes while the broker is away does not let us knock without end.
    assert len(turns) == 3
    stop.set()
    await asyncio.wait_for(loop, 1)


async def test_the_scheduler_outlives_a_database_that_is_down(server, city_template, tmp_path):
    with server.database(city_template) as name:
        async with open_house(make_settings(server.url_of(name), tmp_path)) as house:
            await house.references.refresh(house.now())
            await add_endpoint(house)
            async with scheduling(house):
                await asyncio.to_thread(shut, server, name)
                await asyncio.sleep(0.7)
                await asyncio.to_thread(admit, server, name)
                appeal = await register_when_up(house)

                async def relayed():
                    rows = await fetch(
                        house,
                        "SELECT 1 FROM delivery d JOIN event e ON e.id = d.event_id"
                        " WHERE e.appeal_id = $1",
                        appeal.id,
                    )
                    return len(rows) == 2

                await eventually(relayed, within=15)


async def register_when_up(house):
    for _ in range(50):
        try:
            return await register(house)
        except Exception:
            await asyncio.sleep(0.1)
    pytest.fail("the database did not come back")


def shut(server, name):
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


def admit(server, name):
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


async def test_what_no_appeal_took_is_swept_away_with_its_file(house):
    old, fresh = new_id(), new_id()
    for upload, age in ((old, 25), (fresh, 23)):
        await house.store.put(f"test/{upload}", b"photo", "image/jpeg")
        await fetch(
            house,
            "INSERT INTO attachment (id, city_id, owner_id, kind, media_type, filename, size,"
            " sha256, original_sha256, storage_key, created_at)"
            " SELECT $1, id, $1, 'image', 'image/jpeg', 'a.jpg', 5, '', '', $2, $3"
            " FROM city LIMIT 1",
            upload,
            f"test/{upload}",
            house.now() - timedelta(hours=age),
        )
    assert await house.housekeeping.forget_uploads(house.now()) == 1
    left = await fetch(house, "SELECT id FROM attachment")
    assert [row["id"] for row in left] == [fresh]
    assert await house.store.get(f"test/{fresh}") == b"photo"
    with pytest.raises(Exception, match="not-found"):
        await house.store.get(f"test/{old}")


async def test_answers_are_kept_for_repeats_two_days_and_no_longer(house):
    for hours in (47, 49):
        await fetch(
            house,
            "INSERT INTO idempotency SELECT gen_random_uuid(), $1, '', 201, '',"
            " now() - $2::interval",
            f"key-{hours}",
            timedelta(hours=hours),
        )
    assert await house.housekeeping.forget_answers() == 1
    left = await fetch(house, "SELECT key FROM idempotency")
    assert [row["key"] for row in left] == ["key-47"]


async def test_a_faulty_appeal_stops_nobody_elses_clocks(house, monkeypatch):
    monkeypatch.setattr(ticks, "log", structlog.get_logger())
    late = house.now() - FENCED_WITHIN
    faulty = await register(house, at=late)
    sound = await register(house, at=late)
    await fetch(house, "UPDATE clock SET policy = 'gone' WHERE appeal_id = $1", faulty.id)
    clocks = Clocks(house)
    with capture_logs() as logs:
        await clocks.turn()
        await clocks.turn()
    assert len(await breaches(house, sound)) == 1
    assert await breaches(house, faulty) == []
    told = [line["appeal_id"] for line in logs if line["event"] == "clock_faulty"]
    assert told == [str(faulty.id)]


async def test_a_city_that_cannot_be_understood_holds_up_no_other(house):
    unclear, clear = SmallCity("tusiniksiz", "TUS"), SmallCity("tusinikti", "TSI")
    for city in (unclear, clear):
        await write_small_city(house.engine, house.keyring, city)
    await fetch(house, "UPDATE policy_version SET content = '{}' WHERE city_id = $1", unclear.id)
    with pytest.raises(Invalid):
        await house.references.refresh(house.now())
    assert house.references.of(clear.id).city.code == "tusinikti"
    assert not await house.references.refresh(house.now())
