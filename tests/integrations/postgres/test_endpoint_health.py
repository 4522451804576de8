"""Breaker, throttle, rate and order in the queue itself; days are walked by handing them in."""

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from domain.access import Role
from domain.appeals.commands import Accept, Comment
from domain.appeals.workflow import Action
from domain.values import new_id
from domain.webhooks.attempts import Report
from domain.webhooks.events import Notice
from domain.webhooks.health import REOPENS, TRIP
from domain.webhooks.model import CONCURRENCY, AttemptResult
from domain.webhooks.schedule import next_attempt
from domain.webhooks.use_cases import Wish, change_endpoint
from integrations.postgres.deliveries import KEPT_FREE, PLACES, SHARES, share_of
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import KISHI
from tests.support.sql import fetch

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
OK = AttemptResult(204, None, 12, "", None)
DOWN = AttemptResult(None, "not-connected", 3, "", None)
TOLD = frozenset(map(str, Notice))


async def add_deliveries(house, endpoint, count, *, due=AT):
    """So many that are due, of no appeal: a long queue is made at once."""
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
        " next_attempt_at) SELECT gen_random_uuid(), $1, $2, 'appeal.registered', '{}', 'pending',"
        " $3, $3 FROM generate_series(1, $4)",
        endpoint.city_id, endpoint.id, due, count,
    )  # fmt: skip


async def turn(queue, at, answer):
    """Claim what may go, and have every attempt end at once as `answer` says; how many went."""
    claims = await queue.claim(at)
    for claim in claims:
        attempt = await queue.begin(claim.delivery, claim.lease, at)
        assert attempt is not None
        result = answer(attempt) if callable(answer) else answer
        verdict = next_attempt(attempt.tries, result, at, 0.5)
        assert await queue.finish([Report(attempt, result, verdict, at)])
    return len(claims)


async def endpoint_row(house, endpoint):
    (row,) = await fetch(house, "SELECT * FROM webhook_endpoint WHERE id = $1", endpoint.id)
    return row


async def health(house, endpoint):
    (row,) = await fetch(house, "SELECT * FROM endpoint_health WHERE endpoint_id = $1", endpoint.id)
    return row


async def notices(house, endpoint):
    return await fetch(
        house, "SELECT * FROM notice WHERE endpoint_id = $1 ORDER BY at, id", endpoint.id
    )


async def states(house, endpoint):
    rows = await fetch(
        house,
        "SELECT state, reason, count(*) AS n FROM delivery WHERE endpoint_id = $1 GROUP BY 1, 2",
        endpoint.id,
    )
    return {(row["state"], row["reason"]): row["n"] for row in rows}


async def test_a_dead_endpoint_is_left_alone_and_then_tried_by_one_message(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 50)
    assert await turn(queue, AT, DOWN) == endpoint.concurrency
    opened = await health(house, endpoint)
    assert opened["open_until"] == AT + REOPENS[0]
    assert await queue.claim(opened["open_until"] - SECOND) == []
    at = opened["open_until"]
    for wait in (*REOPENS[1:], REOPENS[-1]):
        assert await turn(queue, at, DOWN) == 1
        assert (await health(house, endpoint))["open_until"] == at + wait
        assert await queue.claim(at + wait - SECOND) == []
        at += wait
    assert await turn(queue, at, OK) == 1
    assert await turn(queue, at, OK) == endpoint.concurrency
    assert (await health(house, endpoint))["open_until"] is None


async def test_dead_endpoints_with_long_queues_take_no_place_of_a_sound_one(house, queue):
    dead = [
        await add_endpoint(house, f"https://dead-{n}.example.kz/109", organisation=KISHI.department)
        for n in range(20)
    ]
    for endpoint in dead:
        await add_deliveries(house, endpoint, 500, due=AT - HOUR)
    assert await turn(queue, AT, DOWN) == 20 * 8
    sound = await add_endpoint(house)
    await add_deliveries(house, sound, 8)
    claims = await queue.claim(AT + SECOND)
    rows = await fetch(
        house, "SELECT DISTINCT endpoint_id FROM delivery WHERE id = ANY($1)",
        [claim.delivery for claim in claims],
    )  # fmt: skip
    assert [row["endpoint_id"] for row in rows] == [sound.id]
    assert len(claims) == 8


