"""Headers of an organisation's own, which go with every message to its endpoint.

They may hold credentials (a gateway's key, an Authorization), so they are sealed at rest and
shown masked. What frames a message, says who sent it, or is ours by the standard is not theirs.
"""

import re
from collections.abc import Mapping

from domain.errors import Fault, Invalid

MASK = "********"
"""What is shown in the place of a value; sent back, it leaves the value as it is."""

MOST = 10
LONGEST_NAME = 64
LONGEST_VALUE = 1024

# RFC 9110: §5.6.2 token; §5.5 field value, of visible ASCII with inner spaces alone.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")

_OURS = frozenset(
    {
        # Hop by hop (RFC 9110 §7.6.1), and what frames or routes a message.
        "connection", "keep-alive", "te", "trailer", "trailers", "transfer-encoding", "upgrade",
        "http2-settings", "host", "expect", "via", "forwarded", "max-forwards", "date", "range",
        # What we say of ourselves and of what we read.
        "accept", "accept-encoding", "user-agent", "cookie", "set-cookie", "origin", "referer",
        # Of the signatures.
        "signature", "signature-input",
    }
)  # fmt: skip
_OURS_BY_PREFIX = ("webhook-", "svix-", "content-", "proxy-", "sec-", "x-forwarded-", "access-")


def check_headers(given: Mapping[str, str], standing: Mapping[str, str]) -> dict[str, str]:
    """The headers to keep, by the names that were given; Invalid naming each fault.

    A value that is the mask stays as it is in `standing`, whatever the case of its name.
    """
    faults: list[Fault] = []
    if len(given) > MOST:
        faults.append(Fault("/headers", "too-long", {"max_length": MOST}))
    known = {name.lower(): value for name, value in standing.items()}
    kept: dict[str, str] = {}
    for name, value in given.items():
        pointer = "/headers/" + name.replace("~", "~0").replace("/", "~1")
        lower = name.lower()
        said = known.get(lower, MASK) if value == MASK else value
        if rule := _broken(lower, said):
            faults.append(Fault(pointer, rule, {}))
        elif lower in {each.lower() for each in kept}:
            faults.append(Fault(pointer, "header-twice", {}))
        kept[name] = said
    if faults:
        raise Invalid(faults)
    return kept


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they are shown."""
    return dict.fromkeys(sorted(headers), MASK)


def _broken(name: str, value: str) -> str | None:
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        return "header-name"
    if name in _OURS or name.startswith(_OURS_BY_PREFIX):
        return "header-reserved"
    if value == MASK or len(value) > LONGEST_VALUE or not _VALUE.fullmatch(value):
        return "header-value"
    return None
