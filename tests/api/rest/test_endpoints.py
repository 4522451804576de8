"""Endpoints through the doors: chosen, changed, rotated, read, sent to again."""

import asyncio
from datetime import timedelta

import jsonschema_rs
import orjson
import pytest

from domain.access import Role
from domain.values import new_id
from domain.webhooks.catalogue import CATALOGUE
from domain.webhooks.events import NOTICES
from domain.webhooks.headers import MASK
from domain.webhooks.messages import TEST_TYPE
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside
from tests.support.appeals import add_endpoint
from tests.support.city import EVIDENCED, KISHI, MANHOLE
from tests.support.rest import Callers, assert_problem, pointers
from tests.support.sql import fetch
from tests.support.worker import eventually

ALL = "/v1/webhook-endpoints"
URL = "https://hook.example.kz/109"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def alone(house):
    """No endpoint of another test counts."""
    await fetch(house, "UPDATE webhook_endpoint SET removed_at = now(), enabled = false")


async def made(callers: Callers, **wanted):
    answer = await callers.call("POST", ALL, {"url": URL} | wanted, role=Role.HEAD)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def asked(callers: Callers, endpoint, path="", **options):
    return await callers.call("GET", f"{ALL}/{endpoint['id']}{path}", role=Role.HEAD, **options)


async def changed(callers: Callers, endpoint, body, tag="*"):
    headers = {"if-match": tag} if tag else {}
    path = f"{ALL}/{endpoint['id']}"
    return await callers.call("PATCH", path, body, role=Role.HEAD, headers=headers)


async def test_an_endpoint_is_what_was_asked_for(callers: Callers):
    wanted = {
        "event_types": ["appeal.assigned", "endpoint.failing"], "services": [MANHOLE, EVIDENCED],
        "spheres": ["manholes"], "description": "Диспетчерская", "payload_version": 1,
        "ordered": True, "ed25519": True, "concurrency": 2, "rate_limit": 60,
    }  # fmt: skip
    endpoint = await made(callers, **wanted)
    assert endpoint["secret"].startswith("whsec_")
    shown = (await asked(callers, endpoint)).json()
    assert {name: shown[name] for name in wanted} == wanted | {
        "services": sorted([MANHOLE, EVIDENCED])
    }
    assert (shown["enabled"], shown["version"], shown["districts"]) == (True, 1, [])
    assert shown["secrets"] == [{"signs_until": None}]
    assert "secret" not in shown
    listed = (await callers.call("GET", ALL, role=Role.HEAD)).json()["items"]
    assert listed == [shown]


@pytest.mark.parametrize(
    ("wanted", "where", "rule"),
    [
        ({"services": [MANHOLE, "lifts.imaginary"]}, "/services/1", "unknown-service"),
        ({"spheres": ["space"]}, "/spheres/0", "unknown-sphere"),
        ({"districts": ["nowhere"]}, "/districts/0", "unknown-district"),
        ({"event_types": ["appeal.imagined"]}, "/event_types/0", "unknown"),
        ({"payload_version": 2}, "/payload_version", "out-of-range"),
        ({"concurrency": 33}, "/concurrency", "out-of-range"),
        ({"rate_limit": -1}, "/rate_limit", "out-of-range"),
        ({"headers": {"Host": "evil"}}, "/headers/Host", "header-reserved"),
        ({"headers": {"X": "a\r\nb"}}, "/headers/X", "header-value"),
        ({"url": "http://127.0.0.1:1/"}, "/url", "port"),
    ],
)
async def test_what_the_city_does_not_know_is_refused_by_name(callers, wanted, where, rule):
    answer = await callers.call("POST", ALL, {"url": URL} | wanted, role=Role.HEAD)
    problem = assert_problem(answer, 422, "invalid")
    assert where in pointers(answer)
    assert rule in {error["rule"] for error in problem["errors"]}


async def test_an_endpoint_may_name_everything_that_there_is(callers: Callers):
    """And so have all events and the notices: who names any has no others."""
    everything = sorted(map(str, (*CATALOGUE, *NOTICES)))
    endpoint = await made(callers, event_types=everything)
    assert endpoint["event_types"] == everything