async def claimed(house, claims):
    """How many of these claims each endpoint has."""
    rows = await fetch(
        house, "SELECT endpoint_id, count(*) FROM delivery WHERE id = ANY($1) GROUP BY 1",
        [claim.delivery for claim in claims],
    )  # fmt: skip
    return {row["endpoint_id"]: row["count"] for row in rows}


async def test_one_organisation_holds_no_more_than_its_share_of_all_places(house, queue):
    """However many endpoints it has; what it holds already counts, and others' places are free."""
    many = [
        await add_endpoint(house, f"https://many-{n}.example.kz/109", concurrency=32)
        for n in range(20)
    ]
    other = await add_endpoint(
        house, "https://other.example.kz/109", organisation=KISHI.department, concurrency=32
    )
    for endpoint in many:
        await add_deliveries(house, endpoint, 40, due=AT - HOUR)
    await add_deliveries(house, other, 40)
    share = share_of(PLACES)
    first = await claimed(house, await queue.claim(AT))
    assert first.pop(other.id) == 32
    assert sum(first.values()) == share < 20 * 32
    # In turn: each of its endpoints has as much of the share as any other, give or take one.
    assert set(first) == {endpoint.id for endpoint in many}
    assert max(first.values()) - min(first.values()) <= 1
    assert await queue.claim(AT + SECOND) == []
    assert await queue.claim(AT + SECOND, endpoints=[many[0].id]) == []
    assert share >= 20 * CONCURRENCY, "as much as its endpoints take unless they ask for more"


async def add_organisations(house, count):
    """So many like the water utility, each with an endpoint that takes 32 at once."""
    made = []
    for n in range(count):
        id = new_id()
        await fetch(
            house,
            "INSERT INTO organisation SELECT (jsonb_populate_record(o, jsonb_build_object("
            " 'id', $2::text, 'code', $3::text))).* FROM organisation o WHERE o.id = $1",
            KISHI.water, str(id), f"other-{id}",
        )  # fmt: skip
        made.append(
            await add_endpoint(
                house, f"https://other-{n}.example.kz/109", organisation=id, concurrency=32
            )
        )
    return made


async def test_whoever_has_nothing_in_the_air_finds_a_place_beside_a_silent_crowd(house, queue):
    """All of the crowd fell silent a moment ago, before any breaker could notice."""
    *crowd, sound = await add_organisations(house, SHARES + 1)
    places = 10 * SHARES
    for endpoint in crowd:
        await add_deliveries(house, endpoint, 50, due=AT - HOUR)
    silent = await claimed(house, await queue.claim(AT, in_flight=places))
    assert sum(silent.values()) == places - places // KEPT_FREE
    assert set(silent) == {endpoint.id for endpoint in crowd}
    assert await queue.claim(AT + SECOND, in_flight=places) == []
    await add_deliveries(house, sound, 50)
    assert await claimed(house, await queue.claim(AT + SECOND, in_flight=places)) == {sound.id: 1}
    assert await queue.claim(AT + SECOND, in_flight=places) == []


async def test_five_days_of_failure_disable_an_endpoint_and_tell_its_people_once(house, queue):
    endpoint = await add_endpoint(house)
    ears = await add_endpoint(house, "https://ears.example.kz/109", event_types=TOLD)
    strange = await add_endpoint(
        house, "https://no.example.kz", organisation=KISHI.centre, event_types=TOLD
    )
    await add_deliveries(house, endpoint, 300)
    at = AT
    while (await endpoint_row(house, endpoint))["enabled"]:
        assert at < AT + timedelta(days=6)
        await turn(queue, at, lambda attempt: DOWN if attempt.endpoint == endpoint else OK)
        at += HOUR
    assert timedelta(days=5) <= at - HOUR - AT < timedelta(days=5) + 2 * HOUR
    row = await endpoint_row(house, endpoint)
    assert (row["disabled_reason"], row["version"]) == ("failing", 2)
    told = await notices(house, endpoint)
    assert [one["type"] for one in told] == ["endpoint.failing", "endpoint.disabled"]
    heard = await fetch(house, "SELECT * FROM delivery WHERE endpoint_id = $1", ears.id)
    assert sorted(one["type"] for one in heard) == ["endpoint.disabled", "endpoint.failing"]
    said = orjson.loads(bytes(heard[0]["payload"]))["data"]
    assert said["endpoint"] == str(endpoint.id)
    assert said["error"] == "not-connected"
    assert said["links"]["endpoint"].endswith(f"/v1/webhook-endpoints/{endpoint.id}")
    assert await fetch(house, "SELECT 1 FROM delivery WHERE endpoint_id = $1", strange.id) == []
    # What waited for it ends by name, in bites, and can be sent again.
    assert await queue.end_unwanted(at, limit=100) == 100
    while await queue.end_unwanted(at, limit=100):
        pass
    assert await states(house, endpoint) == {("cancelled", "endpoint-disabled"): 300}


