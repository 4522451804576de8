"""The scheduler seals and signs in time, and what it signed leaves the house."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.bootstrap import make_mailer, open_house, read_signer
from api.settings import Settings
from api.worker.outlets import Outlets
from api.worker.register import Seal
from domain.register.checkpoint import is_signed, origin_of, parse_checkpoint
from integrations.postgres.checkpoints import Checkpoints
from integrations.vault.signer import verify
from tests.support.appeals import register
from tests.support.city import KISHI
from tests.support.post import post_office
from tests.support.register import seal, sign
from tests.support.sql import fetch
from tests.support.worker import eventually, scheduling

NOON = datetime(2026, 11, 22, 7, tzinfo=UTC)
"""Almaty: UTC+5."""
MIDNIGHT = datetime(2026, 11, 22, 19, tzinfo=UTC)


@pytest.fixture
async def house(server, city_template, tmp_path):
    """A house over a fresh city, with a folder for checkpoints."""
    from tests.conftest import make_settings

    with server.database(city_template) as name:
        settings = make_settings(
            server.url_of(name), tmp_path / "home", checkpoint_folder=tmp_path / "out"
        )
        async with open_house(settings) as opened:
            await opened.references.refresh(opened.now())
            yield opened


@pytest.fixture
def keeper(house):
    """What signs."""
    return Seal(house, read_signer(house.settings))


async def sizes(house):
    return [row["size"] for row in await fetch(house, "SELECT size FROM checkpoint ORDER BY 1")]


async def test_a_minute_with_news_is_signed_and_one_without_is_not(house, keeper):
    await register(house)
    await seal(house)
    await keeper.sign(KISHI.city, NOON)
    assert await sizes(house) == [2]
    await register(house)
    await seal(house)
    await keeper.sign(KISHI.city, NOON + timedelta(seconds=59))
    assert await sizes(house) == [2]
    await keeper.sign(KISHI.city, NOON + timedelta(seconds=60))
    assert await sizes(house) == [2, 4]
    await keeper.sign(KISHI.city, NOON + timedelta(hours=1))
    assert await sizes(house) == [2, 4]


async def days(house):
    rows = await fetch(house, "SELECT day, size FROM day_end ORDER BY 1")
    return [(row["day"].isoformat(), row["size"]) for row in rows]


async def test_the_citys_day_ends_with_a_checkpoint_of_its_own(house, keeper):
    await register(house)
    await seal(house)
    await keeper.sign(KISHI.city, MIDNIGHT - timedelta(seconds=30))
    assert await days(house) == []
    await register(house)
    await seal(house)
    # Not a minute has gone by, but the day is over.
    await keeper.sign(KISHI.city, MIDNIGHT + timedelta(seconds=1))
    assert await sizes(house) == [2, 4]
    assert await days(house) == [("2026-11-22", 4)]
    await keeper.sign(KISHI.city, MIDNIGHT + timedelta(seconds=2))
    await Seal(house, read_signer(house.settings)).sign(KISHI.city, MIDNIGHT + timedelta(hours=9))
    assert await days(house) == [("2026-11-22", 4)]


async def test_a_day_without_news_ends_with_the_checkpoint_that_there_was(house, keeper):
    await register(house)
    await seal(house)
    await keeper.sign(KISHI.city, NOON)
    await keeper.sign(KISHI.city, MIDNIGHT)
    await keeper.sign(KISHI.city, MIDNIGHT + timedelta(days=1))
    assert await days(house) == [("2026-11-22", 2), ("2026-11-23", 2)]


async def test_days_on_which_no_scheduler_ran_end_with_what_the_next_one_signs(house, keeper):
    await register(house)
    await seal(house)
    await keeper.sign(KISHI.city, NOON)
    await register(house)
    later = Seal(house, read_signer(house.settings))
    await seal(house)
    await later.sign(KISHI.city, NOON + timedelta(days=3))
    assert await days(house) == [("2026-11-22", 4), ("2026-11-23", 4), ("2026-11-24", 4)]
    await register(house)
    await seal(house)
    await later.sign(KISHI.city, MIDNIGHT + timedelta(days=3, hours=-1))
    third = Seal(house, read_signer(house.settings))
    await third.sign(KISHI.city, NOON + timedelta(days=5))
    assert (await days(house))[3:] == [("2026-11-25", 6), ("2026-11-26", 6)]


async def test_a_checkpoint_after_a_standstill_covers_all_that_waited(house, keeper):
    for _ in range(3):
        await register(house)

    async def nothing_older_runs() -> bool:
        (row,) = await fetch(
            house, "SELECT count(*) FROM event WHERE xid < pg_snapshot_xmin(pg_current_snapshot())"
        )
        return bool(row["count"] == 6)

    await eventually(nothing_older_runs)
    signer = read_signer(house.settings)
    signed = await Checkpoints(house.engine, batch=2).sign(
        KISHI.id, origin_of(KISHI.code), signer, NOON
    )
    assert signed is not None
    assert signed.size == 6
    # Each batch in a transaction of its own: the relay waits for one, not for a standstill's worth.
    (row,) = await fetch(house, "SELECT count(DISTINCT xmin::text) FROM log_leaf")
    assert row["count"] == 3


async def test_a_scheduler_signs_and_writes_by_itself(house):
    await register(house)
    latest = house.settings.checkpoint_folder / KISHI.code / "latest.txt"

    async def written() -> bool:
        return bool(latest.exists())

    async with scheduling(house):
        await eventually(written)
    checkpoint = parse_checkpoint(latest.read_text())
    key = read_signer(house.settings).key(origin_of(KISHI.code))
    assert is_signed(checkpoint, key, verify)
    assert (checkpoint.origin, checkpoint.size) == ("ikomek109/kishi", 2)


async def test_every_checkpoint_comes_into_the_folder_whoever_writes_and_once(house, tmp_path):
    notes = {}
    for number in range(3):
        await register(house)
        signed = await sign(house, at=NOON + timedelta(days=number))
        assert signed is not None
        notes[f"2026-11-{22 + number}/{signed.size:012}.txt"] = str(signed)
        if number:
            await Outlets(house, None).turn()
    await Outlets(house, None).turn()
    place = tmp_path / "out" / KISHI.code
    found = {str(path.relative_to(place)): path.read_text() for path in place.rglob("*.txt")}
    assert found.pop("latest.txt") == list(notes.values())[-1]
    assert found == notes
    assert list(place.rglob(".*")) == []


async def test_a_days_end_is_mailed_once_and_again_after_the_server_was_down(house, keeper):
    await register(house)
    await seal(house)
    await keeper.sign(KISHI.city, NOON)
    await fetch(
        house, "INSERT INTO day_end (city_id, day, size) VALUES ($1, current_date - 1, 2),"
        " ($1, current_date - 30, 2)", KISHI.id,
    )  # fmt: skip
    async with post_office() as office:
        changes = {"smtp_url": office.url, "checkpoint_mail": ("control@example.kz",)}
        told = replace(house, settings=house.settings.model_copy(update=changes))
        mailer = make_mailer(told.settings)
        assert mailer is not None
        office.refuses = True
        with pytest.raises(OSError, match="no"):
            await Outlets(told, mailer).turn()
        office.refuses = False
        await Outlets(told, mailer).turn()
        await Outlets(told, mailer).turn()
    ((to, said),) = office.letters
    assert to == ["control@example.kz"]
    (attached,) = said.iter_attachments()
    assert parse_checkpoint(attached.get_content().decode()).size == 2
    assert said["Subject"].startswith("ikomek109/kishi ")


def test_nothing_is_mailed_unasked_and_nothing_is_promised_that_cannot_leave(house):
    assert make_mailer(house.settings) is None
    with pytest.raises(ValueError, match="IKOMEK_SMTP_URL"):
        Settings(checkpoint_mail=("control@example.kz",))
    with pytest.raises(ValueError, match="witness"):
        Settings(witness_keys=(str(read_signer(house.settings).key("ikomek109/kishi")),))
