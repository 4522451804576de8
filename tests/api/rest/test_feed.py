"""The feed over HTTP: who may read it, how they go on and wait, and what is told who came late."""

import asyncio
import time
from base64 import urlsafe_b64decode
from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from api.bell import Ear
from api.rest.cursors import veiled, write_cursor
from api.rest.feed import TYPES
from domain.access import Role
from domain.webhooks.feed import START
from tests.support.city import KISHI
from tests.support.rest import assert_problem, pointers
from tests.support.sql import fetch
from tests.support.worker import eventually


@pytest.fixture
async def empty(callers):
    """A feed with nothing in it and nothing on its way."""
    await fetch(callers.house, "DELETE FROM outbox")
    await fetch(callers.house, "DELETE FROM feed_entry")


@pytest.fixture
def rest(monkeypatch):
    """Wait until so many have read in vain and do nothing but listen."""
    listening = 0
    wait = Ear.wait

    async def counted(ear, seconds):
        nonlocal listening
        listening += 1
        try:
            await wait(ear, seconds)
        finally:
            listening -= 1

    monkeypatch.setattr(Ear, "wait", counted)

    async def so_many(many):
        async def reached():
            return listening == many

        await eventually(reached, pause=0.01)

    return so_many


async def relay(callers):
    await callers.house.outbox.relay(callers.house.now())


async def read(callers, role=Role.EXECUTOR, **query):
    answer = await callers.call("GET", "/v1/events", role=role, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_reader_goes_on_where_it_stopped(callers, empty):
    appeal = await callers.register()
    await relay(callers)
    first = await read(callers, limit=1)
    assert [one["message"]["type"] for one in first["items"]] == ["appeal.registered"]
    assert first["more"]
    second = await read(callers, after=first["next"])
    assert [one["message"]["data"]["sequence"] for one in second["items"]] == [2]
    assert not second["more"]
    assert (await read(callers, after=second["next"]))["items"] == []
    await callers.act(appeal["number"], "accept", role=Role.EXECUTOR)
    await relay(callers)
    third = await read(callers, after=second["next"])
    assert [one["message"]["type"] for one in third["items"]] == ["appeal.accepted"]


async def test_types_can_be_chosen_and_unknown_ones_are_refused(callers, empty):
    await callers.register()
    await relay(callers)
    chosen = await read(callers, type=["appeal.assigned", "appeal.closed"])
    assert [one["message"]["type"] for one in chosen["items"]] == ["appeal.assigned"]
    refused = await callers.call(
        "GET", "/v1/events", role=Role.EXECUTOR, params={"type": "appeal.burned"}
    )
    assert_problem(refused, 400, "malformed")
    assert pointers(refused) == {"/type/0": "unknown"}


async def test_every_type_can_be_asked_for_at_once(callers, empty):
    await callers.register()
    await relay(callers)
    assert len((await read(callers, type=sorted(TYPES)))["items"]) == 2


async def test_whoever_wants_only_what_comes_begins_behind_the_newest(callers, empty):
    await callers.register()
    await relay(callers)
    begun = await read(callers, start="newest")
    assert begun["items"] == []
    await callers.register()
    await relay(callers)
    assert len((await read(callers, after=begun["next"]))["items"]) == 2


async def test_who_waits_is_answered_as_soon_as_there_is_something(callers, empty, rest):
    waiting = asyncio.create_task(read(callers, start="newest", wait=20))
    await rest(1)

    async def no_connection_is_held():
        # The loops of the application borrow one for a moment now and then.
        return callers.app.state.door._house.engine.pool.checkedout() == 0

    await eventually(no_connection_is_held, pause=0.01)
    assert not waiting.done()
    await callers.register()
    await relay(callers)
    began = time.monotonic()
    assert len((await waiting)["items"]) == 2
    assert time.monotonic() - began < 5


async def test_who_waits_in_vain_is_told_so_in_time_and_can_go_on(callers, empty):
    began = time.monotonic()
    answer = await read(callers, wait=1)
    assert 0.9 < time.monotonic() - began < 5
    assert answer["items"] == []
    assert answer["next"]


async def test_one_organisation_cannot_have_everybody_wait(callers, empty, rest):
    waiting = [asyncio.create_task(read(callers, wait=20)) for _ in range(8)]
    await rest(8)
    ninth = await callers.call("GET", "/v1/events", role=Role.HEAD, params={"wait": 1})
    assert_problem(ninth, 429, "rate-limited")
    await callers.register()
    await relay(callers)
    await asyncio.gather(*waiting)


async def test_a_cursor_of_somebody_else_or_of_another_list_is_refused(callers, empty):
    now, keyring = callers.house.now(), callers.house.keyring
    theirs = write_cursor(now, KISHI.centre, keyring, veiled(f"0 {UUID(int=0)} 0", keyring))
    others = [
        write_cursor(now, KISHI.water, keyring, mark)
        for mark in ("", "7", "resolve/1", veiled(7, keyring))
    ]
    for cursor in (theirs, *others, "bm90IG91cnM"):
        refused = await callers.call(
            "GET", "/v1/events", role=Role.EXECUTOR, params={"after": cursor}
        )
        assert_problem(refused, 400, "malformed")


async def test_a_cursor_does_not_tell_how_much_everybody_else_was_told(callers, empty):
    await callers.register()
    await relay(callers)
    answer = await read(callers, limit=1)
    cursor = answer["next"]
    said = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[8:].decode()
    (row,) = await fetch(callers.house, "SELECT min(position) AS first FROM feed_entry")
    assert not said.endswith(f" {row['first']}")
    assert len(said.split(" ")[2]) > 40
    assert (await read(callers, after=cursor))["items"]


async def test_a_cursor_from_before_what_is_kept_is_told_so_rather_than_passed_over(callers, empty):
    now, keyring = callers.house.now(), callers.house.keyring
    answers = []
    for days in (89, 91):
        mark = veiled(f"0 {UUID(int=0)} 0", keyring)
        cursor = write_cursor(now - timedelta(days=days), KISHI.water, keyring, mark)
        answers.append(
            await callers.call("GET", "/v1/events", role=Role.EXECUTOR, params={"after": cursor})
        )
    assert answers[0].status_code == 200
    assert_problem(answers[1], 410, "cursor-expired")


async def test_the_message_stands_in_the_answer_as_it_is_signed(callers, empty):
    await callers.register()
    await relay(callers)
    answer = await callers.call("GET", "/v1/events", role=Role.HEAD)
    house, head = callers.house, KISHI.principal(Role.HEAD)
    page = await house.feed.page(head, START, (), 10, house.now())
    for entry in page.entries:
        assert entry.payload in answer.content
        assert orjson.dumps(orjson.loads(entry.payload)) == entry.payload


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AKIM, Role.CITIZEN, Role.AUDITOR])
async def test_who_has_no_part_in_the_work_reads_no_feed(callers, role):
    assert_problem(await callers.call("GET", "/v1/events", role=role), 403, "not-permitted")


async def test_a_register_that_was_taken_back_tells_its_readers_so(callers, empty):
    await callers.register()
    await relay(callers)
    cursor = (await read(callers))["next"]
    await fetch(callers.house, "DELETE FROM feed_entry")
    lost = await callers.call(
        "GET", "/v1/events", role=Role.EXECUTOR, params={"after": cursor, "wait": 1}
    )
    assert_problem(lost, 410, "cursor-lost")
    assert (await read(callers))["items"] == []
