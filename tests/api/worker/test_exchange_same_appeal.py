"""An appeal that the city hands in, whose answer is lost, and that the state then assigns to it:
one appeal in both registers, however it is named.
"""

from typing import Any

import pytest
from lxml import etree

from api.bootstrap import House
from domain.appeals.model import Appeal, Kind
from domain.eotinish.ports import Arrived
from domain.eotinish.use_cases import PATIENCE
from domain.values import new_id
from tests.api.worker.test_exchange import (
    assignment,
    exchanging,
    numbered,
    outbox_rows,
    read,
    relay,
    told_texts,
)
from tests.peers.eotinish import Letter, letter_data
from tests.support.appeals import lodge
from tests.support.city import KISHI
from tests.support.eotinish import StandIn
from tests.support.sql import fetch
from tests.support.worker import eventually

pytestmark = pytest.mark.usefixtures("state_secrets")

WORDS = "Көшеде жарық жоқ"


async def handed_in(house: House, state: StandIn) -> tuple[Appeal, str]:
    """An appeal that the state took, while its answers are lost; the number that it has there."""
    appeal = await lodge(house, kind=Kind.APPLICATION, text=WORDS)
    state.mood(swallow=appeal.number)
    await relay(house)

    async def taken() -> bool:
        return any(one["own_number"] == appeal.number for one in state.cases().values())

    await eventually(taken)
    [case] = [one for one in state.cases().values() if one["own_number"] == appeal.number]
    return appeal, case["number"]


async def appeals_of(house: House) -> int:
    return int((await fetch(house, "SELECT count(*) FROM appeal"))[0][0])


async def is_told(house: House, number: str) -> bool:
    return await told_texts(house, number) == [WORDS]


async def names(house: House, appeal: Appeal, way: str) -> dict[str, Any]:
    """What the state names of the appeal, this way."""
    [message] = await outbox_rows(house, appeal.number)
    return {
        "own-number": {},
        "appeal-id": {"outNumber": None, "correlation": str(appeal.id)},
        "message-id": {"outNumber": None, "correlation": str(message["id"])},
    }[way]


@pytest.mark.parametrize("way", ["own-number", "appeal-id", "message-id"])
async def test_what_the_city_handed_in_and_is_assigned_is_no_second_appeal(
    house, state, folder, way
):
    before = await appeals_of(house)
    async with exchanging(house, state, folder):
        appeal, number = await handed_in(house, state)
        assert (await read(house, appeal.number)).national_number is None
        state.say(assignment(number=number, description=WORDS, **await names(house, appeal, way)))
        await eventually(lambda: is_told(house, appeal.number))
        known = await read(house, appeal.number)
        assert known.national_number == number
        assert await appeals_of(house) == before + 1
        state.mood()
        # The answer comes at last, and says nothing new.
        await eventually(lambda: _sent(house, appeal.number))
        assert (await read(house, appeal.number)).version == known.version
    assert state.whole()["violations"] == []


async def _sent(house: House, number: str) -> bool:
    return {one["state"] for one in await outbox_rows(house, number)} == {"done"}


async def test_one_that_the_state_does_not_name_waits_for_the_answer_that_will(
    house, state, folder
):
    before = await appeals_of(house)
    async with exchanging(house, state, folder):
        appeal, number = await handed_in(house, state)
        state.say(assignment(number=number, description=WORDS, outNumber=None))

        async def waits() -> bool:
            rows = await fetch(house, "SELECT fault FROM eotinish_inbox WHERE number = $1", number)
            return [row["fault"] for row in rows] == ["too-early"]

        await eventually(waits)
        # Another's words, also such that begin alike, and another type, wait for nothing.
        others = state.say(
            assignment(description="Басқа сөз"),
            assignment(description=f"{WORDS}\n\nҮйдің алдында"),
            assignment(description=WORDS, typeId="ae30367e-bc6e-4fba-a9f0-0c6479a7fde1"),
        )
        await eventually(lambda: _here(house, others))
        assert (await read(house, appeal.number)).national_number is None
        state.mood()
        await eventually(lambda: is_told(house, appeal.number))
        assert await appeals_of(house) == before + 4
    assert (await read(house, appeal.number)).national_number == number


async def test_whoever_wrote_the_same_words_waits_no_longer_than_an_answer_may_take(
    house, state, folder
):
    """Else a greeting that nobody answers would hold up all who begin with it."""
    before = await appeals_of(house)
    async with exchanging(house, state, folder):
        await handed_in(house, state)
        [other] = state.say(assignment(description=WORDS, outNumber=None))
        late = "UPDATE eotinish_inbox SET attempts = $2, next_attempt_at = now() WHERE number = $1"

        async def early() -> bool:
            rows = await fetch(house, "SELECT fault FROM eotinish_inbox WHERE number = $1", other)
            return [row["fault"] for row in rows] == ["too-early"]

        await eventually(early)
        await fetch(house, late, other, PATIENCE)
        await eventually(lambda: _here(house, [other]))
        state.mood()
    assert await appeals_of(house) == before + 2


async def _here(house: House, numbers: list[str]) -> bool:
    rows = await fetch(house, "SELECT 1 FROM eotinish_case WHERE number = ANY($1)", numbers)
    return len(rows) == len(numbers)


async def test_a_part_of_what_was_handed_in_is_an_appeal_of_its_own(house, state, folder):
    before = await appeals_of(house)
    async with exchanging(house, state, folder):
        known = await numbered(house, await lodge(house, kind=Kind.APPLICATION, text=WORDS))
        child = f"{known.national_number}/1"
        await arrives(house, child, outNumber=known.number)
        await eventually(lambda: _here(house, [child]))
    assert await appeals_of(house) == before + 2


async def test_a_number_that_is_not_ours_or_never_went_out_joins_nothing(house, state, folder):
    before = await appeals_of(house)
    async with exchanging(house, state, folder):
        kept = await lodge(house, kind=Kind.THANKS)
        others = {"ЖТ-2026-00009000": kept.number, "ЖТ-2026-00009001": "АО-17"}
        for national, own in others.items():
            await arrives(house, national, outNumber=own)
        await eventually(lambda: _here(house, list(others)))
    assert await appeals_of(house) == before + 3
    assert (await read(house, kept.number)).national_number is None


async def arrives(house: House, number: str, **values: str) -> None:
    """An assignment under a number that the stand-in would not give."""
    said = assignment(description=WORDS) | values | {"regNumberOL": number}
    data = letter_data(Letter(str(new_id()), number, 1, "assigned", said))
    one = Arrived(str(new_id()), None, etree.tostring(data), number, 1, "assigned")
    await house.exchange.keep(KISHI.id, [one], house.now())
