"""What inspectors see of the exchange with the national register, and what they do about it."""

from uuid import UUID, uuid4

import pytest
from lxml import etree

from domain.access import Role
from domain.eotinish.ports import Arrived
from domain.eotinish.reconciling import Difference, Lack, Repair, Report
from domain.eotinish.use_cases import state_of, take_number
from domain.values import new_id
from tests.peers.eotinish import Letter, letter_data
from tests.support.city import KISHI
from tests.support.sql import fetch

QUARANTINE = "/v1/eotinish/quarantine"
SECRETS = ("Серікова", "87015550109", "991231600002", "a@example.kz", "Абай")


@pytest.fixture
async def poison(callers):
    """A message of the state that could not be applied; its id."""
    house, message = callers.house, str(uuid4())
    values = {
        "description": "Жарық жоқ", "name": "Серікова Айгүл", "phone": "87015550109",
        "userUin": "991231600002", "email": "a@example.kz", "region": "Абай, 12",
        "typeId": "unheard-of", "regNumberOL": "ЖТ-2026-00000077", "uniqueNumber": message,
    }  # fmt: skip
    document = etree.tostring(letter_data(Letter("id", "n", 1, "assigned", values)))
    arrived = Arrived(message, None, document, "ЖТ-2026-00000077", 1, "assigned")
    await house.exchange.keep(KISHI.id, [arrived], house.now())
    [row] = await fetch(house, "SELECT id FROM eotinish_inbox WHERE message_id = $1", message)
    await house.exchange.refuse(KISHI.id, row["id"], "unknown-type", "unheard-of", house.now())
    return row["id"]


async def kept(callers, id: UUID):
    [row] = await fetch(callers.house, "SELECT * FROM eotinish_inbox WHERE id = $1", id)
    return row


async def test_the_quarantine_shows_why_and_names_no_person(callers, poison):
    told = await callers.call("GET", QUARANTINE, role=Role.INSPECTOR)
    assert told.status_code == 200
    [item] = [one for one in told.json()["items"] if one["id"] == str(poison)]
    assert (item["direction"], item["fault"], item["subject"]) == ("in", "unknown-type", "assigned")
    assert item["national_number"] == "ЖТ-2026-00000077"
    assert item["fields"]["description"] == "Жарық жоқ"
    assert item["fields"]["typeId"] == "unheard-of"
    assert item["fields"]["name"] == "***"
    assert not [secret for secret in SECRETS if secret in told.text]
    assert told.headers["cache-control"] == "no-store"


async def test_what_came_lies_sealed(callers, poison):
    document = bytes((await kept(callers, poison))["document"])
    assert b"991231600002" not in document
    assert b"991231600002" in callers.house.keyring.open(document)


@pytest.mark.parametrize(("act", "state"), [("release", "pending"), ("drop", "dropped")])
async def test_an_inspector_judges_once_and_says_why(callers, poison, act, state):
    path, body = f"{QUARANTINE}/{poison}/{act}", {"reason": "Түрі келісілді"}
    told = await callers.call("POST", path, body, role=Role.INSPECTOR)
    assert told.status_code == 200, told.text
    assert told.json() == {"id": str(poison), "state": state}
    row = await kept(callers, poison)
    assert (row["state"], row["reason"]) == (state, "Түрі келісілді")
    assert row["judged_by"] == KISHI.principal(Role.INSPECTOR).id
    again = await callers.call("POST", path, body, role=Role.INSPECTOR)
    assert again.status_code == 404


