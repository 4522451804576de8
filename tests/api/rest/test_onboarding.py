"""An organisation is taken in by one call, whole or not at all."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.access import NOBODY, Role
from domain.identity.clients import hash_secret
from tests.support.city import KISHI
from tests.support.members import iin, person
from tests.support.rest import Callers, assert_problem, pointers
from tests.support.sql import fetch
from tests.support.worker import eventually

ADMIN = Role.ADMINISTRATOR
PATH = "/v1/organisations/onboard"


def newcomer(code: str, **changes: Any) -> dict[str, Any]:
    return {
        "organisation": {
            "code": code,
            "kind": "housing",
            "names": {"kk": "Аида ПИК", "ru": "КСК Аида"},
            "parent": str(KISHI.department),
            "contacts": {"phone": "+7 722 256 00 00"},
        },
        "administrator": {"name": "Болат Ахметов", "iin": iin(1)},
        "client": "Диспетчерская Аида",
        "webhook": {"url": "https://aida.example.kz/109", "event_types": ["appeal.assigned"]},
    } | changes


async def count(callers: Callers) -> tuple[int, ...]:
    tables = ("organisation", "invitation", "client", "webhook_endpoint", "member_event")
    rows = [await fetch(callers.house, f"SELECT count(*) AS n FROM {name}") for name in tables]
    return tuple(row[0]["n"] for row in rows)


async def test_one_call_makes_everything_and_shows_each_secret_once(callers: Callers):
    key = uuid4().hex
    answer = await callers.call("POST", PATH, newcomer("aida"), role=ADMIN, key=key)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    home = UUID(made["organisation"]["id"])
    assert made["organisation"]["parent"] == str(KISHI.department)
    assert made["webhook"]["secret"].startswith("whsec_")
    (client,) = await fetch(
        callers.house,
        "SELECT c.*, s.hash FROM client c JOIN client_secret s ON s.client_id = c.id"
        " WHERE c.id = $1",
        UUID(made["client"]["client_id"]),
    )
    assert client["hash"] == hash_secret(made["client"]["client_secret"])
    assert (client["organisation_id"], client["role"]) == (home, "executor")
    (endpoint,) = await fetch(
        callers.house, "SELECT * FROM webhook_endpoint WHERE organisation_id = $1", home
    )
    assert endpoint["event_types"] == ["appeal.assigned"]
    before = await count(callers)
    again = await callers.call("POST", PATH, newcomer("aida"), role=ADMIN, key=key)
    assert again.json() == made
    assert await count(callers) == before
    house = callers.house
    joined = await house.people.redeem(made["invitation"]["secret"], person(1), house.now())
    assert (joined.role, joined.organisation) == (ADMIN, home)

    async def known() -> bool:
        path = f"/v1/organisations/{home}"
        return (await callers.call("GET", path, role=ADMIN)).status_code == 200

    await eventually(known)


async def test_a_code_that_is_taken_changes_nothing(callers: Callers):
    before = await count(callers)
    answer = await callers.call("POST", PATH, newcomer("water"), role=ADMIN)
    assert "water" in assert_problem(answer, 409, "conflict")["detail"]
    assert await count(callers) == before


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"webhook": {"url": "https://"}}, {"/webhook/url": "host-missing"}),
        (
            {"webhook": {"url": "https://a.kz", "event_types": ["appeal.sung"]}},
            {"/webhook/event_types/0": "unknown"},
        ),
        ({"administrator": {"iin": "900101300018"}}, {"/administrator/iin": "iin"}),
    ],
)
async def test_what_is_wrong_in_a_part_leaves_nothing_of_the_whole(
    callers: Callers, changes: dict[str, Any], faults: dict[str, str]
):
    before = await count(callers)
    answer = await callers.call("POST", PATH, newcomer("half", **changes), role=ADMIN)
    assert answer.status_code == 422
    assert "900101300018" not in answer.text
    assert pointers(answer) == faults
    assert await count(callers) == before


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("parent", str(NOBODY), "unknown-organisation"),
        ("district", "nowhere", "unknown-district"),
        ("calendar", "never", "unknown-calendar"),
    ],
)
async def test_an_organisation_stands_in_the_city_that_there_is(
    callers: Callers, field: str, value: str, rule: str
):
    said = newcomer("elsewhere")
    said["organisation"][field] = value
    answer = await callers.call("POST", PATH, said, role=ADMIN)
    assert pointers(answer) == {f"/organisation/{field}": rule}


async def test_an_organisation_may_begin_with_an_invitation_alone(callers: Callers):
    said = {"organisation": newcomer("plain")["organisation"]}
    made = (await callers.call("POST", PATH, said, role=ADMIN)).json()
    assert made["client"] is made["webhook"] is None
    assert made["invitation"]["role"] == "administrator"
