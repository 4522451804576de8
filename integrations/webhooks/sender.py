"""One POST to one endpoint, from a city to whatever a stranger wrote into a form.

Everything outside is taken to be slow, broken or hostile: each fault becomes a named
result, nothing is followed, little is read, nothing is decompressed, and only addresses
that were checked are connected.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from domain.errors import Invalid
from domain.webhooks.model import AttemptResult
from domain.webhooks.urls import check_url
from integrations.webhooks import signing
from integrations.webhooks.addresses import AddressRefused, Network
from integrations.webhooks.resolver import (
    CheckedResolver,
    Lookup,
    SystemLookup,
    checked_sockets,
)
from integrations.webhooks.retry_after import parse_retry_after

BODY_LIMIT = 4096
"""How many bytes of an answer are read and kept."""

ANSWER_LIMIT = 1 << 20
"""How many bytes of an answer are taken off the wire at all: much more than its head, what is kept
of its body, and what one reading of a socket may bring.
"""

HEADERS = {
    "User-Agent": "iKomek-109-webhooks/1",
    "Content-Type": "application/json",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


class SendError(StrEnum):
    """What went wrong. The `body-…` ones come with a status, which alone decides delivery."""

    URL_REFUSED = "url-refused"
    ADDRESS_REFUSED = "address-refused"
    NAME_NOT_RESOLVED = "name-not-resolved"
    NOT_CONNECTED = "not-connected"
    TLS_FAILED = "tls-failed"
    CONNECTION_RESET = "connection-reset"
    TIMED_OUT = "timed-out"
    BAD_RESPONSE = "bad-response"
    BODY_TIMED_OUT = "body-timed-out"
    BODY_BROKEN = "body-broken"
    BODY_TOO_LARGE = "body-too-large"
    BODY_ENCODED = "body-encoded"


_ERRORS: tuple[tuple[type[Exception], SendError], ...] = (
    # The first that fits: aiohttp's narrower exceptions derive from its wider ones.
    (TimeoutError, SendError.TIMED_OUT),
    (Invalid, SendError.URL_REFUSED),
    (aiohttp.InvalidURL, SendError.URL_REFUSED),
    (aiohttp.ClientSSLError, SendError.TLS_FAILED),
    (ssl.SSLError, SendError.TLS_FAILED),
    (aiohttp.ClientConnectorDNSError, SendError.NAME_NOT_RESOLVED),
    (aiohttp.ClientConnectorError, SendError.NOT_CONNECTED),
    (aiohttp.ServerDisconnectedError, SendError.CONNECTION_RESET),
    (OSError, SendError.CONNECTION_RESET),
    # Whatever an answer makes a parser raise: a delivery that raised would be leased, tried
    # and lost again for ever, since only finished attempts are counted.
    (Exception, SendError.BAD_RESPONSE),
)


class Sender:
    """Sends messages; one per process, opened with `async with` in the loop that uses it.

    `allowed_networks` are private networks that the city lets its executors use (see
    addresses.parse_networks). `timeout` bounds an attempt from the name look-up to the
    last byte of the answer. `tls` and `lookup` are for cities with an authority or name
    servers of their own.
    """

    def __init__(
        self,
        *,
        allowed_networks: Sequence[Network] = (),
        allow_http: bool = False,
        timeout: timedelta = timedelta(seconds=15),
        tls: ssl.SSLContext | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._allowed = tuple(allowed_networks)
        self._allow_http = allow_http
        self._timeout = timeout.total_seconds()
        self._tls = tls or ssl.create_default_context()
        self._system_lookup = SystemLookup()
        self._lookup = lookup or self._system_lookup
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(self._lookup, self._allowed),
            socket_factory=checked_sockets(self._allowed),
            use_dns_cache=False,
            ssl=self._tls,
            # A connection per attempt: a kept one that the receiver closed fails the next
            # POST, and its address would outlive the check.
            force_close=True,
            # How many attempts run at once is the worker's business.
            limit=0,
        )
        # Not a public name, hence the tests of answers without end.
        bounded: type[ResponseHandler] = _Bounded
        connector._factory = partial(bounded, loop=asyncio.get_running_loop())
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers=HEADERS,
            auto_decompress=False,
            trust_env=False,
            read_bufsize=BODY_LIMIT,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._system_lookup.close()

    async def send(
        self,
        endpoint_url: str,
        secrets: Sequence[str],
        message_id: str,
        timestamp: datetime,
        body: bytes,
        headers: Mapping[str, str] | None = None,
    ) -> AttemptResult:
        """POST `body` as it is, signed with every secret at `timestamp` (the attempt's time).

        `headers` are the organisation's own; those of the standard stand above them.

        Never raises for anything outside: faults come back as `error`, a SendError.
        ValueError or RuntimeError for what the caller got wrong: an id, time or secret that
        cannot be signed, a Sender that is not open.
        """
        session = self._open_session()
        signed = {
            **(headers or {}),
            **signing.headers(secrets, message_id, timestamp, body),
        }
        started = time.monotonic()
        attempt = _Attempt(timestamp)
        try:
            target = _target(endpoint_url, self._allow_http)
            async with asyncio.timeout(self._timeout):
                async with session.post(
                    target, data=body, headers=signed, allow_redirects=False
                ) as response:
                    await attempt.read(response)
        except Exception as fault:
            attempt.error = attempt.name(fault)
        return attempt.result(latency=time.monotonic() - started)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            raise RuntimeError("a Sender sends inside its 'async with'")
        return self._session


class _Bounded(ResponseHandler):
    """A connection that hangs up on who sends without end where the parser keeps nothing, as
    extensions of chunks, and so holds nothing back either.
    """

    taken = 0

    def data_received(self, data: bytes) -> None:
        """Count, and let the parser read."""
        self.taken += len(data)
        if self.taken > ANSWER_LIMIT:
            if self.transport is not None:
                self.transport.abort()
            return
        super().data_received(data)


@lru_cache(maxsize=4096)
def _target(url: str, allow_http: bool) -> URL:
    """The checked URL, in which nothing is written anew: the path goes out as it was written."""
    check_url(url, allow_http)
    return URL(url, encoded=True)


class _Attempt:
    """What is known so far of an attempt; a fault midway keeps what came before it."""

    def __init__(self, timestamp: datetime) -> None:
        self.status: int | None = None
        self.error: SendError | None = None
        self._timestamp = timestamp
        self._body = bytearray()
        self._retry_after: timedelta | None = None

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Take the status, then at most BODY_LIMIT bytes of a body that is plain."""
        self.status = response.status
        self._retry_after = parse_retry_after(response.headers.get("Retry-After"), self._timestamp)
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            self.error = SendError.BODY_ENCODED
        else:
            await self._read_body(response.content)
        # The rest is not awaited: the connection goes.
        response.close()

    async def _read_body(self, content: aiohttp.StreamReader) -> None:
        while len(self._body) <= BODY_LIMIT:
            chunk = await content.read(BODY_LIMIT + 1 - len(self._body))
            if not chunk:
                return
            self._body += chunk
        self.error = SendError.BODY_TOO_LARGE

    def name(self, fault: Exception) -> SendError:
        """The name of a fault at the point that the attempt has reached."""
        if self.status is not None:
            timed_out = isinstance(fault, TimeoutError)
            return SendError.BODY_TIMED_OUT if timed_out else SendError.BODY_BROKEN
        if isinstance(getattr(fault, "os_error", fault), AddressRefused):
            return SendError.ADDRESS_REFUSED
        return next(error for kind, error in _ERRORS if isinstance(fault, kind))

    def result(self, latency: float) -> AttemptResult:
        """The attempt as the domain sees it; `latency` in seconds."""
        text = self._body[:BODY_LIMIT].decode("utf-8", errors="replace")
        return AttemptResult(
            status=self.status,
            error=self.error,
            latency_ms=round(latency * 1000),
            # PostgreSQL keeps no NUL in a text.
            body=text.replace("\x00", "\N{REPLACEMENT CHARACTER}"),
            retry_after=self._retry_after,
        )
