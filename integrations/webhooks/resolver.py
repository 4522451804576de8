"""Names to checked addresses, and the last check before a socket connects."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from aiohappyeyeballs import AddrInfoType, SocketFactoryType
from aiohttp.abc import AbstractResolver, ResolveResult

from integrations.webhooks.addresses import Network, check_address

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Host and port to numeric addresses; OSError when the name does not resolve."""


class SystemLookup:
    """The operating system's resolver in threads of its own.

    The loop's default pool is small, and a name server that does not answer would hold
    its threads from everybody else. Whoever asks for a name that is being looked up waits for
    that answer, so that a silent name server holds one thread for each of its names, however
    many messages wait for them; nothing is kept once it was answered.
    """

    def __init__(self, threads: int = 256) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="webhook-dns")
        self._asked: dict[str, asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        asked = self._asked.get(host)
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, _addresses, host, port)
            self._asked[host] = asked
            asked.add_done_callback(lambda _: self._asked.pop(host, None))
        # Whoever's time is up gives up for themselves alone.
        return await asyncio.shield(asked)

    def close(self) -> None:
        """Let the threads go without waiting for slow name servers."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:  # a label that IDNA cannot encode
        raise OSError(f"{host!r} is no host name") from error
    return [str(info[4][0]) for info in found]


class CheckedResolver(AbstractResolver):
    """Resolves a name once per connection and hands on addresses only if all are allowed.

    What it returns is numeric and is what gets connected, so that a name server which
    answers differently the next time (DNS rebinding) is never asked a next time.
    """

    def __init__(self, lookup: Lookup, allowed_networks: Iterable[Network]) -> None:
        self._lookup = lookup
        self._allowed = tuple(allowed_networks)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host; AddressRefused if one of them is, OSError if none is found."""
        addresses = [str(check_address(ip, self._allowed)) for ip in await self._lookup(host, port)]
        if not addresses:
            raise OSError(f"{host!r} has no address")
        return [_numeric(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Nothing is held here."""


def _numeric(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def checked_sockets(allowed_networks: Iterable[Network]) -> SocketFactoryType:
    """A factory of sockets that refuses an address at the last moment before connecting.

    Addresses written into a URL never pass a resolver; everything passes here.
    """
    allowed = tuple(allowed_networks)

    def open_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, destination = info
        check_address(str(destination[0]), allowed)
        return socket.socket(family, kind, protocol)

    return open_socket
