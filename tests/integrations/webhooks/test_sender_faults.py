"""Receivers that are slow, broken or hostile: each fault has a name and costs little."""

import asyncio
import gzip
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.webhooks.line import BODY_LIMIT
from integrations.webhooks.sender import SendError
from tests.integrations.webhooks.receiver import OK, authority, receiver, response
from tests.integrations.webhooks.test_sender import opened, post, send

SOON = timedelta(seconds=0.4)


BROKEN_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"


async def reset(writer):
    # Lingering for zero seconds turns a close into a reset.
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()


async def hang_up(writer):
    writer.close()


async def stay_silent(writer):
    await asyncio.sleep(1)


async def dribble_a_head(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(20):
        writer.write(b"X-Slow: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def only_ever_continue(writer):
    for _ in range(20):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


FAULTS = [
    (reset, SendError.CONNECTION_RESET),
    (hang_up, SendError.CONNECTION_RESET),
    (stay_silent, SendError.TIMED_OUT),
    (dribble_a_head, SendError.TIMED_OUT),
    (only_ever_continue, SendError.TIMED_OUT),
    (b"SSH-2.0-OpenSSH_9.9\r\n", SendError.BAD_RESPONSE),
    (b"\x00\xff\xfe" * 100, SendError.BAD_RESPONSE),
    (b"HTTP/1.1 OK\r\n\r\n", SendError.BAD_RESPONSE),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", SendError.BAD_RESPONSE),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", SendError.BAD_RESPONSE),
    (BROKEN_CHUNK, SendError.BAD_RESPONSE),
]
"""What receivers do before they have said a status, and its name."""


@pytest.mark.parametrize(("script", "error"), FAULTS)
async def test_a_fault_before_the_status_is_named(script, error):
    async with receiver(script) as there:
        slow = error is SendError.TIMED_OUT
        result = await send(there.url(), timeout=SOON if slow else timedelta(seconds=5))
    assert (result.status, result.error, result.body) == (None, error, "")


async def result_of(script, within):
    async with receiver(script) as there:
        return await send(there.url(), timeout=within)


def test_on_the_worker_s_own_loop_every_fault_has_the_same_name():
    """The worker's loop is uvloop's, whose sockets and TLS are its own."""

    async def all_of_them():
        tried = [(OK, None), *FAULTS]
        found = [
            await result_of(script, SOON if error is SendError.TIMED_OUT else timedelta(seconds=5))
            for script, error in tried
        ]
        server, _ = authority()
        async with receiver(tls=server) as strange:
            untrusted = await send(strange.url())
        closed = await send(strange.url())
        inner = await send("https://localhost/", allowed_networks=())
        assert [one.error for one in found] == [error for _, error in tried]
        assert found[0].status == 204
        assert untrusted.error == "tls-failed"
        assert closed.error == "not-connected"
        assert inner.error == "address-refused"

    def on_uvloop():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(all_of_them())

    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(on_uvloop).result(60)


async def test_a_closed_port_is_named():
    async with receiver() as there:
        pass
    assert (await send(there.url())).error == "not-connected"


async def test_a_name_server_that_never_answers_costs_the_time_out_and_no_more():
    async def lookup(host, port):
        await asyncio.sleep(5)
        return []

    result = await send("https://hook.kz/", lookup=lookup, timeout=SOON)
    assert result.error == "timed-out"
    assert 400 <= result.latency_ms < 3000


async def dribble_a_body(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(20):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def break_off_a_body(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
    await writer.drain()


@pytest.mark.parametrize(
    ("script", "error", "within"),
    [
        (dribble_a_body, SendError.BODY_TIMED_OUT, SOON),
        (break_off_a_body, SendError.BODY_BROKEN, timedelta(seconds=5)),
    ],
)
async def test_a_fault_in_the_body_keeps_the_status_and_what_was_read(script, error, within):
    result = await result_of(script, within)
    assert (result.status, result.error) == (200, error)
    assert 1 <= len(result.body) < 1000


async def test_of_an_endless_body_only_the_beginning_is_taken():
    sent = 0

    async def pour(writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 200_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with receiver(pour) as there:
        result = await send(there.url())
    assert (result.status, result.error) == (200, SendError.BODY_TOO_LARGE)
    assert result.body == "x" * BODY_LIMIT
    # What the kernels' buffers swallow, far from the 200 MB on offer.
    assert sent < 20_000_000


@pytest.mark.parametrize(
    ("size", "error"), [(0, None), (BODY_LIMIT, None), (BODY_LIMIT + 1, "body-too-large")]
)
async def test_a_body_is_kept_up_to_the_limit(size, error):
    async with receiver(response(200, body=b"y" * size)) as there:
        result = await send(there.url())
    assert (result.error, len(result.body)) == (error, min(size, BODY_LIMIT))


BOMB = gzip.compress(bytes(20_000_000))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, gzip"])
async def test_a_bomb_is_not_unpacked(encoding):
    async with receiver(response(200, f"Content-Encoding: {encoding}", body=BOMB)) as there:
        result = await send(there.url())
    assert (result.status, result.error, result.body) == (200, SendError.BODY_ENCODED, "")


async def test_a_bomb_without_its_label_is_so_much_noise():
    async with receiver(response(200, body=BOMB)) as there:
        result = await send(there.url())
    assert (result.status, result.error) == (200, SendError.BODY_TOO_LARGE)
    assert len(result.body) <= BODY_LIMIT


async def test_a_body_of_any_bytes_becomes_a_text_that_the_database_keeps():
    async with receiver(response(400, body=b"\x00\xff\xd2 " + "Қате".encode())) as there:
        result = await send(there.url())
    assert result.body == "\N{REPLACEMENT CHARACTER}" * 3 + " Қате"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=st.sampled_from(
        [
            b"",
            b"HTTP/1.1 ",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nSet-Cookie: ",
            b"HTTP/1.1 200 OK\r\nRetry-After: ",
            b"HTTP/1.1 101 X\r\n\r\n",
            OK,
            BROKEN_CHUNK,
        ]
    ),
    noise=st.binary(max_size=200),
)
async def test_no_answer_whatever_brings_the_sender_down(start, noise):
    async with receiver(start + noise) as there, opened(timeout=SOON) as sender:
        result = await post(sender, there.url())
    assert result.status is not None or result.error in set(SendError)


def pouring(head, drop, most=200_000_000):
    """A script that sends a head, then the same drop without end; and how much it could send."""
    sent = [0]

    async def pour(writer):
        writer.write(head)
        while sent[0] < most:
            writer.write(drop)
            await writer.drain()
            sent[0] += len(drop)

    return pour, sent


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "drop", "error"),
    [
        pytest.param(HEAD, b"X-Flood: 1\r\n" * 4096, "bad-response", id="headers"),
        pytest.param(HEAD, b"Set-Cookie: a=b\r\n" * 4096, "bad-response", id="cookies"),
        pytest.param(HEAD + b"X: ", b"a" * 65536, "bad-response", id="one-header"),
        pytest.param(b"HTTP/1.1 ", b"2" * 65536, "bad-response", id="status-line"),
        pytest.param(CHUNKED, b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n", "body-too-large",
                     id="chunks"),
        pytest.param(CHUNKED, b"1\r\nx\r\n" * 8192, "body-too-large", id="small-chunks"),
        pytest.param(CHUNKED + b"1;", b"e" * 65536, "body-broken", id="chunk-extension"),
        pytest.param(CHUNKED + b"0\r\n", b"X-Trailer: 1\r\n" * 4096, "bad-response", id="trailers"),
    ],
)  # fmt: skip
async def test_an_answer_without_end_ends_soon_and_costs_little(head, drop, error):
    pour, sent = pouring(head, drop)
    async with receiver(pour) as there:
        result = await send(there.url(), timeout=timedelta(seconds=10))
    assert result.error == error
    assert result.latency_ms < 5000
    assert len(result.body) <= BODY_LIMIT
    # What the kernels' buffers swallow, far from the 200 MB on offer.
    assert sent[0] < 20_000_000
