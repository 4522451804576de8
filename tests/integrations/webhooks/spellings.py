"""Every spelling that we know of an address inside: what attackers write where a host belongs."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

INNER = (
    "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.17.0.1", "192.168.1.1", "169.254.169.254",
    "100.100.100.200", "168.63.129.16", "198.18.0.1",
)  # fmt: skip
"""This machine, its neighbours, and the metadata services of clouds."""

OUTSIDE = "hook.kz"
"""A host that means no harm, by the side of which the other is hidden."""


def numbers(ip: str) -> Iterator[str]:
    """IPv4 as `inet_aton` reads it: decimal, octal and hexadecimal, whole, in parts and short."""
    a, b, c, d = IPv4Address(ip).packed
    whole, tail, rest = int(IPv4Address(ip)), c << 8 | d, b << 16 | c << 8 | d
    yield ip
    yield str(whole)
    yield f"0x{whole:x}"
    yield f"0X{whole:X}"
    yield f"0x{whole:016x}"
    yield f"0{whole:o}"
    yield f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"
    yield f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield f"0000{a:o}.{b:06o}.00{c:o}.{d:04o}"
    yield f"{a:03}.{b:03}.{c:03}.{d:03}"
    yield f"0x{a:x}.{b}.0{c:o}.{d}"
    yield f"{a}.{rest}"
    yield f"{a}.{b}.{tail}"
    yield f"0x{a:x}.0x{rest:x}"
    yield f"{a}.{b}.0x{tail:x}"
    # What some add up and cut to 32 bits.
    yield str(whole + (1 << 32))
    yield f"{a + 256}.{b}.{c}.{d}"


def scripts(ip: str) -> Iterator[str]:
    """Dots and digits of other scripts, which IDNA or an ambitious parser turns into ours."""
    for dot in "\u3002\uff0e\uff61\u2024":
        yield ip.replace(".", dot)
    for zero in (0xFF10, 0x0660, 0x06F0, 0x0966, 0x1D7CE, 0x2080):
        yield "".join(chr(zero + int(sign)) if sign.isdigit() else sign for sign in ip)
    yield "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(sign)] if sign.isdigit() else sign for sign in ip)


def disguises(ip: str) -> Iterator[str]:
    """Authorities in which one parser sees the outside and another this address."""
    yield f"{ip}."
    yield f"{ip}.."
    yield f".{ip}"
    yield f"{OUTSIDE}@{ip}"
    yield f"{OUTSIDE}:443@{ip}"
    yield f"{ip}#@{OUTSIDE}"
    yield f"{ip}\\@{OUTSIDE}"
    yield f"{OUTSIDE}\\@{ip}"
    yield f"{OUTSIDE}%40{ip}"
    yield f"{ip}%00.{OUTSIDE}"
    yield f"{ip}%23.{OUTSIDE}"
    yield f"{ip}\t"
    yield f" {ip}"
    yield f"{ip}\u00ad"
    yield f"\u200b{ip}"
    yield "".join(f"%{ord(sign):02x}" for sign in ip)
    yield f"[{ip}]"


def carriers(ip: str) -> Iterator[str]:
    """IPv6 addresses that carry this one: mapped, translated, tunnelled."""
    inner = int(IPv4Address(ip))
    yield f"[::ffff:{ip}]"
    yield f"[::ffff:{inner >> 16:x}:{inner & 0xFFFF:x}]"
    yield f"[{IPv6Address(0xFFFF << 32 | inner).exploded}]"
    yield f"[::{ip}]"
    yield f"[::ffff:0:{ip}]"
    yield f"[64:ff9b::{ip}]"
    yield f"[64:ff9b:1::{ip}]"
    yield f"[64:ff9b:1:ffff:ffff:ffff:{ip}]"
    yield f"[{IPv6Address(0x2002 << 112 | inner << 80)}]"
    # Teredo: the server in bits 32 to 63, the client's address inverted in the last 32.
    yield f"[{IPv6Address(0x20010000 << 96 | inner << 64)}]"
    yield f"[{IPv6Address(0x20010000 << 96 | inner ^ 0xFFFFFFFF)}]"
    yield f"[fe80::5efe:{ip}]"
    yield f"[2606:4700::5efe:{ip}]"
    yield f"[2606:4700::200:5efe:{ip}]"
    yield f"[::ffff:{ip}%25lo]"


PLAIN_IPV6 = (
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::1%25lo]", "[::1%lo]", "[::1%]",
    "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%1]", "[fe80::a9fe:a9fe]", "[fc00::1]", "[fd00::1]",
    "[fd00:ec2::254]", "[fd20:ce::254]", "[fec0::1]", "[ff02::1]", "[ff0e::1]", "[100::1]",
    "[100:0:0:1::1]", "[2001:db8::1]", "[2001:2::1]", "[2001:10::1]", "[2001:20::1]", "[3fff::1]",
    "[5f00::1]", "[3ffe::1]", "[4000::1]", "::1", "[::1", "::1]", "[[::1]]", "[v1.::1]",
)  # fmt: skip
"""Inner IPv6 addresses, and brackets in the wrong places."""

NAMES = (
    "localhost", "LOCALHOST", "localhost.", "localhost..", "localhost.localdomain", "a.localhost",
    "ip6-localhost", "ip6-loopback", "loｃalhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "local\u00adhost",
    "lo\u200dcalhost", "localhost%2e", "localhost%00", "localhost\x00.hook.kz", "xn--localhost-",
    "metadata", "metadata.google.internal", "instance-data", "kubernetes.default.svc",
    "host.docker.internal", "127.0.0.1.nip.io", "0x7f000001.hook.kz@localhost",
)  # fmt: skip
"""Names that lead inside wherever somebody lets them."""


def authorities() -> list[str]:
    """All of them, each once."""
    spelt = (
        spelling
        for ip in INNER
        for spellings in (numbers, scripts, disguises, carriers)
        for spelling in spellings(ip)
    )
    return list(dict.fromkeys([*spelt, *PLAIN_IPV6, *NAMES]))
