"""A wall that is moved stands where it was moved to: rights that end, end for tokens in use too."""

from uuid import UUID

import pytest

from domain.access import Role
from domain.values import new_id
from tests.support.city import KISHI
from tests.support.rest import Callers
from tests.support.sql import fetch
from tests.support.worker import eventually
from tests.walls.town import LEFT, Place, Town

FELT_WITHIN = 60.0
"""Seconds (docs/security.md). The tests do not wait so long: the door is told to forget sooner."""


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.auth.KNOWN_FOR", 0.2, raising=False)


async def _colleague(town: Town, role: Role) -> tuple[UUID, Callers]:
    """Somebody new at the water utility, whose token was used already."""
    id = new_id()
    await fetch(
        town.house,
        "INSERT INTO member (id, city_id, organisation_id, role, name) VALUES ($1, $2, $3, $4, $5)",
        id, KISHI.id, KISHI.water, str(role), "B. new",
    )  # fmt: skip
    token = await town.house.tokens.issue(KISHI.id, name="test", member=id)
    callers = Callers(town.app, town.house, KISHI, {role: token})
    assert (await callers.call("GET", "/v1/me", role=role)).status_code == 200
    return id, callers


async def _answers(callers: Callers, role: Role, path: str, status: int) -> None:
    async def answered() -> bool:
        return (await callers.call("GET", path, role=role)).status_code == status

    await eventually(answered, within=FELT_WITHIN)


async def test_who_is_suspended_is_asked_who_they_are(town: Town):
    id, callers = await _colleague(town, Role.EXECUTOR)
    await fetch(town.house, "UPDATE member SET state = 'suspended' WHERE id = $1", id)
    await _answers(callers, Role.EXECUTOR, "/v1/me", 401)


async def test_who_lost_a_role_lost_what_it_opened(town: Town):
    id, callers = await _colleague(town, Role.HEAD)
    assert (await callers.call("GET", "/v1/webhook-endpoints", role=Role.HEAD)).status_code == 200
    await fetch(town.house, "UPDATE member SET role = 'executor' WHERE id = $1", id)
    await _answers(callers, Role.HEAD, "/v1/webhook-endpoints", 403)


async def test_who_moved_to_another_organisation_sees_its_appeals_and_no_more_the_former(
    town: Town,
):
    ours = (await town.callers(Place.OURS).register())["number"]
    theirs = (await town.callers(Place.THEIRS).register())["number"]
    id, callers = await _colleague(town, Role.EXECUTOR)
    await _answers(callers, Role.EXECUTOR, f"/v1/appeals/{ours}", 200)
    await _answers(callers, Role.EXECUTOR, f"/v1/appeals/{theirs}", 404)
    await fetch(town.house, "UPDATE member SET organisation_id = $2 WHERE id = $1", id, LEFT.water)
    await _answers(callers, Role.EXECUTOR, f"/v1/appeals/{theirs}", 200)
    await _answers(callers, Role.EXECUTOR, f"/v1/appeals/{ours}", 404)
