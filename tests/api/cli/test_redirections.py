"""What was passed on in a circle is told by the check of the routing, and fails nobody."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from domain.access import Role
from domain.appeals.commands import Assign, Decline
from domain.appeals.workflow import Action
from tests.support.appeals import perform, register
from tests.support.city import KISHI, MANHOLE

DAY = timedelta(days=1)


async def passed_round(house: Any, days: int, *, declined: bool = False) -> str:
    """An appeal that went from the water utility to the department and back, so long ago."""
    at = house.now() - days * DAY
    appeal = await register(house, at=at)
    asks = partial(perform, house, appeal, role=Role.INSPECTOR)
    there, back = Assign(KISHI.department, "олардікі"), Assign(KISHI.water, "олардікі емес")
    await asks(Action.REDIRECT, there, at=at + timedelta(hours=1))
    if declined:
        await perform(
            house, appeal, Action.DECLINE, Decline("біздікі емес"),
            organisation=KISHI.department, at=at + timedelta(hours=2),
        )  # fmt: skip
    again = Action.ASSIGN if declined else Action.REDIRECT
    await asks(again, back, at=at + timedelta(hours=3))
    return str(appeal.number)


@pytest.fixture(scope="module")
async def lived(house):
    """Three circles: of yesterday, declined in a week, and of half a year ago; one straight way."""
    for days, declined in ((1, False), (7, True), (180, False)):
        await passed_round(house, days, declined=declined)
    straight = await register(house)
    away = Assign(KISHI.department, "олардікі")
    await perform(house, straight, Action.REDIRECT, away, role=Role.INSPECTOR)


def checked(ikomek: Any, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ikomek("routing", "check", "--json", *arguments).out)
    found["circles"] = [e for e in found["findings"] if e["lack"] == "redirect-circle"]
    return found


def test_circles_of_real_appeals_are_told_as_a_warning_with_their_number(ikomek, lived):
    found = checked(ikomek)
    (circle,) = found["circles"]
    assert circle["severity"] == "warning"
    assert circle["services"] == [MANHOLE]
    assert set(circle["organisations"]) == {str(KISHI.water), str(KISHI.department)}
    assert "In the last 90 days 2 appeals" in circle["what"]
    assert found["warnings"] == 1


@pytest.mark.parametrize(("days", "count"), [(365, "3 appeals"), (3, None), (0, None)])
def test_how_far_back_is_asked(ikomek, lived, days, count):
    circles = checked(ikomek, "--days", days)["circles"]
    assert [count in each["what"] for each in circles] == ([True] if count else [])


@pytest.mark.parametrize(
    ("language", "said"), [("kk", "90 күнде 2 өтініш"), ("ru", "по кругу"), ("en", "went round")]
)
def test_a_circle_is_told_in_the_language_asked_for(ikomek, lived, language, said):
    (circle,) = checked(ikomek, "--language", language)["circles"]
    assert said in circle["what"]


def test_a_circle_that_really_was_fails_only_who_asks_for_it(ikomek, lived, tmp_path):
    draft = tmp_path / "draft.yaml"
    firm = "contacts: {phone: +7 7222 10 10 10}, names: {kk: a, ru: a, en: a}"
    draft.write_text(
        "organisations:\n"
        + "".join(
            f"- {{code: {code}, kind: {kind}, calendar: around-the-clock, {firm}}}\n"
            for code, kind in (("water", "utility"), ("department", "city-department"))
        )
        + "territories:\n- {code: all, kind: city, names: {kk: a, ru: a, en: a}}\n"
        + "responsibilities:\n- {selector: '*', territory: all, organisation: water}\n"
    )
    answer = ikomek("routing", "check", "--with", draft)
    assert answer.status == 0, answer.out
    assert "redirect-circle" in answer.out
    assert ikomek("routing", "check", "--with", draft, "--strict").status == 1
    assert ikomek("routing", "check", "--with", draft, "--strict", "--days", 0).status == 0
    assert ikomek("routing", "check", "--days", -1).status == 2
