"""From the appeal to the executor's own machine: nothing is lost, whoever dies."""

import asyncio
import signal
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from domain.access import Role
from domain.appeals.commands import Accept
from domain.appeals.workflow import Action
from domain.webhooks.model import Secret
from domain.webhooks.secrets import new_secret
from tests.integrations.webhooks.receiver import OK, receiver, response
from tests.support.appeals import SECRET, add_endpoint, perform, register
from tests.support.city import KISHI
from tests.support.sql import fetch
from tests.support.worker import eventually, scheduling, worker_process, working

OTHER = new_secret(bytes(range(1, 33)))


def verified(request):
    """The message of a request, as the receiver's own library reads it."""
    return Webhook(SECRET).verify(request.body, request.headers)


def ids(requests):
    return {request.headers["webhook-id"] for request in requests}


async def states(house, endpoint):
    rows = await fetch(house, "SELECT state FROM delivery WHERE endpoint_id = $1", endpoint.id)
    return [row["state"] for row in rows]


def all_delivered(house, endpoint, count):
    async def check():
        return await states(house, endpoint) == ["delivered"] * count

    return check


@pytest.fixture(autouse=True)
async def quiet(house):
    """No endpoint of another test hears anything."""
    yield
    await fetch(house, "UPDATE webhook_endpoint SET removed_at = now() WHERE removed_at IS NULL")


async def test_an_executor_s_machine_hears_of_an_appeal_within_seconds(carried):
    async with receiver() as machine, scheduling(carried), working(carried.settings):
        endpoint = await add_endpoint(carried, machine.url())
        appeal = await register(carried)
        await perform(carried, appeal, Action.ACCEPT, Accept())
        took = await eventually(all_delivered(carried, endpoint, 3))
    told = [verified(request) for request in machine.requests]
    assert {said["type"] for said in told} == {
        "appeal.registered", "appeal.assigned", "appeal.accepted",
    }  # fmt: skip
    assert {said["data"]["number"] for said in told} == {appeal.number}
    assert len(ids(machine.requests)) == 3
    assert took < 10


async def test_a_failing_machine_is_tried_again_with_the_same_id(carried):
    answers = [response(503), OK]

    async def script(writer):
        writer.write(answers.pop(0) if answers else OK)
        await writer.drain()

    async with receiver(script) as machine, scheduling(carried), working(carried.settings):
        endpoint = await add_endpoint(
            carried, machine.url(), event_types=frozenset({"appeal.registered"})
        )
        await register(carried)
        await eventually(all_delivered(carried, endpoint, 1))
    first, second = machine.requests
    assert ids([first]) == ids([second])
    assert first.body == second.body
    assert verified(first) == verified(second)
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) >= 4


async def test_a_message_bears_the_house_s_own_signature_and_the_organisation_s_headers(carried):
    """Both keys sign while one takes over from the other, and so do all secrets."""
    own = {"Authorization": "Bearer диспетчер".encode().hex(), "X-Gateway": "109"}
    async with receiver() as machine, scheduling(carried), working(carried.settings):
        await carried.webhook_keys.signing(carried.now())
        fresh = await carried.webhook_keys.rotate(datetime.now(UTC))
        endpoint = await add_endpoint(
            carried, machine.url(), ed25519=True, headers=own, secrets=(OTHER, SECRET),
            event_types=frozenset({"appeal.registered"}),
        )  # fmt: skip
        await register(carried)
        await eventually(all_delivered(carried, endpoint, 1))
    (request,) = machine.requests
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(request.body, request.headers)
    assert {name: request.headers[name.lower()] for name in own} == own
    said = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    marks = [mark.partition(",") for mark in request.headers["webhook-signature"].split()]
    openly = [b64decode(mark) for scheme, _, mark in marks if scheme == "v1a"]
    assert len(openly) >= 2
    published = await carried.webhook_keys.signing(datetime.now(UTC))
    assert published[0].kid == fresh.kid
    for key, signature in zip(published, openly, strict=True):
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, said + request.body)