async def test_what_people_are_told_stands_in_the_feed_as_other_endpoints_hear_it(house, queue):
    endpoint = await add_endpoint(house)
    ears = await add_endpoint(house, "https://ears.example.kz/109", event_types=TOLD)
    await add_deliveries(house, endpoint, 1)
    head = KISHI.principal(Role.HEAD)
    # What other tests led to.
    await house.outbox.relay(AT)
    stranger = KISHI.principal(Role.ADMINISTRATOR)
    begun, theirs = await house.feed.newest(head), await house.feed.newest(stranger)
    await turn(queue, AT, AttemptResult(410, None, 5, "", None))
    for _ in range(2):
        await house.outbox.relay(AT)
    page = await house.feed.page(head, begun, [], 100, AT)
    (entry,) = page.entries
    (heard,) = await fetch(house, "SELECT * FROM delivery WHERE endpoint_id = $1", ears.id)
    assert entry.payload == bytes(heard["payload"])
    assert entry.id == heard["message_id"]
    assert orjson.loads(entry.payload)["type"] == "endpoint.disabled"
    others = await house.feed.page(stranger, theirs, [], 100, AT)
    assert others.entries == ()


async def test_a_success_every_four_days_keeps_an_endpoint(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 2000)
    for hour in range(24 * 13):
        at = AT + hour * HOUR
        await turn(queue, at, OK if hour % 96 == 95 else DOWN)
    assert (await endpoint_row(house, endpoint))["enabled"]
    types = [one["type"] for one in await notices(house, endpoint)]
    assert types == ["endpoint.failing", "endpoint.recovered"] * 3 + ["endpoint.failing"]


async def test_what_waits_and_was_not_tried_hides_no_failure_and_makes_none(house, queue):
    """W8: only attempts that ended count."""
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 100)
    for claim in await queue.claim(AT):
        assert await queue.begin(claim.delivery, claim.lease, AT) is not None
    rows = await fetch(house, "SELECT * FROM endpoint_health WHERE endpoint_id = $1", endpoint.id)
    assert rows == []
    # Their workers died; the attempts are made again, and those count.
    assert await turn(queue, AT + 2 * HOUR, DOWN) == endpoint.concurrency
    assert (await health(house, endpoint))["failures"] == endpoint.concurrency


async def test_an_endpoint_enabled_again_is_tried_at_once_and_its_recovery_is_told(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 1)
    gone = AttemptResult(410, None, 5, "", None)
    assert await turn(queue, AT, gone) == 1
    assert (await endpoint_row(house, endpoint))["disabled_reason"] == "gone"
    assert await states(house, endpoint) == {("cancelled", "endpoint-gone"): 1}
    async with house.units.open(KISHI.principal(Role.HEAD)) as uow:
        changed = await change_endpoint(
            endpoint.id, Wish(enabled=True), expected=frozenset({2}), uow=uow,
            reference=house.references.of(KISHI.id), at=AT, allow_http=False,
        )  # fmt: skip
        await uow.commit()
    assert (changed.version, changed.disabled_reason) == (3, None)
    await add_deliveries(house, endpoint, 1)
    assert await turn(queue, AT, OK) == 1
    types = [one["type"] for one in await notices(house, endpoint)]
    assert types == ["endpoint.disabled", "endpoint.recovered"]


async def test_a_disabled_endpoint_may_be_tried_by_a_test(house, queue):
    endpoint = await add_endpoint(house, enabled=False)
    async with house.units.open(KISHI.principal(Role.HEAD)) as uow:
        await uow.endpoints.send(endpoint, "endpoint.test", b"{}", at=AT)
        await uow.commit()
    assert await queue.end_unwanted(AT) == 0
    assert await turn(queue, AT, OK) == 1


