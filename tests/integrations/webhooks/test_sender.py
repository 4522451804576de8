import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from domain.webhooks.events import News, payload
from domain.webhooks.schedule import Outcome, next_attempt
from domain.webhooks.secrets import new_secret
from integrations.webhooks.addresses import parse_networks
from integrations.webhooks.sender import Sender
from tests.integrations.webhooks.receiver import OK, authority, receiver, response

OLD, NEW = (new_secret(bytes([number]) * 32) for number in (1, 2))
HERE = parse_networks(["127.0.0.1/32"])
BODY = payload(
    News(
        type="appeal.assigned",
        at=datetime(2026, 11, 2, 9, tzinfo=UTC),
        appeal_id=UUID(int=109),
        number="109-Ақмола-000123",
        sequence=3,
        status="assigned",
        service="Жылу жоқ, үйде әбден суық",
        organisation_id=None,
        link="https://109.kz/v1/appeals/109",
    )
)


# Reading the system's authorities takes longer than a test.
SYSTEM_TLS = ssl.create_default_context()


def opened(
    *,
    allowed_networks=HERE,
    allow_http=True,
    timeout=timedelta(seconds=5),
    tls=SYSTEM_TLS,
    lookup=None,
):
    """A sender that may reach this machine by http; tests say what differs."""
    return Sender(
        allowed_networks=allowed_networks,
        allow_http=allow_http,
        timeout=timeout,
        tls=tls,
        lookup=lookup,
    )


async def send(url, secrets=(NEW,), **options):
    async with opened(**options) as sender:
        return await post(sender, url, secrets)


async def post(sender, url, secrets=(NEW,)):
    return await sender.send(url, secrets, "evt_109", datetime.now(UTC), BODY)


@pytest.mark.parametrize("secrets", [(NEW,), (NEW, OLD), (OLD, NEW)])
async def test_a_receiver_behind_tls_verifies_the_message_with_either_secret(secrets):
    server, client = authority()
    async with receiver(tls=server) as there:
        result = await send(there.url(), secrets, tls=client, allow_http=False)
    (request,) = there.requests
    assert (result.status, result.error, result.body) == (204, None, "")
    assert request.body == BODY
    for secret in secrets:
        assert Webhook(secret).verify(request.body, request.headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body.replace(b"assigned", b"resolved"), request.headers)


async def test_the_request_is_the_plain_post_that_the_standard_describes():
    async with receiver() as there:
        await send(there.url(path="/109/%d2%9b?a=%2F&b=~%7E+x"))
    (request,) = there.requests
    assert request.line == "POST /109/%d2%9b?a=%2F&b=~%7E+x HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("iKomek-109")
    assert request.headers["webhook-id"] == "evt_109"


async def test_the_certificate_is_checked_against_the_name_though_the_address_is_pinned():
    server, client = authority()

    async def lookup(host, port):
        return ["127.0.0.1"]

    async with receiver(tls=server) as there, opened(tls=client, lookup=lookup) as sender:
        right = await post(sender, there.url("hook.kz"))
        wrong = await post(sender, there.url("other.kz"))
    assert (right.status, right.error) == (204, None)
    assert (wrong.status, wrong.error) == (None, "tls-failed")
    assert there.requests[0].headers["host"] == f"hook.kz:{there.port}"
    assert len(there.requests) == 1


async def test_an_unknown_authority_is_not_trusted():
    server, _ = authority()
    async with receiver(tls=server) as there:
        result = await send(there.url())
    assert (result.status, result.error) == (None, "tls-failed")
    assert not there.requests