async def test_the_message_to_try_an_endpoint_with_is_of_a_schema_and_nobody_names_it(
    callers: Callers, house
):
    endpoint = await made(callers)
    queued = await callers.call("POST", f"{ALL}/{endpoint['id']}/test", role=Role.HEAD)
    (row,) = await fetch(house, "SELECT type, payload FROM delivery WHERE id = $1",
                         queued.json()["delivery"])  # fmt: skip
    sent = orjson.loads(bytes(row["payload"]))
    assert (row["type"], sent["data"]) == (TEST_TYPE, {"endpoint": endpoint["id"]})
    types = (await callers.call("GET", "/v1/event-types", role=Role.HEAD)).json()["items"]
    (told,) = (one for one in types if one["type"] == TEST_TYPE)
    jsonschema_rs.validate(told["payload_schema"], sent)
    assert {one["type"] for one in types if not one["named"]} == {TEST_TYPE}
    refused = await changed(callers, endpoint, {"event_types": [TEST_TYPE]})
    assert_problem(refused, 422, "invalid")
    assert pointers(refused) == {"/event_types/0": "unknown"}


async def test_headers_are_shown_masked_sealed_at_rest_and_changed_without_being_known(
    callers: Callers, house
):
    key = "k-7e1d2c3b"
    endpoint = await made(callers, headers={"X-Api-Key": key, "X-Old": "o1d-value"})
    assert endpoint["headers"] == {"X-Api-Key": MASK, "X-Old": MASK}
    answer = await changed(callers, endpoint, {"headers": {"X-Api-Key": MASK, "X-New": "n3w"}})
    assert answer.json()["headers"] == {"X-Api-Key": MASK, "X-New": MASK}
    (row,) = await fetch(house, "SELECT headers FROM webhook_endpoint WHERE id = $1",
                         endpoint["id"])  # fmt: skip
    assert key.encode() not in bytes(row["headers"])
    async with house.units.open(KISHI.principal(Role.HEAD)) as uow:
        (kept,) = await uow.endpoints.list()
    assert kept.headers == {"X-Api-Key": key, "X-New": "n3w"}


async def test_a_change_is_made_to_the_version_that_was_read(callers: Callers):
    endpoint = await made(callers)
    first = await asked(callers, endpoint)
    assert first.headers["etag"] == '"1"'
    again = await asked(callers, endpoint, headers={"if-none-match": '"1"'})
    assert again.status_code == 304
    assert_problem(await changed(callers, endpoint, {"ordered": True}, tag=None), 428,
                   "precondition-required")  # fmt: skip
    done = await changed(callers, endpoint, {"ordered": True}, tag='"1"')
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    late = await changed(callers, endpoint, {"ordered": False}, tag='"1"')
    assert_problem(late, 412, "version-conflict")
    assert (await asked(callers, endpoint)).json()["ordered"] is True


