"""End-to-end control goes from the centre down to the village: each akim is told all that lies in
their district, at whatever level, and nothing of where it lies.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from domain.access import Role
from domain.questions import AppealFilter
from tests.support.city import KISHI
from tests.support.districts import write_district
from tests.support.rest import Callers, assert_problem
from tests.walls.town import Place, Town

QUARTERS = (Place.OURS, Place.BELOW, Place.THEIRS)
SEES = {
    "akim-of-centre": {"centre", "village"},
    "akim-of-village": {"village"},
    "akim-of-left": {"left"},
}


@pytest.fixture(scope="module")
async def busy(town: Town) -> Town:
    """In every quarter two appeals that are open, and two that were sent round in a circle."""
    for place in QUARTERS:
        callers = town.callers(place)
        for _ in range(2):
            await callers.register()
            number = (await callers.register())["number"]
            for where in (KISHI.department, callers.city.water):
                body = {"organisation": str(where), "reason": "Біздікі емес"}
                moved = await callers.act(number, "redirect", body, role=Role.INSPECTOR)
                assert moved.status_code == 200, moved.text
    return town


def akim(town: Town, name: str) -> Callers:
    callers = town.callers(Place.OURS)
    return replace(callers, tokens={Role.AKIM: town.tokens[name]})


async def asked(callers: Callers, path: str) -> Any:
    answer = await callers.call("GET", path, role=Role.AKIM)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_figures_of_a_territory_are_those_of_all_that_lies_in_it(busy: Town):
    centre = await asked(akim(busy, "akim-of-centre"), "/v1/control/territories")
    (village,) = centre["items"]
    assert (centre["node"]["code"], centre["node"]["below"]) == ("centre", 1)
    assert centre["node"]["figures"]["open"] == 8
    assert (village["code"], village["figures"]["open"]) == ("village", 4)
    below = await asked(akim(busy, "akim-of-centre"), "/v1/control/territories?under=village")
    own = await asked(akim(busy, "akim-of-village"), "/v1/control/territories")
    assert below["node"] == own["node"] == village
    assert below["items"] == own["items"] == []
    city = await asked(akim(busy, "akim"), "/v1/control/territories?under=centre")
    assert (city["node"], city["items"]) == (centre["node"], centre["items"])


@pytest.mark.parametrize("name", SEES)
async def test_what_lies_elsewhere_is_told_as_what_does_not_exist(busy: Town, name: str):
    callers = akim(busy, name)
    for code in sorted({"centre", "village", "left"} - SEES[name] | {"nowhere"}):
        for path in ("territories?under={}", "appeals?territory={}"):
            answer = await callers.call("GET", f"/v1/control/{path.format(code)}", role=Role.AKIM)
            assert_problem(answer, 404, "not-found")


@pytest.mark.parametrize("name", SEES)
async def test_the_lists_behind_the_figures_are_as_long(busy: Town, name: str):
    callers = akim(busy, name)
    for code in SEES[name]:
        node = (await asked(callers, f"/v1/control/territories?under={code}"))["node"]
        listed = await asked(callers, f"/v1/control/appeals?matter=open&territory={code}")
        assert len(listed["items"]) == node["figures"]["open"] > 0
    everything = await asked(callers, "/v1/control/appeals?matter=open")
    districts = {one["location"]["district"] for one in everything["items"]}
    assert districts == SEES[name]
    organisations = await asked(callers, "/v1/control/organisations")
    assert organisations["node"]["figures"]["open"] == len(everything["items"])
    figures = await asked(callers, "/v1/statistics")
    assert figures["appeals"]["total"] == len(everything["items"])


@pytest.mark.parametrize("name", SEES)
async def test_a_circle_is_told_to_the_akims_above_where_it_was_gone(busy: Town, name: str):
    path = "/v1/routing/coverage?lack=redirect-circle"
    (found,) = (await asked(akim(busy, name), path))["items"]
    # In each quarter two went it.
    assert str(2 * len(SEES[name])) in re.findall(r"\d+", found["what"])
    for code in ("centre", "village", "left"):
        told = await asked(akim(busy, name), f"{path}&district={code}")
        assert len(told["items"]) == (code in SEES[name])


async def test_a_village_that_is_put_elsewhere_is_seen_from_there(busy: Town):
    """The last of this module. Each is asked about as one who comes with their token anew."""
    number = (await busy.callers(Place.BELOW).register())["number"]

    await write_district(busy.house, "village", "left")
    for name, districts in (
        ("akim-of-centre", {"centre"}), ("akim-of-left", {"left", "village"}),
        ("akim-of-village", {"village"}),
    ):  # fmt: skip
        found = await busy.house.tokens.find(busy.tokens[name])
        assert found is not None
        assert found[0].confined == frozenset(districts)
        read = await busy.house.lists.appeals(found[0], AppealFilter(), None, 100)
        assert {one.place.district for one in read} == districts
        assert (number in {one.number for one in read}) == ("village" in districts)
