"""Members log in through eGov or their organisation's own provider, and take invitations."""

from uuid import UUID, uuid4

import httpx2
import pytest

from api.texts import CONFLICTS
from domain.access import Role
from domain.identity.model import Subject
from tests.support.city import KISHI
from tests.support.login import APP, Desk, location, ticket_of
from tests.support.providers import Peer, brought_back


def member(role: Role, organisation: UUID, city: UUID = KISHI.id) -> Subject:
    return Subject(uuid4(), city, role, organisation, "Айгүл")


OPERATOR = member(Role.OPERATOR, KISHI.centre)
EXECUTOR = member(Role.EXECUTOR, KISHI.water)


async def by_egov(
    browser: httpx2.AsyncClient, egov: Peer, path: str, **query: str
) -> httpx2.Response:
    sent = location(await browser.get(path, params={"provider": "egov", **query}))
    return await browser.get("/login/callback/egov", params=egov.decide(sent))


async def by_water(browser: httpx2.AsyncClient, path: str, **query: str) -> httpx2.Response:
    sent = location(await browser.get(path, params={"provider": "water", **query}))
    return await browser.get("/login/callback/water", params=brought_back(sent))


async def say_yes(
    browser: httpx2.AsyncClient, page: httpx2.Response, **form: str
) -> httpx2.Response:
    said = {"ticket": ticket_of(page), "decision": "yes", **form}
    return await browser.post("/login/consent", data=said)


async def test_staff_choose_how_to_come_in(desk: Desk):
    handle = desk.waiting.ask("choosing", staff=True)
    async with desk.browser() as browser:
        page = await browser.get("/login", params={"request": handle})
    assert page.status_code == 200
    assert f"?request={handle}&amp;lang=ru&amp;provider=egov" in page.text
    assert f"?request={handle}&amp;lang=ru&amp;provider=water" in page.text
    assert f"?request={handle}&amp;lang=kk" in page.text, "or in another language"
    assert "set-cookie" not in page.headers


async def test_a_member_of_one_organisation_is_asked_once(desk: Desk, egov: Peer):
    desk.people.memberships = [OPERATOR]
    handle = desk.waiting.ask("operator", staff=True)
    async with desk.browser() as browser:
        page = await by_egov(browser, egov, "/login", request=handle)
        assert 'name="member"' not in page.text
        assert location(await say_yes(browser, page)) == f"{APP}?code=the-code"
    assert desk.waiting.granted[handle][0] == OPERATOR
    assert desk.people.residents == {}, "nobody became a resident by it"


async def test_a_member_of_several_organisations_chooses(desk: Desk, egov: Peer):
    desk.people.memberships = [OPERATOR, EXECUTOR]
    handle = desk.waiting.ask("several", staff=True)
    async with desk.browser() as browser:
        page = await by_egov(browser, egov, "/login", request=handle)
        assert "centre: оператор" in page.text
        assert "water: исполнитель" in page.text
        await say_yes(browser, page, member=str(EXECUTOR.id))
    assert desk.waiting.granted[handle][0] == EXECUTOR


@pytest.mark.parametrize("chosen", [None, "4f1c2c1e-7e0f-4d3e-9a52-6f0d3f1b8a11", "no-id", ""])
async def test_nobody_is_taken_for_whom_they_did_not_choose(
    desk: Desk, egov: Peer, chosen: str | None
):
    desk.people.memberships = [OPERATOR, EXECUTOR]
    handle = desk.waiting.ask("unchosen", staff=True)
    async with desk.browser() as browser:
        page = await by_egov(browser, egov, "/login", request=handle)
        form = {} if chosen is None else {"member": chosen}
        assert (await say_yes(browser, page, **form)).status_code == 403
    assert handle not in desk.waiting.granted


