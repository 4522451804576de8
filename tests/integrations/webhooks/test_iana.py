"""The table of special addresses against IANA's registries, block by block.

Transcribed from the special-purpose registries for IPv4 and IPv6 (RFC 6890, RFC 8190) and from the
address-space registries as they stood in 2026: every block, and whether it is globally reachable.
"""

from ipaddress import ip_network

import pytest

from integrations.webhooks.addresses import (
    NAT64,
    SPECIAL_IPV4,
    SPECIAL_IPV6,
    Network,
    parse_networks,
    special_meaning,
)
from tests.integrations.webhooks.test_addresses import words

NOT_REACHABLE = words("""
0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.0.0/29 192.0.0.8/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.88.99.0/24 192.88.99.2/32
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 255.255.255.255/32
::1/128 ::/128 ::ffff:0:0/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:2::/48
2001:10::/28 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10
""")
"""Globally reachable: false, not applicable, or deprecated without a word about it."""

REACHABLE_BUT_NO_HOST = words("""
192.0.0.9/32 192.0.0.10/32 192.31.196.0/24 192.52.193.0/24 192.175.48.0/24
2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:3::/32 2001:4:112::/48 2001:20::/28 2001:30::/28
2620:4f:8000::/48
""")
"""Globally reachable, but anycast of protocols, sinks and identifiers: no utility lives there."""

MULTICAST_AND_FORMER = words("224.0.0.0/4 ff00::/8 fec0::/10 3ffe::/16")
"""Of other registries: the multicast address spaces, site-local (RFC 3879), 6bone (RFC 3701)."""

BEYOND_UNICAST = words("""
200::/7 400::/6 800::/5 1000::/4 4000::/3 6000::/3 8000::/3 a000::/3 c000::/3 e000::/4 f000::/5
f800::/6 fe00::/9
""")
"""Reserved by the IETF in the registry of IPv6's address space."""


@pytest.mark.parametrize(
    "block", [*NOT_REACHABLE, *REACHABLE_BUT_NO_HOST, *MULTICAST_AND_FORMER, *BEYOND_UNICAST]
)
def test_every_block_of_ianas_registries_is_refused_from_end_to_end(block):
    network = ip_network(block)
    middle = network[network.num_addresses // 2]
    for address in (network[0], middle, network[-1]):
        assert special_meaning(address) is not None, address


def test_the_one_reachable_block_that_is_let_through_is_judged_by_what_it_carries():
    assert ip_network("64:ff9b::/96") == NAT64
    assert special_meaning(NAT64[0x08080808]) is None
    assert special_meaning(NAT64[0x7F000001]) is not None


def test_the_table_refuses_nothing_that_ianas_registries_do_not_know_but_one_address():
    """Too strict a table would keep a utility from its work: each line stands for a block there."""
    known = parse_networks([*NOT_REACHABLE, *REACHABLE_BUT_NO_HOST, *MULTICAST_AND_FORMER])
    # The former IPv4-compatible and IPv4-translated forms, and the host of machines in a cloud.
    extra = {ip_network(b) for b in ("::/96", "::ffff:0:0:0/96", "168.63.129.16/32")}
    table: list[Network] = [network for network, _ in SPECIAL_IPV4]
    table += [network for network, _ in SPECIAL_IPV6]
    for network in table:
        assert network in extra or any(within(network, one) for one in known), network


def within(inner: Network, outer: Network):
    return inner.version == outer.version and (
        outer[0] == min(outer[0], inner[0], key=int)
        and outer[-1] == max(outer[-1], inner[-1], key=int)
    )
