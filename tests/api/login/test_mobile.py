"""A login by a signature of eGov Mobile: the browser shows a code, a telephone reads and signs."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
import pytest

from api.bootstrap import House
from domain.access import Role
from domain.identity.model import Subject
from domain.identity.signing import LASTS
from tests.support.city import KISHI
from tests.support.login import APP, BASE, Desk, location, open_desk, ticket_of
from tests.support.providers import Peer, running_peer
from tests.support.telephone import IIN, Telephone, authority

CENTRE = {"nameKz": "109", "nameRu": "109", "nameEn": "109", "bin": "991240000003"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    pem = tmp_path_factory.mktemp("authority") / "ca.pem"
    pem.write_bytes(authority().pem)
    with running_peer("tests.peers.ncanode", "--authority", str(pem)) as url:
        yield Peer(url)


@pytest.fixture(scope="module")
def telephone() -> Telephone:
    return authority().telephone()


@pytest.fixture
async def desk(house: House, node: Peer, tmp_path: Path) -> AsyncIterator[Desk]:
    node.mood()
    mobile = {"organisation": CENTRE, "ncanode": node.url, "timeout_seconds": 1.5}
    async with open_desk(house, tmp_path, mobile=mobile) as found:
        yield found


class Code:
    """A code on the screen, as the telephone reads it; nothing else of the browser's is known."""

    def __init__(self, desk: Desk, page: httpx2.Response) -> None:
        link = unescape(page.text.split('class="way" href="')[1].split('"')[0])
        assert link.startswith("https://m.egov.kz/mobileSign/?link=http")
        (self.about,) = parse_qs(urlsplit(link).query)["link"]
        self._desk = desk

    async def description(self) -> httpx2.Response:
        async with self._desk.browser() as application:
            return await application.get(self.about)

    async def get(self, token: str | None = None) -> httpx2.Response:
        return await self._ask("GET", token=token)

    async def put(self, xml: str, **changes: Any) -> httpx2.Response:
        said = (await self.get()).json()
        said["documentsToSign"][0]["documentXml"] = xml
        return await self._ask("PUT", json=said | changes)

    async def document(self) -> str:
        found: str = (await self.get()).json()["documentsToSign"][0]["documentXml"]
        return found

    async def _ask(self, method: str, token: str | None = None, **body: Any) -> httpx2.Response:
        document = (await self.description()).json()["document"]
        assert document["auth_type"] == "Token"
        bearer = {"authorization": f"Bearer {token or document['auth_token']}"}
        async with self._desk.browser() as application:
            return await application.request(method, document["uri"], headers=bearer, **body)


async def shown(browser: httpx2.AsyncClient, desk: Desk, handle: str = "by-code") -> str:
    desk.waiting.ask(handle)
    return location(await browser.get("/login", params={"request": handle}))


async def test_a_resident_signs_on_the_telephone_and_the_browser_goes_on(
    desk: Desk, telephone: Telephone
):
    async with desk.browser() as browser:
        waiting = await shown(browser, desk)
        page = await browser.get(waiting)
        assert '<meta http-equiv="refresh" content="4">' in page.text
        assert "<svg" in page.text
        code = Code(desk, page)
        signed = await code.put(telephone.sign(await code.document()))
        assert (signed.status_code, signed.text) == (200, "success")
        consent = await browser.get(location(await browser.get(waiting)))
        assert "СЕРІКОВА АЙГҮЛ МАРАТҚЫЗЫ" in consent.text
        form = {"ticket": ticket_of(consent), "decision": "yes"}
        assert location(await browser.post("/login/consent", data=form)) == f"{APP}?code=the-code"
    assert list(desk.people.residents) == [IIN]


async def test_the_description_is_that_of_the_protocol(desk: Desk):
    async with desk.browser() as browser:
        code = Code(desk, await browser.get(await shown(browser, desk)))
    told = (await code.description()).json()
    assert set(told) == {"description", "expiry_date", "organisation", "document"}
    assert told["organisation"] == CENTRE
    assert BASE in told["description"], "whoever signs sees for whom"
    left = datetime.fromisoformat(told["expiry_date"]) - datetime.now(UTC)
    assert timedelta() < left <= LASTS
    said = (await code.get()).json()
    assert said["signMethod"] == "XML"
    (document,) = said["documentsToSign"]
    assert document["id"] == 1
    assert re.fullmatch(
        r"<login><service>http://109\.example</service><nonce>[\w-]{43}</nonce><at>[^<]+</at>"
        "</login>",
        document["documentXml"],
    )