async def test_whoever_disables_and_enables_says_so(callers: Callers):
    endpoint = await made(callers)
    off = (await changed(callers, endpoint, {"enabled": False})).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "by-hand")
    assert off["disabled_at"] is not None
    on = (await changed(callers, endpoint, {"enabled": True})).json()
    assert (on["enabled"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)


async def test_a_secret_is_shown_once_and_those_before_end_when_the_caller_says(callers: Callers):
    endpoint = await made(callers)
    path = f"{ALL}/{endpoint['id']}/rotate-secret"
    told = [endpoint["secret"]]
    for hours in (48, 1):
        answer = await callers.call("POST", path, role=Role.HEAD, params={"keep_hours": hours})
        assert answer.headers["cache-control"] == "no-store"
        told.append(answer.json()["secret"])
    assert len(set(told)) == 3
    shown = (await asked(callers, endpoint)).json()
    assert "secret" not in shown
    assert shown["secrets"][0] == {"signs_until": None}
    # The first would have signed for two days; the second rotation ends all before it in an hour.
    ends = {one["signs_until"] for one in shown["secrets"][1:]}
    assert len(shown["secrets"]) == 3
    assert len(ends) == 1
    now = await callers.call("POST", path, role=Role.HEAD, params={"keep_hours": 0})
    assert now.json()["secrets"] == [{"signs_until": None}]


async def test_no_more_than_five_secrets_sign_beside_each_other(callers: Callers):
    endpoint = await made(callers)
    path = f"{ALL}/{endpoint['id']}/rotate-secret"
    for _ in range(4):
        assert (await callers.call("POST", path, role=Role.HEAD)).status_code == 200
    problem = assert_problem(await callers.call("POST", path, role=Role.HEAD), 409, "conflict")
    assert "5" in problem["detail"]


async def test_the_keys_that_sign_openly_are_told_to_everybody(callers: Callers):
    answer = await callers.call("GET", "/v1/webhook-keys", role=None)
    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
    assert key["whpk"].startswith("whpk_")
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg", "whpk", "signs_until"}


async def add_log(house, endpoint, count=3):
    """Deliveries of an hour each, the first failed, with tries."""
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, event_id, type, payload, state, attempts,"
        " created_at, finished_at) SELECT gen_random_uuid(), $1, $2, NULL,"
        " CASE n WHEN 1 THEN 'appeal.registered' ELSE 'appeal.closed' END, '{}',"
        " CASE n WHEN 1 THEN 'exhausted' ELSE 'delivered' END, 1,"
        " timestamptz '2026-11-22 06:00Z' + n * interval '1 hour', now()"
        " FROM generate_series(1, $3) n",
        KISHI.id, endpoint["id"], count,
    )  # fmt: skip
    await fetch(
        house,
        "INSERT INTO delivery_attempt (delivery_id, number, at, status, latency_ms, body)"
        " SELECT id, 1, created_at, CASE state WHEN 'exhausted' THEN 503 ELSE 204 END, 9, 'No'"
        " FROM delivery WHERE endpoint_id = $1",
        endpoint["id"],
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, 3),
        ({"state": "exhausted"}, 1),
        ({"state": ["exhausted", "delivered"]}, 3),
        ({"type": "appeal.closed"}, 2),
        ({"http_status": "503"}, 1),
        ({"http_status": "500"}, 0),
        ({"since": "2026-11-22T08:00:00Z"}, 2),
        ({"until": "2026-11-22T08:00:00Z"}, 1),
        ({"since": "2026-11-22T07:00:00Z", "until": "2026-11-22T07:00:01Z"}, 1),
        ({"appeal": "KIS-2026-999999"}, 0),
        ({"state": "delivered", "http_status": "503"}, 0),
    ],
)
async def test_the_log_is_narrowed_by_all_that_one_looks_for(
    callers: Callers, house, wanted, found
):
    endpoint = await made(callers)
    await add_log(house, endpoint)
    answer = await asked(callers, endpoint, "/deliveries", params=wanted)
    assert len(answer.json()["items"]) == found, answer.text
    for item in answer.json()["items"]:
        (tried,) = item["tries"]
        assert (tried["latency_ms"], tried["body"]) == (9, "No")
        one = await callers.call("GET", f"/v1/deliveries/{item['id']}", role=Role.HEAD)
        assert one.json() == item


async def test_of_a_delivery_that_was_tried_often_the_last_twenty_tries_are_shown(
    callers: Callers, house
):
    endpoint = await made(callers)
    delivery = new_id()
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, attempts,"
        " created_at, finished_at) VALUES ($1, $2, $3, 'appeal.closed', '{}', 'exhausted', 200,"
        " now(), now())",
        delivery, KISHI.id, endpoint["id"],
    )  # fmt: skip
    await fetch(
        house,
        "INSERT INTO delivery_attempt (delivery_id, number, at, status, latency_ms, body)"
        " SELECT $1, n, now(), 500, 9, 'No' FROM generate_series(1, 200) n",
        delivery,
    )
    (listed,) = (await asked(callers, endpoint, "/deliveries")).json()["items"]
    assert listed["attempts"] == 200
    assert [tried["number"] for tried in listed["tries"]] == list(range(181, 201))
    one = f"/v1/deliveries/{delivery}"
    assert (await callers.call("GET", one, role=Role.HEAD)).json() == listed
    # Nor is it sent again.
    refused = await callers.call(
        "POST", f"{one}/retry", role=Role.HEAD, headers={"accept-language": "en"}
    )
    assert_problem(refused, 409, "conflict")
    assert "tried 200 times or more" in refused.json()["detail"]