async def test_an_inspector_lets_all_go_that_one_fault_brought_there(callers):
    house, at = callers.house, callers.house.now()
    faults = ("unknown-fault-109", "unknown-fault-109", "no-text")
    ids = []
    for version, fault in enumerate(faults, 1):
        message, number = str(uuid4()), "ЖТ-2026-00000088"
        values = {"regNumberOL": number, "state": fault}
        document = etree.tostring(letter_data(Letter("id", number, version, "assigned", values)))
        arrived = Arrived(message, None, document, number, version, "assigned")
        await house.exchange.keep(KISHI.id, [arrived], at)
        [row] = await fetch(house, "SELECT id FROM eotinish_inbox WHERE message_id = $1", message)
        await house.exchange.refuse(KISHI.id, row["id"], fault, "", at)
        ids.append(row["id"])
    path, body = f"{QUARANTINE}/release", {"fault": faults[0], "reason": "Шлюз қайта істеді"}
    told = await callers.call("POST", path, body, role=Role.INSPECTOR)
    assert told.status_code == 200, told.text
    assert told.json() == {"released": 2, "remaining": 0}
    rows = [await kept(callers, id) for id in ids]
    assert [row["state"] for row in rows] == ["pending", "pending", "quarantined"]
    assert {row["reason"] for row in rows[:2]} == {"Шлюз қайта істеді"}
    assert {row["judged_by"] for row in rows[:2]} == {KISHI.principal(Role.INSPECTOR).id}
    again = await callers.call("POST", path, body, role=Role.INSPECTOR)
    assert again.json() == {"released": 0, "remaining": 0}


async def test_files_that_cannot_travel_are_not_let_go_together_either(callers):
    body = {"fault": "file-left-behind", "reason": "Қайта"}
    told = await callers.call("POST", f"{QUARANTINE}/release", body, role=Role.INSPECTOR)
    assert told.status_code == 409


async def test_without_a_reason_nothing_is_judged(callers, poison):
    path = f"{QUARANTINE}/{poison}/drop"
    told = await callers.call("POST", path, {}, role=Role.INSPECTOR)
    assert told.status_code in (400, 422)
    assert (await kept(callers, poison))["state"] == "quarantined"


async def test_what_a_comparison_found_is_kept_and_shown(callers):
    house, id, at = callers.house, new_id(), callers.house.now()
    assert await house.exchange_reports.begin(id, KISHI.id, "2026-11-28", at) == id
    # The night's comparison is made once, whoever begins it again.
    assert await house.exchange_reports.begin(new_id(), KISHI.id, "2026-11-28", at) is None
    number = "ЖТ-2026-00000009"
    own, again = "KIS-2026-000001", Repair.ASK_AGAIN
    found = Difference(Lack.BEHIND_HERE, number, own, "2", "3", again, repaired=True)
    await house.exchange_reports.finish(KISHI.id, Report(id, at, 10, 11, [found], at))
    told = (await callers.call("GET", "/v1/eotinish/reconciliations", role=Role.AUDITOR)).json()
    [item] = [one for one in told["items"] if one["id"] == str(id)]
    assert (item["ours"], item["theirs"], item["repaired"]) == (10, 11, 1)
    assert item["differences"] == [
        {"lack": "behind-here", "number": number, "own_number": "KIS-2026-000001", "ours": "2",
         "theirs": "3", "repair": "ask-again", "repaired": True}
    ]  # fmt: skip


async def test_an_appeal_shows_its_national_number_to_the_resident_once_it_has_one(callers):
    appeal = await callers.register(Role.CITIZEN, applicant=...)
    assert appeal["national_number"] is None
    house = callers.house
    async with house.units.open(state_of(KISHI.id)) as uow:
        await take_number(
            appeal["number"], "ЖТ-2026-00000005", uow=uow,
            reference=house.references.of(KISHI.id), at=house.now(),
        )  # fmt: skip
        await uow.commit()
    path = f"/v1/appeals/{appeal['number']}"
    shown = (await callers.call("GET", path, role=Role.CITIZEN)).json()
    assert shown["national_number"] == "ЖТ-2026-00000005"
    events = (await callers.call("GET", f"{path}/events", role=Role.CITIZEN)).json()
    assert events["items"][-1]["type"] == "appeal.state_numbered"
