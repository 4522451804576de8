"""The dispatch: many deliveries in a message, and what the broker does not take is due again."""

import asyncio

import dramatiq
import pytest

from api import clock
from api.worker.relay import TOGETHER, Dispatch, Relay
from tests.support.appeals import add_endpoint, register
from tests.support.city import KISHI
from tests.support.sql import fetch

COUNT = TOGETHER + 10


class Broker(dramatiq.Broker):
    """Keeps what it is told, and is away after `takes` messages."""

    def __init__(self, takes):
        super().__init__(middleware=[])
        self.takes, self.told = takes, []

    def enqueue(self, message, *, delay=None):
        if len(self.told) == self.takes:
            raise ConnectionError("the broker is away")
        self.told.append(message)

    def close(self):
        pass


@pytest.fixture
async def due(house):
    """So many deliveries that are due, of one endpoint that takes all at once."""
    await fetch(house, "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending'")
    await fetch(house, "DELETE FROM delivery_lease")
    endpoint = await add_endpoint(house, concurrency=64)
    await fetch(
        house,
        "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
        " next_attempt_at) SELECT gen_random_uuid(), $1, $2, 'appeal.registered', '', 'pending',"
        " now(), now() FROM generate_series(1, $3)",
        KISHI.id, endpoint.id, COUNT,
    )  # fmt: skip
    yield endpoint
    await fetch(house, "UPDATE webhook_endpoint SET removed_at = now() WHERE removed_at IS NULL")


async def leased(house):
    (found,) = await fetch(house, "SELECT count(*) FROM delivery_lease WHERE until > now()")
    return found["count"]


async def test_what_is_due_goes_together_and_each_under_its_claims_lease(house, due):
    broker = Broker(takes=100)
    dispatch = Dispatch(house, broker)
    assert await dispatch.turn(), "there may be more"
    assert [len(message.args[0]) for message in broker.told] == [TOGETHER, COUNT - TOGETHER]
    assert len({one for message in broker.told for one in message.args[0]}) == COUNT
    (lease,) = {message.args[1] for message in broker.told}
    assert lease > clock.real().isoformat()
    assert not await dispatch.turn()
    dispatch.close()


async def test_what_a_failing_broker_did_not_take_is_due_again_at_once(house, due):
    dispatch = Dispatch(house, Broker(takes=1))
    with pytest.raises(ConnectionError):
        await dispatch.turn()
    assert await leased(house) == TOGETHER
    other = Broker(takes=100)
    again = Dispatch(house, other)
    await again.turn()
    assert sum(len(message.args[0]) for message in other.told) == COUNT - TOGETHER
    for one in (dispatch, again):
        one.close()


async def test_the_relay_tells_when_there_is_mail_and_only_then(house, due):
    mail = asyncio.Event()
    relay = Relay(house, mail)
    await relay.turn()
    mail.clear()
    await relay.turn()
    assert not mail.is_set()
    await register(house)
    await relay.turn()
    assert mail.is_set()
