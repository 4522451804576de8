"""One connection for one POST: opened to a checked address, written to once, then read.

A client for everything costs twice what one POST needs: pools, cookies, redirects, proxies,
none of which a message may have. What strangers answer is still taken apart by aiohttp's parser.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import aiohappyeyeballs
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from integrations.webhooks.addresses import AddressRefused
from integrations.webhooks.resolver import CheckedResolver, Place

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

_NEXT_ADDRESS = 0.25
"""Seconds after which a name's next address is tried beside the one before (RFC 8305 §5)."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class NotResolved(OSError):
    """The name leads nowhere."""


class NotConnected(OSError):
    """No address of the host lets us in."""


class Line(ResponseHandler):
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

    def ask(self, request: bytes) -> None:
        """Send a whole request; its answer is read with `read`."""
        if self.transport is None:
            raise ConnectionResetError
        self.set_response_params(
            read_until_eof=True, auto_decompress=False, read_bufsize=BODY_LIMIT
        )
        self.transport.write(request)


async def open_line(target: URL, resolver: CheckedResolver, tls: ssl.SSLContext) -> Line:
    """A connection to a host, its name asked for once and each address judged before it is used.

    Raises AddressRefused, NotResolved, NotConnected, ssl.SSLError.
    """
    host = target.raw_host or ""
    try:
        places = await resolver.resolve(host, target.port or 0)
    except AddressRefused:
        raise
    except OSError as error:
        raise NotResolved from error
    try:
        if target.scheme != "https":
            return await _connect(places, resolver)
        return await _connect(places, resolver, ssl=tls, server_hostname=host)
    except (AddressRefused, ssl.SSLError):
        raise
    except OSError as error:
        raise NotConnected from error


async def _connect(places: Sequence[Place], resolver: CheckedResolver, **secured: Any) -> Line:
    loop = asyncio.get_running_loop()
    line = partial(Line, loop)
    if len(places) == 1:
        # Numeric and checked a moment ago: nobody is asked again where it leads.
        (only,) = places
        _, opened = await loop.create_connection(line, only.address, only.port, **secured)
        return opened
    first = await aiohappyeyeballs.start_connection(
        [place.info for place in places],
        happy_eyeballs_delay=_NEXT_ADDRESS,
        interleave=1,
        socket_factory=resolver.open_socket,
    )
    _, opened = await loop.create_connection(line, sock=first, **secured)
    return opened


def compose(target: URL, headers: Mapping[str, str], own: Mapping[str, str], body: bytes) -> bytes:
    """A POST as it goes over the wire. `own` are headers of the organisation's, below ours.

    ValueError for a header that would break out of its line.
    """
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if own:
        ours = {name.lower() for name in (*HEADERS, *headers)} | _FRAMING
        kept = ((name, value) for name, value in own.items() if name.lower() not in ours)
        for name, value in kept:
            if _CONTROL.search(name) or ":" in name or _CONTROL.search(value):
                raise ValueError("a header stays in its line")
            said += f"{name}: {value}\r\n"
    return b"%s%sContent-Length: %d\r\n\r\n%s" % (_start(target), said.encode(), len(body), body)


_FRAMING = frozenset({"host", "connection", "content-length", "transfer-encoding"})


@lru_cache(maxsize=4096)
def _start(target: URL) -> bytes:
    # RFC 9112 §9.6: whoever wants no second answer over a connection says so.
    always = {"Host": target.host_port_subcomponent, "Connection": "close", **HEADERS}
    lines = "".join(f"{name}: {value}\r\n" for name, value in always.items())
    return f"POST {target.raw_path_qs} HTTP/1.1\r\n{lines}".encode("ascii")
