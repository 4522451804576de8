"""People are let into organisations, sent away and let back, each step on record."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import ProgrammingError

from domain.access import Role
from domain.values import new_id
from tests.support.city import KISHI, write_small_city
from tests.support.members import employed, iin, invited, person, token_of
from tests.support.rest import Callers, assert_problem, issue_tokens, pointers
from tests.support.sql import fetch
from tests.support.worker import eventually

ADMIN = Role.ADMINISTRATOR
WHY = {"reason": "Демалыста"}


async def as_member(callers: Callers, role: Role, member: str) -> Callers:
    return replace(callers, tokens={role: await token_of(callers, member)})


async def water_administrator(callers: Callers) -> tuple[str, Callers]:
    """A fresh administrator of WATER, who is not alone."""
    await employed(callers, ADMIN)
    id = await employed(callers, ADMIN)
    return id, await as_member(callers, ADMIN, id)


async def test_an_invitation_is_shown_once_and_listed_without_its_secret(callers: Callers):
    made = await invited(callers, name="Болат", iin=iin(1))
    assert made["secret"].startswith("inv_")
    assert len(made["secret"]) > 40
    assert (made["state"], made["for_one_alone"], made["role"]) == ("open", True, "executor")
    listed = (await callers.call("GET", "/v1/invitations", role=ADMIN)).json()["items"]
    found = next(one for one in listed if one["id"] == made["id"])
    assert found == {name: said for name, said in made.items() if name != "secret"}
    assert iin(1) not in str(listed)


async def test_a_repeat_of_the_key_shows_the_same_invitation(callers: Callers):
    key = uuid4().hex
    body = {"organisation": str(KISHI.water), "role": "executor"}
    first, again = [
        await callers.call("POST", "/v1/invitations", body, role=ADMIN, key=key) for _ in range(2)
    ]
    assert first.json() == again.json()
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-store"


async def test_who_redeems_works_and_may_be_read_about(callers: Callers):
    made = await invited(callers)
    house = callers.house
    joined = await house.people.redeem(made["secret"], person(2), house.now())
    who = await as_member(callers, Role.EXECUTOR, str(joined.id))
    me = (await who.call("GET", "/v1/me", role=Role.EXECUTOR)).json()
    assert (me["id"], me["organisation"]) == (str(joined.id), str(KISHI.water))
    read = (await callers.call("GET", f"/v1/members/{joined.id}", role=ADMIN)).json()
    assert [event["type"] for event in read["events"]] == ["member.invited", "member.joined"]
    assert read["name"] == "Серікова Айгүл Маратқызы"


async def test_a_revoked_invitation_lets_nobody_in(callers: Callers):
    made = await invited(callers)
    path = f"/v1/invitations/{made['id']}/revoke"
    assert (await callers.call("POST", path, {}, role=ADMIN)).json()["state"] == "revoked"
    answer = await callers.call("POST", path, {}, role=ADMIN)
    assert_problem(answer, 409, "conflict")
    from domain.errors import Conflict

    with pytest.raises(Conflict, match="invitation-revoked"):
        await callers.house.people.redeem(made["secret"], person(3), callers.house.now())


async def test_a_suspended_members_token_stands_for_nobody_until_they_are_back(callers: Callers):
    id = await employed(callers)
    who = await as_member(callers, Role.EXECUTOR, id)
    path = f"/v1/members/{id}"
    suspended = await callers.call("POST", f"{path}/suspend", WHY, role=ADMIN)
    assert suspended.json()["state"] == "suspended"
    assert_problem(await who.call("GET", "/v1/me", role=Role.EXECUTOR), 401, "unauthenticated")
    twice = await callers.call("POST", f"{path}/suspend", WHY, role=ADMIN)
    assert assert_problem(twice, 409, "invalid-transition")["allowed"] == [
        "restore", "leave", "change_role"
    ]  # fmt: skip
    assert (await callers.call("POST", f"{path}/restore", WHY, role=ADMIN)).status_code == 200
    assert (await who.call("GET", "/v1/me", role=Role.EXECUTOR)).status_code == 200
    read = (await callers.call("GET", path, role=ADMIN)).json()
    assert [event["type"] for event in read["events"]] == ["member.suspended", "member.restored"]
    assert {event["reason"] for event in read["events"]} == {"Демалыста"}
    assert {event["actor"]["id"] for event in read["events"]} == {
        str(KISHI.ident("member-administrator"))
    }


async def test_who_left_stays_readable_and_what_they_did_stays(callers: Callers):
    id = await employed(callers, Role.OPERATOR, KISHI.centre)
    who = await as_member(callers, Role.OPERATOR, id)
    appeal = await who.register(Role.OPERATOR)
    left = await who.call("POST", f"/v1/members/{id}/leave", {}, role=Role.OPERATOR)
    assert left.json()["state"] == "left"
    read = (await callers.call("GET", f"/v1/members/{id}", role=Role.AUDITOR)).json()
    assert (read["name"], read["state"]) == ("Б. Жаңа", "left")
    events = (await callers.call("GET", f"/v1/appeals/{appeal['number']}/events")).json()["items"]
    assert events[0]["actor"]["id"] == id
    back = await callers.call("POST", f"/v1/members/{id}/restore", WHY, role=ADMIN)
    assert_problem(back, 409, "invalid-transition")


async def test_another_role_is_another_right(callers: Callers):
    id = await employed(callers)
    body = WHY | {"role": "head"}
    assert (await callers.call("POST", f"/v1/members/{id}/role", body, role=ADMIN)).json()[
        "role"
    ] == "head"
    same = await callers.call("POST", f"/v1/members/{id}/role", body, role=ADMIN)
    assert_problem(same, 409, "conflict")
    body = WHY | {"role": "inspector"}
    answer = await callers.call("POST", f"/v1/members/{id}/role", body, role=ADMIN)
    assert pointers(answer) == {"/role": "role-not-given-here"}


async def test_the_last_administrator_does_not_leave_silently(callers: Callers):
    house = callers.house
    await fetch(
        house,
        "UPDATE member SET state = 'left' WHERE role = 'administrator' AND organisation_id = $1",
        KISHI.department,
    )
    id = await employed(callers, ADMIN, KISHI.department)
    alone = await as_member(callers, ADMIN, id)
    path = f"/v1/members/{id}/leave"
    problem = assert_problem(await alone.call("POST", path, {}, role=ADMIN), 409, "conflict")
    assert "Сначала пригласите другого" in problem["detail"]
    other = await employed(callers, ADMIN, KISHI.department)
    assert (await alone.call("POST", path, {}, role=ADMIN)).status_code == 200
    # From above the last one may be taken away: the centre goes on managing.
    above = await callers.call("POST", f"/v1/members/{other}/leave", WHY, role=ADMIN)
    assert above.json()["state"] == "left"


async def test_two_last_administrators_cannot_leave_at_once(callers: Callers):
    import asyncio

    await fetch(
        callers.house,
        "UPDATE member SET state = 'left' WHERE role = 'administrator' AND organisation_id = $1",
        KISHI.department,
    )
    both = [await employed(callers, ADMIN, KISHI.department) for _ in range(2)]
    ways = [await as_member(callers, ADMIN, id) for id in both]
    answers = await asyncio.gather(
        *(
            way.call("POST", f"/v1/members/{id}/leave", {}, role=ADMIN)
            for way, id in zip(ways, both, strict=True)
        )
    )
    left = await fetch(
        callers.house,
        "SELECT count(*) AS n FROM member WHERE organisation_id = $1 AND role = 'administrator'"
        " AND active",
        KISHI.department,
    )
    assert left[0]["n"] >= 1
    assert sorted(answer.status_code for answer in answers)[0] == 200


async def test_an_administrator_who_leaves_takes_their_open_invitations_along(callers: Callers):
    id, way = await water_administrator(callers)
    made = await invited(way, by=ADMIN)
    assert (await way.call("POST", f"/v1/members/{id}/leave", {}, role=ADMIN)).status_code == 200
    listed = (await callers.call("GET", "/v1/invitations", role=ADMIN)).json()["items"]
    assert next(one for one in listed if one["id"] == made["id"])["state"] == "revoked"


async def test_an_administrator_sees_and_manages_what_is_below_and_nothing_else(callers: Callers):
    _, way = await water_administrator(callers)
    theirs, ours = await employed(callers), await employed(callers, organisation=KISHI.department)
    assert (await way.call("GET", f"/v1/members/{theirs}", role=ADMIN)).status_code == 200
    listed = (await way.call("GET", "/v1/members?limit=100", role=ADMIN)).json()["items"]
    assert {one["organisation"]["id"] for one in listed} == {str(KISHI.water)}
    for method, path, body in (
        ("GET", f"/v1/members/{ours}", None),
        ("POST", f"/v1/members/{ours}/suspend", WHY),
        ("POST", f"/v1/members/{ours}/leave", {}),
        ("POST", f"/v1/members/{ours}/role", WHY | {"role": "head"}),
    ):
        assert_problem(await way.call(method, path, body, role=ADMIN), 404, "not-found")
    for organisation, role, rule in (
        (KISHI.department, "executor", {"/organisation": "unknown-organisation"}),
        (KISHI.water, "auditor", {"/role": "role-not-given-here"}),
    ):
        body = {"organisation": str(organisation), "role": role}
        answer = await way.call("POST", "/v1/invitations", body, role=ADMIN)
        assert answer.status_code == 422
        assert pointers(answer) == rule


async def test_nobody_makes_themselves_more(callers: Callers):
    id, way = await water_administrator(callers)
    for action, body in (
        ("role", WHY | {"role": "head"}), ("suspend", WHY), ("restore", WHY)
    ):  # fmt: skip
        answer = await way.call("POST", f"/v1/members/{id}/{action}", body, role=ADMIN)
        assert_problem(answer, 403, "not-permitted")
    said: dict[str, Any] = {
        "organisation": {
            "code": "mine", "kind": "contact-centre", "names": {"kk": "М", "ru": "М"}
        }
    }  # fmt: skip
    answer = await way.call("POST", "/v1/organisations/onboard", said, role=ADMIN)
    assert_problem(answer, 403, "not-permitted")


async def test_a_member_of_another_city_does_not_exist(callers: Callers):
    from tests.support.city import ULKEN

    await write_small_city(callers.house.engine, callers.house.keyring, ULKEN)
    tokens = await issue_tokens(callers.house, ULKEN)
    stranger = replace(callers, tokens=tokens)

    async def known() -> bool:
        return (await stranger.call("GET", "/v1/me", role=ADMIN)).status_code == 200

    await eventually(known)
    id, made = await employed(callers), await invited(callers)
    for method, path, body in (
        ("GET", f"/v1/members/{id}", None),
        ("POST", f"/v1/members/{id}/suspend", WHY),
        ("POST", f"/v1/members/{id}/restore", WHY),
        ("POST", f"/v1/members/{id}/leave", {}),
        ("POST", f"/v1/members/{id}/role", WHY | {"role": "head"}),
        ("POST", f"/v1/invitations/{made['id']}/revoke", {}),
    ):
        foreign = await stranger.call(method, path, body, role=ADMIN)
        assert_problem(foreign, 404, "not-found")
        absent = await stranger.call(
            method, path.replace(id, str(new_id())).replace(made["id"], str(new_id())), body,
            role=ADMIN,
        )  # fmt: skip
        assert_problem(absent, 404, "not-found")
    assert id not in (await stranger.call("GET", "/v1/members?limit=100", role=ADMIN)).text


async def test_the_life_of_members_is_for_good(callers: Callers):
    await employed(callers)
    statements = (
        "UPDATE member_event SET type = 'x'", "DELETE FROM member_event", "DELETE FROM member",
        "DELETE FROM identity", "DELETE FROM invitation",
    )  # fmt: skip
    for statement in statements:
        async with callers.house.engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.exec_driver_sql(statement)


async def test_a_list_goes_on_where_it_ended(callers: Callers):
    for _ in range(3):
        await employed(callers)
    seen: list[UUID] = []
    path: str | None = "/v1/members?limit=2&role=executor"
    while path is not None:
        page = (await callers.call("GET", path, role=ADMIN)).json()
        seen += [one["id"] for one in page["items"]]
        path = f"/v1/members?limit=2&role=executor&cursor={page['next']}" if page["next"] else None
    assert len(seen) == len(set(seen)) >= 4
