"""Which URLs an endpoint may have.

The rules are narrower than RFC 3986, so that no two parsers can read a URL in two ways:
printable ASCII alone, no credentials, hosts as plain names (punycode for national ones)
or canonical addresses. Where a name leads is judged at the moment of connection, not here.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from domain.errors import Invalid

LONGEST_URL = 2048
LONGEST_HOST = 253

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
# What browsers and Python read differently inside an authority.
_AMBIGUOUS = re.compile(r"[\\<>\"^`{|}]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# The URL Standard, 'ends in a number': such a host is an IPv4 address in some notation.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Ports where a POST could be taken for another protocol: the Fetch Standard, 'bad port'.
BAD_PORTS = frozenset(
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95,
        101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179,
        389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601,
        636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566,
        6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    }
)  # fmt: skip


def check_url(url: str, allow_http: bool = False) -> None:
    """Refuse a URL that an endpoint may not have: Invalid at /url with the broken rule.

    Rules: too-long, characters, scheme, credentials, fragment, host-missing, host, port.
    """
    if len(url) > LONGEST_URL:
        raise Invalid.at("/url", "too-long", limit=LONGEST_URL)
    if not _PRINTABLE.fullmatch(url) or _AMBIGUOUS.search(url):
        raise Invalid.at("/url", "characters")
    parts = _split(url)
    schemes = ("https", "http") if allow_http else ("https",)
    if parts.scheme not in schemes:
        raise Invalid.at("/url", "scheme", allowed=schemes)
    if "@" in parts.netloc:
        raise Invalid.at("/url", "credentials")
    if "#" in url:
        raise Invalid.at("/url", "fragment")
    _check_host(parts)
    _check_port(parts)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise Invalid.at("/url", "host") from None


def _check_host(parts: SplitResult) -> None:
    host = parts.hostname or ""
    if not host:
        raise Invalid.at("/url", "host-missing")
    bracketed = parts.netloc.startswith("[")
    if not (_is_ipv6(host) if bracketed else _is_name_or_ipv4(host)):
        raise Invalid.at("/url", "host")


def _check_port(parts: SplitResult) -> None:
    try:
        port = parts.port
    except ValueError:
        raise Invalid.at("/url", "port") from None
    if port in BAD_PORTS or parts.netloc.endswith(":"):
        raise Invalid.at("/url", "port")


def _is_name_or_ipv4(host: str) -> bool:
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _is_canonical_ipv4(host)
    return len(host) <= LONGEST_HOST and all(_LABEL.fullmatch(label) for label in labels)


def _is_canonical_ipv4(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False


def _is_ipv6(host: str) -> bool:
    try:
        # A zone (%eth0) names an interface of the sender: nobody outside may choose it.
        return IPv6Address(host).scope_id is None
    except AddressValueError:
        return False
