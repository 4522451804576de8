"""Who logs in is one resident, however they come, and nobody else's."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from domain.access import Role
from domain.appeals.model import Applicant
from domain.errors import Conflict, NotFound
from domain.identity.errors import LoginReason, LoginRefused
from domain.members import use_cases
from domain.members.use_cases import Invite
from domain.register.chain import broken_link
from tests.support.appeals import register
from tests.support.city import CITIZEN_PHONE, KISHI
from tests.support.members import iin, person
from tests.support.sql import fetch


async def resident(house, who):
    return (await house.people.resident(KISHI.id, who, house.now())).id


async def row_of(house, citizen):
    (row,) = await fetch(house, "SELECT * FROM citizen WHERE id = $1", citizen)
    return row, orjson.loads(house.keyring.open(row["sealed"]))


async def test_the_same_iin_is_the_same_resident_by_whatever_door(house):
    first = await resident(house, person(1))
    again = await resident(house, person(1, phone="+77010000001"))
    aitu = await resident(house, person(1, provider="aitu", subject="a-1"))
    no_iin = await resident(house, person(1, provider="aitu", subject="a-1", iin=None))
    other = await resident(house, person(2))
    assert first == again == aitu == no_iin != other
    row, said = await row_of(house, first)
    assert row["iin_index"] == house.keyring.index(iin(1))
    assert said == {
        "name": "Серікова Айгүл Маратқызы", "phone": "+77010000001", "email": None, "iin": iin(1)
    }  # fmt: skip


async def test_two_first_logins_at_once_make_one_resident(house):
    found = await asyncio.gather(*(resident(house, person(3)) for _ in range(4)))
    assert len(set(found)) == 1


async def test_who_was_known_by_a_phone_is_the_same_when_the_phone_is_verified(house):
    who = person(4, phone=CITIZEN_PHONE)
    assert await resident(house, who) == KISHI.citizen
    row, said = await row_of(house, KISHI.citizen)
    assert row["iin_index"] == house.keyring.index(iin(4))
    assert said["phone"] == CITIZEN_PHONE


async def test_a_phone_with_another_name_is_another_person(house):
    phone = "+77010000005"
    mother = await phone_only(house, phone, "Болатова Жанар")
    son = await resident(house, person(5, phone=phone))
    assert son != mother
    assert (await row_of(house, mother))[1]["name"] == "Болатова Жанар"
    # Both bear the number; who has an IIN is found by that.
    assert await resident(house, person(5)) == son


async def test_a_phone_that_nobody_verified_joins_nobody(house):
    known = await phone_only(house, "+77010000006", "Серікова Айгүл")
    assert await resident(house, person(6)) != known


async def test_two_iins_are_never_one_resident(house):
    phone = "+77010000007"
    first = await resident(house, person(7, phone=phone))
    second = await resident(house, person(8, phone=phone))
    assert first != second
    await resident(house, person(7, provider="aitu", subject="shared"))
    with pytest.raises(LoginRefused) as refused:
        await resident(house, person(8, provider="aitu", subject="shared"))
    assert refused.value.params["reason"] is LoginReason.PERSON_MALFORMED
    assert iin(8) not in str(refused.value)


async def test_another_city_knows_nobody_of_this_one(house):
    from tests.support.city import ULKEN, write_small_city

    await write_small_city(house.engine, house.keyring, ULKEN)
    here = await resident(house, person(9))
    there = await house.people.resident(ULKEN.id, person(9), house.now())
    assert there.id != here


async def phone_only(house, phone, name):
    from integrations.postgres import office
    from integrations.postgres.doors import WORKER
    from integrations.postgres.engine import open_engine

    engine = open_engine(house.settings.database_url, role=WORKER)
    try:
        async with engine.begin() as connection:
            return await office.ensure_citizen(
                connection, KISHI.id, house.keyring, name=name, phone=phone
            )
    finally:
        await engine.dispose()


async def test_earlier_appeals_are_linked_with_consent_and_on_record(house):
    phone = "+77010000010"
    called = [await register(house, applicant=Applicant(None, "Айгүл", phone)) for _ in range(2)]
    await register(house, applicant=Applicant(None, "Айгүл", "+77010000011"))
    anonymous = await register(house, applicant=None, anonymous=True)
    who = person(10, phone=phone)
    me = await house.people.resident(KISHI.id, who, house.now())
    assert await house.people.linkable(me, who) == 2
    mine = KISHI.principal(Role.CITIZEN)
    from dataclasses import replace

    mine = replace(mine, id=me.id, citizen=me.id)
    with pytest.raises(NotFound):
        await house.queries.appeal(mine, called[0].number)
    assert await house.people.link(me, who, house.now()) == 2
    assert await house.people.linkable(me, who) == 0
    assert await house.people.link(me, who, house.now()) == 0
    for appeal in called:
        seen = await house.queries.appeal(mine, appeal.number)
        assert seen.applicant == Applicant(me.id, "Айгүл", phone)
        events = await house.queries.events(mine, appeal.number, internal=False, after=0, limit=9)
        assert events[-1]["type"] == "appeal.linked"
        assert events[-1]["actor"] == {
            "role": "citizen", "id": str(me.id), "organisation": None
        }  # fmt: skip
        assert phone not in orjson.dumps(events[-1]).decode()
        links = await fetch(
            house, "SELECT canonical FROM event WHERE appeal_id = $1 ORDER BY sequence", appeal.id
        )
        told = [(row["canonical"], orjson.loads(row["canonical"])["previous"]) for row in links]
        assert broken_link(told) is None
    assert (await house.queries.appeal(KISHI.principal(), anonymous.number)).applicant is None


async def test_without_a_verified_phone_nothing_is_linked(house):
    await register(house, applicant=Applicant(None, "A", "+77010000012"))
    who = person(12)
    me = await house.people.resident(KISHI.id, who, house.now())
    assert (
        await house.people.linkable(me, who) == await house.people.link(me, who, house.now()) == 0
    )


async def test_an_appeal_that_is_somebodys_is_not_given_to_another(house):
    phone = "+77010000013"
    appeal = await register(house, applicant=Applicant(None, "A", phone))
    first = await house.people.resident(KISHI.id, person(13, phone=phone), house.now())
    second = await house.people.resident(KISHI.id, person(14, phone=phone), house.now())
    assert await house.people.link(first, person(13, phone=phone), house.now()) == 1
    assert await house.people.link(second, person(14, phone=phone), house.now()) == 0
    seen = await house.queries.appeal(KISHI.principal(), appeal.number)
    assert seen.applicant.citizen == first.id


async def invitation(house, **said):
    asked: dict[str, Any] = {"organisation": KISHI.water, "role": Role.EXECUTOR} | said
    async with house.units.open(KISHI.principal(Role.ADMINISTRATOR)) as uow:
        _, secret = await use_cases.invite(
            Invite(**asked), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
        await uow.commit()
    return secret


async def test_whoever_was_let_go_lets_nobody_in_afterwards(house):
    secret = await invitation(house)
    who = KISHI.ident("member-administrator")
    await fetch(house, "UPDATE member SET state = 'suspended' WHERE id = $1", who)
    try:
        with pytest.raises(Conflict) as refused:
            await house.people.redeem(secret, person(30), house.now())
        assert refused.value.params["reason"] == "invitation-revoked"
    finally:
        await fetch(house, "UPDATE member SET state = 'active' WHERE id = $1", who)
    await house.people.redeem(secret, person(30), house.now())


async def test_an_invitation_makes_a_member_once(house):
    secret = await invitation(house, iin=iin(20))
    member = await house.people.redeem(secret, person(20), house.now())
    assert (member.role, member.organisation, member.name) == (
        Role.EXECUTOR, KISHI.water, "Серікова Айгүл Маратқызы"
    )  # fmt: skip
    assert await house.people.members(KISHI.id, person(20)) == [member]
    # By the provider's own name alone as well.
    assert await house.people.members(KISHI.id, person(20, iin=None, subject=iin(20))) == [member]
    assert await house.people.members(KISHI.id, person(21)) == []
    with pytest.raises(Conflict, match="invitation-used"):
        await house.people.redeem(secret, person(20), house.now())
    _, events = await house.rosters.member(KISHI.id, None, member.id)
    assert [event["type"] for event in events] == ["member.invited", "member.joined"]


async def test_nobody_takes_the_invitation_of_another(house):
    secret = await invitation(house, iin=iin(22))
    for stranger in (person(23), person(23, iin=None, subject="s", provider="own")):
        with pytest.raises(Conflict, match="invitation-of-another"):
            await house.people.redeem(secret, stranger, house.now())
    with pytest.raises(NotFound):
        await house.people.redeem(secret + "x", person(22), house.now())
    await house.people.redeem(secret, person(22), house.now())


async def test_an_invitation_ends_after_seven_days(house):
    secret = await invitation(house)
    late = house.now() + timedelta(days=7, seconds=1)
    with pytest.raises(Conflict, match="invitation-ended"):
        await house.people.redeem(secret, person(24), late)


async def test_two_who_take_one_invitation_at_once_make_one_member(house):
    secret = await invitation(house)
    taken = await asyncio.gather(
        *(house.people.redeem(secret, person(n), house.now()) for n in (25, 26, 27)),
        return_exceptions=True,
    )
    assert len([one for one in taken if isinstance(one, Conflict)]) == 2


async def test_who_is_suspended_does_not_come_in_by_another_invitation(house):
    kept_back = await invitation(house)
    member = await house.people.redeem(await invitation(house), person(28), house.now())
    await fetch(house, "UPDATE member SET state = 'suspended' WHERE id = $1", member.id)
    assert await house.people.members(KISHI.id, person(28)) == []
    with pytest.raises(Conflict, match="member-suspended"):
        await house.people.redeem(kept_back, person(28), house.now())
    await fetch(house, "UPDATE member SET state = 'left' WHERE id = $1", member.id)
    again = await house.people.redeem(kept_back, person(28), house.now())
    assert again.id != member.id


async def test_the_database_knows_no_secret_and_no_iin(house):
    secret = await invitation(house, iin=iin(29))
    await house.people.redeem(secret, person(29), house.now())
    for table in ("invitation", "identity", "member", "citizen"):
        rows = await fetch(house, f"SELECT x::text AS said FROM {table} x")
        text = "\n".join(row["said"] for row in rows)
        for hidden in (secret, iin(29), iin(29).encode().hex()):
            assert hidden not in text