async def test_a_test_that_arrives_is_no_recovery_while_the_endpoint_is_disabled(house, queue):
    """Whoever read that it works again would leave it disabled, and miss everything."""
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 1)
    assert await turn(queue, AT, AttemptResult(410, None, 5, "", None)) == 1
    head = KISHI.principal(Role.HEAD)
    async with house.units.open(head) as uow:
        await uow.endpoints.send(endpoint, "endpoint.test", b"{}", at=AT)
        await uow.commit()
    assert await turn(queue, AT + HOUR, OK) == 1
    assert [one["type"] for one in await notices(house, endpoint)] == ["endpoint.disabled"]
    async with house.units.open(head) as uow:
        await change_endpoint(
            endpoint.id, Wish(enabled=True), expected=None, uow=uow,
            reference=house.references.of(KISHI.id), at=AT, allow_http=False,
        )  # fmt: skip
        await uow.commit()
    await add_deliveries(house, endpoint, 1)
    assert await turn(queue, AT + 2 * HOUR, OK) == 1
    types = [one["type"] for one in await notices(house, endpoint)]
    assert types == ["endpoint.disabled", "endpoint.recovered"]


async def test_exhausted_deliveries_are_told_of_once_an_hour_and_counted(house, queue):
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 3)
    await fetch(house, "UPDATE delivery SET attempts = 9 WHERE endpoint_id = $1", endpoint.id)
    assert await turn(queue, AT, DOWN) == 3
    assert await states(house, endpoint) == {("exhausted", None): 3}
    (told,) = await notices(house, endpoint)
    assert (told["type"], told["count"]) == ("delivery.exhausted", 3)


async def test_an_overloaded_endpoint_rests_as_long_as_it_asks(house, queue):
    endpoint = await add_endpoint(house)
    other = await add_endpoint(house, "https://other.example.kz/109")
    await add_deliveries(house, endpoint, 20)
    await add_deliveries(house, other, 20)
    busy = AttemptResult(429, None, 5, "", timedelta(minutes=3))
    first = await turn(queue, AT, lambda attempt: busy if attempt.endpoint == endpoint else OK)
    assert first == 16
    assert await turn(queue, AT + timedelta(minutes=3) - SECOND, OK) == 8
    rows = await fetch(
        house, "SELECT count(*) FROM delivery WHERE endpoint_id = $1 AND attempts > 0", endpoint.id
    )
    assert rows[0]["count"] == 8
    # By then its breaker let one through again, and so does its rest.
    assert await turn(queue, AT + timedelta(minutes=3), OK) == 5


