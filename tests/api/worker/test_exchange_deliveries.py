"""What the gateway took is not what the state has: it is asked, and what was not delivered goes
again.
"""

from typing import Any

import pytest

from api.bootstrap import House
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import Appeal
from domain.appeals.workflow import Action
from domain.eotinish.model import MessageState
from domain.eotinish.use_cases import judge
from tests.api.worker.test_exchange import exchanging, numbered, outbox_rows, relay
from tests.support.appeals import lodge, perform
from tests.support.city import KISHI
from tests.support.eotinish import StandIn
from tests.support.sql import fetch
from tests.support.worker import eventually

pytestmark = pytest.mark.usefixtures("state_secrets")


async def accepted(house: House, appeal: Appeal) -> None:
    await perform(house, appeal, Action.ACCEPT, c.Accept(), organisation=appeal.executor)
    await relay(house)


async def last(house: House, appeal: Appeal) -> dict[str, Any]:
    return (await outbox_rows(house, appeal.number))[-1]


async def done(house: House, appeal: Appeal) -> bool:
    return bool((await last(house, appeal))["state"] == "done")


def taken(state: StandIn, appeal: Appeal) -> list[str]:
    return [one["type"] for one in state.cases()[appeal.national_number or ""]["taken"]]


async def test_a_message_is_over_when_the_state_has_it_and_no_sooner(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        state.mood(late=1.0, seed=2)
        await accepted(house, appeal)
        word = c.Comment("Бригада жолда")
        await perform(house, appeal, Action.COMMENT, word, role=Role.OPERATOR)
        await relay(house)
        await eventually(lambda: done(house, appeal))
    rows = await outbox_rows(house, appeal.number)
    assert [row["state"] for row in rows] == ["done"] * 3
    # The second went when the first was there, not when the gateway had it.
    assert rows[1]["finished_at"] <= rows[2]["sent_at"]
    assert taken(state, appeal) == ["docAppeal", "stateExecution", "stateStartProcessResponse"]
    assert state.whole()["violations"] == []


async def test_what_was_not_delivered_goes_again_until_it_is(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        state.mood(never=1.0)
        await accepted(house, appeal)

        async def again() -> bool:
            return bool((await last(house, appeal))["attempts"] >= 2)

        await eventually(again)
        assert taken(state, appeal) == ["docAppeal"]
        state.mood()
        await eventually(lambda: done(house, appeal))
    assert taken(state, appeal) == ["docAppeal", "stateExecution"]
    assert state.whole()["violations"] == []


async def test_what_is_never_delivered_is_an_inspector_s_in_the_end(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        state.mood(never=1.0)
        await fetch(house, "UPDATE eotinish_city SET held_until = now() + interval '1 minute'")
        await accepted(house, appeal)
        await fetch(
            house, "UPDATE eotinish_message SET attempts = 9 WHERE id = $1",
            (await last(house, appeal))["id"],
        )  # fmt: skip
        await fetch(house, "UPDATE eotinish_city SET held_until = NULL")
        await eventually(lambda: _quarantined(house, appeal))
    assert (await last(house, appeal))["fault"] == "not-delivered"


async def _quarantined(house: House, appeal: Appeal) -> bool:
    return bool((await last(house, appeal))["state"] == "quarantined")


async def test_a_delivery_that_was_stopped_waits_for_an_inspector_and_goes_when_released(
    house, state, folder
):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        state.mood(stop=1.0)
        await accepted(house, appeal)
        await eventually(lambda: _quarantined(house, appeal))
        row = await last(house, appeal)
        assert (row["fault"], row["sent_at"]) == ("delivery-stopped", None)
        state.mood()
        async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
            await judge(row["id"], MessageState.PENDING, "Жолы ашылды", uow=uow, at=house.now())
            await uow.commit()
        await eventually(lambda: done(house, appeal))
    assert taken(state, appeal) == ["docAppeal", "stateExecution"]


async def test_what_nobody_can_say_anything_of_is_not_asked_about_for_ever(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        state.mood(late=1.0, lateness=6000, seed=2)
        await accepted(house, appeal)

        async def posted() -> bool:
            return (await last(house, appeal))["sent_at"] is not None

        await eventually(posted)
        state.mood(fail=1.0)
        await fetch(
            house, "UPDATE eotinish_message SET sent_at = now() - interval '25 hours'"
            " WHERE sent_at IS NOT NULL",
        )  # fmt: skip
        await eventually(lambda: _quarantined(house, appeal))
    assert (await last(house, appeal))["fault"] == "delivery-unknown"


async def test_a_city_may_take_taken_for_delivered(house, state, folder):
    state.mood(stop=1.0)
    async with exchanging(house, state, folder, delivery_hours=0):
        appeal = await numbered(house, await lodge(house))
        await accepted(house, appeal)
        await eventually(lambda: done(house, appeal))
    assert (await last(house, appeal))["sent_at"] is None