async def test_the_log_of_a_removed_endpoint_stays(callers: Callers, house):
    endpoint, empty = await made(callers), await made(callers)
    await add_log(house, endpoint)
    for each in (endpoint, empty):
        gone = await callers.call("DELETE", f"{ALL}/{each['id']}", role=Role.HEAD)
        assert gone.status_code == 204
    answer = await asked(callers, endpoint, "/deliveries")
    assert len(answer.json()["items"]) == 3
    assert (await asked(callers, empty, "/deliveries")).json()["items"] == []
    one = answer.json()["items"][0]
    assert (await callers.call("GET", f"/v1/deliveries/{one['id']}", role=Role.HEAD)).json() == one
    assert_problem(await asked(callers, endpoint), 404, "not-found")
    strange = await add_endpoint(house, organisation=KISHI.centre)
    for id in (strange.id, KISHI.id):
        answer = await asked(callers, {"id": id}, "/deliveries")
        assert_problem(answer, 404, "not-found")


async def test_whoever_looks_at_a_log_waits_for_nobody(callers: Callers, house):
    """While a page of failures is written down, its endpoint is locked."""
    endpoint = await made(callers)
    async with inside(house.engine, PLATFORM) as driver:
        lock = "SELECT FROM webhook_endpoint WHERE id = $1 FOR UPDATE"
        await driver.fetch(lock, endpoint["id"])
        answer = await asyncio.wait_for(asked(callers, endpoint, "/deliveries"), 5)
    assert answer.json()["items"] == []


async def test_the_log_tells_of_one_appeal(callers: Callers, house):
    endpoint = await made(callers)
    appeals = [await callers.register() for _ in range(2)]

    async def relayed():
        await house.outbox.relay(house.now())
        answer = await asked(callers, endpoint, "/deliveries")
        return len(answer.json()["items"]) == 4

    await eventually(relayed)
    number = appeals[0]["number"]
    answer = await asked(callers, endpoint, "/deliveries", params={"appeal": number})
    assert [item["type"] for item in answer.json()["items"]] == [
        "appeal.assigned", "appeal.registered",
    ]  # fmt: skip


async def test_the_log_says_what_a_delivery_was_about_and_is_searched_by_what_was_sent(
    callers: Callers, house
):
    endpoint = await made(callers)
    appeal = await callers.register()

    async def relayed():
        await house.outbox.relay(house.now())
        return len((await asked(callers, endpoint, "/deliveries")).json()["items"]) == 2

    await eventually(relayed)
    second, first = (await asked(callers, endpoint, "/deliveries")).json()["items"]
    assert (first["appeal"], first["sequence"]) == (appeal["number"], 1)
    assert (second["appeal"], second["sequence"]) == (appeal["number"], 2)
    assert first["payload"]["type"] == first["type"] == "appeal.registered"
    assert first["payload"]["data"]["number"] == appeal["number"]
    (claim, *_) = await house.deliveries.claim(house.now(), endpoints=[endpoint["id"]])
    sent = await house.deliveries.begin(claim.delivery, claim.lease, house.now())
    assert orjson.loads(sent.payload) in (first["payload"], second["payload"])
    params = {"webhook_id": str(sent.message)}
    (found,) = (await asked(callers, endpoint, "/deliveries", params=params)).json()["items"]
    assert (found["id"], found["webhook_id"]) == (str(sent.delivery), str(sent.message))
    nothing = await asked(callers, endpoint, "/deliveries", params={"webhook_id": endpoint["id"]})
    assert nothing.json()["items"] == []


@pytest.mark.parametrize("known_by", ["id", "message_id"])
async def test_what_tells_of_no_appeal_is_found_by_what_its_receiver_has(
    callers: Callers, house, known_by
):
    """A message to many bears an id of its own; one to a single endpoint that of its delivery."""
    endpoint = await made(callers)
    message = new_id()
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, message_id, type, payload, state,"
        " created_at) VALUES ($1, $2, $3, $4, 'incident.opened', '{}', 'delivered', now())",
        message if known_by == "id" else new_id(), KISHI.id, endpoint["id"],
        message if known_by == "message_id" else None,
    )  # fmt: skip
    params = {"webhook_id": str(message)}
    (found,) = (await asked(callers, endpoint, "/deliveries", params=params)).json()["items"]
    assert (found["webhook_id"], found["state"]) == (str(message), "delivered")
    assert (found["appeal"], found["sequence"], found["payload"]) == (None, None, {})