async def test_a_secret_past_its_end_signs_no_more(carried):
    over = Secret(OTHER, datetime.now(UTC) - timedelta(seconds=1))
    async with receiver() as machine, scheduling(carried), working(carried.settings):
        endpoint = await add_endpoint(
            carried, machine.url(), event_types=frozenset({"appeal.registered"})
        )
        async with carried.units.open(KISHI.principal(Role.HEAD)) as uow:
            await uow.endpoints.save(replace(endpoint, secrets=(*endpoint.secrets, over)))
            await uow.commit()
        await register(carried)
        await eventually(all_delivered(carried, endpoint, 1))
    (request,) = machine.requests
    assert len(request.headers["webhook-signature"].split()) == 1
    assert verified(request)


async def test_a_disabled_endpoint_s_queue_ends_by_itself(carried):
    async with receiver() as machine:
        endpoint = await add_endpoint(carried, machine.url())
        await register(carried)
        await eventually(relayed(carried, endpoint))
        await fetch(
            carried, "UPDATE webhook_endpoint SET enabled = false WHERE id = $1", endpoint.id
        )
        async with scheduling(carried):

            async def ended():
                return await states(carried, endpoint) == ["cancelled"] * 2

            await eventually(ended)
    assert not machine.visited


def relayed(house, endpoint):
    async def check():
        await house.outbox.relay(house.now())
        return len(await states(house, endpoint)) == 2

    return check


async def test_receivers_that_never_answer_delay_no_other(carried):
    """More of them than the worker has threads."""

    end = asyncio.Event()

    async def silence(writer):
        await end.wait()

    async with receiver(silence) as tarpit, receiver() as machine:
        for _ in range(4):
            await add_endpoint(carried, tarpit.url())
        endpoint = await add_endpoint(carried, machine.url())
        async with working(carried.settings), scheduling(carried):
            for _ in range(3):
                await register(carried)
            took = await eventually(all_delivered(carried, endpoint, 6))
            assert took < 5

            async def crowded():
                return tarpit.connections >= 20

            await eventually(crowded)
            tarpit_ids = "endpoint_id <> $1 AND state = 'pending'"
            rows = await fetch(carried, f"SELECT * FROM delivery WHERE {tarpit_ids}", endpoint.id)
            assert len(rows) == 24
            end.set()


async def test_a_killed_worker_loses_nothing(carried):
    """Acknowledged is delivered at least once, and repeats bear the same id."""

    async def slowly(writer):
        await asyncio.sleep(0.3)
        writer.write(OK)
        await writer.drain()

    async with receiver(slowly) as machine:
        endpoint = await add_endpoint(carried, machine.url())
        async with scheduling(carried):
            with worker_process(carried.settings) as victim:
                appeals = [await register(carried) for _ in range(20)]

                async def in_the_midst():
                    return (await states(carried, endpoint)).count("delivered") >= 10

                await eventually(in_the_midst, within=60)
                victim.send_signal(signal.SIGKILL)
                victim.wait(10)
            assert "pending" in await states(carried, endpoint)
            # The minute that the dead worker's leases last goes by.
            await fetch(carried, "UPDATE delivery_lease SET until = until - interval '1 hour'")
            with worker_process(carried.settings) as successor:
                await eventually(all_delivered(carried, endpoint, 40), within=60)
                successor.send_signal(signal.SIGTERM)
                assert successor.wait(20) == 0
    told = [verified(request)["data"] for request in machine.requests]
    heard = {(said["number"], said["sequence"]) for said in told}
    assert heard == {(appeal.number, place) for appeal in appeals for place in (1, 2)}
    assert len(ids(machine.requests)) == 40
    (attempts,) = await fetch(
        carried,
        "SELECT count(*) FROM delivery_attempt a JOIN delivery d ON d.id = a.delivery_id"
        " WHERE d.endpoint_id = $1",
        endpoint.id,
    )
    assert attempts["count"] == 40
