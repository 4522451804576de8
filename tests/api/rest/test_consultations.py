"""A question that was answered at once is counted, and names nobody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.access import Principal, Role
from domain.appeals.model import Channel
from domain.consultations.use_cases import Answered, record
from domain.values import Language
from tests.support.city import KISHI, MANHOLE
from tests.support.rest import Callers, assert_problem, pointers
from tests.support.sql import fetch

PATH = "/v1/consultations"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAID = {"service": "general.how-109-works", "channel": "phone", "language": "kk"}


async def _first(callers: Callers, role: Role = Role.AUDITOR) -> dict[str, Any]:
    statistics = (await callers.call("GET", "/v1/statistics", role=role)).json()
    first: dict[str, Any] = statistics["first_contact"]
    return first


async def test_a_consultation_counts_and_no_appeal_is_made(callers: Callers):
    before = (await callers.call("GET", "/v1/statistics", role=Role.AUDITOR)).json()
    contact = str(uuid4())
    body = SAID | {"contact": contact, "district": "centre"}
    answer = await callers.call("POST", PATH, body, role=Role.OPERATOR)
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert kept["operator"] == str(KISHI.ident("member-operator"))
    assert (kept["contact"], kept["district"]) == (contact, "centre")
    after = (await callers.call("GET", "/v1/statistics", role=Role.AUDITOR)).json()
    assert after["appeals"]["total"] == before["appeals"]["total"]
    counted = before["first_contact"]["consultations"]
    assert after["first_contact"]["consultations"] == counted + 1


async def test_the_share_is_of_all_that_is_over(callers: Callers):
    await callers.brought_to("closed")
    await callers.call("POST", PATH, SAID, role=Role.INSPECTOR)
    statistics = (await callers.call("GET", "/v1/statistics", role=Role.AUDITOR)).json()
    first, closed = statistics["first_contact"], statistics["appeals"]["by_status"]["closed"]
    at_once = first["closed"] + first["consultations"]
    assert first["share"] == at_once / (closed + first["consultations"])
    assert 0 < first["share"] < 1


async def _over(
    callers: Callers, begin: datetime | None, end: datetime, role: Role = Role.AUDITOR
) -> dict[str, Any]:
    asked = {"over_to": end.isoformat()}
    asked |= {"over_from": begin.isoformat()} if begin else {}
    answer = await callers.call("GET", "/v1/statistics", params=asked, role=role)
    assert answer.status_code == 200, answer.text
    first: dict[str, Any] = answer.json()["first_contact"]
    return first


async def test_the_share_of_a_period_is_of_what_was_over_in_it(callers: Callers):
    now = callers.house.now()
    hour = timedelta(hours=1)
    before = await _over(callers, None, now + hour)
    whole = await _first(callers)
    assert (whole["over_from"], whole["over_to"]) == (None, None)
    await callers.brought_to("closed")
    said = {"text": "9-дан 18-ге дейін", "confirmed_by": "call"}
    await callers.register(answer=said)
    await callers.call("POST", PATH, SAID, role=Role.INSPECTOR)
    after = await _over(callers, None, now + hour)
    assert (after["closed"], after["consultations"]) == (
        before["closed"] + 1, before["consultations"] + 1,
    )  # fmt: skip
    # One appeal was closed besides, which was not at first contact.
    assert 0 < after["share"] < 1
    assert datetime.fromisoformat(after["over_to"]) == now + hour
    assert datetime.fromisoformat(after["over_from"]) == now + hour - timedelta(days=30)
    everything = await _over(callers, now - timedelta(days=300), now + hour)
    whole = await _first(callers)
    for name in ("closed", "consultations", "share"):
        assert everything[name] == whole[name]
    empty = await _over(callers, now - timedelta(days=9), now - hour)
    assert (empty["closed"], empty["consultations"], empty["share"]) == (0, 0, None)
    with_akim = await _over(callers, None, now + hour, Role.AKIM)
    assert with_akim["closed"] == after["closed"]


async def test_a_period_ends_before_its_end_and_is_no_longer_than_a_year(callers: Callers):
    answer = await callers.call("POST", PATH, SAID, role=Role.OPERATOR)
    (row,) = await fetch(
        callers.house, "SELECT at FROM consultation WHERE id = $1", UUID(answer.json()["id"])
    )
    at = row["at"]
    tick = timedelta(microseconds=1)
    assert (await _over(callers, at, at + tick))["consultations"] == 1
    assert (await _over(callers, at - tick, at))["consultations"] == 0
    far = {"over_from": (at - timedelta(days=367)).isoformat(), "over_to": at.isoformat()}
    refused = await callers.call("GET", "/v1/statistics", params=far, role=Role.AUDITOR)
    assert_problem(refused, 400, "malformed")
    assert pointers(refused) == {"/over_from": "period-too-long"}


async def test_a_repeat_counts_once(callers: Callers):
    before = await _first(callers)
    for _ in range(2):
        answer = await callers.call("POST", PATH, SAID, role=Role.OPERATOR, key="once")
        assert answer.status_code == 201
    assert (await _first(callers))["consultations"] == before["consultations"] + 1


async def test_a_consultation_is_counted_for_those_who_see_it(callers: Callers):
    await callers.call("POST", PATH, SAID | {"district": "centre"}, role=Role.OPERATOR)
    statistics = callers.house.statistics
    all_of_them = (await statistics.figures(KISHI.principal(Role.AKIM)))["consultations"]
    district = await statistics.figures(KISHI.principal(Role.AKIM, district="centre"))
    elsewhere = await statistics.figures(KISHI.principal(Role.AKIM, district="left-bank"))
    administrator = KISHI.principal(Role.ADMINISTRATOR)
    stranger = KISHI.principal(Role.ADMINISTRATOR, organisation=KISHI.water)
    assert all_of_them >= district["consultations"] > 0 == elsewhere["consultations"]
    assert (await statistics.figures(administrator))["consultations"] == all_of_them
    assert (await statistics.figures(stranger))["consultations"] == 0


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"service": "no-such"}, "/service", "unknown-service"),
        ({"district": "atlantis"}, "/district", "unknown-district"),
        ({"contact": "+77015550109"}, "/contact", "format"),
        ({"phone": "+77015550109"}, "/phone", "unknown"),
        ({"text": "Айгүл сұрады"}, "/text", "unknown"),
    ],
)
async def test_what_could_name_the_resident_is_refused(callers, change, pointer, rule):
    answer = await callers.call("POST", PATH, SAID | change, role=Role.OPERATOR)
    assert_problem(answer, 422, "invalid")
    assert pointers(answer) == {pointer: rule}


async def test_the_row_holds_nothing_but_what_is_counted(callers: Callers):
    (row, *_) = await fetch(
        callers.house,
        "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) AS names"
        " FROM information_schema.columns WHERE table_name = 'consultation'",
    )
    names = "id city_id service channel language operator_id contact_id district at"
    assert row["names"] == names


APP = SAID | {"channel": "app"}


async def test_what_answered_a_resident_is_counted_once_and_names_nobody(callers: Callers, house):
    before = await _first(callers)
    first, again = [await callers.call("POST", PATH, APP, role=Role.CITIZEN) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json()["counted"], again.json()["counted"]) == (True, False)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["operator"] is None
    assert (await _first(callers))["consultations"] == before["consultations"] + 1
    rows = await fetch(house, "SELECT * FROM consultation WHERE id = $1", UUID(first.json()["id"]))
    assert str(KISHI.citizen) not in str(rows)


async def test_another_service_another_resident_and_a_later_hour_count_for_themselves(house):
    async def own(service: str, minutes: int, principal: Principal) -> bool:
        async with house.units.open(principal) as uow:
            _, counted = await record(
                Answered(service, Channel.WEB, Language.KK),
                uow=uow,
                reference=house.references.of(KISHI.id),
                keyring=house.keyring,
                at=NOON + timedelta(minutes=minutes),
            )
            await uow.commit()
        return counted

    me = KISHI.principal(Role.CITIZEN)
    other = replace(me, id=uuid4(), citizen=uuid4())
    assert await own(MANHOLE, 0, me)
    assert not await own(MANHOLE, 9, me)
    assert await own("general.how-109-works", 9, me)
    assert await own(MANHOLE, 9, other)
    assert await own(MANHOLE, 10, me)


@pytest.mark.parametrize("channel", ["phone", "email", "facebook"])
async def test_residents_count_by_their_own_roads_alone(callers: Callers, channel):
    answer = await callers.call("POST", PATH, SAID | {"channel": channel}, role=Role.CITIZEN)
    assert_problem(answer, 422, "invalid")
    assert pointers(answer) == {"/channel": "not-self-service"}


async def test_residents_count_no_service_that_is_the_citys_own(callers: Callers):
    body = APP | {"service": "general.silent-call"}
    answer = await callers.call("POST", PATH, body, role=Role.CITIZEN)
    assert_problem(answer, 422, "invalid")
    assert set(pointers(answer)) == {"/service"}


async def test_who_takes_no_calls_counts_nothing(callers: Callers):
    for role in (Role.EXECUTOR, Role.HEAD, Role.AKIM, Role.AUDITOR, Role.ADMINISTRATOR):
        answer = await callers.call("POST", PATH, APP, role=role)
        assert_problem(answer, 403, "not-permitted")
