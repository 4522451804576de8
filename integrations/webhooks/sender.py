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
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from domain.errors import Invalid
from domain.webhooks.model import AttemptResult
from domain.webhooks.urls import check_url
from integrations.webhooks import signing
from integrations.webhooks.addresses import AddressRefused, Network
from integrations.webhooks.authorities import trusted
from integrations.webhooks.line import (
    BODY_LIMIT,
    Line,
    NotConnected,
    NotResolved,
    compose,
    open_line,
)
from integrations.webhooks.resolver import (
    CheckedResolver,
    Lookup,
    SystemLookup,
)
from integrations.webhooks.retry_after import parse_retry_after


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
    # The first that fits: the narrower ones derive from the wider ones.
    (TimeoutError, SendError.TIMED_OUT),
    (Invalid, SendError.URL_REFUSED),
    (AddressRefused, SendError.ADDRESS_REFUSED),
    (NotResolved, SendError.NAME_NOT_RESOLVED),
    (NotConnected, SendError.NOT_CONNECTED),
    (ssl.SSLError, SendError.TLS_FAILED),
    (aiohttp.ServerDisconnectedError, SendError.CONNECTION_RESET),
    (OSError, SendError.CONNECTION_RESET),
    # Whatever an answer makes a parser raise: a delivery that raised would be leased, tried
    # and lost again for ever, since only finished attempts are counted.
    (Exception, SendError.BAD_RESPONSE),
)

# Of 1xx all but 101, after which no HTTP follows (RFC 9110 §15.2).
_INTERIM = frozenset(range(100, 200)) - {101}


class Sender:
    """Sends messages; one per process, opened with `async with` in the loop that uses it.

    `allowed_networks` are private networks that the city lets its executors use (see
    addresses.parse_networks). `timeout` bounds an attempt from the name look-up to the
    last byte of the answer. `tls` is whom we trust (see authorities.trusted); `lookup` asks for
    names, else the system does.
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
        self._tls = tls or trusted()
        self._system_lookup = SystemLookup()
        self._lookup = lookup or self._system_lookup
        self._resolver = CheckedResolver(self._lookup, self._allowed)
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False
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
        if not self._open:
            raise RuntimeError("a Sender sends inside its 'async with'")
        signed = signing.headers(secrets, message_id, timestamp, body)
        started = time.monotonic()
        attempt = _Attempt(timestamp)
        try:
            target = _target(endpoint_url, self._allow_http)
            request = compose(target, signed, headers or {}, body)
            async with asyncio.timeout(self._timeout):
                line = await open_line(target, self._resolver, self._tls)
                try:
                    line.ask(request)
                    await attempt.read(line)
                finally:
                    # The rest of an answer is not awaited, nor the end of TLS.
                    line.abort()
        except Exception as fault:
            attempt.error = attempt.name(fault)
        return attempt.result(latency=time.monotonic() - started)


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

    async def read(self, line: Line) -> None:
        """Take the status, then at most BODY_LIMIT bytes of a body that is plain."""
        head, content = await line.read()
        while head.code in _INTERIM:
            head, content = await line.read()
        self.status = head.code
        self._retry_after = parse_retry_after(head.headers.get("Retry-After"), self._timestamp)
        if head.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            self.error = SendError.BODY_ENCODED
        else:
            await self._read_body(content)

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
