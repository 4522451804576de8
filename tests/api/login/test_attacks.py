"""What somebody might try on a login, and what comes of it: nothing."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import httpx2
import psycopg
import pytest

from api.bootstrap import House
from api.login import pages
from tests.support.login import Desk, location, open_desk, query_of, ticket_of
from tests.support.providers import SECRET, Peer, brought_back, egov_entry


async def departed(browser: httpx2.AsyncClient, desk: Desk, handle: str = "h") -> str:
    desk.waiting.ask(handle)
    return location(await browser.get("/login", params={"request": handle}))


async def arrived(browser: httpx2.AsyncClient, desk: Desk, egov: Peer) -> httpx2.Response:
    told = egov.decide(await departed(browser, desk))
    return await browser.get("/login/callback/egov", params=told)


async def test_an_answer_of_somebody_elses_login_is_refused(desk: Desk, egov: Peer):
    # Login CSRF: the attacker logs in and sends the victim their own answer.
    async with desk.browser() as attacker, desk.browser() as victim:
        told = egov.decide(await departed(attacker, desk, "attackers"))
        await departed(victim, desk, "victims")
        page = await victim.get("/login/callback/egov", params=told)
        assert page.status_code == 400
        assert "начат не в этом браузере" in page.text
        fresh = await attacker.get("/login/callback/egov", params=told)
    assert fresh.status_code == 200, "and its owner may still use it"


async def test_a_request_that_began_in_another_browser_is_not_gone_on_with(desk: Desk):
    # Else its beginner would get the code of whoever was sent its address.
    desk.waiting.elsewhere.add(desk.waiting.ask("sent-by-somebody"))
    async with desk.browser() as browser:
        page = await browser.get("/login", params={"request": "sent-by-somebody"})
        left = await browser.post("/login/leave", data={"request": "sent-by-somebody"})
    assert (page.status_code, left.status_code) == (400, 400)
    assert "начат не в этом браузере" in page.text
    assert desk.waiting.refused == {}


async def test_a_state_is_good_once(desk: Desk, egov: Peer):
    async with desk.browser() as browser:
        told = egov.decide(await departed(browser, desk))
        assert (await browser.get("/login/callback/egov", params=told)).status_code == 200
        page = await browser.get("/login/callback/egov", params=told)
    assert page.status_code == 400


async def test_of_two_answers_at_once_one_is_taken(desk: Desk, egov: Peer):
    async with desk.browser() as browser:
        told = egov.decide(await departed(browser, desk))
        both = [browser.get("/login/callback/egov", params=told) for _ in range(2)]
        statuses = sorted(page.status_code for page in await asyncio.gather(*both))
    assert statuses == [200, 400]


@pytest.mark.parametrize("state", ["", "x", "A" * 43, "x" * 5000])
async def test_a_state_that_we_never_made_is_refused(desk: Desk, state: str):
    async with desk.browser() as browser:
        await departed(browser, desk)
        page = await browser.get("/login/callback/egov", params={"state": state, "code": "c"})
    assert page.status_code == 400


async def test_a_state_is_of_one_provider(desk: Desk, egov: Peer):
    # Mix-up: the answer of one provider is brought to the address of another.
    async with desk.browser() as browser:
        told = egov.decide(await departed(browser, desk))
        assert (await browser.get("/login/callback/water", params=told)).status_code == 400
        assert (await browser.get("/login/callback/nobody", params=told)).status_code == 404
        assert (await browser.get("/login/callback/egov", params=told)).status_code == 200


async def test_a_parameter_that_comes_twice_is_refused(desk: Desk, egov: Peer):
    async with desk.browser() as browser:
        told = egov.decide(await departed(browser, desk))
        query = httpx2.QueryParams([*told.items(), ("code", "another")])
        page = await browser.get("/login/callback/egov", params=query)
    assert page.status_code == 400


async def test_a_login_is_old_after_ten_minutes(desk: Desk, egov: Peer, city_database: str):
    async with desk.browser() as browser:
        told = egov.decide(await departed(browser, desk))
        with psycopg.connect(city_database, autocommit=True) as owner:
            owner.execute("UPDATE login_attempt SET expires_at = now() - interval '1 second'")
        assert (await browser.get("/login/callback/egov", params=told)).status_code == 400
        await departed(browser, desk)
        with psycopg.connect(city_database, autocommit=True) as owner:
            (left,) = owner.execute(
                "SELECT count(*) FROM login_attempt WHERE expires_at < now()"
            ).fetchone() or (None,)
    assert left == 0, "what is over is forgotten with the next login"


async def test_a_form_is_answered_once_and_by_its_browser(desk: Desk, egov: Peer):
    async with desk.browser() as browser, desk.browser() as other:
        form = {"ticket": ticket_of(await arrived(browser, desk, egov)), "decision": "yes"}
        await departed(other, desk, "others")
        assert (await other.post("/login/consent", data=form)).status_code == 400
        assert desk.waiting.granted == {}
        assert (await browser.post("/login/consent", data=form)).status_code == 303
        assert (await browser.post("/login/consent", data=form)).status_code == 400


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_of_another_site_is_refused(desk: Desk, egov: Peer, site: str):
    async with desk.browser() as browser:
        form = {"ticket": ticket_of(await arrived(browser, desk, egov)), "decision": "yes"}
        page = await browser.post("/login/consent", data=form, headers={"sec-fetch-site": site})
    assert page.status_code == 400
    assert desk.waiting.granted == {}


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b'{"ticket": "x"}', "application/json"), (b"ticket=%ff&ticket=x", None), (b"\xff", None),
     (b"ticket=" + b"x" * 20_000, None), (b"", None), (b"&".join([b"a=b"] * 30), None)],
    ids=["json", "twice", "bytes", "long", "empty", "many"],
)  # fmt: skip
async def test_a_form_that_no_page_of_ours_makes_is_refused(
    desk: Desk, content: bytes, kind: str | None
):
    headers = {"content-type": kind or "application/x-www-form-urlencoded"}
    async with desk.browser() as browser:
        page = await browser.post("/login/consent", content=content, headers=headers)
    assert page.status_code == 400


async def test_the_cookie_is_the_browsers_alone(
    house: House, egov: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EGOV_SECRET", SECRET)
    entry = egov_entry(egov.url)
    async with open_desk(house, tmp_path, entry, base_url="https://109.example") as desk:
        handle = desk.waiting.ask("secure")
        async with desk.browser() as browser:
            answer = await browser.get("/login", params={"request": handle})
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(
        r"__Host-ikomek-login=[\w-]{43}; HttpOnly; Max-Age=1800; Path=/; SameSite=lax; Secure",
        cookie,
    )


async def test_a_cookie_that_is_not_ours_binds_nothing(desk: Desk):
    async with desk.browser(cookie="ikomek-login=planted") as browser:
        answer = await browser.get("/login", params={"request": desk.waiting.ask("planted")})
    assert "planted" not in answer.headers["set-cookie"]


async def test_the_pages_let_nothing_foreign_in(desk: Desk, egov: Peer):
    async with desk.browser() as browser:
        page = await arrived(browser, desk, egov)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'; base-uri 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer", "an address holds a code"
    assert not re.search(r"<script|<img|<link|\son\w+=|url\(|https?://", page.text)
    assert page.text.count("<style>") == 1


@pytest.mark.parametrize(
    ("returns_to", "said"),
    [("kz.ikomek.app:", "form-action 'self' kz.ikomek.app:"),
     ("https://semey.gov.kz", "form-action 'self' https://semey.gov.kz"),
     ("https://x; script-src *", None), ("", None)],
)  # fmt: skip
async def test_the_form_leads_back_to_the_client_and_nowhere_else(
    desk: Desk, egov: Peer, returns_to: str, said: str | None
):
    async with desk.browser() as browser:
        desk.waiting.ask("returning", returns_to=returns_to)
        sent = location(await browser.get("/login", params={"request": "returning"}))
        page = await browser.get("/login/callback/egov", params=egov.decide(sent))
    policy = page.headers["content-security-policy"]
    assert "script-src" not in policy
    assert ("form-action" in policy) == (said is not None)
    assert said is None or policy.endswith(said)


async def test_what_a_provider_says_is_never_markup(desk: Desk, egov: Peer):
    egov.mood(person={"iin": "991231600002", "name": "<script>alert(1)</script>"})
    async with desk.browser() as browser:
        page = await arrived(browser, desk, egov)
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_look_at_the_callback_takes_nothing(desk: Desk, egov: Peer, method: str):
    async with desk.browser() as browser:
        told = egov.decide(await departed(browser, desk))
        looked = await browser.request(method, "/login/callback/egov", params=told)
        assert looked.status_code == 405
        assert (await browser.get("/login/callback/egov", params=told)).status_code == 200


async def test_the_database_keeps_nothing_that_opens_a_login(
    desk: Desk, egov: Peer, city_database: str
):
    async with desk.browser() as browser:
        sent = await departed(browser, desk)
        page = await browser.get("/login/callback/egov", params=egov.decide(sent))
        secrets = [query_of(sent)["state"], ticket_of(page), *browser.cookies.values(),
                   "991231600002", "Серікова", "+77015550109"]  # fmt: skip
    with psycopg.connect(city_database) as owner:
        rows = owner.execute("SELECT * FROM login_attempt").fetchall()
    kept = b" ".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for row in rows
        for value in row
    )
    assert rows
    assert [secret for secret in secrets if secret.encode() in kept] == []


async def test_the_platforms_role_may_use_a_step_and_not_rewrite_it(city_database: str):
    with psycopg.connect(city_database) as connection:
        connection.execute("SET ROLE ikomek_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE login_attempt SET sealed = '', browser = ''")


async def test_nonce_and_verifier_never_leave_for_the_wrong_place(desk: Desk):
    desk.waiting.ask("openid", staff=True)
    async with desk.browser() as browser:
        query = {"request": "openid", "provider": "water"}
        sent = location(await browser.get("/login", params=query))
        said = query_of(sent)
        assert len({said["state"], said["nonce"], said["code_challenge"]}) == 3
        told = brought_back(sent)
        forged = told | {"state": said["nonce"]}
        assert (await browser.get("/login/callback/water", params=forged)).status_code == 400


async def test_nobody_fills_the_table_by_one_request_that_waits(
    house: House, egov: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EGOV_SECRET", SECRET)
    few = replace(house, settings=house.settings.model_copy(update={"rate_limit": 2}))
    async with open_desk(few, tmp_path, egov_entry(egov.url)) as desk, desk.browser() as browser:
        for handle, path in (("waits", "/login?request=waits"), ("", "/invitation/x")):
            desk.waiting.ask(handle)
            statuses = [(await browser.get(path)).status_code for _ in range(3)]
            assert statuses == [303, 303, 429]
        desk.waiting.ask("another")
        assert (await browser.get("/login?request=another")).status_code == 303


def test_the_style_is_the_one_that_its_hash_names():
    page = pages.page("kk", "x", "y")
    assert f"'sha256-{pages._HASH}'" in page.headers["content-security-policy"]
    assert pages.STYLE.encode() in bytes(page.body)
