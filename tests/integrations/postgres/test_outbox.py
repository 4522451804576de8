"""The relay: each event reaches each endpoint that may hear it, once, and none is passed over."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import pytest

from domain.access import Role
from domain.appeals.commands import Accept, Comment, Correct
from domain.appeals.workflow import Action
from domain.incidents.model import Area
from domain.incidents.use_cases import join_appeals
from integrations.postgres.outbox import Outbox
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import EVIDENCED, KISHI, MANHOLE
from tests.support.incidents import open_incident
from tests.support.sql import fetch
from tests.support.worker import eventually

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


async def deliveries(house, endpoint):
    return await fetch(
        house, "SELECT * FROM delivery WHERE endpoint_id = $1 ORDER BY id", endpoint.id
    )


@pytest.fixture
async def outbox(house):
    """The house's own, with nothing left in it and no endpoint of another test."""
    await fetch(house, "DELETE FROM outbox")
    await fetch(house, "UPDATE webhook_endpoint SET removed_at = now()")
    return house.outbox


async def test_an_executor_hears_what_happens_to_its_appeals(house, outbox):
    endpoint = await add_endpoint(house)
    appeal = await register(house)
    relayed = await outbox.relay(AT)
    assert (relayed.events, relayed.deliveries) == (2, 2)
    first, second = await deliveries(house, endpoint)
    assert [first["type"], second["type"]] == ["appeal.registered", "appeal.assigned"]
    assert first["state"] == "pending"
    assert first["next_attempt_at"] == AT
    said = orjson.loads(first["payload"])
    assert said["data"] == {
        "id": str(appeal.id),
        "number": appeal.number,
        "sequence": 1,
        "status": "assigned",
        "service": appeal.service,
        "organisation_id": str(KISHI.water),
        "links": {"appeal": f"{house.settings.base_url}/v1/appeals/{appeal.number}"},
    }
    assert (await outbox.relay(AT)).events == 0


async def test_a_message_carries_no_personal_data(house, outbox):
    endpoint = await add_endpoint(house)
    await register(house)
    await outbox.relay(AT)
    for row in await deliveries(house, endpoint):
        text = bytes(row["payload"]).decode()
        assert "Айгүл" not in text
        assert "7015550109" not in text
        assert "люк" not in text


async def test_an_organisation_above_the_executor_hears_too_and_a_stranger_does_not(house, outbox):
    above = await add_endpoint(house, organisation=KISHI.department)
    stranger = await add_endpoint(house, organisation=KISHI.centre)
    await register(house)
    await outbox.relay(AT)
    assert len(await deliveries(house, above)) == 2
    assert await deliveries(house, stranger) == []


async def test_only_chosen_types_go_to_an_endpoint(house, outbox):
    chosen = await add_endpoint(house, event_types=frozenset({"appeal.accepted"}))
    appeal = await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await outbox.relay(AT)
    assert [row["type"] for row in await deliveries(house, chosen)] == ["appeal.accepted"]


async def test_what_happens_while_an_endpoint_is_disabled_is_kept_for_it_and_not_sent(
    house, outbox
):
    disabled = await add_endpoint(house, enabled=False)
    await register(house)
    await outbox.relay(AT)
    kept = await deliveries(house, disabled)
    assert [row["type"] for row in kept] == ["appeal.registered", "appeal.assigned"]
    for row in kept:
        assert (row["state"], row["reason"]) == ("cancelled", "endpoint-disabled")
        assert (row["next_attempt_at"], row["finished_at"]) == (None, AT)
    assert await house.deliveries.claim(AT) == []


@pytest.mark.parametrize(
    ("chosen", "heard"),
    [
        ({"services": {MANHOLE}}, 2),
        ({"services": {EVIDENCED}}, 0),
        ({"spheres": {"manholes"}}, 2),
        ({"spheres": {"lifts"}}, 0),
        ({"services": {EVIDENCED}, "spheres": {"manholes"}}, 2),
        ({"districts": {"nowhere"}}, 0),
        ({"spheres": {"manholes"}, "districts": {"nowhere"}}, 0),
    ],
)
async def test_only_what_an_endpoint_s_filters_let_through_goes_to_it(house, outbox, chosen, heard):
    filters: dict[str, Any] = {name: frozenset(codes) for name, codes in chosen.items()}
    narrow = await add_endpoint(house, **filters)
    wide = await add_endpoint(house)
    await register(house)
    await outbox.relay(AT)
    assert len(await deliveries(house, narrow)) == heard
    assert len(await deliveries(house, wide)) == 2


async def test_an_endpoint_of_a_district_hears_of_that_district_alone(house, outbox):
    appeal = await register(house)
    await fetch(house, "UPDATE appeal SET district = 'sol' WHERE id = $1", appeal.id)
    left = await add_endpoint(house, districts=frozenset({"sol", "ong"}))
    right = await add_endpoint(house, districts=frozenset({"ong"}))
    await outbox.relay(AT)
    assert len(await deliveries(house, left)) == 2
    assert await deliveries(house, right) == []


