"""The exchange with the national register in a worker's loops, over real HTTP with the stand-in."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from api.bootstrap import House, open_exchange
from api.rest.history import event_view
from api.rest.legal_views import leading_view
from api.worker.comparing import ExchangeLoops, reconcile
from api.worker.exchange import Fetching
from api.worker.relay import Relay
from domain.access import Principal, Role
from domain.appeals import commands as c
from domain.appeals.model import Appeal, Channel, Kind
from domain.appeals.workflow import Action, Status
from domain.eotinish.agreements import Agreements, Selection, Term
from domain.eotinish.model import GatewayFault, MessageState, Poison, Remedy
from domain.eotinish.ports import Arrived, Line, Manners
from domain.eotinish.reconciling import Lack
from domain.eotinish.use_cases import judge, state_of, take_number
from domain.law.counting import end_of, received_on
from domain.law.kinds import AppealKind
from domain.sla.policy import Stage
from domain.values import new_id
from integrations.eotinish.contract import read_contract
from integrations.eotinish.payload import write_instant
from integrations.postgres.doors import PLATFORM, city_door
from integrations.postgres.exchange_feed import feed
from integrations.postgres.session import inside
from tests.support.appeals import lodge, perform, register, uploaded
from tests.support.city import KISHI
from tests.support.eotinish import StandIn, write_file
from tests.support.members import iin, person
from tests.support.sql import fetch
from tests.support.worker import eventually

pytestmark = pytest.mark.usefixtures("state_secrets")

TYPE = "4b288b14-2a1c-4ef1-988f-adcbf3839983"


@asynccontextmanager
async def exchanging(
    house: House, state: StandIn, folder: Path, **changes: Any
) -> AsyncIterator[House]:
    """The loops of a worker at work, and a relay that feeds them; `changes` in the city's file."""
    file = write_file(state.url, folder, **changes)
    settings = house.settings.model_copy(update={"eotinish": file})
    async with open_exchange(settings) as lines:
        loops = ExchangeLoops(replace(house, settings=settings), lines)
        await loops.begin()
        try:
            yield house
        finally:
            await loops.end()


async def read(house: House, number: str) -> Appeal:
    async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
        return await uow.appeals.get(number)


async def relay(house: House) -> None:
    while await Relay(house, asyncio.Event()).turn():
        pass


async def numbered(house: House, appeal: Appeal) -> Appeal:
    await relay(house)
    await eventually(
        lambda: _has(house, appeal.number, lambda a: a.national_number is not None), within=60
    )
    return await read(house, appeal.number)


async def _has(house: House, number: str, wanted: Any) -> bool:
    return bool(wanted(await read(house, number)))


