"""Notices leave by mail, once each, and tell nothing that is nobody's business."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from api import clock
from api.alarm_texts import ADVICE
from api.worker.alarms import Alarms
from domain.values import Language, new_id
from domain.webhooks.events import Notice
from integrations.mail.sender import SmtpMailer
from integrations.postgres.alarms import LEASE, MAILED_FOR
from tests.support.appeals import add_endpoint
from tests.support.city import KISHI
from tests.support.post import post_office
from tests.support.sql import fetch

ADDRESS = "dispatch@vodokanal.example.kz"
ENDPOINT_NOTICES = set(Notice) - {Notice.CHECKPOINT}


@pytest.fixture
async def endpoint(house):
    await fetch(house, "DELETE FROM notice")
    await fetch(
        house, "UPDATE organisation SET contacts = jsonb_build_object('email', $2::text)"
               " WHERE id = $1", KISHI.water, ADDRESS,
    )  # fmt: skip
    return await add_endpoint(house, "https://hook.example.kz/s3cret-path")


async def add_notice(house, endpoint, type="endpoint.failing", at=None):
    await fetch(
        house,
        "INSERT INTO notice (id, city_id, organisation_id, endpoint_id, type, at, last_at,"
        """ mail_due_at, data) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, '{"failures": 5,"""
        """ "failing_since": "2026-11-22T06:00:00+00:00", "status": 500, "error": null}')""",
        new_id(), endpoint.city_id, endpoint.organisation_id, endpoint.id, type,
        at or datetime.now(UTC),
    )  # fmt: skip


async def test_a_notice_is_mailed_once_to_the_organisation_s_own_address(house, endpoint):
    await add_notice(house, endpoint)
    async with post_office() as office:
        alarms = Alarms(house, SmtpMailer(office.url, "register@example.kz"))
        await alarms.turn()
        await alarms.turn()
    ((to, said),) = office.letters
    assert to == [ADDRESS]
    assert said["Subject"] == "iKomek 109 kishi: endpoint.failing"
    text = said.get_content()
    for language in Language:
        assert ADVICE[Notice.ENDPOINT_FAILING][language][:20] in text.replace("\n", " ")
    assert str(endpoint.id) in text
    assert "status=500" in text
    # A URL may hold a token.
    assert "s3cret" not in text


async def test_a_letter_that_is_refused_is_sent_later_and_keeps_no_other_waiting(house, endpoint):
    await add_notice(house, endpoint)
    async with post_office() as office:
        alarms = Alarms(house, SmtpMailer(office.url, "register@example.kz"))
        office.refuses = True
        with pytest.raises(OSError, match="no"):
            await alarms.turn()
        office.refuses = False
        await add_notice(house, endpoint, "endpoint.disabled")
        await alarms.turn()
        assert [said["Subject"] for _, said in office.letters] == [
            "iKomek 109 kishi: endpoint.disabled"
        ]
        # The minutes of its lease go by.
        await fetch(house, "UPDATE notice SET mail_due_at = mail_due_at - $1::interval", LEASE)
        await alarms.turn()
        assert len(office.letters) == 2


@pytest.mark.parametrize("odd", ["a@", '"', "a@[", "a@b.kz\nBcc: c@d.kz"])
async def test_an_address_that_is_none_keeps_nobody_else_from_their_letters(house, endpoint, odd):
    """Contacts of an import are what somebody wrote into a table."""
    write = "UPDATE organisation SET contacts = jsonb_build_object('email', $2::text) WHERE id = $1"
    await fetch(house, write, KISHI.water, odd)
    await fetch(house, write, KISHI.department, ADDRESS)
    other = await add_endpoint(house, organisation=KISHI.department)
    at = datetime.now(UTC)
    await add_notice(house, endpoint, at=at - timedelta(seconds=1))
    await add_notice(house, other, at=at)
    async with post_office() as office:
        alarms = Alarms(house, SmtpMailer(office.url, "register@example.kz"))
        with pytest.raises(OSError, match="cannot be written"):
            await alarms.turn()
    assert [to for to, _ in office.letters] == [[ADDRESS]]


async def test_whoever_dies_with_a_letter_in_hand_leaves_it_to_the_next(house, endpoint):
    await add_notice(house, endpoint)
    at = clock.real()
    (taken,) = await house.alarms.take(at, 5)
    assert await house.alarms.take(at, 5) == []
    (again,) = await house.alarms.take(at + LEASE, 5)
    assert again == taken
    await house.alarms.mailed(again)
    assert await house.alarms.take(at + 2 * LEASE, 5) == []


async def test_nothing_is_mailed_where_there_is_no_address_or_no_post_office(house, endpoint):
    await add_notice(house, endpoint)
    assert not await Alarms(house, None).turn()
    await fetch(house, "UPDATE organisation SET contacts = '{}' WHERE id = $1", KISHI.water)
    assert await house.alarms.take(clock.real(), 5) == []


async def test_old_notices_stand_in_the_list_and_are_not_mailed_any_more(house, endpoint):
    await add_notice(house, endpoint, at=datetime.now(UTC) - MAILED_FOR - timedelta(seconds=1))
    assert await house.alarms.take(clock.real(), 5) == []


def test_every_notice_of_an_endpoint_has_its_advice():
    assert set(ADVICE) == ENDPOINT_NOTICES


async def test_a_letter_names_what_was_lost_and_where_it_is_found(house, endpoint):
    number, delivery = "KIS-2026-000042", str(new_id())
    data = orjson.dumps({"appeal": number, "delivery": delivery, "failures": 1, "status": 500})
    for type in ("delivery.exhausted", "endpoint.recovered"):
        await add_notice(house, endpoint, type)
    await fetch(house, "UPDATE notice SET data = $1", data.decode())
    async with post_office() as office:
        await Alarms(house, SmtpMailer(office.url, "register@example.kz")).turn()
    lost, well = (said.get_content() for _, said in office.letters)
    base = house.settings.base_url
    assert f"{number} {base}/v1/appeals/{number}" in lost
    assert f"{base}/v1/deliveries/{delivery}" in lost
    assert f"{base}/v1/webhook-endpoints/{endpoint.id}/deliveries?state=exhausted" in lost
    assert number not in well