async def test_what_colleagues_say_among_themselves_is_not_told(house, outbox):
    endpoint = await add_endpoint(house)
    appeal = await register(house)
    for internal in (True, False):
        comment = Comment("Кешкі ауысымға", internal=internal)
        await perform(house, appeal, Action.COMMENT, comment, role=Role.OPERATOR)
    await outbox.relay(AT)
    told = [row["type"] for row in await deliveries(house, endpoint)]
    assert told.count("appeal.commented") == 1


async def test_an_event_that_commits_late_is_not_passed_over(house, outbox):
    endpoint = await add_endpoint(house)
    earlier = await register(house)
    await fetch(house, "DELETE FROM outbox")
    slow = await asyncpg.connect(house.settings.database_url)
    try:
        late = slow.transaction()
        await late.start()
        # It takes its place in the outbox first and commits last.
        await slow.execute(
            "INSERT INTO outbox (city_id, event_id) SELECT city_id, id FROM event"
            " WHERE appeal_id = $1 AND sequence = 1",
            earlier.id,
        )
        quick = await register(house)
        assert (await outbox.relay(AT)).events == 0
        await late.commit()
    finally:
        await slow.close()
    assert (await outbox.relay(AT)).events == 3
    told = [orjson.loads(row["payload"])["data"] for row in await deliveries(house, endpoint)]
    assert [(said["number"], said["sequence"]) for said in told] == [
        (earlier.number, 1),
        (quick.number, 1),
        (quick.number, 2),
    ]
    assert await fetch(house, "SELECT * FROM outbox") == []


async def test_two_relays_at_once_deliver_everything_exactly_once(house, outbox):
    endpoint = await add_endpoint(house)
    for _ in range(12):
        await register(house)
    other = Outbox(house.engine, "http://elsewhere")

    async def drain(relay):
        moved = 0
        while events := (await relay.relay(AT, limit=3)).events:
            moved += events
        return moved

    moved = list(await asyncio.gather(drain(outbox), drain(other)))
    while more := (await outbox.relay(AT)).events:
        moved.append(more)
    assert sum(moved) == 24
    rows = await deliveries(house, endpoint)
    assert len(rows) == 24
    assert len({row["event_id"] for row in rows}) == 24


async def test_a_relay_that_fails_midway_leaves_everything_in_its_place(house, outbox):
    endpoint = await add_endpoint(house)
    await register(house)
    # As a full disk would: the outbox is emptied, then the deliveries cannot be written.
    await fetch(house, "ALTER TABLE delivery ADD CONSTRAINT disk_full CHECK (false) NOT VALID")
    try:
        with pytest.raises(asyncpg.CheckViolationError):
            await outbox.relay(AT)
    finally:
        await fetch(house, "ALTER TABLE delivery DROP CONSTRAINT disk_full")
    assert await deliveries(house, endpoint) == []
    assert (await outbox.relay(AT)).events == 2
    assert len(await deliveries(house, endpoint)) == 2


async def test_what_was_restored_from_another_cluster_does_not_wait_for_its_numbers(house, outbox):
    endpoint = await add_endpoint(house)
    await register(house)
    await fetch(house, "UPDATE outbox SET xid = (xid::text::numeric + 1e15)::text::xid8")

    async def relayed():
        await outbox.relay(AT)
        return len(await deliveries(house, endpoint)) == 2

    await eventually(relayed)


async def _overtake(house, slow=None):
    """Two events of one appeal of which the earlier has the later transaction: acceptance (3), and
    the joining (4) by one who had locked another appeal before; between the two that of `slow`
    begins. Gives the appeal.
    """
    # Elsewhere, so that nothing joins it by itself.
    incident = await open_incident(house, area=Area(buildings=frozenset({KISHI.flats})))
    first, second = sorted([await register(house), await register(house)], key=lambda a: a.number)
    while (await house.outbox.relay(AT)).events:
        pass
    locked, go = asyncio.Event(), asyncio.Event()

    async def join():
        async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
            get = uow.appeals.get

            async def get_slowly(number):
                found = await get(number)
                if number == first.number:
                    # A transaction has its number from its first lock on.
                    locked.set()
                    await go.wait()
                return found

            uow.appeals.get = get_slowly
            numbers = [first.number, second.number]
            reference = house.references.of(KISHI.id)
            await join_appeals(incident.id, numbers, uow=uow, reference=reference, at=house.now())
            await uow.commit()

    joining = asyncio.create_task(join())
    await locked.wait()
    if slow is not None:
        await slow.execute("SELECT pg_current_xact_id()")
    await perform(house, second, Action.ACCEPT, Accept())
    go.set()
    await joining
    rows = await fetch(
        house, "SELECT sequence FROM event WHERE appeal_id = $1 ORDER BY xid, id", second.id
    )
    assert [row["sequence"] for row in rows][-2:] == [4, 3], "nobody overtook anybody"
    return second


