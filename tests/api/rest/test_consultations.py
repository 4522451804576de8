"""A question that was answered at once is counted, and names nobody."""

from typing import Any
from uuid import uuid4

import pytest

from domain.access import Role
from tests.support.city import KISHI
from tests.support.rest import Callers, assert_problem, pointers
from tests.support.sql import fetch

PATH = "/v1/consultations"
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