@pytest.mark.parametrize(("rate", "in_a_minute"), [(6, 6), (60, 60), (600, 600)])
async def test_no_more_begin_in_a_minute_than_the_rate_allows(house, queue, rate, in_a_minute):
    endpoint = await add_endpoint(house, rate_limit=rate, concurrency=64)
    await add_deliveries(house, endpoint, 1500, due=AT - HOUR)
    went = [await turn(queue, AT + step * SECOND / 5, OK) for step in range(5 * 60)]
    saved_up = max(1, rate // 60)
    assert in_a_minute - 1 <= sum(went) <= in_a_minute + saved_up
    assert max(went) <= saved_up


async def test_two_schedulers_share_one_rate_and_one_concurrency(house, queue):
    slow = await add_endpoint(house, rate_limit=300, concurrency=64)
    narrow = await add_endpoint(house, "https://narrow.example.kz/109", concurrency=3)
    for endpoint in (slow, narrow):
        await add_deliveries(house, endpoint, 100)
    found = await asyncio.gather(*(queue.claim(AT) for _ in range(4)))
    assert sum(len(claims) for claims in found) == 5 + 3


async def test_in_order_the_next_of_an_appeal_waits_until_the_one_before_has_ended(house, queue):
    endpoint = await add_endpoint(house, ordered=True)
    appeal, other = await register(house), await register(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    await house.outbox.relay(AT)
    sent = []

    def down_once(attempt):
        said = orjson.loads(attempt.payload)["data"]
        sent.append((said["number"], said["sequence"]))
        failing = sent[-1] == (appeal.number, 1) and attempt.number == 1
        return DOWN if failing else OK

    # One of each appeal is out at a time; the other's do not wait for this one's.
    for step in range(4):
        await turn(queue, AT + step * SECOND, down_once)
    assert sent == [(appeal.number, 1), (other.number, 1), (other.number, 2)]
    # A new event of it waits with the rest, out of the queue's way.
    await perform(
        house, appeal, Action.COMMENT, Comment("Шықты", internal=False), role=Role.OPERATOR
    )
    await house.outbox.relay(AT + SECOND)
    due = await fetch(
        house,
        "SELECT DISTINCT next_attempt_at FROM delivery WHERE endpoint_id = $1"
        " AND state = 'pending'",
        endpoint.id,
    )
    assert [row["next_attempt_at"] for row in due] == [AT + 5 * SECOND]
    for step in range(5, 12):
        await turn(queue, AT + step * SECOND, down_once)
    assert sent[3:] == [(appeal.number, n) for n in (1, 2, 3, 4)]
    assert await states(house, endpoint) == {("delivered", None): 6}


async def test_in_order_what_ended_without_arriving_holds_up_nothing(house, queue):
    endpoint = await add_endpoint(house, ordered=True)
    await register(house)
    await house.outbox.relay(AT)
    await fetch(house, "UPDATE delivery SET attempts = 9 WHERE endpoint_id = $1", endpoint.id)
    assert await turn(queue, AT, DOWN) == 1
    assert await turn(queue, AT, OK) == 1
    assert await states(house, endpoint) == {("exhausted", None): 1, ("delivered", None): 1}


async def test_a_filter_that_lets_an_appeal_through_no_more_ends_its_deliveries_by_name(
    house, queue
):
    endpoint = await add_endpoint(house)
    await register(house)
    await house.outbox.relay(AT)
    await fetch(house, "UPDATE webhook_endpoint SET spheres = '{lifts}' WHERE id = $1", endpoint.id)
    for claim in await queue.claim(AT):
        assert await queue.begin(claim.delivery, claim.lease, AT) is None
    assert await states(house, endpoint) == {("cancelled", "filter-deselected"): 2}


async def test_an_organisation_that_ended_hears_no_more_and_what_it_missed_is_kept(house, queue):
    """Its tokens end with it: nobody of it could disable the endpoint, nor should it be told."""
    endpoint = await add_endpoint(house)
    await register(house)
    await house.outbox.relay(AT)
    await fetch(house, "UPDATE organisation SET active = false WHERE id = $1", KISHI.water)
    try:
        async with house.units.open(KISHI.principal(Role.HEAD)) as uow:
            await uow.endpoints.send(endpoint, "endpoint.test", b"{}", at=AT)
            await uow.commit()
        claims = await queue.claim(AT)
        assert len(claims) == 3
        for claim in claims:
            assert await queue.begin(claim.delivery, claim.lease, AT) is None
    finally:
        await fetch(house, "UPDATE organisation SET active = true WHERE id = $1", KISHI.water)
    assert await states(house, endpoint) == {("cancelled", "endpoint-disabled"): 3}


async def test_a_sound_endpoint_s_success_writes_nothing_of_its_health(house, queue):
    """One row that every delivery wrote would be waited for by all of them."""
    endpoint = await add_endpoint(house)
    await add_deliveries(house, endpoint, 17)
    assert await turn(queue, AT, OK) == 8
    version = "SELECT xmin::text, last_success_at FROM endpoint_health WHERE endpoint_id = $1"
    (before,) = await fetch(house, version, endpoint.id)
    assert await turn(queue, AT + SECOND, OK) == 8
    assert await fetch(house, version, endpoint.id) == [before]
    assert await turn(queue, AT + HOUR, OK) == 1
    (after,) = await fetch(house, version, endpoint.id)
    assert after["last_success_at"] == AT + HOUR


async def test_an_event_of_nobody_s_wish_names_its_end(house, queue):
    """A deselected type ends too where the message tells of no event of an appeal."""
    endpoint = await add_endpoint(house, event_types=frozenset({"appeal.closed"}))
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
        " next_attempt_at) VALUES ($1, $2, $3, 'incident.opened', '{}', 'pending', $4, $4)",
        new_id(), KISHI.id, endpoint.id, AT,
    )  # fmt: skip
    (claim,) = await queue.claim(AT)
    assert await queue.begin(claim.delivery, claim.lease, AT) is None
    assert await states(house, endpoint) == {("cancelled", "type-deselected"): 1}


def test_the_breaker_opens_within_one_round_of_an_endpoint_s_concurrency():
    """Otherwise a dead one would be given a second round before anybody notices."""
    assert TRIP <= CONCURRENCY