async def test_an_appeal_goes_out_and_brings_its_number_back(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await lodge(house)
        known = await numbered(house, appeal)
    case = state.cases()[known.national_number]
    assert case["own_number"] == appeal.number
    [taken] = case["taken"]
    assert taken["description"] == appeal.text
    assert (taken["surname"], taken["name"]) == ("Серікова", "Айгүл")
    assert taken["documentType"] == "0"
    assert state.whole()["violations"] == []
    assert known.status is appeal.status


def assignment(**changes: Any) -> dict[str, Any]:
    """The state gives the city an appeal."""
    return {
        "tale": "assigned", "deliveryDate": "2026-11-27T10:00:00.000+05:00",
        "description": "Көшеде жарық жоқ", "docLang": "KZ", "name": "Серікова Айгүл Маратқызы",
        "phone": "8 701 555 01 09", "region": "Абай көшесі, 12", "typeId": TYPE,
        "executionDate": "2026-12-18T23:59:59.000+05:00",
    } | changes  # fmt: skip


async def found(house: House, national: str) -> str:
    """Our number of a national one, once it is here."""
    told: list[str] = []

    async def known() -> bool:
        async with house.units.open(KISHI.principal(Role.SYSTEM)) as uow:
            case = await uow.exchange.case(national)
        if case is not None:
            told.append(case.own_number)
        return case is not None

    await eventually(known)
    return told[0]


async def test_what_the_state_assigns_is_registered_routed_and_clocked(house, state, folder):
    async with exchanging(house, state, folder):
        [national] = state.say(assignment())
        appeal = await read(house, await found(house, national))
    assert appeal.national_number == national
    assert appeal.channel is Channel.E_OTINISH
    assert appeal.kind is Kind.APPLICATION
    assert appeal.assignment is not None
    assert appeal.clocks
    assert appeal.applicant is not None
    assert appeal.applicant.phone == "+77015550109"
    assert appeal.place.building == KISHI.house
    assert appeal.legal is not None
    assert appeal.legal.kind is AppealKind.APPLICATION
    # The law counts from the day when the state received it, not from when it came here.
    assert appeal.legal.received == date(2026, 11, 27)


async def test_an_assignment_of_every_published_element_is_registered_under_the_whole_name(
    house, state, folder
):
    said = assignment(
        name="Айгүл", surname="Серікова", middlename="Маратқызы", address="Абай көшесі, 12",
        region="Абай облысы", documentType="0", docKind="4", note="Қарауыңызды сұраймыз",
        idPortalInternal="17", signerNameRu="Иванов И.", socialOrder="2", controlTypeOuterCode="1",
        citizenship="KZ", typeId=None,
    )  # fmt: skip
    async with exchanging(house, state, folder):
        [national] = state.say(said)
        appeal = await read(house, await found(house, national))
    assert appeal.applicant is not None
    assert appeal.applicant.name == "Серікова Айгүл Маратқызы"
    assert appeal.place.building == KISHI.house
    assert appeal.legal is not None
    assert appeal.legal.kind is AppealKind.APPLICATION


async def test_a_line_whose_terms_are_not_the_law_s_does_not_begin(house, state, folder):
    settings = house.settings.model_copy(update={"eotinish": write_file(state.url, folder)})
    async with open_exchange(settings) as lines:
        line = lines["kishi"]
        terms = dict.fromkeys(line.agreements.terms, Term(200, working=True))
        wrong = replace(line, agreements=replace(line.agreements, terms=terms))
        loops = ExchangeLoops(house, {"kishi": wrong})
        with capture_logs() as said:
            await loops.begin()
        begun = {task.get_name() for task in asyncio.all_tasks()}
        await loops.end()
    [told] = [one for one in said if one["event"] == "eotinish_not_begun"]
    assert any("the state counts 200 working days" in term for term in told["terms"])
    assert "eotinish-reference" in begun
    assert "eotinish-send" not in begun


async def test_the_state_s_own_last_day_is_kept_shown_and_compared(house, state, folder):
    settings = house.settings.model_copy(update={"eotinish": write_file(state.url, folder)})
    at, later = house.now(), timedelta(days=40)
    received = write_instant(at)
    async with open_exchange(settings) as lines, exchanging(house, state, folder):
        [national] = state.say(assignment(
            deliveryDate=received, executionDate=write_instant(at + timedelta(days=2)),
        ))  # fmt: skip
        number = await found(house, national)
        before = await read(house, number)
        assert before.legal is not None
        assert before.law_due_at is not None
        assert before.state_deadline is not None
        assert before.state_deadline < before.law_due_at
        leading = leading_view(before, house.references.of(KISHI.id), "ru")
        assert leading is not None
        assert leading["by"] == "state"
        assert before.due_at == before.state_deadline
        state.say({"tale": "extended", "number": national, "execDate": write_instant(at + later),
                   "description": "Сараптама"})  # fmt: skip
        await eventually(lambda: _has(house, number, lambda one: one.legal.prolonged > 0))
        prolonged = await read(house, number)

        async def differing() -> list[Lack]:
            await eventually(lambda: _empty(state))
            seen = await reconcile(house, lines["kishi"], KISHI.id, mend=False, grace=timedelta(0))
            assert seen is not None
            return [one.lack for one in seen.differences if one.number == national]

        assert Lack.DEADLINE not in await differing()
        # A word of the state that never came, and none of its versions tells of it.
        await fetch(
            house, "UPDATE eotinish_case SET deadline = now() - interval '1 day' WHERE number = $1",
            national,
        )  # fmt: skip
        assert Lack.DEADLINE in await differing()
    assert prolonged.law_due_at is not None
    # To the end of the day that the state named, and no further.
    assert before.law_due_at < prolonged.law_due_at <= at + later + timedelta(days=1)
    assert prolonged.legal is not None
    assert prolonged.state_deadline is not None
    told = await house.queries.events(
        KISHI.principal(Role.INSPECTOR), number, internal=True, after=0, limit=20
    )
    assert "appeal.prolonged" in [one["type"] for one in told]


async def test_whose_iin_the_state_tells_sees_the_appeal_when_they_log_in(house, state, folder):
    who, digits = person(41), iin(41)
    async with exchanging(house, state, folder):
        [first] = state.say(assignment(userUin=who.iin))
        number = await found(house, first)
        subject = await house.people.resident(KISHI.id, who, house.now())
        # Known by now, and nothing is said of them but the number.
        [second] = state.say(assignment(userUin=who.iin, name=None, phone=None))
        nameless = await found(house, second)
    principal = Principal(subject.id, Role.CITIZEN, KISHI.id, citizen=subject.id)
    for mine in (number, nameless):
        appeal = await house.queries.appeal(principal, mine)
        assert appeal.applicant is not None
        assert appeal.applicant.citizen == subject.id
        assert appeal.legal is not None
        assert appeal.legal.considered
        assert appeal.law_due_at is not None
    assert (await read(house, nameless)).applicant.name == who.full_name  # type: ignore[union-attr]
    told = await house.queries.events(
        KISHI.principal(Role.INSPECTOR), number, internal=True, after=0, limit=10
    )
    assert [one["data"]["by"] for one in told if one["type"] == "appeal.linked"] == ["e-otinish"]
    assert digits not in str(told)
    rows = await fetch(house, "SELECT sealed FROM citizen WHERE id = $1", subject.id)
    assert digits.encode() not in bytes(rows[0]["sealed"])


async def test_an_iin_without_any_name_makes_nobody_anonymous(house, state, folder):
    who = person(42)
    async with exchanging(house, state, folder):
        [national] = state.say(assignment(userUin=who.iin, name=None, phone=None))
        appeal = await read(house, await found(house, national))
        # What is no person's number is nobody's: the law's own anonymous appeal.
        [odd] = state.say(assignment(userUin="991231600003", name=None, phone=None))
        nobody = await read(house, await found(house, odd))
    assert appeal.legal is not None
    assert appeal.legal.considered
    assert appeal.law_due_at is not None
    assert nobody.applicant is None
    assert nobody.legal is not None
    assert not nobody.legal.considered


async def through(house: House, appeal: Appeal) -> Appeal:
    """Accepted and resolved by whoever has it."""
    assert appeal.assignment is not None
    home = appeal.assignment.organisation
    await perform(house, appeal, Action.ACCEPT, c.Accept(), organisation=home)
    done = c.Resolve("Жарық қосылды", no_photo_reason="түн")
    return await perform(house, appeal, Action.RESOLVE, done, organisation=home)


async def test_what_follows_is_told_in_order_and_the_residents_word_comes_back(
    house, state, folder
):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        await through(house, appeal)
        await relay(house)
        number = appeal.national_number
        await eventually(lambda: reached(state, number, 3))
        state.say({"tale": "rated", "number": number, "author": "СЕРІКОВА АЙГҮЛ",
                   "satisfied": True, "rating": 5, "state": "FINISHED"})  # fmt: skip
        await eventually(
            lambda: _has(house, appeal.number, lambda one: one.status is Status.CLOSED)
        )
    case = state.cases()[number]
    types = [one["type"] for one in case["taken"]]
    assert types == ["docAppeal", "stateExecution", "stateFinished"]
    assert case["state"] == "FINISHED"
    closed = await read(house, appeal.number)
    assert closed.confirmation is not None
    assert (closed.confirmation.how, closed.confirmation.rating) == ("e-otinish", 5)
    assert closed.confirmation.role == "citizen"
    assert state.whole()["violations"] == []
    # Who gave the word is named in the register, sealed, and shown in nobody's history.
    for role in (Role.EXECUTOR, Role.INSPECTOR, Role.AKIM):
        who = KISHI.principal(role)
        told = await house.queries.events(who, appeal.number, internal=True, after=0, limit=50)
        assert "СЕРІКОВА" in str(told)
        assert "СЕРІКОВА" not in str([event_view(document, who) for document in told])


async def reached(state: StandIn, number: str | None, count: int) -> bool:
    return bool(len(state.cases()[number or ""]["taken"]) >= count)


async def test_nothing_that_the_state_says_closes_without_the_residents_word(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        number = appeal.national_number
        state.say({"tale": "decided", "number": number, "resultCode": "Удовлетворено",
                   "resultText": "Жарық қосылды", "state": "FINISHED"})  # fmt: skip
        await eventually(
            lambda: _has(house, appeal.number, lambda one: one.status is Status.RESOLVED)
        )
        before = (await read(house, appeal.number)).version
        state.say({"tale": "rated", "number": number, "satisfied": True, "rating": 5})
        await eventually(lambda: _has(house, appeal.number, lambda one: one.version > before))
    unnamed = await read(house, appeal.number)
    assert unnamed.status is Status.RESOLVED
    assert unnamed.confirmation is None


async def test_messages_are_applied_once_and_in_their_order_however_they_come(house, state, folder):
    state.mood(seed=7, repeat=0.5, reorder=0.8)
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        number = appeal.national_number
        words = [f"Қадам {step}" for step in range(12)]
        state.say(*[{"tale": "progress", "number": number, "description": word, "state": "CREATED"}
                    for word in words])  # fmt: skip
        await eventually(lambda: _told_all(house, appeal.number, words))
        state.mood()
        await eventually(lambda: _empty(state))
    assert await told_texts(house, appeal.number) == words


async def _empty(state: StandIn) -> bool:
    return bool(state.whole()["waiting"] == 0)


async def told_texts(house: House, number: str) -> list[str]:
    """What the state told of an appeal, in the order of its chain."""
    async with inside(house.engine, city_door(KISHI.id, ())) as driver:
        rows = await driver.fetch(
            "SELECT p.sealed FROM event e JOIN event_personal p ON p.event_id = e.id"
            " JOIN appeal a ON a.id = e.appeal_id WHERE a.number = $1"
            " AND e.type = 'appeal.state_told' AND p.field = 'text' ORDER BY e.sequence", number,
        )  # fmt: skip
    return [house.keyring.open(bytes(row["sealed"])).decode() for row in rows]


async def _told_all(house: House, number: str, words: list[str]) -> bool:
    return len(await told_texts(house, number)) >= len(words)


async def test_poison_waits_for_an_inspector_and_stops_nothing(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await numbered(house, await lodge(house))
        number = appeal.national_number
        state.say(
            {"tale": "rated", "number": number, "author": "Басқа Адам", "satisfied": True},
            {"tale": "progress", "number": number, "description": "Әрі қарай"},
        )
        await eventually(lambda: _told_all(house, appeal.number, ["Әрі қарай"]))
        kept = await house.exchange_reports.quarantine(KISHI.principal(Role.INSPECTOR), None, 10)
    assert [(one.fault, one.number, one.direction) for one in kept] == [
        ("author-differs", number, "in")
    ]
    assert (await read(house, appeal.number)).status is not Status.CLOSED


async def test_an_answer_that_was_lost_brings_no_second_registration(house, state, folder):
    state.mood(seed=3, lose=0.3, drop=0.1, fail=0.1)
    async with exchanging(house, state, folder):
        appeals = [await lodge(house) for _ in range(8)]
        await relay(house)
        for appeal in appeals:
            await numbered(house, appeal)
        state.mood()
        own = [case["own_number"] for case in state.cases().values() if case["own_number"]]
    assert len(own) == len(set(own))
    assert {one.number for one in appeals} <= set(own)
    assert state.whole()["violations"] == []


async def test_what_does_not_fall_under_the_law_stays_here(house, state, folder):
    async with exchanging(house, state, folder):
        thanks = await lodge(house, kind=Kind.THANKS)
        complaint = await numbered(house, await lodge(house))
    own = {case["own_number"] for case in state.cases().values()}
    assert complaint.number in own
    assert thanks.number not in own


SIDES = [
    (Channel.PHONE, Kind.COMPLAINT, None),
    (Channel.WEB, Kind.COMPLAINT, None),
    (Channel.EMAIL, Kind.COMPLAINT, None),
    (Channel.EMAIL, Kind.REQUEST, AppealKind.REQUEST),
    (Channel.WEB, Kind.APPLICATION, AppealKind.APPLICATION),
]


@pytest.mark.parametrize(("channel", "wish", "lawful"), SIDES, ids=str)
async def test_what_goes_out_is_of_one_kind_and_has_one_term_on_both_sides(
    house, state, folder, channel, wish, lawful
):
    async with exchanging(house, state, folder):
        appeal = await register(house, channel=channel, kind=wish)
        await relay(house)
        assert (appeal.legal.kind if appeal.legal else None) == lawful
        assert bool(await outbox_rows(house, appeal.number)) == (lawful is not None)
        if lawful is None:
            found = c.Classify(AppealKind.COMPLAINT, "Шағым")
            await perform(house, appeal, Action.CLASSIFY, found, role=Role.INSPECTOR)
        known = await numbered(house, appeal)
    assert known.legal is not None
    assert known.law_due_at is not None
    taken = state.cases()[known.national_number]["taken"][0]
    types = read_contract().agreements("", {}).laws
    assert types[taken["typeId"]] is known.legal.kind
    assert taken["deliveryDate"] == write_instant(known.registered_at)
    # The law counts here from the day on which the state has it as delivered (Art. 64).
    clock = known.clock(Stage.CONSIDER)
    assert clock is not None
    city = house.references.of(KISHI.id)
    law = city.promises.laws[known.legal.law_version]
    working = city.promises.calendar(law.receipt.calendar)
    assert known.legal.received == received_on(
        datetime.fromisoformat(taken["deliveryDate"]), law.receipt, working
    )
    assert clock.started_at == end_of(known.legal.received, working)


async def outbox_rows(house: House, number: str) -> list[dict[str, Any]]:
    """What is to be told of an appeal, and where it stands."""
    rows = await fetch(
        house,
        "SELECT m.* FROM eotinish_message m JOIN appeal a ON a.id = m.appeal_id"
        " WHERE a.number = $1 ORDER BY m.sequence",
        number,
    )
    return [dict(row) for row in rows]


async def test_files_go_along_by_way_of_the_temporary_store(house, state, folder, tmp_path):
    content = b"%PDF-1.4 kishi"
    id = await uploaded(house, content)
    async with exchanging(house, state, folder):
        known = await numbered(house, await lodge(house, attachments=(id,)))
    whole = state.whole()
    [file] = state.cases()[known.national_number]["files"]
    laid = whole["files"][file]
    assert (laid["name"], laid["mime"], laid["sha256"]) == (
        "хат.pdf",
        "application/pdf",
        sha256(content).hexdigest(),
    )


async def test_acts_that_change_what_the_state_knows_are_told_and_both_registers_agree(
    house, state, folder
):
    """Given back, made more complete, classified anew and sent on to another body."""
    settings = house.settings.model_copy(update={"eotinish": write_file(state.url, folder)})
    content = b"%PDF-1.4 later"
    id = await uploaded(house, content, "сурет.pdf")
    async with exchanging(house, state, folder), open_exchange(settings) as lines:
        appeal = await numbered(house, await lodge(house))
        home = appeal.executor
        await perform(house, appeal, Action.ACCEPT, c.Accept(), organisation=home)
        await perform(house, appeal, Action.DECLINE, c.Decline("құпия себеп"), organisation=home)
        await relay(house)
        number = appeal.national_number
        await eventually(lambda: reached(state, number, 3))
        assert state.cases()[number]["state"] == "CREATED"
        await perform(house, appeal, Action.ATTACH, c.Attach((id,)), role=Role.OPERATOR)
        found = c.Classify(AppealKind.REQUEST, "Ақпарат сұрайды")
        await perform(house, appeal, Action.CLASSIFY, found, role=Role.INSPECTOR)
        away = c.Forward("Абай облысының прокуратурасы", "құзыреті")
        await perform(house, appeal, Action.FORWARD, away, role=Role.INSPECTOR)
        await relay(house)
        await eventually(lambda: reached(state, number, 6))
        await eventually(lambda: _delivered(house, appeal.number))
        seen = await reconcile(house, lines["kishi"], KISHI.id, mend=False, grace=timedelta(0))
    case = state.cases()[number]
    types = [one["type"] for one in case["taken"]][2:]
    assert types == ["stateRedirected", "stateSupplemented", "stateClassified", "stateRedirected"]
    assert case["state"] == "REDIRECTED"
    assert case["taken"][-1]["executive"] == "Абай облысының прокуратурасы"
    assert case["taken"][-2]["typeId"] == "10edea47-2e28-4c45-923a-f2916211cddc"
    [file] = case["files"]
    assert state.whole()["files"][file]["sha256"] == sha256(content).hexdigest()
    assert "құпия" not in str(case["taken"])
    assert state.whole()["violations"] == []
    assert seen is not None
    assert [one for one in seen.differences if one.number == number] == []


async def _delivered(house: House, number: str) -> bool:
    return all(row["state"] == "done" for row in await outbox_rows(house, number))


async def test_a_file_that_came_before_the_appeal_was_found_to_be_one_goes_along(
    house, state, folder
):
    content = b"%PDF-1.4 before"
    id = await uploaded(house, content)
    async with exchanging(house, state, folder):
        message = await lodge(house, kind=Kind.MESSAGE)
        await perform(house, message, Action.ATTACH, c.Attach((id,)), role=Role.OPERATOR)
        await relay(house)
        found = c.Classify(AppealKind.REQUEST, "Ақпарат сұрайды")
        await perform(house, message, Action.CLASSIFY, found, role=Role.INSPECTOR)
        known = await numbered(house, message)
        await eventually(lambda: reached(state, known.national_number, 3))
    [file] = state.cases()[known.national_number]["files"]
    assert state.whole()["files"][file]["sha256"] == sha256(content).hexdigest()


async def test_a_refusal_of_the_receiver_goes_to_quarantine_and_on_when_released(
    house, state, folder
):
    state.mood(status="SCSE001")
    async with exchanging(house, state, folder):
        appeal = await lodge(house)
        await relay(house)

        async def refused() -> bool:
            [row] = await outbox_rows(house, appeal.number)
            return bool(row["state"] == "quarantined")

        await eventually(refused)
        [row] = await outbox_rows(house, appeal.number)
        assert row["fault"] == "receiver-refused"
        state.mood()
        async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
            await judge(row["id"], MessageState.PENDING, "Түзетілді", uow=uow, at=house.now())
            await uow.commit()
        assert (await numbered(house, appeal)).national_number is not None


async def test_a_fault_of_the_exchange_itself_holds_everything_and_loses_nothing(
    house, state, folder
):
    state.mood(fail=1.0, code="SBF-AD-1")
    async with exchanging(house, state, folder):
        appeal = await lodge(house)
        await relay(house)

        async def held() -> bool:
            rows = await fetch(house, "SELECT held_fault FROM eotinish_city")
            return [row["held_fault"] for row in rows] == ["access-denied"]

        await eventually(held)
        [row] = await outbox_rows(house, appeal.number)
        assert row["state"] == "pending"
        state.mood()
        # Somebody mended it; the hold would end by itself after a minute.
        await fetch(house, "UPDATE eotinish_city SET held_until = now()")
        assert (await numbered(house, appeal)).national_number is not None


async def test_a_fault_that_nobody_listed_throws_nothing_into_quarantine(house, state, folder):
    """The gateway speaks of itself: every message meets it, and goes on when it is over."""
    async with exchanging(house, state, folder):
        first = await numbered(house, await lodge(house))
        state.mood(fail=1.0, code="XYZ-109")
        state.say({"tale": "progress", "number": first.national_number, "description": "Қадам"})
        appeals = [await lodge(house) for _ in range(5)]
        await relay(house)

        async def held() -> bool:
            rows = await fetch(house, "SELECT held_fault FROM eotinish_city")
            return [row["held_fault"] for row in rows] == ["unknown-fault"]

        for _ in range(4):
            await eventually(held)
            # A minute goes by.
            await fetch(house, "UPDATE eotinish_city SET held_until = now(), held_fault = NULL")
        rows = [row for one in appeals for row in await outbox_rows(house, one.number)]
        assert {row["state"] for row in rows} == {"pending"}
        state.mood()

        async def all_numbered() -> bool:
            # A call that was in the air may hold everything once more.
            await fetch(house, "UPDATE eotinish_city SET held_until = now()")
            known = [await read(house, one.number) for one in appeals]
            return all(one.national_number is not None for one in known)

        await eventually(all_numbered, within=60)
        await eventually(lambda: _told_all(house, first.number, ["Қадам"]))


async def test_a_status_that_nobody_listed_is_its_message_s_alone(house, state, folder):
    state.mood(status="XYZ-109")
    async with exchanging(house, state, folder):
        appeal = await lodge(house)
        await relay(house)
        await eventually(lambda: _set_aside(house, appeal.number))
        [row] = await outbox_rows(house, appeal.number)
        assert row["fault"] == "unknown-status"
        state.mood()


async def _set_aside(house: House, number: str) -> bool:
    return {one["state"] for one in await outbox_rows(house, number)} == {"quarantined"}


async def test_an_answer_that_nobody_signed_is_not_believed(house, state, folder):
    state.mood(answer="<answer/>")
    async with exchanging(house, state, folder):
        appeal = await lodge(house)
        await relay(house)

        async def tried() -> bool:
            [row] = await outbox_rows(house, appeal.number)
            return bool(row["fault"] == "answer-unfit" and row["attempts"] >= 2)

        await eventually(tried)
        assert (await read(house, appeal.number)).national_number is None
        state.mood()
        known = await numbered(house, appeal)
    own = [case["own_number"] for case in state.cases().values()]
    assert own.count(appeal.number) == 1
    assert known.national_number in state.cases()


async def test_a_comparison_finds_what_was_lost_and_asks_and_sends_again(house, state, folder):
    """A message of the state that never came, and one of ours that it forgot."""
    settings = house.settings.model_copy(update={"eotinish": write_file(state.url, folder)})
    async with open_exchange(settings) as lines:
        line = lines["kishi"]
        async with exchanging(house, state, folder):
            appeal = await numbered(house, await lodge(house))
            await through(house, appeal)
            await relay(house)
            await eventually(lambda: reached(state, appeal.national_number, 3))
        # The workers stop; a message comes and is thrown away behind their backs.
        state.say({"tale": "progress", "number": appeal.national_number, "description": "Жоғалған",
                   "state": "FINISHED"})  # fmt: skip
        [lost] = await line.gateway.fetch(10)
        await line.gateway.accept(lost.message_id)
        await fetch(house, "UPDATE eotinish_message SET created_at = now() - interval '2 hours'")
        seen = await reconcile(house, line, KISHI.id, mend=True, grace=timedelta(0))
        assert seen is not None
        mine = [one for one in seen.differences if one.number == appeal.national_number]
        assert [(one.lack, one.repaired) for one in mine] == [(Lack.BEHIND_HERE, True)]
        async with exchanging(house, state, folder):
            await eventually(lambda: _told_all(house, appeal.number, ["Жоғалған"]))
            await eventually(lambda: _empty(state))
        again = await reconcile(house, line, KISHI.id, mend=False, grace=timedelta(0))
    assert again is not None
    assert [one for one in again.differences if one.number == appeal.national_number] == []


async def test_an_assignment_that_is_poison_is_not_asked_for_each_night(house, state, folder):
    settings = house.settings.model_copy(update={"eotinish": write_file(state.url, folder)})
    inspector = KISHI.principal(Role.INSPECTOR)
    async with open_exchange(settings) as lines, exchanging(house, state, folder):
        [national] = state.say(assignment(typeId="no-such-type"))

        async def kept() -> list[Any]:
            found = await house.exchange_reports.quarantine(inspector, None, 50)
            return [one for one in found if one.number == national]

        async def is_kept() -> bool:
            return bool(await kept())

        async def compared() -> list[tuple[Lack, bool]]:
            seen = await reconcile(house, lines["kishi"], KISHI.id, mend=True, grace=timedelta(0))
            assert seen is not None
            await eventually(lambda: _empty(state))
            return [(one.lack, one.repaired) for one in seen.differences
                    if one.number == national]  # fmt: skip

        await eventually(is_kept)
        assert await compared() == [(Lack.QUARANTINED, False)]
        [row] = await kept()
        async with house.units.open(inspector) as uow:
            await judge(row.id, MessageState.DROPPED, "Түрі белгісіз", uow=uow, at=house.now())
            await uow.commit()
        assert await compared() == [(Lack.DROPPED, False)]
        assert await kept() == []
    rows = await fetch(house, "SELECT 1 FROM eotinish_inbox WHERE number = $1", national)
    assert len(rows) == 1


async def test_events_that_pass_two_relays_in_any_order_are_all_told_once(house, state, folder):
    """The later event of an appeal meets its relay first: the case is opened there, and what came
    before is put down with it.
    """
    async with exchanging(house, state, folder):
        pass
    appeal = await lodge(house)
    await through(house, appeal)
    rows = await fetch(
        house, "SELECT id FROM event WHERE appeal_id = $1 ORDER BY sequence DESC", appeal.id
    )
    for row in rows:
        async with inside(house.engine, PLATFORM) as driver:
            await feed(driver, [row["id"]], house.now())
    notices = [row["notice"] for row in await outbox_rows(house, appeal.number)]
    assert notices == ["register", "accepted", "finished"]
    await relay(house)
    assert len(await outbox_rows(house, appeal.number)) == 3


async def test_an_appeal_that_an_inspector_finds_to_be_one_goes_out_with_all_that_was_before(
    house, state, folder
):
    async with exchanging(house, state, folder):
        message = await lodge(house, kind=Kind.MESSAGE)
        home = message.executor
        await perform(house, message, Action.ACCEPT, c.Accept(), organisation=home)
        await relay(house)
        assert await outbox_rows(house, message.number) == []
        found = c.Classify(AppealKind.REQUEST, "Ақпарат сұрайды")
        await perform(house, message, Action.CLASSIFY, found, role=Role.INSPECTOR)
        known = await numbered(house, message)
        await eventually(lambda: reached(state, known.national_number, 3))
    taken = state.cases()[known.national_number]["taken"]
    assert [one["type"] for one in taken] == ["docAppeal", "stateExecution", "stateClassified"]
    assert taken[0]["typeId"] == "10edea47-2e28-4c45-923a-f2916211cddc"


async def test_the_city_s_prolongation_is_told_with_its_new_last_day(house, state, folder):
    async with exchanging(house, state, folder):
        appeal = await lodge(house, kind=Kind.APPLICATION)
        home = appeal.executor
        await perform(house, appeal, Action.ACCEPT, c.Accept(), organisation=home)
        longer = c.Prolong(5, "Сараптама керек")
        prolonged = await perform(
            house, appeal, Action.PROLONG, longer, role=Role.HEAD, organisation=home
        )
        known = await numbered(house, appeal)
        await eventually(lambda: reached(state, known.national_number, 3))
    last = state.cases()[known.national_number]["taken"][-1]
    assert last["type"] == "stateProlongExDate"
    assert last["description"] == "Сараптама керек"
    assert prolonged.law_due_at is not None
    assert last["execDate"] == write_instant(prolonged.law_due_at)


async def test_a_resident_who_stays_anonymous_is_not_named_to_the_state(house, state, folder):
    citizen = KISHI.principal(Role.CITIZEN).citizen
    known_of = {"name": "Айгүл Серікова", "phone": "+77015550109", "email": None}
    sealed = house.keyring.seal(orjson.dumps(known_of | {"iin": "991231600002"}))
    await fetch(house, "UPDATE citizen SET sealed = $2 WHERE id = $1", citizen, sealed)
    async with exchanging(house, state, folder):
        known = await numbered(
            house, await lodge(house, role=Role.CITIZEN, anonymous=True, applicant=None)
        )
    assert known.applicant is not None
    assert known.applicant.citizen == citizen
    taken = state.cases()[known.national_number]["taken"][0]
    assert taken["anonymous"] == "true"
    named = {"surname", "name", "middlename", "juridicallyName"}
    assert not {"userUin", "phone", "email", *named} & set(taken)


async def test_one_number_is_never_two_appeals(house, state, folder):
    async with exchanging(house, state, folder):
        known = await numbered(house, await lodge(house))
    other = await lodge(house)
    async with house.units.open(state_of(KISHI.id)) as uow:
        with pytest.raises(Poison, match="number-of-another"):
            await take_number(
                other.number, known.national_number or "", uow=uow,
                reference=house.references.of(KISHI.id), at=house.now(),
            )  # fmt: skip


async def test_a_fault_that_meets_one_message_alone_is_that_message_s(house, state, folder):
    """Refused as if the whole exchange were at fault, while everything else goes through."""
    async with exchanging(house, state, folder):
        odd = await lodge(house)
        state.mood(refuse=odd.number)

        async def set_aside() -> bool:
            await lodge(house)
            await relay(house)
            # A minute goes by.
            await fetch(house, "UPDATE eotinish_city SET held_until = now()")
            [row] = await outbox_rows(house, odd.number)
            return bool(row["state"] == "quarantined")

        await eventually(set_aside, within=60, pause=0.3)
        state.mood()
        assert (await numbered(house, await lodge(house))).national_number is not None
    [row] = await outbox_rows(house, odd.number)
    assert row["fault"] == "signature-refused"


class Deaf:
    """A gateway that takes no notice of delivery."""

    def __init__(self, remedy: Remedy) -> None:
        self.remedy = remedy
        self.asked: list[str] = []

    async def fetch(self, amount: int) -> list[Arrived]:
        return []

    async def accept(self, message_id: str) -> None:
        self.asked.append(message_id)
        raise GatewayFault("unknown-code", self.remedy)


class Heavy(Deaf):
    """Its messages are too large to be read by the hundred."""

    async def fetch(self, amount: int) -> list[Arrived]:
        if amount > 10:
            raise GatewayFault("answer-unfit", Remedy.RETRY, "too large")
        return [Arrived(str(new_id()), None, b"<data/>")]


async def test_messages_that_are_too_large_together_are_fetched_in_smaller_parts(house):
    heavy: Any = Heavy(Remedy.QUARANTINE)
    manners = Manners(4, 0.1, 0.1, 10, time(23, 59))
    agreements, selection = Agreements({}, {}, {}, {}, {}, re.compile("x")), Selection()
    fetching = Fetching(house, Line("kishi", heavy, agreements, selection, manners), KISHI.id)
    for _ in range(2):
        with pytest.raises(GatewayFault):
            await fetching.turn()
    await fetching.turn()
    assert len(heavy.asked) == 1


@pytest.mark.parametrize(
    ("remedy", "asked"), [(Remedy.QUARANTINE, 1), (Remedy.RETRY, 2), (Remedy.FIX, 2)], ids=str
)
async def test_a_notice_that_the_gateway_refuses_stands_before_no_other(house, remedy, asked):
    deaf: Any = Deaf(remedy)
    manners = Manners(4, 0.1, 0.1, 10, time(23, 59))
    agreements, selection = Agreements({}, {}, {}, {}, {}, re.compile("x")), Selection()
    fetching = Fetching(house, Line("kishi", deaf, agreements, selection, manners), KISHI.id)
    arrived = [Arrived(str(new_id()), None, b"<data/>")]
    await house.exchange.keep(KISHI.id, arrived, house.now())
    await fetching.turn()
    await fetching.turn()
    assert deaf.asked.count(arrived[0].message_id) == asked
    # The gateway gives it again, so it does not know: it is told again.
    await house.exchange.keep(KISHI.id, arrived, house.now())
    await fetching.turn()
    assert deaf.asked.count(arrived[0].message_id) == asked + 1


async def test_what_follows_a_registration_that_was_dropped_is_not_said_to_be_sent_again(
    house, state, folder
):
    settings = house.settings.model_copy(update={"eotinish": write_file(state.url, folder)})
    async with open_exchange(settings) as lines:
        line = lines["kishi"]
        await house.exchange.join(KISHI.id, line.selection, house.now())
        appeal = await lodge(house)
        await through(house, appeal)
        await relay(house)
        await fetch(
            house,
            "UPDATE eotinish_message SET state = 'dropped' WHERE appeal_id = $1"
            " AND notice = 'register'",
            appeal.id,
        )
        seen = await reconcile(house, line, KISHI.id, mend=True, grace=timedelta(0))
    assert seen is not None
    mine = [one for one in seen.differences if one.own_number == appeal.number]
    assert [(one.lack, one.repaired) for one in mine] == [(Lack.UNNUMBERED, False)]