async def test_who_left_between_login_and_yes_is_a_member_no_more(desk: Desk, egov: Peer):
    desk.people.memberships = [OPERATOR]
    async with desk.browser() as browser:
        handle = desk.waiting.ask("left", staff=True)
        page = await by_egov(browser, egov, "/login", request=handle)
        desk.people.memberships = []
        answer = await say_yes(browser, page)
    assert answer.status_code == 403
    assert desk.waiting.granted == {}


async def test_who_is_nobodys_member_is_told_what_to_do(desk: Desk, egov: Peer):
    async with desk.browser() as browser:
        handle = desk.waiting.ask("stranger", staff=True)
        page = await by_egov(browser, egov, "/login", request=handle)
    assert page.status_code == 403
    assert "Попросите приглашение" in page.text


async def test_an_organisations_own_provider_lets_its_members_in(desk: Desk):
    desk.people.memberships = [OPERATOR, EXECUTOR]
    handle = desk.waiting.ask("own", staff=True)
    async with desk.browser() as browser:
        page = await by_water(browser, "/login", request=handle)
        assert 'name="member"' not in page.text, "the other membership is none of its business"
        await say_yes(browser, page)
    assert desk.waiting.granted[handle][0] == EXECUTOR


async def test_an_organisations_own_provider_lets_nobody_elses_members_in(desk: Desk):
    # Else whoever runs a utility's directory could be the city's operator.
    elsewhere = member(Role.ADMINISTRATOR, KISHI.centre)
    desk.people.memberships = [OPERATOR, elsewhere]
    async with desk.browser() as browser:
        page = await by_water(browser, "/login", request=desk.waiting.ask("foreign", staff=True))
    assert page.status_code == 403


async def test_residents_do_not_come_in_through_an_organisation(desk: Desk):
    async with desk.browser() as browser:
        handle = desk.waiting.ask("resident")
        page = await browser.get("/login", params={"request": handle, "provider": "water"})
    assert page.status_code == 404
    assert desk.people.residents == {}


async def test_an_invitation_is_taken_after_a_login_and_a_yes(desk: Desk, egov: Peer):
    desk.people.invitations["an-invitation"] = EXECUTOR
    async with desk.browser() as browser:
        page = await by_egov(browser, egov, "/invitation/an-invitation")
        assert "Принять приглашение" in page.text
        assert desk.people.invitations["an-invitation"] == EXECUTOR, "a link alone takes nothing"
        done = await say_yes(browser, page)
    assert done.status_code == 200
    assert "water: исполнитель" in done.text
    assert desk.people.invitations["an-invitation"] != EXECUTOR


async def test_an_invitation_may_be_put_off(desk: Desk, egov: Peer):
    desk.people.invitations["later"] = EXECUTOR
    async with desk.browser() as browser:
        page = await by_egov(browser, egov, "/invitation/later")
        said = {"ticket": ticket_of(page), "decision": "no"}
        done = await browser.post("/login/consent", data=said)
    assert done.status_code == 200
    assert "Приглашение остаётся в силе" in done.text
    assert desk.people.invitations["later"] == EXECUTOR


async def test_an_invitation_that_makes_nobody_says_why(desk: Desk, egov: Peer):
    desk.people.invitations["used"] = "nothing-changed"
    async with desk.browser() as browser:
        page = await say_yes(browser, await by_egov(browser, egov, "/invitation/used"))
        assert page.status_code == 409
        assert CONFLICTS["nothing-changed"]["ru"] in page.text
        unknown = await say_yes(browser, await by_egov(browser, egov, "/invitation/unknown"))
    assert unknown.status_code == 404
    assert "Такого приглашения нет" in unknown.text


async def test_an_organisations_own_provider_takes_no_invitation_of_another(desk: Desk):
    elsewhere = member(Role.ADMINISTRATOR, KISHI.centre)
    desk.people.invitations["of-the-centre"] = elsewhere
    async with desk.browser() as browser:
        page = await by_water(browser, "/invitation/of-the-centre")
        answer = await say_yes(browser, page)
    assert answer.status_code == 403
    assert desk.people.invitations["of-the-centre"] == elsewhere, "it waits for whom it was meant"