async def test_every_code_has_a_nonce_of_its_own(desk: Desk, telephone: Telephone):
    async with desk.browser() as browser, desk.browser() as other:
        first = Code(desk, await browser.get(await shown(browser, desk, "first")))
        second = Code(desk, await other.get(await shown(other, desk, "second")))
    signed = telephone.sign(await first.document())
    assert (await second.put(signed)).status_code == 403, "a signature of another login"
    assert (await first.put(signed)).status_code == 200


async def test_a_signature_is_taken_once(desk: Desk, telephone: Telephone):
    async with desk.browser() as browser:
        waiting = await shown(browser, desk)
        code = Code(desk, await browser.get(waiting))
        uri, signed = code.about, telephone.sign(await code.document())
        assert (await code.put(signed)).status_code == 200
        async with desk.browser() as application:
            assert (await application.get(uri)).status_code == 404
        back = location(await browser.get(waiting))
        assert (await browser.get(back)).status_code == 200
        assert (await browser.get(back)).status_code == 400
        assert (await browser.get(waiting)).status_code == 400


async def test_whoever_signed_is_let_in_where_the_login_began_alone(
    desk: Desk, telephone: Telephone
):
    async with desk.browser() as browser, desk.browser() as thief:
        waiting = await shown(browser, desk)
        code = Code(desk, await browser.get(waiting))
        await code.put(telephone.sign(await code.document()))
        back = location(await thief.get(waiting))
        assert (await thief.get(back)).status_code == 400
        assert (await browser.get(back)).status_code == 200


async def test_the_code_does_not_tell_the_page(desk: Desk):
    # Whoever photographs the screen can sign, and cannot come back in the browser's place.
    async with desk.browser() as browser:
        waiting = await shown(browser, desk)
        page = await browser.get(waiting)
    assert waiting.rpartition("/")[2] not in page.text


@pytest.mark.parametrize("token", ["x", "ключ", ""])
async def test_the_document_is_for_whom_it_was_described_to(desk: Desk, token: str):
    async with desk.browser() as browser:
        code = Code(desk, await browser.get(await shown(browser, desk)))
        document = (await code.description()).json()["document"]
        headers = {b"authorization": f"Bearer {token}".encode()}
        for method in ("GET", "PUT"):
            answer = await browser.request(method, document["uri"], headers=headers)
            assert answer.status_code == 401


ONE = {"valid": True}
NOT_GOOD: list[dict[str, Any]] = [
    {"revoked": True},
    {"status": 400},
    {"answer": {"valid": False}},
    {"answer": {"valid": True, "signers": []}},
    {"answer": {"valid": True, "signers": [{}, {}]}},
    {"answer": {"valid": "true", "signers": [ONE]}},
    {"answer": {"valid": True, "signers": [ONE]}},
    {"answer": {"valid": True, "signers": ["x"]}},
]


@pytest.mark.parametrize("mood", NOT_GOOD, ids=str)
async def test_a_signature_that_is_not_good_logs_nobody_in(
    desk: Desk, node: Peer, telephone: Telephone, mood: dict[str, Any]
):
    async with desk.browser() as browser:
        waiting = await shown(browser, desk)
        code = Code(desk, await browser.get(waiting))
        node.mood(**mood)
        assert (await code.put(telephone.sign(await code.document()))).status_code == 403
        assert (await browser.get(waiting)).status_code == 200, "and may be signed again"
        node.mood()
        assert (await code.put(telephone.sign(await code.document()))).status_code == 200


@pytest.mark.parametrize(
    "mood", [{"status": 503}, {"slow": 2.5}, {"answer": []}, {"answer": "x" * 300_000}],
    ids=["down", "slow", "odd", "huge"],
)  # fmt: skip
async def test_whoever_cannot_be_judged_now_may_come_again(
    desk: Desk, node: Peer, telephone: Telephone, mood: dict[str, Any]
):
    async with desk.browser() as browser:
        code = Code(desk, await browser.get(await shown(browser, desk)))
    node.mood(**mood)
    assert (await code.put(telephone.sign(await code.document()))).status_code == 503