async def test_what_was_missed_is_counted_and_then_sent_again(callers: Callers, house):
    endpoint = await made(callers)
    await add_log(house, endpoint)
    path = f"{ALL}/{endpoint['id']}/replay"
    counted = await callers.call("POST", path, {"what": "missed", "dry_run": True}, role=Role.HEAD)
    assert (counted.status_code, counted.json()) == (202, {"found": 1, "sent": 0})
    key = "replay-once"
    for _ in range(2):
        sent = await callers.call("POST", path, {"what": "missed"}, role=Role.HEAD, key=key)
        assert sent.json() == {"found": 1, "sent": 1}
    rest = await callers.call("POST", path, {"what": "all", "dry_run": True}, role=Role.HEAD)
    assert rest.json()["found"] == 2
    await changed(callers, endpoint, {"enabled": False})
    assert_problem(await callers.call("POST", path, {"what": "all"}, role=Role.HEAD), 409,
                   "conflict")  # fmt: skip


async def test_how_an_endpoint_fares_is_told(callers: Callers, house):
    endpoint = await made(callers)
    fresh = (await asked(callers, endpoint, "/health")).json()
    assert (fresh["breaker"], fresh["failures"], fresh["waiting"]) == ("closed", 0, 0)
    await fetch(
        house,
        "INSERT INTO endpoint_health (endpoint_id, failures, failing_since, open_until)"
        " VALUES ($1, 9, now() - interval '1 hour', now() + interval '1 hour')",
        endpoint["id"],
    )
    ill = (await asked(callers, endpoint, "/health")).json()
    assert (ill["breaker"], ill["failures"]) == ("open", 9)
    # Another URL is tried at once.
    await changed(callers, endpoint, {"url": "https://mended.example.kz/109"})
    mended = (await asked(callers, endpoint, "/health")).json()
    assert (mended["breaker"], mended["failures"], mended["failing_since"]) == ("closed", 0, None)


async def test_notices_are_read_by_the_people_of_the_organisation_alone(callers: Callers, house):
    ours = await add_endpoint(house)
    theirs = await add_endpoint(house, organisation=KISHI.centre)
    for endpoint in (ours, theirs):
        await fetch(
            house,
            "INSERT INTO notice (id, city_id, organisation_id, endpoint_id, type, at, last_at,"
            " count, data) VALUES (gen_random_uuid(), $1, $2, $3, 'delivery.exhausted', now(),"
            """ now(), 4, '{"delivery": "00000000-0000-0000-0000-000000000009", "failures": 3,"""
            """ "failing_since": null, "status": 500, "error": null,"""
            """ "disabled_reason": null}')""",
            KISHI.id, endpoint.organisation_id, endpoint.id,
        )  # fmt: skip
    answer = await callers.call(
        "GET", "/v1/notices", role=Role.HEAD, headers={"accept-language": "en"}
    )
    (told,) = answer.json()["items"]
    assert (told["endpoint"], told["count"], told["status"]) == (str(ours.id), 4, 500)
    assert told["text"] == "The tries of a delivery are exhausted"
    assert_problem(await callers.call("GET", "/v1/notices", role=Role.EXECUTOR), 403,
                   "not-permitted")  # fmt: skip


async def test_no_more_tests_than_five_wait_by_whichever_way(callers: Callers):
    endpoint = await made(callers)
    ways = [("test", None), ("trigger", {"type": TEST_TYPE})]
    for way, body in [*ways, *ways, ways[0]]:
        path = f"{ALL}/{endpoint['id']}/{way}"
        assert (await callers.call("POST", path, body, role=Role.HEAD)).status_code == 202
    for way, body in ways:
        path = f"{ALL}/{endpoint['id']}/{way}"
        refused = await callers.call("POST", path, body, role=Role.HEAD)
        assert "5" in assert_problem(refused, 409, "conflict")["detail"]
