"""Which addresses a message may go to: the public ones, and networks that the city allows.

The table is our own, from the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890),
because Python's `is_global` calls NAT64, 6to4, IPv4-compatible and multicast forms of
private addresses public. It is stricter than the registries: whatever could be turned
back into a private address by a translator or a tunnel is refused as a whole.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SPECIAL_IPV4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), meaning)
    for network, meaning in (
        ("0.0.0.0/8", "this network, RFC 791"),
        ("10.0.0.0/8", "private use, RFC 1918"),
        ("100.64.0.0/10", "shared by carriers, RFC 6598"),
        ("127.0.0.0/8", "loopback, RFC 1122"),
        ("168.63.129.16/32", "the host of an Azure machine"),
        ("169.254.0.0/16", "link local and cloud metadata, RFC 3927"),
        ("172.16.0.0/12", "private use, RFC 1918"),
        ("192.0.0.0/24", "protocol assignments, RFC 6890"),
        ("192.0.2.0/24", "documentation, RFC 5737"),
        ("192.31.196.0/24", "AS112, RFC 7535"),
        ("192.52.193.0/24", "multicast tunnelling, RFC 7450"),
        ("192.88.99.0/24", "6to4 relays, RFC 7526"),
        ("192.168.0.0/16", "private use, RFC 1918"),
        ("192.175.48.0/24", "AS112, RFC 7534"),
        ("198.18.0.0/15", "benchmarks, RFC 2544"),
        ("198.51.100.0/24", "documentation, RFC 5737"),
        ("203.0.113.0/24", "documentation, RFC 5737"),
        ("224.0.0.0/4", "multicast, RFC 5771"),
        ("240.0.0.0/4", "reserved and broadcast, RFC 1112"),
    )
)

SPECIAL_IPV6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), meaning)
    for network, meaning in (
        ("::/96", "unspecified, loopback and IPv4-compatible, RFC 4291"),
        ("::ffff:0:0/96", "IPv4-mapped, RFC 4291"),
        ("::ffff:0:0:0/96", "IPv4-translated, RFC 2765"),
        ("64:ff9b:1::/48", "local NAT64, RFC 8215"),
        ("100::/64", "discard, RFC 6666"),
        ("100:0:0:1::/64", "dummy prefix, RFC 9780"),
        ("2001::/23", "protocol assignments and Teredo, RFC 2928"),
        ("2001:db8::/32", "documentation, RFC 3849"),
        ("2002::/16", "6to4, RFC 3056"),
        ("2620:4f:8000::/48", "AS112, RFC 7534"),
        ("3ffe::/16", "the former 6bone, RFC 3701"),
        ("3fff::/20", "documentation, RFC 9637"),
        ("5f00::/16", "segment routing, RFC 9602"),
        ("fc00::/7", "unique local, RFC 4193"),
        ("fe80::/10", "link local, RFC 4291"),
        ("fec0::/10", "site local, RFC 3879"),
        ("ff00::/8", "multicast, RFC 4291"),
    )
)

NAT64 = IPv6Network("64:ff9b::/96")
"""The well-known prefix (RFC 6052): the IPv4 address in its last 32 bits is what is reached."""

GLOBAL_UNICAST = IPv6Network("2000::/3")

# The middle of an ISATAP interface id (RFC 5214), after which an IPv4 address follows.
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE, 0x0100_5EFE, 0x0300_5EFE})


class AddressRefused(OSError):
    """The address is not public and no network allowed by the city holds it."""


def parse_networks(networks: Iterable[str]) -> tuple[Network, ...]:
    """The allowed networks from their CIDR texts; ValueError for a text with host bits set."""
    return tuple(ip_network(network) for network in networks)


def check_address(ip: str | Address, allowed_networks: Iterable[Network] = ()) -> Address:
    """The address itself, if a message may go there.

    Raises AddressRefused for everything that is not a canonical public address and lies
    in none of the allowed networks.
    """
    address, refusal = _judged(ip, tuple(allowed_networks))
    if address is None or refusal is not None:
        raise AddressRefused(refusal)
    return address


@lru_cache(maxsize=4096)
def _judged(
    ip: str | Address, allowed_networks: tuple[Network, ...]
) -> tuple[Address | None, str | None]:
    """The address, and why it is refused, by these arguments alone: most come again and again."""
    try:
        address = ip_address(ip)
    except ValueError:
        return None, f"{ip!r} is no address"
    if any(address in network for network in allowed_networks):
        return address, None
    meaning = special_meaning(address)
    return address, f"{address} is refused: {meaning}" if meaning else None


def special_meaning(address: Address) -> str | None:
    """Why the address is not public, or None if it is."""
    if isinstance(address, IPv4Address):
        return next((meaning for net, meaning in SPECIAL_IPV4 if address in net), None)
    return _special_meaning_v6(address)


def _special_meaning_v6(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "it names an interface, RFC 4007"
    if address in NAT64:
        return special_meaning(IPv4Address(int(address) & 0xFFFF_FFFF))
    for network, meaning in SPECIAL_IPV6:
        if address in network:
            return meaning
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return "ISATAP, RFC 5214"
    return None if address in GLOBAL_UNICAST else "not global unicast, RFC 4291"
