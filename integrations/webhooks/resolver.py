"""Names to checked addresses, and the last check before a socket connects."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from aiohappyeyeballs import AddrInfoType, SocketFactoryType

from domain.sharing import Sharing
from integrations.webhooks.addresses import Network, check_address

SocketAddress = tuple[str, int] | tuple[str, int, int, int]

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
        self._asked: Sharing[str, list[str]] = Sharing()

    async def __call__(self, host: str, port: int) -> list[str]:
        ask = asyncio.get_running_loop().run_in_executor
        # Whoever's time is up gives up for themselves alone.
        return await self._asked.of(host, partial(ask, self._threads, _addresses, host, port))

    def close(self) -> None:
        """Let the threads go without waiting for slow name servers."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:  # a label that IDNA cannot encode
        raise OSError(f"{host!r} is no host name") from error
    return [str(info[4][0]) for info in found]


@dataclass(frozen=True, slots=True)
class Place:
    """A numeric address that was checked, and a port."""

    address: str
    port: int

    @property
    def info(self) -> AddrInfoType:
        """As sockets want it."""
        if ":" in self.address:
            there: SocketAddress = (self.address, self.port, 0, 0)
            family = socket.AF_INET6
        else:
            there, family = (self.address, self.port), socket.AF_INET
        return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", there


class CheckedResolver:
    """Resolves a name once per connection and hands on addresses only if all are allowed.

    What it returns is numeric and is what gets connected, so that a name server which
    answers differently the next time (DNS rebinding) is never asked a next time.
    """

    def __init__(self, lookup: Lookup, allowed_networks: Iterable[Network]) -> None:
        self._lookup = lookup
        self._allowed = tuple(allowed_networks)
        self.open_socket = checked_sockets(self._allowed)

    async def resolve(self, host: str, port: int) -> list[Place]:
        """Where a host is; AddressRefused if one address of it is, OSError if none is found.

        An address is what it says it is: nobody is asked.
        """
        found = [host] if _is_address(host) else await self._lookup(host, port)
        places = [Place(str(check_address(ip, self._allowed)), port) for ip in found]
        if not places:
            raise OSError(f"{host!r} has no address")
        return places


def _is_address(host: str) -> bool:
    """Whether a host of a checked URL is an address: all that ends in a number is one."""
    return ":" in host or host.rpartition(".")[2].isdecimal()


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