async def _told(house, after):
    page = await house.feed.page(KISHI.principal(Role.HEAD), after, (), 100, AT)
    return [orjson.loads(one.payload)["data"] for one in page.entries]


@pytest.mark.parametrize("limit", [1, 2, 500])
async def test_events_of_an_appeal_are_told_in_order_though_their_transactions_are_not(
    house, outbox, limit
):
    endpoint = await add_endpoint(house, ordered=True)
    appeal = await _overtake(house)
    before = await house.feed.newest(KISHI.principal(Role.HEAD))
    handed = []
    while (await outbox.relay(AT, limit=limit)).events:
        rows = await fetch(
            house,
            "SELECT sequence FROM delivery WHERE endpoint_id = $1 AND appeal_id = $2"
            " ORDER BY sequence",
            endpoint.id, appeal.id,
        )  # fmt: skip
        handed.append([row["sequence"] for row in rows])
    # Never the joining while the acceptance is not there.
    assert handed[-1] == [1, 2, 3, 4]
    assert [1, 2, 4] not in handed
    told = [one["sequence"] for one in await _told(house, before) if one["id"] == str(appeal.id)]
    assert told == [3, 4]
    assert await fetch(house, "SELECT * FROM outbox") == []


async def test_what_was_overtaken_goes_along_though_something_older_runs(house, outbox):
    """The acceptance lies above the oldest running transaction, the joining below it."""
    endpoint = await add_endpoint(house, ordered=True)
    slow = await asyncpg.connect(house.settings.database_url)
    try:
        running = slow.transaction()
        await running.start()
        appeal = await _overtake(house, slow)
        later = await register(house)
        await outbox.relay(AT)
        told = await fetch(
            house,
            "SELECT appeal_id, sequence FROM delivery WHERE endpoint_id = $1 ORDER BY sequence",
            endpoint.id,
        )
        left = await fetch(house, "SELECT 1 FROM outbox o JOIN event e ON e.id = o.event_id"
                           " WHERE e.appeal_id <> $1", later.id)  # fmt: skip
        await running.rollback()
    finally:
        await slow.close()
    of_it = [row["sequence"] for row in told if row["appeal_id"] == appeal.id]
    assert of_it == [1, 2, 3, 4]
    assert left == []
    # What nobody overtook waits.
    assert later.id not in {row["appeal_id"] for row in told}


MOVE = Correct(service="lifts.company-unknown", answers={})


async def _heard(house, endpoint):
    return [(row["type"], row["sequence"]) for row in await deliveries(house, endpoint)]


@pytest.mark.parametrize("together", [False, True])
async def test_whoever_had_an_appeal_is_told_that_it_goes_and_nothing_after(
    house, outbox, together
):
    left = await add_endpoint(house, spheres=frozenset({"manholes"}))
    reached = await add_endpoint(house, spheres=frozenset({"lifts"}))
    elsewhere = await add_endpoint(house, spheres=frozenset({"water"}))
    appeal = await register(house)
    if not together:
        await outbox.relay(AT)
    moved = await perform(house, appeal, Action.CORRECT, MOVE, role=Role.OPERATOR)
    await outbox.relay(AT)
    comment = Comment("Кешкі ауысымға", internal=False)
    await perform(house, moved, Action.COMMENT, comment, role=Role.OPERATOR)
    await outbox.relay(AT)
    began = [("appeal.registered", 1), ("appeal.assigned", 2)]
    goes, stays = ("appeal.corrected", 3), ("appeal.commented", 4)
    heard = [one for one in await _heard(house, left) if not one[0].startswith("clock.")]
    assert heard == [*began, goes]
    assert (await _heard(house, reached))[-2:] == [goes, stays]
    assert await _heard(house, elsewhere) == []


async def test_what_is_on_its_way_is_not_stopped_by_an_appeal_that_goes(house, outbox):
    await add_endpoint(house, spheres=frozenset({"manholes"}))
    appeal = await register(house)
    await outbox.relay(AT)
    await perform(house, appeal, Action.CORRECT, MOVE, role=Role.OPERATOR)
    await outbox.relay(AT)
    claims = await house.deliveries.claim(AT)
    begun = [await house.deliveries.begin(one.delivery, one.lease, AT) for one in claims]
    assert sorted(one.type for one in begun) == [
        "appeal.assigned", "appeal.corrected", "appeal.registered",
    ]  # fmt: skip


async def test_a_filter_of_its_own_that_changed_ends_what_is_on_its_way(house, outbox):
    endpoint = await add_endpoint(house, spheres=frozenset({"manholes"}))
    appeal = await register(house)
    await outbox.relay(AT)
    await perform(house, appeal, Action.CORRECT, MOVE, role=Role.OPERATOR)
    await fetch(house, "UPDATE webhook_endpoint SET spheres = '{water}' WHERE id = $1", endpoint.id)
    for one in await house.deliveries.claim(AT):
        assert await house.deliveries.begin(one.delivery, one.lease, AT) is None
    assert {row["reason"] for row in await deliveries(house, endpoint)} == {"filter-deselected"}
