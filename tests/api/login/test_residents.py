"""A resident logs in through eGov, from a client's request to its answer."""

import httpx2
import pytest

from domain.access import Role
from tests.peers.egov import BASIC, TOKEN
from tests.support.login import APP, Desk, location, query_of, ticket_of
from tests.support.providers import Peer

PHONE = "+77015550109"


async def departure(browser: httpx2.AsyncClient, handle: str) -> str:
    """Where the browser is sent: eGov is the only way in for residents."""
    return location(await browser.get("/login", params={"request": handle}))


async def arrival(
    browser: httpx2.AsyncClient, egov: Peer, handle: str, *, allow: bool = True
) -> httpx2.Response:
    told = egov.decide(await departure(browser, handle), allow=allow)
    return await browser.get("/login/callback/egov", params=told)


async def decide(
    browser: httpx2.AsyncClient, page: httpx2.Response, decision: str = "yes", **form: str
) -> httpx2.Response:
    said = {"ticket": ticket_of(page), "decision": decision, **form}
    return await browser.post("/login/consent", data=said)


async def test_a_resident_says_yes_and_the_client_gets_its_code(desk: Desk, egov: Peer):
    handle = desk.waiting.ask("a-request")
    async with desk.browser() as browser:
        page = await arrival(browser, egov, handle)
        assert "Серікова Айгүл Маратқызы" in page.text
        assert "Обращения читать" in page.text
        assert "iKOMEK &lt;109&gt;" in page.text, "a client's name is never markup"
        assert location(await decide(browser, page)) == f"{APP}?code=the-code"
    subject, scopes = desk.waiting.granted[handle]
    assert subject == desk.people.residents["991231600002"]
    assert subject.role is Role.CITIZEN
    assert scopes == {"appeals:read", "appeals:write"}


async def test_a_resident_says_no_and_the_client_learns_that_alone(desk: Desk, egov: Peer):
    handle = desk.waiting.ask("refused")
    async with desk.browser() as browser:
        answer = await decide(browser, await arrival(browser, egov, handle), "no")
    assert location(answer) == f"{APP}?error=access_denied"
    assert handle not in desk.waiting.granted


@pytest.mark.parametrize("tick", [True, False])
async def test_earlier_appeals_become_the_residents_by_their_tick_alone(
    desk: Desk, egov: Peer, tick: bool
):
    desk.people.earlier[PHONE] = 3
    handle = desk.waiting.ask("with-earlier")
    async with desk.browser() as browser:
        page = await arrival(browser, egov, handle)
        assert "+7 *** 09 (3)" in page.text
        assert "checked" not in page.text
        await decide(browser, page, **({"link": "yes"} if tick else {}))
    assert [phone for _, phone in desk.people.linked] == ([PHONE] if tick else [])


async def test_nothing_is_asked_about_appeals_where_there_are_none(desk: Desk, egov: Peer):
    async with desk.browser() as browser:
        page = await arrival(browser, egov, desk.waiting.ask("without"))
    assert 'name="link"' not in page.text


async def test_a_refusal_at_egov_is_told_and_can_be_mended(desk: Desk, egov: Peer):
    handle = desk.waiting.ask("thought-better")
    async with desk.browser() as browser:
        page = await arrival(browser, egov, handle, allow=False)
        assert page.status_code == 403
        assert "Вы отказались" in page.text
        assert f"/login?request={handle}" in page.text
        again = await arrival(browser, egov, handle)
        assert again.status_code == 200


async def test_whoever_gives_up_goes_back_to_the_client(desk: Desk, egov: Peer):
    handle = desk.waiting.ask("gave-up")
    async with desk.browser() as browser:
        page = await arrival(browser, egov, handle, allow=False)
        assert 'action="/login/leave"' in page.text
        answer = await browser.post("/login/leave", data={"request": handle})
        assert location(answer) == f"{APP}?error=access_denied"
        gone = await browser.post("/login/leave", data={"request": handle})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("mood", "status", "said"),
    [
        ({"code_seconds": 0}, 400, "Код входа устарел"),
        ({"status": {TOKEN: 500}}, 502, "eGov ответил ошибкой"),
        ({"slow": {BASIC: 2.5}}, 504, "eGov не отвечает"),
        ({"person": {"person": {"iin": "991231600003", "name": "А"}}}, 502, "ИИН"),
    ],
    ids=["expired", "failed", "slow", "malformed"],
)
async def test_each_fault_has_a_page_of_its_own(
    desk: Desk, egov: Peer, mood: dict[str, object], status: int, said: str
):
    handle = desk.waiting.ask("in-trouble")
    async with desk.browser() as browser:
        sent = await departure(browser, handle)
        egov.mood(**mood)
        page = await browser.get("/login/callback/egov", params=egov.decide(sent))
    assert page.status_code == status
    assert said in page.text
    assert "Войти снова" in page.text
    assert "991231600003" not in page.text
    assert desk.waiting.granted == {}


async def test_a_provider_that_is_gone_is_told(desk: Desk, egov: Peer):
    # As eGov tells it by the redirect: an error of its own.
    async with desk.browser() as browser:
        state = query_of(await departure(browser, desk.waiting.ask("gone")))["state"]
        told = {"error": "temporarily_unavailable", "state": state}
        page = await browser.get("/login/callback/egov", params=told)
    assert page.status_code == 502


async def test_a_request_that_nobody_made_or_that_is_over_is_told(desk: Desk):
    async with desk.browser() as browser:
        for query in ({}, {"request": "unknown"}):
            page = await browser.get("/login", params=query)
            assert page.status_code == 404
            assert "Этот запрос завершён" in page.text


async def test_a_request_that_ends_meanwhile_is_told(desk: Desk, egov: Peer):
    handle = desk.waiting.ask("ends")
    async with desk.browser() as browser:
        page = await arrival(browser, egov, handle)
        del desk.waiting.requests[handle]
        answer = await decide(browser, page)
    assert answer.status_code == 404
    assert "Этот запрос завершён" in answer.text


@pytest.mark.parametrize(
    ("language", "said"),
    [("kk", "Рұқсат бересіз бе?"), ("ru", "Разрешаете?"), ("en", "Do you allow it?")],
)
async def test_the_pages_speak_the_language_that_was_asked_for(
    desk: Desk, egov: Peer, language: str, said: str
):
    handle = desk.waiting.ask("speaking", language=language)
    async with desk.browser() as browser:
        page = await arrival(browser, egov, handle)
    assert said in page.text
    assert page.headers["content-language"] == language
    assert egov.asked()["languages"][-1] == language


async def test_an_error_before_anything_is_known_speaks_the_browsers_language(desk: Desk):
    async with desk.browser(**{"accept-language": "kk"}) as browser:
        page = await browser.get("/login/callback/egov", params={"state": "x", "code": "y"})
    assert page.status_code == 400
    assert "Бұл кіру осы браузерде басталмаған" in page.text