async def test_a_receiver_that_speaks_no_tls_is_named():
    async def speak_first(reader, writer):
        writer.write(b"220 mail.kz ESMTP ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak_first, "127.0.0.1", 0)
    async with server:
        result = await send(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (result.status, result.error) == (None, "tls-failed")


async def test_plain_http_is_refused_unless_the_city_allows_it():
    async with receiver() as there:
        result = await send(there.url(), allow_http=False)
    assert (result.error, there.visited) == ("url-refused", False)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_no_redirect_is_ever_followed(status):
    async with receiver() as victim:
        away = response(status, f"Location: {victim.url()}")
        async with receiver(away) as there:
            result = await send(there.url())
    assert (result.status, there.visited, victim.visited) == (status, True, False)
    assert next_attempt(1, result, datetime.now(UTC), 0.5).outcome is Outcome.RETRY


async def test_a_wait_that_the_receiver_asks_for_is_passed_on():
    async with receiver(response(503, "Retry-After: 3600", body="Күте тұрыңыз".encode())) as there:
        result = await send(there.url())
    assert (result.status, result.body) == (503, "Күте тұрыңыз")
    assert result.retry_after == timedelta(hours=1)


async def test_cookies_of_one_attempt_are_not_shown_in_the_next():
    async def lookup(host, port):
        return ["127.0.0.1"]

    cookie = response(200, "Set-Cookie: session=1")
    async with receiver(cookie) as there, opened(lookup=lookup) as sender:
        await post(sender, there.url("hook.kz"))
        await post(sender, there.url("hook.kz"))
    assert [request.headers.get("cookie") for request in there.requests] == [None, None]


async def test_a_proxy_of_the_machine_is_not_used(monkeypatch):
    async with receiver() as proxy, receiver() as there:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        result = await send(there.url())
    assert (result.status, proxy.visited) == (204, False)


async def test_many_silent_receivers_do_not_stand_in_the_way_of_a_healthy_one():
    silence, crowded = asyncio.Event(), asyncio.Event()

    async def silent(writer):
        if dead.connections == 120:
            crowded.set()
        await silence.wait()

    async with receiver(silent) as dead, receiver() as healthy, opened() as sender:
        stuck = [asyncio.create_task(post(sender, dead.url())) for _ in range(120)]
        await crowded.wait()
        result = await post(sender, healthy.url())
        assert not any(task.done() for task in stuck)
        silence.set()
        await asyncio.gather(*stuck)
    assert result.status == 204


async def test_an_attempt_can_be_called_off():
    reached, never = asyncio.Event(), asyncio.Event()

    async def silent(writer):
        reached.set()
        await never.wait()

    async with receiver(silent) as there, opened() as sender:
        task = asyncio.create_task(post(sender, there.url()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        never.set()


async def test_what_the_caller_got_wrong_is_not_blamed_on_the_receiver():
    async with opened() as sender:
        with pytest.raises(ValueError, match="id"):
            await sender.send("https://hook.kz/", (NEW,), "a.b", datetime.now(UTC), BODY)
    with pytest.raises(RuntimeError, match="async with"):
        await post(sender, "https://hook.kz/")


async def test_the_time_of_an_attempt_is_measured():
    async def late(writer):
        await asyncio.sleep(0.1)
        writer.write(OK)

    async with receiver(late) as there:
        result = await send(there.url())
    assert 100 <= result.latency_ms < 5000


async def test_an_organisation_s_headers_stand_below_ours_and_frame_nothing():
    own = {
        "X-Gateway-Key": "k109",
        "Webhook-Id": "forged",
        "host": "inner.kz",
        "Content-Length": "0",
        "Transfer-Encoding": "chunked",
    }
    async with receiver() as there, opened() as sender:
        result = await sender.send(there.url(), (NEW,), "evt_109", datetime.now(UTC), BODY, own)
    (request,) = there.requests
    assert result.status == 204
    assert request.body == BODY
    assert request.headers["x-gateway-key"] == "k109"
    assert request.headers["webhook-id"] == "evt_109"
    assert request.headers["host"] == f"127.0.0.1:{there.port}"
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize(
    "own", [{"X-Key": "a\r\nX-Admin: 1"}, {"X-Key\r\nX-Admin": "1"}, {"X-Key": "a\nb"}]
)
async def test_no_header_breaks_out_of_its_line(own):
    async with receiver() as there, opened() as sender:
        result = await sender.send(there.url(), (NEW,), "evt_109", datetime.now(UTC), BODY, own)
    assert (result.status, there.visited) == (None, False)


async def test_each_attempt_has_a_connection_and_says_that_it_wants_no_other_answer_on_it():
    async with receiver() as there, opened() as sender:
        await post(sender, there.url())
        await post(sender, there.url())
    assert there.connections == 2
    assert {request.headers["connection"] for request in there.requests} == {"close"}


async def test_a_first_answer_that_only_says_wait_is_not_the_answer():
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with receiver(early + response(200, body=b"taken")) as there:
        result = await send(there.url())
    assert (result.status, result.body) == (200, "taken")