@pytest.mark.parametrize(
    ("serial", "common"),
    [(None, "X"), ("IIN991231600003", "X"), ("BIN991240000003", "X"), ("IIN99123160000", "X"),
     (None, "X, SERIALNUMBER=IIN991231600002"), ("x, SERIALNUMBER=IIN991231600002", "X")],
)  # fmt: skip
async def test_a_certificate_that_names_nobody_logs_nobody_in(
    desk: Desk, serial: str | None, common: str
):
    async with desk.browser() as browser:
        code = Code(desk, await browser.get(await shown(browser, desk)))
    stranger = authority().telephone(serial, common)
    assert (await code.put(stranger.sign(await code.document()))).status_code == 403


@pytest.mark.parametrize("which", ["another authority", "over", "not yet"])
async def test_a_certificate_that_is_not_in_force_logs_nobody_in(desk: Desk, which: str):
    stranger = {
        "another authority": lambda: authority("ANOTHER").telephone(),
        "over": lambda: authority().telephone(days=(-9, -1)),
        "not yet": lambda: authority().telephone(days=(1, 9)),
    }[which]()
    async with desk.browser() as browser:
        code = Code(desk, await browser.get(await shown(browser, desk)))
    assert (await code.put(stranger.sign(await code.document()))).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [{"documentsToSign": []}, {"documentsToSign": [{}]}, {"documentsToSign": "x"},
     {"documentsToSign": [{"documentXml": 7}]}, {"documentsToSign": [{"documentXml": "<login/>"}]}],
    ids=str,
)  # fmt: skip
async def test_what_is_no_signed_document_is_refused_and_not_even_judged(
    desk: Desk, node: Peer, changes: dict[str, Any]
):
    async with desk.browser() as browser:
        code = Code(desk, await browser.get(await shown(browser, desk)))
    assert (await code.put("", **changes)).status_code == 403


async def test_later_versions_of_the_judge_are_understood(
    desk: Desk, node: Peer, telephone: Telephone
):
    node.mood(nested=True)
    async with desk.browser() as browser:
        code = Code(desk, await browser.get(await shown(browser, desk)))
    assert (await code.put(telephone.sign(await code.document()))).status_code == 200


async def test_a_code_is_old_after_five_minutes(
    desk: Desk, telephone: Telephone, city_database: str
):
    async with desk.browser() as browser:
        waiting = await shown(browser, desk)
        code = Code(desk, await browser.get(waiting))
        with psycopg.connect(city_database, autocommit=True) as owner:
            owner.execute("UPDATE login_signing SET expires_at = now() - interval '1 second'")
        assert (await code.description()).status_code == 404
        page = await browser.get(waiting)
    assert page.status_code == 400
    assert "http-equiv" not in page.text, "and looks no more"


async def test_the_database_keeps_nothing_that_opens_a_signing(
    desk: Desk, telephone: Telephone, city_database: str
):
    async with desk.browser() as browser:
        waiting = await shown(browser, desk)
        code = Code(desk, await browser.get(waiting))
        token = (await code.description()).json()["document"]["auth_token"]
        await code.put(telephone.sign(await code.document()))
    secrets = [waiting.rpartition("/")[2], code.about.rpartition("/")[2], token, IIN, "СЕРІКОВА"]
    with psycopg.connect(city_database) as owner:
        rows = owner.execute("SELECT * FROM login_signing").fetchall()
    kept = b" ".join(bytes(value) for row in rows for value in row if isinstance(value, bytes))
    assert rows
    assert [secret for secret in secrets if secret.encode() in kept] == []


async def test_a_city_without_signing_has_no_such_addresses(house: House, tmp_path: Path):
    async with open_desk(house, tmp_path) as desk, desk.browser() as browser:
        assert (await browser.get("/login/mobile/x")).status_code == 404
        assert (await browser.get("/login/waiting/x")).status_code == 404


async def test_staff_may_sign_as_well(desk: Desk, telephone: Telephone):
    operator = Subject(KISHI.ident("x"), KISHI.id, Role.OPERATOR, KISHI.centre)
    desk.people.memberships = [operator]
    desk.waiting.ask("staff", staff=True)
    async with desk.browser() as browser:
        waiting = location(await browser.get("/login", params={"request": "staff"}))
        code = Code(desk, await browser.get(waiting))
        await code.put(telephone.sign(await code.document()))
        page = await browser.get(location(await browser.get(waiting)))
        await browser.post("/login/consent", data={"ticket": ticket_of(page), "decision": "yes"})
    assert desk.waiting.granted["staff"][0] == operator
