"""A message of the state that nobody here can read waits for an inspector; its case goes on."""

from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from api.bootstrap import House, open_exchange
from domain.access import Role
from domain.appeals.model import Appeal
from domain.eotinish.model import MessageState
from domain.eotinish.ports import Arrived
from domain.eotinish.use_cases import judge
from domain.values import new_id
from integrations.eotinish.contract import read_contract
from integrations.eotinish.payload import peek
from tests.api.worker.test_exchange import assignment, exchanging, found, numbered, told_texts
from tests.peers.eotinish import Letter, letter_data
from tests.support.appeals import lodge
from tests.support.city import KISHI
from tests.support.eotinish import write_file
from tests.support.sql import fetch
from tests.support.worker import eventually

pytestmark = pytest.mark.usefixtures("state_secrets")

ODD = "q:stateNotValid"
CONTRACT = read_contract()


def step(number: str | None, word: str, **more: Any) -> dict[str, Any]:
    return {"tale": "progress", "number": number, "description": word} | more


async def tells(house: House, number: str, words: list[str]) -> bool:
    return await told_texts(house, number) == words


async def rows(house: House, national: str | None, *states: str) -> list[dict[str, Any]]:
    """What came of a case and stands in one of these states."""
    statement = (
        "SELECT * FROM eotinish_inbox WHERE number = $1 AND state = ANY($2) ORDER BY received_at"
    )
    return [dict(row) for row in await fetch(house, statement, national, list(states))]


async def judged(house: House, id: UUID, state: MessageState) -> None:
    async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
        await judge(id, state, "Оқылмайды", uow=uow, at=house.now())
        await uow.commit()


async def begun(house: House) -> Appeal:
    return await numbered(house, await lodge(house))


async def test_a_message_of_an_unknown_type_stops_nothing_that_comes_after_it(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await begun(house)
        number = appeal.national_number
        state.say(step(number, "Бір"), step(number, "Екі", raw=ODD), step(number, "Үш"))
        await eventually(lambda: tells(house, appeal.number, ["Бір", "Үш"]))
        kept = await house.exchange_reports.quarantine(KISHI.principal(Role.INSPECTOR), None, 50)
        mine = [one for one in kept if one.number == number]
        assert [(one.fault, one.place, one.own_number) for one in mine] == [
            ("unknown-message", 2, appeal.number)
        ]
        # Let go again it is as strange as before, and lies there once.
        await judged(house, mine[0].id, MessageState.PENDING)
        await eventually(lambda: _quarantined(house, number, 1))
        state.say(step(number, "Төрт"))
        await eventually(lambda: tells(house, appeal.number, ["Бір", "Үш", "Төрт"]))


async def _quarantined(house: House, national: str | None, count: int) -> bool:
    return len(await rows(house, national, "quarantined")) == count


async def test_what_lies_in_quarantine_and_is_asked_for_again_lies_there_once(house, state, folder):
    settings = house.settings.model_copy(update={"eotinish": write_file(state.url, folder)})
    async with exchanging(house, state, folder), open_exchange(settings) as lines:
        appeal = await begun(house)
        number = appeal.national_number or ""
        state.say(step(number, "Бір", raw=ODD))
        await eventually(lambda: _quarantined(house, number, 1))
        for count in (1, 2):
            await lines["kishi"].gateway.ask_again(number, 1)
            await eventually(lambda: _repeated(house, number, count))  # noqa: B023  awaited here
        assert await _quarantined(house, number, 1)
        [odd] = await rows(house, number, "quarantined")
        await judged(house, odd["id"], MessageState.DROPPED)
        await lines["kishi"].gateway.ask_again(number, 1)
        await eventually(lambda: _repeated(house, number, 3))
        # Said in other words it is another message, and an inspector sees it too.
        await arrives(house, number, 1, "Басқаша", raw=ODD)
        await eventually(lambda: _quarantined(house, number, 1))


async def _repeated(house: House, national: str, count: int) -> bool:
    return len(await rows(house, national, "repeated")) == count


async def arrives(house: House, number: str, version: int, word: str, **more: Any) -> None:
    """A message of the state as a worker fetched it."""
    tale = more.pop("tale", "progress")
    said = {"regNo": number, "regNumberOL": number, "description": word} | more
    data = letter_data(Letter("id", number, version, tale, said))
    one = Arrived(str(new_id()), number, etree.tostring(data), *peek(data, CONTRACT))
    await house.exchange.keep(KISHI.id, [one], house.now())


async def test_it_may_come_before_those_that_precede_it(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await begun(house)
        number = appeal.national_number or ""
        await arrives(house, number, 3, "Үш")
        await arrives(house, number, 2, "Екі", raw=ODD)
        await eventually(lambda: _quarantined(house, number, 1))
        await arrives(house, number, 1, "Бір")
        await eventually(lambda: tells(house, appeal.number, ["Бір", "Үш"]))


async def test_it_may_come_before_its_case(house, state, folder):
    number = "ЖТ-2026-00007001"
    async with exchanging(house, state, folder):
        await arrives(house, number, 3, "Үш")
        await arrives(house, number, 2, "Екі", raw=ODD)
        await eventually(lambda: _quarantined(house, number, 1))
        await arrives(house, number, 1, "Жарық жоқ", **assignment(description="Жарық жоқ"))
        own = await found(house, number)
        await eventually(lambda: tells(house, own, ["Үш"]))


async def test_one_that_names_no_place_stops_its_case_until_it_is_dropped(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await begun(house)
        number = appeal.national_number
        state.say(step(number, "Бір"), step(number, "Екі", place="екінші"), step(number, "Үш"))
        await eventually(lambda: tells(house, appeal.number, ["Бір"]))
        await eventually(lambda: _quarantined(house, number, 1))
        assert [one["version"] for one in await rows(house, number, "pending")] == [3]
        [odd] = await rows(house, number, "quarantined")
        assert (odd["version"], odd["tale"]) == (None, "progress")
        await judged(house, odd["id"], MessageState.DROPPED)
        await eventually(lambda: tells(house, appeal.number, ["Бір", "Үш"]))


def test_number_and_version_are_read_wherever_any_message_has_them():
    for name, place in (("regNo", "progress"), ("regNumberOL", "assigned")):
        data = letter_data(Letter("id", "n", 7, place, {name: "ЖТ-1", "raw": ODD}))
        assert peek(data, CONTRACT) == ("ЖТ-1", 7, None)
    odd = letter_data(Letter("id", "n", 7, "progress", {}))
    etree.SubElement(odd, "regNumberOL").text = "ЖТ-1"
    assert peek(odd, CONTRACT) == ("ЖТ-1", 7, "progress")


def test_what_contradicts_itself_has_no_number_and_what_is_no_version_is_none():
    data = letter_data(Letter("id", "n", 7, "progress", {"regNo": "ЖТ-1", "raw": ODD}))
    etree.SubElement(data, "regNumberOL").text = "ЖТ-2"
    assert peek(data, CONTRACT) == (None, 7, None)
    for place in ("0", "-1", "1.5", str(2**31), "9" * 5000, "٣", ""):
        odd = letter_data(Letter("id", "n", 7, "progress", {"regNo": "ЖТ-1", "place": place}))
        assert peek(odd, CONTRACT) == ("ЖТ-1", None, "progress")
